//! The store and the lock in memory.

use std::sync::Arc;

use lakeform_state::{MemoryLock, MemoryStore};

use crate::contract;

#[tokio::test]
async fn store_keeps_the_contract() {
    let store = MemoryStore::default();
    contract::store(|| Arc::new(store.clone())).await;
}

#[tokio::test]
async fn lock_keeps_the_contract() {
    let lock = MemoryLock::default();
    contract::lock(|| Arc::new(lock.clone()), true).await;
}
