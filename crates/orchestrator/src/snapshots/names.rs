//! Names of what is kept, `refs/KIND/NUMBER-MILLISECONDS`, and how it is fetched by them.

use super::ledger::parts;
use crate::Orchestrator;
use orchestrator_protocol::Backup;
use orchestrator_repository::{self as repository, ObjectId, Store};

impl Orchestrator {
    /// The least time from now on that no ref of an agent's number has, in milliseconds; what the log knows is gone
    /// is not given again. The store refuses the name all the same when somebody is faster. Blocks.
    pub(crate) fn free_stamp(&self, store: &Store, number: u64) -> Result<i64, repository::Error> {
        let known = self.shared.core.lock().state.snapshots.next_stamp(number);
        let names = store.ref_names("refs/")?;
        let stamps = names.iter().filter_map(|name| parts(name)).filter(|(whose, _)| *whose == number);
        let next = stamps.map(|(_, stamp)| stamp.saturating_add(1)).max().unwrap_or(0);
        Ok(crate::engine::now().0.max(known).max(next))
    }
}

/// What a caller is told of the backup `refs/backup/<short>`.
pub(crate) fn backup(store: &Store, short: &str, commit: ObjectId) -> Backup {
    let (name, repository) = (format!("refs/backup/{short}"), store.folder().display().to_string());
    let quoted = repository.replace('\'', r"'\''");
    let restore = format!("git fetch '{quoted}' {name}:refs/heads/kept/{short}");
    Backup { name, commit: commit.to_string(), repository, restore }
}
