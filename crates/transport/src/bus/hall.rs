//! What every part of the bus uses: the orchestrator, the folders, the options.

use super::folders::{Entry, Folders, Kind};
use super::spool::{Refusal, key_of};
use super::{Error, Options};
use orchestrator::{Actor, Command, Orchestrator, Outgoing, Reply};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{Address, AgentId, Json, MessageState};
use serde_json::json;
use std::collections::BTreeMap;

/// Where a message in an agent's mailbox stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Held {
    /// Whether a term runs in which someone works on it.
    pub(crate) running: bool,
    pub(crate) deliveries: u32,
}

/// An agent's unacknowledged messages.
pub(crate) type Mail = BTreeMap<u64, Held>;

/// What became of a message that was handed to the orchestrator.
pub(crate) enum Sent {
    /// Recorded, now or before.
    Recorded { message: u64, state: MessageState },
    /// Its receiver has no room; it stays where it is and is tried again.
    Later,
    /// Refused for good.
    Refused(Refusal),
}

/// The bus's surroundings.
#[derive(Clone)]
pub(crate) struct Hall {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) folders: Folders,
    pub(crate) options: Options,
}

impl Hall {
    /// Runs file operations where they may block.
    pub(crate) async fn io<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folders) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let folders = self.folders.clone();
        let done = tokio::task::spawn_blocking(move || work(&folders)).await;
        done.map_err(|error| Error::Orchestrator(orchestrator::Error::Internal(error.to_string())))?
    }

    /// What an agent's mailbox holds.
    pub(crate) async fn held(&self, agent: &AgentId) -> Result<Mail, Error> {
        let held = |state: &orchestrator::State| {
            let own = state.mailbox.inbox(agent, 0);
            own.map(|(n, receipt)| (n, Held { running: receipt.term.is_some(), deliveries: receipt.deliveries }))
                .collect()
        };
        Ok(self.orchestrator.read(held).await?)
    }

    /// Submits a command. The inner error is the caller's to judge; trying again does not help with it.
    pub(crate) async fn submit(
        &self,
        actor: Actor,
        command: Command,
    ) -> Result<Result<Reply, orchestrator::Error>, Error> {
        self.folders.before_record()?;
        match self.orchestrator.submit(actor, command).await {
            Err(error) if is_passing(&error) => Err(error.into()),
            done => Ok(done),
        }
    }

    /// Sends a message. Only what a sender can do something about is a refusal.
    pub(crate) async fn send(&self, outgoing: Outgoing) -> Result<Sent, Error> {
        let actor = outgoing.from.parse().map_or(Actor::Anyone, Actor::Agent);
        match self.submit(actor, Command::Send(outgoing)).await? {
            Ok(Reply::Message { id, state, .. }) => Ok(Sent::Recorded { message: id, state }),
            Ok(_) => Ok(Sent::Later),
            Err(orchestrator::Error::Mailbox(mailbox::Error::Full(_))) => Ok(Sent::Later),
            Err(error) => Ok(Sent::Refused(Refusal::of(&error))),
        }
    }

    /// Sends an event of the bus's own to whoever sent a message. False when it must be tried again; true also
    /// where it was told before, or there is nobody to tell.
    pub(crate) async fn tell(
        &self,
        from: &str,
        to: &str,
        payload: serde_json::Value,
        about: u64,
        key: String,
    ) -> Result<bool, Error> {
        let Ok(to @ (Address::Agent(_) | Address::Orchestrator)) = to.parse::<Address>() else { return Ok(true) };
        let outgoing = Outgoing {
            from: from.to_owned(),
            to,
            payload: payload.into(),
            kind: "event".to_owned(),
            in_reply_to: Some(about),
            durable: false,
            key: Some(key),
        };
        Ok(!matches!(self.send(outgoing).await?, Sent::Later))
    }

    /// Records that a receiver has dealt with a message.
    pub(crate) async fn acknowledge(&self, agent: &AgentId, message: u64) -> Result<(), Error> {
        let command = mailbox::Command::Acknowledge { agent: agent.clone(), message };
        if let Err(error) = self.submit(Actor::Agent(agent.clone()), Command::Mailbox(command)).await? {
            tracing::debug!(%error, message, "a message was acknowledged that is not there");
        }
        Ok(())
    }

    /// Tells a sender by a file that its message is on stable storage.
    pub(crate) async fn receipt(&self, from: &str, id: &str, message: u64, state: MessageState) -> Result<(), Error> {
        let owner = self.spelling(from).await?;
        let body = json!({"id": id, "message_id": format!("m{message}"), "state": state, "ts": super::now()});
        let name = format!("{id}.json");
        self.io(move |folders| {
            if folders.exists(Kind::Receipts, &owner, &name) {
                return Ok(());
            }
            folders.ensure(Kind::Receipts, &owner)?;
            folders.write(Kind::Receipts, &owner, &name, body.to_string().as_bytes())
        })
        .await
    }

    /// Moves a file that was refused to its sender's `failed/`, or to that of the folder it lies in.
    pub(crate) async fn fail(
        &self,
        entry: &Entry,
        folder: &str,
        owner: Option<&str>,
        refusal: Refusal,
    ) -> Result<(), Error> {
        let owner = self.spelling(owner.unwrap_or(folder)).await?;
        let (entry, folder) = (entry.clone(), folder.to_owned());
        self.io(move |folders| folders.fail(&entry, &folder, &owner, &refusal)).await
    }

    /// The message that a sender's file was recorded as.
    pub(crate) async fn recorded(&self, from: &str, id: &str) -> Result<Option<u64>, Error> {
        let key = key_of(id);
        Ok(self.orchestrator.read(|state| state.mailbox.sent_with(from, &key)).await?)
    }

    /// A name in the spelling first registered.
    pub(crate) async fn spelling(&self, name: &str) -> Result<String, Error> {
        if name.eq_ignore_ascii_case(super::folders::OFFICE) {
            return Ok(super::folders::OFFICE.to_owned());
        }
        let Ok(id) = name.parse::<AgentId>() else { return Ok(name.to_owned()) };
        let known = self.orchestrator.read(|state| state.registry.ever(&id).cloned()).await?;
        Ok(known.map_or_else(|| name.to_owned(), |id| id.to_string()))
    }

    /// The number of the message that a sender means: `m42`, or the id of a file of the other side's.
    pub(crate) async fn meant(&self, text: &str, other: &Address) -> Result<Option<u64>, Error> {
        if let Some(number) = super::name::number(text) {
            return Ok(Some(number));
        }
        match other {
            Address::Agent(id) => self.recorded(id.as_str(), text).await,
            _ => Ok(None),
        }
    }
}

/// Whether trying again later helps.
fn is_passing(error: &orchestrator::Error) -> bool {
    use orchestrator::Error as E;
    matches!(error, E::StorageUnavailable { .. } | E::ShuttingDown | E::Internal(_) | E::Timeout(_))
}

/// An outgoing message as a file asks for it.
pub(crate) fn outgoing(spooled: &super::spool::Spooled, in_reply_to: Option<u64>) -> Outgoing {
    Outgoing {
        from: spooled.from.clone(),
        to: spooled.to.clone(),
        payload: Json::clone(&spooled.payload),
        kind: spooled.kind.clone(),
        in_reply_to,
        durable: spooled.durable,
        key: Some(key_of(&spooled.id)),
    }
}
