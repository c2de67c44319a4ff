//! What can be wrong with a receipt.

use crate::{Commit, Key, Sealed};

/// A gate that had to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// Its name.
    pub name: String,
    /// Names its definition and limits.
    pub digest: String,
}

/// What speaks against a commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The receipt, the message, the tree or a parent is not what was signed, or another key signed.
    #[error("not signed by this key: the commit or its message was changed, or another server landed it")]
    NotSigned,
    /// It stands on another commit than it was checked on.
    #[error("it was checked on {base:.12}, and stands on {stands:.12}")]
    Base {
        /// What the receipt says.
        base: String,
        /// Its first parent; empty for a first commit.
        stands: String,
    },
    /// A gate of the base is not in the receipt.
    #[error("gate '{0}' is required by orchestrator.toml of its base, and did not run as it is defined there")]
    Skipped(String),
    /// A gate that had to pass did not.
    #[error("gate '{name}' is required, and ended as '{verdict}'")]
    NotPassed {
        /// Its name.
        name: String,
        /// How it ended.
        verdict: String,
    },
}

impl Sealed {
    /// What speaks against a commit with this receipt. `required` are the gates that its base defines for what it changes;
    /// nothing where the base cannot be read.
    #[must_use]
    pub fn check(&self, key: &Key, commit: &Commit, required: Option<&[Required]>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if !self.is_signed_by(key, commit) {
            faults.push(Fault::NotSigned);
        }
        let stands = commit.parents.first().cloned().unwrap_or_default();
        if stands != self.receipt.base {
            faults.push(Fault::Base { base: self.receipt.base.clone(), stands });
        }
        for gate in required.unwrap_or_default() {
            let is_it = |ran: &&crate::GateResult| ran.name == gate.name && ran.digest == gate.digest;
            match self.receipt.gates.iter().find(is_it) {
                None => faults.push(Fault::Skipped(gate.name.clone())),
                Some(ran) if ran.verdict != "passed" => {
                    faults.push(Fault::NotPassed { name: ran.name.clone(), verdict: ran.verdict.clone() });
                }
                Some(_) => {}
            }
        }
        faults
    }
}
