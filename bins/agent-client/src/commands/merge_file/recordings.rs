//! A file of recorded resolutions.

use super::{Versions, about};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::replace;
use orchestrator_merge::{Recording, Recordings, learn};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What the file holds.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    recordings: Vec<Recording>,
}

/// What `--json` prints of learning.
#[derive(Serialize)]
struct Learnt {
    /// Regions that both sides changed.
    regions: usize,
    /// Those of them whose resolution is kept.
    learnt: usize,
}

/// The recordings of a file.
pub(super) fn read(file: &Path) -> Result<Recordings, Failure> {
    let text = std::fs::read(file).map_err(about(file, "read"))?;
    parse(file, &text)
}

/// Adds to a file, which need not be there, what a person made of the regions that both sides changed.
pub(super) fn add(file: &Path, versions: &Versions, path: &str, resolved: &Path, out: &Output) -> Result<(), Failure> {
    let mut all = match std::fs::read(file) {
        Ok(text) => parse(file, &text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Recordings::default(),
        Err(error) => return Err(about(file, "read")(error)),
    };
    let resolved = std::fs::read(resolved).map_err(about(resolved, "read"))?;
    let regions = match (&versions.ours, &versions.theirs) {
        (Some(ours), Some(theirs)) => learn(versions.base.as_deref(), ours, theirs, path, &resolved),
        _ => Vec::new(),
    };
    let counts = Learnt { regions: regions.len(), learnt: regions.iter().flatten().count() };
    all.extend(regions.into_iter().flatten());
    let mut text =
        serde_json::to_vec_pretty(&Stored { recordings: all.iter().collect() }).map_err(std::io::Error::from)?;
    text.push(b'\n');
    replace::write(file, &text).map_err(about(file, "written"))?;
    if out.is_json {
        out.json(&counts)
    } else {
        out.note(&format!("{path}: learnt {} of {} regions that both sides changed", counts.learnt, counts.regions));
        Ok(())
    }
}

fn parse(file: &Path, text: &[u8]) -> Result<Recordings, Failure> {
    let stored: Stored = serde_json::from_slice(text).map_err(|error| {
        let detail = format!("{} holds no recordings: {error}", file.display());
        Failure::new(Exit::Failed, "recordings", detail, "give a file that --learn has written")
    })?;
    Ok(stored.recordings.into_iter().collect())
}
