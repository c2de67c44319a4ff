//! Frames as lines for people: when, what, who, and what about it.

use crate::output::{Output, clean};
use crate::when;
use orchestrator_protocol::{AgentMessagePush, BroadcastPush, Json};
use serde::Deserialize;
use serde_json::Value;

/// A frame as one line. What cannot be read as a frame is shown as it is.
pub(crate) fn line(out: &Output, text: &str) -> String {
    let seen = describe(text);
    let seq = seen.seq.map_or_else(|| "-".to_owned(), |seq| seq.to_string());
    let (clock, seq) = (out.dim(&format!("{:8}", seen.clock)), out.dim(&format!("{seq:>6}")));
    let kind = out.bold(&format!("{:22}", clean(&seen.kind)));
    format!("{clock} {seq}  {kind}  {:14}  {}", clean(&seen.who), clean(&seen.what)).trim_end().to_owned()
}

/// What a line says.
struct Seen {
    clock: String,
    seq: Option<u64>,
    kind: String,
    who: String,
    what: String,
}

/// What every frame has, read apart from the rest: a payload may hold numbers that no double holds.
#[derive(Deserialize, Default)]
struct Head {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    timestamp: String,
}

fn describe(text: &str) -> Seen {
    let Head { kind, seq, timestamp } = serde_json::from_str(text).unwrap_or_default();
    let told = match kind.as_str() {
        "agent_message" => message(text),
        "broadcast_message" => broadcast(text),
        _ => event(&kind, &serde_json::from_str(text).unwrap_or_default()),
    };
    let (who, what) = told.unwrap_or_else(|| (String::new(), text.to_owned()));
    Seen { clock: when::clock_of(&timestamp), seq, kind, who, what }
}

fn payload(payload: Option<Json>) -> String {
    payload.map_or_else(|| "(erased)".to_owned(), |payload| payload.as_str().to_owned())
}

fn message(text: &str) -> Option<(String, String)> {
    let push: AgentMessagePush = serde_json::from_str(text).ok()?;
    let what = format!("to {}: {}{} ({})", push.to, tag(&push.message_type), payload(push.payload), push.message_id);
    Some((push.from, what))
}

fn broadcast(text: &str) -> Option<(String, String)> {
    let push: BroadcastPush = serde_json::from_str(text).ok()?;
    let what = format!("{}{} ({})", tag(&push.message_type), payload(push.payload), push.message_id);
    Some((push.from, what))
}

/// The type of a message, where it is not the usual one.
fn tag(kind: &str) -> String {
    if kind == "message" { String::new() } else { format!("[{kind}] ") }
}

