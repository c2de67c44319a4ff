//! The project's own checks, on exactly the tree that is to land.

use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Error, Options, Orchestrator};
use orchestrator_gates::{Definitions, Gate, Report, Verdict, definitions};
use orchestrator_landing::GateRun;
use orchestrator_protocol::GateVerdict;
use orchestrator_repository::{ObjectId, Store};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// The file that defines the gates.
const DEFINITIONS: &str = "orchestrator.toml";
/// What of a gate's output goes into the log where it did not pass.
const TAIL: usize = 2 << 10;
/// What of it is answered at once.
const PAGE: u64 = 1 << 20;

/// The gates as the commit defines them that is merged onto: what is to land does not choose its own judges.
pub(super) fn defined(store: &Store, base: ObjectId) -> Result<Result<Definitions, String>, Error> {
    let (tree, _) = store.read_commit(base).map_err(internal)?;
    let Some((_, id)) = store.entry(tree, DEFINITIONS.into()).map_err(internal)? else {
        return Ok(Ok(Definitions::default()));
    };
    let text = String::from_utf8(store.blob(id).map_err(internal)?);
    let found = text.map_err(|_| "it is not UTF-8".to_owned());
    Ok(found.and_then(|text| definitions(&text).map_err(|error| error.to_string())))
}

/// Whether a path defines gates.
pub(super) fn is_definition(path: &str) -> bool {
    path == DEFINITIONS
}

/// What has to be run on one tree, and what with.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    pub(super) gates: Vec<Gate>,
    pub(super) definitions: Definitions,
}

impl Checks {
    /// The gates that concern any of these paths.
    pub(super) fn of(definitions: &Definitions, changed: &BTreeSet<String>) -> Self {
        let gates = definitions.concerning(changed).cloned().collect();
        Self { gates, definitions: definitions.clone() }
    }

    /// Digests of those that must pass.
    pub(super) fn required(&self) -> Vec<String> {
        let required = self.gates.iter().filter(|gate| gate.required);
        required.map(|gate| self.definitions.digest(gate)).collect()
    }
}

/// A pass of the same gate on the same tree, from any landing that is remembered.
pub(super) fn known(orchestrator: &Orchestrator, tree: &str, digest: &str) -> Option<GateRun> {
    orchestrator.shared.core.lock().state.landings.passed(tree, digest).cloned()
}

/// Runs a gate on a tree, in the checkout of that number, which is made exactly that right before and is nobody else's
/// meanwhile; nothing when it was stopped.
pub(super) async fn run(
    orchestrator: &Orchestrator,
    id: u64,
    tree: ObjectId,
    (gate, definitions): (&Gate, &Definitions),
    slot: usize,
    stopped: &CancellationToken,
) -> Result<Option<GateRun>, Error> {
    let folder = orchestrator.options().state_dir.join("checkouts").join(slot.to_string());
    let (at, warm) = (folder.clone(), orchestrator.options().landing.warm.clone());
    let file = output_file(orchestrator.options(), id, &gate.name);
    // To its end, whatever is stopped: two must never be at it together.
    let prepare = orchestrator.blocking(move |this| {
        let store = this.shared.following.store(&this.options().project).map_err(refused)?;
        store.check_out(tree, &at, &warm).map_err(internal)?;
        open_output(&file).map_err(internal)
    });
    let mut output = prepare.await?;
    let gate_run = orchestrator_gates::run(gate, &folder, &definitions.limits, |bytes| {
        // What it prints is for people; the end of it is in the report.
        let _lost = output.write_all(bytes);
    });
    tokio::select! {
        // What was stopped says nothing, even where it ended at that moment.
        biased;
        () = stopped.cancelled() => Ok(None),
        report = gate_run => Ok(Some(ran(gate, definitions, &report))),
    }
}

fn ran(gate: &Gate, definitions: &Definitions, report: &Report) -> GateRun {
    let verdict = match report.verdict {
        Verdict::Passed => GateVerdict::Passed,
        Verdict::Failed => GateVerdict::Failed,
        Verdict::TimedOut => GateVerdict::TimedOut,
        Verdict::Killed => GateVerdict::Killed,
        Verdict::OverLimit => GateVerdict::OverLimit,
        Verdict::NotStarted => GateVerdict::NotStarted,
    };
    let start = report.tail.len().saturating_sub(TAIL);
    let mut tail = String::from_utf8_lossy(report.tail.get(start..).unwrap_or_default()).into_owned();
    if verdict == GateVerdict::Passed {
        tail.clear();
    } else if !report.reason.is_empty() {
        tail = format!("{}\n{tail}", report.reason);
    }
    GateRun {
        name: gate.name.clone(),
        digest: definitions.digest(gate),
        required: gate.required,
        verdict,
        exit_code: report.exit_code,
        millis: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        flaky: report.flaky,
        cached: false,
        not_enforced: report.not_enforced.clone(),
        tail,
    }
}

/// Why a landing ends with this run; nothing when it may go on.
pub(super) fn objection(run: &GateRun) -> Option<String> {
    if run.verdict == GateVerdict::Passed || !run.required {
        return None;
    }
    let how = match (run.verdict, run.exit_code) {
        (GateVerdict::Failed, Some(code)) => format!("failed with exit code {code}"),
        (GateVerdict::TimedOut, _) => "took too long".to_owned(),
        (GateVerdict::OverLimit, _) => "went over a limit".to_owned(),
        (GateVerdict::NotStarted, _) => "could not be started".to_owned(),
        _ => "did not pass".to_owned(),
    };
    Some(format!("gate '{}' {how}", run.name))
}

/// Where a gate's output goes. Names of gates are letters, digits, dots, dashes and underscores.
pub(super) fn output_file(options: &Options, id: u64, gate: &str) -> PathBuf {
    let plain =
        |text: &str| text.chars().filter(|one| one.is_ascii_alphanumeric() || "._-".contains(*one)).collect::<String>();
    outputs(options).join(id.to_string()).join(format!("{}.log", plain(gate)))
}

/// Where the output of all gates is, a folder for each landing.
pub(super) fn outputs(options: &Options) -> PathBuf {
    options.state_dir.join("merges")
}

fn open_output(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

pub(super) fn read_output(path: &Path, from: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut content = Vec::new();
    file.take(PAGE).read_to_end(&mut content)?;
    Ok(content)
}
