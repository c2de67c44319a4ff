//! Files that agents put in: read in place, recorded, and only then receipted.

use super::Error;
use super::desk::Desk;
use super::file::Content;
use super::folders::{Entry, Kind};
use super::hall::{Hall, Sent, outgoing};
use super::name::{message_of, number};
use super::spool::{MAX_FILE, Refusal, Spooled, is_copy, parse};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::Address;

/// What a file turned out to be.
enum Verdict {
    /// This message's file.
    Message(u64),
    /// Nobody's message, and left where it is.
    Other,
    /// To be looked at again.
    Later,
    /// Gone, or moved to `failed/`.
    Done,
}

/// Deals with every file that is new or has changed. True when a message was recorded.
///
/// An agent that is quicker than the scan may have claimed or even archived a file that the server never
/// saw, so all three folders are looked into.
pub(crate) async fn accept(hall: &Hall, desk: &mut Desk, listing: &[Entry]) -> Result<bool, Error> {
    let mut any = false;
    for entry in listing.iter().filter(|entry| entry.kind != Kind::Outbox) {
        if desk.known(entry).is_some() {
            continue;
        }
        match examine(hall, desk, entry).await? {
            Verdict::Message(message) => {
                desk.remember(entry, Some(message));
                any = true;
            }
            Verdict::Other => desk.remember(entry, None),
            Verdict::Later => desk.again = true,
            Verdict::Done => {}
        }
    }
    Ok(any)
}

async fn examine(hall: &Hall, desk: &mut Desk, entry: &Entry) -> Result<Verdict, Error> {
    let Some(id) = message_of(&entry.name) else {
        let rules = "name it {id}.json: 1 to 128 letters, digits, '.', '_', '-', beginning with a letter or digit";
        return refuse(hall, desk, entry, None, Refusal::new("invalid_name", "no message has such a name", rules))
            .await;
    };
    if let Some(message) = number(id) {
        return own_file(hall, desk, entry, message).await;
    }
    let agent = desk.agent.to_string();
    let (name, folder, kind) = (entry.name.clone(), agent.clone(), entry.kind);
    let content = hall.io(move |folders| Ok(folders.read(kind, &folder, &name, MAX_FILE))).await?;
    let bytes = match content {
        Content::Bytes(bytes) => bytes,
        Content::Gone => return Ok(Verdict::Later),
        Content::Refused(refusal) => return refuse(hall, desk, entry, None, refusal).await,
    };
    match parse(&bytes, id, &agent) {
        Ok(spooled) => take(hall, desk, entry, &spooled).await,
        Err(refusal) => {
            let from = sender_of(&bytes);
            refuse(hall, desk, entry, from.as_deref(), refusal).await
        }
    }
}

/// Most bytes of a file of the server's own: a result in it may be as large as a file, and is longer as JSON.
const MAX_OWN: usize = 16 * MAX_FILE;

/// A file that the server itself wrote: its name is the message's number. One of a log that was replaced by an
/// older copy has another message's number.
async fn own_file(hall: &Hall, desk: &mut Desk, entry: &Entry, message: u64) -> Result<Verdict, Error> {
    use orchestrator::Error as E;
    let (owner, name, kind) = (desk.agent.to_string(), entry.name.clone(), entry.kind);
    let bytes = match hall.io(move |folders| Ok(folders.read(kind, &owner, &name, MAX_OWN))).await? {
        Content::Bytes(bytes) => bytes,
        Content::Gone => return Ok(Verdict::Later),
        Content::Refused(refusal) => return refuse(hall, desk, entry, None, refusal).await,
    };
    let detail = match hall.orchestrator.message(message).await {
        Ok(sent) if is_copy(&bytes, &sent.from, sent.timestamp) => return Ok(Verdict::Message(message)),
        Ok(_) => format!("the file is not the message m{message} of this server: its sender or time differ"),
        Err(E::Mailbox(mailbox::Error::Unknown(_))) => "no message of the server has this name".to_owned(),
        Err(error) => return Err(error.into()),
    };
    let hint = "names such as m42 are the server's; choose another id, such as a UUID";
    refuse(hall, desk, entry, None, Refusal::new("reserved_id", detail, hint)).await
}

