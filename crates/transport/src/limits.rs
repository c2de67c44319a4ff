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

/// Longest title or question's subject, in characters.
const MAX_LINE: usize = 200;
/// Longest description, in bytes.
const MAX_DESCRIPTION: usize = 64 * 1024;

/// One line of text that must be there.
pub(crate) fn line(name: &str, value: &str) -> Result<String, Refusal> {
    let value = value.trim();
    let length = value.chars().count();
    if !(1..=MAX_LINE).contains(&length) || value.contains(char::is_control) {
        let detail = format!("'{name}' is one line of 1 to {MAX_LINE} characters, this one has {length}");
        return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "put what is longer into 'description'"));
    }
    Ok(value.to_owned())
}

/// A long text.
pub(crate) fn description(value: Option<String>) -> Result<Option<String>, Refusal> {
    let refuse = |detail: String| {
        Refusal::new(ErrorCode::InvalidRequest, detail, "put what is larger into a file and give its path")
    };
    match value {
        Some(value) if value.len() > MAX_DESCRIPTION => {
            Err(refuse(format!("'description' has {} bytes, at most {MAX_DESCRIPTION} are taken", value.len())))
        }
        Some(value) if value.contains('\0') => Err(refuse("'description' holds a NUL character".to_owned())),
        value => Ok(value),
    }
}

/// A word that programs tell sorts of things by.
pub(crate) fn word(name: &str, value: &str) -> Result<String, Refusal> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    if value.is_empty() || value.len() > 64 || !value.chars().all(is_plain) {
        let detail = format!("'{name}' is 1 to 64 of a-z, 0-9, '_', '-' and '.', not '{value:.80}'");
        return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "such as landing"));
    }
    Ok(value.to_owned())
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
