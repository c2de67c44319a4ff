//! `/sync`: watching the project's folder.

use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::Query;
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator::{Actor, ChangeFilter, ImpactFilter, ImpactView, Orchestrator};
use orchestrator_protocol::{ChangeList, ErrorBody, ErrorCode, ImpactList, SyncAnswer, SyncStatus, UnionAnswer};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

/// Changes that one answer lists when no limit is given.
const CHANGES: usize = 1_000;
/// Impacts and uses that one answer lists when no limit is given.
const IMPACTS: usize = 200;
/// Entries of each list of the union when no limit is given.
const UNION: usize = 200;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(start_sync).service(stop_sync).service(show_sync).service(list_changes).service(confirm_deletions);
    config.service(list_impacts).service(show_union);
}

fn answer(message: Option<&str>, sync_status: Option<SyncStatus>) -> HttpResponse {
    HttpResponse::Ok().json(SyncAnswer {
        status: success(),
        message: message.map(str::to_owned),
        sync_status,
        timestamp: now(),
    })
}

/// A path as the project names it: one file, one name.
pub(crate) fn normalised(orchestrator: &Orchestrator, path: &str) -> Result<String, Refusal> {
    orchestrator.options().project.relative(path).map_err(|error| {
        let hint = "name a file of the project, such as src/main.py";
        Refusal::new(ErrorCode::InvalidPath, error.to_string(), hint)
    })
}

/// Begin to watch the project's folder. Twice is no error.
#[utoipa::path(tag = "sync", responses((status = 200, body = SyncAnswer), (status = "5XX", body = ErrorBody)))]
#[post("/sync/start")]
async fn start_sync(context: web::Data<Context>, request: HttpRequest) -> Answer {
    context.orchestrator.set_monitoring(context.caller(&request), true).await?;
    Ok(answer(Some("Code synchronization started"), None))
}

/// Stop watching it. Twice is no error.
#[utoipa::path(tag = "sync", responses((status = 200, body = SyncAnswer), (status = "5XX", body = ErrorBody)))]
#[post("/sync/stop")]
async fn stop_sync(context: web::Data<Context>, request: HttpRequest) -> Answer {
    context.orchestrator.set_monitoring(context.caller(&request), false).await?;
    Ok(answer(Some("Code synchronization stopped"), None))
}

/// What is watched and what was found.
#[utoipa::path(tag = "sync", responses((status = 200, body = SyncAnswer), (status = "5XX", body = ErrorBody)))]
#[get("/sync/status")]
async fn show_sync(context: web::Data<Context>) -> Answer {
    Ok(answer(None, Some(context.orchestrator.sync_status().await?)))
}

#[derive(Deserialize)]
struct ChangesQuery {
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

fn whole_number(name: &str, text: Option<&str>) -> Result<Option<u64>, Refusal> {
    text.map(|text| {
        text.parse().map_err(|_| {
            let detail = format!("'{name}' is no whole number: '{text:.40}'");
            Refusal::new(ErrorCode::InvalidRequest, detail, "give a number such as 100")
        })
    })
    .transpose()
}

/// The newest file changes, oldest first.
#[utoipa::path(tag = "sync", params(
        ("since" = Option<u64>, Query, description = "only those with a higher seq"),
        ("agent" = Option<String>, Query), ("path" = Option<String>, Query, description = "a file, or a folder and all below"),
        ("limit" = Option<u64>, Query, description = "at most so many, 1000 when left out, 10000 at most")),
    responses((status = 200, body = ChangeList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/sync/changes")]
async fn list_changes(context: web::Data<Context>, query: Query<ChangesQuery>) -> Answer {
    let Query(ChangesQuery { since, agent, path, limit }) = query;
    let limit = whole_number("limit", limit.as_deref())?.map_or(CHANGES, |limit| limit.min(10_000) as usize);
    let filter = ChangeFilter {
        since: whole_number("since", since.as_deref())?.unwrap_or(0),
        agent: agent.map(|agent| agent.parse()).transpose()?,
        path: path.map(|path| normalised(&context.orchestrator, &path)).transpose()?,
        limit,
    };
    let changes = context.orchestrator.changes(&filter).await?;
    Ok(HttpResponse::Ok().json(ChangeList { status: success(), changes, timestamp: now() }))
}

#[derive(Deserialize)]
struct ImpactQuery {
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    symbol: Option<String>,
    #[serde(default)]
    agent: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

/// What unfinished changes of definitions break in others' code, and who uses what is named.
#[utoipa::path(tag = "sync", params(
        ("path" = Option<String>, Query, description = "the file of the definition or of the use"),
        ("symbol" = Option<String>, Query, description = "the definition: method, Class.method or src/a.py::Class.method"),
        ("agent" = Option<String>, Query, description = "who changed the definition, or uses it"),
        ("limit" = Option<u64>, Query, description = "at most so many impacts and uses, 200 when left out, 1000 at most")),
    responses((status = 200, body = ImpactList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/sync/impact")]
async fn list_impacts(context: web::Data<Context>, query: Query<ImpactQuery>) -> Answer {
    let Query(ImpactQuery { path, symbol, agent, limit }) = query;
    let filter = ImpactFilter {
        path: path.map(|path| normalised(&context.orchestrator, &path)).transpose()?,
        symbol: limits::text("symbol", symbol)?,
        agent: agent.map(|agent| agent.parse()).transpose()?,
        limit: whole_number("limit", limit.as_deref())?.map_or(IMPACTS, |limit| limit.min(1_000) as usize),
    };
    let ImpactView { indexing, left_out, impacts, uses, truncated } = context.orchestrator.impact(filter).await?;
    let (status, timestamp) = (success(), now());
    let list = ImpactList { status, indexing, left_out, impacts, uses, truncated, timestamp };
    Ok(HttpResponse::Ok().json(list))
}

#[derive(Deserialize)]
struct UnionQuery {
    #[serde(default)]
    limit: Option<String>,
}

/// The union of everyone's unfinished work: whose is in it, whose is left out and why, and where it breaks.
#[utoipa::path(tag = "sync", params(
        ("limit" = Option<u64>, Query, description = "at most so many of each list, 200 when left out, 1000 at most")),
    responses((status = 200, body = UnionAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/sync/union")]
async fn show_union(context: web::Data<Context>, query: Query<UnionQuery>) -> Answer {
    let Query(UnionQuery { limit }) = query;
    let limit = whole_number("limit", limit.as_deref())?.map_or(UNION, |limit| limit.min(1_000) as usize);
    let union = context.orchestrator.union(limit).await?;
    Ok(HttpResponse::Ok().json(UnionAnswer { status: success(), union, timestamp: now() }))
}

/// Let deletions through that were withheld because so many files vanished at once. For the operator.
#[utoipa::path(tag = "sync", responses((status = 200, body = SyncAnswer), (status = "4XX", body = ErrorBody)))]
#[post("/sync/confirm-deletions")]
async fn confirm_deletions(context: web::Data<Context>, request: HttpRequest) -> Answer {
    operator_only(&context, &request)?;
    context.orchestrator.confirm_deletions()?;
    Ok(answer(Some("Deletions confirmed"), None))
}

/// Refuses everyone but the operator.
pub(crate) fn operator_only(context: &Context, request: &HttpRequest) -> Result<(), Refusal> {
    if context.caller(request) == Actor::Operator {
        return Ok(());
    }
    let hint = "send the secret of the state folder's file operator.secret in the header X-Orchestrator-Operator";
    Err(Refusal::new(ErrorCode::OperatorOnly, "only the operator may do this", hint))
}
