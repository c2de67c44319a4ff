//! What the log holds of a task: its description, its result, its steps.

use super::view::push;
use crate::event::decode;
use crate::mail::{body_of, internal};
use crate::{Error, Event, Orchestrator};
use orchestrator_log::Record;
use orchestrator_protocol::{Json, Task, TaskMessage, TaskNews, TaskStep, Timestamp};
use orchestrator_workflow::task;

impl Orchestrator {
    /// Fills in what the state does not hold of a task.
    pub(super) async fn described(&self, mut view: Task, id: u64, result: Option<u64>) -> Result<Task, Error> {
        self.with_log(move |this| {
            view.description = this.task_payload::<TaskMessage>(id)?.and_then(|message| message.description);
            if let Some(result) = result {
                view.result = this.task_payload::<TaskNews>(result)?.and_then(|news| news.result);
            }
            Ok(view)
        })
        .await
    }

    /// The description of a task, to be handed over again.
    pub(super) async fn task_description(&self, id: u64) -> Result<Option<String>, Error> {
        let payload = self.with_log(move |this| this.task_payload::<TaskMessage>(id)).await?;
        Ok(payload.and_then(|message| message.description))
    }

    fn task_payload<T: serde::de::DeserializeOwned>(&self, seq: u64) -> Result<Option<T>, Error> {
        let record = self.shared.reader.record(seq).map_err(internal)?;
        let body: Option<Json> = record.as_ref().and_then(body_of);
        Ok(body.and_then(|body| serde_json::from_str(body.as_str()).ok()))
    }

    /// The steps behind these numbers. Reports are telemetry: old ones may be gone.
    pub(super) async fn task_steps(&self, id: u64, numbers: Vec<u64>) -> Result<Vec<TaskStep>, Error> {
        self.with_log(move |this| {
            let mut steps = Vec::with_capacity(numbers.len());
            for seq in numbers {
                if let Some(record) = this.shared.reader.record(seq).map_err(internal)? {
                    steps.extend(step(&record, seq)?.filter(|(of, _)| *of == id).map(|(_, step)| step));
                }
            }
            Ok(steps)
        })
        .await
    }
}

/// One event of a record as a step of its task.
fn step(record: &Record, seq: u64) -> Result<Option<(u64, TaskStep)>, Error> {
    let events = decode(record.seq, record.version, &record.facts).map_err(internal)?;
    let event = (record.seq..).zip(events).find(|(number, _)| *number == seq);
    let Some((_, Event::Task(event))) = event else { return Ok(None) };
    let told = push(seq, &event);
    let agent_id = told.agent_id.or(match &event {
        task::Event::Created { request, .. } => request.assigned_to.clone(),
        _ => None,
    });
    let step = TaskStep {
        seq,
        at: Timestamp(record.at),
        by: record.actor.clone(),
        event: told.event.to_owned(),
        agent_id,
        token: told.token,
        reason: told.reason,
        percent: told.percent,
        note: told.note,
    };
    Ok(Some((event.task().unwrap_or(seq), step)))
}
