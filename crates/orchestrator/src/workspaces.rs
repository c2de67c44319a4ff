//! Workspaces that are made for agents: git worktrees or clones, each on a branch of its own.
//!
//! The log says which there are. A marker in the state folder is written before anything is made and removed after
//! everything is: a marker without a workspace in the log is what a crash left, and the next request for that agent
//! clears it away. All work on the disk is done off the async workers, one workspace at a time.

mod clones;
mod keep;
mod list;
mod make;
mod marker;
mod remove;
mod share;

pub(crate) use self::keep::open;

use crate::{Actor, Command, Error, Orchestrator};
use orchestrator_protocol::{AgentId, ErrorCode};
use orchestrator_registry as registry;
use orchestrator_repository as repository;
use std::path::Path;

impl Orchestrator {
    /// Does something to workspaces while nobody else does, and to its end, even when the caller goes away.
    pub(crate) async fn alone<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let guard = self.shared.workspaces.clone().lock_owned().await;
        let work = async move {
            let done = work.await;
            drop(guard);
            done
        };
        tokio::spawn(work).await.map_err(crate::mail::internal)?
    }

    /// Work on the disk.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(&this)).await.map_err(crate::mail::internal)?
    }

    /// The registered agent, and the workspace that was made for it.
    async fn who(&self, agent: &AgentId) -> Result<(Option<registry::Agent>, Option<registry::Made>), Error> {
        self.read(|state| (state.registry.agent(agent).cloned(), state.registry.made_for(agent).cloned())).await
    }

    async fn record(&self, actor: Actor, command: registry::Command) -> Result<(), Error> {
        self.submit(actor, Command::Registry(command)).await.map(drop)
    }

    /// Nothing is begun that cannot be recorded.
    pub(crate) fn can_record(&self) -> Result<(), Error> {
        match self.shared.core.lock().halted.clone() {
            Some(halt) => Err(Error::StorageUnavailable { reason: halt.reason, cure: halt.cure }),
            None => Ok(()),
        }
    }
}

/// Something on the disk or in git is in the way.
pub(crate) fn blocked(detail: impl Into<String>, hint: &'static str) -> Error {
    Error::invalid(ErrorCode::WorkspaceBlocked, detail, hint)
}

/// What the disk or git said, in the words of the repository's error, which end in the cure.
pub(crate) fn refused(error: repository::Error) -> Error {
    use repository::Error as E;
    match error {
        E::Worktree { .. } | E::Clone { .. } | E::Removal { .. } | E::Busy { .. } | E::Io { .. } | E::Folder { .. } => {
            blocked(error.to_string(), "clear away what is in the way, then ask again")
        }
        E::Unrelated { .. } | E::NotGit { .. } | E::Bare { .. } | E::Repository { .. } | E::ForeignWorktree { .. } => {
            blocked(error.to_string(), "bring the worktree back, then ask again")
        }
        E::Taken { .. } => blocked(error.to_string(), "somebody else kept something at this very moment: ask again"),
        E::Pack { .. } => {
            let hint = "make it with 'agent-client workspace push', and push again";
            Error::invalid(ErrorCode::InvalidPack, error.to_string(), hint)
        }
        E::UnknownBase { .. } => {
            let hint =
                "ask which commit is known with POST /agents/{id}/snapshot/known, and push what it does not lead to";
            Error::invalid(ErrorCode::UnknownBase, error.to_string(), hint)
        }
        E::Name { .. } => {
            let hint = "restore another snapshot, or only those of its paths that are sound";
            Error::invalid(ErrorCode::InvalidPath, error.to_string(), hint)
        }
        E::Unsaved { .. } => {
            let hint = "move it away or make it one that git tracks, then ask again";
            Error::invalid(ErrorCode::UnlandedWork, error.to_string(), hint)
        }
        error => crate::mail::internal(error),
    }
}

/// Whether anything stands at the path, a dangling link included.
fn stands(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
