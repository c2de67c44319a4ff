//! What can go wrong with the bus itself.

use std::io;
use std::path::PathBuf;

/// Why a pass over the folders stopped. The bus tries again by itself; nothing is lost meanwhile.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file operation failed.
    #[error("failed to {action} {path:?} of the message bus: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what, seen from the bus's folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else stands where a folder of the bus belongs.
    #[error("{path:?} of the message bus is no folder")]
    NotAFolder {
        /// Which, seen from the bus's folder.
        path: PathBuf,
    },
    /// The orchestrator cannot record or read at the moment.
    #[error(transparent)]
    Orchestrator(#[from] orchestrator::Error),
}

impl Error {
    /// What a person does about it.
    pub(crate) fn cure(&self) -> &'static str {
        match self {
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free space on the disk of the bus",
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "let the server's user write in the bus's folder"
                }
                _ => "check the disk and the folder of the bus; it is tried again",
            },
            Self::NotAFolder { .. } => "move away what stands there; links are not followed",
            Self::Orchestrator(_) => "see the other degradations",
        }
    }
}
