//! `agent-client merge-file`: merges three versions of one file, under the exit codes of `git merge-file`.

mod recordings;
mod report;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::replace;
use clap::{Args, ValueEnum};
use orchestrator_merge::{
    Conflict, Kind, Label, Labels, Layers, Options, Outcome, Proof, Recorded, Recordings, Style, leave_open, merge,
};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Exit code of a wrong command line.
pub(crate) const USAGE: u8 = 129;
/// Exit code of any other failure.
const FAILED: u8 = 255;
/// Exit code of a conflict.
const CONFLICT: u8 = 1;

/// A file that is not there.
const ABSENT: &str = "/dev/null";

/// What a git that is older than its labels leaves in the command line.
const NO_LABELS: [&str; 3] = ["%X", "%S", "%Y"];

/// Arguments of `merge-file`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client merge-file base.py mine.py theirs.py -p src/app.py -o merged.py
  agent-client merge-file base.py mine.py theirs.py --explain >merged.py
  agent-client merge-file base.py mine.py theirs.py -p src/app.py --recorded team.json --learn resolved.py
  agent-client merge-file base.py mine.py theirs.py -p src/app.py --recorded team.json -o merged.py

/dev/null stands for a file that is not there. A file that is no text is left as OURS has it, and is a conflict.

Exit codes, as of git merge-file:
  0 merged   1 conflict, with markers written   129 usage   255 failed, nothing written")]
pub(crate) struct Arguments {
    /// What both sides began with.
    base: PathBuf,
    /// The version that is merged into.
    ours: PathBuf,
    /// The version that is merged in.
    theirs: PathBuf,
    /// Write the result to this file, whole or not at all; may be one of the three. Otherwise to standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What the file is called in the project; decides what kind of file it is. Otherwise the name of OURS.
    #[arg(short, long, value_name = "PATH")]
    path: Option<OsString>,
    /// How well an answer must be founded.
    #[arg(long, value_enum, default_value_t = Accept::Verified)]
    accept: Accept,
    /// Say on standard error what settled each region, and why the others are left.
    #[arg(long)]
    explain: bool,
    /// Write each candidate into this folder.
    #[arg(long, value_name = "DIR")]
    candidates: Option<PathBuf>,
    /// Settle what people settled before, as recorded in this file: the same region in the same place of the same path.
    #[arg(long, value_name = "FILE")]
    recorded: Option<PathBuf>,
    /// Merge nothing, but add to the file of --recorded what a person made of the three versions in this one.
    #[arg(long, value_name = "RESOLVED", requires = "recorded", conflicts_with_all = ["output", "candidates", "explain"])]
    learn: Option<PathBuf>,
    /// The form of a conflict.
    #[arg(long, value_enum, default_value_t = Form::Merge)]
    style: Form,
    /// Names behind the markers: of OURS, of BASE, of THEIRS. Otherwise the files' own.
    #[arg(short = 'L', long = "label", value_name = "NAME")]
    labels: Vec<OsString>,
    /// How many characters a marker has.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    marker_size: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Accept {
    /// Only what rules prove; a line that one side changed beside the other's changes is left open.
    Proven,
    /// What the verifier let pass.
    Verified,
    /// The first candidate, too, for callers that test the result.
    Candidate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Both sides.
    Merge,
    /// Both sides and the base.
    Diff3,
    /// Both sides and the base, without what the sides have in common.
    Zdiff3,
    /// What git's setting `merge.conflictStyle` says.
    Git,
}

/// The three versions.
struct Versions {
    base: Option<Vec<u8>>,
    ours: Option<Vec<u8>>,
    theirs: Option<Vec<u8>>,
}

/// What is made of an outcome.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Merged { content: Option<Vec<u8>>, regions: Vec<Proof> },
    Left(Conflict),
}

pub(crate) fn run(arguments: &Arguments, out: &Output) -> ExitCode {
    // A panic's own code would be a conflict to git.
    match catch_unwind(AssertUnwindSafe(|| merge_file(arguments, out))) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::from(CONFLICT),
        Ok(Err(failure)) => {
            out.failure(&failure);
            ExitCode::from(if failure.exit == Exit::Usage { USAGE } else { FAILED })
        }
        Err(_) => ExitCode::from(FAILED),
    }
}

