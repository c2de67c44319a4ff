//! Runs a project's checks in a bounded process group.

mod definitions;
mod error;
mod gate;
mod limits;
mod report;
mod run;

pub use definitions::{Definitions, definitions};
pub use error::Error;
pub use gate::Gate;
pub use limits::Limits;
pub use report::{Report, Verdict};
pub use run::run;
