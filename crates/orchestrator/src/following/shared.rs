//! A folder that several agents work in: who wrote which version of which file, and what of one's work another wrote
//! over.
//!
//! All of it is in memory. What is overwritten is made durable by the runner at once; this only decides.

use super::Path;
use crate::policy::attribution::{Author, Says};
use orchestrator_predict::{Id, Mode, Region, Source, Version, overwritten};
use orchestrator_protocol::AgentId;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// A report that comes so long after a version may still be about it.
const LATE: Duration = Duration::from_secs(2);
/// Runs of versions by one author that are remembered of a file.
const RUNS: usize = 8;
/// Files of which versions are remembered; beyond it, those unchanged for longest are forgotten.
const FILES: usize = 4_096;

/// An agent in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) agent: AgentId,
    pub(crate) number: u64,
}

/// Versions that one author wrote one after the other; the last of them.
#[derive(Debug, Clone)]
struct Run {
    author: Option<AgentId>,
    version: Option<Version>,
}

/// What a file went through.
#[derive(Debug)]
struct File {
    /// The first is what stood there before.
    runs: VecDeque<Run>,
    /// What stood there before the newest version, and whether that began a run.
    previous: Option<Version>,
    began: bool,
    is_sure: bool,
    at: Instant,
}

/// What of an agent's work is gone.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    pub(crate) path: Path,
    /// Whose work.
    pub(crate) loser: AgentId,
    pub(crate) by: AgentId,
    /// Before the work.
    pub(crate) base: Option<Version>,
    /// With the work.
    pub(crate) ours: Option<Version>,
    /// What stood there when it was overwritten; has at least the work.
    pub(crate) overwritten: Option<Version>,
    /// Where; none for a content that is not lines.
    pub(crate) regions: Vec<Region>,
    /// What its record is known by; empty before there is one.
    pub(crate) subject: String,
}

/// A folder's memory.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Reports before this event are about earlier versions.
    since: u64,
    /// By path and agent: the newest event that an earlier version accounts for.
    heard: BTreeMap<String, BTreeMap<String, u64>>,
    /// Whose work stands at a path, by number.
    owners: BTreeMap<Path, u64>,
    files: BTreeMap<Path, File>,
    losses: Vec<Loss>,
}

impl Shared {
    pub(crate) fn new(since: u64) -> Self {
        Self { since, heard: BTreeMap::new(), owners: BTreeMap::new(), files: BTreeMap::new(), losses: Vec::new() }
    }

    /// The newest event of an agent about a file that is accounted for.
    pub(crate) fn heard(&self, name: &str, agent: &AgentId) -> u64 {
        let heard = self.heard.get(name).and_then(|heard| heard.get(&agent.key()));
        heard.copied().unwrap_or(0).max(self.since)
    }

    pub(crate) fn hear(&mut self, name: &str, agent: &AgentId, seq: u64) {
        self.heard.entry(name.to_owned()).or_default().insert(agent.key(), seq);
    }

