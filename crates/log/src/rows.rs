//! Rows to records: the one place that knows the order of the columns.

use bytes::Bytes;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::{Class, Error, Link, Payload, Record};

/// Both tables merged by sequence number. SQLite walks the two in step and stops at the limit.
const RANGE: &str = "
    SELECT d.seq, d.events, d.at, d.actor, d.kind, d.version, d.facts,
           p.body, p.erased, 1, d.previous, d.hash, d.payload_hash
    FROM decisions d LEFT JOIN payloads p ON p.seq = d.seq
    WHERE d.seq BETWEEN ?1 AND ?2
    UNION ALL
    SELECT seq, events, at, actor, kind, version, facts,
           payload, erased, 0, NULL, NULL, NULL
    FROM telemetry
    WHERE seq BETWEEN ?1 AND ?2
    ORDER BY 1 LIMIT ?3";

/// The first number of the record whose range holds `?1`.
const HOLDING: &str = "
    SELECT max(seq) FROM (
        SELECT * FROM (SELECT seq, events FROM decisions WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1)
        UNION ALL
        SELECT * FROM (SELECT seq, events FROM telemetry WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1)
    ) WHERE seq + events > ?1";

/// A sequence number or count as SQLite keeps it; what is too large is beyond every row.
pub(crate) fn to_sql(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// A stored number back as a sequence number; what is negative is before every row.
pub(crate) fn to_seq(number: i64) -> u64 {
    number.try_into().unwrap_or(0)
}

/// Up to `limit` records of which some number lies in `from..=to`, in order.
pub(crate) fn read(connection: &Connection, from: u64, to: u64, limit: usize) -> Result<Vec<Record>, Error> {
    let start = holding(connection, from)?.unwrap_or(from);
    let mut statement = connection.prepare_cached(RANGE)?;
    let mut rows = statement.query((to_sql(start), to_sql(to), to_sql(limit)))?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(decode(row)?);
    }
    Ok(records)
}

/// The record whose range holds `seq`.
pub(crate) fn record(connection: &Connection, seq: u64) -> Result<Option<Record>, Error> {
    match holding(connection, seq)? {
        Some(start) => Ok(read(connection, start, start, 1)?.pop()),
        None => Ok(None),
    }
}

/// First number of the record whose range holds `seq`.
pub(crate) fn holding(connection: &Connection, seq: u64) -> Result<Option<u64>, rusqlite::Error> {
    let found: Option<i64> = connection.prepare_cached(HOLDING)?.query_row([to_sql(seq)], |row| row.get(0))?;
    Ok(found.map(to_seq))
}

/// A number kept in `meta`, if it is there.
pub(crate) fn meta(connection: &Connection, key: &str) -> Result<Option<u64>, rusqlite::Error> {
    let found: Option<i64> = connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    Ok(found.map(to_seq))
}

/// The key in `meta` of the highest sequence number ever pruned.
pub(crate) const TELEMETRY_FLOOR: &str = "telemetry_floor";

/// Exactly 32 bytes.
struct Hash([u8; 32]);

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 32, blob_size: bytes.len() })
    }
}

/// A column of exactly 32 bytes, or NULL.
pub(crate) fn hash_column(row: &Row<'_>, index: usize) -> Result<Option<[u8; 32]>, rusqlite::Error> {
    Ok(row.get::<_, Option<Hash>>(index)?.map(|hash| hash.0))
}

fn decode(row: &Row<'_>) -> Result<Record, Error> {
    let seq: u64 = to_seq(row.get(0)?);
    fields(row, seq).map_err(|error| match error {
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..) => Error::Damaged { seq, detail: error.to_string() },
        other => Error::Sqlite(other),
    })
}

fn fields(row: &Row<'_>, seq: u64) -> Result<Record, rusqlite::Error> {
    let decision: bool = row.get(9)?;
    let payload_hash = hash_column(row, 12)?;
    let body: Option<Vec<u8>> = row.get(7)?;
    let erased = row.get::<_, Option<bool>>(8)?.unwrap_or(false);
    let payload = match body {
        _ if erased => Payload::Erased,
        Some(body) => Payload::Present(Bytes::from(body)),
        None if payload_hash.is_some() => {
            return Err(rusqlite::Error::FromSqlConversionFailure(
                7,
                rusqlite::types::Type::Null,
                "the payload is missing and not marked erased".into(),
            ));
        }
        None => Payload::None,
    };
    let link = match (decision, hash_column(row, 10)?, hash_column(row, 11)?) {
        (true, Some(previous), Some(hash)) => Some(Link { previous, hash, payload_hash }),
        _ => None,
    };
    Ok(Record {
        seq,
        events: row.get(1)?,
        class: if decision { Class::Decision } else { Class::Telemetry },
        at: row.get(2)?,
        actor: row.get(3)?,
        kind: row.get(4)?,
        version: row.get(5)?,
        facts: Bytes::from(row.get::<_, Vec<u8>>(6)?),
        payload,
        link,
    })
}
