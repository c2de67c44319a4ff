//! `agent-client task`: work that one agent takes at a time.

mod shown;

use crate::context::Context;
use crate::exit::Failure;
use clap::{ArgGroup, Args, Subcommand};
use orchestrator_client::TasksQuery;
use orchestrator_protocol::{
    Json, TaskAnswer, TaskAssignRequest, TaskProgressRequest, TaskReleaseRequest, TaskRequest, TaskResultRequest,
    TaskState,
};
use std::io::Read;

/// Arguments of `task`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client task create 'Add a parser' --description - --needs rust --path 'src/parser/**' < plan.md
  agent-client task list --for dev-agent
  agent-client task claim task-42 dev-agent
  agent-client task progress task-42 --token 43 --percent 50 --note 'the lexer works'
  agent-client task done task-42 --token 43 --result '{\"merge\": \"merge-57\"}'
  agent-client task show task-42

A claim gives a token. It is shown with every report, so that nobody reports on what went to another agent meanwhile.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// Make a task.
    Create(Box<Create>),
    /// List tasks, oldest first.
    List(List),
    /// Show one task: what is to be done, how far it is, its history.
    Show(Which),
    /// Hand a task that nobody holds to an agent.
    Assign(Assign),
    /// Take a task. Claiming what one holds changes nothing.
    Claim(Claim),
    /// Say how far a task is.
    Progress(Progress),
    /// Bring a task's result.
    Done(Done),
    /// Say that a task could not be done.
    Fail(Fail),
    /// Give a task back. The operator may take it away without its token.
    Release(Release),
    /// Take a task back: nobody is to do it any more.
    Cancel(Cancel),
}

#[derive(Debug, Args)]
struct Which {
    /// Which task.
    #[arg(value_name = "TASK")]
    id: String,
}

#[derive(Debug, Args)]
struct Create {
    /// What it is, in a line.
    #[arg(value_name = "TITLE")]
    title: String,
    /// What is to be done; `-` reads standard input.
    #[arg(long, short, value_name = "TEXT")]
    description: Option<String>,
    /// What sort of task, a word; `task` when left out.
    #[arg(long, value_name = "WORD")]
    kind: Option<String>,
    /// Higher is more urgent.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// What whoever takes it must be able to do.
    #[arg(long, value_name = "CAPABILITIES", value_delimiter = ',')]
    needs: Vec<String>,
    /// A file, folder or pattern that it will change; can be given several times.
    #[arg(long = "path", value_name = "PATH")]
    paths: Vec<String>,
    /// A named part of a file that it will change; can be given several times.
    #[arg(long = "entity", value_name = "PATH::NAME")]
    entities: Vec<String>,
    /// A task that it builds upon; can be given several times.
    #[arg(long, value_name = "TASK", value_delimiter = ',')]
    depends_on: Vec<String>,
    /// It expires after so many seconds.
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// The agent that is to do it.
    #[arg(long, value_name = "ID")]
    assign: Option<String>,
    /// The agent that asks for it, and is told what came of it.
    #[arg(long, value_name = "ID")]
    by: Option<String>,
    /// The same key from the same asker is the same task.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

#[derive(Debug, Args)]
struct List {
    /// Only those that are open, claimed, done, failed, cancelled or expired; several are separated by commas.
    #[arg(long, value_name = "STATES", value_delimiter = ',', value_parser = state)]
    state: Vec<TaskState>,
    /// Only those that this agent holds, is to do, or ended.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Only those that need this.
    #[arg(long, value_name = "CAPABILITY")]
    needs: Option<String>,
    /// Only those that this agent could claim now.
    #[arg(long = "for", value_name = "ID")]
    claimable_by: Option<String>,
    /// Only those after this number, such as the last page's `next`.
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

fn state(word: &str) -> Result<TaskState, String> {
    let all = TaskState::ALL.map(TaskState::as_str).join(", ");
    TaskState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| format!("use one of {all}"))
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("whom").required(true))]
struct Assign {
    #[command(flatten)]
    which: Which,
    /// The agent that is to do it.
    #[arg(value_name = "AGENT", group = "whom")]
    agent: Option<String>,
    /// Open it to everyone who can do it.
    #[arg(long, group = "whom")]
    to_anyone: bool,
}

#[derive(Debug, Args)]
struct Claim {
    #[command(flatten)]
    which: Which,
    /// Who takes it.
    #[arg(value_name = "AGENT")]
    agent: String,
}

#[derive(Debug, Args)]
struct Held {
    #[command(flatten)]
    which: Which,
    /// The token of the claim.
    #[arg(long)]
    token: u64,
}

