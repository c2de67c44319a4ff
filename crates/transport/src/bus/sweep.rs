//! What lies in the bus between, or under other names than, the agents' own folders; and what is too old.

use super::Error;
use super::accept::sender_of;
use super::file::Content;
use super::folders::{Folders, Kind, OFFICE};
use super::spool::{MAX_FILE, Refusal};
use orchestrator_protocol::AgentId;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::SystemTime;

/// Folders that agents put files into.
const OPEN: [Kind; 3] = [Kind::Inbox, Kind::Processing, Kind::Outbox];

/// Puts files where they belong: those in a folder that spells an agent's name otherwise into the agent's
/// own, those in a folder of nobody's into `failed/`. `agents` holds the spelling first registered by key.
/// Tells whether there were such folders.
pub(crate) fn tidy(folders: &Folders, agents: &BTreeMap<String, AgentId>) -> Result<bool, Error> {
    let mut odd = false;
    for kind in OPEN {
        let (owners, strays) = folders.owners(kind)?;
        for name in strays {
            let hint = "put it into the folder of the agent that it is for: inbox/{to}/{id}.json";
            folders.fail_stray(kind, &name, &Refusal::new("misplaced", "only folders belong here", hint))?;
        }
        for owner in owners {
            let key = owner.to_string_lossy().to_ascii_lowercase();
            match agents.get(&key).map(AgentId::as_str).or_else(|| (key == OFFICE).then_some(OFFICE)) {
                Some(own) if owner == own => {}
                Some(own) => {
                    odd = true;
                    move_all(folders, kind, &owner, own)?;
                }
                None if kind == Kind::Inbox => {
                    odd = true;
                    refuse_all(folders, &owner)?;
                }
                None => {}
            }
        }
    }
    Ok(odd)
}

fn move_all(folders: &Folders, kind: Kind, from: &OsStr, to: &str) -> Result<(), Error> {
    for entry in folders.list(kind, from)? {
        if folders.exists(kind, to, &entry.name.to_string_lossy()) {
            let hint = "use the agent's own folder, and an id of its own for every message";
            let detail = format!("the folder '{to}' already has a file of this name");
            folders.fail(&entry, from, to, &Refusal::new("id_in_use", detail, hint))?;
        } else {
            folders.shift(&entry, from, kind, to)?;
        }
    }
    Ok(())
}

fn refuse_all(folders: &Folders, owner: &OsStr) -> Result<(), Error> {
    let name = owner.to_string_lossy();
    let valid = name.parse::<AgentId>().is_ok();
    for entry in folders.list(Kind::Inbox, owner)? {
        let sender = match folders.read(Kind::Inbox, &name, &entry.name, MAX_FILE) {
            Content::Bytes(bytes) => sender_of(&bytes),
            Content::Gone | Content::Refused(_) => None,
        };
        let own = if valid { name.as_ref() } else { OFFICE };
        let hint = "register it first: POST /api/orchestration/agents/register";
        let refusal = Refusal::new("unknown_agent", format!("no agent '{name}' was ever registered"), hint);
        folders.fail(&entry, owner, sender.as_deref().unwrap_or(own), &refusal)?;
    }
    Ok(())
}

/// Deletes archived files and receipts that are older than `since`, and what a dead server left half written.
pub(crate) fn sweep(folders: &Folders, since: SystemTime) -> Result<(), Error> {
    let mut swept = 0;
    for kind in Kind::ALL {
        for owner in folders.owners(kind)?.0 {
            swept += folders.sweep(kind, &owner, since)?;
        }
    }
    if swept > 0 {
        tracing::info!(files = swept, "old files of the message bus removed");
    }
    Ok(())
}
