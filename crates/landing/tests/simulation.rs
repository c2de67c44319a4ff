//! Random queues with random culprits, worked off by the rules and the trains as the runner does it, in a model.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_landing::{
    Candidate, Command, Footprint, Front, GateRun, Landings, Limits, Queue, Request, Train, order,
};
use orchestrator_protocol::{GateVerdict, MergeState};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// What the model knows of one work.
#[derive(Debug, Clone)]
struct Work {
    /// The gate does not pass on any tree that has it.
    is_culprit: bool,
    /// It passes alone, and not with this other one.
    clashes: Option<usize>,
    /// It cannot be merged onto a tree that has this other one.
    collides: Option<usize>,
    paths: BTreeSet<String>,
    priority: i32,
}

/// What happens beside the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chance {
    Nothing,
    /// One of the gates ends, by its place.
    Gate(usize),
    /// A person commits.
    Commit,
    /// Somebody takes one out.
    Cancel(usize),
    /// The server is killed.
    Kill,
}

/// Works in the order in which they were put onto each other, and how often a person committed.
type Tree = (Vec<usize>, u32);

struct Model {
    works: Vec<Work>,
    limits: Limits,
    landings: Landings,
    seq: u64,
    train: Train,
    /// Where the branch stands.
    branch: Tree,
    /// Trees of those in work.
    trees: BTreeMap<u64, Tree>,
    running: BTreeMap<u64, u64>,
    /// What did not pass while one is looked for.
    reds: BTreeSet<Tree>,
    passed: BTreeSet<Tree>,
    held: BTreeSet<u64>,
    keys: u64,
    runs: usize,
    refusals: usize,
    /// The trees that the branch had.
    was: Vec<Tree>,
}

struct Waiting<'a>(&'a BTreeMap<u64, (i64, &'a Footprint)>);

impl Queue for Waiting<'_> {
    fn depends(&self, one: u64, other: u64) -> bool {
        self.0[&one].1.depends(self.0[&other].1)
    }
    fn alike(&self, one: u64, other: u64) -> bool {
        self.0[&one].0 == self.0[&other].0
    }
    fn is_alone(&self, id: u64) -> bool {
        self.0[&id].1.paths.contains("gates")
    }
}

impl Model {
    fn new(works: Vec<Work>, limits: Limits) -> Self {
        let mut model = Self {
            works,
            limits,
            landings: Landings::default(),
            seq: 0,
            train: Train::default(),
            branch: (Vec::new(), 0),
            trees: BTreeMap::new(),
            running: BTreeMap::new(),
            reds: BTreeSet::new(),
            passed: BTreeSet::new(),
            held: BTreeSet::new(),
            keys: 0,
            runs: 0,
            refusals: 0,
            was: Vec::new(),
        };
        for at in 0..model.works.len() {
            let priority = model.works[at].priority;
            let request = Request {
                agent: "ann".parse().unwrap(),
                target: "main".into(),
                message: "m".into(),
                priority,
                commit: at.to_string(),
                kept: format!("refs/landing/work-{at}"),
            };
            model.give(&Command::Request(request));
        }
        model
    }

    fn give(&mut self, command: &Command) {
        let events = self.landings.decide(command, 5).unwrap_or_else(|error| panic!("{command:?}: {error}"));
        for event in events {
            self.seq += 1;
            self.landings.apply(self.seq, &event);
        }
    }

    fn work(&self, id: u64) -> usize {
        self.landings.get(id).unwrap().work.parse().unwrap()
    }

    fn is_green(&self, tree: &Tree) -> bool {
        tree.0.iter().all(|at| {
            let work = &self.works[*at];
            !work.is_culprit && work.clashes.is_none_or(|other| !tree.0.contains(&other))
        })
    }

    fn merge(&self, tree: &Tree, id: u64) -> Option<Tree> {
        let at = self.work(id);
        let collides = |one: usize, other: usize| self.works[one].collides == Some(other);
        let is_whole = !tree.0.iter().any(|other| collides(at, *other) || collides(*other, at));
        is_whole.then(|| (tree.0.iter().copied().chain([at]).collect(), tree.1))
    }

