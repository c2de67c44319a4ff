//! The commands: arguments and printing only.

pub(crate) mod audit;
pub(crate) mod replay;
pub(crate) mod serve;

/// Says on one line what went wrong, and why.
#[expect(clippy::print_stderr, reason = "this is the program's voice")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("orchestrator-server: {error:#}");
}

/// Prints a line for people or pipes. A closed pipe ends the program quietly.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a line of a server, which goes on when nobody reads it.
pub(crate) fn tell(line: impl std::fmt::Display) {
    use std::io::Write;
    if let Err(error) = writeln!(std::io::stdout(), "{line}") {
        tracing::debug!(%error, "nobody reads the standard output");
    }
}
