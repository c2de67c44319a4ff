//! What came of a gate.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many of the last bytes that a gate printed are kept in [`Report::tail`].
pub(crate) const TAIL: usize = 16 << 10;

/// How a run of a gate ended. Only [`Verdict::Passed`] lets anything land.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its program ended by itself, in time and within the limits, with exit code 0.
    Passed,
    /// Its program ended with another exit code, or not everything that it started could be brought to an end.
    Failed,
    /// It was killed when its time was over.
    TimedOut,
    /// A signal ended its program that was sent by neither its timeout nor a limit.
    Killed,
    /// It went over a limit, which [`Report::reason`] names.
    OverLimit,
    /// Its program could not be started, [`Report::reason`] says why.
    NotStarted,
}

/// What came of a gate: of its last try, where there were two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// The exit code of its program, when that ended by itself.
    pub exit_code: Option<i32>,
    /// The number of the signal that ended its program.
    pub signal: Option<i32>,
    /// Why it did not pass, for people; empty when it did.
    pub reason: String,
    /// Wall time of all tries, with starting and cleaning up.
    pub took: Duration,
    /// Whether it passed only when it was tried again.
    pub flaky: bool,
    /// The last 16 KiB of what it printed, both streams as they came. Any bytes.
    pub tail: Vec<u8>,
    /// How many bytes it printed beyond [`Limits::output`](crate::Limits::output), which `output` did not get.
    pub dropped_bytes: u64,
    /// What the system did not allow to be enforced, each as `what: why`; the receipt has to say so.
    pub not_enforced: Vec<String>,
}

impl Report {
    /// Whether it passed, at once or when tried again.
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    pub(crate) fn not_started(reason: String) -> Self {
        Self {
            verdict: Verdict::NotStarted,
            exit_code: None,
            signal: None,
            reason,
            took: Duration::ZERO,
            flaky: false,
            tail: Vec::new(),
            dropped_bytes: 0,
            not_enforced: Vec::new(),
        }
    }
}
