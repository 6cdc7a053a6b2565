//! A store and a lock that fail when a test says so.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lakeform_state::{
    Acquired, BoxFuture, LockError, LockInfo, OperationError, StateLock, StateStore, StoreError, Stored, Version,
};

use crate::Gate;

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(operation: &str, transient: bool) -> OperationError {
    let cause = if transient { "the connection was reset" } else { "AccessDenied: you may not do that" };
    OperationError { operation: operation.to_owned(), cause: cause.to_owned(), help: None, transient }
}

/// What happens to one call of a [`FlakyStore`].
#[derive(Clone, Debug)]
pub enum StoreFault {
    /// It is not made, and may be made again.
    Transient,
    /// It is not made, and never will be.
    Denied,
    /// A write is made, and its caller is told that it failed (transient).
    LostResponse,
    /// Someone else writes first, so that the version that the caller expects is gone. The content stays as it is.
    Overtaken,
    /// It is held until the gate opens, then made.
    Hold(Gate),
    /// It is made as usual: counts a call off.
    Pass,
}

/// A store that hands each call to another one, unless a fault meets it. Clones are the same store.
#[derive(Clone, Debug)]
pub struct FlakyStore {
    inner: Arc<dyn StateStore>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    reads: Calls<StoreFault>,
    writes: Calls<StoreFault>,
    written: Vec<Vec<u8>>,
}

/// The faults of the next calls, then of all later ones; and how many calls there were.
#[derive(Debug)]
struct Calls<F> {
    next: std::collections::VecDeque<F>,
    rest: Option<F>,
    made: usize,
}

impl<F> Default for Calls<F> {
    fn default() -> Self {
        Self { next: Default::default(), rest: None, made: 0 }
    }
}

impl<F: Clone> Calls<F> {
    fn take(&mut self) -> Option<F> {
        self.made += 1;
        self.next.pop_front().or_else(|| self.rest.clone())
    }
}

impl FlakyStore {
    /// A store that fails nothing yet.
    pub fn new(inner: impl StateStore + 'static) -> Self {
        Self { inner: Arc::new(inner), plan: Arc::default() }
    }

    /// The next writes meet these faults, one each.
    pub fn fail_writes(&self, faults: impl IntoIterator<Item = StoreFault>) {
        hold(&self.plan).writes.next.extend(faults);
    }

    /// Every write that has no fault of its own meets this one; `None`: no longer.
    pub fn fail_all_writes(&self, fault: Option<StoreFault>) {
        hold(&self.plan).writes.rest = fault;
    }

    /// The next reads meet these faults, one each.
    pub fn fail_reads(&self, faults: impl IntoIterator<Item = StoreFault>) {
        hold(&self.plan).reads.next.extend(faults);
    }

    /// How many writes were tried.
    pub fn writes(&self) -> usize {
        hold(&self.plan).writes.made
    }

    /// How many reads were tried.
    pub fn reads(&self) -> usize {
        hold(&self.plan).reads.made
    }

    /// The bytes of each write that was tried, failed ones included.
    pub fn written(&self) -> Vec<Vec<u8>> {
        hold(&self.plan).written.clone()
    }

    /// Writes what is there once more, as someone else.
    async fn overtake(&self) -> Result<(), StoreError> {
        let (bytes, version) = match self.inner.read().await? {
            Some(snapshot) => (snapshot.state.to_bytes(), Some(snapshot.version)),
            None => (lakeform_state::State::new("00000000-0000-4000-8000-000000000000").to_bytes(), None),
        };
        self.inner.write(bytes, version).await.map(|_| ())
    }
}

