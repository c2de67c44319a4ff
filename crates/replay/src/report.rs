//! The score, written down. Nothing here prints.

mod aligned;
mod html;
mod json;
mod text;

pub use html::html;
pub use json::json;
pub use text::text;
