//! Faults that tests inject into a running watcher; not for programs.

use crate::Handle;

/// As if the system's queue had overflowed.
pub fn overflow(handle: &Handle) {
    handle.inbox().overflow();
}