    /// Puts what is next onto the train. False when nothing is to be put on.
    fn fill(&mut self) -> bool {
        let prints: BTreeMap<u64, (i64, Footprint)> = self
            .landings
            .window()
            .iter()
            .map(|one| {
                let paths = self.works[self.work(one.id)].paths.clone();
                (one.id, (one.urgency(), Footprint { paths, ..Footprint::default() }))
            })
            .collect();
        let known: BTreeMap<u64, (i64, &Footprint)> =
            prints.iter().map(|(id, (at, print))| (*id, (*at, print))).collect();
        let candidates: Vec<Candidate<'_>> = known
            .iter()
            .map(|(id, (priority, print))| Candidate { id: *id, priority: *priority, footprint: Some(print) })
            .collect();
        let mut waiting = order(&candidates);
        waiting.retain(|id| !self.held.contains(id));
        let free = self.limits.side_by_side - self.running.len();
        let planned = self.train.plan(&waiting, free, self.limits, &Waiting(&known));
        let (mut members, mut below) = (Vec::new(), self.train.last());
        for id in planned {
            let base = below.map_or_else(|| self.branch.clone(), |below| self.trees[&below].clone());
            self.give(&Command::Begin { id, tip: format!("{base:?}"), after: below });
            let Some(tree) = self.merge(&base, id) else {
                if self.merge(&self.branch, id).is_some() {
                    self.give(&Command::Requeue { id, reason: "held".into() });
                    self.held.insert(id);
                } else {
                    self.out(id, MergeState::Conflict);
                }
                continue;
            };
            let required = vec!["g".to_owned()];
            self.give(&Command::Merged {
                id,
                tree: format!("{tree:?}"),
                paths: 1,
                settled: Vec::new(),
                regions: Vec::new(),
                required,
            });
            self.trees.insert(id, tree);
            members.push(id);
            below = Some(id);
        }
        let Some(last) = members.last().copied() else { return false };
        self.keys += 1;
        self.train.couple(self.keys, members);
        self.running.insert(self.keys, last);
        if self.reds.contains(&self.trees[&last]) && !self.train.suspects().is_empty() {
            self.gate_ends(self.keys, true);
        }
        true
    }

    fn gate_ends(&mut self, key: u64, is_known: bool) {
        let last = self.running.remove(&key).unwrap();
        let tree = self.trees[&last].clone();
        let is_green = self.is_green(&tree);
        self.runs += usize::from(!is_known);
        let verdict = if is_green { GateVerdict::Passed } else { GateVerdict::Failed };
        let (name, digest) = ("g".to_owned(), "g".to_owned());
        let run = GateRun {
            name,
            digest,
            required: true,
            verdict,
            exit_code: Some(0),
            millis: 1,
            flaky: false,
            cached: is_known,
            not_enforced: Vec::new(),
            tail: String::new(),
        };
        self.give(&Command::GateEnded { id: last, run });
        if is_green {
            self.passed.insert(tree)
        } else {
            self.reds.insert(tree)
        };
        self.train.ended(key, is_green);
    }

    /// Does what the car in front asks for. False when that is nothing.
    fn settle(&mut self) -> bool {
        match self.train.front() {
            Front::Wait => return false,
            Front::Land(members) => {
                let last = *members.last().unwrap();
                let tree = self.trees[&last].clone();
                let commit = |id: &u64| (*id, format!("c{id}"));
                let with = members.split_last().unwrap().1.iter().map(commit).collect();
                let (branch, from, onto) = ("main".to_owned(), Some("x".to_owned()), "x".to_owned());
                let (to, text, backup) = (format!("c{last}"), format!("{tree:?}"), format!("before-{last}"));
                self.give(&Command::Intend { id: last, with, onto, branch, from, to, tree: text, backup });
                self.give(&Command::Land { id: members[0] });
                assert!(self.passed.contains(&tree), "the branch moves to a tree that no gate saw: {tree:?}");
                self.branch = tree.clone();
                self.was.push(tree);
                self.train.landed();
                self.held.clear();
            }
            Front::Refuse(members) => {
                self.refusals += 1;
                self.take_off();
                match members.as_slice() {
                    [culprit] => self.out(*culprit, MergeState::Rejected),
                    [first, ..] => self.give(&Command::Requeue { id: *first, reason: "halved".into() }),
                    [] => panic!("an empty car"),
                }
                if self.train.suspects().is_empty() {
                    self.reds.clear();
                }
            }
        }
        true
    }

