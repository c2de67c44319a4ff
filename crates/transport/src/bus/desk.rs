//! What the bus remembers of one agent's folders between two looks at them. All of it is derived: from the
//! log's state and from the files.

use super::file::Stamp;
use super::folders::{Entry, Kind};
use super::name::Names;
use orchestrator_protocol::AgentId;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsString;
use std::time::{Duration, Instant, SystemTime};

/// A folder that changed so recently may have changed again within the same tick of the disk's clock.
const RACY: Duration = Duration::from_secs(3);
/// However quiet the folders' clocks are, they are looked at so often: some disks do not tell.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Tells whether folders may have changed, from the times that the disk gives them.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    changed: u64,
    modified: Vec<Option<SystemTime>>,
    looked: Option<(SystemTime, Instant)>,
}

impl Clock {
    /// Whether anything may have changed since the last look. `changed` is the mailbox's number.
    pub(crate) fn is_due(&self, changed: u64, modified: &[Option<SystemTime>]) -> bool {
        let Some((at, then)) = self.looked else { return true };
        // A clock that runs ahead counts as racy, too.
        let racy = |time: &SystemTime| at.duration_since(*time).map_or(true, |age| age < RACY);
        self.changed != changed
            || self.modified != modified
            || modified.iter().any(Option::is_none)
            || modified.iter().flatten().any(racy)
            || then.elapsed() > LOOK_AGAIN
    }

    /// A look begins, with what the folders' times were before it.
    pub(crate) fn look(&mut self, changed: u64, modified: Vec<Option<SystemTime>>) {
        *self = Self { changed, modified, looked: Some((SystemTime::now(), Instant::now())) };
    }
}

/// A file that was dealt with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    stamp: Stamp,
    /// The message it holds, if any.
    pub(crate) message: Option<u64>,
}

/// Files that may be half written: seen, but not yet for the time of grace without a change.
#[derive(Debug, Default)]
pub(crate) struct Unsettled(HashMap<(Kind, OsString), (Stamp, Instant)>);

impl Unsettled {
    /// Whether a file has not changed for the time of grace.
    pub(crate) fn has_settled(&mut self, entry: &Entry, grace: Duration) -> bool {
        let now = Instant::now();
        let seen = self.0.entry((entry.kind, entry.name.clone())).or_insert((entry.stamp, now));
        if seen.0 != entry.stamp {
            *seen = (entry.stamp, now);
        }
        seen.1.elapsed() >= grace
    }

    /// Forgets files that are gone.
    pub(crate) fn forget(&mut self, listing: &[Entry]) {
        self.0.retain(|(kind, name), _| listing.iter().any(|entry| entry.kind == *kind && entry.name == *name));
    }
}

/// One agent's folders.
#[derive(Debug)]
pub(crate) struct Desk {
    /// In the spelling first registered.
    pub(crate) agent: AgentId,
    /// Until the first look is complete.
    pub(crate) fresh: bool,
    /// Something waits for another look.
    pub(crate) again: bool,
    pub(crate) names: Names,
    /// Messages whose file lies in `processing/` for a term that is recorded.
    pub(crate) claimed: BTreeSet<u64>,
    /// Messages that had a file at some time.
    pub(crate) had: BTreeSet<u64>,
    /// Messages whose file was nowhere at the last look.
    pub(crate) missing: BTreeSet<u64>,
    known: HashMap<(Kind, OsString), Known>,
    unsettled: Unsettled,
    pub(crate) clock: Clock,
}

impl Desk {
    pub(crate) fn new(agent: AgentId) -> Self {
        Self {
            agent,
            fresh: true,
            again: true,
            names: Names::default(),
            claimed: BTreeSet::new(),
            had: BTreeSet::new(),
            missing: BTreeSet::new(),
            known: HashMap::new(),
            unsettled: Unsettled::default(),
            clock: Clock::default(),
        }
    }

    /// What is known of a file, unless it has changed.
    pub(crate) fn known(&self, entry: &Entry) -> Option<Known> {
        let known = self.known.get(&(entry.kind, entry.name.clone()))?;
        (known.stamp == entry.stamp).then_some(*known)
    }

    /// The message that a receiver means by its file's name, also one that nobody has to deal with any more.
    pub(crate) fn message_named(&self, id: &str) -> Option<u64> {
        let file = OsString::from(format!("{id}.json"));
        let held_by = |kind| self.known.get(&(kind, file.clone()))?.message;
        let places = [Kind::Processing, Kind::Inbox, Kind::Archive];
        self.names.owner(id).or_else(|| places.into_iter().find_map(held_by))
    }

    /// Remembers a file that was dealt with.
    pub(crate) fn remember(&mut self, entry: &Entry, message: Option<u64>) {
        self.known.insert((entry.kind, entry.name.clone()), Known { stamp: entry.stamp, message });
        self.had.extend(message);
    }

    /// Whether a file that may be half written is done. It is looked at again until then.
    pub(crate) fn has_settled(&mut self, entry: &Entry, grace: Duration) -> bool {
        let settled = self.unsettled.has_settled(entry, grace);
        self.again |= !settled;
        settled
    }

    /// Forgets what no folder and no mailbox holds any more.
    pub(crate) fn forget(&mut self, listing: &[Entry], live: impl Fn(u64) -> bool) {
        let listed: BTreeSet<(Kind, &OsString)> = listing.iter().map(|entry| (entry.kind, &entry.name)).collect();
        self.known.retain(|(kind, name), _| listed.contains(&(*kind, name)));
        self.unsettled.forget(listing);
        let on_the_way = self.known.iter().filter(|((kind, _), _)| *kind <= Kind::Processing);
        let placed: BTreeSet<u64> = on_the_way.filter_map(|(_, known)| known.message).collect();
        let gone: Vec<u64> = self.names.messages().filter(|n| !live(*n) && !placed.contains(n)).collect();
        gone.into_iter().for_each(|message| self.names.take_back(message));
        for set in [&mut self.claimed, &mut self.had, &mut self.missing] {
            set.retain(|message| live(*message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_looked_at_when_they_or_the_mailbox_may_have_changed() {
        let now = SystemTime::now();
        let old = Some(now - Duration::from_secs(60));
        let mut clock = Clock::default();
        assert!(clock.is_due(7, &[old]), "never looked at");
        clock.look(7, vec![old]);
        for (changed, modified, due) in
            [(7, old, false), (8, old, true), (7, None, true), (7, Some(now - Duration::from_secs(50)), true)]
        {
            assert_eq!(clock.is_due(changed, &[modified]), due, "{changed} {modified:?}");
        }
        for racy in [now, now + Duration::from_secs(3_600)] {
            clock.look(7, vec![Some(racy)]);
            assert!(clock.is_due(7, &[Some(racy)]), "changed so recently that it may have changed again");
        }
    }
}
