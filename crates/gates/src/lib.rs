//! Runs a project's checks in a bounded process group.

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
