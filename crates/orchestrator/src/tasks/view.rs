//! A task as the wire shows it.

use crate::render::expiry;
use orchestrator_protocol::{Task, TaskClaim, TaskProgress, TaskPush, TaskState, Timestamp};
use orchestrator_workflow::task::{self, Event, name};

/// A task as callers see it, without its description, result and history.
pub(crate) fn view(task: &task::Task) -> Task {
    let request = &task.request;
    Task {
        task_id: name(task.id),
        title: request.title.clone(),
        description: None,
        kind: request.kind.clone(),
        priority: request.priority,
        capabilities: request.capabilities.clone(),
        paths: request.paths.clone(),
        entities: request.entities.clone(),
        depends_on: request.depends_on.iter().map(|id| name(*id)).collect(),
        deadline: request.deadline_seconds.map(|seconds| expiry(task.created_at, seconds)),
        created_by: request.created_by.clone(),
        assigned_to: task.assigned_to.clone(),
        state: task.state,
        reason: task.reason.clone(),
        claim: task.claim.as_ref().map(|claim| TaskClaim {
            agent_id: claim.agent.clone(),
            token: claim.token,
            since: Timestamp(claim.at),
        }),
        progress: task.progress.as_ref().map(|progress| TaskProgress {
            percent: progress.percent,
            note: progress.note.clone(),
            at: Timestamp(progress.at),
        }),
        finished_by: task.finished.as_ref().map(|finished| finished.agent.clone()),
        result: None,
        claims: task.claims,
        created_at: Timestamp(task.created_at),
        changed_at: Timestamp(task.changed_at),
        history: Vec::new(),
    }
}

/// What listeners are told of a step: a function of the event alone.
pub(crate) fn push(seq: u64, event: &Event) -> TaskPush {
    let mut push = TaskPush {
        task_id: name(event.task().unwrap_or(seq)),
        event: "created",
        state: TaskState::Open,
        title: None,
        kind: None,
        priority: None,
        capabilities: Vec::new(),
        agent_id: None,
        token: None,
        reason: None,
        percent: None,
        note: None,
    };
    match event {
        Event::Created { request, .. } => {
            push.title = Some(request.title.clone());
            (push.kind, push.priority) = (Some(request.kind.clone()), Some(request.priority));
            push.capabilities.clone_from(&request.capabilities);
            push.agent_id.clone_from(&request.assigned_to);
        }
        Event::Assigned { agent, .. } => {
            push.event = if agent.is_some() { "assigned" } else { "unassigned" };
            push.agent_id.clone_from(agent);
        }
        Event::Claimed { agent, .. } => {
            (push.event, push.state) = ("claimed", TaskState::Claimed);
            (push.agent_id, push.token) = (Some(agent.clone()), Some(seq));
        }
        Event::Progressed { agent, token, percent, note, .. } => {
            (push.event, push.state) = ("progress", TaskState::Claimed);
            (push.agent_id, push.token) = (Some(agent.clone()), Some(*token));
            (push.percent, push.note) = (*percent, note.clone());
        }
        Event::Finished { agent, token, state, .. } => {
            (push.event, push.state) = (state.as_str(), *state);
            (push.agent_id, push.token) = (Some(agent.clone()), Some(*token));
        }
        Event::GivenBack { agent, token, cause, reason, .. } => {
            push.event = "given_back";
            (push.agent_id, push.token) = (Some(agent.clone()), Some(*token));
            push.reason = Some(reason.clone().unwrap_or_else(|| cause.text().to_owned()));
        }
        Event::Cancelled { reason, .. } => {
            (push.event, push.state, push.reason) = ("cancelled", TaskState::Cancelled, reason.clone());
        }
        Event::Expired { .. } => (push.event, push.state) = ("expired", TaskState::Expired),
    }
    push
}
