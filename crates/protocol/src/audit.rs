//! What proves who wrote the log.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The server's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditKey {
    /// `success`.
    pub status: String,
    /// `ed25519`.
    pub algorithm: String,
    /// The public key with which heads of the log and receipts are signed, in hex.
    pub public_key: String,
}
