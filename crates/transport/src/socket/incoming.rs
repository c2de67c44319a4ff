//! Frames from the wire, put together.

use crate::limits::MAX_BODY;
use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use actix_web::web::{self, Bytes, BytesMut};
use futures_util::StreamExt;
use tokio_util::codec::Decoder;

/// What a peer sent.
#[derive(Debug)]
pub(super) enum Received {
    /// A whole text message.
    Text(Bytes),
    /// A whole binary message; no client of ours sends one.
    Binary,
    /// A ping, to be answered with its content.
    Ping(Bytes),
    /// The answer to our ping.
    Pong,
    /// The peer closes.
    Close,
    /// What came is no WebSocket; the code to close with, and why.
    Broken(u16, String),
}

/// The reading half of a connection.
pub(super) struct Incoming {
    payload: web::Payload,
    codec: Codec,
    buffer: BytesMut,
    partial: Option<(bool, BytesMut)>,
}

impl Incoming {
    pub(super) fn new(payload: web::Payload) -> Self {
        Self { payload, codec: Codec::new().max_size(MAX_BODY), buffer: BytesMut::new(), partial: None }
    }

    /// The next message; `None` when the connection is gone. Cancel safe: what has come stays.
    pub(super) async fn next(&mut self) -> Option<Received> {
        loop {
            match self.codec.decode(&mut self.buffer) {
                Ok(Some(frame)) => {
                    if let Some(received) = self.whole(frame) {
                        return Some(received);
                    }
                }
                Ok(None) => match self.payload.next().await? {
                    Ok(bytes) => self.buffer.extend_from_slice(&bytes),
                    Err(_) => return None,
                },
                Err(ProtocolError::Overflow) => return Some(too_large()),
                Err(error) => return Some(Received::Broken(1002, error.to_string())),
            }
        }
    }

    /// Puts the parts of a message together.
    fn whole(&mut self, frame: Frame) -> Option<Received> {
        match frame {
            Frame::Text(text) => Some(Received::Text(text)),
            Frame::Binary(_) => Some(Received::Binary),
            Frame::Ping(content) => Some(Received::Ping(content)),
            Frame::Pong(_) => Some(Received::Pong),
            Frame::Close(_) => Some(Received::Close),
            Frame::Continuation(item) => self.part(item),
        }
    }

    fn part(&mut self, item: Item) -> Option<Received> {
        let (first, bytes, last) = match item {
            Item::FirstText(bytes) => (Some(true), bytes, false),
            Item::FirstBinary(bytes) => (Some(false), bytes, false),
            Item::Continue(bytes) => (None, bytes, false),
            Item::Last(bytes) => (None, bytes, true),
        };
        if let Some(text) = first {
            self.partial = Some((text, BytesMut::new()));
        }
        let (_, message) = self.partial.as_mut()?;
        if message.len() + bytes.len() > MAX_BODY {
            return Some(too_large());
        }
        message.extend_from_slice(&bytes);
        if !last {
            return None;
        }
        let (text, message) = self.partial.take()?;
        Some(if text { Received::Text(message.freeze()) } else { Received::Binary })
    }
}

fn too_large() -> Received {
    Received::Broken(1009, format!("a message has at most {MAX_BODY} bytes"))
}
