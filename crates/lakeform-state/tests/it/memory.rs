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

#[tokio::test]
async fn a_lock_with_a_lease_keeps_the_contract_of_leases() {
    let lease = std::time::Duration::from_millis(300);
    let lock = MemoryLock::with_lease(lease);
    contract::leases(|| Arc::new(lock.clone()), lease).await;
    let lock = MemoryLock::with_lease(std::time::Duration::from_secs(600));
    contract::lock(|| Arc::new(lock.clone()), true).await;
}