/// Who and what of an event or answer; `None` for frames that are not known here.
fn event(kind: &str, frame: &Value) -> Option<(String, String)> {
    let field = |name: &str| frame[name].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| {
        let words = frame[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(", ")
    };
    let agent = field("agent_id");
    Some(match kind {
        "agent_registered" => (agent, list("capabilities")),
        "agent_status_update" => {
            let task = frame["task"].as_str().map(|task| format!(": {task}")).unwrap_or_default();
            let workload = frame["workload"].as_f64().unwrap_or_default() * 100.0;
            (agent, format!("{}{task} ({workload:.0} %)", field("status")))
        }
        "code_change_detected" => {
            let others = list("affected_agents");
            let others = if others.is_empty() { others } else { format!(" (also {others})") };
            (agent, format!("{} {}{others}", field("change_type"), field("file_path")))
        }
        "conflict_detected" => {
            let what = format!("{} {}: {}", field("conflict_id"), field("severity"), field("file_path"));
            (list("conflicting_agents"), what)
        }
        "conflict_resolved" => {
            (field("resolved_by"), format!("{} by {}", field("conflict_id"), field("resolution_strategy")))
        }
        "conflict_escalated" => {
            (field("escalated_by"), format!("{} {}: {}", field("conflict_id"), field("file_path"), field("reason")))
        }
        "conflict_closed" => {
            (String::new(), format!("{} {} ({})", field("conflict_id"), field("file_path"), field("reason")))
        }
        "workspace_created" => (agent, format!("{} on {}", field("path"), field("branch"))),
        "workspace_removed" => {
            let kept = frame["backup"].as_str().map(|backup| format!(" (kept: {backup})")).unwrap_or_default();
            (agent, format!("{}{kept}", field("path")))
        }
        "message_dead" => (field("from"), format!("{} never acknowledged by {}", field("message_id"), field("to"))),
        "lease_granted" => {
            let lease = &frame["lease"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let resource = &lease["resource"];
            let what = format!("{} {} {}", text(&lease["lease_id"]), text(&resource["kind"]), text(&resource["value"]));
            (text(&lease["agent_id"]), what)
        }
        "lease_renewed" => (agent, field("lease_id")),
        "lease_ended" => (agent, format!("{} {}", field("lease_id"), field("reason"))),
        "task_update" => {
            let about = [field("title"), field("note"), field("reason")].into_iter().find(|text| !text.is_empty());
            let percent = frame["percent"].as_u64().map(|percent| format!(" {percent} %")).unwrap_or_default();
            let about = about.map(|text| format!(": {text}")).unwrap_or_default();
            (agent, format!("{} {}{percent}{about}", field("task_id"), field("event")))
        }
        "approval_update" => {
            let option = frame["option"].as_str().map(|option| format!(" ({option})")).unwrap_or_default();
            let about = [field("question"), field("note")].into_iter().find(|text| !text.is_empty());
            let about = about.map(|text| format!(": {text}")).unwrap_or_default();
            let who = [field("asked_by"), field("answered_by")].into_iter().find(|who| !who.is_empty());
            (who.unwrap_or_default(), format!("{} {}{option}{about}", field("approval_id"), field("state")))
        }
        "autonomy_changed" => (agent, field("level")),
        "sync_notice" => (String::new(), format!("{}: {}; {}", field("name"), field("reason"), field("cure"))),
        "gap" => (String::new(), format!("events {} to {} are no longer kept", frame["from"], frame["to"])),
        "agent_unregistered" | "code_sync_started" | "code_sync_stopped" => (agent, String::new()),
        "error" => (String::new(), format!("{}; {}", field("detail"), field("hint"))),
        "command_response" => (String::new(), format!("{} {}", field("command"), frame["result"])),
        "agent_message_ack" => (String::new(), format!("{} {}", field("message_id"), field("state"))),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        line(&Output::new(true), text)
    }

    #[test]
    fn frames_become_lines() {
        let at = r#""seq":7,"timestamp":"2025-01-27T10:30:00.000Z""#;
        for (fields, expected) in [
            (
                r#""type":"agent_registered","agent_id":"dev-agent","message":"m","capabilities":["a","b"]"#,
                "10:30:00      7  agent_registered        dev-agent       a, b",
            ),
            (
                r#""type":"agent_status_update","agent_id":"x","status":"busy","task":"t","workload":0.8"#,
                "10:30:00      7  agent_status_update     x               busy: t (80 %)",
            ),
            (
                r#""type":"agent_message","from":"a","to":"b","payload":{"n":1e400},"message_id":"m7","message_type":"task""#,
                r#"10:30:00      7  agent_message           a               to b: [task] {"n":1e400} (m7)"#,
            ),
            (
                r#""type":"agent_unregistered","agent_id":"\u001b[2J""#,
                r"10:30:00      7  agent_unregistered      \u{1b}[2J",
            ),
        ] {
            assert_eq!(shown(&format!("{{{fields},{at}}}")), expected);
        }
    }

    #[test]
    fn an_unknown_frame_is_shown_as_it_is() {
        let text = r#"{"type":"new_thing","x":1}"#;
        assert!(shown(text).ends_with(text), "{}", shown(text));
    }
}
