//! Appending a batch.

use rusqlite::{Connection, params};

use super::heads;
use crate::chain::{self, Header};
use crate::rows::to_sql;
use crate::{AppendError, Class, Draft, HeadKey, SqliteLog, Tail};

const DECISION: &str = "
    INSERT INTO decisions(seq, events, at, actor, kind, version, facts, payload_hash, previous, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const PAYLOAD: &str = "INSERT INTO payloads(seq, body) VALUES (?1, ?2)";
const TELEMETRY: &str = "
    INSERT INTO telemetry(seq, events, at, actor, kind, version, facts, payload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

impl SqliteLog {
    /// Like [`Log::append`](crate::Log::append), and signs the new head with the same flush. `at` is the wall
    /// time in unix milliseconds: a label.
    pub fn append_signed(&mut self, batch: &[Draft], key: &HeadKey, at: i64) -> Result<u64, AppendError> {
        self.append_batch(batch, Some((key, at)))
    }

    pub(super) fn append_batch(
        &mut self,
        batch: &[Draft],
        signer: Option<(&HeadKey, i64)>,
    ) -> Result<u64, AppendError> {
        self.usable()?;
        check_order(self.tail.next_seq, batch)?;
        if !batch.is_empty() {
            let mut tail = self.tail.clone();
            self.transact(|transaction| {
                for draft in batch {
                    insert(transaction, &mut tail, draft)?;
                }
                if let (Some((key, at)), Some(seq), 1..) = (signer, tail.head_seq, tail.unsigned) {
                    heads::sign(transaction, key, seq, tail.head, at)?;
                    tail.unsigned = 0;
                }
                Ok(())
            })?;
            self.tail = tail;
            self.relieve_wal()?;
        }
        Ok(self.tail.next_seq - 1)
    }
}

/// Numbers grow, no record is empty, and none reaches beyond what SQLite can number.
fn check_order(next: u64, batch: &[Draft]) -> Result<(), AppendError> {
    let mut next = next;
    for draft in batch {
        let (seq, events) = (draft.seq, draft.events);
        let end = seq.saturating_add(u64::from(events));
        if seq < next || events == 0 || i64::try_from(end).is_err() {
            return Err(AppendError::Refused {
                reason: format!("record {seq} with {events} events does not follow, the next free number is {next}"),
                cure: "rebuild the state from the log and number from its tail",
            });
        }
        next = end;
    }
    Ok(())
}

fn insert(connection: &Connection, tail: &mut Tail, draft: &Draft) -> Result<(), rusqlite::Error> {
    let seq = to_sql(draft.seq);
    match draft.class {
        Class::Decision => {
            let payload_hash = draft.payload.as_deref().map(chain::payload_hash);
            let hash = Header {
                seq: draft.seq,
                events: draft.events,
                at: draft.at,
                actor: draft.actor.as_bytes(),
                kind: draft.kind.as_bytes(),
                version: draft.version,
                facts: &draft.facts,
                payload_hash,
                previous: tail.head,
            }
            .hash();
            connection.prepare_cached(DECISION)?.execute(params![
                seq,
                draft.events,
                draft.at,
                &*draft.actor,
                &*draft.kind,
                draft.version,
                &*draft.facts,
                payload_hash,
                tail.head,
                hash,
            ])?;
            if let Some(body) = &draft.payload {
                connection.prepare_cached(PAYLOAD)?.execute(params![seq, &**body])?;
            }
            tail.head = hash;
            tail.head_seq = Some(draft.seq);
            tail.unsigned += 1;
        }
        Class::Telemetry => {
            connection.prepare_cached(TELEMETRY)?.execute(params![
                seq,
                draft.events,
                draft.at,
                &*draft.actor,
                &*draft.kind,
                draft.version,
                &*draft.facts,
                draft.payload.as_deref(),
            ])?;
        }
    }
    tail.next_seq = draft.seq + u64::from(draft.events);
    Ok(())
}
