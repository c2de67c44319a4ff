//! From a union that breaks to what the log records of it: one record for each agent whose addition breaks it at a path.

use crate::following::record::{conflict_type, entity_names, told_regions};
use crate::following::source::name;
use orchestrator_conflict::{Command, Overlap};
use orchestrator_predict::{Break, Cause, Path, Touched};
use orchestrator_protocol::{AgentId, UnionBreak};

/// Tells the record from that of two agents' lines at the path.
pub(in crate::following) fn subject(path: &Path) -> String {
    format!("union\n{}", name(path))
}

/// The work of these does not go together; first comes the agent whose addition breaks the union.
pub(in crate::following) fn found(broken: &Break, agents: Vec<AgentId>, touched: &Touched) -> Command {
    let finding = &broken.finding;
    let (mut hasher, regions) = told_regions(&finding.regions, false);
    let union_break = cause(broken.cause);
    hasher.update(format!("{:?} {union_break:?}", finding.kind).as_bytes());
    let overlap = Overlap {
        path: name(&finding.path),
        affected: agents.first().cloned(),
        agents,
        target: None,
        conflict_type: conflict_type(finding.kind),
        fingerprint: hasher.finalize().to_hex()[..32].to_owned(),
        agent_paths: Vec::new(),
        regions: regions.len(),
        subject: Some(subject(&finding.path)),
        snapshot: None,
        union_break: Some(union_break),
        entities: entity_names(&finding.path, touched),
    };
    let (overlap, settles, signature) = (Box::new(overlap), false, touched.signature);
    Command::Found { overlap, settles, signature, regions, impact: None }
}

/// It does by now.
pub(in crate::following) fn gone(path: &Path, agents: Vec<AgentId>) -> Command {
    Command::Gone { path: name(path), agents, target: None, subject: Some(subject(path)) }
}

/// A cause as the wire shows it.
pub(in crate::following) fn cause(cause: Cause) -> UnionBreak {
    match cause {
        Cause::Collides => UnionBreak::Collides,
        Cause::DoesNotParse => UnionBreak::DoesNotParse,
    }
}
