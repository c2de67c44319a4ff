//! Frames as bytes. What the server sends is not masked, so one encoding serves every socket.

use actix_http::ws::{CloseCode, CloseReason, OpCode, Parser};
use bytes::{Bytes, BytesMut};
use orchestrator::Entry;

/// Room for a frame's header.
const HEADER: usize = 10;

/// Appends a text frame.
pub(super) fn put_text(buffer: &mut BytesMut, text: &str) {
    buffer.reserve(text.len() + HEADER);
    Parser::write_message(buffer, text, OpCode::Text, true, false);
}

/// One text frame.
pub(super) fn text(text: &str) -> Bytes {
    let mut buffer = BytesMut::new();
    put_text(&mut buffer, text);
    buffer.freeze()
}

/// The text frames of all entries.
pub(super) fn entries<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Bytes {
    let mut buffer = BytesMut::new();
    for entry in entries {
        put_text(&mut buffer, &entry.frame);
    }
    buffer.freeze()
}

/// A ping without content.
pub(super) fn ping() -> Bytes {
    control(b"", OpCode::Ping)
}

/// The answer to a ping.
pub(super) fn pong(content: &[u8]) -> Bytes {
    control(content, OpCode::Pong)
}

fn control(content: &[u8], code: OpCode) -> Bytes {
    let mut buffer = BytesMut::new();
    Parser::write_message(&mut buffer, content, code, true, false);
    buffer.freeze()
}

/// A close frame. The reason is cut to what a close frame holds.
pub(super) fn close(code: u16, reason: &str) -> Bytes {
    let reason: String = reason.chars().filter(char::is_ascii).take(120).collect();
    let mut buffer = BytesMut::new();
    let reason = CloseReason { code: CloseCode::from(code), description: Some(reason) };
    Parser::write_close(&mut buffer, Some(reason), false);
    buffer.freeze()
}
