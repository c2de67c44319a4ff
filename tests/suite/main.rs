//! Tests of the whole, through its public interfaces: one binary, a sentence a module.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

/// Only requests that no foreign page can make are let through, and the operator is told by the secret.
mod access;
/// Questions that only a person answers are answered once, or end by themselves.
mod approvals;
/// The crates point at each other as the design says, and no test file is forgotten.
mod arrows;
/// Whatever comes in, the answer is clear, nothing is lost and nothing answers 5xx.
mod bad_input;
/// Isolated clones are made, followed and removed, and nothing that only they hold goes with them.
mod clones;
/// Unfinished work of agents that collides is found while it is typed.
mod collisions;
/// A conflict's record is found, given to a person, settled and over, once each.
mod conflict_life;
/// Every documented call, in every documented form, answers what is documented.
mod documented;
/// Events are numbered, paged, streamed and resumed without loss.
mod events;
/// The faults of the documented system are not ours.
mod faults_of_the_original;
/// Files that git ignores cost nothing, however many they are.
mod ignored;
/// What one agent changes and another's new code uses is told to the user.
mod impact;
/// Work reaches its branch, merged and checked, or it is said why not.
mod landing;
/// Claims exclude each other, expire, and fence off who holds an old token.
mod leases;
/// Messages are delivered, acknowledged, redelivered and kept.
mod many_landings;
mod messages;
/// Work from folders out of reach is pushed, checked and compared.
mod pushed;
mod queue;
/// Conflicts are settled by merged results, which agents take into their work without losing any of it.
mod resolutions;
/// What was acknowledged is there after a restart.
mod restart;
/// What settled a conflict is kept until everyone has it, or for a term.
mod results_kept;
/// Agents in one folder: each change has one author, and what one writes over of another's is told and kept.
mod shared;
/// What agents write is kept, comes back, and goes when it is old.
mod snapshots;
/// Both sockets speak every documented frame.
mod sockets;
/// However wildly agents write, the server knows their work and what collides in it, as git does.
mod storm;
/// Files are watched, settled, attributed and listed.
mod sync;
/// Tasks are claimed by one agent at a time, and who comes back with an old token is told.
mod tasks;
/// Everyone's work together: who is in it, who is not and why, and whose addition breaks it.
mod union;
/// Workspaces are made, listed and removed, and no work goes with them.
mod workspaces;
