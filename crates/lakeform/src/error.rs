//! What can go wrong, by what a caller can do about it.

use std::{io, path::PathBuf};

use lakeform_core::Diagnostics;
use lakeform_engine::PlanFileError;
use lakeform_state::{CipherError, LockError, OperationError, PersistError, StoreError};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The stack, its variables or what it says of live objects is wrong: each problem with its place or its address.
    #[error("{0}")]
    Stack(Diagnostics),
    /// The backend cannot be used.
    #[error(transparent)]
    Backend(#[from] OperationError),
    /// The state could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something cannot be encrypted or decrypted.
    #[error(transparent)]
    Cipher(CipherError),
    /// The lock could not be taken.
    #[error(transparent)]
    Lock(LockError),
    /// The work is done, and the lock could not be given back.
    #[error("the lock could not be released: {0}")]
    Unlock(LockError),
    /// The state could not be saved.
    #[error("the state could not be saved: {cause}")]
    Save {
        /// Why.
        cause: PersistError,
        /// Where the state was written instead; `None` where that failed too.
        rescued: Option<PathBuf>,
    },
    /// The plan file cannot be used.
    #[error(transparent)]
    PlanFile(#[from] PlanFileError),
    /// A file could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A state that is to be stored does not follow the one that is there.
    #[error("{0}")]
    Push(String),
    /// The run was told to stop before anything was changed.
    #[error("interrupted")]
    Interrupted,
}

impl From<CipherError> for Error {
    fn from(error: CipherError) -> Self {
        match error {
            CipherError::Operation(e) => Self::Backend(e),
            other => Self::Cipher(other),
        }
    }
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Stack(diagnostics)
    }
}

impl From<lakeform_core::Diagnostic> for Error {
    fn from(diagnostic: lakeform_core::Diagnostic) -> Self {
        Self::Stack(diagnostic.into())
    }
}
