//! Making a workspace.

use super::clones;
use super::marker::{self, Marker};
use super::share::{self, Shared};
use super::{blocked, refused, stands};
use crate::{Actor, Error, Orchestrator};
use orchestrator_protocol::{AgentId, ErrorCode, Isolation, MadeWorkspace, WorkspaceRequest};
use orchestrator_registry as registry;
use orchestrator_repository::bstr::BString;
use orchestrator_repository::{self as repository, Limits, ObjectId, Project, Start, Store, Workspace};
use std::path::Path;

impl Orchestrator {
    /// Makes a workspace for a registered agent, or answers with the one that was made; the agent works in it from
    /// then on.
    ///
    /// # Errors
    /// The agent is not registered, the branch or the start is none, something is in the way, or nothing can be
    /// recorded.
    pub async fn create_workspace(
        &self,
        actor: Actor,
        agent: AgentId,
        request: WorkspaceRequest,
    ) -> Result<(AgentId, MadeWorkspace), Error> {
        let this = self.clone();
        self.alone(async move { this.create(actor, agent, request).await }).await
    }

    async fn create(
        self,
        actor: Actor,
        agent: AgentId,
        request: WorkspaceRequest,
    ) -> Result<(AgentId, MadeWorkspace), Error> {
        let (registered, made) = self.who(&agent).await?;
        let registered = registered.ok_or_else(|| registry::Error::UnknownAgent(agent.to_string()))?;
        let branch = request.branch.clone().unwrap_or_else(|| format!("agent/{}", registered.id));
        self.check(&branch)?;
        self.can_record()?;
        let agent = registered.id.clone();
        if let Some(made) = made {
            let (path, id) = (made.path.clone(), agent.clone());
            let is_there = self.blocking(move |this| this.is_there(&id, &path)).await?;
            if is_there {
                return self.again(actor, &registered, made, &request).await;
            }
        }
        let id = agent.clone();
        let made = self.blocking(move |this| this.make(&id, registered.number, &branch, &request)).await?;
        let (path, branch) = (made.path.clone(), made.branch.clone().unwrap_or_default());
        self.record(actor, registry::Command::TakeWorkspace { agent: agent.clone(), path, branch }).await?;
        Ok((agent, made))
    }

    fn check(&self, branch: &str) -> Result<(), Error> {
        let invalid = |detail: String, hint| Err(Error::invalid(ErrorCode::InvalidRequest, detail, hint));
        if self.options().project.git_common_dir().is_none() {
            let detail = "the project is no git repository, so there are no worktrees";
            return Err(Error::invalid(ErrorCode::NotSupported, detail, "run 'git init' there and start again"));
        }
        if !Project::is_branch_name(branch) || branch.len() > 200 {
            let hint = "give 'branch' a name that 'git check-ref-format --branch' takes, of at most 200 bytes";
            return invalid(format!("'{branch:.200}' is no name for a branch"), hint);
        }
        Ok(())
    }

    /// Whether a workspace that was made is still there. What git knows of one that somebody deleted is cleared.
    fn is_there(&self, agent: &AgentId, path: &str) -> Result<bool, Error> {
        let folder = Path::new(path);
        if stands(folder) {
            return Ok(true);
        }
        if !folder.parent().is_some_and(Path::is_dir) {
            let detail = format!("the folder of '{path}' is not there");
            return Err(blocked(detail, "mount or bring back the folder of the workspaces, then ask again"));
        }
        self.unmake(folder, marker::read(self, agent).as_ref())?;
        marker::remove(self, agent)?;
        Ok(false)
    }

    /// Answers with the workspace that was made before.
    async fn again(
        &self,
        actor: Actor,
        registered: &registry::Agent,
        made: registry::Made,
        request: &WorkspaceRequest,
    ) -> Result<(AgentId, MadeWorkspace), Error> {
        let agent = registered.id.clone();
        let (id, path, branch) = (agent.clone(), made.path.clone(), made.branch.clone());
        let workspace = self.blocking(move |this| Ok(this.describe(&id, &path))).await?;
        if request.isolation.is_some_and(|asked| asked != workspace.isolation) {
            let detail = format!("agent '{agent}' has a workspace of another isolation at '{}'", made.path);
            return Err(blocked(detail, "leave 'isolation' out, or remove the workspace first"));
        }
        if let Some(asked) = &request.branch
            && *asked != branch
            && workspace.branch.as_ref() != Some(asked)
        {
            let detail = format!("agent '{agent}' has a workspace on the branch '{branch}' at '{}'", made.path);
            return Err(blocked(detail, "switch the branch there with git, or remove the workspace first"));
        }
        if registered.workspace.as_ref() != Some(&made.path) {
            let take = registry::Command::TakeWorkspace { agent: agent.clone(), path: made.path, branch };
            self.record(actor, take).await?;
        }
        Ok((agent, workspace))
    }

    fn describe(&self, agent: &AgentId, path: &str) -> MadeWorkspace {
        let project = Project::discover(Path::new(path)).ok();
        let marker = marker::read(self, agent).filter(|marker| marker.path == path);
        let found = project.as_ref().map(|project| clones::isolation(&self.options().project, project));
        let isolation = marker.as_ref().map(|marker| marker.isolation).or(found).unwrap_or_default();
        let (copied, linked, left_out) =
            marker.map(|marker| (marker.copied, marker.linked, marker.left_out)).unwrap_or_default();
        MadeWorkspace {
            path: path.to_owned(),
            branch: project.as_ref().and_then(|project| project.branch().ok().flatten()),
            head: project.and_then(|project| project.head().ok().flatten()).map(|head| head.to_string()),
            isolation,
            copied,
            linked,
            left_out,
        }
    }

