//! What can be set: flags win over the environment, that over `orchestrator.toml`, that over the defaults.

mod tables;

use anyhow::{Context, bail};
use clap::Args;
use orchestrator::{LandingOptions, Options, SnapshotOptions};
use orchestrator_protocol::Autonomy;
use orchestrator_repository::Project;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;
use tables::{Bus, Dirty, Landing, Log, Retention, Snapshots, Style, Sync, Tasks, Workspaces};

/// The file in the project's root.
const FILE: &str = "orchestrator.toml";
/// Backups are kept at least so long.
const MIN_BACKUP_DAYS: u64 = 30;

/// Flags and environment. `None` where neither says anything.
#[derive(Args, Debug, Default)]
pub(crate) struct Flags {
    /// Folder of the repository to serve; the current one when left out
    #[arg(long, value_name = "DIR", env = "ORCHESTRATOR_REPO", global = true)]
    pub(crate) repo: Option<PathBuf>,
    /// Loopback address and port to listen on [default: 127.0.0.1:8000, and ::1 beside it]
    #[arg(long, value_name = "ADDR:PORT", env = "ORCHESTRATOR_BIND")]
    bind: Option<SocketAddr>,
    /// Folder of the log and the secrets [default: orchestrator/ in the repository's git folder]
    #[arg(long, value_name = "DIR", env = "ORCHESTRATOR_STATE", global = true)]
    state: Option<PathBuf>,
    /// Configuration file [default: orchestrator.toml in the project's root, where there is one]
    #[arg(long, value_name = "FILE", env = "ORCHESTRATOR_CONFIG", global = true)]
    config: Option<PathBuf>,
    /// Let web pages of this origin in, such as http://localhost:3000; can be given several times
    #[arg(long = "allow-origin", value_name = "ORIGIN", env = "ORCHESTRATOR_ALLOW_ORIGIN", value_delimiter = ',')]
    allow_origins: Vec<String>,
    /// Seconds without a sign of life after which an agent is offline [default: 120]
    #[arg(long, value_name = "SECONDS", env = "ORCHESTRATOR_AGENT_SILENCE")]
    agent_silence: Option<u64>,
    /// Level of autonomy at first, and the highest that others than the operator may set [default: full]
    #[arg(long, value_name = "full|supervised|manual", env = "ORCHESTRATOR_AUTONOMY", value_parser = autonomy)]
    autonomy: Option<Autonomy>,
    /// Begin to watch the project's folder at start
    #[arg(long, env = "ORCHESTRATOR_WATCH")]
    watch: bool,
    /// Folder of the workspaces that are made for agents [default: NAME.workspaces beside the project's folder]
    #[arg(long = "workspaces", value_name = "DIR", env = "ORCHESTRATOR_WORKSPACES")]
    workspaces: Option<PathBuf>,
    /// Folder below which agents may register workspaces of their own; can be given several times
    #[arg(long = "workspace-root", value_name = "DIR", env = "ORCHESTRATOR_WORKSPACE_ROOTS", value_delimiter = ',')]
    workspace_roots: Vec<PathBuf>,
    /// Also write the log to orchestrator.log in this folder
    #[arg(long, value_name = "DIR", env = "ORCHESTRATOR_LOG_DIR")]
    log_dir: Option<PathBuf>,
    /// What stderr shows: error, warn, info, debug, or a filter such as orchestrator=debug [default: warn]
    #[arg(long, value_name = "FILTER", env = "ORCHESTRATOR_LOG")]
    log: Option<String>,
    /// Write logs as JSON, one object a line
    #[arg(long, env = "ORCHESTRATOR_LOG_JSON")]
    log_json: bool,
    /// Threads that serve requests [default: one a core]
    #[arg(long, value_name = "N", env = "ORCHESTRATOR_WORKERS")]
    workers: Option<usize>,
    /// Print the configuration in force and end
    #[arg(long)]
    pub(crate) print_config: bool,
}

fn autonomy(text: &str) -> Result<Autonomy, String> {
    match text {
        "full" => Ok(Autonomy::Full),
        "supervised" => Ok(Autonomy::Supervised),
        "manual" => Ok(Autonomy::Manual),
        _ => Err(format!("'{text}' is no level; use full, supervised or manual")),
    }
}

