//! What a landed commit says of itself.

use super::moving::message;
use crate::Orchestrator;
use orchestrator_landing::{GateRun, Landing, Region};
use orchestrator_receipt::{self as receipt, Commit, GateResult, Head, Receipt, seal};
use orchestrator_repository::ObjectId;

/// Most regions in a commit's message; the log has them all.
const MOST_REGIONS: usize = 50;

/// The message of the commit that lands, with its receipt, signed for this tree on these parents.
pub(super) fn sealed(orchestrator: &Orchestrator, landing: &Landing, tree: ObjectId, parents: &[ObjectId]) -> String {
    let tree = tree.to_string();
    let parents: Vec<String> = parents.iter().map(ToString::to_string).collect();
    let [merge, agent, target] = [format!("merge-{}", landing.id), landing.agent.to_string(), landing.target.clone()];
    let base = parents.first().cloned().unwrap_or_default();
    let mut said = Receipt::new(merge, agent, target, base, landing.work.clone());
    said.gated = landing.batch.as_ref().map(|batch| batch.tree.clone()).filter(|gated| *gated != tree);
    said.gates = landing.gates.iter().map(gate).collect();
    said.settled = landing.regions.iter().take(MOST_REGIONS).map(region).collect();
    said.settled_more = landing.regions.len().saturating_sub(MOST_REGIONS);
    said.leases = {
        let core = orchestrator.shared.core.lock();
        let key = landing.agent.key();
        core.state.registry.leases().filter(|lease| lease.agent == key).map(|one| one.resource.value.clone()).collect()
    };
    // A log that cannot be read is told of elsewhere; the receipt only says less then.
    let head = orchestrator.shared.reader.newest_head().ok().flatten();
    said.log = head.map(|head| Head { seq: head.seq, hash: receipt::hex(&head.hash) });
    let key = &orchestrator.shared.key;
    seal(&message(landing), &said, &Commit { tree, parents }, |bytes| key.sign(bytes))
}

fn gate(run: &GateRun) -> GateResult {
    let GateRun { name, digest, exit_code, flaky, not_enforced, .. } = run.clone();
    let verdict = serde_json::to_value(run.verdict).ok().and_then(|word| Some(word.as_str()?.to_owned()));
    GateResult { name, digest, verdict: verdict.unwrap_or_default(), exit: exit_code, flaky, not_enforced }
}

fn region(region: &Region) -> receipt::Region {
    let Region { path, lines, layer, rule, proof } = region.clone();
    receipt::Region { path, lines, layer, rule, proof }
}
