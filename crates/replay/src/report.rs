//! The score, written down. Nothing here prints.

mod json;
mod text;

pub use json::json;
pub use text::text;
