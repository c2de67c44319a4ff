//! What is written before a workspace is made and removed after it is gone.

use crate::{Error, Orchestrator};
use orchestrator_protocol::{AgentId, Isolation, LeftOut};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

/// `<state folder>/workspaces/<agent>.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// Absolute path of the folder.
    pub(super) path: String,
    /// The branch.
    pub(super) branch: String,
    /// How far it is apart from the project.
    #[serde(default)]
    pub(super) isolation: Isolation,
    /// The commit, in hex, at which the branch was made with the workspace; nothing for one that was there before
    /// or is a clone's own, and when the workspace is being removed.
    pub(super) new_branch_at: Option<String>,
    /// What the workspace got of the project's untracked files.
    pub(super) copied: Vec<String>,
    /// Those that are links.
    pub(super) linked: Vec<String>,
    /// Those that it did not get.
    pub(super) left_out: Vec<LeftOut>,
}

fn file(orchestrator: &Orchestrator, agent: &AgentId) -> PathBuf {
    orchestrator.options().state_dir.join("workspaces").join(agent.key()).with_added_extension("json")
}

/// The marker of an agent's workspace; nothing where there is none, or none that can be read.
pub(super) fn read(orchestrator: &Orchestrator, agent: &AgentId) -> Option<Marker> {
    serde_json::from_slice(&fs::read(file(orchestrator, agent)).ok()?).ok()
}

/// Writes it so that it is there, whole, after a power cut.
pub(super) fn write(orchestrator: &Orchestrator, agent: &AgentId, marker: &Marker) -> Result<(), Error> {
    let path = file(orchestrator, agent);
    let written = || -> std::io::Result<()> {
        let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
        fs::create_dir_all(folder)?;
        let temporary = path.with_extension("tmp");
        let mut out = File::create(&temporary)?;
        out.write_all(&serde_json::to_vec(marker)?)?;
        out.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(folder)?.sync_all()
    };
    written().map_err(|error| super::blocked(format!("{} cannot be written: {error}", path.display()), CURE))
}

/// Removes it. None is no error.
pub(super) fn remove(orchestrator: &Orchestrator, agent: &AgentId) -> Result<(), Error> {
    let path = file(orchestrator, agent);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(super::blocked(format!("{} cannot be removed: {error}", path.display()), CURE))
        }
        _ => Ok(()),
    }
}

const CURE: &str = "make the state folder writable and see that the disk has room, then ask again";
