//! What a gate may use.

use crate::gate::Digest;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What each run of a gate may use: `[gate_limits]` in `orchestrator.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time of each of its processes, in whole seconds (rounded up). Default: 1 h.
    pub cpu: Duration,
    /// Bytes of memory: what each process may map for itself to write, and what all of them use together. Shared pages
    /// count once. Default: 8 GiB.
    pub memory: u64,
    /// Bytes of the largest file that it may write. Default: 4 GiB.
    pub file: u64,
    /// Bytes that it may print, both streams together. Default: 16 MiB.
    pub output: u64,
    /// Processes and threads that it may have at one time. Default: 2048.
    pub processes: u64,
    /// Whether it may use the network. Without it only the loopback of its own is there. Default: false.
    pub network: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(3600),
            memory: 8 << 30,
            file: 4 << 30,
            output: 16 << 20,
            processes: 2048,
            network: false,
        }
    }
}

impl Limits {
    /// Names the limits: a gate's result under the same digest was had under the same limits. 64 hex digits.
    pub fn digest(&self) -> String {
        let Self { cpu, memory, file, output, processes, network } = self;
        let mut digest = Digest::new("orchestrator gate limits 1");
        digest.number(cpu.as_nanos());
        for number in [memory, file, output, processes] {
            digest.number(u128::from(*number));
        }
        digest.number(u128::from(*network));
        digest.finish()
    }
}
