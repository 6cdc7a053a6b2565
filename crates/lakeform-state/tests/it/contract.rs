//! What every store and every lock must do. Run for each implementation, here and in `lakeform-state-s3`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use lakeform_core::InstanceAddress;
use lakeform_state::{
    Attributes, LockError, LockInfo, ObjectState, PersistError, State, StateLock, StateManager, StateStore, StoreError,
    Version, acquire_with_timeout,
};
use serde_json::json;

pub const PROVIDER: &str = "provider[\"registry.terraform.io/hashicorp/aws\"]";

/// A state with one object, whose id is `id`.
pub fn state_with(id: &str) -> State {
    let mut state = State::new("7c1f7f4e-5a3c-4a56-8f5c-1f2a7c6f0d11");
    state.serial = 1;
    let address: InstanceAddress = "aws_s3_bucket.raw".parse().unwrap();
    let attributes = Attributes::from(&json!({ "id": id, "tags": { "<zone>": "raw & ready" } }));
    state.set_current(&address, PROVIDER, ObjectState { attributes, ..ObjectState::default() });
    state
}

fn id_of(state: &State) -> String {
    let address: InstanceAddress = "aws_s3_bucket.raw".parse().unwrap();
    let attributes = state.current(&address).unwrap().attributes.json().unwrap();
    attributes["id"].as_str().unwrap().to_owned()
}

/// The contract of a store. `open` gives another client of the same place, which is empty at first.
pub async fn store<F: Fn() -> Arc<dyn StateStore>>(open: F) {
    let (a, b) = (open(), open());
    assert!(a.read().await.unwrap().is_none(), "an empty store holds no state");

    // The first write needs nothing to be there.
    let first = a.write(state_with("1").to_bytes(), None).await.unwrap();
    let refused = b.write(state_with("2").to_bytes(), None).await;
    assert!(matches!(refused, Err(StoreError::Moved { .. })), "a second first write was not refused: {refused:?}");

    // What was written is read back, byte for byte, under the version that the write gave.
    let there = b.read().await.unwrap().unwrap();
    assert_eq!(there.state.to_bytes(), state_with("1").to_bytes());
    assert_eq!(there.version, first);

    // Compare and swap.
    let second = b.write(state_with("2").to_bytes(), Some(there.version)).await.unwrap();
    assert_ne!(first, second);
    let refused = a.write(state_with("3").to_bytes(), Some(first)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Moved { .. }), "{refused}");
    let text = refused.to_string();
    assert!(text.starts_with(&a.describe()) && text.contains("lakeform lock status"), "{text}");
    let refused = a.write(state_with("3").to_bytes(), Some(Version("never seen".into()))).await;
    assert!(matches!(refused, Err(StoreError::Moved { .. })), "{refused:?}");
    let there = a.read().await.unwrap().unwrap();
    assert_eq!(id_of(&there.state), "2", "a refused write changed the state");

    // Many at one time over one version: one gets through.
    let writers = (0..20).map(|i| {
        let (store, expected) = (open(), Some(second.clone()));
        tokio::spawn(async move { store.write(state_with(&format!("race {i}")).to_bytes(), expected).await.map(|_| i) })
    });
    let mut winners = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        match writer.await.unwrap() {
            Ok(i) => winners.push(i),
            Err(StoreError::Moved { .. }) => {}
            Err(e) => panic!("{e}"),
        }
    }
    assert_eq!(winners.len(), 1, "winners of the race: {winners:?}");
    let there = a.read().await.unwrap().unwrap();
    assert_eq!(id_of(&there.state), format!("race {}", winners[0]));
    managers(&open).await;
}

