//! `orchestrator-server replay`: scores the merge engine on the repository's own history.

mod output;

use super::say;
use crate::settings::Flags;
use anyhow::Context;
use clap::Args;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use indicatif::{ProgressBar, ProgressStyle};
use orchestrator_merge::{Layer, Layers, Options};
use orchestrator_replay::{Class, Peer, Score, Wanted, judge, learn, mine, report};
use orchestrator_repository::History;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Does the repository's merges again, in memory, and scores the merge engine by what people committed.
///
/// Every file that git's line merge leaves in conflict is a case; what the merge commit has is the answer. Nothing of the
/// repository is run or written to, and nothing is fetched: what is missing in a shallow or partial clone is left out
/// and counted.
#[derive(Args)]
pub(crate) struct Arguments {
    /// How many merges, the newest first
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    merges: usize,
    /// How many files in conflict at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    cases_most: usize,
    /// Where the history ends: a branch, a tag, a commit; what is checked out when left out
    #[arg(long, value_name = "REVISION")]
    from: Option<String>,
    /// Only merges committed on this day or later
    #[arg(long, value_name = "YYYY-MM-DD")]
    since: Option<jiff::civil::Date>,
    /// Only paths that fit a pattern such as 'src/**/*.rs'; can be given several times
    #[arg(long, value_name = "PATTERN")]
    paths: Vec<String>,
    /// How many threads [default: one a core]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Which layers may settle: all, lines, names of layers, or all but some, such as no-structure,no-sets
    #[arg(long, value_name = "LAYERS", default_value = "all", value_parser = layers)]
    layers: Layers,
    /// Let each merge be settled by what people made of the same conflicts in older merges of the history, too; what that
    /// is worth is the row of the layer 'recorded'
    #[arg(long)]
    recorded: bool,
    /// Score another merge program on the same files, such as 'git=git merge-file -q %A %O %B'; can be given several
    /// times. As a git merge driver: %O base, %A ours and the result, %B theirs, %P path, %L length of a marker; status 0
    /// is clean, 1 to 127 a conflict
    #[arg(long, value_name = "NAME=COMMAND")]
    compare: Vec<String>,
    /// Seconds that such a program may take for one file
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    compare_limit: u64,
    /// Print everything as JSON: the score, and each case with its classes, rules and times
    #[arg(long)]
    json: bool,
    /// Write a page with the tables and the cases side by side, those that differ first
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the cases into this folder, each a folder of base, ours, theirs, expected, result and path
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Only cases of these classes of --cases: E, W, V, D, B, X, F, and C for those with candidates
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', default_value = "D,B", value_parser = class)]
    class: Vec<Pick>,
}

/// Which cases are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pick {
    /// Those of a class.
    Class(Class),
    /// Those with candidates.
    Candidates,
}

fn class(text: &str) -> Result<Pick, String> {
    if text.eq_ignore_ascii_case("c") {
        return Ok(Pick::Candidates);
    }
    let found = Class::ALL.into_iter().find(|class| text.eq_ignore_ascii_case(&class.letter().to_string()));
    found.map(Pick::Class).ok_or_else(|| format!("'{text}' is no class; use E, W, V, D, B, X, F or C"))
}

fn layers(text: &str) -> Result<Layers, String> {
    let mut layers = if text == "all" || text.starts_with("no-") { Layers::ALL } else { Layers::LINES };
    for word in text.split(',').filter(|word| !matches!(*word, "all" | "lines")) {
        let name = word.strip_prefix("no-").unwrap_or(word);
        let Some(layer) = Layer::ALL.into_iter().find(|layer| layer.name() == name) else {
            let names: Vec<&str> = Layer::ALL.iter().map(|layer| layer.name()).collect();
            return Err(format!("'{name}' is no layer; use all, or some of {}", names.join(", ")));
        };
        layers = if name == word { layers.with(layer) } else { layers.without(layer) };
    }
    Ok(layers)
}

pub(crate) fn run(flags: &Flags, wanted: &Arguments) -> anyhow::Result<ExitCode> {
    let limit = Duration::from_secs(wanted.compare_limit);
    let peers: Vec<Peer> = wanted.compare.iter().map(|given| Peer::new(given, limit)).collect::<Result<_, _>>()?;
    let since = wanted.since.map(|day| day.to_zoned(jiff::tz::TimeZone::UTC)).transpose()?;
    let paths = patterns(&wanted.paths)?;
    let threads = wanted.jobs.map_or_else(std::thread::available_parallelism, Ok)?;
    let scratch = tempfile::tempdir().context("failed to make a folder for scratch files")?;
    let (objects, files) = (scratch.path().join("objects"), scratch.path().join("files"));
    std::fs::create_dir(&objects).and_then(|()| std::fs::create_dir(&files))?;

    let repository = flags.repo.as_deref().unwrap_or(Path::new("."));
    let history = History::open(repository, &objects, wanted.from.as_deref())?;
    let bar =
        ProgressBar::no_length().with_style(ProgressStyle::with_template("{msg:12} {wide_bar} {pos}/{len} {eta}")?);
    let progress = |what: &str, done: usize, of: usize| {
        if bar.message() != what {
            bar.set_message(what.to_owned());
        }
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    };
    let fits = |path: &str| wanted.paths.is_empty() || paths.is_match(path);
    let chosen = Wanted {
        merges: wanted.merges,
        cases: wanted.cases_most,
        since: since.map(|day| day.timestamp().as_second()),
        path: &fits,
        threads,
    };
    let cases = mine(&history, &chosen, &progress)?;
    let engine = Options { layers: wanted.layers, ..Options::default() };
    let lessons = wanted.recorded.then(|| learn(&history, &cases, threads, &progress));
    let judgement = judge(&history, cases, (&engine, &peers), lessons.as_ref(), threads, &files, &progress)?;
    bar.finish_and_clear();

    let score = Score::of(&judgement);
    if wanted.json {
        say(serde_json::to_string_pretty(&report::json(&judgement, &score))?);
    } else {
        say(report::text(&judgement, &score).trim_end());
    }
    let reader = history.reader();
    if let Some(file) = &wanted.html {
        let page = report::html(&judgement, &score, |id| reader.blob(id).ok());
        std::fs::write(file, page).with_context(|| format!("failed to write {}", file.display()))?;
    }
    if let Some(folder) = &wanted.cases {
        output::cases(folder, &reader, &judgement, &wanted.class)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn patterns(given: &[String]) -> anyhow::Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in given {
        set.add(GlobBuilder::new(pattern).literal_separator(true).build()?);
    }
    Ok(set.build()?)
}
