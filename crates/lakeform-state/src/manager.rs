//! One run's hold on a state: what was read, what was written last, and the next write.

use std::{collections::HashSet, sync::Arc};

use lakeform_core::ConfigAddress;

use crate::{Rule, Snapshot, State, StateStore, StoreError, Version, Violation};

/// A state could not be saved. Its caller keeps it in `errored.tfstate` ([`StateManager::next`] has the bytes).
#[derive(Clone, Debug, thiserror::Error)]
pub enum PersistError {
    /// The state breaks integrity rules; nothing was written.
    #[error("the state is not fit to be stored: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Integrity(Vec<Violation>),
    /// The store refused it or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads a state once and writes its successors, each only if nobody else wrote in between.
#[derive(Debug)]
pub struct StateManager {
    store: Arc<dyn StateStore>,
    stored: State,
    version: Option<Version>,
    /// What is stored is to be written again, changed or not.
    stale: bool,
    seen: HashSet<ConfigAddress>,
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
        Self { store, stored, version, stale, seen }
    }

    /// Notes blocks of the configuration: dependencies may name them though they have no instances (`count = 0`).
    pub fn declare(&mut self, blocks: impl IntoIterator<Item = ConfigAddress>) {
        self.seen.extend(blocks);
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
        let version = self.store.write(next.to_bytes(), self.version.clone()).await?;
        next.note_seen(&mut self.seen);
        self.version = Some(version);
        self.stale = false;
        self.stored = next;
        Ok(true)
    }
}
