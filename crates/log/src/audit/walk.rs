//! One pass over the decisions, with the heads and anchors alongside.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Row};

use crate::audit::{Anchor, Fault, Report};
use crate::chain::{self, Header};
use crate::rows;
use crate::writer::SignedHead;
use crate::{Error, PublicKey, Reader};

/// Decisions checked in one read transaction; the writer can copy its write-ahead log in between.
const CHUNK: i64 = 1000;

const DECISIONS: &str = "
    SELECT d.seq, d.events, d.at, d.actor, d.kind, d.version, d.facts, d.payload_hash, d.previous,
           d.hash, p.seq, p.body, p.erased
    FROM decisions d LEFT JOIN payloads p ON p.seq = d.seq
    WHERE d.seq > ?1 AND d.seq <= ?2
    ORDER BY d.seq LIMIT ?3";

/// Payloads of records that are not there.
const STRAYS: &str = "
    SELECT p.seq FROM payloads p LEFT JOIN decisions d ON d.seq = p.seq
    WHERE d.seq IS NULL ORDER BY p.seq";

/// The record before the current one.
struct Before {
    seq: u64,
    next_seq: u64,
    stored: Option<[u8; 32]>,
    computed: Option<[u8; 32]>,
}

/// A witness of the chain's hash at a decision.
struct Witness {
    seq: u64,
    hash: [u8; 32],
    valid: bool,
}

pub(super) struct Walk<'a> {
    key: &'a PublicKey,
    report: Report,
    before: Option<Before>,
    /// Newest head and newest decision when the walk began.
    newest_head: u64,
    end: i64,
    head: Option<SignedHead>,
    anchors: std::iter::Peekable<std::vec::IntoIter<Anchor>>,
}

impl<'a> Walk<'a> {
    /// Notes where the log ends now. The heads are looked at first: a head is written after its
    /// decision, so none seen here lies beyond the decisions unless the tail was cut.
    pub(super) fn new(reader: &Reader, key: &'a PublicKey, anchors: &[Anchor]) -> Result<Self, Error> {
        let mut anchors = anchors.to_vec();
        anchors.sort_by_key(|anchor| anchor.seq);
        reader.with(|connection| {
            let newest_head = SignedHead::newest(connection)?.map_or(0, |head| head.seq);
            let end: Option<i64> = connection.query_row("SELECT max(seq) FROM decisions", [], |row| row.get(0))?;
            let telemetry: i64 = connection.query_row("SELECT count(*) FROM telemetry", [], |row| row.get(0))?;
            Ok(Self {
                key,
                report: Report { records: rows::to_seq(telemetry), ..Report::default() },
                before: None,
                newest_head,
                end: end.unwrap_or(0),
                head: SignedHead::after(connection, 0)?,
                anchors: anchors.into_iter().peekable(),
            })
        })
    }

    pub(super) fn run(mut self, reader: &Reader) -> Result<Report, Error> {
        let mut position = i64::MIN;
        let outcome = loop {
            match reader.with(|connection| self.chunk(connection, position)) {
                Ok(Some(last)) => position = last,
                Ok(None) => break reader.with(|connection| self.finish(connection)),
                Err(error) => break Err(error),
            }
        };
        match outcome {
            Err(Error::Sqlite(error)) if is_damage(&error) => {
                let seq = self.before.as_ref().map_or(1, |before| before.next_seq);
                let detail = error.to_string();
                self.report.add(seq, Fault::Unreadable { detail });
            }
            other => other?,
        }
        self.report.records += self.report.decisions;
        Ok(self.report)
    }

    /// Checks the next rows; the last position, or nothing at the end.
    fn chunk(&mut self, connection: &Connection, position: i64) -> Result<Option<i64>, Error> {
        let mut statement = connection.prepare_cached(DECISIONS)?;
        let mut found = statement.query((position, self.end, CHUNK))?;
        let mut last = None;
        while let Some(row) = found.next()? {
            last = Some(row.get(0)?);
            self.decision(connection, row)?;
        }
        Ok(last)
    }

    fn decision(&mut self, connection: &Connection, row: &Row<'_>) -> Result<(), Error> {
        let seq = rows::to_seq(row.get(0)?);
        let events: u32 = row.get(1).unwrap_or(1);
        let next_seq = seq.saturating_add(u64::from(events));
        let stored = rows::hash_column(row, 9).unwrap_or_default();
        let computed = match recompute(row, seq) {
            Ok(computed) => Some(computed),
            Err(error) if is_damage(&error) => return Err(error.into()),
            Err(error) => {
                let detail = error.to_string();
                self.report.add(seq, Fault::Malformed { detail });
                None
            }
        };
        if computed.is_some() && computed != stored {
            self.report.add(seq, Fault::Altered);
        }
        self.follow(seq, rows::hash_column(row, 8).unwrap_or_default());
        self.payload(row, seq)?;
        self.report.decisions += 1;
        self.report.first.get_or_insert(seq);
        self.report.last = Some(next_seq.saturating_sub(1));
        while let Some(witness) = self.next_witness(connection, seq)? {
            self.compare(&witness, seq, next_seq, computed);
        }
        self.before = Some(Before { seq, next_seq, stored, computed });
        Ok(())
    }