impl StateStore for FlakyStore {
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(async move {
            let fault = hold(&self.plan).reads.take();
            match fault {
                Some(StoreFault::Transient | StoreFault::LostResponse) => Err(failed("read state", true).into()),
                Some(StoreFault::Denied) => Err(failed("read state", false).into()),
                Some(StoreFault::Overtaken) => {
                    let read = self.inner.read_raw().await?;
                    self.overtake().await?;
                    Ok(read)
                }
                Some(StoreFault::Hold(gate)) => {
                    gate.pass().await;
                    self.inner.read_raw().await
                }
                Some(StoreFault::Pass) | None => self.inner.read_raw().await,
            }
        })
    }

    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>> {
        Box::pin(async move {
            let fault = {
                let mut plan = hold(&self.plan);
                plan.written.push(bytes.clone());
                plan.writes.take()
            };
            match fault {
                Some(StoreFault::Transient) => Err(failed("write state", true).into()),
                Some(StoreFault::Denied) => Err(failed("write state", false).into()),
                Some(StoreFault::LostResponse) => {
                    self.inner.write(bytes, expected).await?;
                    Err(failed("write state", true).into())
                }
                Some(StoreFault::Overtaken) => {
                    self.overtake().await?;
                    self.inner.write(bytes, expected).await
                }
                Some(StoreFault::Hold(gate)) => {
                    gate.pass().await;
                    self.inner.write(bytes, expected).await
                }
                Some(StoreFault::Pass) | None => self.inner.write(bytes, expected).await,
            }
        })
    }

    fn keep_backup(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.keep_backup(bytes)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// What happens to one call of a [`FlakyLock`].
#[derive(Clone, Debug)]
pub enum LockFault {
    /// It is not made, and may be made again.
    Transient,
    /// It is not made, and never will be.
    Denied,
    /// Someone took the lock away before the renewal or release.
    Stolen,
    /// It is made as usual: counts a call off.
    Pass,
}

/// A lock that hands each call to another one, unless a fault meets it. Clones are the same lock.
#[derive(Clone, Debug)]
pub struct FlakyLock {
    inner: Arc<dyn StateLock>,
    acquires: Arc<Mutex<Calls<LockFault>>>,
    renewals: Arc<Mutex<Calls<LockFault>>>,
    releases: Arc<Mutex<Calls<LockFault>>>,
}

impl FlakyLock {
    /// A lock that fails nothing yet.
    pub fn new(inner: impl StateLock + 'static) -> Self {
        let (acquires, renewals, releases) = (Arc::default(), Arc::default(), Arc::default());
        Self { inner: Arc::new(inner), acquires, renewals, releases }
    }

    /// The next acquisitions meet these faults, one each.
    pub fn fail_acquires(&self, faults: impl IntoIterator<Item = LockFault>) {
        hold(&self.acquires).next.extend(faults);
    }

    /// The next renewals meet these faults, one each.
    pub fn fail_renewals(&self, faults: impl IntoIterator<Item = LockFault>) {
        hold(&self.renewals).next.extend(faults);
    }

    /// The next releases meet these faults, one each.
    pub fn fail_releases(&self, faults: impl IntoIterator<Item = LockFault>) {
        hold(&self.releases).next.extend(faults);
    }

    /// How often it was tried to take the lock.
    pub fn acquires(&self) -> usize {
        hold(&self.acquires).made
    }

    /// How often it was tried to renew the lock.
    pub fn renewals(&self) -> usize {
        hold(&self.renewals).made
    }

    /// How often it was tried to give the lock back.
    pub fn releases(&self) -> usize {
        hold(&self.releases).made
    }
}

impl StateLock for FlakyLock {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>> {
        let fault = hold(&self.acquires).take();
        Box::pin(async move {
            match fault {
                Some(LockFault::Transient) => Err(failed("acquire lock", true).into()),
                Some(LockFault::Denied) => Err(failed("acquire lock", false).into()),
                Some(LockFault::Stolen | LockFault::Pass) | None => self.inner.acquire(info).await,
            }
        })
    }

    fn renew<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        let fault = hold(&self.renewals).take();
        Box::pin(async move {
            match fault {
                Some(LockFault::Transient) => Err(failed("renew lock", true).into()),
                Some(LockFault::Denied) => Err(failed("renew lock", false).into()),
                Some(LockFault::Stolen) => {
                    self.inner.force_release(id).await?;
                    self.inner.renew(id).await
                }
                Some(LockFault::Pass) | None => self.inner.renew(id).await,
            }
        })
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        let fault = hold(&self.releases).take();
        Box::pin(async move {
            match fault {
                Some(LockFault::Transient) => Err(failed("release lock", true).into()),
                Some(LockFault::Denied) => Err(failed("release lock", false).into()),
                Some(LockFault::Stolen) => {
                    self.inner.force_release(id).await?;
                    self.inner.release(id).await
                }
                Some(LockFault::Pass) | None => self.inner.release(id).await,
            }
        })
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        self.inner.holder()
    }

    fn force_release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        self.inner.force_release(id)
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[cfg(test)]
mod tests {
    use lakeform_state::{MemoryLock, MemoryStore, State};

    use super::*;

    fn bytes(serial: u64) -> Vec<u8> {
        State { serial, ..State::new("5d5f9b6e-2f4c-4d1c-9d57-3d0fe2a0d0ab") }.to_bytes()
    }

    #[tokio::test]
    async fn writes_fail_in_the_order_that_a_test_says() {
        let memory = MemoryStore::default();
        let store = FlakyStore::new(memory.clone());
        store.fail_writes([StoreFault::Pass, StoreFault::Transient, StoreFault::Denied, StoreFault::LostResponse]);
        let first = store.write(bytes(1), None).await.unwrap();
        let transient = |e: StoreError| matches!(e, StoreError::Operation(e) if e.transient);
        assert!(transient(store.write(bytes(2), Some(first.clone())).await.unwrap_err()));
        assert!(!transient(store.write(bytes(2), Some(first.clone())).await.unwrap_err()));
        assert_eq!(memory.writes(), 1);
        assert!(transient(store.write(bytes(2), Some(first.clone())).await.unwrap_err()));
        assert_eq!(memory.writes(), 2);
        assert!(matches!(store.write(bytes(2), Some(first)).await.unwrap_err(), StoreError::Moved { .. }));
        assert_eq!((store.writes(), store.written().len()), (5, 5));
        store.fail_all_writes(Some(StoreFault::Denied));
        for _ in 0..3 {
            assert!(store.write(bytes(3), None).await.is_err());
        }
    }

    #[tokio::test]
    async fn someone_else_writes_in_between() {
        let store = FlakyStore::new(MemoryStore::default());
        let first = store.write(bytes(1), None).await.unwrap();
        store.fail_writes([StoreFault::Overtaken]);
        assert!(matches!(store.write(bytes(2), Some(first)).await.unwrap_err(), StoreError::Moved { .. }));
        let there = store.read().await.unwrap().unwrap();
        assert_eq!(there.state.serial, 1);
        store.fail_reads([StoreFault::Overtaken, StoreFault::Transient]);
        let stale = store.read().await.unwrap().unwrap();
        assert!(matches!(store.write(bytes(2), Some(stale.version)).await.unwrap_err(), StoreError::Moved { .. }));
        assert!(store.read().await.is_err());
        assert_eq!(store.reads(), 3);
    }

    #[tokio::test]
    async fn a_write_can_be_held_in_flight() {
        let memory = MemoryStore::default();
        let store = FlakyStore::new(memory.clone());
        let gate = Gate::new();
        store.fail_writes([StoreFault::Hold(gate.clone())]);
        let write = tokio::spawn({
            let store = store.clone();
            async move { store.write(bytes(1), None).await }
        });
        gate.reached(1).await;
        assert_eq!(memory.writes(), 0);
        gate.open();
        write.await.unwrap().unwrap();
        assert_eq!(memory.writes(), 1);
    }

    #[tokio::test]
    async fn a_lock_can_be_stolen() {
        let lock = FlakyLock::new(MemoryLock::default());
        let info = LockInfo::new("OperationTypeApply", "a@b", "1.11.4", "2026-01-02T03:04:05Z");
        lock.fail_acquires([LockFault::Transient]);
        assert!(matches!(lock.acquire(&info).await.unwrap_err(), LockError::Operation(_)));
        lock.acquire(&info).await.unwrap();
        lock.fail_releases([LockFault::Denied, LockFault::Stolen]);
        assert!(matches!(lock.release(&info.id).await.unwrap_err(), LockError::Operation(_)));
        assert!(lock.holder().await.unwrap().is_some());
        assert!(matches!(lock.release(&info.id).await.unwrap_err(), LockError::NotHeld { .. }));
        assert_eq!((lock.acquires(), lock.releases()), (2, 2));
    }
}
