//! How long to wait between attempts to connect.

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(15);

/// A connection that stood so long was a good one: the next pause is short again.
const GOOD: Duration = Duration::from_secs(10);

/// Growing pauses with jitter, without end.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: ExponentialBackoff,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self { next: fresh() }
    }

    /// The pause before the next attempt.
    pub(crate) fn next(&mut self) -> Duration {
        self.next.next().unwrap_or(LONGEST)
    }

    /// Takes how long a connection stood.
    pub(crate) fn stood(&mut self, time: Duration) {
        if time >= GOOD {
            self.next = fresh();
        }
    }
}

/// A new row. The jitter adds up to as much as the pause itself, so the longest is twice [`LONGEST`].
fn fresh() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_jitter()
        .with_min_delay(SHORTEST)
        .with_max_delay(LONGEST)
        .with_factor(2.0)
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_never_end() {
        let mut pauses = Pauses::new();
        let row: Vec<Duration> = (0..100).map(|_| pauses.next()).collect();
        assert!(row[0] >= SHORTEST && row[0] <= 2 * SHORTEST, "{:?}", row[0]);
        assert!(row[10..].iter().all(|pause| *pause >= LONGEST && *pause <= 2 * LONGEST), "{row:?}");
    }

    #[test]
    fn only_a_connection_that_stood_shortens_them() {
        let mut pauses = Pauses::new();
        let _: Vec<Duration> = (0..10).map(|_| pauses.next()).collect();
        pauses.stood(Duration::from_secs(1));
        assert!(pauses.next() >= LONGEST);
        pauses.stood(GOOD);
        assert!(pauses.next() <= 2 * SHORTEST);
    }
}
