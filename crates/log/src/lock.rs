//! One writing process: an advisory lock on a file beside the database.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::{Error, durable};

/// Held for the life of the writer; the kernel lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct ProcessLock {
    _file: File,
}

impl ProcessLock {
    /// Takes the lock, or says who is in the way.
    pub(crate) fn take(database: &Path) -> Result<Self, Error> {
        let mut name = database.as_os_str().to_owned();
        name.push(".lock");
        let path = PathBuf::from(name);
        let file = durable::private().create(true).truncate(false).open(&path).map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path }),
            Err(TryLockError::Error(source)) => Err(Error::io("lock", path)(source)),
        }
    }
}
