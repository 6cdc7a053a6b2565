//! One run's hold on a state: what was read, what was written last, and the next write.

use std::{collections::HashSet, sync::Arc};

use lakeform_core::ConfigAddress;

use crate::{Lease, LeaseLost, Rule, Snapshot, State, StateStore, StoreError, Version, Violation};

/// A state could not be saved. Its caller keeps it in `errored.tfstate` ([`StateManager::next`] has the bytes).
#[derive(Clone, Debug, thiserror::Error)]
pub enum PersistError {
    /// The state breaks integrity rules; nothing was written.
    #[error("the state is not fit to be stored: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Integrity(Vec<Violation>),
    /// The run lost its lock before; nothing was written.
    #[error(transparent)]
    Lease(#[from] LeaseLost),
    /// The store refused it or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PersistError {
    /// Whether the lock was no longer this run's: someone else may be writing.
    pub fn lost_lock(&self) -> bool {
        matches!(self, Self::Lease(_) | Self::Store(StoreError::Fenced { .. }))
    }
}

/// How often a state is read again that others write while it is being fenced off.
const FENCING: usize = 10;

/// Reads a state once and writes its successors, each only if nobody else wrote in between.
#[derive(Debug)]
pub struct StateManager {
    store: Arc<dyn StateStore>,
    stored: State,
    version: Option<Version>,
    /// What is stored is to be written again, changed or not.
    stale: bool,
    seen: HashSet<ConfigAddress>,
    lease: Lease,
}

impl StateManager {
    /// Reads what the store holds; a store that holds nothing begins with an empty state of a new lineage.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open(store: Arc<dyn StateStore>) -> Result<Self, StoreError> {
        let snapshot = store.read().await?;
        Ok(Self::from_snapshot(store, snapshot))
    }

    /// Goes on from what was read before.
    pub fn from_snapshot(store: Arc<dyn StateStore>, snapshot: Option<Snapshot>) -> Self {
        let (stored, version, stale) = match snapshot {
            Some(Snapshot { state, version, stale }) => (state, Some(version), stale),
            None => (State::new(uuid::Uuid::new_v4().to_string()), None, false),
        };
        let mut seen = HashSet::new();
        stored.note_seen(&mut seen);
        Self { store, stored, version, stale, seen, lease: Lease::unlimited() }
    }

    /// The same, which writes only as long as a lease lasts.
    pub fn with_lease(mut self, lease: Lease) -> Self {
        self.lease = lease;
        self
    }

    /// Reads what the store holds and writes it back under the next serial, or an empty state of this lineage where there was
    /// none. From then on nobody can write who read it before: not even a run that lost the lock without knowing.
    ///
    /// # Errors
    /// When the store cannot be read or written, or the lease is lost.
    pub async fn open_fenced(
        store: Arc<dyn StateStore>,
        lease: Lease,
        lineage: Option<&str>,
    ) -> Result<Self, PersistError> {
        let mut last = None;
        for _ in 0..FENCING {
            let mut manager = Self::open(store.clone()).await?.with_lease(lease.clone());
            lineage.iter().for_each(|lineage| manager.begin(lineage));
            let fenced = State { serial: manager.stored.serial + 1, ..manager.stored.clone() };
            match manager.write(fenced).await {
                Ok(()) => return Ok(manager),
                Err(moved @ PersistError::Store(StoreError::Moved { .. })) => last = Some(moved),
                Err(e) => return Err(e),
            }
        }
        Err(last.unwrap_or_else(|| StoreError::Moved { place: store.describe() }.into()))
    }

    /// Notes blocks of the configuration: dependencies may name them though they have no instances (`count = 0`).
    pub fn declare(&mut self, blocks: impl IntoIterator<Item = ConfigAddress>) {
        self.seen.extend(blocks);
    }

    /// Begins with this lineage, where nothing is stored yet: a run that was cut off before it stored its state began it.
    pub fn begin(&mut self, lineage: &str) {
        if !self.exists() {
            lineage.clone_into(&mut self.stored.lineage);
        }
    }

    /// Notes every resource that a state names: what is stored next may depend on it.
    pub fn know(&mut self, state: &State) {
        state.note_seen(&mut self.seen);
    }

    /// The state as it is stored: as it was read or last written.
    pub fn state(&self) -> &State {
        &self.stored
    }

    /// Whether the store holds a state.
    pub fn exists(&self) -> bool {
        self.version.is_some()
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn StateStore> {
        &self.store
    }

    /// The state that saving `state` would write: same content, the next serial; `None` if nothing changed.
    /// What is stored otherwise than it should be (in clear, under an old key) counts as changed.
    pub fn next(&self, state: &State) -> Option<State> {
        if self.version.is_some() && !self.stale && self.stored.content_equals(state) {
            return None;
        }
        Some(State { serial: self.stored.serial + 1, ..state.clone() })
    }

    /// Saves a state if its content differs from what is stored: checks the rules, gives it the next serial and writes it
    /// over the version that this manager knows. Gives whether something was written.
    ///
    /// # Errors
    /// When the state breaks a rule, when someone else wrote in between, or when the store fails; what is stored is then
    /// what it was before, as far as anyone knows.
    pub async fn persist(&mut self, state: &State) -> Result<bool, PersistError> {
        let Some(next) = self.next(state) else { return Ok(false) };
        let mut violations = next.check(&self.seen);
        if next.lineage != self.stored.lineage {
            let what = format!("the lineage would change from {} to {}", self.stored.lineage, next.lineage);
            violations.push(Violation { rule: Rule::Lineage, what });
        }
        if state.serial > next.serial {
            let what = format!("the serial would go from {} back to {}", state.serial, next.serial);
            violations.push(Violation { rule: Rule::Serial, what });
        }
        if !violations.is_empty() {
            return Err(PersistError::Integrity(violations));
        }
        self.write(next).await?;
        Ok(true)
    }

    /// Puts a state in place of the stored one as it is, serial and lineage included, if the lease lasts and nobody else wrote
    /// in between. No rule is checked.
    ///
    /// # Errors
    /// When the lease is lost, when someone else wrote, or when the store fails.
    pub async fn write(&mut self, state: State) -> Result<(), PersistError> {
        self.lease.check()?;
        let version = self.store.write(state.to_bytes(), self.version.clone()).await?;
        state.note_seen(&mut self.seen);
        self.version = Some(version);
        self.stale = false;
        self.stored = state;
        Ok(())
    }
}
