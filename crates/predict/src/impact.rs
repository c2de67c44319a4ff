//! What one side's change breaks in another's work, as data.

use crate::{Agent, Part};
use orchestrator_syntax::{ChangeKind, SignatureChange, UseKind};

/// A changed definition and a use that the change breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    /// Who changed the definition; `None` is landed work.
    pub author: Option<Agent>,
    /// Whose the use is; `None` is the project, where no agent changed the file.
    pub user: Option<Agent>,
    /// What was changed.
    pub definition: Definition,
    /// What breaks.
    pub affected: Affected,
    /// The use was added or changed by its side; else it stood there before.
    pub is_new: bool,
    /// It is known by import, scope or receiver that the use means the definition; else by name alone.
    pub is_definite: bool,
}

/// A definition that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its file.
    pub path: String,
    /// Its path below the file before the change, joined with dots.
    pub entity: String,
    /// How it changed, in words.
    pub change: String,
    /// Its head before the change.
    pub before: Option<Part>,
    /// Its head after the change; nothing when it is gone.
    pub after: Option<Part>,
}

/// A use that breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    /// Its file.
    pub path: String,
    /// The entity it stands in.
    pub entity: Option<String>,
    /// The name used.
    pub name: String,
    /// How it is used, in a word.
    pub kind: &'static str,
    /// Its lines in the user's version.
    pub text: Part,
}

/// One use of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Whose it is; `None` is the project.
    pub agent: Option<Agent>,
    /// The definition's file.
    pub path: String,
    /// The definition's path below the file.
    pub entity: String,
    /// The use.
    pub used: Affected,
    /// It is known by import, scope or receiver; else by name alone.
    pub is_definite: bool,
}

/// A change in words.
pub(crate) fn words(change: &ChangeKind) -> String {
    match change {
        ChangeKind::Added => "added".to_owned(),
        ChangeKind::Removed => "removed".to_owned(),
        ChangeKind::Body => "body changed".to_owned(),
        ChangeKind::Renamed { to, signature } if signature.is_empty() => format!("renamed to {to}"),
        ChangeKind::Renamed { to, signature } => format!("renamed to {to}, {}", all(signature)),
        ChangeKind::Signature(changes) => all(changes),
    }
}

fn all(changes: &[SignatureChange]) -> String {
    changes.iter().map(part).collect::<Vec<String>>().join(", ")
}

fn part(change: &SignatureChange) -> String {
    use SignatureChange as Change;
    match change {
        Change::RequiredAdded { name } => format!("parameter '{name}' added"),
        Change::OptionalAdded { name } => format!("optional parameter '{name}' added"),
        Change::ParameterRemoved { name } if name.is_empty() => "an overload removed".to_owned(),
        Change::ParameterRemoved { name } => format!("parameter '{name}' removed"),
        Change::ParameterRenamed { from, to } => format!("parameter '{from}' renamed to '{to}'"),
        Change::Reordered => "parameters reordered".to_owned(),
        Change::BecameRequired { name } => format!("parameter '{name}' is required now"),
        Change::BecameOptional { name } => format!("parameter '{name}' is optional now"),
        Change::PassingChanged { name } => format!("parameter '{name}' is passed in another way"),
        Change::TypeChanged { name } => format!("type of '{name}' changed"),
        Change::ResultChanged => "type of the result changed".to_owned(),
        Change::AsyncChanged => "asynchronous or not changed".to_owned(),
        Change::ReceiverChanged => "receiver changed".to_owned(),
        Change::VisibilityChanged => "visibility changed".to_owned(),
    }
}

/// A kind of use in a word.
pub(crate) fn word(kind: UseKind) -> &'static str {
    match kind {
        UseKind::Call => "call",
        UseKind::Construct => "construct",
        UseKind::Reference => "reference",
        UseKind::Type => "type",
        UseKind::Import => "import",
        UseKind::Member => "member",
        UseKind::Inherit => "inherit",
    }
}
