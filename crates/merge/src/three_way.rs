//! The rule that all merging begins with.

/// What the side that changed something makes of it, or both alike; `None` where each changed it in its own way.
pub(crate) fn three_way<T: PartialEq + Copy>(base: T, ours: T, theirs: T) -> Option<T> {
    if ours == theirs || theirs == base {
        Some(ours)
    } else if ours == base {
        Some(theirs)
    } else {
        None
    }
}
