//! What the system knows of a process: processor time and memory.

use anyhow::{Context, Result};
use std::fs;

/// Ticks a second of the times in `/proc`; Linux shows them to programs at this rate on all machines it runs on
/// nowadays, whatever the kernel's own rate is.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process has used so far, in all its threads, user and system.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the measured process is gone")?;
    // The name, in brackets, may hold anything; the fields after it count from the state, which is the third.
    let (_, fields) = stat.rsplit_once(')').context("unexpected form of /proc/PID/stat")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).context("no time in /proc/PID/stat");
    Ok((ticks()? + ticks()?) as f64 / TICKS)
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Pages in memory.
    pub(crate) resident: f64,
    /// The same, with shared pages counted in part.
    pub(crate) proportional: f64,
}

/// Memory that a process holds now.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    Ok(Memory {
        resident: kib(&format!("/proc/{pid}/status"), "VmRSS:")?,
        proportional: kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")?,
    })
}

fn kib(path: &str, name: &str) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name} in {path}"))?;
    line.split_ascii_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .with_context(|| format!("no number after {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_uses_processor_time_and_memory() {
        let me = std::process::id();
        let before = cpu_seconds(me).unwrap();
        let mut sum = 0_u64;
        while cpu_seconds(me).unwrap() < before + 0.05 {
            sum = (0..10_000_u64).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        assert!(memory(me).unwrap().resident > 500.0, "{sum}");
    }
}
