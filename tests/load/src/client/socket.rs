//! A WebSocket connection that frames by hand: frames are only counted and told apart by their type.

use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The key of the protocol's own example: both sides only need it to agree.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A text frame from a client as bytes. Its mask is zero, which leaves the text as it is.
pub(crate) fn encode(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    head(&mut frame, text.len());
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// Length and mask of a client's frame.
fn head(frame: &mut Vec<u8>, length: usize) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => frame.push(0x80 | short),
        (_, Ok(middle)) => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&middle.to_be_bytes());
        }
        _ => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Where the next frame begins.
    at: usize,
}

impl Socket {
    /// Connects and waits for the greeting.
    pub(crate) async fn open(address: SocketAddr, path: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("failed to connect")?;
        stream.set_nodelay(true)?;
        let mut socket = Self { stream, buffer: Vec::new(), at: 0 };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        socket.stream.write_all(request.as_bytes()).await?;
        let end = loop {
            socket.fill().await?;
            if let Some(end) = socket.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
        };
        let head = String::from_utf8_lossy(socket.buffer.get(..end).unwrap_or_default()).into_owned();
        ensure!(head.starts_with("HTTP/1.1 101"), "{path} was not upgraded: {head}");
        socket.at = end + 4;
        socket.skip_to("connection_established").await?;
        Ok(socket)
    }

    /// Sends an encoded frame.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(frame).await?)
    }

    /// The next text frame. Answers pings. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            let Some((code, start, end)) = frame(self.buffer.get(self.at..).unwrap_or_default()) else {
                self.fill().await?;
                continue;
            };
            let (start, end) = (self.at + start, self.at + end);
            match code {
                1 => {
                    self.at = end;
                    return Ok(self.buffer.get(start..end).unwrap_or_default());
                }
                8 => bail!("the server closed the socket"),
                9 => {
                    let mut pong = vec![0x8A];
                    head(&mut pong, end - start);
                    pong.extend_from_slice(self.buffer.get(start..end).unwrap_or_default());
                    self.stream.write_all(&pong).await?;
                    self.at = end;
                }
                _ => self.at = end,
            }
        }
    }

    /// Reads until a frame of a type has come; answers with the number of frames before it.
    pub(crate) async fn skip_to(&mut self, kind: &str) -> Result<u64> {
        let mut before = 0;
        loop {
            let text = self.next().await?;
            if is(text, kind) {
                return Ok(before);
            }
            ensure!(!is(text, "error"), "an error frame: {}", String::from_utf8_lossy(text));
            before += 1;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
        } else if self.at > 64 * 1024 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.reserve(16 * 1024);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server ended the connection");
        Ok(())
    }
}

/// Whether a frame's `type` ends with this text. Both sides write it first.
pub(crate) fn is(text: &[u8], kind: &str) -> bool {
    const FIRST: &[u8] = b"{\"type\":\"";
    let Some(rest) = text.strip_prefix(FIRST) else { return false };
    let end = rest.iter().position(|byte| *byte == b'"').unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default().ends_with(kind.as_bytes())
}

/// Code, start and end of the payload of a server's frame; nothing while it is not complete.
fn frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (code, length) = (bytes.first()? & 0x0F, bytes.get(1)? & 0x7F);
    let (start, length): (usize, usize) = match length {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let end = start.checked_add(length)?;
    (bytes.len() >= end).then_some((code, start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_in_what_was_read() {
        assert_eq!(frame(b"\x81\x02ab\x81"), Some((1, 2, 4)));
        assert_eq!(frame(b"\x81\x02a"), None);
        assert_eq!(frame(b"\x81\x7e\x00"), None);
        let long = [b"\x81\x7e\x01\x00".as_slice(), &[b'x'; 256]].concat();
        assert_eq!(frame(&long), Some((1, 4, 260)));
        assert_eq!(encode("ab"), b"\x81\x82\0\0\0\0ab");
        assert!(is(br#"{"type":"agent_connection_established","seq":1}"#, "connection_established"));
        assert!(!is(br#"{"type":"pong"}"#, "ping"));
    }
}
