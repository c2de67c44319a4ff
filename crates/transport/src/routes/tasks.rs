//! `/tasks`: work that one agent takes at a time.

use super::inbox::PollQuery;
use super::leases::checked;
use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, Query, check_message_size};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator::{Actor, Orchestrator, TaskCommand, TaskFilter};
use orchestrator_protocol::{
    AgentId, ErrorBody, ErrorCode, Resource, ResourceKind, Task, TaskAnswer, TaskAssignRequest, TaskCancelRequest,
    TaskClaimRequest, TaskList, TaskProgressRequest, TaskReleaseRequest, TaskRequest, TaskResultRequest, TaskState,
};
use orchestrator_workflow::task;
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

/// Tasks of a page when no limit is given, and the most of one.
pub(crate) const PAGE: (u64, u64) = (100, 1_000);
/// Most bytes of all paths and entities of a task.
const MAX_DECLARED: usize = 16 * 1024;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(create_task).service(list_tasks).service(show_task).service(assign_task).service(claim_task);
    config.service(report_progress).service(bring_result).service(release_task).service(cancel_task);
}

/// Make a task. It is open to whoever can do it, or handed to the agent that is named. The same key from the same asker
/// is the same task.
#[utoipa::path(tag = "tasks", request_body = TaskRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks")]
async fn create_task(context: web::Data<Context>, http: HttpRequest, request: Input<TaskRequest>) -> Answer {
    let TaskRequest { title, description, kind, priority, deadline_seconds, created_by, idempotency_key, .. } =
        request.0.clone();
    let (actor, created_by) = asker(&context, &http, created_by).await?;
    let (paths, entities) = declared(&context.orchestrator, request.0.paths, request.0.entities)?;
    let ids = request.0.depends_on.unwrap_or_default();
    let wanted = task::Request {
        title: limits::line("title", &title)?,
        kind: limits::word("kind", kind.as_deref().unwrap_or("task"))?,
        priority: priority.unwrap_or(0),
        capabilities: limits::words("capabilities", request.0.capabilities)?.unwrap_or_default(),
        paths,
        entities,
        depends_on: ids.iter().map(|id| number(id)).collect::<Result<_, _>>()?,
        deadline_seconds,
        created_by,
        assigned_to: request.0.assigned_to.map(|id| id.parse::<AgentId>()).transpose()?,
        key: limits::text("idempotency_key", idempotency_key.or(super::messages::idempotency_key(&http)?))?,
        digest: String::new(),
    };
    let description = limits::description(description)?;
    answer(context.orchestrator.create_task(actor, wanted, description).await?)
}

/// Who asks: the agent that is named, or whoever calls; and as what it is remembered.
pub(crate) async fn asker(
    context: &Context,
    http: &HttpRequest,
    named: Option<String>,
) -> Result<(Actor, String), Refusal> {
    let Some(named) = named else {
        let actor = context.caller(http);
        let label = actor.label().to_string();
        return Ok((actor, label));
    };
    let id = agent(context, &named).await?;
    Ok((Actor::Agent(id.clone()), id.to_string()))
}

/// The agent that speaks of itself, in the spelling first registered; that it does is a sign of life.
async fn agent(context: &Context, named: &str) -> Result<AgentId, Refusal> {
    let id: AgentId = named.parse()?;
    let known = context.orchestrator.read(|state| state.registry.ever(&id).cloned()).await?;
    let id = known.unwrap_or(id);
    context.orchestrator.heard_of(&id);
    Ok(id)
}

