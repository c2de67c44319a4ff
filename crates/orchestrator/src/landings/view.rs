//! A landing as the wire shows it.

use orchestrator_landing::{Event, GateRun, Landing, Open};
use orchestrator_protocol::{Merge, MergeBatch, MergeGate, MergeOpen, MergePush, MergeSettled, MergeState, Timestamp};

/// A landing as callers see it.
pub(crate) fn view(landing: &Landing) -> Merge {
    let intent = landing.intent.as_ref();
    Merge {
        merge_id: name(landing.id),
        agent_id: landing.agent.clone(),
        target: landing.target.clone(),
        message: landing.message.clone(),
        priority: landing.priority,
        state: landing.state,
        reason: landing.reason.clone(),
        work: landing.work.clone(),
        base: landing.tip.clone(),
        tree: landing.tree.clone(),
        commit: intent.map(|intent| intent.to.clone()),
        branch: intent.map(|intent| intent.branch.clone()),
        backup: intent.map(|intent| intent.backup.clone()).filter(|name| !name.is_empty()),
        after: landing.after.map(name),
        batch: landing.batch.as_ref().map(|batch| MergeBatch {
            merges: batch.members.iter().copied().map(name).collect(),
            tree: batch.tree.clone(),
        }),
        paths: landing.paths,
        settled: landing
            .settled
            .iter()
            .map(|(layer, files)| MergeSettled { layer: layer.clone(), files: *files })
            .collect(),
        gates: landing.gates.iter().map(gate).collect(),
        open: left(&landing.open),
        attempts: landing.attempts,
        asked_at: Timestamp(landing.asked_at),
        changed_at: Timestamp(landing.changed_at),
    }
}

fn name(id: u64) -> String {
    format!("merge-{id}")
}

fn gate(run: &GateRun) -> MergeGate {
    MergeGate {
        name: run.name.clone(),
        required: run.required,
        verdict: run.verdict,
        exit_code: run.exit_code,
        seconds: run.millis as f64 / 1_000.0,
        flaky: run.flaky,
        cached: run.cached,
        not_enforced: run.not_enforced.clone(),
        output: run.tail.clone(),
    }
}

fn left(open: &[Open]) -> Vec<MergeOpen> {
    open.iter().map(|open| MergeOpen { file_path: open.path.clone(), reason: open.detail.clone() }).collect()
}

/// What listeners are told of a step: a function of the event alone. Nothing when it is none.
pub(crate) fn push(seq: u64, event: &Event) -> Option<MergePush> {
    let id = event.landing().unwrap_or(seq);
    let mut push = MergePush {
        merge_id: name(id),
        state: MergeState::Queued,
        agent_id: None,
        branch: None,
        commit: None,
        reason: None,
        gate: None,
        open: Vec::new(),
        touches: Vec::new(),
        paths: Vec::new(),
    };
    match event {
        Event::Retired { .. } => return None,
        Event::Requested { request, .. } => {
            (push.agent_id, push.branch) = (Some(request.agent.clone()), Some(request.target.clone()));
        }
        Event::Cancelled { .. } => push.state = MergeState::Cancelled,
        Event::Begun { .. } => push.state = MergeState::Merging,
        Event::Merged { .. } => push.state = MergeState::Gating,
        Event::GateEnded { run, .. } => {
            (push.state, push.gate) = (MergeState::Gating, Some(Box::new(gate(run))));
        }
        Event::Intended { branch, to, .. } => {
            push.state = MergeState::Gating;
            (push.branch, push.commit) = (Some(branch.clone()), Some(to.clone()));
        }
        Event::Landed { .. } => push.state = MergeState::Landed,
        Event::Told { agents, paths, .. } => {
            push.state = MergeState::Landed;
            (push.touches, push.paths) = (agents.clone(), paths.clone());
        }
        Event::Requeued { reason, .. } => push.reason = Some(reason.clone()),
        Event::Stopped { state, reason, open, .. } => {
            (push.state, push.reason, push.open) = (*state, Some(reason.clone()), left(open));
        }
    }
    Some(push)
}
