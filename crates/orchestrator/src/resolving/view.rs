//! A merged result as the wire shows it.

use orchestrator_conflict::Applied;
use orchestrator_protocol::{AgentId, Resolution, ResolutionSide};

/// Pure: a push is rendered from it.
pub(crate) fn resolution(strategy: &str, by: Option<&String>, applied: &Applied, pulled_by: &[AgentId]) -> Resolution {
    let id = |version: &Option<orchestrator_conflict::Version>| version.as_ref().map(|version| version.id.clone());
    let side = |side: &orchestrator_conflict::Side| ResolutionSide {
        name: side.name.clone(),
        file_path: side.path.clone(),
        content: id(&side.merged),
    };
    Resolution {
        strategy: strategy.to_owned(),
        agent: applied.taken.clone(),
        by: by.cloned(),
        forced: applied.forced,
        file_path: applied.path.clone(),
        result: id(&applied.result),
        mode: applied.result.as_ref().map(|version| version.mode),
        size: applied.size,
        base: id(&applied.base),
        sides: applied.sides.iter().map(side).collect(),
        kept: applied.kept.clone(),
        commit: applied.commit.clone(),
        pulled_by: pulled_by.to_vec(),
    }
}
