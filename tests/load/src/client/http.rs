//! A connection that is kept alive and sends requests that were encoded before: it costs little, so that two
//! cores are left to the side that is measured.

use anyhow::{Context, Result, bail, ensure};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where all routes stand.
pub(crate) const BASE: &str = "/api/orchestration";

/// A request as bytes.
pub(crate) fn encode(address: SocketAddr, method: &str, path: &str, body: &str) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n");
    if !body.is_empty() {
        head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    } else if method == "POST" {
        head += "Content-Length: 0\r\n";
    }
    (head + "\r\n" + body).into_bytes()
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Http {
    stream: TcpStream,
    address: SocketAddr,
    buffer: Vec<u8>,
    /// Bytes of the last answer's head.
    head: usize,
}

impl Http {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("failed to connect")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, buffer: Vec::with_capacity(64 * 1024), head: 0 })
    }

    /// Sends an encoded request and reads its whole answer, which must be a success.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<()> {
        let status = self.exchange(request).await?;
        if status != 200 {
            bail!("answered {status}: {}", String::from_utf8_lossy(self.body()));
        }
        Ok(())
    }

    /// Sends a request and answers with the answer's status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (status, head, length) = loop {
            self.fill().await?;
            if let Some(found) = parse(&self.buffer)? {
                break found;
            }
        };
        self.head = head;
        while self.buffer.len() < head + length {
            self.fill().await?;
        }
        ensure!(self.buffer.len() == head + length, "more was answered than was asked");
        Ok(status)
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        self.buffer.get(self.head..).unwrap_or_default()
    }

    /// Bytes of the last answer, head and body.
    pub(crate) fn answered(&self) -> usize {
        self.buffer.len()
    }

    /// Encodes and sends.
    pub(crate) async fn call(&mut self, method: &str, path: &str, body: &str) -> Result<&[u8]> {
        let request = encode(self.address, method, path, body);
        self.send(&request).await.with_context(|| format!("{method} {path}"))?;
        Ok(self.body())
    }

    async fn fill(&mut self) -> Result<()> {
        let read = self.stream.read_buf(&mut self.buffer).await?;
        ensure!(read > 0, "the server closed the connection");
        Ok(())
    }
}

/// Status, bytes of the head, and bytes of the body; nothing while the head is not complete.
fn parse(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).context("no status")?;
    let mut length = None;
    for line in lines {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    Ok(Some((status, end + 4, length.context("an answer without a length")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_an_answer_is_found() {
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nx: y\r\n\r\n{}";
        assert_eq!(parse(answer).unwrap(), Some((404, answer.len() - 2, 2)));
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n").unwrap(), None);
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
    }
}
