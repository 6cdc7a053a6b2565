//! A store and a lock in memory, for tests and for trying things out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    Acquired, BoxFuture, Lease, LockError, LockInfo, Moment, StateLock, StateStore, StoreError, Stored, Version,
};

const PLACE: &str = "memory";

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A state in memory. Clones are the same store.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    bytes: Option<Vec<u8>>,
    writes: u64,
}

impl Contents {
    fn version(&self) -> Option<Version> {
        self.bytes.as_ref().map(|_| Version(self.writes.to_string()))
    }
}

impl MemoryStore {
    /// The bytes that were written last.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        hold(&self.0).bytes.clone()
    }

    /// How many writes succeeded.
    pub fn writes(&self) -> u64 {
        hold(&self.0).writes
    }
}

impl StateStore for MemoryStore {
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(async move {
            let contents = hold(&self.0);
            let found = contents.bytes.clone().zip(contents.version());
            Ok(found.map(|(bytes, version)| Stored { bytes, version, stale: false }))
        })
    }

    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>> {
        Box::pin(async move {
            let mut contents = hold(&self.0);
            if contents.version() != expected {
                return Err(StoreError::Moved { place: PLACE.to_owned() });
            }
            contents.bytes = Some(bytes);
            contents.writes += 1;
            Ok(Version(contents.writes.to_string()))
        })
    }

    fn describe(&self) -> String {
        PLACE.to_owned()
    }
}

/// A lock in memory. Clones are the same lock.
#[derive(Clone, Debug, Default)]
pub struct MemoryLock {
    place: Arc<Mutex<Option<Held>>>,
    lease: Option<Duration>,
}

#[derive(Clone, Debug)]
struct Held {
    info: LockInfo,
    until: Option<Instant>,
}

impl MemoryLock {
    /// A lock whose leases run out.
    pub fn with_lease(lease: Duration) -> Self {
        Self { lease: Some(lease), ..Self::default() }
    }

    fn until(&self) -> Option<Instant> {
        self.lease.map(|lease| Instant::now() + lease)
    }

    fn acquire_now(&self, info: &LockInfo) -> Result<Acquired, LockError> {
        let from = Moment::now(None);
        let mut place = hold(&self.place);
        let taken_over = match place.take() {
            Some(dead) if dead.until.is_some_and(|until| until <= Instant::now()) => Some(dead.info),
            Some(held) => {
                let holder = Some(Box::new(held.info.clone()));
                *place = Some(held);
                return Err(LockError::Held { place: PLACE.to_owned(), holder });
            }
            None => None,
        };
        let info = LockInfo { path: PLACE.to_owned(), ..info.clone() };
        *place = Some(Held { info, until: self.until() });
        let lease = self.lease.map_or_else(Lease::unlimited, |length| Lease::limited(length, from, None));
        Ok(Acquired { lease, taken_over })
    }

    /// Does something to the lock, if it is held under this id.
    fn with(&self, id: &str, change: impl FnOnce(&mut Option<Held>)) -> Result<(), LockError> {
        let mut place = hold(&self.place);
        match &*place {
            Some(held) if held.info.id == id => {
                change(&mut place);
                Ok(())
            }
            Some(held) => {
                let holder = Some(Box::new(held.info.clone()));
                Err(LockError::IdMismatch { place: PLACE.to_owned(), id: id.to_owned(), holder })
            }
            None => Err(LockError::NotHeld { place: PLACE.to_owned(), id: id.to_owned() }),
        }
    }
}

impl StateLock for MemoryLock {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>> {
        Box::pin(async move { self.acquire_now(info) })
    }

    fn renew<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            self.with(id, |held| {
                if let Some(held) = held {
                    held.until = self.until();
                }
            })
        })
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move { self.with(id, |held| *held = None) })
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        Box::pin(async move { Ok(hold(&self.place).as_ref().map(|held| held.info.clone())) })
    }

    fn describe(&self) -> String {
        PLACE.to_owned()
    }
}
