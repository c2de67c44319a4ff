//! One look at an agent's folders: what the log knows and what the files show are brought together.

use super::Error;
use super::accept::{accept, alive};
use super::desk::Desk;
use super::finish::finish;
use super::folders::{Entry, Kind};
use super::hall::{Hall, Mail};
use super::name::message_of;
use super::spool::{Refusal, id_of_key, message_file};
use super::tasks;
use orchestrator::{Actor, Command};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::MessageState;
use std::collections::BTreeMap;

/// The reason of a message that was given up.
pub(crate) const DEAD_LETTER: &str = "dead_letter";

/// Messages whose bodies are in memory at once.
const PAGE: usize = 16;

/// Where a message's files lie, by how far it has come.
type Places = BTreeMap<u64, BTreeMap<Kind, Entry>>;

/// Looks at an agent's folders and does what follows. Every step can be cut off: the next look begins from
/// what the log and the disk then say.
pub(crate) async fn look(hall: &Hall, desk: &mut Desk) -> Result<(), Error> {
    let owner = desk.agent.to_string();
    let scan = move |folders: &super::folders::Folders| {
        let lists: Result<Vec<_>, Error> = Kind::WAY.into_iter().map(|kind| folders.list(kind, &owner)).collect();
        Ok(lists?.concat())
    };
    let listing: Vec<Entry> = hall.io(scan).await?;
    let mut mail = hall.held(&desk.agent).await?;
    name(hall, desk, &mail, &listing).await?;
    if accept(hall, desk, &listing).await? {
        mail = hall.held(&desk.agent).await?;
        name(hall, desk, &mail, &listing).await?;
    }
    let places = places(desk, &listing);
    finish(hall, desk, &listing, &mut mail).await?;
    acknowledge_archived(hall, desk, &places, &mut mail).await?;
    for (message, files) in &places {
        if mail.contains_key(message) {
            claim(hall, desk, *message, files, &mail).await?;
        } else {
            put_away(hall, desk, *message, files).await?;
        }
    }
    fill(hall, desk, &places, &mail).await?;
    desk.forget(&listing, |message| mail.contains_key(&message));
    desk.fresh = false;
    Ok(())
}

/// Gives every message a name: the id of the file it came as, or its number where that is taken or there is
/// none. It follows from the log and the disk alone, so it is the same after a restart.
async fn name(hall: &Hall, desk: &mut Desk, mail: &Mail, listing: &[Entry]) -> Result<(), Error> {
    let new: Vec<u64> = mail.keys().copied().filter(|message| desk.names.of(*message).is_none()).collect();
    if new.is_empty() {
        return Ok(());
    }
    let keys = hall.orchestrator.message_keys(new.clone()).await?;
    for (message, key) in new.into_iter().zip(keys) {
        let numbered = format!("m{message}");
        let file = format!("{numbered}.json");
        let has_file = listing.iter().any(|entry| entry.name == *file && entry.kind <= Kind::Processing);
        let own = key.as_deref().and_then(id_of_key).filter(|_| !has_file);
        if !own.is_some_and(|id| desk.names.give(message, id)) {
            desk.names.give(message, &numbered);
        }
    }
    Ok(())
}

fn places(desk: &Desk, listing: &[Entry]) -> Places {
    let mut places = Places::new();
    for entry in listing {
        if let Some(message) = desk.known(entry).and_then(|known| known.message) {
            places.entry(message).or_default().insert(entry.kind, entry.clone());
        }
    }
    places
}

/// A receiver that moved a message to its archive has dealt with it.
async fn acknowledge_archived(hall: &Hall, desk: &Desk, places: &Places, mail: &mut Mail) -> Result<(), Error> {
    let archived = |(_, files): &(&u64, &BTreeMap<Kind, Entry>)| files.contains_key(&Kind::Archive);
    for (message, _) in places.iter().filter(archived) {
        if mail.remove(message).is_some() {
            hall.acknowledge(&desk.agent, *message).await?;
            alive(hall, desk.agent.as_str());
        }
    }
    Ok(())
}

