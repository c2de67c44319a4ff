//! Runs a project's checks: each bounded, killed whole, and with a report that says what was not bounded.
//!
//! [`definitions`] reads the [`Gate`]s and [`Limits`] of an `orchestrator.toml`; [`run`] runs one of them in a folder
//! and gives a [`Report`]. A gate passes only when its program ends by itself, in time and within the limits, with exit
//! code 0. Everything else is a verdict that did not pass, never an error of its own: a check that could not be made
//! has failed.
//!
//! # What holds a gate
//! Programs of util-linux, one before the other, so that nothing here needs `unsafe`; which of them work is tried once:
//!
//! | what | by |
//! |---|---|
//! | all that it started is dead at the end, even when the server is killed | a namespace (`unshare`, `nsenter`) |
//! | it sees no other process and no network | the same |
//! | processor time, size of files, memory of each process | `prlimit` |
//! | number of processes and threads | a control group for root, `prlimit` in a user namespace for others |
//! | memory of all its processes together | looked at every 50 ms |
//! | it cannot undo these | `setpriv`: no new privileges, and root's without those that would |
//! | time, output | this crate |
//!
//! A namespace's first process waits on a pipe from the server, so the kernel ends them together. Without one `/proc` is
//! searched for the gate's traces: descent, sessions, environment. Without a bound on processes they are counted every
//! 50 ms. Whatever is missing stands in [`Report::not_enforced`] as `what: why`, where `what` is one of `cpu`,
//! `descendants`, `file`, `memory`, `network`, `privileges`, `processes` and `session`.
//!
//! # What a gate gets
//! Its arguments as they are defined, without a shell; nothing on its standard input; a session of its own. Six
//! variables: the server's `PATH` (its absolute folders), `HOME` and `TMPDIR` (fresh, empty, outside of the folder it
//! checks, removed afterwards), `LANG=C.UTF-8`, `CI=1`, and `GIT_CEILING_DIRECTORIES`, so that git finds no repository
//! around the folder. No token of the server is among them. A project sets what it needs:
//!
//! ```toml
//! [[gates]]
//! name = "tests"
//! run = ["env", "RUSTUP_HOME=/opt/rustup", "CARGO_HOME=/opt/cargo", "cargo", "test", "--offline"]
//! ```
//!
//! The network is off unless `[gate_limits]` says `network = true`; a loopback of its own is there where `ip` is
//! installed. A second try runs in the folder as the first one left it.
//!
//! # Limitations
//! - Linux only. Against mistakes and hostile code of a user that has no other rights; it is no sandbox for files: a
//!   gate reads and writes all that the server's user may, secrets in its folders included.
//! - Processor time is bounded for each process; all of them together have the timeout times the processors. Who
//!   ignores the signal of that limit is killed by the kernel a second later and counts as [`Verdict::Killed`].
//! - Memory of one process is what it maps for itself to write (`RLIMIT_DATA`), not its address space, which many
//!   runtimes reserve without using. Pages in `/dev/shm` that nobody has mapped are not counted.
//! - Disk space as a whole is not bounded.
//! - A limit that makes a call fail, as those on memory and processes do, is not seen as such where the program goes on:
//!   it stayed within the limit, and may pass. Only a control group tells that it refused a process, which is
//!   [`Verdict::OverLimit`]; a server without root's rights has none.
//! - The rights that root loses, and new privileges, are gone for good: `sudo`, mounting and changing interfaces fail.
//! - On kernels before 5.14 the limit of processes counts all that an unprivileged server's user has.
//! - Folders `orchestrator-gate-*` in the system's folder for temporary files stay behind when the server is killed.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), orchestrator_gates::Error> {
//! use orchestrator_gates::{Verdict, definitions, run};
//!
//! let defined = definitions(
//!     r#"
//!     [[gates]]
//!     name = "no-tabs"
//!     run = ["sh", "-c", "echo looking; ! grep -rn '\t' ."]
//!     paths = ["*.rs"]
//!     timeout = "1m"
//!     "#,
//! )?;
//! let gate = &defined.gates[0];
//! assert!(gate.concerns(["src/main.rs"].into_iter()) && !gate.concerns(["README.md"].into_iter()));
//!
//! let folder = tempfile::tempdir().unwrap();
//! let mut printed = Vec::new();
//! let report = run(gate, folder.path(), &defined.limits, |bytes| printed.extend_from_slice(bytes)).await;
//! assert_eq!((report.verdict, printed.as_slice()), (Verdict::Passed, &b"looking\n"[..]));
//!
//! std::fs::write(folder.path().join("main.rs"), "\tfn main() {}\n").unwrap();
//! let report = run(gate, folder.path(), &defined.limits, |_| ()).await;
//! assert_eq!((report.verdict, report.exit_code), (Verdict::Failed, Some(1)));
//! # Ok(())
//! # }
//! ```

mod attempt;
mod cgroup;
mod definitions;
mod error;
mod gate;
mod home;
mod limits;
mod namespace;
mod printed;
mod processes;
mod report;
mod run;
#[doc(hidden)]
pub mod seam;
mod system;
mod wait;

pub use definitions::{Definitions, definitions};
pub use error::Error;
pub use gate::Gate;
pub use limits::Limits;
pub use report::{Report, Verdict};
pub use run::run;