/// Everything that can be set, with its values in force. The form of `orchestrator.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) bind: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<PathBuf>,
    pub(crate) allow_origins: Vec<String>,
    pub(crate) agent_silence_seconds: u64,
    pub(crate) edit_term_seconds: u64,
    pub(crate) autonomy: Autonomy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workers: Option<usize>,
    pub(crate) sync: Sync,
    pub(crate) bus: Bus,
    pub(crate) workspaces: Workspaces,
    pub(crate) snapshots: Snapshots,
    pub(crate) landing: Landing,
    pub(crate) tasks: Tasks,
    /// Read from the commit that is merged onto, when something lands.
    #[serde(skip_serializing)]
    gates: Option<IgnoredAny>,
    #[serde(skip_serializing)]
    gate_limits: Option<IgnoredAny>,
    pub(crate) log: Log,
    pub(crate) retention: Retention,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8000)),
            state: None,
            allow_origins: Vec::new(),
            agent_silence_seconds: 120,
            edit_term_seconds: 30 * 60,
            autonomy: Autonomy::Full,
            workers: None,
            sync: Sync::default(),
            bus: Bus::default(),
            workspaces: Workspaces::default(),
            snapshots: Snapshots::default(),
            landing: Landing::default(),
            tasks: Tasks::default(),
            gates: None,
            gate_limits: None,
            log: Log::default(),
            retention: Retention::default(),
        }
    }
}

/// The project of the flags, or of the current folder.
pub(crate) fn project(flags: &Flags) -> anyhow::Result<Project> {
    let folder = match &flags.repo {
        Some(folder) => folder.clone(),
        None => std::env::current_dir().context("the current folder cannot be told; use --repo DIR")?,
    };
    Project::discover(&folder).with_context(|| format!("failed to open {}", folder.display()))
}

/// Reads the file, then lets flags and environment win.
pub(crate) fn load(flags: &Flags, project: &Project) -> anyhow::Result<Settings> {
    let mut settings = match &flags.config {
        Some(file) => read(file)?,
        None => match project.root().join(FILE) {
            file if file.exists() => read(&file)?,
            _ => Settings::default(),
        },
    };
    if let Some(bind) = flags.bind {
        settings.bind = bind;
    }
    settings.state = flags.state.clone().or(settings.state);
    settings.allow_origins.extend(flags.allow_origins.iter().cloned());
    settings.agent_silence_seconds = flags.agent_silence.unwrap_or(settings.agent_silence_seconds);
    settings.autonomy = flags.autonomy.unwrap_or(settings.autonomy);
    settings.workers = flags.workers.or(settings.workers);
    settings.sync.autostart |= flags.watch;
    settings.workspaces.folder = flags.workspaces.clone().or(settings.workspaces.folder);
    settings.workspaces.roots.extend(flags.workspace_roots.iter().cloned());
    settings.log.filter = flags.log.clone().or(settings.log.filter);
    settings.log.folder = flags.log_dir.clone().or(settings.log.folder);
    settings.log.json |= flags.log_json;
    check(&settings)?;
    check_workspaces(&settings.workspaces, project)?;
    Ok(settings)
}

fn read(file: &Path) -> anyhow::Result<Settings> {
    let text = std::fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    toml_edit::de::from_str(&text).with_context(|| format!("{} is not right", file.display()))
}

fn check(settings: &Settings) -> anyhow::Result<()> {
    if settings.agent_silence_seconds == 0 || settings.edit_term_seconds == 0 {
        bail!("agent_silence_seconds and edit_term_seconds are at least 1");
    }
    let snapshots = &settings.snapshots;
    if snapshots.interval_seconds == 0 || snapshots.newest == 0 || snapshots.backup_days < MIN_BACKUP_DAYS {
        bail!("snapshots.interval_seconds and snapshots.newest are at least 1, snapshots.backup_days at least 30");
    }
    for origin in &settings.allow_origins {
        let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if rest.is_none_or(|host| host.is_empty() || host.trim_end_matches('/').contains(['/', '*', ' '])) {
            bail!("'{origin}' is no origin; write scheme://host:port, such as http://localhost:3000");
        }
    }
    Ok(())
}

