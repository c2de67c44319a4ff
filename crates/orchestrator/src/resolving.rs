//! Settling a conflict by a merged result, and taking that into a workspace.
//!
//! A result is made from the versions that collide at the moment, checked, and made durable with all that it was made
//! from; only then is it recorded. Agents pull it: it is merged into what stands in their folder by then, after a
//! backup. All of it runs off the async workers, one at a time.

mod check;
mod kept;
mod made;
mod pull;
mod retention;
mod take;
pub(crate) mod upkeep;
mod view;

pub use pull::Pull;
pub use retention::KeptResult;
pub(crate) use retention::retire;
pub(crate) use view::resolution;

use crate::following::{Between, Sides};
use crate::workspaces::refused;
use crate::{Actor, Command, Error, Orchestrator};
use made::Strategy;
use orchestrator_conflict::{self as conflict, Applied, Conflict};
use orchestrator_protocol::{ConflictType, ErrorCode, Resolution};
use orchestrator_repository::ObjectId;

/// How a conflict is to be settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settlement {
    /// `ours`, `theirs`, `take`, `union`, `auto` or `manual`.
    pub strategy: String,
    /// With `take`: whose side, an agent or the branch.
    pub side: Option<String>,
    /// With `manual`: the whole file.
    pub content: Option<Vec<u8>>,
    /// With `manual`: take it though it does not parse or holds conflict markers.
    pub force: bool,
    /// Who asks for it.
    pub by: Option<String>,
}

impl Orchestrator {
    /// Settles a conflict that merging found by a merged result, which the agents can then pull.
    ///
    /// # Errors
    /// There is no such open conflict, it is none of merged work, it is another by now, the strategy does not settle
    /// it, the result is not sound, or nothing can be recorded. Then nothing was changed.
    pub async fn settle_conflict(&self, actor: Actor, id: u64, settlement: Settlement) -> Result<Resolution, Error> {
        let this = self.clone();
        self.alone(async move { this.settle(actor, id, settlement).await }).await
    }

    async fn settle(self, actor: Actor, id: u64, settlement: Settlement) -> Result<Resolution, Error> {
        self.can_record()?;
        let record = self.settleable(id).await?;
        let strategy = Strategy::read(&settlement, &record)?;
        let by = settlement.by.clone().or_else(|| match &actor {
            Actor::Agent(agent) => Some(agent.to_string()),
            _ => None,
        });
        self.shared.following.barrier().await?;
        let between =
            Between { path: record.path.clone(), agents: record.agents.clone(), target: record.target.clone() };
        let found = self.shared.following.sides(between).await?.map_err(crate::mail::internal)?;
        if found.is_none() && record.conflict_type == ConflictType::Mode {
            return Err(cannot("one side has a file where the other has a folder: move one of them away"));
        }
        let sides = found.filter(|sides| Some(&sides.fingerprint) == record.fingerprint.as_ref());
        let sides = sides.ok_or_else(|| conflict::Error::Changed(format!("c{id}")))?;
        let (settled, asked) = (record.clone(), settlement.clone());
        let applied = self.blocking(move |this| this.make_result(id, &settled, &sides, &strategy, &asked)).await?;
        let shown = resolution(&settlement.strategy, by.as_ref(), &applied, &[]);
        let (strategy, kept) = (settlement.strategy, applied.kept.clone());
        let command = conflict::Command::Resolve { id, strategy, by, applied: Some(Box::new(applied)) };
        match self.submit(actor, Command::Conflict(command)).await {
            Ok(_) => Ok(shown),
            Err(error) => {
                // It was decided against, so nothing names what was kept.
                if matches!(error, Error::Conflict(_)) {
                    self.blocking(move |this| this.forget(&kept)).await?;
                }
                Err(error)
            }
        }
    }

