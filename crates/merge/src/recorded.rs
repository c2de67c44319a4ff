//! Recorded resolutions: what people made of a conflict, for the next time that it comes.
//!
//! A [`Recording`] is an [`Edit`] under a [`Key`]. The key is the region's text in all three versions, free of
//! indentation and line endings, together with where it stands: path, language and entity. The edit says which lines of
//! which version stand in the result, and what the person typed. Neither knows which side was ours: the two are told
//! apart by content.
//!
//! A region whose key was recorded once, with one answer, is settled by it. The same text elsewhere, and text of the same
//! shape in the same file, are *near*: what was recorded for them is a candidate and no more. So is every answer where people
//! gave several for one key.
//!
//! What is settled so is held against the verifier as if both sides had made the person's change themselves.

mod edit;
mod key;
mod learn;
mod settle;
mod store;

pub use edit::{Edit, Step, Version};
pub use key::{Key, Place};
pub use learn::learn;
pub(crate) use settle::settle_recorded;
pub use store::Recordings;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a person made of one region in conflict.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recording {
    /// The region.
    pub key: Key,
    /// What the person made of it.
    pub edit: Edit,
}

/// Where recordings are looked up. It gives only those that survived: a resolution that was undone is forgotten.
///
/// The same store must give the same answers in the same order, or merges depend on more than the files.
pub trait Recorded: fmt::Debug + Sync {
    /// All edits recorded for exactly this key, none twice.
    fn exact(&self, key: &Key) -> Vec<Edit>;

    /// Recordings of near keys, as [`Key::is_near`] says, the likeliest first.
    fn near(&self, key: &Key) -> Vec<Recording>;
}
