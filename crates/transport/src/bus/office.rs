//! `inbox/orchestrator/`: messages for the server itself, for everyone, and for whoever can do something.

use super::Error;
use super::accept::{alive, sender_of};
use super::desk::Unsettled;
use super::file::Content;
use super::folders::{Entry, Kind, OFFICE};
use super::hall::{Hall, Sent, outgoing};
use super::name::{message_of, number};
use super::spool::{MAX_FILE, Refusal, Spooled, command_of, parse};
use orchestrator::Actor;
use orchestrator_protocol::Address;

/// Deals with every file in it. Each is archived once it is recorded, receipted and, where it is a control
/// command, answered.
pub(crate) async fn look(hall: &Hall, unsettled: &mut Unsettled) -> Result<(), Error> {
    let listing = hall.io(|folders| folders.list(Kind::Inbox, OFFICE)).await?;
    unsettled.forget(&listing);
    for entry in &listing {
        let refused = examine(hall, entry).await?;
        let Some((refusal, from)) = refused else { continue };
        if !refusal.may_heal || unsettled.has_settled(entry, hall.options.grace) {
            hall.fail(entry, OFFICE, from.as_deref(), refusal).await?;
        }
    }
    Ok(())
}

type Refused = Option<(Refusal, Option<String>)>;

async fn examine(hall: &Hall, entry: &Entry) -> Result<Refused, Error> {
    let Some(id) = message_of(&entry.name).filter(|id| number(id).is_none()) else {
        let hint = "name it {id}.json; names such as m42 are the server's";
        return Ok(Some((Refusal::new("invalid_name", "no message has such a name", hint), None)));
    };
    let name = entry.name.clone();
    let bytes = match hall.io(move |folders| Ok(folders.read(Kind::Inbox, OFFICE, &name, MAX_FILE))).await? {
        Content::Bytes(bytes) => bytes,
        Content::Gone => return Ok(None),
        Content::Refused(refusal) => return Ok(Some((refusal, None))),
    };
    match parse(&bytes, id, OFFICE) {
        Ok(spooled) => Ok(route(hall, entry, &spooled).await?.map(|refusal| (refusal, Some(spooled.from)))),
        Err(refusal) => Ok(Some((refusal, sender_of(&bytes)))),
    }
}

async fn route(hall: &Hall, entry: &Entry, spooled: &Spooled) -> Result<Option<Refusal>, Error> {
    let in_reply_to = match &spooled.in_reply_to {
        Some(text) => hall.meant(text, &spooled.to).await?,
        None => None,
    };
    let (message, state) = match hall.send(outgoing(spooled, in_reply_to)).await? {
        Sent::Recorded { message, state } => (message, state),
        Sent::Later => return Ok(None),
        Sent::Refused(refusal) => return Ok(Some(refusal)),
    };
    alive(hall, &spooled.from);
    if let (Address::Orchestrator, Some(command)) = (&spooled.to, command_of(&spooled.payload)) {
        answer(hall, &spooled.from, message, &command).await?;
    }
    hall.receipt(&spooled.from, &spooled.id, message, state).await?;
    let entry = entry.clone();
    hall.io(move |folders| folders.shift(&entry, OFFICE, Kind::Archive, OFFICE)).await?;
    Ok(None)
}

/// Carries out a control command and sends the answer to who asked. One that was answered is not carried out
/// again; one that was cut off in between is.
async fn answer(hall: &Hall, from: &str, message: u64, command: &str) -> Result<(), Error> {
    let key = format!("bus:answer:{message}");
    if hall.orchestrator.read(|state| state.mailbox.sent_with(OFFICE, &key)).await?.is_some() {
        return Ok(());
    }
    let actor = from.parse().map_or(Actor::Anyone, Actor::Agent);
    let (answer, _) = hall.orchestrator.control(actor, command).await;
    let answer = serde_json::to_value(&answer).unwrap_or_default();
    if !hall.tell(OFFICE, from, answer, message, key).await? {
        tracing::warn!(from, command, "the answer to a command was dropped: its mailbox is full");
    }
    Ok(())
}
