//! Gates through the public interface, with real processes.

mod definitions;