    fn out(&mut self, id: u64, state: MergeState) {
        self.give(&Command::Stop { id, state, reason: "r".into(), open: Vec::new() });
        self.train.forget(id);
    }

    /// The car in front is refused: the gates of all are given up.
    fn take_off(&mut self) {
        for car in self.train.refused() {
            self.running.remove(&car.key);
        }
        self.held.clear();
    }

    /// Cars with landings that are not in work any more.
    fn cut(&mut self) {
        let held: Vec<u64> = self.train.cars().flat_map(|car| car.members.clone()).collect();
        for id in held {
            if self.landings.get(id).unwrap().is_in_work() {
                continue;
            }
            for car in self.train.cut(id) {
                self.running.remove(&car.key);
                // Those before it in its car were fine.
                let first = car.members.iter().find(|id| self.landings.get(**id).unwrap().is_in_work());
                if let Some(id) = first.copied() {
                    self.give(&Command::Requeue { id, reason: "cut".into() });
                }
            }
        }
    }

    fn anew(&mut self) {
        let in_work = |landings: &Landings| landings.open().find(|one| one.is_in_work()).map(|one| one.id);
        while let Some(id) = in_work(&self.landings) {
            self.give(&Command::Requeue { id, reason: "anew".into() });
        }
        self.running.clear();
        self.held.clear();
    }

    fn happen(&mut self, chance: Chance) {
        match chance {
            Chance::Nothing => {}
            Chance::Gate(place) => {
                let keys: Vec<u64> = self.running.keys().copied().collect();
                if let Some(key) = keys.get(place % keys.len().max(1)) {
                    self.gate_ends(*key, false);
                }
            }
            Chance::Commit => {
                self.branch.1 += 1;
                self.was.push(self.branch.clone());
                // What was gated on what the branch was is worth nothing.
                self.train.clear();
                self.anew();
            }
            Chance::Cancel(place) => {
                let open: Vec<u64> = self.landings.open().map(|one| one.id).collect();
                if let Some(id) = open.get(place % open.len().max(1)).copied() {
                    self.give(&Command::Cancel { id });
                    self.train.forget(id);
                    self.cut();
                }
            }
            Chance::Kill => {
                self.train = Train::default();
                self.reds.clear();
                self.anew();
            }
        }
    }

    /// Until nothing is left to do. Answers with the steps.
    fn work_off(&mut self, chances: &[Chance]) -> usize {
        let mut chances = chances.iter().copied();
        for step in 0.. {
            self.happen(chances.next().unwrap_or(Chance::Nothing));
            while self.settle() {}
            while self.running.len() < self.limits.side_by_side && self.fill() {}
            self.check();
            let oldest = self.running.keys().next().copied();
            match oldest {
                Some(key) => self.gate_ends(key, false),
                None if self.landings.open().next().is_none() => return step,
                None => {}
            }
            assert!(step < 200 * (self.works.len() + 1), "it does not come to an end: {:?}", self.train);
        }
        0
    }

    fn check(&self) {
        for one in self.landings.open().filter(|one| one.is_in_work()) {
            assert!(self.train.holds(one.id), "{} is in work and on no train", one.id);
        }
        for id in self.train.cars().flat_map(|car| &car.members) {
            assert!(self.landings.get(*id).unwrap().is_in_work(), "{id} is on the train and not in work");
        }
    }

    /// Whether a work could not land, whatever the others are.
    fn is_bad(&self, at: usize) -> bool {
        let with_branch = |other: Option<usize>| other.is_some_and(|other| self.branch.0.contains(&other));
        let by = |of: fn(&Work) -> Option<usize>| self.branch.0.iter().any(|other| of(&self.works[*other]) == Some(at));
        let work = &self.works[at];
        work.is_culprit
            || with_branch(work.clashes)
            || with_branch(work.collides)
            || by(|work| work.clashes)
            || by(|work| work.collides)
    }
}