    /// The open record of merged work.
    async fn settleable(&self, id: u64) -> Result<Conflict, Error> {
        let name = format!("c{id}");
        let record = self.read(|state| state.conflict.conflicts().get(id).cloned()).await?;
        let record = record.ok_or_else(|| conflict::Error::Unknown(name.clone()))?;
        if !record.is_open() {
            let strategy = record.strategy.unwrap_or_default();
            return Err(conflict::Error::AlreadyResolved { id: name, strategy }.into());
        }
        if record.fingerprint.is_none() {
            let detail = format!("conflict '{name}' is known from reports only: there is no work that could be merged");
            let hint = "leave 'apply' out to mark it, or register the agents' workspaces";
            return Err(Error::invalid(ErrorCode::NotSupported, detail, hint));
        }
        if record.union_break.is_some() {
            let detail = format!("conflict '{name}' is one of several agents' work as a whole: no two sides collide");
            let hint = "change one agent's work so that all of it goes together, or leave 'apply' out to mark it";
            return Err(Error::invalid(ErrorCode::CannotSettle, detail, hint));
        }
        Ok(record)
    }

    /// Makes, checks and keeps the result. Blocks.
    fn make_result(
        &self,
        id: u64,
        record: &Conflict,
        sides: &Sides,
        strategy: &Strategy,
        settlement: &Settlement,
    ) -> Result<Applied, Error> {
        let store = self.shared.following.store(&self.options().project).map_err(refused)?;
        let made = made::make(&store, sides, strategy)?;
        let is_manual = matches!(strategy, Strategy::Manual(_));
        let is_forced = is_manual && settlement.force;
        check::check(&store, sides, &made, is_manual, is_forced)?;
        kept::keep(&store, id, record, sides, made, &kept::How { settlement, is_forced })
    }

    fn forget(&self, kept: &str) -> Result<(), Error> {
        let store = self.shared.following.store(&self.options().project).map_err(refused)?;
        store.remove_ref(kept).map(drop).map_err(refused)
    }

    /// The content of a merged result; nothing when the file is deleted.
    ///
    /// # Errors
    /// There is no such conflict, or it was not settled by a merged result.
    pub async fn resolution_content(&self, id: u64) -> Result<Option<Vec<u8>>, Error> {
        let found = self.read(|state| state.conflict.conflicts().get(id).map(result)).await?;
        let found = found.ok_or_else(|| conflict::Error::Unknown(format!("c{id}")))?;
        let Some(version) = found.map_err(|gone| gone.error(id))? else { return Ok(None) };
        let read = move |this: &Self| {
            let store = this.shared.following.store(&this.options().project).map_err(refused)?;
            store.blob(object(&version.id)?).map(Some).map_err(crate::mail::internal)
        };
        match self.blocking(read).await {
            Err(error) => match self.read(|state| state.conflict.conflicts().get(id).map(result)).await? {
                // It was let go of while it was read.
                Some(Err(gone)) => Err(gone.error(id)),
                _ => Err(error),
            },
            content => content,
        }
    }
}

/// Why there is no merged result.
enum NoResult {
    Marked,
    Dropped,
}

impl NoResult {
    fn error(self, id: u64) -> Error {
        let (detail, hint) = match self {
            Self::Marked => ("was not settled by a merged result", "settle it with 'apply'"),
            Self::Dropped => {
                ("was settled by a merged result that is not kept any longer", "those who pulled it have it")
            }
        };
        Error::invalid(ErrorCode::UnknownResolution, format!("conflict 'c{id}' {detail}"), hint)
    }
}

/// The merged result of a conflict; nothing in it when the file is deleted.
fn result(conflict: &Conflict) -> Result<Option<conflict::Version>, NoResult> {
    match conflict.kept() {
        Some(applied) => Ok(applied.result.clone()),
        None if conflict.dropped => Err(NoResult::Dropped),
        None => Err(NoResult::Marked),
    }
}

/// An id as the log has it.
fn object(hex: &str) -> Result<ObjectId, Error> {
    crate::snapshots::object(hex).ok_or_else(|| crate::mail::internal(format!("'{hex}' is no object's id")))
}

/// The strategy does not settle it.
fn cannot(detail: impl Into<String>) -> Error {
    let hint = "settle it with another strategy: take one side, or give the whole file with manual";
    Error::invalid(ErrorCode::CannotSettle, detail, hint)
}