    /// Contents of older versions that a later comparison reads.
    pub(crate) fn contents(&self) -> impl Iterator<Item = Id> + '_ {
        let runs = self.files.values().flat_map(|file| file.runs.iter().map(|run| run.version).chain([file.previous]));
        let lost = self.losses.iter().flat_map(|loss| [loss.base, loss.ours, loss.overwritten]);
        runs.chain(lost).flatten().filter(|version| version.mode != Mode::Commit).map(|version| version.id)
    }

    /// Whose work stands at a path, where that is known.
    pub(crate) fn owner(&self, path: &Path) -> Option<u64> {
        self.owners.get(path).copied()
    }

    pub(crate) fn own(&mut self, path: Path, number: u64) {
        self.owners.insert(path, number);
    }

    /// An agent left: nobody is known where it was.
    pub(crate) fn disown(&mut self, number: u64) {
        self.owners.retain(|_, owner| *owner != number);
    }

    /// Takes in a version that has come to rest. `before` is what stood there when nothing is known of the file yet.
    pub(crate) fn settle(&mut self, path: &Path, before: Option<Version>, version: Option<Version>, author: Author) {
        let new = || File {
            runs: VecDeque::from([Run { author: None, version: before }]),
            previous: before,
            began: false,
            is_sure: true,
            at: Instant::now(),
        };
        let file = self.files.entry(path.clone()).or_insert_with(new);
        let Some(last) = file.runs.back().map(|run| run.version) else { return };
        if last == version {
            return;
        }
        (file.previous, file.is_sure, file.at) = (last, author.says != Says::Work, Instant::now());
        file.write(author.agent, version);
        if self.files.len() > FILES {
            let oldest = self.files.iter().min_by_key(|(_, file)| file.at).map(|(path, _)| path.clone());
            oldest.and_then(|oldest| self.files.remove(&oldest));
        }
    }

    /// A file has another name now.
    pub(crate) fn renamed(&mut self, from: &Path, to: &Path) {
        if let Some(file) = self.files.remove(from) {
            self.files.insert(to.clone(), file);
        }
        for loss in self.losses.iter_mut().filter(|loss| loss.path == *from) {
            loss.path = to.clone();
        }
    }

    /// The files whose newest version may still be claimed by a report.
    pub(crate) fn unclaimed(&self) -> Vec<Path> {
        let open = self.files.iter().filter(|(_, file)| !file.is_sure && file.at.elapsed() < LATE);
        open.map(|(path, _)| path.clone()).collect()
    }

    /// An agent says that the newest version of a file is its own.
    pub(crate) fn claim(&mut self, path: &Path, agent: &AgentId) {
        let Some(file) = self.files.get_mut(path) else { return };
        file.is_sure = true;
        let Some(version) = file.runs.back().map(|run| run.version) else { return };
        if file.began {
            file.runs.pop_back();
        } else if let Some(last) = file.runs.back_mut() {
            last.version = file.previous;
        }
        file.write(Some(agent.clone()), version);
    }

    /// What the newest version of a file took back of others' work and was not told yet. To put back what another one
    /// wrote over takes nothing back.
    ///
    /// # Errors
    /// A content could not be read.
    pub(crate) fn lost<S: Source>(&self, source: &S, path: &Path) -> Result<Vec<Loss>, S::Error> {
        let runs: Vec<&Run> = self.files.get(path).map(|file| file.runs.iter().collect()).unwrap_or_default();
        let [.., previous, last] = runs.as_slice() else { return Ok(Vec::new()) };
        let Some(by) = &last.author else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (place, pair) in runs.windows(2).enumerate() {
            let [before, run] = pair else { continue };
            let Some(loser) = run.author.clone().filter(|loser| loser.key() != by.key()) else { continue };
            let (base, ours) = (before.version, run.version);
            let Some(mut regions) = overwritten(source, base, ours, last.version)? else { continue };
            let told = self.losses.iter().filter(|loss| loss.path == *path && loss.ours == ours);
            let told: Vec<&Loss> = told.collect();
            let earlier = runs.get(..=place).unwrap_or_default();
            if regions.is_empty() {
                let is_back = earlier.iter().any(|run| run.author.is_some() && run.version == last.version);
                let is_old = !told.is_empty() || overwritten(source, base, ours, previous.version)?.is_some();
                if is_back || is_old {
                    continue;
                }
            } else {
                // What was gone before is not gone by this version.
                let gone = overwritten(source, base, ours, previous.version)?.unwrap_or_default();
                let old = told.iter().flat_map(|loss| &loss.regions).chain(&gone);
                let old: Vec<&Region> = old.collect();
                regions.retain(|one| !old.iter().any(|other| is_same(one, other)));
                for pair in earlier.windows(2) {
                    let [before, other] = pair else { continue };
                    let restored = overwritten(source, before.version, other.version, ours)?.unwrap_or_default();
                    regions.retain(|one| !restored.iter().any(|other| other.second == one.first));
                }
                if regions.is_empty() {
                    continue;
                }
            }
            found.push(Loss::new(path, (loser, by), (base, ours, previous.version), regions));
        }
        Ok(found)
    }

    /// Remembers a loss that was told.
    pub(crate) fn mourn(&mut self, loss: Loss) {
        self.losses.push(loss);
    }

    /// The losses that the version now at a path has made good.
    ///
    /// # Errors
    /// A content could not be read.
    pub(crate) fn made_good<S: Source>(
        &mut self,
        source: &S,
        path: &Path,
        now: Option<Version>,
    ) -> Result<Vec<Loss>, S::Error> {
        let (mut over, mut open) = (Vec::new(), Vec::new());
        for loss in std::mem::take(&mut self.losses) {
            let is_over = match loss.path == *path {
                true => loss.is_over(source, now),
                false => Ok(false),
            };
            match is_over {
                Ok(true) => over.push(loss),
                Ok(false) => open.push(loss),
                Err(error) => {
                    open.push(loss);
                    self.losses.append(&mut open);
                    return Err(error);
                }
            }
        }
        self.losses = open;
        Ok(over)
    }

    /// What the records of the losses that stand are known by.
    pub(crate) fn subjects(&self) -> Vec<String> {
        self.losses.iter().map(|loss| loss.subject.clone()).collect()
    }
}

impl File {
    fn write(&mut self, author: Option<AgentId>, version: Option<Version>) {
        let is_first = self.runs.len() == 1;
        let key = |agent: &Option<AgentId>| agent.as_ref().map(AgentId::key);
        match self.runs.back_mut() {
            Some(last) if !is_first && key(&last.author) == key(&author) => {
                last.version = version;
                self.began = false;
            }
            _ => {
                self.runs.push_back(Run { author, version });
                self.began = true;
            }
        }
        while self.runs.len() > RUNS + 1 {
            self.runs.pop_front();
        }
    }
}

impl Loss {
    fn new(
        path: &Path,
        (loser, by): (AgentId, &AgentId),
        (base, ours, overwritten): (Option<Version>, Option<Version>, Option<Version>),
        regions: Vec<Region>,
    ) -> Self {
        let (path, by, subject) = (path.clone(), by.clone(), String::new());
        Self { path, loser, by, base, ours, overwritten, regions, subject }
    }

    fn is_over<S: Source>(&self, source: &S, now: Option<Version>) -> Result<bool, S::Error> {
        Ok(match overwritten(source, self.base, self.ours, now)? {
            None => true,
            Some(gone) if self.regions.is_empty() => !gone.is_empty(),
            Some(gone) => !gone.is_empty() && !self.regions.iter().any(|one| gone.iter().any(|l| is_same(one, l))),
        })
    }
}

/// Whether two findings of one change are the same place of it.
fn is_same(one: &Region, other: &Region) -> bool {
    (one.base.start, one.first.start, one.first.lines) == (other.base.start, other.first.start, other.first.lines)
}
