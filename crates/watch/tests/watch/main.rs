//! The watcher against real files: one integration binary, one file a promise.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod barrier;
mod changes;
mod hostile;
mod rules;
mod shortage;
mod storm;
mod support;
mod trust;
