//! Approvals: asking, answering, looking, and who is told.

use crate::render::expiry;
use crate::tasks::{digest, letter};
use crate::{Actor, Command, Error, Event, Orchestrator, Reply, State};
use orchestrator_protocol::{Approval, ApprovalNews, ApprovalPush, ApprovalState, Json, Timestamp};
use orchestrator_workflow::approval::{self, Answer, name};

/// Which approvals are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only those in this state.
    pub state: Option<ApprovalState>,
    /// Only those of this kind.
    pub kind: Option<String>,
    /// Only those with a higher number.
    pub after: u64,
    /// At most so many.
    pub limit: usize,
}

/// Some of the approvals that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalPage {
    /// Oldest first.
    pub approvals: Vec<Approval>,
    /// How many match, `after` apart.
    pub total: usize,
    /// The number to go on after; nothing at the end.
    pub next: Option<u64>,
}

/// Which events follow from a command: its own, and the message that tells the agent that asked.
pub(crate) fn decide(state: &State, command: &approval::Command, at: i64) -> Result<Vec<Event>, Error> {
    let own = state.approvals.decide(command, at)?;
    let ended = own.iter().find_map(|event| match event {
        approval::Event::Asked { .. } => None,
        approval::Event::Answered { id, .. } | approval::Event::Expired { id, .. } => state.approvals.get(*id),
    });
    let asker = ended.and_then(|approval| approval.request.asked_by.parse().ok());
    // A full mailbox must not keep a question open.
    let told = asker.map(|asker| letter(state, &asker, "event", at).unwrap_or_default()).unwrap_or_default();
    Ok(own.into_iter().map(Event::Approval).chain(told.into_iter().map(Event::Mailbox)).collect())
}

/// The payload of the message that goes with an answer. The state has taken the events in.
pub(crate) fn body(state: &State, events: &[Event]) -> Option<Json> {
    let [Event::Approval(event), Event::Mailbox(_)] = events else { return None };
    let (id, said) = match event {
        approval::Event::Asked { .. } => return None,
        approval::Event::Answered { id, .. } => (id, "approval_answered"),
        approval::Event::Expired { id, answer: Some(_), .. } => (id, "approval_answered"),
        approval::Event::Expired { id, answer: None, .. } => (id, "approval_expired"),
    };
    let approval = state.approvals.get(*id)?;
    let news = ApprovalNews {
        event: said.to_owned(),
        approval_id: name(*id),
        kind: approval.request.kind.clone(),
        subject: approval.request.subject.clone(),
        state: approval.state,
        option: approval.option.clone(),
        note: approval.note.clone(),
    };
    serde_json::to_value(news).ok().map(Json::from)
}

/// The approval that a caller asked about, as it stands now; `seq` is the number of the first event that followed.
pub(crate) fn reply(state: &State, command: &approval::Command, seq: u64) -> Option<Approval> {
    let id = match command {
        approval::Command::Ask(request) => {
            let known = request.key.as_ref().and_then(|key| state.approvals.asked_with(&request.asked_by, key));
            known.unwrap_or(seq)
        }
        approval::Command::Answer { id, .. } | approval::Command::Expire { id } => *id,
    };
    state.approvals.get(id).map(view)
}

/// An approval as callers see it.
fn view(approval: &approval::Approval) -> Approval {
    let request = &approval.request;
    let answered_by = match approval.state {
        ApprovalState::Pending | ApprovalState::Expired => None,
        _ => Some(answerer(approval.by_default).to_owned()),
    };
    Approval {
        approval_id: name(approval.id),
        kind: request.kind.clone(),
        subject: request.subject.clone(),
        question: request.question.clone(),
        options: request.options.clone(),
        asked_by: request.asked_by.clone(),
        deadline: request.deadline_seconds.map(|seconds| expiry(approval.asked_at, seconds)),
        default: request.default.as_ref().map(|answer| answer.verdict),
        default_option: request.default.as_ref().and_then(|answer| answer.option.clone()),
        state: approval.state,
        option: approval.option.clone(),
        answered_by,
        answered_at: approval.ended_at.map(Timestamp),
        note: approval.note.clone(),
        asked_at: Timestamp(approval.asked_at),
    }
}