/// A `git clean` in the project must not reach the workspaces, nor the watcher take them for the project's files.
fn check_workspaces(workspaces: &Workspaces, project: &Project) -> anyhow::Result<()> {
    let Some(folder) = &workspaces.folder else { return Ok(()) };
    let folder = below(project, folder);
    if folder.starts_with(project.root()) || project.root().starts_with(&folder) {
        bail!("workspaces.folder is {}; give a folder beside the project's, such as ../agents", folder.display());
    }
    Ok(())
}

/// The folder of a path that is relative to the project's root, without `.` and `..`.
fn below(project: &Project, path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in project.root().join(path).components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The state folder in force.
pub(crate) fn state_dir(settings: &Settings, project: &Project) -> PathBuf {
    settings.state.clone().unwrap_or_else(|| project.state_dir(&user_state()))
}

/// Where a user's programs keep state: for projects without a repository.
fn user_state() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || from("HOME").map(|home| home.join(".local/state"));
    from("XDG_STATE_HOME").or_else(home).unwrap_or_else(std::env::temp_dir).join("orchestrator")
}

impl Settings {
    /// As the orchestrator takes them.
    pub(crate) fn options(&self, project: Project, state_dir: &Path) -> Options {
        let defaults = Options::new(project, state_dir);
        let mut exclude = defaults.exclude.clone();
        exclude.push(self.bus.path.clone());
        let folder = self.workspaces.folder.as_ref().map(|folder| below(&defaults.project, folder));
        Options {
            workspace_roots: self.workspaces.roots.iter().map(|root| below(&defaults.project, root)).collect(),
            workspace_copy: self.workspaces.copy.clone(),
            workspace_link: self.workspaces.link.clone(),
            workspace_folder: folder.unwrap_or_else(|| defaults.workspace_folder.clone()),
            exclude,
            silence: Duration::from_secs(self.agent_silence_seconds),
            edit_term: Duration::from_secs(self.edit_term_seconds),
            offline_term: Duration::from_secs(self.tasks.offline_seconds),
            autonomy: self.autonomy,
            autostart: self.sync.autostart,
            watch_budget: self.sync.watch_budget,
            settle: Duration::from_millis(self.sync.settle_milliseconds),
            snapshots: SnapshotOptions {
                quiet: Duration::from_millis(self.snapshots.quiet_milliseconds),
                interval: Duration::from_secs(self.snapshots.interval_seconds),
                retention: orchestrator::Retention {
                    newest: self.snapshots.newest,
                    work: days(self.snapshots.days),
                    backups: days(self.snapshots.backup_days),
                    results: days(self.snapshots.result_days),
                },
            },
            landing: LandingOptions {
                dirty: match self.landing.dirty {
                    Dirty::Branch => orchestrator::Dirty::Branch,
                    Dirty::Wait => orchestrator::Dirty::Wait,
                },
                style: match self.landing.style {
                    Style::Squash => orchestrator::Style::Squash,
                    Style::Merge => orchestrator::Style::Merge,
                },
                warm: self.landing.warm.clone(),
                side_by_side: self.landing.side_by_side,
                batch: self.landing.batch,
            },
            telemetry_age: days(self.retention.telemetry_days),
            telemetry_rows: self.retention.telemetry_rows,
            ..defaults
        }
    }
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days.saturating_mul(86_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read_back() {
        let text = toml_edit::ser::to_string_pretty(&Settings::default()).unwrap();
        let read: Settings = toml_edit::de::from_str(&text).unwrap();
        assert_eq!(read.bind, Settings::default().bind);
    }

    #[test]
    fn a_misspelt_setting_is_named_with_its_line() {
        let error = toml_edit::de::from_str::<Settings>("bind = \"127.0.0.1:1\"\nagent_silense = 3\n").unwrap_err();
        assert!(error.to_string().contains("agent_silense") && error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn workspaces_lie_outside_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let project = Project::plain(folder.path()).unwrap();
        let check = |folder: &str| {
            let workspaces = Workspaces { folder: Some(folder.into()), ..Workspaces::default() };
            check_workspaces(&workspaces, &project).is_ok()
        };
        assert!(check("../agents") && check("/somewhere/else"));
        for inside in ["agents", ".", "a/../b", "..", "/", ".git/agents"] {
            assert!(!check(inside), "{inside}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for origin in ["localhost:3000", "http://", "*", "http://*.example", "http://a/b"] {
            let settings = Settings { allow_origins: vec![origin.to_owned()], ..Settings::default() };
            assert!(check(&settings).is_err(), "{origin}");
        }
    }
}