async fn take(hall: &Hall, desk: &mut Desk, entry: &Entry, spooled: &Spooled) -> Result<Verdict, Error> {
    let from = Some(spooled.from.as_str());
    let recorded = hall.recorded(&spooled.from, &spooled.id).await?;
    if entry.kind == Kind::Archive && recorded.is_none() {
        let (owner, name) = (hall.spelling(&spooled.from).await?, format!("{}.json", spooled.id));
        if hall.io(move |folders| Ok(folders.exists(Kind::Receipts, &owner, &name))).await? {
            // So old that its key is forgotten.
            return Ok(Verdict::Other);
        }
    }
    let here = matches!(&spooled.to, Address::Agent(to) if to.key() == desk.agent.key());
    if let (false, Some(message)) = (here, recorded) {
        // A copy that the server wrote of what was sent to everyone or to a capability.
        return Ok(Verdict::Message(message));
    }
    if !here {
        let detail = format!("the message is for '{}' and lies in the inbox of '{}'", spooled.to, desk.agent);
        let hint = "put it into inbox/{to}/; what is for '*' or 'capability:NAME' into inbox/orchestrator/";
        return refuse(hall, desk, entry, from, Refusal::new("address_mismatch", detail, hint)).await;
    }
    if desk.names.owner(&spooled.id).is_some_and(|owner| recorded != Some(owner)) {
        let detail = format!("another message with the id '{}' is on its way to '{}'", spooled.id, desk.agent);
        let refusal = Refusal::new("id_in_use", detail, "give every message an id of its own, such as a UUID");
        return refuse(hall, desk, entry, from, refusal).await;
    }
    let in_reply_to = match &spooled.in_reply_to {
        Some(text) => match hall.meant(text, &spooled.to).await? {
            Some(message) => Some(message),
            None => {
                let detail = format!("'in_reply_to' names no message: {text:?}");
                let hint = "give the id of a message that came from the addressee, or one such as m42";
                return refuse(hall, desk, entry, from, Refusal::new("unknown_message", detail, hint)).await;
            }
        },
        None => None,
    };
    match hall.send(outgoing(spooled, in_reply_to)).await? {
        Sent::Recorded { message, state } => {
            if recorded.is_none() {
                alive(hall, &spooled.from);
            }
            hall.receipt(&spooled.from, &spooled.id, message, state).await?;
            desk.names.give(message, &spooled.id);
            Ok(Verdict::Message(message))
        }
        Sent::Later => Ok(Verdict::Later),
        Sent::Refused(refusal) => refuse(hall, desk, entry, from, refusal).await,
    }
}

/// Moves a refused file away; in the archive it is left alone, and what may still be being written is given
/// time.
async fn refuse(
    hall: &Hall,
    desk: &mut Desk,
    entry: &Entry,
    from: Option<&str>,
    refusal: Refusal,
) -> Result<Verdict, Error> {
    if entry.kind == Kind::Archive {
        return Ok(Verdict::Other);
    }
    if refusal.may_heal && !desk.has_settled(entry, hall.options.grace) {
        return Ok(Verdict::Later);
    }
    hall.fail(entry, desk.agent.as_str(), from, refusal).await?;
    Ok(Verdict::Done)
}

/// Notes a sign of life of a name, where it is an agent's.
pub(crate) fn alive(hall: &Hall, name: &str) {
    if let Ok(agent) = name.parse() {
        hall.orchestrator.heard_of(&agent);
    }
}

/// Who wrote something that is no message, as far as it can be told.
pub(crate) fn sender_of(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !orchestrator_protocol::Json::is_too_deep(text))?;
    let value: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let from = value.get("from")?.as_str()?;
    from.parse::<orchestrator_protocol::AgentId>().ok().map(|id| id.to_string())
}
