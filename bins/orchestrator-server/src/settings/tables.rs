//! The tables of `orchestrator.toml`, with their defaults.

use orchestrator::LandingOptions;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::MIN_BACKUP_DAYS;

/// Watching the project's folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sync {
    pub(crate) autostart: bool,
    pub(crate) settle_milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) watch_budget: Option<usize>,
}

/// The file-based message bus.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Bus {
    pub(crate) enabled: bool,
    pub(crate) path: PathBuf,
}

/// Folders that agents work in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Workspaces {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    pub(crate) roots: Vec<PathBuf>,
    pub(crate) copy: Vec<String>,
    pub(crate) link: Vec<String>,
}

/// Keeping agents' work.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Snapshots {
    pub(crate) quiet_milliseconds: u64,
    pub(crate) interval_seconds: u64,
    pub(crate) newest: usize,
    pub(crate) days: u64,
    pub(crate) backup_days: u64,
    pub(crate) result_days: u64,
}

/// Work that agents take.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Tasks {
    pub(crate) offline_seconds: u64,
}

/// What lands where.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Landing {
    pub(crate) dirty: Dirty,
    pub(crate) style: Style,
    pub(crate) warm: Vec<String>,
    pub(crate) side_by_side: usize,
    pub(crate) batch: usize,
}

/// What becomes of a landing when the folder that has the branch checked out is in its way.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dirty {
    #[default]
    Branch,
    Wait,
}

/// What a landing's commit is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    #[default]
    Squash,
    Merge,
}

/// Logs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    pub(crate) json: bool,
}

/// How long telemetry is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Retention {
    pub(crate) telemetry_days: u64,
    pub(crate) telemetry_rows: u64,
}

impl Default for Sync {
    fn default() -> Self {
        Self { autostart: false, settle_milliseconds: 60, watch_budget: None }
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self { enabled: true, path: PathBuf::from(".orchestrator/bus") }
    }
}

impl Default for Landing {
    fn default() -> Self {
        let LandingOptions { side_by_side, batch, .. } = LandingOptions::default();
        Self { dirty: Dirty::Branch, style: Style::Squash, warm: Vec::new(), side_by_side, batch }
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self { offline_seconds: 10 }
    }
}

impl Default for Snapshots {
    fn default() -> Self {
        Self {
            quiet_milliseconds: 2_000,
            interval_seconds: 60,
            newest: 50,
            days: 7,
            backup_days: MIN_BACKUP_DAYS,
            result_days: 30,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self { telemetry_days: 14, telemetry_rows: 1_000_000 }
    }
}
