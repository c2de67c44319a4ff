//! Which folders may be followed.

use crate::{Actor, Error, Orchestrator};
use orchestrator_protocol::ErrorCode;
use std::path::{Path, PathBuf};

impl Orchestrator {
    /// The canonical name of a folder that an agent says it works in. A worktree of this repository or a folder
    /// below a configured root may be named by anyone, another only by the operator: all that a workspace holds
    /// can be read by those who may read conflicts.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is no absolute path of a folder, or the operator is needed.
    pub async fn permit_workspace(&self, actor: Actor, text: String) -> Result<String, Error> {
        let this = self.clone();
        let judged = tokio::task::spawn_blocking(move || this.judge(&actor, &text)).await;
        judged.map_err(crate::mail::internal)?
    }

    fn judge(&self, actor: &Actor, text: &str) -> Result<String, Error> {
        let hint = "give the absolute path of a worktree: see 'git worktree list'";
        let invalid = |detail: String| Error::invalid(ErrorCode::InvalidPath, detail, hint);
        if !Path::new(text).is_absolute() {
            return Err(invalid(format!("the workspace '{text}' is no absolute path")));
        }
        let folder = Path::new(text).canonicalize().ok().filter(|folder| folder.is_dir());
        let folder = folder.ok_or_else(|| invalid(format!("the workspace '{text}' is no folder here")))?;
        let name = folder.to_str().ok_or_else(|| invalid("the workspace's name is not UTF-8".to_owned()))?.to_owned();
        if *actor == Actor::Operator || self.is_open_to_agents(&folder)? {
            return Ok(name);
        }
        let detail = format!("'{text}' is no worktree of this repository and below no root in 'workspaces.roots'");
        let hint = "make it with 'git worktree add', or register it with the operator's secret";
        Err(Error::invalid(ErrorCode::OperatorOnly, detail, hint))
    }

    fn is_open_to_agents(&self, folder: &Path) -> Result<bool, Error> {
        let options = self.options();
        let worktrees = options.project.worktrees().map_err(crate::mail::internal)?;
        let roots = options.workspace_roots.iter().filter_map(|root| root.canonicalize().ok());
        let own: [PathBuf; 1] = [options.project.root().to_owned()];
        let made: Vec<PathBuf> =
            self.shared.core.lock().state.registry.made().map(|made| PathBuf::from(&made.path)).collect();
        let mut open = worktrees.into_iter().map(|worktree| worktree.path).chain(roots).chain(own).chain(made);
        Ok(open.any(|open| folder.starts_with(open)))
    }
}
