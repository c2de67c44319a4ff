//! `orchestrator-server audit`: checks, shows and exports the log.

use super::say;
use crate::settings::{self, Flags};
use anyhow::{Context, bail};
use clap::Args;
use orchestrator_log::{Class, Payload, PublicKey, Reader, Record, audit};
use orchestrator_protocol::Timestamp;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Records read at once.
const PAGE: usize = 1_000;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Check the chain and the signed heads; names whatever was changed, and says what it vouches for
    Verify {
        /// The public key in hex, from GET /audit/key; the one in the state folder when left out
        #[arg(long, value_name = "HEX")]
        key: Option<String>,
    },
    /// Show records, oldest first
    Show(Range),
    /// Write records as JSON, one a line, with all that is needed to check the chain elsewhere
    Export {
        #[command(flatten)]
        range: Range,
        /// Where to; standard output when left out
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Range {
    /// First number
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Last number; the newest when left out
    #[arg(long)]
    to: Option<u64>,
    /// Only records of this kind, such as message.sent, or a group such as message
    #[arg(long)]
    kind: Option<String>,
}

pub(crate) fn run(flags: &Flags, command: &Command) -> anyhow::Result<ExitCode> {
    let project = settings::project(flags)?;
    let settings = settings::load(flags, &project)?;
    let state = settings::state_dir(&settings, &project);
    let file = state.join("log.db");
    if !file.exists() {
        bail!("there is no log in {}; name the state folder with --state DIR", state.display());
    }
    let reader = Reader::open(&file).with_context(|| format!("failed to open {}", file.display()))?;
    match command {
        Command::Verify { key } => {
            let key = match key {
                Some(hex) => PublicKey::from_hex(hex)?,
                None => orchestrator_log::HeadKey::load_or_create(state.join("head.key"))?.public_key(),
            };
            verify(&reader, &key)
        }
        Command::Show(range) => {
            each(&reader, range, |record| {
                say(shown(record));
                Ok(())
            })?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Export { range, out } => {
            let mut out: Box<dyn Write> = match out {
                Some(file) => Box::new(std::io::BufWriter::new(std::fs::File::create(file)?)),
                None => Box::new(std::io::stdout().lock()),
            };
            each(&reader, range, |record| Ok(writeln!(out, "{}", exported(record))?))?;
            out.flush()?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn verify(reader: &Reader, key: &PublicKey) -> anyhow::Result<ExitCode> {
    let report = audit::verify(reader, key)?;
    say(format_args!(
        "{} records, {} of them decisions in the chain, {} bodies erased, {} signed heads",
        report.records, report.decisions, report.erased, report.heads
    ));
    match &report.vouched {
        Some(range) => {
            say(format_args!("vouched for: {} to {}, by the newest signed head", range.start(), range.end()));
        }
        None => say("vouched for: nothing yet, no head is signed"),
    }
    for problem in &report.problems {
        say(format_args!("PROBLEM {problem}"));
    }
    if report.is_clean() {
        say("the log is whole");
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("{} problems: the log was changed by someone else than the server", report.problem_count));
    Ok(ExitCode::FAILURE)
}

fn each(reader: &Reader, range: &Range, mut take: impl FnMut(&Record) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let mut from = range.from;
    loop {
        let records = reader.read_range(from, range.to.unwrap_or(u64::MAX), PAGE)?;
        let Some(last) = records.last() else { return Ok(()) };
        from = last.next_seq();
        let wanted = |record: &&Record| {
            range.kind.as_ref().is_none_or(|kind| {
                record.kind == *kind
                    || record.kind.strip_prefix(kind.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        for record in records.iter().filter(wanted) {
            take(record)?;
        }
    }
}

fn shown(record: &Record) -> String {
    let facts = String::from_utf8_lossy(&record.facts);
    let body = match &record.payload {
        Payload::None => String::new(),
        Payload::Present(bytes) => format!("  {}", String::from_utf8_lossy(bytes)),
        Payload::Erased => "  (body erased)".to_owned(),
    };
    format!("{:>8}  {}  {:<20} {:<16} {facts}{body}", record.seq, Timestamp(record.at), record.kind, record.actor)
}

fn exported(record: &Record) -> Value {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({"hex": hex::encode(bytes)}),
    };
    let payload = match &record.payload {
        Payload::None => Value::Null,
        Payload::Present(bytes) => text(bytes),
        Payload::Erased => json!({"erased": true}),
    };
    json!({
        "seq": record.seq,
        "events": record.events,
        "class": match record.class { Class::Decision => "decision", Class::Telemetry => "telemetry" },
        "at": record.at,
        "actor": record.actor,
        "kind": record.kind,
        "version": record.version,
        "facts": text(&record.facts),
        "payload": payload,
        "previous": record.link.as_ref().map(|link| hex::encode(link.previous)),
        "hash": record.link.as_ref().map(|link| hex::encode(link.hash)),
        "payload_hash": record.link.as_ref().and_then(|link| link.payload_hash.map(hex::encode)),
    })
}
