//! `agent-client conflicts --watch`: conflicts as they are found, become others, and end.

use super::shown;
use crate::context::Context;
use crate::exit::Failure;
use crate::following::persist;
use crate::when::now;
use orchestrator_client::{Frame, ListenerOptions, Notice};
use orchestrator_protocol::{Conflict, ResolutionStatus};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// `conflict_resolved`, as far as it is shown.
#[derive(Deserialize)]
struct Resolved {
    conflict_id: String,
    resolution_strategy: String,
    resolved_by: Option<String>,
}

/// `conflict_escalated`, as far as it is shown.
#[derive(Deserialize)]
struct Escalated {
    conflict_id: String,
    escalated_by: Option<String>,
    reason: String,
}

/// Shows what is open, then what happens, until the program is ended.
pub(super) async fn run(context: &Context<'_>, status: Option<ResolutionStatus>) -> Result<(), Failure> {
    let Context { client, out } = context;
    let mut watch = Watch { context, known: BTreeMap::new() };
    // The number comes first: what happens between the two calls is told again rather than not at all.
    let after = persist(out, async || client.health().await).await?.seq;
    let shown = match status {
        Some(status) => vec![status],
        None => vec![ResolutionStatus::Pending, ResolutionStatus::Escalated],
    };
    let mut open = Vec::new();
    for status in shown {
        open.extend(persist(out, async || client.conflicts(Some(status)).await).await?.conflicts);
    }
    open.sort_by_key(|conflict| conflict.detected_at);
    for open in open {
        let whole = persist(out, async || client.conflict(&open.conflict_id).await).await?;
        if out.is_json {
            let mut frame = json!({"type": "conflict_detected"});
            if let (Some(frame), Ok(serde_json::Value::Object(fields))) =
                (frame.as_object_mut(), serde_json::to_value(&whole))
            {
                frame.extend(fields);
            }
            out.json(&frame)?;
        }
        watch.found(whole, "open")?;
    }
    if !out.is_json {
        out.note("watching for conflicts; interrupt to end");
    }
    let (listener, _handle, mut notices) = ListenerOptions::new(client.clone()).after(after).build();
    let running = tokio::spawn(listener.run());
    let mut was_lost = false;
    while let Some(notice) = notices.recv().await {
        match notice {
            Notice::Connected { .. } => {
                if std::mem::take(&mut was_lost) && !out.is_json {
                    out.note("connected again");
                }
            }
            Notice::Disconnected { reason, retry_in } => {
                was_lost = true;
                out.note(&format!("not connected: {reason}; trying again in {:.1} s", retry_in.as_secs_f32()));
            }
            Notice::Frame(frame) => watch.frame(&frame)?,
        }
    }
    // The notices ended: the connection did, and says why.
    running.await.unwrap_or(Ok(())).map_err(Failure::from)
}

struct Watch<'c> {
    context: &'c Context<'c>,
    /// What was shown and is not over.
    known: BTreeMap<String, Conflict>,
}

impl Watch<'_> {
    fn frame(&mut self, frame: &Frame) -> Result<(), Failure> {
        let out = self.context.out;
        match frame.kind() {
            "conflict_detected" => {
                if out.is_json {
                    out.line(frame.text())?;
                }
                // A frame of another form is a newer server's.
                let Ok(conflict) = frame.read::<Conflict>() else { return Ok(()) };
                match self.known.get(&conflict.conflict_id) {
                    Some(known) if *known == conflict => Ok(()),
                    Some(_) => self.found(conflict, "changed"),
                    None => self.found(conflict, "found"),
                }
            }
            "conflict_escalated" => {
                if out.is_json {
                    return out.line(frame.text());
                }
                let Ok(Escalated { conflict_id, escalated_by, reason }) = frame.read() else { return Ok(()) };
                let known = self.known.get(&conflict_id);
                out.line(&shown::escalated(out, &conflict_id, known, &reason, escalated_by.as_deref()))
            }
            "conflict_closed" if out.is_json => out.line(frame.text()),
            "conflict_resolved" => {
                if out.is_json {
                    out.line(frame.text())?;
                }
                let Ok(over) = frame.read::<Resolved>() else { return Ok(()) };
                let known = self.known.remove(&over.conflict_id);
                if out.is_json {
                    return Ok(());
                }
                let Resolved { conflict_id, resolution_strategy, resolved_by } = over;
                out.line(&shown::resolved(
                    out,
                    &conflict_id,
                    known.as_ref(),
                    &resolution_strategy,
                    resolved_by.as_deref(),
                ))
            }
            _ => Ok(()),
        }
    }

    fn found(&mut self, conflict: Conflict, what: &str) -> Result<(), Failure> {
        let out = self.context.out;
        if !out.is_json {
            for line in shown::lines(out, &conflict, what, now()) {
                out.line(&line)?;
            }
        }
        self.known.insert(conflict.conflict_id.clone(), conflict);
        Ok(())
    }
}
