//! A log in a folder of its own, and short ways to fill it.

use std::path::PathBuf;

use bytes::Bytes;
use orchestrator_log::{Class, Draft, HeadKey, Options, Payload, Record, SqliteLog};

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.path().join("state/log.db")
    }

    pub(crate) fn open(&self) -> SqliteLog {
        SqliteLog::open(self.database(), Options::default()).unwrap()
    }

    pub(crate) fn key(&self) -> HeadKey {
        HeadKey::load_or_create(self.0.path().join("head.key")).unwrap()
    }

    /// A connection that goes behind the log's back.
    pub(crate) fn intruder(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }
}

pub(crate) fn decision(seq: u64, payload: Option<&str>) -> Draft {
    Draft {
        seq,
        events: 1,
        class: Class::Decision,
        at: 1_700_000_000_000,
        actor: "alice".into(),
        kind: "message.sent".into(),
        version: 1,
        facts: Bytes::from(format!("facts of {seq}")),
        payload: payload.map(|body| Bytes::copy_from_slice(body.as_bytes())),
    }
}

pub(crate) fn telemetry(seq: u64) -> Draft {
    Draft { class: Class::Telemetry, kind: "status".into(), at: i64::try_from(seq).unwrap(), ..decision(seq, None) }
}

/// What a record says, without its place in the chain: comparable with what was appended.
pub(crate) fn as_draft(record: Record) -> Draft {
    assert_eq!(record.link.is_some(), record.class == Class::Decision);
    Draft {
        seq: record.seq,
        events: record.events,
        class: record.class,
        at: record.at,
        actor: record.actor.into(),
        kind: record.kind.into(),
        version: record.version,
        facts: record.facts,
        payload: match record.payload {
            Payload::None => None,
            Payload::Present(body) => Some(body),
            Payload::Erased => panic!("nothing was erased"),
        },
    }
}
