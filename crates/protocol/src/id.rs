//! Names of agents.

use crate::ErrorCode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::sync::Arc;
use utoipa::ToSchema;

/// The addressee that stands for the server itself and for everyone who listens on its socket.
pub const ORCHESTRATOR: &str = "orchestrator";

/// Longest agent id, in bytes.
const MAX_LENGTH: usize = 64;

/// Words that stand for something else in a route or an address.
const RESERVED: [&str; 3] = ["register", "recommend", ORCHESTRATOR];

/// Names that Windows gives to devices; a file of the message bus could not carry them.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// The name of an agent, in the spelling first registered. Two ids that differ only in case are the
/// same agent; compare [`AgentId::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$", example = "dev-agent")]
pub struct AgentId(Arc<str>);

/// Why a text cannot be the name of an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Empty, or longer than 64 bytes.
    #[error("an agent id has 1 to 64 characters, this one has {0}")]
    Length(usize),
    /// A character that a path, a ref or a route could not carry.
    #[error("an agent id holds only letters, digits, '.', '_' and '-', and starts with a letter or digit")]
    Character,
    /// Windows drops a trailing dot, so two ids would be one folder.
    #[error("an agent id does not end in a dot")]
    TrailingDot,
    /// The name of a device on Windows, or a word that the routes use.
    #[error("'{0}' is reserved; choose another id")]
    Reserved(String),
}

impl InvalidId {
    /// The stable code that goes with this error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidAgentId
    }
}

impl AgentId {
    /// The id as first registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two ids the same agent: the id in lower case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl std::str::FromStr for AgentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.is_empty() || text.len() > MAX_LENGTH {
            return Err(InvalidId::Length(text.chars().count()));
        }
        let bytes = text.as_bytes();
        if !bytes[0].is_ascii_alphanumeric()
            || !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        {
            return Err(InvalidId::Character);
        }
        if text.ends_with('.') {
            return Err(InvalidId::TrailingDot);
        }
        let key = text.to_ascii_lowercase();
        if RESERVED.contains(&key.as_str()) || is_device(&key) {
            return Err(InvalidId::Reserved(text.to_owned()));
        }
        Ok(Self(text.into()))
    }
}

/// `nul`, `nul.txt` and `com7.log` all name devices on Windows.
fn is_device(key: &str) -> bool {
    let stem = key.split('.').next().unwrap_or(key);
    if DEVICES.contains(&stem) {
        return true;
    }
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    numbered.is_some_and(|digit| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit())
}

impl std::fmt::Display for AgentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AgentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_paths_refs_and_routes_can_carry_are_taken() {
        for id in ["a", "dev-agent", "Dev.Agent_2", "0", "com", "com10", "console", "a.b", &"x".repeat(64)] {
            assert!(id.parse::<AgentId>().is_ok(), "{id}");
        }
    }

    #[test]
    fn every_other_id_is_refused_with_its_reason() {
        let long = "x".repeat(65);
        for (id, reason) in [
            ("", InvalidId::Length(0)),
            (long.as_str(), InvalidId::Length(65)),
            ("-x", InvalidId::Character),
            (".x", InvalidId::Character),
            ("a/b", InvalidId::Character),
            ("a b", InvalidId::Character),
            ("a\0", InvalidId::Character),
            ("ä", InvalidId::Character),
            ("x.", InvalidId::TrailingDot),
            ("NUL", InvalidId::Reserved("NUL".into())),
            ("nul.txt", InvalidId::Reserved("nul.txt".into())),
            ("LPT1", InvalidId::Reserved("LPT1".into())),
            ("register", InvalidId::Reserved("register".into())),
            ("Orchestrator", InvalidId::Reserved("Orchestrator".into())),
        ] {
            assert_eq!(id.parse::<AgentId>().unwrap_err(), reason, "{id:?}");
        }
    }

    #[test]
    fn spelling_is_kept_and_case_does_not_tell_agents_apart() {
        let (one, two): (AgentId, AgentId) = ("Dev".parse().unwrap(), "dEV".parse().unwrap());
        assert_eq!(one.as_str(), "Dev");
        assert_eq!(one.key(), two.key());
    }
}
