//! Letting go of what landings that are over left: first the log says so, then it goes.

use super::checks::outputs;
use super::runner::with_store;
use crate::mail::internal;
use crate::{Actor, Command, Error, Orchestrator};
use orchestrator_landing::{Command as Step, Landing};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant, SystemTime};

/// What landings keep in the store.
const REFS: &str = "refs/landing/";
/// How often it is looked what can go.
const EVERY: Duration = Duration::from_secs(3_600);

/// When it was looked last, and what no landing named then.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    looked: Option<Instant>,
    unnamed: BTreeSet<String>,
}

impl Upkeep {
    /// Lets go of what is old enough, when it is time to look again.
    pub(super) async fn run(&mut self, orchestrator: &Orchestrator) {
        if self.looked.is_some_and(|looked| looked.elapsed() < EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let degradations = &orchestrator.shared.degradations;
        match retire(orchestrator, &mut self.unnamed).await {
            Ok(()) => degradations.clear("landing_upkeep"),
            Err(error) => {
                let cure = "tried again within the hour; what is kept longer takes room only";
                degradations.raise("landing_upkeep", error.to_string(), cure);
            }
        }
    }
}

async fn retire(orchestrator: &Orchestrator, unnamed: &mut BTreeSet<String>) -> Result<(), Error> {
    let now = crate::engine::now().0;
    let retention = orchestrator.options().snapshots.retention;
    let landings: BTreeMap<u64, Landing> =
        orchestrator.read(|state| state.landings.all().map(|one| (one.id, one.clone())).collect()).await?;
    let term = Terms { work: retention.work, backups: retention.backups.max(crate::snapshots::MIN_BACKUP), now };
    let kept = with_store(orchestrator, |_, store| {
        let made = |(name, commit)| Ok((name, store.committed_at(commit).map_err(internal)?.saturating_mul(1_000)));
        store.refs(REFS).map_err(internal)?.into_iter().map(made).collect::<Result<Vec<_>, Error>>()
    })
    .await?;
    let mut refs = Vec::new();
    let mut unknown = BTreeSet::new();
    for (name, at) in kept {
        match term.is_over(&name, &landings) {
            Some(true) => refs.push(name),
            Some(false) => {}
            // Forgotten long ago, or just being asked for: then the next look knows it.
            None if unnamed.contains(&name) && term.is_past(at, term.work) => refs.push(name),
            None => {
                unknown.insert(name);
            }
        }
    }
    *unnamed = unknown;
    if !refs.is_empty() {
        orchestrator.submit(Actor::System, Command::Landing(Step::Retire { refs: refs.clone() })).await?;
        // Asked for again meanwhile, it is needed again.
        let open: BTreeSet<String> =
            orchestrator.read(|state| state.landings.open().map(|one| one.kept.clone()).collect()).await?;
        with_store(orchestrator, move |_, store| {
            let over = refs.iter().filter(|name| !open.contains(*name));
            over.into_iter().try_for_each(|name| store.remove_ref(name).map(drop)).map_err(internal)
        })
        .await?;
    }
    orchestrator.blocking(move |this| forget_output(this, &landings, term)).await
}

/// How long what is kept for.
#[derive(Debug, Clone, Copy)]
struct Terms {
    work: Duration,
    backups: Duration,
    /// In milliseconds since 1970.
    now: i64,
}

impl Terms {
    fn is_past(&self, at: i64, term: Duration) -> bool {
        self.now.saturating_sub(at) > i64::try_from(term.as_millis()).unwrap_or(i64::MAX)
    }

    /// Whether a ref need not be kept any longer. The name of a backup says when it was made; work goes by when the last
    /// landing of it ended. Nothing of work that no landing names.
    fn is_over(&self, name: &str, landings: &BTreeMap<u64, Landing>) -> Option<bool> {
        let rest = name.strip_prefix(REFS)?;
        if let Some(rest) = rest.strip_prefix("before-") {
            let parts: Vec<Option<i64>> = rest.split('-').map(|part| part.parse().ok()).collect();
            return match parts.as_slice() {
                [Some(_), Some(_), Some(at)] => Some(self.is_past(*at, self.backups)),
                _ => Some(false),
            };
        }
        let of: Vec<&Landing> = landings.values().filter(|one| one.kept == name).collect();
        let at = of.iter().map(|one| one.changed_at).max()?;
        Some(of.iter().all(|one| !one.is_open()) && self.is_past(at, self.work))
    }
}

/// Removes what gates printed for landings that ended long ago.
fn forget_output(orchestrator: &Orchestrator, landings: &BTreeMap<u64, Landing>, term: Terms) -> Result<(), Error> {
    let folder = outputs(orchestrator.options());
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(internal)?,
    };
    for entry in entries {
        let entry = entry.map_err(internal)?;
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok()) else { continue };
        let is_over = match landings.get(&id) {
            Some(landing) => !landing.is_open() && term.is_past(landing.changed_at, term.work),
            None => {
                let changed = entry.metadata().and_then(|data| data.modified()).map_err(internal)?;
                let since = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
                term.is_past(i64::try_from(since.as_millis()).unwrap_or(i64::MAX), term.work)
            }
        };
        if is_over {
            fs::remove_dir_all(entry.path()).map_err(internal)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_landing::{Command as Step, Landings, Request};

    const DAY: i64 = 86_400_000;

    #[test]
    fn backups_go_by_their_name_and_work_when_its_last_landing_is_over_for_long() {
        let mut landings = Landings::default();
        let mut seq = 0;
        let mut give = |landings: &mut Landings, command: Step, at| {
            for event in landings.decide(&command, at).unwrap() {
                seq += 1;
                landings.apply(seq, &event);
            }
            seq
        };
        let request = |work: &str, target: &str| {
            let (commit, kept) = (work.to_owned(), format!("refs/landing/work-{work}"));
            let (agent, message) = ("ann".parse().unwrap(), "m".to_owned());
            Step::Request(Request { agent, target: target.to_owned(), message, priority: 0, commit, kept })
        };
        let one = give(&mut landings, request("aa", "main"), 0);
        let other = give(&mut landings, request("aa", "dev"), 0);
        give(&mut landings, Step::Cancel { id: one }, DAY);
        let is_over = |landings: &Landings, name: &str, now| {
            let term = Terms { work: Duration::from_secs(7 * 86_400), backups: Duration::from_secs(30 * 86_400), now };
            term.is_over(&format!("refs/landing/{name}"), &landings.all().map(|one| (one.id, one.clone())).collect())
        };
        assert_eq!(is_over(&landings, "work-aa", 100 * DAY), Some(false), "another landing needs it");
        give(&mut landings, Step::Cancel { id: other }, 2 * DAY);
        assert_eq!(is_over(&landings, "work-aa", 9 * DAY), Some(false));
        assert_eq!(is_over(&landings, "work-aa", 9 * DAY + 1), Some(true));
        assert_eq!(is_over(&landings, "work-bb", 9 * DAY), None, "nobody names it");
        assert_eq!(is_over(&landings, &format!("before-7-1-{DAY}"), 31 * DAY), Some(false));
        assert_eq!(is_over(&landings, &format!("before-7-1-{DAY}"), 31 * DAY + 1), Some(true));
        assert_eq!(is_over(&landings, "before-7-1", 999 * DAY), Some(false), "it does not say when it was made");
    }
}
