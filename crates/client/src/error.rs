//! What can go wrong, each with its cure.

use orchestrator_protocol::{ErrorBody, ErrorCode};
use serde::Deserialize;
use std::time::Duration;

/// Why a call or a connection failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The base URL cannot be one.
    #[error("'{url}' is no base URL: {reason}")]
    BaseUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value that no request can carry. Nothing was sent.
    #[error("'{value}' cannot be {what}")]
    Argument {
        /// As given.
        value: String,
        /// What it was given as.
        what: &'static str,
    },
    /// The server refused, and said why.
    #[error("{}", .body.detail)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The server's reasons, code and hint.
        body: Box<ErrorBody>,
    },
    /// The server refused with a code that this library does not know: the server is newer.
    #[error("{detail} ({code})")]
    UnknownCode {
        /// The HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// What and why.
        detail: String,
        /// What to do about it.
        hint: String,
    },
    /// An answer that is not of the documented form: another program, or a proxy, answered.
    #[error("the answer of {url} ({status}) is not that of an orchestrator: {reason}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// Who answered.
        url: String,
        /// What was found instead.
        reason: String,
    },
    /// Nobody answers.
    #[error("no server answers at {url}: {reason}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The server took too long. Whether it did what was asked is not known.
    #[error("no answer from {url} within {} s", .after.as_secs_f32())]
    Timeout {
        /// Who was asked.
        url: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection is closed for good: nothing more can be sent through its handle.
    #[error("the connection is closed")]
    Closed,
    /// The connection was closed before the server had confirmed everything.
    #[error("the connection was closed before the server had confirmed {0} messages or reports")]
    Unconfirmed(usize),
}

impl Error {
    /// The server's code, where it gave one.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { body, .. } => Some(body.code),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::BaseUrl { .. } => "write it like http://localhost:8000",
            Self::Argument { .. } => "give a name without slashes that is neither empty nor '.' nor '..'",
            Self::Refused { body, .. } => &body.hint,
            Self::UnknownCode { hint, .. } => hint,
            Self::Unexpected { .. } => "check the base URL",
            Self::Unreachable { .. } => "start orchestrator-server, or give the base URL of a running one",
            Self::Timeout { .. } => "look at the server's health, or wait longer",
            Self::Closed => "connect again",
            Self::Unconfirmed(_) => "send them again once the server can be reached",
        }
    }

    /// Whether the same attempt can succeed later without anyone changing it.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Refused { status, .. } | Self::UnknownCode { status, .. } | Self::Unexpected { status, .. } => {
                *status >= 500 || matches!(status, 408 | 425 | 429)
            }
            Self::BaseUrl { .. } | Self::Argument { .. } | Self::Closed | Self::Unconfirmed(_) => false,
        }
    }

    /// Reads an answer that is no success. A body that is not the server's is shown in its beginning.
    pub(crate) fn from_answer(url: &str, status: u16, body: &[u8]) -> Self {
        if let Ok(body) = serde_json::from_slice::<ErrorBody>(body) {
            return Self::Refused { status, body: Box::new(body) };
        }
        /// The parts of the body that every version has.
        #[derive(Deserialize)]
        struct Newer {
            code: String,
            detail: String,
            #[serde(default)]
            hint: String,
        }
        match serde_json::from_slice(body) {
            Ok(Newer { code, detail, hint }) => Self::UnknownCode { status, code, detail, hint },
            Err(_) => Self::Unexpected { status, url: url.to_owned(), reason: beginning(body) },
        }
    }
}

/// Enough of a foreign body to recognise who sent it, in one line.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line: String = words.join(" ").chars().take(120).collect();
    if line.is_empty() { "an empty body".to_owned() } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_body_is_kept_and_a_foreign_one_is_named() {
        let body = br#"{"detail":"no agent 'x'","code":"unknown_agent","message":"no agent 'x'","hint":"register it"}"#;
        let error = Error::from_answer("http://h", 404, body);
        assert_eq!((error.code(), error.hint()), (Some(ErrorCode::UnknownAgent), "register it"));
        let newer = Error::from_answer("http://h", 418, br#"{"detail":"no tea","code":"is_teapot","hint":"coffee?"}"#);
        assert_eq!((newer.to_string().as_str(), newer.hint()), ("no tea (is_teapot)", "coffee?"));
        let error = Error::from_answer("http://h", 502, b"<html>\n <b>Bad Gateway</b>");
        assert_eq!(
            error.to_string(),
            "the answer of http://h (502) is not that of an orchestrator: <html> <b>Bad Gateway</b>"
        );
        assert!(error.is_temporary());
        assert!(Error::from_answer("http://h", 404, b"").to_string().ends_with("an empty body"));
    }
}
