//! The state of a stack: Terraform's state file (version 4), the rules it must keep, where it is stored and how it is
//! locked.
//!
//! Nothing here reads the environment or the clock, and nothing here talks to AWS: `lakeform-state-s3` does.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod cipher;
mod edit;
pub mod journal;
mod lease;
mod local;
mod local_lock;
mod local_versions;
mod lock;
mod manager;
mod memory;
mod model;
mod parse;
mod paths;
mod protect;
mod raw;
mod runs;
mod store;
mod write;

pub use check::{Rule, Violation};
pub use cipher::{
    Cipher, CipherError, DataKey, EncryptedStore, KeySource, Label, MIN_PASSPHRASE, Opened, Passphrase, WrappedKey,
    fingerprint, label,
};
pub use edit::new_deposed_key;
pub use lease::{Clock, Lease, LeaseLost, Moment};
pub use local::LocalStore;
pub use local_lock::LocalLock;
pub use lock::{Acquired, LockError, LockInfo, StateLock, Term, acquire_with_timeout};
pub use manager::{PersistError, StateManager};
pub use memory::{MemoryLock, MemoryStore};
pub use model::{Attributes, AttributesError, Extra, InstanceState, ObjectState, OutputState, ResourceState, State};
pub use parse::FormatError;
pub use raw::RawJson;
pub use runs::{LocalRuns, MemoryRuns, RunLog};
pub use store::{BoxFuture, OperationError, Snapshot, StateStore, StateVersion, StoreError, Stored, Version};
pub use write::TERRAFORM_VERSION;
