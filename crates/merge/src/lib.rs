//! Three-way merge of one file: bytes in, an [`Outcome`] out.
//!
//! [`merge`] tries its layers in order; each settles what it can prove and leaves the rest to the next:
//!
//! 1. *Identity*: equal sides, a side that equals the base, a file both deleted. A byte-order mark, the line endings
//!    and the final newline are taken from the side that changed them, so that they never stand in the way of an edit.
//! 2. *Lines*: both sides' changes against the base, aligned by a histogram diff. Changes that touch are one region,
//!    and a region that both sides touched is a conflict unless both wrote the same.
//! 3. *Sets*: data by what they hold, where lines are in conflict or refused: JSON, TOML and YAML by key, requirements by package,
//!    ignore files by pattern. The result's value must be the merge of the values, which other parsers computed.
//! 4. *Regions* and *structure*: source files in eleven languages as nested lists of statements and tokens (`src/tree`).
//!    What only one side changed is taken from it, statement by statement, entry by entry, word by word. Where both put
//!    something into one place, an order that means nothing (definitions, imports, keys) is made by content; any other
//!    order, edits of one expression, and edits of neighbours that share a name give [`Outcome::Candidates`], for the
//!    project's own checks to choose. What one side did to the form is done in the other versions, too, before they are
//!    merged (`src/tree/replay.rs`): statements that it put into a new one ([`Rule::Wrapped`], always candidates), a
//!    definition that it moved and the other side edited ([`Rule::Moved`], clean only where the place means nothing).
//! 5. *Renames*: new uses of what the other side renamed, with the new name ([`Rule::Renamed`], always candidates).
//!
//! 6. *Recorded*: regions that are still open and that a person settled before, in the same place of the same file, where
//!    the caller gives such [`Recorded`] resolutions; [`learn`] takes them from a person's result. The same text elsewhere is
//!    only proposed.
//!
//! Every answer by structure is parsed again and checked apart from the merge (`src/tree/check.rs`): each word stands as
//! often as both sides' changes account for, nothing is defined twice, neither side's new code uses or calls what the other
//! side removed or changed, and merging it again with either side changes nothing.
//!
//! Every clean merge of lines goes through [`verify`], which shares the alignment with the layers and nothing else, and
//! knows only what must never happen; those of JSON, TOML and YAML must have the merged value, too. What is refused becomes a [`Conflict`] that carries
//! the [`Refusal`]. A conflict is an outcome, not an error: it keeps the settled pieces and the minimal regions, and
//! writes them in git's forms.
//!
//! [`settle`] settles a conflict of lines by a [`Choice`] of side, keeps what only one side changed, and holds the result
//! against the same verifier.
//!
//! [`verify_tree`] looks at whole trees: what one side uses anew and the other side renamed, removed or changed, in one file
//! or across files, and modes, links and submodules that are quietly one side's.
//!
//! The crate is pure: no files, threads, clock or global state. The same three files give the same answer everywhere,
//! and swapping the sides swaps the answer.
//!
//! # Limitations
//! What lines settle is not looked at as syntax, but for a definition that both added far apart: a name renamed on one
//! side and used anew on the other, in lines that do not touch, merges clean; only [`verify_tree`] sees it, as a
//! [`TreeFault::Renamed`], and so it does across files. What is said of moves and wraps is for whole statements that stand
//! in the new place as they stood; one that both sides wrapped, moved or took out of what was around it is a conflict, and
//! so is a moved statement that is no definition. A new use is only written anew where every word of that name in the file
//! means what was renamed, members of other things left out. That moved code is where it needs to be is checked for blocks
//! and, in C, C++ and for Rust's macros, for the order of definitions; types are not known. A file that cannot be parsed as a whole has no
//! structure. [`verify`] knows no rule under which changes that touch may be composed, so it refuses every such result,
//! those of data and structure included. What a structural answer used is told for the whole file, not by region.
//!
//! ```
//! use orchestrator_merge::{Labels, Options, Outcome, Style, merge};
//!
//! let base = b"one\ntwo\nthree\n";
//! let answer = merge(Some(base), Some(b"ONE\ntwo\nthree\n"), Some(b"one\ntwo\nTHREE\n"), "a.txt", &Options::default());
//! assert_eq!(answer.content(), Some(Some(&b"ONE\ntwo\nTHREE\n"[..])));
//!
//! let answer = merge(Some(base), Some(b"one\n2\nthree\n"), Some(b"one\nTWO\nthree\n"), "a.txt", &Options::default());
//! let Outcome::Conflict(conflict) = answer else { panic!("both changed line 2") };
//! assert_eq!(conflict.regions().next().map(|region| region.base.lines.start), Some(2));
//! let labels = Labels { ours: "mine", base: "base", theirs: "yours" };
//! let text = conflict.markers(Style::Merge, &labels);
//! assert_eq!(text.as_deref(), Some(&b"one\n<<<<<<< mine\n2\n=======\nTWO\n>>>>>>> yours\nthree\n"[..]));
//! ```

mod align;
mod choice;
mod conflict;
mod data;
mod form;
mod frame;
mod generated;
mod lines;
mod markers;
mod merge;
mod open;
mod outcome;
mod prose;
mod recorded;
mod refusal;
mod shape;
mod three_way;
mod tree;
mod verify;
mod verify_tree;

pub use align::{Hunk, differences};
pub use choice::{Choice, Unsettled, settle};
pub use conflict::{Conflict, Kind, Part, Piece, Region, Side};
pub use markers::{Labels, Style};
pub use merge::{Options, merge};
pub use open::leave_open;
pub use outcome::{Candidate, Label, Layer, Layers, Lines, Outcome, Proof, Rule};
pub use recorded::{Edit, Key, Place, Recorded, Recording, Recordings, Step, Version, learn};
pub use refusal::Refusal;
pub use tree::{Fault, Why};
pub use verify::{verify, verify_laws};
pub use verify_tree::{EntryMode, Severity, Spot, TreeEntries, TreeEntry, TreeFault, TreeFinding, verify_tree};
