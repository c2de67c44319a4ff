//! What the merges of a history teach for later ones.

use crate::parallel::each;
use crate::{Case, Cases, Progress};
use orchestrator_merge::{Edit, Key, Recorded, Recording, Recordings};
use orchestrator_repository::{History, Reader};
use std::collections::HashMap;
use std::num::NonZero;

/// What people made of each region in conflict, and in which merge.
#[derive(Debug, Default)]
pub struct Lessons {
    all: Recordings,
    /// The oldest merge that taught it, by [`Case::age`].
    ages: HashMap<Recording, usize>,
}

/// Learns from all cases, those included that repeat another one. Costs a line merge for each.
#[must_use]
pub fn learn(history: &History, cases: &Cases, threads: NonZero<usize>, progress: Progress<'_>) -> Lessons {
    let all: Vec<&Case> = cases.conflicts.iter().chain(&cases.repeats).collect();
    let learnt = each(threads, &all, ("lessons", progress), || history.reader(), |reader, case| lesson(reader, case));
    let mut lessons = Lessons::default();
    for (case, recordings) in all.iter().zip(learnt) {
        for recording in recordings.into_iter().flatten() {
            let age = lessons.ages.entry(recording.clone()).or_default();
            *age = case.age.max(*age);
            lessons.all.record(recording);
        }
    }
    lessons
}

fn lesson(reader: &Reader, case: &Case) -> Vec<Option<Recording>> {
    let text = |id| reader.blob(id).ok();
    let texts = (|| Some([text(case.base)?, text(case.ours)?, text(case.theirs)?, text(case.committed)?]))();
    let Some([base, ours, theirs, committed]) = texts else { return Vec::new() };
    orchestrator_merge::learn(Some(&base), &ours, &theirs, &case.path, &committed)
}

impl Lessons {
    /// What was known when a case came up: the lessons of older merges.
    pub(crate) fn before(&self, case: &Case) -> Earlier<'_> {
        Earlier { lessons: self, age: case.age }
    }
}

/// The lessons of merges older than one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Earlier<'a> {
    lessons: &'a Lessons,
    age: usize,
}

impl Earlier<'_> {
    fn knows(&self, recording: &Recording) -> bool {
        self.lessons.ages.get(recording).is_some_and(|age| *age > self.age)
    }
}

impl Recorded for Earlier<'_> {
    fn exact(&self, key: &Key) -> Vec<Edit> {
        let edits = self.lessons.all.exact(key).into_iter();
        let recordings = edits.map(|edit| Recording { key: key.clone(), edit });
        recordings.filter(|recording| self.knows(recording)).map(|recording| recording.edit).collect()
    }

    fn near(&self, key: &Key) -> Vec<Recording> {
        let mut near = self.lessons.all.near(key);
        near.retain(|recording| self.knows(recording));
        near
    }
}
