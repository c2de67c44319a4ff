//! Running a gate.

use crate::{Gate, Limits, Report};
use std::path::Path;

/// Runs it in `folder`.
pub async fn run(gate: &Gate, folder: &Path, limits: &Limits, mut output: impl FnMut(&[u8]) + Send) -> Report {
    output(&[]);
    let _ = (gate, folder, limits);
    Report::not_started("running gates comes next".to_owned())
}
