//! How much of anything a request may bring.

use crate::answer::Refusal;
use orchestrator_protocol::ErrorCode;
use std::time::Duration;

/// Largest body, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;
/// Largest pack of a pushed snapshot, in bytes.
pub(crate) const MAX_PACK: u64 = 256 * 1024 * 1024;
/// Longest time that a body may take to arrive.
pub(crate) const MAX_BODY_TIME: Duration = Duration::from_secs(30);
/// Largest payload of a message, in bytes.
pub(crate) const MAX_MESSAGE: usize = 256 * 1024;
/// Longest wait of a long poll, in seconds.
pub(crate) const MAX_WAIT: f64 = 60.0;
/// Most entries of a list that an agent gives of itself.
const MAX_WORDS: usize = 100;
/// Longest word of such a list, in bytes.
const MAX_WORD: usize = 200;
/// Longest free text, in bytes.
const MAX_TEXT: usize = 4_096;

/// Refuses a text that is longer than anyone needs, or that no log line could carry.
pub(crate) fn text(name: &str, value: Option<String>) -> Result<Option<String>, Refusal> {
    if let Some(value) = &value {
        if value.len() > MAX_TEXT {
            let detail = format!("'{name}' has {} bytes, at most {MAX_TEXT} are taken", value.len());
            return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "send a message for what is longer"));
        }
        if value.contains('\0') {
            let detail = format!("'{name}' holds a NUL character");
            return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "leave it out"));
        }
    }
    Ok(value)
}

/// Refuses lists that are too long, and drops empty and repeated words.
pub(crate) fn words(name: &str, values: Option<Vec<String>>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(values) = values else { return Ok(None) };
    let too_long = values.iter().any(|value| value.len() > MAX_WORD || value.contains('\0'));
    if values.len() > MAX_WORDS || too_long {
        let detail = format!("'{name}' takes at most {MAX_WORDS} entries of at most {MAX_WORD} bytes, without NUL");
        return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "name what matters most"));
    }
    let mut kept: Vec<String> = Vec::with_capacity(values.len());
    for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
        if !kept.iter().any(|known| known == value) {
            kept.push(value.to_owned());
        }
    }
    Ok(Some(kept))
}
