//! A store and a lock in memory, for tests and for trying things out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{BoxFuture, LockError, LockInfo, StateLock, StateStore, StoreError, Stored, Version};

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
pub struct MemoryLock(Arc<Mutex<Option<LockInfo>>>);

impl StateLock for MemoryLock {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            let mut place = hold(&self.0);
            if let Some(holder) = &*place {
                return Err(LockError::Held { place: PLACE.to_owned(), holder: Some(Box::new(holder.clone())) });
            }
            *place = Some(LockInfo { path: PLACE.to_owned(), ..info.clone() });
            Ok(())
        })
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            let mut place = hold(&self.0);
            match place.take() {
                Some(holder) if holder.id == id => Ok(()),
                Some(holder) => {
                    *place = Some(holder.clone());
                    let holder = Some(Box::new(holder));
                    Err(LockError::IdMismatch { place: PLACE.to_owned(), id: id.to_owned(), holder })
                }
                None => Err(LockError::NotHeld { place: PLACE.to_owned(), id: id.to_owned() }),
            }
        })
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        Box::pin(async move { Ok(hold(&self.0).clone()) })
    }

    fn describe(&self) -> String {
        PLACE.to_owned()
    }
}