    /// Does the record name the one before it? A record whose own `hash` column was changed is
    /// named already, so the record after it may name either hash.
    fn follow(&mut self, seq: u64, previous: Option<[u8; 32]>) {
        let Some(before) = &self.before else {
            if previous != Some(chain::GENESIS) {
                self.report.add(seq, Fault::Unlinked { after: None });
            }
            return;
        };
        let (after, overlaps) = (before.seq, seq < before.next_seq);
        let linked = previous.is_some() && (previous == before.stored || previous == before.computed);
        if !linked {
            self.report.add(seq, Fault::Unlinked { after: Some(after) });
        }
        if overlaps {
            self.report.add(seq, Fault::Overlapping { with: after });
        }
    }

    fn payload(&mut self, row: &Row<'_>, seq: u64) -> Result<(), Error> {
        let promised = rows::hash_column(row, 7).unwrap_or_default();
        let stands = !matches!(row.get_ref(10)?, ValueRef::Null);
        let erased = matches!(row.get_ref(12)?, ValueRef::Integer(mark) if mark != 0);
        let body = row.get_ref(11)?;
        let fault = match (promised, body) {
            (None, _) if stands => Some(Fault::PayloadAdded),
            (None, _) => None,
            (Some(_), ValueRef::Null) if erased => {
                self.report.erased += 1;
                None
            }
            (Some(_), ValueRef::Null) => Some(Fault::PayloadMissing),
            (Some(_), _) if erased => Some(Fault::PayloadAdded),
            (Some(hash), ValueRef::Blob(body)) if chain::payload_hash(body) == hash => None,
            (Some(_), _) => Some(Fault::PayloadAltered),
        };
        if let Some(fault) = fault {
            self.report.add(seq, fault);
        }
        Ok(())
    }

    /// The next head or anchor that names a decision up to `seq`.
    fn next_witness(&mut self, connection: &Connection, seq: u64) -> Result<Option<Witness>, Error> {
        let limit = seq.min(self.newest_head);
        if let Some(head) = self.head.take_if(|head| head.seq <= limit) {
            self.head = SignedHead::after(connection, head.seq)?;
            self.report.heads += 1;
            return Ok(Some(Witness { valid: head.is_signed_by(self.key), seq: head.seq, hash: head.hash }));
        }
        let anchor = self.anchors.next_if(|anchor| anchor.seq <= seq);
        Ok(anchor.map(|anchor| Witness { seq: anchor.seq, hash: anchor.hash, valid: true }))
    }

    fn compare(&mut self, witness: &Witness, seq: u64, next_seq: u64, computed: Option<[u8; 32]>) {
        let fault = match witness {
            Witness { valid: false, .. } => Fault::BadSignature,
            _ if witness.seq < seq => Fault::Removed,
            _ if Some(witness.hash) != computed => Fault::OtherHead,
            _ => {
                if let (true, Some(first)) = (self.report.is_clean(), self.report.first) {
                    self.report.vouched = Some(first..=next_seq.saturating_sub(1));
                }
                return;
            }
        };
        self.report.add(witness.seq, fault);
    }

    /// Heads and anchors beyond the last decision, and payloads without one.
    fn finish(&mut self, connection: &Connection) -> Result<(), Error> {
        let last = self.report.last;
        while let Some(witness) = self.next_witness(connection, u64::MAX)? {
            let fault = if witness.valid { Fault::Truncated { last } } else { Fault::BadSignature };
            self.report.add(witness.seq, fault);
        }
        let mut statement = connection.prepare_cached(STRAYS)?;
        let mut strays = statement.query([])?;
        while let Some(row) = strays.next()? {
            self.report.add(rows::to_seq(row.get(0)?), Fault::PayloadAdded);
        }
        Ok(())
    }
}

/// The hash of a decision, from the stored bytes.
fn recompute(row: &Row<'_>, seq: u64) -> Result<[u8; 32], rusqlite::Error> {
    let text = |index: usize| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_bytes()?);
    let header = Header {
        seq,
        events: row.get(1)?,
        at: row.get(2)?,
        actor: text(3)?,
        kind: text(4)?,
        version: row.get(5)?,
        facts: row.get_ref(6)?.as_blob()?,
        payload_hash: rows::hash_column(row, 7)?,
        previous: rows::hash_column(row, 8)?.unwrap_or_default(),
    };
    Ok(header.hash())
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}
