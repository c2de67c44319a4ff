//! How an orchestrator is opened.

use crate::{LandingOptions, Retention, Terms};
use orchestrator_protocol::Autonomy;
use orchestrator_repository::Project;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that can be set. [`Options::new`] has the usual values.
#[derive(Debug, Clone)]
pub struct Options {
    /// The project that is served.
    pub project: Project,
    /// Folder of the log and the secrets; made when missing, readable by its owner only.
    pub state_dir: PathBuf,
    /// An agent of which nothing was heard for so long is offline.
    pub silence: Duration,
    /// An edit is in work until its file has not changed for so long.
    pub edit_term: Duration,
    /// A task is its holder's until that agent was offline for so long.
    pub offline_term: Duration,
    /// The level of autonomy until another is set, and the highest that others than the operator may set.
    pub autonomy: Autonomy,
    /// Begin to watch the project's folder at start, whatever was said last.
    pub autostart: bool,
    /// Most folders to watch by notification; `None` for half of what the system allows.
    pub watch_budget: Option<usize>,
    /// A file is settled after so long without a change.
    pub settle: Duration,
    /// Folders in the project whose files are not its work, beside the state folder; relative to its root or
    /// absolute.
    pub exclude: Vec<PathBuf>,
    /// Folders below which agents may have their workspaces, beside the repository's worktrees.
    pub workspace_roots: Vec<PathBuf>,
    /// Folder of the workspaces that are made for agents, one folder each; outside of the project's.
    pub workspace_folder: PathBuf,
    /// Untracked files and folders of the project that each new workspace gets a copy of: paths or globs.
    pub workspace_copy: Vec<String>,
    /// Those that each new workspace gets a link to.
    pub workspace_link: Vec<String>,
    /// Keeping agents' work.
    pub snapshots: SnapshotOptions,
    /// What lands where.
    pub landing: LandingOptions,
    /// Telemetry older than this is removed.
    pub telemetry_age: Duration,
    /// Telemetry beyond so many newest rows is removed.
    pub telemetry_rows: u64,
    /// A checkpoint is taken after so many events, and at shutdown.
    pub checkpoint_every: u64,
}

/// When agents' work is kept, and for how long.
#[derive(Debug, Clone)]
pub struct SnapshotOptions {
    /// An agent's work is kept when nothing in its workspace changed for so long.
    pub quiet: Duration,
    /// Work that goes on without that is kept after so long.
    pub interval: Duration,
    /// How long it is kept.
    pub retention: Retention,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self { quiet: Duration::from_secs(2), interval: Duration::from_secs(60), retention: Retention::default() }
    }
}

impl Options {
    /// The usual values for a project.
    pub fn new(project: Project, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            workspace_folder: beside(&project),
            workspace_copy: Vec::new(),
            workspace_link: Vec::new(),
            project,
            state_dir: state_dir.into(),
            silence: Duration::from_secs(120),
            edit_term: Duration::from_secs(30 * 60),
            offline_term: Duration::from_secs(10),
            autonomy: Autonomy::Full,
            autostart: false,
            watch_budget: None,
            settle: Duration::from_millis(60),
            exclude: vec![PathBuf::from(".orchestrator")],
            workspace_roots: Vec::new(),
            snapshots: SnapshotOptions::default(),
            landing: LandingOptions::default(),
            telemetry_age: Duration::from_secs(14 * 86_400),
            telemetry_rows: 1_000_000,
            checkpoint_every: 50_000,
        }
    }

    /// The terms that effects need.
    pub(crate) fn terms(&self) -> Terms {
        Terms { edit: self.edit_term, offline: self.offline_term }
    }
}

/// `NAME.workspaces` beside the project's folder: no `git clean` in the project reaches it, and programs that pass
/// over git's own folder work there.
fn beside(project: &Project) -> PathBuf {
    let mut path = project.root().as_os_str().to_owned();
    path.push(".workspaces");
    path.into()
}
