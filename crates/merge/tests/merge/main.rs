//! The merge of one file: one integration binary.
//!
//! - `corpus`: merges as folders, with what must come out.
//! - `data`: JSON and TOML, merged as their values are.
//! - `failures`: the wrong merges that must never be produced, and that the verifier refuses.
//! - `form`: byte-order marks, line endings, final newlines, files that are absent or not text.
//! - `git`: the answers against those of the real `git merge-file`.
//! - `laws`: what holds for every merge, as properties.
//! - `programs`: random programs and edits of them, for `replayed` and `structure`.
//! - `prose`: change logs with random edits of both sides.
//! - `recorded`: resolutions that people made before, and where they apply.
//! - `replayed`: what one side wraps, moves or renames and the other edits.
//! - `structure`: programs with random edits of both sides.
//! - `trees`: what no look at one file can see.
//! - `yaml`: YAML, merged as its value is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpus;
mod data;
mod failures;
mod form;
mod git;
mod laws;
mod programs;
mod prose;
mod recorded;
mod replayed;
mod structure;
mod support;
mod trees;
mod yaml;
