//! What follows in one part from what happens in another: one file each.

pub(crate) mod agent_left;
pub(crate) mod attribution;
pub(crate) mod lease_broken;
