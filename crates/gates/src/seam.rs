//! Systems that lack something, for tests; not for programs.

use crate::run::run_on;
use crate::system::System;
use crate::{Gate, Limits, Report};
use std::path::Path;

/// As [`run`](crate::run) on a system where these programs are not installed.
pub async fn run_without(
    programs: &'static [&'static str],
    gate: &Gate,
    folder: &Path,
    limits: &Limits,
    output: impl FnMut(&[u8]) + Send,
) -> Report {
    run_on(move || System::detect(programs), gate, folder, limits, output).await
}
