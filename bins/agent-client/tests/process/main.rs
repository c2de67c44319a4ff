//! The programs as their users start them: `agent-client` and the library against a real `orchestrator-server`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// Every subcommand does what its help says.
mod calls;
/// The library's sockets survive a killed server without a loss or a repetition.
mod connections;
/// Every failure has its exit code and is told in one line.
mod exits;
/// Git merges with the driver, keeps its conflicts, and is left as it was.
mod merge_driver;
/// Three files are merged under git's exit codes.
mod merge_file;
/// Work lands, is shown and is taken back.
mod merges;
/// Work in a clone that the server cannot see is pushed, once or as it changes.
mod push;
/// What landed is vouched for in a clone, without the server.
mod receipts;
/// An agent shows, acknowledges, survives restarts, watches and takes its leave.
mod running;
/// Work is kept, shown and put back, whatever happens to the server and the folder.
mod snapshots;
mod support;
/// Tasks and approvals, from the command line.
mod tasks;
/// Workspaces are made, listed and removed, and what collides in them is shown.
mod workspaces;
