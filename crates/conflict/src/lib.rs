//! Edits that agents have in work, and the conflicts between them.
//!
//! The crate is pure. It takes findings as data: that a file changed, and who did it. From that it keeps
//! who has which file in work ([`Edits`]) and the life of each conflict ([`Conflicts`]): one record for
//! each file that several agents edit, found when the second one begins, growing when a third joins,
//! ended by a resolution or `withdrawn` when the overlap is gone.
//!
//! An edit is in work until its agent leaves, or its term passes without another change of the file.
//!
//! Where the agents' work itself is known, merging tells more than that they edit one file: [`Command::Found`]
//! makes one record for each file and pair of agents, with the lines that collide; it follows the lines while
//! they change, and is withdrawn when they go together again. A semantic conflict is one record for each definition that
//! one agent changed and another one's new code uses as it was, whatever the files. One that was marked as settled stays
//! quiet until its lines change; one that was settled by a merged result ([`Applied`]) knows who has taken it, and is not over
//! before all have or nothing collides any more. One that was given to a person stays so until it is settled or gone.

mod applied;
mod command;
mod conflicts;
mod edits;
mod error;
mod life;
mod overlap;
mod state;

pub use applied::{Applied, Side, Version};
pub use command::{Command, Event};
pub use conflicts::{Conflict, Conflicts, superseded};
pub use edits::{Change, Edit, Edits};
pub use error::Error;
pub use life::{Closing, Escalation};
pub use overlap::Overlap;
pub use state::{State, WITHDRAWN};
