//! Where a state is kept.

use std::{fmt, pin::Pin, time::SystemTime};

use crate::{CipherError, FormatError, State};

/// A future that is boxed, so that stores and locks can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which content of a store something was read from: an ETag or a digest. Only equality means anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub String);

/// A state as it was read.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The state
    pub state: State,
    /// What a write must expect to find.
    pub version: Version,
    /// Whether it should be written again even if nothing in it changes: it is not encrypted as it should be.
    pub stale: bool,
}

/// The content of a store as it was read, in clear.
#[derive(Clone)]
pub struct Stored {
    /// The state file.
    pub bytes: Vec<u8>,
    /// What a write must expect to find.
    pub version: Version,
    /// As [`Snapshot::stale`].
    pub stale: bool,
}

/// A state that a store still has, the current one or an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateVersion {
    /// What it is called: the version of an S3 object, the serial of a local state.
    pub id: String,
    /// When it was written.
    pub modified: Option<SystemTime>,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it is the state as it is.
    pub current: bool,
}

/// A place that holds one state.
pub trait StateStore: Send + Sync + fmt::Debug {
    /// Reads what is stored; `None` if nothing was written yet.
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>>;

    /// Reads the state; `None` if none was written yet.
    fn read(&self) -> BoxFuture<'_, Result<Option<Snapshot>, StoreError>> {
        Box::pin(async move {
            let Some(Stored { bytes, version, stale }) = self.read_raw().await? else { return Ok(None) };
            let state = State::parse(bytes).map_err(|source| StoreError::Format { place: self.describe(), source })?;
            Ok(Some(Snapshot { state, version, stale }))
        })
    }

    /// Replaces the state, if what is there still is `expected` (`None`: nothing). Gives the version written.
    ///
    /// # Errors
    /// [`StoreError::Moved`] when something else is there, and whatever goes wrong on the way.
    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>>;

    /// Keeps `bytes` as the backup of this run, in place of what its first write finds; nothing where the store makes none.
    fn keep_backup(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        drop(bytes);
        Box::pin(std::future::ready(Ok(())))
    }

    /// The place as a user would name it: `s3://bucket/key`, `state/prod.tfstate`.
    fn describe(&self) -> String;

    /// The states that it still has, newest first, at most `limit`.
    ///
    /// # Errors
    /// When it keeps none, or cannot be asked.
    fn versions(&self, limit: usize) -> BoxFuture<'_, Result<Vec<StateVersion>, StoreError>> {
        let _ = limit;
        Box::pin(std::future::ready(Err(no_versions(self.describe()))))
    }

    /// The bytes of one of them; `None` if there is none of that name.
    ///
    /// # Errors
    /// When it keeps none, or cannot be read.
    fn read_version<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        let _ = id;
        Box::pin(std::future::ready(Err(no_versions(self.describe()))))
    }
}

fn no_versions(place: String) -> StoreError {
    StoreError::Operation(OperationError {
        operation: format!("list the versions of {place}"),
        cause: "it keeps no earlier states".to_owned(),
        help: None,
        transient: false,
    })
}

/// A call that failed: which, why and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationError {
    /// The operation and its object: `GetObject s3://bucket/key`.
    pub operation: String,
    /// What the service or the system said.
    pub cause: String,
    /// What to do next.
    pub help: Option<String>,
    /// Whether the same call may succeed a moment later.
    pub transient: bool,
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.cause)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl std::error::Error for OperationError {}

/// A state could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Someone else wrote since the state was read; nothing was written.
    #[error(
        "{place}: the state was changed by someone else since this run read it, so this run's write was refused; \
         see who holds the lock with `lakeform lock status`, then run the command again"
    )]
    Moved {
        /// The place.
        place: String,
    },
    /// The lock is no longer this run's; nothing of what was to be written under it was.
    #[error("{place}: this run no longer has the lock, so it did not write")]
    Fenced {
        /// The place.
        place: String,
    },
    /// What is stored is no state that lakeform reads.
    #[error("{place}: {source}")]
    Format {
        /// The place.
        place: String,
        /// What is wrong with it.
        source: FormatError,
    },
    /// The digest kept beside the state belongs to another content.
    #[error(
        "{place}: the state does not match its digest: the table says {expected}, the object is {actual}. Either a write \
         stopped half-way or the object was changed by hand. Once you are sure that the object is the right one, set \
         `Digest` of item `{item}` in table `{table}` to {actual}"
    )]
    Digest {
        /// The place.
        place: String,
        /// The table that keeps the digest.
        table: String,
        /// The key of the digest's item.
        item: String,
        /// MD5 in hex, as the table has it.
        expected: String,
        /// MD5 in hex of what is there; empty if nothing is.
        actual: String,
    },
    /// What is stored cannot be decrypted or encrypted.
    #[error("{place}: {source}")]
    Encryption {
        /// The place.
        place: String,
        /// Why.
        source: CipherError,
    },
    /// A call failed.
    #[error(transparent)]
    Operation(#[from] OperationError),
}
