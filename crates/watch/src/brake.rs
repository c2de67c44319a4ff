//! When deletions are withheld. Pure.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::Brake;

/// Deletions let through this recently count with new ones, so a flood cut in pieces is still a flood.
const WINDOW: Duration = Duration::from_secs(2);

/// Counts deletions and says when they are too many.
#[derive(Debug)]
pub(crate) struct Counter {
    brake: Brake,
    recent: VecDeque<(Instant, usize)>,
    /// No number of files may vanish freely: the root was just remade.
    strict: bool,
}

impl Counter {
    pub(crate) fn new(brake: Brake) -> Self {
        Self { brake, recent: VecDeque::new(), strict: false }
    }

    pub(crate) fn set_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// True when `count` of `total` files may be reported as deleted at `now`; they are then counted.
    pub(crate) fn admit(&mut self, count: usize, total: usize, now: Instant) -> bool {
        while self.recent.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.recent.pop_front();
        }
        if count == 0 {
            return true;
        }
        let before: usize = self.recent.iter().map(|(_, count)| count).sum();
        #[expect(clippy::cast_precision_loss, reason = "file counts are far below 2^52")]
        let share = (before + total) as f64 * self.brake.fraction;
        let floor = if self.strict { 0 } else { self.brake.at_least };
        #[expect(clippy::cast_precision_loss, reason = "file counts are far below 2^52")]
        let allowed = (before + count) as f64 <= share.max(floor as f64);
        if allowed {
            self.recent.push_back((now, count));
        }
        allowed
    }

    /// A person confirmed: what happened so far no longer counts.
    pub(crate) fn reset(&mut self) {
        self.recent.clear();
        self.strict = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(strict: bool, steps: &[(u64, usize, usize, bool)]) {
        let start = Instant::now();
        let mut counter = Counter::new(Brake::default());
        counter.set_strict(strict);
        for (at, count, total, allowed) in steps {
            let now = start + Duration::from_millis(*at);
            assert_eq!(counter.admit(*count, *total, now), *allowed, "{count} of {total} at {at}");
        }
    }

    #[test]
    fn both_bounds_must_be_passed() {
        check(false, &[(0, 50, 60, true)]);
        check(false, &[(0, 51, 60, false)]);
        check(false, &[(0, 500, 1000, true)]);
        check(false, &[(0, 501, 1000, false)]);
        check(false, &[(0, 0, 0, true)]);
    }

    #[test]
    fn pieces_of_one_flood_count_together_and_old_ones_do_not() {
        check(false, &[(0, 300, 1000, true), (500, 300, 700, false)]);
        check(false, &[(0, 300, 1000, true), (2600, 300, 700, true)]);
    }

    #[test]
    fn a_remade_root_may_not_lose_even_a_few_files() {
        check(true, &[(0, 4, 6, false)]);
        check(true, &[(0, 3, 6, true)]);
    }
}
