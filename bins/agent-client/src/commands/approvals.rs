//! `agent-client approvals`: questions that only a person answers.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::{Output, clean};
use crate::table::Table;
use crate::when::{ago, now, word};
use clap::{Args, Subcommand, ValueEnum};
use orchestrator_client::ApprovalsQuery;
use orchestrator_protocol::{Approval, ApprovalAnswerRequest, ApprovalRequest, ApprovalState, Verdict};

/// Arguments of `approvals`.
#[derive(Debug, Args)]
#[command(after_help = "\
Answers need the operator's secret (--operator-secret-file), and are given once.

Examples:
  agent-client approvals list --state pending
  agent-client approvals answer approval-42 approve --note 'after the release'
  agent-client approvals ask 'Land on main?' --kind landing --subject merge-42 --by dev-agent --deadline 600 --default deny")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// List questions, oldest first.
    List(List),
    /// Show one.
    Show {
        /// Which.
        #[arg(value_name = "APPROVAL")]
        id: String,
    },
    /// Put a question to a person.
    Ask(Ask),
    /// Answer a question: once, and only the operator.
    Answer(Answer),
}

#[derive(Debug, Args)]
struct List {
    /// Only those that are pending, approved, denied or expired.
    #[arg(long)]
    state: Option<State>,
    /// Only those of this kind.
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// Only those after this number, such as the last page's `next`.
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
struct Ask {
    /// The question.
    #[arg(value_name = "QUESTION")]
    question: String,
    /// What sort of decision: rollback, landing, resolution, or another word.
    #[arg(long, value_name = "WORD")]
    kind: String,
    /// What it is about, such as merge-42.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// What can be approved; can be given several times.
    #[arg(long = "option", value_name = "TEXT")]
    options: Vec<String>,
    /// The agent that asks, and is told the answer.
    #[arg(long, value_name = "ID")]
    by: Option<String>,
    /// It ends by itself after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// The answer then; without one it expires.
    #[arg(long, requires = "deadline")]
    default: Option<YesNo>,
    /// Which option the default approves.
    #[arg(long, value_name = "TEXT", requires = "default")]
    default_option: Option<String>,
    /// The same key from the same asker is the same question.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
struct Answer {
    /// Which.
    #[arg(value_name = "APPROVAL")]
    id: String,
    /// Yes or no.
    #[arg(value_name = "ANSWER")]
    answer: YesNo,
    /// Which option is approved.
    #[arg(long, value_name = "TEXT")]
    option: Option<String>,
    /// What to say with it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum YesNo {
    Approve,
    Deny,
}

impl From<YesNo> for Verdict {
    fn from(answer: YesNo) -> Self {
        match answer {
            YesNo::Approve => Self::Approve,
            YesNo::Deny => Self::Deny,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Pending,
    Approved,
    Denied,
    Expired,
}

impl From<State> for ApprovalState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Approved => Self::Approved,
            State::Denied => Self::Denied,
            State::Expired => Self::Expired,
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    let answer = match arguments.action {
        Action::List(List { state, kind, after, limit }) => {
            let list = client.approvals(&ApprovalsQuery { state: state.map(Into::into), kind, after, limit }).await?;
            if out.is_json {
                return out.json(&list);
            }
            out.table(&table(&list.approvals), "nothing was asked")?;
            if let Some(next) = list.next {
                out.note(&format!("{} match; go on with --after {next}", list.total));
            }
            return Ok(());
        }
        Action::Show { id } => client.approval(&id).await?,
        Action::Ask(ask) => client.ask_approval(&request(ask)).await?,
        Action::Answer(Answer { id, answer, option, note }) => {
            client.answer_approval(&id, &ApprovalAnswerRequest { answer: answer.into(), option, note }).await?
        }
    };
    if out.is_json { out.json(&answer) } else { show(out, &answer.approval) }
}

fn request(ask: Ask) -> ApprovalRequest {
    ApprovalRequest {
        kind: ask.kind,
        subject: ask.subject,
        question: ask.question,
        options: (!ask.options.is_empty()).then_some(ask.options),
        asked_by: ask.by,
        deadline_seconds: ask.deadline,
        default: ask.default.map(Into::into),
        default_option: ask.default_option,
        idempotency_key: ask.idempotency_key,
    }
}

fn table(approvals: &[Approval]) -> Table {
    let now = now();
    let mut table = Table::new(&["APPROVAL", "STATE", "KIND", "SUBJECT", "ASKED BY", "QUESTION", "DEADLINE", "ANSWER"]);
    for one in approvals {
        table.row([
            one.approval_id.clone(),
            one.state.as_str().to_owned(),
            one.kind.clone(),
            one.subject.clone().unwrap_or_default(),
            one.asked_by.clone(),
            one.question.chars().take(60).collect(),
            one.deadline.map(|deadline| ago(deadline, now)).unwrap_or_default(),
            one.option.clone().or_else(|| one.note.clone()).unwrap_or_default(),
        ]);
    }
    table
}

fn show(out: &Output, approval: &Approval) -> Result<(), Failure> {
    let now = now();
    let subject = approval.subject.as_ref().map(|subject| format!(" of {subject}")).unwrap_or_default();
    let head = format!("{} {}{subject}: {}", approval.approval_id, approval.kind, approval.state.as_str());
    out.line(&clean(&head))?;
    out.line(&format!("  {}", clean(&approval.question)))?;
    let default = approval.default.map(|default| format!(", then {}", word(&default))).unwrap_or_default();
    let answered = approval.answered_at.map(|at| {
        let by = approval.answered_by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let option = approval.option.as_ref().map(|option| format!(" '{option}'")).unwrap_or_default();
        format!("{}{option}{by}, {}", approval.state.as_str(), ago(at, now))
    });
    for (name, value) in [
        ("asked by", Some(format!("{}, {}", approval.asked_by, ago(approval.asked_at, now)))),
        ("options", (!approval.options.is_empty()).then(|| approval.options.join(", "))),
        ("deadline", approval.deadline.map(|deadline| format!("{}{default}", ago(deadline, now)))),
        ("answer", answered),
        ("note", approval.note.clone()),
    ] {
        if let Some(value) = value {
            out.line(&format!("  {name}: {}", clean(&value)))?;
        }
    }
    Ok(())
}
