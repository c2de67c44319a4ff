//! One WebSocket: opening it, reading it, writing it; every step within a time.

use crate::http::innermost;
use crate::{Client, Error, Frame};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::{WebSocketConfig, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{self, Message, protocol::CloseFrame};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// Largest message from the server: far above any frame it makes.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// An open socket.
pub(crate) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What was read.
#[derive(Debug)]
pub(crate) enum Read {
    Frame(Frame),
    /// A ping, a pong, or a frame that cannot be read: a sign of life and nothing more.
    Life,
}

impl Socket {
    /// Opens a socket on a route.
    pub(crate) async fn open(client: &Client, segments: &[&str], query: &[(&str, String)]) -> Result<Self, Error> {
        let url = client.base().socket(segments, query)?;
        let base = client.base_url();
        let unreachable = |reason: String| Error::Unreachable { url: base.clone(), reason };
        let mut request = url.as_str().into_client_request().map_err(|error| unreachable(error.to_string()))?;
        if let Some(secret) = client.operator() {
            request.headers_mut().insert(crate::http::OPERATOR, secret.clone());
        }
        let config = WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
        let opening = tokio_tungstenite::connect_async_with_config(request, Some(config), true);
        match timeout(OPEN_TIMEOUT, Box::pin(opening)).await {
            Ok(Ok((stream, _))) => Ok(Self(stream)),
            Ok(Err(tungstenite::Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                Err(Error::from_answer(url.as_str(), answer.status().as_u16(), body))
            }
            Ok(Err(error)) => Err(unreachable(innermost(&error))),
            Err(_) => Err(Error::Timeout { url: base, after: OPEN_TIMEOUT }),
        }
    }

    /// The next thing from the server, or why there is none. Cancel safe.
    pub(crate) async fn read(&mut self) -> Result<Read, String> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Frame::parse(&text).map_or_else(
                |error| {
                    tracing::warn!(%error, "a frame that cannot be read was passed over");
                    Read::Life
                },
                Read::Frame,
            )),
            Some(Ok(Message::Close(frame))) => Err(closed(frame.as_ref())),
            Some(Ok(_)) => Ok(Read::Life),
            Some(Err(error)) => Err(innermost(&error)),
            None => Err("the server ended the connection".to_owned()),
        }
    }

    /// Writes a frame.
    pub(crate) async fn write(&mut self, text: String) -> Result<(), String> {
        match timeout(WRITE_TIMEOUT, self.0.send(Message::text(text))).await {
            Ok(written) => written.map_err(|error| innermost(&error)),
            Err(_) => Err(format!("the server takes nothing for {} s", WRITE_TIMEOUT.as_secs())),
        }
    }

    /// Says goodbye and waits, not for long, until the server has said it too.
    pub(crate) async fn close(mut self, patience: Duration) {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        let closing = async {
            if self.0.close(Some(goodbye)).await.is_ok() {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        // Who does not answer a goodbye is left without one.
        let _ = timeout(patience, closing).await;
    }
}

fn closed(frame: Option<&CloseFrame>) -> String {
    match frame {
        Some(frame) if frame.reason.is_empty() => {
            format!("the server closed the connection ({})", u16::from(frame.code))
        }
        Some(frame) => format!("the server closed the connection ({}): {}", u16::from(frame.code), frame.reason),
        None => "the server closed the connection".to_owned(),
    }
}
