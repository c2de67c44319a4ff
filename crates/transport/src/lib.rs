//! HTTP, WebSocket and the file bus.

pub mod bus;