/// What a task will change, in the one form in which leases name it, too.
fn declared(
    orchestrator: &Orchestrator,
    paths: Option<Vec<String>>,
    entities: Option<Vec<String>>,
) -> Result<(Vec<String>, Vec<String>), Refusal> {
    let (paths, entities) = (paths.unwrap_or_default(), entities.unwrap_or_default());
    let bytes: usize = paths.iter().chain(&entities).map(String::len).sum();
    if bytes > MAX_DECLARED {
        let detail = format!("'paths' and 'entities' have {bytes} bytes together, at most {MAX_DECLARED} are taken");
        return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "name folders or patterns instead of files"));
    }
    let path = |value: String| {
        let kind = if value.contains(['*', '?', '[', '{']) { ResourceKind::Glob } else { ResourceKind::Path };
        checked(orchestrator, Resource { kind, value }).map(|resource| resource.value)
    };
    let entity = |value: String| {
        checked(orchestrator, Resource { kind: ResourceKind::Entity, value }).map(|resource| resource.value)
    };
    let paths = paths.into_iter().map(path).collect::<Result<_, _>>()?;
    Ok((paths, entities.into_iter().map(entity).collect::<Result<_, _>>()?))
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    state: Option<OneOrMany>,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    capability: Option<String>,
    #[serde(default)]
    claimable_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn states(asked: Option<OneOrMany>) -> Result<Vec<TaskState>, Refusal> {
    let words = match asked {
        None => return Ok(Vec::new()),
        Some(OneOrMany::One(word)) => vec![word],
        Some(OneOrMany::Many(words)) => words,
    };
    let state = |word: &str| {
        TaskState::ALL.into_iter().find(|state| state.as_str() == word).ok_or_else(|| {
            let all = TaskState::ALL.map(TaskState::as_str).join(", ");
            let detail = format!("'{word:.40}' is no state of a task");
            Refusal::new(ErrorCode::InvalidRequest, detail, format!("there are {all}"))
        })
    };
    words.iter().flat_map(|words| words.split(',')).map(|word| state(word.trim())).collect()
}

/// List tasks, oldest first: those in a state, of an agent, that need a capability, that an agent could claim now.
#[utoipa::path(tag = "tasks",
    params(("state" = Option<String>, Query, description = "one, or several separated by commas"),
        ("agent" = Option<String>, Query, description = "holds it, is to do it, or ended it"),
        ("capability" = Option<String>, Query),
        ("claimable_by" = Option<String>, Query, description = "an agent that could claim it now"),
        ("after" = Option<u64>, Query), ("limit" = Option<u64>, Query, description = "100 when left out, 1000 at most")),
    responses((status = 200, body = TaskList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/tasks")]
async fn list_tasks(context: web::Data<Context>, query: Query<ListQuery>, page: Query<PollQuery>) -> Answer {
    let ListQuery { state, agent, capability, claimable_by } = query.0;
    let filter = TaskFilter {
        states: states(state)?,
        agent: agent.map(|id| id.parse()).transpose()?,
        capability,
        claimable_by: claimable_by.map(|id| id.parse()).transpose()?,
        after: page.0.after()?.unwrap_or(0),
        limit: page.0.limit()?.unwrap_or(PAGE.0).clamp(1, PAGE.1) as usize,
    };
    let page = context.orchestrator.tasks(&filter).await?;
    let list = TaskList { status: success(), tasks: page.tasks, total: page.total, next: page.next, timestamp: now() };
    Ok(HttpResponse::Ok().json(list))
}

/// Show one task, with its description, its result and its history.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")),
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/tasks/{task_id}")]
async fn show_task(context: web::Data<Context>, id: web::Path<String>) -> Answer {
    answer(context.orchestrator.task(number(&id)?).await?)
}

/// Hand a task that nobody holds to an agent, or open it to everyone who can do it.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")), request_body = TaskAssignRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks/{task_id}/assign")]
async fn assign_task(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<TaskAssignRequest>,
) -> Answer {
    let agent = request.0.agent_id.map(|id| id.parse()).transpose()?;
    answer(context.orchestrator.assign_task(context.caller(&http), number(&id)?, agent).await?)
}

/// Take a task. The answer's `claim.token` is to be shown with every report. Claiming what one holds changes nothing.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")), request_body = TaskClaimRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks/{task_id}/claim")]
async fn claim_task(context: web::Data<Context>, id: web::Path<String>, request: Input<TaskClaimRequest>) -> Answer {
    let agent = agent(&context, &request.0.agent_id).await?;
    let command = task::Command::Claim { id: number(&id)?, agent: agent.clone(), capabilities: Vec::new() };
    answer(context.orchestrator.change_task(Actor::Agent(agent), command.into()).await?)
}

/// Who reports: the agent that says so, or that holds the task with this token. A report is a sign of life.
async fn reporter(
    context: &Context,
    http: &HttpRequest,
    (id, token): (u64, Option<u64>),
    named: Option<String>,
) -> Result<(Actor, Option<AgentId>), Refusal> {
    if let Some(named) = named {
        let named = agent(context, &named).await?;
        return Ok((Actor::Agent(named.clone()), Some(named)));
    }
    let holder = context.orchestrator.read(|state| {
        let claim = state.tasks.get(id)?.claim.as_ref();
        claim.filter(|claim| Some(claim.token) == token).map(|claim| claim.agent.clone())
    });
    let actor = match holder.await? {
        Some(holder) => {
            context.orchestrator.heard_of(&holder);
            Actor::Agent(holder)
        }
        None => context.caller(http),
    };
    Ok((actor, None))
}

fn needed(token: Option<u64>) -> Result<u64, Refusal> {
    token.ok_or_else(|| {
        let hint = "send the 'claim.token' that the claim was answered with";
        Refusal::new(ErrorCode::InvalidRequest, "'token' is missing", hint)
    })
}

/// Say how far a task is.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")),
    request_body = TaskProgressRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks/{task_id}/progress")]
async fn report_progress(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<TaskProgressRequest>,
) -> Answer {
    let TaskProgressRequest { token, agent_id, percent, note } = request.0;
    let (id, token) = (number(&id)?, needed(token)?);
    let percent = percent.map(|percent| u8::try_from(percent).unwrap_or(u8::MAX));
    let note = limits::text("note", note)?;
    let (actor, agent) = reporter(&context, &http, (id, Some(token)), agent_id).await?;
    let command = task::Command::Report { id, token, agent, percent, note };
    answer(context.orchestrator.change_task(actor, command.into()).await?)
}

/// Bring a task's result, or say that it could not be done. The same again is no error.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")), request_body = TaskResultRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks/{task_id}/result")]
async fn bring_result(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<TaskResultRequest>,
) -> Answer {
    let TaskResultRequest { token, agent_id, state, result } = request.0;
    let (id, token) = (number(&id)?, needed(token)?);
    let failed = match state {
        None | Some(TaskState::Done) => false,
        Some(TaskState::Failed) => true,
        Some(other) => {
            let detail = format!("a result is done or failed, not {}", other.as_str());
            return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "cancel a task with /cancel"));
        }
    };
    if let Some(result) = &result {
        check_message_size(result)?;
    }
    let (actor, agent) = reporter(&context, &http, (id, Some(token)), agent_id).await?;
    answer(context.orchestrator.finish_task(actor, (id, token), agent, failed, result).await?)
}

