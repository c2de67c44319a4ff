//! `agent-client receipt`: what landed commits say of their checks, asked of a clone alone.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Output, clean};
use clap::{Args, Subcommand};
use orchestrator_receipt::{Commit, Key, Receipt, Required, Sealed};
use orchestrator_repository::{History, ObjectId, Reader, Written};
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where a commit defines its gates.
const DEFINITIONS: &str = "orchestrator.toml";
/// How much of an id people read.
const SHORT: usize = 10;

/// Arguments of `receipt`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check that commits landed as their receipts say: signed, on their base, with every gate that it requires.
    #[command(after_help = "\
Of a range, commits are looked at along first parents. With --key nothing but the repository is read, so any clone can be
checked, without the server; without it the server is asked for its key.

Examples:
  agent-client receipt verify
  agent-client receipt verify v1.2..main --key 9f86d0…
  agent-client receipt verify origin/main~50..origin/main --require")]
    Verify {
        /// A commit, or the commits after one up to another.
        #[arg(value_name = "COMMIT|FROM..TO", default_value = "HEAD")]
        commits: String,
        /// The server's public key: 64 hex digits.
        #[arg(long, value_name = "HEX", env = "ORCHESTRATOR_KEY")]
        key: Option<String>,
        /// A commit without a receipt is a failure, too.
        #[arg(long)]
        require: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print a commit's receipt as it stands there; its signature is not looked at.
    Show {
        /// The commit.
        #[arg(value_name = "COMMIT", default_value = "HEAD")]
        commit: String,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
struct Place {
    /// A folder of the repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
}

/// What is said of one commit.
#[derive(Serialize)]
struct Told {
    commit: String,
    subject: String,
    /// `ok`, `none` or `bad`.
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Verify { commits, key, require, place } => {
            let key = match key {
                Some(key) => key,
                None => context.client.audit_key().await?.public_key,
            };
            let key = Key::from_hex(&key).map_err(|error| Failure::usage(error.to_string(), "give it with --key"))?;
            verify(context.out, &place, &commits, &key, require)
        }
        Action::Show { commit, place } => {
            let repository = place.open(&commit)?;
            let written = repository.reader.commit(repository.tip).map_err(|error| unreadable(&error))?;
            match Sealed::read(&written.message).map_err(|error| broken(&error))? {
                Some(sealed) => context.out.json(&sealed.receipt),
                None => {
                    let what = format!("{:.SHORT$} has no receipt", written.id.to_string());
                    Err(Failure::new(Exit::NotFound, "no_receipt", what, "a person made it, or an older server"))
                }
            }
        }
    }
}

/// A repository's history, as far as one commit.
struct Opened {
    reader: Reader,
    tip: ObjectId,
    _scratch: tempfile::TempDir,
}

impl Place {
    fn open(&self, commit: &str) -> Result<Opened, Failure> {
        let scratch = tempfile::tempdir()?;
        let history = History::open(&self.repo, scratch.path(), Some(commit)).map_err(|error| {
            let cure = "name a repository with --repo, and a commit, branch or tag that it has";
            Failure::new(Exit::NotFound, "unknown_commit", error.to_string(), cure)
        })?;
        Ok(Opened { reader: history.reader(), tip: history.tip(), _scratch: scratch })
    }
}

fn unreadable(error: &orchestrator_repository::Error) -> Failure {
    let cure = "a shallow or partial clone lacks objects: fetch them with git fetch --unshallow";
    Failure::new(Exit::Failed, "unreadable", error.to_string(), cure)
}

fn broken(error: &orchestrator_receipt::Error) -> Failure {
    Failure::new(Exit::Failed, "broken_receipt", error.to_string(), "see the commit's message with git show")
}

fn verify(out: &Output, place: &Place, commits: &str, key: &Key, require: bool) -> Result<(), Failure> {
    let (from, to) = match commits.split_once("..") {
        Some((from, to)) => {
            (Some(if from.is_empty() { "HEAD" } else { from }), if to.is_empty() { "HEAD" } else { to })
        }
        None => (None, commits),
    };
    let Opened { reader, tip, _scratch } = place.open(to)?;
    let first = from.map(|from| place.open(from)).transpose()?.map(|opened| opened.tip);
    let (mut ok, mut none, mut bad) = (0, 0, 0);
    // The trees of what was looked at: of a batch the last commit comes first.
    let mut later = BTreeSet::new();
    let mut next = Some(tip);
    while let Some(id) = next.filter(|id| Some(*id) != first) {
        let written = reader.commit(id).map_err(|error| unreadable(&error))?;
        let told = told(&reader, &written, key, &later);
        later.insert(written.tree.to_string());
        match told.result {
            "ok" => ok += 1,
            "none" => none += 1,
            _ => bad += 1,
        }
        if out.is_json {
            out.json(&told)?;
        } else {
            show(out, &told)?;
        }
        next = written.parents.first().copied().filter(|_| from.is_some());
    }
    if !out.is_json {
        out.line(&format!("{ok} landed as their receipts say, {none} without a receipt, {bad} bad"))?;
    }
    match bad + if require { none } else { 0 } {
        0 => Ok(()),
        count => {
            let what = format!("{count} of {} commits cannot be vouched for", ok + none + bad);
            Err(Failure::new(
                Exit::Failed,
                "not_vouched_for",
                what,
                "look at each with agent-client receipt show COMMIT",
            ))
        }
    }
}

fn told(reader: &Reader, written: &Written, key: &Key, later: &BTreeSet<String>) -> Told {
    let subject = written.message.lines().next().unwrap_or_default().to_owned();
    let (commit, (faults, notes)) = (written.id.to_string(), Default::default());
    let mut told = Told { commit, subject, result: "ok", receipt: None, faults, notes };
    let sealed = match Sealed::read(&written.message) {
        Ok(Some(sealed)) => sealed,
        Ok(None) => return Told { result: "none", ..told },
        Err(error) => return Told { result: "bad", faults: vec![error.to_string()], ..told },
    };
    let parents = written.parents.iter().map(ToString::to_string).collect();
    let required = match required(reader, written) {
        Ok(required) => Some(required),
        Err(why) => {
            told.notes.push(format!("whether all gates ran is not known: {why}"));
            None
        }
    };
    let mut faults: Vec<String> = Vec::new();
    let found = sealed.check(key, &Commit { tree: written.tree.to_string(), parents }, required.as_deref());
    faults.extend(found.iter().map(ToString::to_string));
    match &sealed.receipt.gated {
        Some(tree) if later.contains(tree) => {
            told.notes.push(format!("its gates ran on the tree {tree:.SHORT$} of a later commit of its batch"));
        }
        Some(tree) => faults.push(format!(
            "its gates ran on the tree {tree:.SHORT$} of a later commit, which is not there: give the range as far as that"
        )),
        None => {}
    }
    told.result = if faults.is_empty() { "ok" } else { "bad" };
    Told { faults, receipt: Some(sealed.receipt), ..told }
}

/// The gates that had to pass, as the commit below defines them for what was changed.
fn required(reader: &Reader, written: &Written) -> Result<Vec<Required>, String> {
    let text = |error: orchestrator_repository::Error| error.to_string();
    let Some(base) = written.parents.first() else { return Ok(Vec::new()) };
    let base = reader.commit(*base).map_err(text)?;
    let Some(file) = reader.file(base.tree, DEFINITIONS).map_err(text)? else { return Ok(Vec::new()) };
    let file = String::from_utf8(file).map_err(|_| format!("{DEFINITIONS} is not UTF-8"))?;
    let definitions = orchestrator_gates::definitions(&file).map_err(|error| error.to_string())?;
    let changed: BTreeSet<String> =
        reader.changed(base.tree, written.tree).map_err(text)?.into_iter().map(|path| path.to_string()).collect();
    let gates = definitions.concerning(&changed).filter(|gate| gate.required);
    Ok(gates.map(|gate| Required { name: gate.name.clone(), digest: definitions.digest(gate) }).collect())
}

fn show(out: &Output, told: &Told) -> Result<(), Failure> {
    let said = match &told.receipt {
        None if told.result == "none" => format!("no receipt: {}", told.subject),
        None => told.subject.clone(),
        Some(receipt) => {
            let passed = receipt.gates.iter().filter(|gate| gate.verdict == "passed").count();
            let gates = match receipt.gates.len() {
                0 => "no gates".to_owned(),
                all => format!("{passed} of {all} gates passed"),
            };
            let settled = match receipt.settled.len() + receipt.settled_more {
                0 => String::new(),
                1 => ", 1 region settled".to_owned(),
                count => format!(", {count} regions settled"),
            };
            format!("{} of {}: {gates}{settled}: {}", receipt.merge, receipt.agent, told.subject)
        }
    };
    out.line(&format!("{:<4}  {:.SHORT$}  {}", told.result, told.commit, clean(&said)))?;
    let lines = told.faults.iter().chain(&told.notes);
    lines.into_iter().try_for_each(|line| out.line(&format!("      {}", clean(line))))
}
