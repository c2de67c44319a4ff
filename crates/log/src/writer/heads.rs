//! Signing the head of the chain.

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::rows::{self, to_sql};
use crate::{AppendError, HeadKey, PublicKey, SqliteLog, chain};

/// A statement, signed, that the chain up to a decision had this hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedHead {
    /// First number of the decision.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Wall time of signing in unix milliseconds: a label.
    pub at: i64,
    /// Ed25519 over the three.
    pub signature: Vec<u8>,
}

impl SignedHead {
    /// Whether the key signed exactly this.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        let message = chain::head_message(self.seq, &self.hash, self.at);
        key.verifies(&message, &self.signature)
    }

    /// The newest head in the log.
    pub(crate) fn newest(connection: &Connection) -> Result<Option<Self>, rusqlite::Error> {
        connection
            .prepare_cached("SELECT seq, hash, at, signature FROM heads ORDER BY seq DESC LIMIT 1")?
            .query_row([], Self::decode)
            .optional()
    }

    /// The first head after a number.
    pub(crate) fn after(connection: &Connection, seq: u64) -> Result<Option<Self>, rusqlite::Error> {
        connection
            .prepare_cached("SELECT seq, hash, at, signature FROM heads WHERE seq > ?1 ORDER BY seq LIMIT 1")?
            .query_row([to_sql(seq)], Self::decode)
            .optional()
    }

    /// A hash of a wrong length decodes as zeros: no signature covers it.
    fn decode(row: &Row<'_>) -> Result<Self, rusqlite::Error> {
        Ok(Self {
            seq: rows::to_seq(row.get(0)?),
            hash: rows::hash_column(row, 1).unwrap_or_default().unwrap_or_default(),
            at: row.get(2)?,
            signature: row.get(3)?,
        })
    }
}

impl SqliteLog {
    /// Signs the newest decision and stores the signature, flushed. Nothing to do (and no write)
    /// if there is no decision since the newest signed head.
    pub fn sign_head(&mut self, key: &HeadKey, at: i64) -> Result<Option<SignedHead>, AppendError> {
        self.usable()?;
        let (Some(seq), 1..) = (self.tail.head_seq, self.tail.unsigned) else {
            return Ok(None);
        };
        let hash = self.tail.head;
        let signed = self.transact(|transaction| sign(transaction, key, seq, hash, at))?;
        self.tail.unsigned = 0;
        Ok(Some(signed))
    }
}

/// Stores a signature in a transaction that others may share.
pub(super) fn sign(
    connection: &Connection,
    key: &HeadKey,
    seq: u64,
    hash: [u8; 32],
    at: i64,
) -> Result<SignedHead, rusqlite::Error> {
    let signature = key.sign(&chain::head_message(seq, &hash, at)).to_vec();
    connection
        .prepare_cached("INSERT INTO heads(seq, hash, at, signature) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![to_sql(seq), hash, at, signature])?;
    Ok(SignedHead { seq, hash, at, signature })
}