fn answerer(by_default: bool) -> &'static str {
    if by_default { "deadline" } else { "operator" }
}

/// What listeners are told of an event: a function of the event alone.
pub(crate) fn push(seq: u64, event: &approval::Event) -> ApprovalPush {
    let mut push = ApprovalPush {
        approval_id: name(seq),
        state: ApprovalState::Pending,
        kind: None,
        subject: None,
        question: None,
        options: Vec::new(),
        asked_by: None,
        deadline: None,
        option: None,
        answered_by: None,
        note: None,
    };
    match event {
        approval::Event::Asked { request, at } => {
            (push.kind, push.subject) = (Some(request.kind.clone()), request.subject.clone());
            (push.question, push.options) = (Some(request.question.clone()), request.options.clone());
            push.asked_by = Some(request.asked_by.clone());
            push.deadline = request.deadline_seconds.map(|seconds| expiry(*at, seconds));
        }
        approval::Event::Answered { id, answer, note, .. } => {
            (push.approval_id, push.note) = (name(*id), note.clone());
            (push.state, push.option) = (answer.state(), answer.option.clone());
            push.answered_by = Some(answerer(false));
        }
        approval::Event::Expired { id, answer, .. } => {
            push.approval_id = name(*id);
            push.state = answer.as_ref().map_or(ApprovalState::Expired, Answer::state);
            push.option = answer.as_ref().and_then(|answer| answer.option.clone());
            push.answered_by = answer.as_ref().map(|_| answerer(true));
        }
    }
    push
}

impl Orchestrator {
    /// Puts a question to a person. The same key from the same asker is the same question.
    ///
    /// # Errors
    /// It is refused by the rules, or nothing can be recorded.
    pub async fn ask_approval(&self, actor: Actor, mut request: approval::Request) -> Result<Approval, Error> {
        let key = request.key.take();
        request.digest = String::new();
        request.digest = digest(&request);
        request.key = key;
        self.change_approval(actor, approval::Command::Ask(request.into())).await
    }

    /// Answers a question: once, and only the operator.
    ///
    /// # Errors
    /// Somebody else answers, it was answered or expired, or nothing can be recorded.
    pub async fn answer_approval(
        &self,
        actor: Actor,
        id: u64,
        answer: Answer,
        note: Option<String>,
    ) -> Result<Approval, Error> {
        let operator = actor == Actor::Operator;
        self.change_approval(actor, approval::Command::Answer { id, answer, note, operator }).await
    }

    async fn change_approval(&self, actor: Actor, command: approval::Command) -> Result<Approval, Error> {
        match self.submit(actor, Command::Approval(command)).await? {
            Reply::Approval(approval) => Ok(*approval),
            _ => Err(Error::Internal("an approval was answered by something else".to_owned())),
        }
    }

    /// An approval.
    ///
    /// # Errors
    /// [`approval::Error::Unknown`] when it was never asked for or is older than what is kept.
    pub async fn approval(&self, id: u64) -> Result<Approval, Error> {
        let found = self.read(|state| state.approvals.get(id).map(view)).await?;
        found.ok_or_else(|| approval::Error::Unknown(name(id)).into())
    }

    /// Approvals that match, a page of them.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn approvals(&self, filter: &ApprovalFilter) -> Result<ApprovalPage, Error> {
        self.read(|state| {
            let matches = |approval: &&approval::Approval| {
                filter.state.is_none_or(|state| approval.state == state)
                    && filter.kind.as_ref().is_none_or(|kind| approval.request.kind == *kind)
            };
            let matching: Vec<&approval::Approval> = state.approvals.all().filter(matches).collect();
            let rest = matching.partition_point(|approval| approval.id <= filter.after);
            let mut page = matching.get(rest..).unwrap_or_default().iter();
            let shown: Vec<&approval::Approval> = page.by_ref().take(filter.limit).copied().collect();
            let next = page.next().and(shown.last()).map(|approval| approval.id);
            ApprovalPage { approvals: shown.into_iter().map(view).collect(), total: matching.len(), next }
        })
        .await
    }
}
