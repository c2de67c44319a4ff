//! `/agents/{id}/workspace` and `/workspaces`: the folders that agents work in.

use super::{now, success};
use crate::answer::Answer;
use crate::context::Context;
use crate::input::{AgentPath, Input, Query};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use orchestrator_protocol::{
    AgentId, ErrorBody, Isolation, Keep, RemoveWorkspaceRequest, RemovedAnswer, WorkspaceAnswer, WorkspaceList,
    WorkspaceRequest,
};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(create_workspace).service(list_workspaces).service(remove_workspace);
}

/// Make a workspace for a registered agent, or answer with the one that was made.
#[utoipa::path(tag = "workspaces",
    params(("agent_id" = AgentId, Path), ("branch" = Option<String>, Query), ("from" = Option<String>, Query),
        ("isolation" = Option<Isolation>, Query)),
    request_body = WorkspaceRequest,
    responses((status = 200, body = WorkspaceAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/workspace")]
async fn create_workspace(
    context: web::Data<Context>,
    http: HttpRequest,
    agent: AgentPath,
    request: Input<WorkspaceRequest>,
) -> Answer {
    let Input(WorkspaceRequest { branch, from, isolation }) = request;
    let request =
        WorkspaceRequest { branch: limits::text("branch", branch)?, from: limits::text("from", from)?, isolation };
    let caller = context.caller(&http);
    let (agent_id, workspace) = context.orchestrator.create_workspace(caller, agent.0, request).await?;
    Ok(HttpResponse::Ok().json(WorkspaceAnswer { status: success(), agent_id, workspace }))
}

/// List the folders that agents work in, and those that were made for agents that left.
#[utoipa::path(tag = "workspaces",
    responses((status = 200, body = WorkspaceList), (status = "5XX", body = ErrorBody)))]
#[get("/workspaces")]
async fn list_workspaces(context: web::Data<Context>) -> Answer {
    let workspaces = context.orchestrator.workspaces().await?;
    Ok(HttpResponse::Ok().json(WorkspaceList { status: success(), workspaces, timestamp: now() }))
}

/// Remove an agent's workspace. Refused while it holds work that has not landed, unless that is kept.
#[utoipa::path(tag = "workspaces",
    params(("agent_id" = AgentId, Path),
        ("keep" = inline(Option<Keep>), Query, description = "keep unlanded work as a commit"),
        ("discard_ignored" = Option<bool>, Query, description = "let files go that git ignores")),
    responses((status = 200, body = RemovedAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[delete("/agents/{agent_id}/workspace")]
async fn remove_workspace(
    context: web::Data<Context>,
    http: HttpRequest,
    agent: AgentPath,
    request: Query<RemoveWorkspaceRequest>,
) -> Answer {
    let removed = context.orchestrator.remove_workspace(context.caller(&http), agent.0, request.0).await?;
    Ok(HttpResponse::Ok().json(removed))
}