#[derive(Debug, Args)]
struct Progress {
    #[command(flatten)]
    held: Held,
    /// 0 to 100.
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=100))]
    percent: Option<u64>,
    /// In words.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

#[derive(Debug, Args)]
struct Done {
    #[command(flatten)]
    held: Held,
    /// What came of it: JSON, or text; `-` reads standard input.
    #[arg(long, value_name = "JSON|TEXT")]
    result: Option<String>,
}

#[derive(Debug, Args)]
struct Fail {
    #[command(flatten)]
    held: Held,
    /// Why: JSON, or text; `-` reads standard input.
    #[arg(long, value_name = "JSON|TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
struct Release {
    #[command(flatten)]
    which: Which,
    /// The token of the claim.
    #[arg(long)]
    token: Option<u64>,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

#[derive(Debug, Args)]
struct Cancel {
    #[command(flatten)]
    which: Which,
    /// Why.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let client = &context.client;
    let answer = match arguments.action {
        Action::Create(create) => client.create_task(&request(*create)?).await?,
        Action::List(list) => return list_tasks(context, list).await,
        Action::Show(Which { id }) => {
            let answer = client.task(&id).await?;
            return if context.out.is_json {
                context.out.json(&answer)
            } else {
                shown::whole(context.out, &answer.task)
            };
        }
        Action::Assign(Assign { which, agent, .. }) => {
            client.assign_task(&which.id, &TaskAssignRequest { agent_id: agent }).await?
        }
        Action::Claim(Claim { which, agent }) => client.claim_task(&which.id, &agent).await?,
        Action::Progress(Progress { held: Held { which, token }, percent, note }) => {
            let request = TaskProgressRequest { token: Some(token), agent_id: None, percent, note };
            client.report_task(&which.id, &request).await?
        }
        Action::Done(Done { held, result }) => finish(context, held, TaskState::Done, result).await?,
        Action::Fail(Fail { held, reason }) => finish(context, held, TaskState::Failed, reason).await?,
        Action::Release(Release { which, token, reason }) => {
            client.release_task(&which.id, &TaskReleaseRequest { token, agent_id: None, reason }).await?
        }
        Action::Cancel(Cancel { which, reason }) => client.cancel_task(&which.id, reason).await?,
    };
    if context.out.is_json { context.out.json(&answer) } else { shown::line(context.out, &answer.task) }
}

fn request(create: Create) -> Result<TaskRequest, Failure> {
    let list = |words: Vec<String>| (!words.is_empty()).then_some(words);
    let description = match create.description {
        Some(text) if text == "-" => Some(piped()?),
        other => other,
    };
    Ok(TaskRequest {
        title: create.title,
        description,
        kind: create.kind,
        priority: create.priority,
        capabilities: list(create.needs),
        paths: list(create.paths),
        entities: list(create.entities),
        depends_on: list(create.depends_on),
        deadline_seconds: create.deadline,
        assigned_to: create.assign,
        created_by: create.by,
        idempotency_key: create.idempotency_key,
    })
}

async fn list_tasks(context: &Context<'_>, list: List) -> Result<(), Failure> {
    let List { state, agent, needs: capability, claimable_by, after, limit } = list;
    let states: Vec<&str> = state.into_iter().map(TaskState::as_str).collect();
    let state = (!states.is_empty()).then(|| states.join(","));
    let query = TasksQuery { state, agent, capability, claimable_by, after, limit };
    let list = context.client.tasks(&query).await?;
    if context.out.is_json {
        return context.out.json(&list);
    }
    context.out.table(&shown::table(&list.tasks), "no such task")?;
    if let Some(next) = list.next {
        context.out.note(&format!("{} match; go on with --after {next}", list.total));
    }
    Ok(())
}

async fn finish(
    context: &Context<'_>,
    Held { which, token }: Held,
    state: TaskState,
    result: Option<String>,
) -> Result<TaskAnswer, Failure> {
    let result = result.map(|text| content(&text)).transpose()?;
    let request = TaskResultRequest { token: Some(token), agent_id: None, state: Some(state), result };
    Ok(context.client.finish_task(&which.id, &request).await?)
}

/// What came of it, as it is typed: JSON as it is, other text as a JSON string.
fn content(text: &str) -> Result<Json, Failure> {
    let piped = if text == "-" { Some(piped()?) } else { None };
    let text = piped.as_deref().unwrap_or(text);
    match Json::parse(text) {
        Ok(value) => Ok(value),
        Err(error) if text.trim_start().starts_with(['{', '[']) => Err(Failure::usage(
            format!("the result is not JSON: {error}"),
            "mend it; to send it as text, write it as a JSON string",
        )),
        Err(_) => Ok(serde_json::Value::from(text).into()),
    }
}

fn piped() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end().to_owned())
}
