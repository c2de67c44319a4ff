//! Results: what receivers wrote into their `outbox/`.

use super::Error;
use super::accept::alive;
use super::desk::Desk;
use super::file::Content;
use super::folders::{Entry, Kind};
use super::hall::{Hall, Mail};
use super::name::result_of;
use super::spool::{MAX_PAYLOAD, Refusal, result};
use super::tasks;
use orchestrator_mailbox as mailbox;
use serde_json::{Value, json};

/// What is left of a result that grows beyond the limit when it is written as JSON.
const CUT: usize = 32 * 1024;

/// Deals with every result: tells the sender, acknowledges the message, archives the result. In this order,
/// so that a result that lies in `outbox/` is always one that still has to be dealt with; telling twice is
/// the same message by its key.
pub(crate) async fn finish(hall: &Hall, desk: &mut Desk, listing: &[Entry], mail: &mut Mail) -> Result<(), Error> {
    for entry in listing.iter().filter(|entry| entry.kind == Kind::Outbox) {
        let Some((id, ok)) = result_of(&entry.name) else {
            let hint = "name it {id}.ok.json or {id}.fail.json, as the message's file was named";
            let refusal = Refusal::new("invalid_name", "no result has such a name", hint);
            hall.fail(entry, desk.agent.as_str(), None, refusal).await?;
            continue;
        };
        let (owner, name) = (desk.agent.to_string(), entry.name.clone());
        let content = hall.io(move |folders| Ok(folders.read(Kind::Outbox, &owner, &name, MAX_PAYLOAD))).await?;
        let bytes = match content {
            Content::Bytes(bytes) => bytes,
            Content::Gone => continue,
            Content::Refused(refusal) => {
                hall.fail(entry, desk.agent.as_str(), None, refusal).await?;
                continue;
            }
        };
        let (value, whole) = result(&bytes);
        if !whole && !desk.has_settled(entry, hall.options.grace) {
            continue;
        }
        match desk.message_named(id) {
            Some(message) => conclude(hall, desk, entry, mail, (message, id, ok, value)).await?,
            None => unknown(hall, desk, entry, id).await?,
        }
    }
    Ok(())
}

async fn unknown(hall: &Hall, desk: &Desk, entry: &Entry, id: &str) -> Result<(), Error> {
    let detail = format!("'{}' has no message with the id '{id}'", desk.agent);
    let hint = "name the result after the message's file, and leave that file where it is or move it to archive/";
    hall.fail(entry, desk.agent.as_str(), None, Refusal::new("unknown_message", detail, hint)).await
}

async fn conclude(
    hall: &Hall,
    desk: &mut Desk,
    entry: &Entry,
    mail: &mut Mail,
    (message, id, ok, value): (u64, &str, bool, Value),
) -> Result<(), Error> {
    use orchestrator::Error as E;
    let sent = match hall.orchestrator.message(message).await {
        Ok(sent) => sent,
        Err(E::Mailbox(mailbox::Error::Unknown(_))) => return unknown(hall, desk, entry, id).await,
        Err(error) => return Err(error.into()),
    };
    // Nobody waits for the result of an event; and two agents that finish each other's would never end.
    let told = if sent.kind == "event" {
        true
    } else if let Some(task) = tasks::handed_over(&sent) {
        tasks::finish(hall, &desk.agent, (task, message), (ok, value)).await?
    } else {
        let payload = completed(message, id, ok, value);
        hall.tell(desk.agent.as_str(), &sent.from, payload, message, format!("bus:done:{message}")).await?
    };
    // A sender whose mailbox is full must not keep its receiver from being done.
    hall.acknowledge(&desk.agent, message).await?;
    mail.remove(&message);
    alive(hall, desk.agent.as_str());
    if !told {
        desk.again = true;
        return Ok(());
    }
    let (entry, owner) = (entry.clone(), desk.agent.to_string());
    hall.io(move |folders| folders.shift(&entry, &owner, Kind::Archive, &owner)).await?;
    Ok(())
}

/// The event that a sender gets.
fn completed(message: u64, id: &str, ok: bool, result: Value) -> Value {
    let event = |result: Value, truncated: bool| {
        let mut event = json!({
            "event": "completed",
            "id": id,
            "message_id": format!("m{message}"),
            "ok": ok,
            "result": result,
        });
        if truncated {
            event["truncated"] = true.into();
        }
        event
    };
    let text = result.to_string();
    if text.len() < MAX_PAYLOAD - 1024 {
        return event(result, false);
    }
    let plain = result.as_str().unwrap_or(&text);
    let cut: String = plain.chars().take(CUT).collect();
    event(cut.into(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_grows_beyond_the_limit_is_cut_and_says_so() {
        let small = completed(7, "x", true, "fine".into());
        assert_eq!(small, json!({"event": "completed", "id": "x", "message_id": "m7", "ok": true, "result": "fine"}));
        let large = completed(7, "x", false, "\u{1}".repeat(MAX_PAYLOAD).into());
        assert_eq!(large["truncated"], true);
        assert!(large.to_string().len() <= MAX_PAYLOAD);
    }
}