/// Two runs on one state.
async fn managers<F: Fn() -> Arc<dyn StateStore>>(open: &F) {
    let mut one = StateManager::open(open()).await.unwrap();
    let mut two = StateManager::open(open()).await.unwrap();
    let serial = one.state().serial;
    let same = one.state().clone();
    assert!(!one.persist(&same).await.unwrap(), "nothing changed, nothing is to be written");
    assert_eq!(one.state().serial, serial);

    let mut next = state_with("one");
    next.serial = 0;
    assert!(one.persist(&next).await.unwrap());
    assert_eq!(one.state().serial, serial + 1);
    // The second run lost its lock without knowing: its write must not get through.
    let refused = two.persist(&state_with("two")).await.unwrap_err();
    assert!(matches!(refused, PersistError::Store(StoreError::Moved { .. })), "{refused}");
    assert_eq!(two.state().serial, serial, "a refused write must not count");
    let there = open().read().await.unwrap().unwrap().state;
    assert_eq!((id_of(&there), there.serial), ("one".to_owned(), serial + 1));
}

pub fn info(who: &str) -> LockInfo {
    LockInfo::new("OperationTypeApply", who, "1.11.4", "2026-01-02T03:04:05.678901Z")
}

/// The contract of a lock. `open` gives another client of the same lock, which is free at first; `force` says whether one
/// client can take the lock away from another that is alive.
pub async fn lock<F: Fn() -> Arc<dyn StateLock>>(open: F, force: bool) {
    let (a, b) = (open(), open());
    assert_eq!(a.holder().await.unwrap(), None);

    let ann = info("ann@build");
    a.acquire(&ann).await.unwrap();
    let there = b.holder().await.unwrap().unwrap();
    assert_eq!(LockInfo { path: String::new(), term: None, ..there.clone() }, ann);
    assert!(!there.path.is_empty(), "the lock says which state it is for");

    // Nobody else gets it, the holder itself no second time either, and the message says who has it.
    for client in [&a, &b] {
        let refused = client.acquire(&info("bob@desk")).await.unwrap_err();
        let LockError::Held { holder: Some(holder), .. } = &refused else { panic!("{refused}") };
        assert_eq!(holder.id, ann.id);
        let text = refused.to_string();
        for part in [&a.describe(), "ann@build", "OperationTypeApply", "2026-01-02T03:04:05.678901Z"] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
        assert!(text.contains(&format!("`lakeform force-unlock {}`", ann.id)), "{text}");
    }

    // Only the right id frees it.
    let wrong = a.release("no such id").await.unwrap_err();
    assert!(matches!(wrong, LockError::IdMismatch { .. }) && wrong.to_string().contains("ann@build"), "{wrong}");
    let wrong = b.force_release("no such id").await.unwrap_err();
    assert!(matches!(wrong, LockError::IdMismatch { .. }), "{wrong}");
    assert!(b.holder().await.unwrap().is_some());
    a.release(&ann.id).await.unwrap();
    assert_eq!(b.holder().await.unwrap(), None);
    let gone = a.release(&ann.id).await.unwrap_err();
    assert!(matches!(gone, LockError::NotHeld { .. }), "{gone}");

    // Waiting: until it is free, or until the time is up.
    let eve = info("eve@laptop");
    a.acquire(&eve).await.unwrap();
    let mut heard = Vec::new();
    let bob = info("bob@desk");
    let late = acquire_with_timeout(&*b, &bob, Duration::from_millis(300), |held| heard.push(held.to_string())).await;
    assert!(matches!(late, Err(LockError::Held { .. })));
    assert!(heard.iter().all(|text| text.contains("eve@laptop")) && !heard.is_empty(), "{heard:?}");
    let (free, id) = (a.clone(), eve.id.clone());
    let freeing = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        free.release(&id).await
    });
    acquire_with_timeout(&*b, &bob, Duration::from_secs(300), |_| {}).await.unwrap();
    freeing.await.unwrap().unwrap();
    assert_eq!(a.holder().await.unwrap().unwrap().id, bob.id);

    // By force.
    let forced = a.force_release(&bob.id).await;
    if force {
        forced.unwrap();
        let lost = b.release(&bob.id).await.unwrap_err();
        assert!(matches!(lost, LockError::NotHeld { .. }), "whoever lost the lock must hear of it: {lost}");
    } else {
        let alive = forced.unwrap_err();
        assert!(matches!(alive, LockError::Alive { .. }), "{alive}");
        b.release(&bob.id).await.unwrap();
    }
    assert_eq!(a.holder().await.unwrap(), None);
    contenders(&open).await;
}

