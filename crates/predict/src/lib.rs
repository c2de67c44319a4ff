//! Which agents' unfinished work collides.
//!
//! A [`Star`] holds, for every agent, the paths at which its work differs from what it began with. All of it is
//! compared on one base, the tip of the target branch: first each agent's change of a path is put onto the tip
//! (a conflict there is one with landed work), then those of every two agents that share the path are merged.
//! Only shared paths are merged and only their contents are read, so one save costs what the agents cost that
//! share its path, whatever the size of the repository and however many agents there are.
//!
//! Work that merges line by line may still not go together: [`Symbols`] holds what the tip and each agent's work define
//! and use, and says which of an agent's new uses another one's changes break.
//!
//! Work that goes together two by two may not go together as a whole: a [`Union`] joins what all agents in no collision
//! have at each path, in the order of a queue, and says whose addition breaks it. Only what changed is joined anew.
//!
//! The crate is pure: contents come through [`Source`], findings go out as data. Everything in it is derived
//! and can be thrown away.
//!
//! # Limitations
//! Paths are merged one by one. A rename is seen where it matters, when another agent changed the file under
//! its old name, and told by the likeness of the contents.
//!
//! Symbols are those of files with a name in UTF-8 and at most 512 KiB. Where an agent's change of a file collides with
//! what has landed, the tip's version stands for it.

mod entities;
mod finding;
mod impact;
mod overwritten;
mod pair;
mod rename;
mod sides;
mod star;
mod symbols;
mod union;
mod version;

pub use entities::{ChangedEntity, Touched, changed_entities};
pub use finding::{Finding, Kind, Part, Region};
pub use impact::{Affected, Definition, Impact, Usage};
pub use overwritten::overwritten;
pub use sides::{Sides, Stand, collision};
pub use star::{Agent, Star};
pub use symbols::{Answer, Landed, Question, Symbols};
pub use union::{Break, Cause, Joined, Union};
pub use version::{Change, Id, Mode, Path, Source, Version};