/// Whether the file is merged.
fn merge_file(arguments: &Arguments, out: &Output) -> Result<bool, Failure> {
    if arguments.labels.len() > 3 {
        return Err(Failure::usage("there are more than three labels", "give at most -L OURS -L BASE -L THEIRS"));
    }
    let read = |path: &Path| {
        if path == Path::new(ABSENT) { Ok(None) } else { std::fs::read(path).map(Some).map_err(about(path, "read")) }
    };
    let versions =
        Versions { base: read(&arguments.base)?, ours: read(&arguments.ours)?, theirs: read(&arguments.theirs)? };
    let path = arguments.path.as_deref().unwrap_or(arguments.ours.as_os_str()).to_string_lossy();
    if let (Some(file), Some(resolved)) = (&arguments.recorded, &arguments.learn) {
        recordings::add(file, &versions, &path, resolved, out)?;
        return Ok(true);
    }
    let recorded = arguments.recorded.as_deref().map(recordings::read).transpose()?;
    let outcome = versions.merge(&path, recorded.as_ref());
    if let (Some(folder), Outcome::Candidates { candidates, .. }) = (&arguments.candidates, &outcome) {
        std::fs::create_dir_all(folder).map_err(about(folder, "made"))?;
        for (number, candidate) in candidates.iter().enumerate() {
            let file = folder.join(candidate_name(number, &path));
            replace::write(&file, &candidate.content).map_err(about(&file, "written"))?;
        }
    }
    let verdict = versions.verdict(outcome.clone(), arguments.accept, &path);
    if arguments.explain {
        report::explain(&outcome, &verdict, &path, out);
    }
    let content = match &verdict {
        Verdict::Merged { content, .. } => content.as_deref().map(Cow::Borrowed),
        Verdict::Left(conflict) => versions.left(conflict, arguments),
    };
    match &arguments.output {
        Some(file) => put(file, content.as_deref())?,
        None if !out.is_json => {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(content.as_deref().unwrap_or_default())?;
            stdout.flush()?;
        }
        None => {}
    }
    if out.is_json {
        out.json(&report::json(&outcome, &verdict, content.as_deref(), &path))?;
    }
    Ok(matches!(verdict, Verdict::Merged { .. }))
}

impl Versions {
    fn merge(&self, path: &str, recorded: Option<&Recordings>) -> Outcome {
        let Self { base, ours, theirs } = self;
        let merged = |options| merge(base.as_deref(), ours.as_deref(), theirs.as_deref(), path, options);
        let recorded = recorded.map(|recorded| recorded as &dyn Recorded);
        match merged(&Options { recorded, ..Options::default() }) {
            // The budget is for servers. Here lines are merged whatever they cost, as git does.
            Outcome::Conflict(Conflict { kind: Kind::Budget { needed }, .. }) => {
                merged(&Options { budget: needed, layers: Layers::LINES, recorded: None })
            }
            outcome => outcome,
        }
    }

    fn verdict(&self, outcome: Outcome, accept: Accept, path: &str) -> Verdict {
        let Self { base, ours, theirs } = self;
        match outcome {
            Outcome::Clean { regions, .. }
                if accept == Accept::Proven && regions.iter().any(|proof| proof.label != Label::Proven) =>
            {
                Verdict::Left(leave_open(base.as_deref(), ours.as_deref(), theirs.as_deref(), path))
            }
            Outcome::Clean { content, regions } => Verdict::Merged { content, regions },
            Outcome::Candidates { candidates, conflict } => match candidates.into_iter().next() {
                Some(first) if accept == Accept::Candidate => {
                    Verdict::Merged { content: Some(first.content), regions: first.regions }
                }
                _ => Verdict::Left(conflict),
            },
            Outcome::Conflict(conflict) => Verdict::Left(conflict),
            // Without an answer that this program knows, nothing is merged.
            _ => Verdict::Left(leave_open(base.as_deref(), ours.as_deref(), theirs.as_deref(), path)),
        }
    }

    /// What is written for a conflict: markers, or where there are no lines to mark the version that is there, ours first.
    fn left(&self, conflict: &Conflict, arguments: &Arguments) -> Option<Cow<'_, [u8]>> {
        let names = [&arguments.ours, &arguments.base, &arguments.theirs].map(|path| path.as_os_str());
        let label = |at: usize| {
            let given = arguments.labels.get(at).filter(|label| NO_LABELS.iter().all(|none| label != none));
            given.map_or(names[at], |label| label).to_string_lossy()
        };
        let (ours, base, theirs) = (label(0), label(1), label(2));
        let labels = Labels { ours: &ours, base: &base, theirs: &theirs };
        match conflict.markers_of_size(arguments.style.style(), &labels, arguments.marker_size.into()) {
            Some(text) => Some(Cow::Owned(text)),
            None => self.ours.as_deref().or(self.theirs.as_deref()).map(Cow::Borrowed),
        }
    }
}

impl Form {
    fn style(self) -> Style {
        match self {
            Self::Merge => Style::Merge,
            Self::Diff3 => Style::Diff3,
            Self::Zdiff3 => Style::Zdiff3,
            Self::Git => {
                let output = Command::new("git").args(["config", "--get", "merge.conflictStyle"]).output();
                match output.map(|output| output.stdout).unwrap_or_default().trim_ascii() {
                    b"diff3" => Style::Diff3,
                    b"zdiff3" => Style::Zdiff3,
                    _ => Style::Merge,
                }
            }
        }
    }
}

/// `1.py`, `2.py`, ...
fn candidate_name(number: usize, path: &str) -> String {
    let extension = Path::new(path).extension().map(|extension| format!(".{}", extension.to_string_lossy()));
    format!("{}{}", number + 1, extension.unwrap_or_default())
}

/// Writes the file, or removes it where the merge deletes it.
fn put(file: &Path, content: Option<&[u8]>) -> Result<(), Failure> {
    let Some(content) = content else {
        return match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(about(file, "removed")(error)),
            _ => Ok(()),
        };
    };
    replace::write(file, content).map_err(about(file, "written"))
}

fn about(path: &Path, what: &str) -> impl FnOnce(std::io::Error) -> Failure {
    move |error| {
        let cure = "nothing was merged; /dev/null stands for a file that is not there";
        let cure = if what == "read" { cure } else { "give another place, or leave it out to print the result" };
        Failure::new(Exit::Failed, "io", format!("{} cannot be {what}: {error}", path.display()), cure)
    }
}
