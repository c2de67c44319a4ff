//! From what prediction found to what the log records of it.

use super::source::name;
use orchestrator_conflict::{Command, Overlap};
use orchestrator_predict::{Agent, Finding, Kind, Part, Path, Region, Touched};
use orchestrator_protocol::{AgentId, ConflictRegion, ConflictType, RegionLines};

/// Regions of one record.
const REGIONS: usize = 64;
/// Bytes of one side of a region.
const TEXT: usize = 8 * 1024;

/// Who collides.
pub(crate) struct Parties {
    /// The first by name first.
    agents: Vec<AgentId>,
    /// The branch, when it is with landed work.
    target: Option<String>,
    /// The finding names them the other way round.
    swapped: bool,
}

impl Parties {
    /// Nothing when one of them has left.
    pub(crate) fn new(
        agent: impl Fn(Agent) -> Option<AgentId>,
        target: Option<&str>,
        first: Agent,
        second: Option<Agent>,
    ) -> Option<Self> {
        let first = agent(first)?;
        let Some(second) = second else {
            return Some(Self { agents: vec![first], target: Some(target?.to_owned()), swapped: false });
        };
        let second = agent(second)?;
        let swapped = second.key() < first.key();
        let agents = if swapped { vec![second, first] } else { vec![first, second] };
        Some(Self { agents, target: None, swapped })
    }

    /// They collide.
    pub(crate) fn found(self, finding: &Finding, touched: &Touched) -> Command {
        let (mut hasher, regions) = told_regions(&finding.regions, self.swapped);
        let mut agent_paths: Vec<Option<String>> = finding.paths.iter().map(|path| path.as_ref().map(name)).collect();
        if self.swapped {
            agent_paths.reverse();
        }
        if agent_paths.iter().all(Option::is_none) {
            agent_paths.clear();
        }
        hasher.update(format!("{:?} {agent_paths:?}", finding.kind).as_bytes());
        let overlap = Overlap {
            path: name(&finding.path),
            agents: self.agents,
            target: self.target,
            conflict_type: conflict_type(finding.kind),
            fingerprint: hasher.finalize().to_hex()[..32].to_owned(),
            agent_paths,
            regions: regions.len(),
            subject: None,
            affected: None,
            snapshot: None,
            union_break: None,
            entities: entity_names(&finding.path, touched),
        };
        let settles = finding.kind == Kind::Settles;
        let overlap = Box::new(overlap);
        Command::Found { overlap, settles, signature: touched.signature, regions, impact: None }
    }

    /// They do not collide any more.
    pub(crate) fn gone(self, path: &Path) -> Command {
        Command::Gone { path: name(path), agents: self.agents, target: self.target, subject: None }
    }
}

/// Regions as a record has them, at most so many, and what tells all of them from others.
pub(crate) fn told_regions(found: &[Region], swapped: bool) -> (blake3::Hasher, Vec<ConflictRegion>) {
    let mut hasher = blake3::Hasher::new();
    let mut regions = Vec::new();
    for region in found {
        let sides = if swapped { [&region.second, &region.first] } else { [&region.first, &region.second] };
        for part in [&region.base].into_iter().chain(sides) {
            hasher.update(&(part.text.len() as u64).to_le_bytes());
            hasher.update(&part.text);
        }
        if regions.len() < REGIONS {
            regions.push(ConflictRegion { base: lines(&region.base), sides: sides.map(lines).to_vec() });
        }
    }
    (hasher, regions)
}

/// A kind as records name it.
pub(crate) fn conflict_type(kind: Kind) -> ConflictType {
    match kind {
        Kind::Content | Kind::Settles => ConflictType::Content,
        Kind::DeleteModify => ConflictType::DeleteModify,
        Kind::AddAdd => ConflictType::AddAdd,
        Kind::Rename => ConflictType::Rename,
        Kind::Mode => ConflictType::Mode,
    }
}

/// What collides in a file, as records name it.
pub(crate) fn entity_names(path: &Path, touched: &Touched) -> Vec<String> {
    touched.entities.iter().map(|entity| entity_name(&name(path), entity)).collect()
}

/// As records name an entity: `src/a.py::Class.method`.
pub(crate) fn entity_name(path: &str, entity: &str) -> String {
    format!("{path}::{entity}").chars().take(300).collect()
}

/// Lines as a record names them.
pub(crate) fn lines(part: &Part) -> RegionLines {
    let truncated = part.text.len() > TEXT;
    let kept = part.text.get(..TEXT).unwrap_or(&part.text);
    let text = String::from_utf8_lossy(kept).into_owned();
    RegionLines { start_line: part.start, line_count: part.lines, text, truncated, deleted: part.deleted }
}
