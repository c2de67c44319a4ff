//! x
/// x
pub struct Restore;
/// x
pub struct Restored;
