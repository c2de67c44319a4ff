//! Asks the engine and other programs for an answer to every case, and says what it is worth.

use crate::parallel::each;
use crate::peer::{Given, Peer};
use crate::{Case, Cases, Class, Clean, Error, Lessons, Progress, classify, language};
use orchestrator_merge::{Conflict, Options, Outcome, Proof, Recorded, Rule, merge};
use orchestrator_repository::{History, Reader};
use orchestrator_syntax::{Language, Limits, parse};
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

/// An answer to one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it is worth.
    pub class: Class,
    /// What the answers that need a gate are worth, in their order. Then `class` is [`Class::Conflict`].
    pub candidates: Vec<Class>,
    /// What settled it, or the first candidate; sorted, none twice.
    pub rules: Vec<Rule>,
    /// The clean answer, or the first candidate.
    pub content: Option<Vec<u8>>,
    /// Why there is none.
    pub why: Option<String>,
    /// How long it took, in microseconds.
    pub micros: u64,
}

/// A case and all answers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The case.
    pub case: Case,
    /// Its language.
    pub language: String,
    /// Whether what was committed is one side whole.
    pub one_sided: bool,
    /// Ours.
    pub ours: Answer,
    /// Those of the programs compared with, in their order.
    pub peers: Vec<Answer>,
    /// How long parsing the base, both sides and the committed file once takes, in microseconds.
    pub parse_micros: Option<u64>,
}

/// A file that git merges, and what we make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanAnswer {
    /// The case.
    pub case: Case,
    /// Its language.
    pub language: String,
    /// Whether what was committed is one side whole.
    pub one_sided: bool,
    /// What git's result is worth.
    pub git: Class,
    /// Whether ours is another one, or none.
    pub is_changed: bool,
    /// Ours.
    pub ours: Answer,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The cases; those that could not be read are counted as skipped.
    pub cases: Cases,
    /// For each case in conflict, in its order; nothing where a version is missing.
    pub conflicts: Vec<Option<Judged>>,
    /// Files that git merges.
    pub clean: Vec<CleanAnswer>,
    /// Names of the programs compared with.
    pub peers: Vec<String>,
}

/// Judges all cases, each with the lessons of older merges where there are lessons. `scratch` is a folder for the files that other programs are given.
///
/// # Errors
/// The scratch folder cannot be written.
pub fn judge(
    history: &History,
    mut cases: Cases,
    (engine, peers): (&Options<'_>, &[Peer]),
    lessons: Option<&Lessons>,
    threads: NonZero<usize>,
    scratch: &Path,
    progress: Progress<'_>,
) -> Result<Judgement, Error> {
    let engine = Engine { options: engine, lessons };
    let folder = || tempfile::tempdir_in(scratch);
    drop(folder()?);
    let view = || (history.reader(), folder().ok());
    let conflicts = each(threads, &cases.conflicts, ("conflicts", progress), view, |(reader, folder), case| {
        judge_conflict(reader, folder.as_ref().map(tempfile::TempDir::path), case, &engine, peers)
    });
    let clean = each(
        threads,
        &cases.clean,
        ("clean files", progress),
        || history.reader(),
        |reader, clean| judge_clean(reader, clean, &engine),
    );
    let missing = conflicts.iter().filter(|judged| judged.is_none()).count();
    cases.skipped.unreadable_files = missing + clean.iter().filter(|judged| judged.is_none()).count();
    let clean = clean.into_iter().flatten().collect();
    Ok(Judgement { cases, conflicts, clean, peers: peers.iter().map(|peer| peer.name.clone()).collect() })
}

/// The base, ours, theirs and what was committed.
type Texts = [Vec<u8>; 4];

fn texts(reader: &Reader, case: &Case) -> Option<Texts> {
    let text = |id| reader.blob(id).ok();
    Some([text(case.base)?, text(case.ours)?, text(case.theirs)?, text(case.committed)?])
}

fn judge_conflict(
    reader: &Reader,
    folder: Option<&Path>,
    case: &Case,
    engine: &Engine<'_>,
    peers: &[Peer],
) -> Option<Judged> {
    let texts = texts(reader, case)?;
    let [base, ours, theirs, committed] = &texts;
    let asked = peers.iter().map(|peer| {
        let started = Instant::now();
        let given = match folder {
            Some(folder) => peer.merge(folder, &case.path, [base, ours, theirs]),
            None => Given::Failed("there is no scratch folder".to_owned()),
        };
        let micros = micros(started);
        let (class, content, why) = match given {
            Given::Clean(content) => (worth(case, &texts, &content), Some(content), None),
            Given::Conflict => (Class::Conflict, None, None),
            Given::Failed(why) => (Class::Failed, None, Some(why)),
        };
        Answer { class, candidates: Vec::new(), rules: Vec::new(), content, why, micros }
    });
    Some(Judged {
        language: language(&case.path),
        one_sided: committed == ours || committed == theirs,
        ours: answer(case, &texts, engine),
        peers: asked.collect(),
        parse_micros: parse_all(&case.path, &texts),
        case: case.clone(),
    })
}

fn judge_clean(reader: &Reader, clean: &Clean, engine: &Engine<'_>) -> Option<CleanAnswer> {
    let case = &clean.case;
    let texts = texts(reader, case)?;
    let [_, ours, theirs, committed] = &texts;
    let git = clean.other.as_ref().unwrap_or(committed);
    let mut answer = answer(case, &texts, engine);
    let is_changed = answer.content.as_ref() != Some(git) || !answer.class.is_clean();
    if !is_changed {
        answer.content = None;
    }
    Some(CleanAnswer {
        language: language(&case.path),
        one_sided: committed == ours || committed == theirs,
        git: worth(case, &texts, git),
        is_changed,
        ours: answer,
        case: case.clone(),
    })
}

/// The engine as it is asked.
struct Engine<'a> {
    options: &'a Options<'a>,
    lessons: Option<&'a Lessons>,
}

