//! Writing a receipt into a commit's message, and reading it.

use crate::Receipt;
use ring::signature::{ED25519, UnparsedPublicKey};

const RECEIPT: &str = "Orchestrator-Receipt: ";
const SIGNATURE: &str = "Orchestrator-Signature: ";

/// What a signature begins with, so that it is taken for nothing else.
const CONTEXT: &str = "orchestrator receipt 1";

/// What is signed of a commit beside its message; ids in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its tree.
    pub tree: String,
    /// Its parents, the first one first.
    pub parents: Vec<String>,
}

/// Why a receipt cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not JSON, or not of a receipt.
    #[error("the receipt cannot be read: {0}")]
    Json(String),
    /// A form that is newer than this program.
    #[error("the receipt is of version {0}, which this program does not know; use a newer one")]
    Version(u32),
    /// No 128 hex digits at the message's end.
    #[error("the receipt has no signature")]
    Unsigned,
    /// No 64 hex digits.
    #[error("a public key is 64 hex digits, as GET /api/orchestration/audit/key tells it")]
    Key,
}

/// The public half of a server's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Reads 64 hex digits.
    ///
    /// # Errors
    /// It is something else.
    pub fn from_hex(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| Error::Key)?;
        Ok(Self(bytes))
    }
}

/// A commit's message with its receipt and signature at the end. `message` ends with a block of trailers.
pub fn seal(message: &str, receipt: &Receipt, commit: &Commit, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> String {
    // Its strings have no line breaks that JSON does not escape.
    let json = serde_json::to_string(receipt).unwrap_or_default();
    let text = format!("{}\n{RECEIPT}{json}\n", message.trim_end());
    let signature = hex::encode(sign(&signed(commit, &text)));
    format!("{text}{SIGNATURE}{signature}\n")
}

/// A receipt as it stands in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// What it says.
    pub receipt: Receipt,
    /// All that stands before the signature.
    text: String,
    signature: [u8; 64],
}

impl Sealed {
    /// The receipt at a message's end; nothing where there is none.
    ///
    /// # Errors
    /// There is one, and it cannot be read.
    pub fn read(message: &str) -> Result<Option<Self>, Error> {
        let message = message.trim_end();
        // Only what stands in the last block is a trailer; the rest is whoever's who asked for the landing.
        let block = message.rfind("\n\n").map_or(0, |at| at + 2);
        let Some(found) = message[block..].lines().find_map(|line| line.strip_prefix(RECEIPT)) else {
            return Ok(None);
        };
        let broken = |error: serde_json::Error| Error::Json(error.to_string());
        let raw: serde_json::Value = serde_json::from_str(found).map_err(broken)?;
        match raw.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version > u64::from(crate::receipt::VERSION) => {
                return Err(Error::Version(u32::try_from(version).unwrap_or(u32::MAX)));
            }
            _ => {}
        }
        let receipt: Receipt = serde_json::from_value(raw).map_err(broken)?;
        let (text, last) = message.rsplit_once('\n').ok_or(Error::Unsigned)?;
        let digits = last.strip_prefix(SIGNATURE).ok_or(Error::Unsigned)?;
        let mut signature = [0; 64];
        hex::decode_to_slice(digits.trim(), &mut signature).map_err(|_| Error::Unsigned)?;
        Ok(Some(Self { receipt, text: format!("{text}\n"), signature }))
    }

    /// Whether the key signed it for exactly this commit.
    #[must_use]
    pub fn is_signed_by(&self, key: &Key, commit: &Commit) -> bool {
        let message = signed(commit, &self.text);
        UnparsedPublicKey::new(&ED25519, key.0).verify(&message, &self.signature).is_ok()
    }
}

/// Bytes as hex digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// The bytes that a signature covers.
fn signed(commit: &Commit, text: &str) -> Vec<u8> {
    let mut bytes = format!("{CONTEXT}\ntree {}\n", commit.tree);
    for parent in &commit.parents {
        bytes += &format!("parent {parent}\n");
    }
    (bytes + "\n" + text).into_bytes()
}
