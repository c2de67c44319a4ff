//! From a history to cases.

use crate::parallel::each;
use crate::{Case, Cases, Clean, Error, Progress};
use orchestrator_repository::{History, LineResult, MergedFile, Redone};
use std::collections::HashMap;
use std::num::NonZero;

/// Which cases are wanted.
pub struct Wanted<'a> {
    /// Most merges, the newest first.
    pub merges: usize,
    /// Most files in conflict.
    pub cases: usize,
    /// None committed before this, in seconds since 1970.
    pub since: Option<i64>,
    /// Which paths count.
    pub path: &'a (dyn Fn(&str) -> bool + Sync),
    /// How many threads.
    pub threads: NonZero<usize>,
}

impl std::fmt::Debug for Wanted<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Wanted").field("merges", &self.merges).field("cases", &self.cases).finish_non_exhaustive()
    }
}

/// Does the merges of a history again. Costs a tree merge for each.
///
/// # Errors
/// The history cannot be walked. A merge that cannot be read is left out and counted.
pub fn mine(history: &History, wanted: &Wanted<'_>, progress: Progress<'_>) -> Result<Cases, Error> {
    let merges = history.merges(wanted.merges, wanted.since)?;
    let redo = |reader: &mut orchestrator_repository::Reader, merge: &_| reader.redo(merge);
    let redone = each(wanted.threads, &merges.found, ("merges", progress), || history.reader(), redo);

    let mut cases = Cases::default();
    cases.skipped.octopus = merges.octopus;
    cases.skipped.cut = merges.cut;
    let mut known = HashMap::new();
    for ((age, merge), redone) in merges.found.iter().enumerate().zip(redone) {
        match redone {
            Err(_) => cases.skipped.unreadable_merges += 1,
            Ok(Redone::Unrelated) => cases.skipped.unrelated += 1,
            Ok(Redone::CrissCross) => cases.skipped.criss_cross += 1,
            Ok(Redone::Merged { files, others }) => {
                cases.merges += 1;
                let counts = |path: &[u8]| std::str::from_utf8(path).map_or(true, |path| (wanted.path)(path));
                let files: Vec<MergedFile> = files.into_iter().filter(|file| counts(&file.path)).collect();
                let others = others.iter().filter(|path| counts(path)).count();
                cases.two_sided += usize::from(!files.is_empty() || others > 0);
                for file in files {
                    cases.take((age, merge.commit), file, &mut known, wanted.cases);
                }
                if others > 0 {
                    *cases.unsettled.entry(merge.commit).or_default() += others;
                }
            }
        }
    }
    Ok(cases)
}

type Versions = [orchestrator_repository::ObjectId; 3];

impl Cases {
    fn take(
        &mut self,
        (age, merge): (usize, orchestrator_repository::ObjectId),
        file: MergedFile,
        known: &mut HashMap<Versions, Option<usize>>,
        most: usize,
    ) {
        let case = Case::new((age, merge), &file);
        let is_conflict = file.lines == LineResult::Conflict;
        let Some(case) = case else {
            match file.committed {
                None => self.skipped.gone += usize::from(is_conflict),
                Some(_) => self.skipped.names += 1,
            }
            if is_conflict {
                *self.unsettled.entry(merge).or_default() += 1;
            }
            return;
        };
        match file.lines {
            LineResult::Committed => self.clean.push(Clean { case, other: None }),
            LineResult::Other(content) => self.clean.push(Clean { case, other: Some(content) }),
            LineResult::Conflict => {
                let versions = [case.base, case.ours, case.theirs];
                let place = match known.get(&versions) {
                    Some(place) => {
                        self.skipped.repeated += 1;
                        self.repeats.push(case);
                        *place
                    }
                    None => {
                        let place = (self.conflicts.len() < most).then_some(self.conflicts.len());
                        match place {
                            Some(_) => self.conflicts.push(case),
                            None => self.skipped.beyond += 1,
                        }
                        known.insert(versions, place);
                        place
                    }
                };
                match place {
                    Some(place) => self.by_merge.entry(merge).or_default().push(place),
                    None => *self.unsettled.entry(merge).or_default() += 1,
                }
            }
        }
    }
}