/// The engine's answer. A panic is its failure, not the replay's.
fn answer(case: &Case, texts: &Texts, engine: &Engine<'_>) -> Answer {
    let [base, ours, theirs, _] = texts;
    let earlier = engine.lessons.map(|lessons| lessons.before(case));
    let recorded = earlier.as_ref().map(|earlier| earlier as &dyn Recorded);
    let options = Options { recorded, ..*engine.options };
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| merge(Some(base), Some(ours), Some(theirs), &case.path, &options)));
    let micros = micros(started);
    let empty =
        Answer { class: Class::Conflict, candidates: Vec::new(), rules: Vec::new(), content: None, why: None, micros };
    let left = |conflict: &Conflict| Some(format!("{:?}", conflict.kind));
    match outcome {
        Ok(Outcome::Clean { content: Some(content), regions }) => {
            Answer { class: worth(case, texts, &content), rules: rules(&regions), content: Some(content), ..empty }
        }
        Ok(Outcome::Clean { content: None, .. }) => {
            Answer { class: Class::Differs, why: Some("the file is deleted".to_owned()), ..empty }
        }
        Ok(Outcome::Candidates { candidates, conflict }) => Answer {
            candidates: candidates.iter().map(|candidate| worth(case, texts, &candidate.content)).collect(),
            rules: candidates.first().map(|candidate| rules(&candidate.regions)).unwrap_or_default(),
            content: candidates.into_iter().next().map(|candidate| candidate.content),
            why: left(&conflict),
            ..empty
        },
        Ok(Outcome::Conflict(conflict)) => Answer { why: left(&conflict), ..empty },
        Ok(_) => Answer { why: Some("an outcome of another kind".to_owned()), ..empty },
        Err(_) => Answer { class: Class::Failed, why: Some("the engine panicked".to_owned()), ..empty },
    }
}

fn worth(case: &Case, [_, ours, theirs, committed]: &Texts, answer: &[u8]) -> Class {
    classify(&case.path, (ours, theirs), answer, committed)
}

fn rules(regions: &[Proof]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = regions.iter().map(|region| region.rule).collect();
    rules.sort_by_key(|rule| (rule.layer(), format!("{rule:?}")));
    rules.dedup();
    rules
}

fn parse_all(path: &str, texts: &Texts) -> Option<u64> {
    let language = Language::of_path(path)?;
    let started = Instant::now();
    for text in texts {
        // What the parse says does not matter here.
        let _ = std::hint::black_box(parse(language, text, Limits::default()));
    }
    Some(micros(started))
}

fn micros(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}