/// The contract of leases. `open` gives another client of the same lock, which is free at first and lasts `lease`.
pub async fn leases<F: Fn() -> Arc<dyn StateLock>>(open: F, lease: Duration) {
    let (a, b) = (open(), open());
    let (ann, bob) = (info("ann@build"), info("bob@desk"));
    let anns = a.acquire(&ann).await.unwrap();
    assert!(anns.taken_over.is_none());
    assert_eq!(anns.lease.length(), Some(lease));

    // It lasts as long as it is renewed.
    let start = Instant::now();
    while start.elapsed() < lease * 2 {
        let from = anns.lease.moment();
        a.renew(&ann.id).await.unwrap();
        anns.lease.extend(from);
        let refused = b.acquire(&bob).await.unwrap_err();
        let LockError::Held { holder: Some(holder), .. } = &refused else { panic!("{refused}") };
        assert_eq!(holder.id, ann.id);
        if let Some(term) = holder.term {
            assert!(refused.to_string().contains(&format!("on a lease until {}", term.until())), "{refused}");
        }
        anns.lease.check().unwrap();
        tokio::time::sleep(lease / 3).await;
    }
    assert!(matches!(b.renew(&ann.id).await, Err(LockError::IdMismatch { .. }) | Ok(())));
    assert!(matches!(b.renew("no such id").await, Err(LockError::IdMismatch { .. })));

    // Left alone, it goes to whoever asks next; its old holder knew before, and can do nothing to it any more.
    let left = a.holder().await.unwrap().unwrap();
    let lost = anns.lease.clone();
    let bobs = acquire_with_timeout(&*b, &bob, Duration::from_secs(60), |_| {}).await.unwrap();
    assert!(lost.check().is_err(), "the lock went to someone else while its holder believed to have it");
    let before = bobs.taken_over.unwrap();
    assert_eq!(before, left);
    let there = a.holder().await.unwrap().unwrap();
    assert_eq!(there.id, bob.id);
    assert_eq!(there.term.is_some(), before.term.is_some());
    if let (Some(before), Some(now)) = (before.term, there.term) {
        assert!(now.fence > before.fence && now.expires > before.expires, "{before:?} {now:?}");
    }
    for refused in [a.renew(&ann.id).await.unwrap_err(), a.release(&ann.id).await.unwrap_err()] {
        assert!(matches!(&refused, LockError::IdMismatch { holder: Some(h), .. } if h.id == bob.id), "{refused}");
    }
    let from = bobs.lease.moment();
    b.renew(&bob.id).await.unwrap();
    bobs.lease.extend(from);
    b.release(&bob.id).await.unwrap();
    for refused in [b.renew(&bob.id).await.unwrap_err(), a.renew(&ann.id).await.unwrap_err()] {
        assert!(matches!(refused, LockError::NotHeld { .. }), "{refused}");
    }

    // Of many who wait for a dead one, one gets it.
    let dead = info("dead@build");
    assert!(a.acquire(&dead).await.unwrap().taken_over.is_none(), "a lock that was given back was not taken over");
    let waiting = (0..8).map(|i| {
        let lock = open();
        tokio::spawn(async move {
            let info = info(&format!("heir {i}"));
            acquire_with_timeout(&*lock, &info, Duration::from_secs(60), |_| {}).await.unwrap();
            lock.release(&info.id).await.unwrap();
        })
    });
    for task in waiting.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(a.holder().await.unwrap(), None);
}

/// Many at one time: one has it at any instant, and each gets its turn.
async fn contenders<F: Fn() -> Arc<dyn StateLock>>(open: &F) {
    let inside = Arc::new(AtomicUsize::new(0));
    let tasks = (0..12).map(|i| {
        let (lock, inside) = (open(), inside.clone());
        tokio::spawn(async move {
            let info = info(&format!("contender {i}"));
            acquire_with_timeout(&*lock, &info, Duration::from_secs(600), |_| {}).await.unwrap();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold the lock");
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1, "two hold the lock");
            lock.release(&info.id).await.unwrap();
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(open().holder().await.unwrap(), None);
}
