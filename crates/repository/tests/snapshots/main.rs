//! Work in progress as trees, held against the git program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// The same, for cases that were thought of.
mod cases;
/// New clones, which stand alone, and what only they hold.
mod clones;
/// Random operations: a snapshot is what `git add -A && git write-tree` gives.
mod equality;
/// Runs git in folders that a test made.
mod git;
/// A repository whose configuration wants to run programs.
mod hostile;
/// Moving a branch, with the worktree that has it checked out.
mod landing;
/// Putting a state back loses nothing.
mod restore;
/// `work.git`: durable, pinned, readable while the user's git collects garbage.
mod store;
/// Merges and differences of trees, held against `git merge-tree` and `git diff-tree`.
mod trees;
/// New worktrees, made without starting a program.
mod worktrees;
