//! Control commands: text after `*`, the same on every transport.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How much the system decides without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Autonomy {
    /// Recommends only.
    Manual,
    /// Asks before major decisions.
    Supervised,
    /// Decides.
    #[default]
    Full,
}

impl Autonomy {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Supervised => "supervised",
            Self::Full => "full",
        }
    }
}

/// `POST /command`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CommandRequest {
    /// The command, such as `*sync:status`.
    #[schema(example = "*sync:status")]
    pub command: String,
}

/// Answer to a control command on every transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CommandAnswer {
    /// `success` or `error`.
    pub status: String,
    /// `command_response`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The command, as given.
    pub command: String,
    /// What came of it; its shape depends on the command.
    #[schema(value_type = Object)]
    pub result: serde_json::Value,
    /// Now.
    pub timestamp: Timestamp,
}