/// Give a task back. The operator may take it away without its token.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")),
    request_body = TaskReleaseRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks/{task_id}/release")]
async fn release_task(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<TaskReleaseRequest>,
) -> Answer {
    let TaskReleaseRequest { token, agent_id, reason } = request.0;
    let (id, reason) = (number(&id)?, limits::text("reason", reason)?);
    let operator = context.caller(&http) == Actor::Operator;
    let (actor, agent) = reporter(&context, &http, (id, token), agent_id).await?;
    let actor = if operator && token.is_none() { Actor::Operator } else { actor };
    let command = task::Command::Release { id, token, agent, operator, reason };
    answer(context.orchestrator.change_task(actor, command.into()).await?)
}

/// Take a task back: nobody is to do it any more. Twice is no error.
#[utoipa::path(tag = "tasks", params(("task_id" = String, Path, example = "task-42")), request_body = TaskCancelRequest,
    responses((status = 200, body = TaskAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/tasks/{task_id}/cancel")]
async fn cancel_task(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<TaskCancelRequest>,
) -> Answer {
    let command = task::Command::Cancel { id: number(&id)?, reason: limits::text("reason", request.0.reason)? };
    answer(context.orchestrator.change_task(context.caller(&http), TaskCommand::from(command)).await?)
}

fn answer(task: Task) -> Answer {
    Ok(HttpResponse::Ok().json(TaskAnswer { status: success(), task, timestamp: now() }))
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.strip_prefix("task-").and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        let detail = format!("'{id:.80}' names no task: ids look like task-42");
        Refusal::new(ErrorCode::UnknownTask, detail, "list what is known: GET /api/orchestration/tasks")
    })
}