    fn make(
        &self,
        agent: &AgentId,
        number: u64,
        branch: &str,
        request: &WorkspaceRequest,
    ) -> Result<MadeWorkspace, Error> {
        let options = self.options();
        let project = &options.project;
        let store = self.shared.following.store(project).map_err(refused)?;
        if let Some(left) = marker::read(self, agent) {
            self.clear(&store, agent, number, &left)?;
        }
        let (start, new_branch_at) = start(project, &store, branch, request)?;
        let parent = &options.workspace_folder;
        let hint = "make it writable, or set another with 'workspaces.folder'";
        std::fs::create_dir_all(parent)
            .map_err(|error| blocked(format!("the folder {} cannot be made: {error}", parent.display()), hint))?;
        let folder = parent.canonicalize().unwrap_or_else(|_| parent.clone()).join(agent.as_str());
        let path = folder.to_str().ok_or_else(|| blocked("the folder's name is not UTF-8", hint))?.to_owned();
        if stands(&folder) {
            let detail = format!("'{path}' is there already, and was not made by this server");
            return Err(blocked(detail, "move it away, or register it as the agent's workspace"));
        }
        let isolation = request.isolation.unwrap_or_default();
        let mut marker = Marker {
            path,
            branch: branch.to_owned(),
            isolation,
            // A clone's branch goes with the clone.
            new_branch_at: new_branch_at.filter(|_| isolation == Isolation::Worktree).map(|at| at.to_string()),
            copied: Vec::new(),
            linked: Vec::new(),
            left_out: Vec::new(),
        };
        marker::write(self, agent, &marker)?;
        let made = match isolation {
            Isolation::Worktree => project.create_worktree(&folder, start),
            Isolation::Clone => project.create_clone(&folder, start),
        };
        if let Err(error) = made {
            // Nothing was made.
            marker::remove(self, agent)?;
            return Err(refused(error));
        }
        let shared = share::share(project, &folder, &options.workspace_copy, &options.workspace_link);
        hide(&store, &folder, &shared).map_err(refused)?;
        (marker.copied, marker.linked, marker.left_out) = (shared.copied, shared.linked, shared.left_out);
        marker::write(self, agent, &marker)?;
        Ok(self.describe(agent, &marker.path))
    }
}

/// What the worktree stands on, and the commit at which its branch is new.
fn start<'b>(
    project: &Project,
    store: &Store,
    branch: &'b str,
    request: &WorkspaceRequest,
) -> Result<(Start<'b>, Option<ObjectId>), Error> {
    let invalid = |detail: String, hint| Error::invalid(ErrorCode::InvalidRequest, detail, hint);
    let asked = match &request.from {
        Some(from) => {
            let commit = project.commit_of(from).map_err(refused)?;
            let hint = "name a branch, a tag, or at least four hex digits of a commit";
            Some(commit.ok_or_else(|| invalid(format!("'{from:.200}' names no commit here"), hint))?)
        }
        None => None,
    };
    if let Some((tip, _)) = store.tip(branch).map_err(refused)? {
        let worktrees = project.worktrees().map_err(refused)?;
        if let Some(holder) = worktrees.iter().find(|worktree| worktree.branch.as_deref() == Some(branch)) {
            let detail = format!("the branch '{branch}' is checked out in '{}'", holder.path.display());
            return Err(blocked(detail, "give 'branch' another name"));
        }
        let wanted = match asked {
            // Who names a branch means it as it is.
            None if request.branch.is_some() => tip,
            Some(asked) => asked,
            None => head(project)?,
        };
        if wanted != tip {
            let detail = format!("the branch '{branch}' is at {tip}, not at {wanted}");
            let hint = "give 'branch' its name and no 'from' to go on from there, or give it another name";
            return Err(blocked(detail, hint));
        }
        return Ok((Start::Branch(branch), None));
    }
    let commit = match asked {
        Some(asked) => asked,
        None => head(project)?,
    };
    Ok((Start::NewBranch(branch, commit), Some(commit)))
}

fn head(project: &Project) -> Result<ObjectId, Error> {
    let head = project.head().map_err(refused)?;
    head.ok_or_else(|| blocked("the repository has no commit", "make a first commit, then ask again"))
}

/// What was copied or linked must not become the agent's work: where no rule ignores it, a line in `info/exclude`
/// does.
fn hide(store: &Store, folder: &Path, shared: &Shared) -> Result<(), repository::Error> {
    let project = Project::discover(folder)?;
    let work = Workspace::open(store, folder, Limits::default())?.snapshot();
    for item in shared.copied.iter().chain(&shared.linked) {
        let is_of_it = |path: &&BString| {
            path.strip_prefix(item.as_bytes()).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        if work.delta.keys().any(|path| is_of_it(&path)) {
            let is_special = |c| matches!(c, '\\' | '*' | '?' | '[' | ' ');
            let escaped = item.chars().flat_map(|c| is_special(c).then_some('\\').into_iter().chain([c]));
            project.exclude(&format!("/{}", escaped.collect::<String>()))?;
        }
    }
    Ok(())
}