/// A message that is still to be dealt with lies in `inbox/` or, for a term, in `processing/`.
async fn claim(
    hall: &Hall,
    desk: &mut Desk,
    message: u64,
    files: &BTreeMap<Kind, Entry>,
    mail: &Mail,
) -> Result<(), Error> {
    let owner = desk.agent.to_string();
    let Some(file) = files.get(&Kind::Processing).cloned() else {
        // It was given back.
        desk.claimed.remove(&message);
        return Ok(());
    };
    if let Some(copy) = files.get(&Kind::Inbox).cloned() {
        // A sender that saw no receipt wrote it again. A file that is being claimed shows up twice in one
        // scan, so it is only removed while the other one is there.
        let (owner, file) = (owner.clone(), file.clone());
        hall.io(move |folders| match folders.exists(Kind::Processing, &owner, &file.name.to_string_lossy()) {
            true => folders.remove(&copy, &owner),
            false => Ok(()),
        })
        .await?;
    }
    let running = mail.get(&message).is_some_and(|held| held.running);
    if desk.claimed.contains(&message) {
        if !running {
            desk.claimed.remove(&message);
            hall.io(move |folders| folders.shift(&file, &owner, Kind::Inbox, &owner)).await?;
        }
        return Ok(());
    }
    if !(desk.fresh && running) {
        let ttl_seconds = hall.options.claim_term.as_secs().clamp(1, 86_400);
        let take = mailbox::Command::Take { agent: desk.agent.clone(), message, ttl_seconds };
        hall.submit(Actor::Agent(desk.agent.clone()), Command::Mailbox(take)).await?.map_err(Error::from)?;
        alive(hall, &owner);
        tasks::take(hall, &desk.agent, message).await?;
    }
    desk.claimed.insert(message);
    Ok(())
}

/// A message that nobody has to deal with any more goes to the archive, a dead one to `failed/`.
async fn put_away(hall: &Hall, desk: &mut Desk, message: u64, files: &BTreeMap<Kind, Entry>) -> Result<(), Error> {
    let open = |(kind, _): &(&Kind, &Entry)| **kind != Kind::Archive;
    let mut left: Vec<Entry> = files.iter().filter(open).map(|(_, entry)| entry.clone()).collect();
    desk.claimed.remove(&message);
    let Some(last) = left.pop() else { return Ok(()) };
    let agent = desk.agent.clone();
    let receipt = |state: &orchestrator::State| state.mailbox.receipt(&agent, message).map(|receipt| receipt.state);
    let state = hall.orchestrator.read(receipt).await?;
    let archived = files.contains_key(&Kind::Archive);
    let owner = desk.agent.to_string();
    let id = message_of(&last.name).unwrap_or_default().to_owned();
    hall.io(move |folders| {
        left.iter().try_for_each(|copy| folders.remove(copy, &owner))?;
        if state == Some(MessageState::Dead) {
            let detail = format!("message '{id}' (m{message}) was given up after {} tries", mailbox::MAX_DELIVERIES);
            let hint = "GET /api/orchestration/messages?state=dead lists such messages; one can be revived there";
            return folders.fail(&last, &owner, &owner, &Refusal::new(DEAD_LETTER, detail, hint));
        }
        match archived {
            true => folders.remove(&last, &owner),
            false => folders.shift(&last, &owner, Kind::Archive, &owner).map(|_| ()),
        }
    })
    .await
}

/// Writes a file for every message that has none: one from another transport, or one whose file was deleted.
async fn fill(hall: &Hall, desk: &mut Desk, places: &Places, mail: &Mail) -> Result<(), Error> {
    let mut wanted = Vec::new();
    for (message, held) in mail.iter().filter(|(message, _)| !places.contains_key(message)) {
        if desk.claimed.contains(message) && held.running {
            // Its receiver works on it, whatever became of the file.
            continue;
        }
        desk.claimed.remove(message);
        // A file that is given back while the folders are scanned is missed once.
        if desk.had.contains(message) && desk.missing.insert(*message) {
            desk.again = true;
            continue;
        }
        desk.missing.remove(message);
        wanted.push((*message, held.deliveries));
    }
    for page in wanted.chunks(PAGE) {
        for body in hall.orchestrator.bodies(page.to_vec()).await? {
            let Some(message) = super::name::number(&body.id) else { continue };
            let Some(name) = desk.names.of(message).map(str::to_owned) else { continue };
            let owner = desk.agent.to_string();
            hall.io(move |folders| {
                let file = format!("{name}.json");
                let there = |kind| folders.exists(kind, &owner, &file);
                if there(Kind::Inbox) || there(Kind::Processing) || folders.revive(&owner, &file)? {
                    return Ok(());
                }
                folders.write(Kind::Inbox, &owner, &file, &message_file(&name, body))
            })
            .await?;
            desk.had.insert(message);
            desk.again = true;
        }
    }
    Ok(())
}
