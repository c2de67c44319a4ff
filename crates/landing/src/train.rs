//! What is gated side by side, in batches, and what follows from how that ends.
//!
//! A train is what is on its way to one branch: cars one behind the other, each gated on the tree that has everything
//! before it, too. The car in front lands when it passed, and the next is the one in front: its tree is what the branch
//! then is. When it does not pass, nothing behind it can land as it is. A car of several landings is a batch: it is gated
//! once, at its end, and taken apart when it does not pass.

use std::collections::VecDeque;

/// How much is done at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Cars that are gated at once, of all trains.
    pub side_by_side: usize,
    /// Landings in one car.
    pub batch: usize,
}

/// Landings that are gated as one, in the order in which they are put onto each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Car {
    /// Tells it from every other.
    pub key: u64,
    /// At least one.
    pub members: Vec<u64>,
    /// Whether it passed; nothing while it is gated.
    pub passed: Option<bool>,
}

/// What the car in front asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Front {
    /// There is none, or it is being gated.
    Wait,
    /// It passed on what the branch is with it: it is to land.
    Land(Vec<u64>),
    /// It did not pass, and all that it stands on has landed.
    Refuse(Vec<u64>),
}

/// What a train knows of those that wait.
pub trait Queue {
    /// Whether what comes of one may depend on the other.
    fn depends(&self, one: u64, other: u64) -> bool;
    /// Whether both may share a car: neither is more urgent.
    fn alike(&self, one: u64, other: u64) -> bool;
    /// Whether it has to be a car of its own.
    fn is_alone(&self, id: u64) -> bool;
}

/// What is on its way to one branch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Train {
    cars: VecDeque<Car>,
    /// At least one of these does not pass with those before it, in order. Those before it do.
    suspects: Vec<u64>,
}

impl Train {
    /// The cars, the one in front first.
    pub fn cars(&self) -> impl DoubleEndedIterator<Item = &Car> {
        self.cars.iter()
    }

    /// Whether nothing is on its way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cars.is_empty()
    }

    /// Whether a landing is in a car.
    #[must_use]
    pub fn holds(&self, id: u64) -> bool {
        self.cars.iter().any(|car| car.members.contains(&id))
    }

    /// The landing at the end.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.cars.back()?.members.last().copied()
    }

    /// Those of which at least one did not pass.
    #[must_use]
    pub fn suspects(&self) -> &[u64] {
        &self.suspects
    }

    /// Who is to be in the next car; nobody when nothing is to be put on at the moment. `waiting` is in order and on no
    /// train; `free` is how many more cars can be gated.
    #[must_use]
    pub fn plan(&self, waiting: &[u64], free: usize, limits: Limits, queue: &impl Queue) -> Vec<u64> {
        let Some(first) = waiting.first().copied().filter(|_| free > 0) else { return Vec::new() };
        let suspects: Vec<u64> = self.suspects.iter().copied().filter(|id| waiting.contains(id)).collect();
        let are_on = self.suspects.iter().any(|id| self.holds(*id));
        let is_urgent = |id: &u64| !queue.alike(first, *id) && !suspects.contains(&first);
        match suspects.len() {
            0 if are_on => Vec::new(),
            0 => self.next(waiting, free, limits, queue),
            // What is more urgent than all of them does not wait for who it was.
            _ if self.cars.is_empty() && suspects.iter().all(is_urgent) => vec![first],
            count => {
                // Everything before the last part is gated at once. Of all of them it is known already.
                let parts = count.min(free + 1);
                let most = if are_on { count - 1 } else { (count - 1).max(1) };
                suspects.into_iter().take(count.div_ceil(parts.max(1)).min(most)).collect()
            }
        }
    }

    fn next(&self, waiting: &[u64], free: usize, limits: Limits, queue: &impl Queue) -> Vec<u64> {
        // Those that passed and wait for the one in front have no end, either.
        if self.cars.len() >= 2 * limits.side_by_side.max(1) {
            return Vec::new();
        }
        let Some(first) = waiting.first().copied() else { return Vec::new() };
        let mut members = vec![first];
        let may_join = |id: &&u64| queue.alike(first, **id) && !queue.is_alone(first) && !queue.is_alone(**id);
        let others: Vec<u64> = waiting.iter().skip(1).filter(may_join).copied().collect();
        // First those that depend on one of them, then as many as more cars would be needed for.
        for id in &others {
            if members.len() < limits.batch && members.iter().any(|one| queue.depends(*one, *id)) {
                members.push(*id);
            }
        }
        let share = if waiting.len() > free { waiting.len().div_ceil(free).min(limits.batch) } else { 1 };
        for id in others {
            if members.len() < share && !members.contains(&id) {
                members.push(id);
            }
        }
        members.sort_by_key(|id| waiting.iter().position(|one| one == id));
        members
    }

    /// Puts a car behind the others.
    pub fn couple(&mut self, key: u64, members: Vec<u64>) {
        if !members.is_empty() {
            self.cars.push_back(Car { key, members, passed: None });
        }
    }

    /// The gates of a car ended. One that is not on the train any more is nobody's.
    pub fn ended(&mut self, key: u64, passed: bool) {
        if let Some(car) = self.cars.iter_mut().find(|car| car.key == key) {
            car.passed = Some(passed);
        }
    }

    /// What is to be done about the car in front.
    #[must_use]
    pub fn front(&self) -> Front {
        match self.cars.front() {
            Some(Car { members, passed: Some(true), .. }) => Front::Land(members.clone()),
            Some(Car { members, passed: Some(false), .. }) => Front::Refuse(members.clone()),
            _ => Front::Wait,
        }
    }

    /// The car in front has landed.
    pub fn landed(&mut self) {
        if let Some(car) = self.cars.pop_front() {
            self.suspects.retain(|id| !car.members.contains(id));
        }
    }

    /// The car in front is refused: of several, one of them did it; of one, it did. All cars are taken off, and those of
    /// the others have to be gated anew.
    pub fn refused(&mut self) -> Vec<Car> {
        let cars: Vec<Car> = self.cars.drain(..).collect();
        self.suspects = match cars.first() {
            Some(car) if car.members.len() > 1 => car.members.clone(),
            _ => Vec::new(),
        };
        cars
    }

    /// Takes off the car that holds a landing, and all behind it.
    pub fn cut(&mut self, id: u64) -> Vec<Car> {
        let at = self.cars.iter().position(|car| car.members.contains(&id));
        at.map_or_else(Vec::new, |at| self.cars.drain(at..).collect())
    }

    /// Takes all off: the branch is not what they were put onto.
    pub fn clear(&mut self) -> Vec<Car> {
        self.cars.drain(..).collect()
    }

    /// It is over, whatever came of it.
    pub fn forget(&mut self, id: u64) {
        self.suspects.retain(|one| *one != id);
    }
}
