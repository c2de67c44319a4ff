//! Which agents' unfinished work collides.
//!
//! A [`Star`] holds, for every agent, the paths at which its work differs from what it began with. All of it is
//! compared on one base, the tip of the target branch: first each agent's change of a path is put onto the tip
//! (a conflict there is one with landed work), then those of every two agents that share the path are merged.
//! Only shared paths are merged and only their contents are read, so one save costs what the agents cost that
//! share its path, whatever the size of the repository and however many agents there are.
//!
//! The crate is pure: contents come through [`Source`], findings go out as data. Everything in it is derived
//! and can be thrown away.
//!
//! # Limitations
//! Paths are merged one by one. A rename is seen where it matters, when another agent changed the file under
//! its old name, and told by the likeness of the contents. Of a rename and an edit that merge, the union is not
//! built.

mod finding;
mod pair;
mod rename;
mod sides;
mod star;
mod version;

pub use finding::{Finding, Kind, Part, Region};
pub use sides::{Sides, Stand, collision};
pub use star::{Agent, Star};
pub use version::{Change, Id, Mode, Path, Source, Version};
