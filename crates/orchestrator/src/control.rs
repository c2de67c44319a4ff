//! Control commands, carried out: the same on every transport.

use crate::{Actor, Command, Error, Orchestrator, TaskFilter, Wish};
use orchestrator_conflict as conflict;
use orchestrator_protocol::{CommandAnswer, ErrorBody, ErrorCode, InvalidId, TaskState};
use orchestrator_workflow::{self as workflow, ControlCommand, HELP, UnknownCommand, task};
use serde_json::{Value, json};

impl Orchestrator {
    /// Carries out a control command. A refusal is an answer with `status: error`, and its body beside it for
    /// transports that have status codes.
    pub async fn control(&self, actor: Actor, text: &str) -> (CommandAnswer, Option<ErrorBody>) {
        let result = match text.parse::<ControlCommand>() {
            Ok(command) => self.carry_out(actor, command).await,
            Err(error) => Err(unknown(&error)),
        };
        let (status, result, refusal) = match result {
            Ok(result) => ("success", result, None),
            Err(error) => {
                let body = error.body();
                ("error", serde_json::to_value(&body).unwrap_or_default(), Some(body))
            }
        };
        let answer = CommandAnswer {
            status: status.to_owned(),
            kind: "command_response".to_owned(),
            command: text.trim().to_owned(),
            result,
            timestamp: crate::engine::now(),
        };
        (answer, refusal)
    }

    async fn carry_out(&self, actor: Actor, command: ControlCommand) -> Result<Value, Error> {
        use ControlCommand as C;
        match command {
            C::Help => {
                let lines = HELP.iter().map(|(command, text)| json!({"command": command, "description": text}));
                Ok(json!({"commands": lines.collect::<Vec<_>>()}))
            }
            C::Autonomy(None) => self.autonomy_view().await,
            C::Autonomy(Some(level)) => {
                let ceiling = self.options().autonomy;
                let operator = actor == Actor::Operator;
                let command = workflow::Command::SetAutonomy { level, ceiling, operator };
                self.submit(actor, Command::Workflow(command)).await?;
                self.autonomy_view().await
            }
            C::SyncEnable => self.set_monitoring(actor, true).await,
            C::SyncDisable => self.set_monitoring(actor, false).await,
            C::SyncStatus => Ok(json!(self.sync_status().await?)),
            C::SyncForce => Ok(json!(self.barrier().await?)),
            C::MergeRun(agent) => {
                let invalid = |error: InvalidId| {
                    Error::invalid(error.code(), error.to_string(), "name a registered agent: *agent:list")
                };
                let agent = agent.parse().map_err(invalid)?;
                let wish = Wish { agent, target: None, message: None, priority: 0, snapshot: None };
                Ok(json!({"merge": self.request_merge(actor, wish).await?}))
            }
            C::MergeStatus => {
                let merges = self.merges().await?;
                Ok(json!({"total": merges.len(), "merges": merges}))
            }
            C::TaskList => {
                let states = vec![TaskState::Open, TaskState::Claimed];
                let page = self.tasks(&TaskFilter { states, ..TaskFilter::default() }).await?;
                Ok(json!({"total": page.total, "tasks": page.tasks}))
            }
            C::TaskStatus(name) => {
                let id = name.strip_prefix("task-").and_then(|digits| digits.parse().ok());
                let unknown = || task::Error::Unknown(name.chars().take(80).collect());
                Ok(json!({"task": self.task(id.ok_or_else(unknown)?).await?}))
            }
            C::WorkflowStart(name) => self.workflow(actor, workflow::Command::Start(name)).await,
            C::WorkflowStop(id) => self.workflow(actor, workflow::Command::Stop(id)).await,
            C::WorkflowAuto => self.workflow(actor, workflow::Command::Auto).await,
            C::WorkflowStatus => Ok(json!({"workflows": [], "total": 0})),
            C::AgentList => {
                let agents = self.agents().await?;
                Ok(json!({"total_agents": agents.len(), "agents": agents}))
            }
            C::Status => {
                let sync = self.sync_status().await?;
                let health = self.health(0);
                let autonomy = self.autonomy().await?.0;
                Ok(json!({"health": health.status, "autonomy": autonomy, "sync": sync, "seq": health.seq}))
            }
        }
    }

    async fn autonomy_view(&self) -> Result<Value, Error> {
        let (level, configured) = self.autonomy().await?;
        Ok(json!({"autonomy": level, "configured": configured}))
    }

    /// Begins or ends monitoring; twice is no error. Answers with the status after it; once it has begun, every
    /// later file change is seen.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn set_monitoring(&self, actor: Actor, on: bool) -> Result<Value, Error> {
        let command = if on { conflict::Command::StartMonitoring } else { conflict::Command::StopMonitoring };
        self.submit(actor, Command::Conflict(command)).await?;
        if on {
            self.watching().await;
        }
        Ok(json!(self.sync_status().await?))
    }

    async fn workflow(&self, actor: Actor, command: workflow::Command) -> Result<Value, Error> {
        self.submit(actor, Command::Workflow(command)).await?;
        Ok(Value::Null)
    }
}

fn unknown(error: &UnknownCommand) -> Error {
    Error::invalid(ErrorCode::UnknownCommand, error.to_string(), "*help lists all commands")
}
