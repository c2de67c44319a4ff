//! Running a gate: its tries on a thread of their own, its output here.

use crate::attempt::attempt;
use crate::printed::Printed;
use crate::system::System;
use crate::{Gate, Limits, Report, Verdict};
use std::path::Path;
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// How many pieces of output, of 64 KiB at most, wait for `output`; then the gate waits.
const PIECES: usize = 8;

/// Runs the gate in `folder`, and once more when it failed and its definition says so. Ends when it, and everything it
/// started, has ended or was killed.
///
/// `output` gets what it prints, both streams as they come, up to [`Limits::output`] in each try; a gate waits for a
/// slow `output` as for any slow reader. Whatever goes wrong is a [`Report`] that did not pass, never an error.
///
/// The future needs no certain runtime and never blocks it. Dropping it kills everything too, within about a tenth of a
/// second: until then what was started may still write into `folder`.
pub async fn run(gate: &Gate, folder: &Path, limits: &Limits, output: impl FnMut(&[u8]) + Send) -> Report {
    run_on(System::known, gate, folder, limits, output).await
}

pub(crate) async fn run_on<S>(
    system: impl FnOnce() -> S + Send + 'static,
    gate: &Gate,
    folder: &Path,
    limits: &Limits,
    mut output: impl FnMut(&[u8]) + Send,
) -> Report
where
    S: std::borrow::Borrow<System>,
{
    let (pieces, mut printed) = mpsc::channel(PIECES);
    let (done, report) = oneshot::channel();
    let (gate, folder, limits) = (gate.clone(), folder.to_owned(), limits.clone());
    let thread = std::thread::Builder::new().name("gate".to_owned()).spawn(move || {
        let report = tries(system().borrow(), &gate, &folder, &limits, &pieces);
        // Nobody may wait any more.
        let _ = done.send(report);
    });
    if let Err(error) = thread {
        return Report::not_started(format!("a thread for it: {error}"));
    }
    while let Some(piece) = printed.recv().await {
        output(&piece);
    }
    let lost = |_| Report { verdict: Verdict::Failed, ..Report::not_started("its thread broke down".to_owned()) };
    report.await.unwrap_or_else(lost)
}

fn tries(system: &System, gate: &Gate, folder: &Path, limits: &Limits, pieces: &mpsc::Sender<Vec<u8>>) -> Report {
    let begun = Instant::now();
    let try_it = || attempt(system, gate, folder, limits, Printed::new(limits.output, pieces));
    let mut report = try_it();
    // What cannot be started, or needs more than it may have, is the same the second time.
    let again = matches!(report.verdict, Verdict::Failed | Verdict::TimedOut | Verdict::Killed);
    if again && gate.retries > 0 && !pieces.is_closed() {
        report = try_it();
        report.flaky = report.passed();
    }
    report.took = begun.elapsed();
    report
}
