//! HTTP, WebSocket and the file bus.