fn work(count: usize) -> impl Strategy<Value = Work> {
    let paths = prop::collection::btree_set((0..2 * count).prop_map(|at| format!("p{at}")), 1..4);
    let paths = (paths, prop::bool::weighted(0.05)).prop_map(|(mut paths, is_alone)| {
        if is_alone {
            paths.insert("gates".to_owned());
        }
        paths
    });
    let other = move || prop::option::weighted(0.1, 0..count);
    (prop::bool::weighted(0.15), other(), other(), paths, prop::sample::select(vec![0, 0, 0, 0, 3])).prop_map(
        |(is_culprit, clashes, collides, paths, priority)| Work { is_culprit, clashes, collides, paths, priority },
    )
}

fn works() -> impl Strategy<Value = Vec<Work>> {
    (1..25_usize).prop_flat_map(|count| prop::collection::vec(work(count), count)).prop_map(|mut works| {
        for (at, work) in works.iter_mut().enumerate() {
            work.clashes = work.clashes.filter(|other| *other != at);
            work.collides = work.collides.filter(|other| *other != at);
        }
        works
    })
}

fn chance() -> impl Strategy<Value = Chance> {
    prop_oneof![
        4 => Just(Chance::Nothing),
        8 => (0..4_usize).prop_map(Chance::Gate),
        1 => Just(Chance::Commit),
        1 => (0..25_usize).prop_map(Chance::Cancel),
        1 => Just(Chance::Kill),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    (1..5_usize, 1..9_usize).prop_map(|(side_by_side, batch)| Limits { side_by_side, batch })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Whatever the works are and whatever happens in between.
    #[test]
    fn only_gated_trees_land_and_all_good_work_does(
        works in works(), limits in limits(), chances in prop::collection::vec(chance(), 0..60),
    ) {
        let mut model = Model::new(works, limits);
        model.work_off(&chances);
        let was = std::mem::take(&mut model.was);
        for tree in &was {
            prop_assert!(model.is_green(tree), "{tree:?} is on the branch");
        }
        for landing in model.landings.all() {
            let at: usize = landing.work.parse().unwrap();
            match landing.state {
                MergeState::Landed => prop_assert!(model.branch.0.contains(&at)),
                MergeState::Cancelled => prop_assert!(!model.branch.0.contains(&at)),
                state => prop_assert!(model.is_bad(at) && !model.branch.0.contains(&at), "{at} is {state:?}"),
            }
        }
        let once: BTreeSet<usize> = model.branch.0.iter().copied().collect();
        prop_assert_eq!(once.len(), model.branch.0.len(), "nothing lands twice");
    }

    /// Each landing needs one run at most, and each refusal costs at most what was gated behind it.
    #[test]
    fn the_number_of_runs_is_bounded(works in works(), limits in limits()) {
        let mut model = Model::new(works, limits);
        model.work_off(&[]);
        let out = model.landings.all().filter(|one| one.state != MergeState::Landed).count();
        let halvings = limits.batch.ilog2() as usize + 2;
        prop_assert!(model.refusals <= out * halvings, "{} refusals, {out} are out", model.refusals);
        let most = model.was.len() + model.refusals * (2 * limits.side_by_side + 1);
        prop_assert!(model.runs <= most, "{} runs, at most {most}", model.runs);
    }
}

#[test]
fn a_batch_of_good_work_is_gated_once_and_one_culprit_is_found_by_halving() {
    let plain = Work { is_culprit: false, clashes: None, collides: None, paths: BTreeSet::new(), priority: 0 };
    let runs = |culprits: &[usize], side_by_side, batch| {
        let mut works = vec![plain.clone(); 8];
        culprits.iter().for_each(|at| works[*at].is_culprit = true);
        let mut model = Model::new(works, Limits { side_by_side, batch });
        model.work_off(&[]);
        assert_eq!(model.branch.0.len(), 8 - culprits.len());
        model.runs
    };
    assert_eq!(runs(&[], 1, 8), 1);
    assert_eq!(runs(&[], 1, 1), 8);
    assert_eq!(runs(&[0], 1, 8), 5, "8, 4, 2, 1, and what is left");
    assert_eq!(runs(&[7], 1, 8), 4, "8, the first 4, the next 2, the next; of the last it is known");
}
