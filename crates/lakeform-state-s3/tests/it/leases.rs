//! Leases of the locks: expiry by the service's clock, takeover, and what a run can still write that lost its lock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::types::AttributeValue;
use lakeform_state::{
    LockError, LockInfo, PersistError, State, StateManager, StateStore, StoreError, acquire_with_timeout,
};
use lakeform_state_s3::{Connection, Item};
use lakeform_testkit::{
    Gate,
    emulator::Kind,
    proxy::{Proxy, Rule},
};

use crate::{contract, harness};

/// Short enough for a test, long enough for a renewal on a busy machine.
const LEASE: Duration = Duration::from_secs(2);

/// As much as it takes until a lock that is left alone can be taken over, and more.
const PATIENCE: Duration = Duration::from_secs(60);

const DAY: i64 = 24 * 3600;

/// Clients of their own, as another machine has them, whose clock is wrong by so many seconds.
async fn machine(url: &str, name: &str, table: bool, lockfile: bool, skew: i64) -> Connection {
    let mut backend = harness::backend(url, name, table, lockfile);
    backend.lease = Some(LEASE);
    let clock = move || {
        let by = Duration::from_secs(skew.unsigned_abs());
        let now = SystemTime::now();
        if skew < 0 { now - by } else { now + by }
    };
    harness::open(backend).await.with_clock(Arc::new(clock))
}

async fn made(name: &str, table: bool, lockfile: bool) {
    drop(harness::made(name, table, lockfile).await);
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

async fn contract_of(name: &str, table: bool, lockfile: bool) {
    made(name, table, lockfile).await;
    let mut pool = Vec::new();
    for i in 0..10 {
        pool.push(machine(&harness::url(), name, table, lockfile, (i % 3 - 1) * DAY).await.lock().unwrap());
    }
    let next = AtomicUsize::new(0);
    contract::leases(|| pool[next.fetch_add(1, Ordering::SeqCst)].clone(), LEASE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_the_item_keeps_the_contract_of_leases() {
    contract_of("lease-item", true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_the_lockfile_keeps_the_contract_of_leases() {
    contract_of("lease-file", false, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_both_keep_the_contract_of_leases() {
    contract_of("lease-both", true, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_neither_steals_a_lock_nor_misdates_one() {
    for (name, table) in [("lease-clock-item", true), ("lease-clock-file", false)] {
        made(name, table, !table).await;
        for skew in [-DAY, 0, DAY] {
            let holder = machine(&harness::url(), name, table, !table, skew).await.lock().unwrap();
            let ann = contract::info("ann@build");
            holder.acquire(&ann).await.unwrap();
            for other in [-DAY, DAY] {
                let thief = machine(&harness::url(), name, table, !table, other).await.lock().unwrap();
                let refused = thief.acquire(&contract::info("eve@laptop")).await.unwrap_err();
                assert!(matches!(refused, LockError::Held { .. }), "{name}: a clock wrong by {other} s stole the lock");
            }
            let term = holder.holder().await.unwrap().unwrap().term.unwrap();
            let right = now() + LEASE.as_secs();
            assert!(
                term.expires.abs_diff(right) <= 3,
                "{name}: a clock wrong by {skew} s: {} for {right}",
                term.expires
            );
            holder.release(&ann.id).await.unwrap();
        }
    }
}

#[tokio::test]
async fn terraform_reads_the_same_record_whether_renewed_or_not_and_its_own_never_runs_out() {
    made("lease-record", true, true).await;
    let bare = harness::bare();
    let (id, table) = ("lakeform-lease-record/stacks/prod.tfstate", "locks-lease-record");
    let connection = machine(&harness::url(), "lease-record", true, true, 0).await;
    let lock = connection.lock().unwrap();
    let ann = contract::info("ann@build");
    lock.acquire(&ann).await.unwrap();
    let mine = LockInfo { path: id.to_owned(), ..ann.clone() };
    for _ in 0..2 {
        assert_eq!(bare.attribute(table, id, "Info").await.unwrap(), mine.to_json());
        let file = bare.object("lakeform-lease-record", "stacks/prod.tfstate.tflock").await.unwrap();
        let mut file: serde_json::Value = serde_json::from_slice(&file).unwrap();
        let fields = file.as_object_mut().unwrap();
        assert!(fields.remove("Expires").unwrap().is_u64() && fields.remove("Fence").unwrap().is_u64());
        assert_eq!(file, serde_json::from_str::<serde_json::Value>(&mine.to_json()).unwrap());
        lock.renew(&ann.id).await.unwrap();
    }
    lock.release(&ann.id).await.unwrap();

    let old = LockInfo { created: "2001-01-01T00:00:00Z".to_owned(), ..contract::info("terraform") };
    bare.put(table, id, "Info", &old.to_json()).await;
    let refused = lock.acquire(&ann).await.unwrap_err();
    assert!(matches!(&refused, LockError::Held { holder: Some(h), .. } if h.id == old.id && h.term.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_no_lost_lock() {
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    for (name, table, call) in [("lease-cut-item", true, "dynamodb:PutItem"), ("lease-cut-file", false, "s3:PutObject")]
    {
        made(name, table, !table).await;
        let lock = machine(&proxy.url(), name, table, !table, 0).await.lock().unwrap();
        for _ in 0..3 {
            let ann = contract::info("ann@build");
            proxy.add(Rule::on(call).cut_after());
            let got = lock.acquire(&ann).await.unwrap();
            assert!(got.taken_over.is_none());
            proxy.add(Rule::on(call).cut_after());
            lock.renew(&ann.id).await.unwrap();
            lock.renew(&ann.id).await.unwrap();
            got.lease.check().unwrap();
            let call = if table { "dynamodb:DeleteItem" } else { "s3:DeleteObject" };
            proxy.add(Rule::on(call).cut_after());
            lock.release(&ann.id).await.unwrap();
        }
        // Also when it is taken over.
        let dead = machine(&proxy.url(), name, table, !table, 0).await.lock().unwrap();
        let info = contract::info("dead@build");
        dead.acquire(&info).await.unwrap();
        tokio::time::sleep(LEASE * 3).await;
        let ann = contract::info("ann@build");
        proxy.add(Rule::on(call).cut_after());
        let got = acquire_with_timeout(&*lock, &ann, PATIENCE, |_| {}).await.unwrap();
        assert_eq!(got.taken_over.unwrap().id, info.id);
        lock.release(&ann.id).await.unwrap();
        proxy.clear();
    }
}

/// Ann's run, which stops renewing; and Bob's, which takes over.
struct Pair {
    ann: Connection,
    bob: Connection,
    anns: LockInfo,
}

impl Pair {
    async fn new(proxy: &Proxy, name: &str, table: bool, lockfile: bool) -> Self {
        made(name, table, lockfile).await;
        let ann = machine(&proxy.url(), name, table, lockfile, 0).await;
        let bob = machine(&harness::url(), name, table, lockfile, 0).await;
        let anns = contract::info("ann@build");
        ann.lock().unwrap().acquire(&anns).await.unwrap();
        Self { ann, bob, anns }
    }

    async fn take_over(&self) -> StateManager {
        let lock = self.bob.lock().unwrap();
        let got = acquire_with_timeout(&*lock, &contract::info("bob@desk"), PATIENCE, |_| {}).await.unwrap();
        assert_eq!(got.taken_over.unwrap().id, self.anns.id);
        StateManager::open_fenced(self.bob.store(), got.lease, None).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_arrives_after_the_takeover_is_refused() {
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    for (name, table) in [("late-item", true), ("late-file", false)] {
        for first in [true, false] {
            let name = format!("{name}-{first}");
            let pair = Box::pin(Pair::new(&proxy, &name, table, !table)).await;
            if !first {
                pair.ann.store().write(contract::state_with("1").to_bytes(), None).await.unwrap();
            }
            let mut manager = StateManager::open(pair.ann.store()).await.unwrap();
            // She has checked that she has the lock, and the write is under way for long.
            let gate = Gate::default();
            proxy.add(Rule::on("s3:PutObject").at("prod.tfstate").held_by(&gate));
            let late = tokio::spawn(async move { manager.write(contract::state_with("late")).await });
            let bobs = pair.take_over().await;
            assert_eq!(bobs.state().serial, if first { 1 } else { 2 });
            let before = pair.bob.store().read().await.unwrap().unwrap().state.to_bytes();
            gate.open();
            let refused = late.await.unwrap().unwrap_err();
            assert!(matches!(refused, PersistError::Store(StoreError::Moved { .. })), "{refused}");
            assert_eq!(pair.bob.store().read().await.unwrap().unwrap().state.to_bytes(), before);
            proxy.clear();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_arrives_after_the_takeover_is_refused_and_the_new_holder_sets_it_right() {
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    let pair = Box::pin(Pair::new(&proxy, "late-digest", true, false)).await;
    pair.ann.store().write(contract::state_with("1").to_bytes(), None).await.unwrap();
    let mut manager = StateManager::open(pair.ann.store()).await.unwrap();
    let gate = Gate::default();
    proxy.add(Rule::on("dynamodb:TransactWriteItems").held_by(&gate));
    // The object is written; its digest is not, as far as anyone can see.
    let late = tokio::spawn(async move { manager.persist(&contract::state_with("2")).await });
    while proxy.count("dynamodb:TransactWriteItems") < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut bobs = pair.take_over().await;
    assert_eq!(bobs.state().serial, 3, "what she wrote last is there");
    assert!(bobs.persist(&contract::state_with("3")).await.unwrap());
    gate.open();
    let refused = late.await.unwrap().unwrap_err();
    assert!(matches!(refused, PersistError::Store(StoreError::Fenced { .. })), "{refused}");
    assert!(refused.lost_lock());
    // Object and digest agree: a third machine reads them without waiting.
    let other = harness::open(harness::backend(&harness::url(), "late-digest", true, false)).await;
    let store = lakeform_state_s3::S3Store::new(other).with_patience(Duration::ZERO);
    assert_eq!(store.read().await.unwrap().unwrap().state.serial, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn items_are_written_only_by_who_has_the_lock() {
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    let pair = Box::pin(Pair::new(&proxy, "fenced-items", true, true)).await;
    let (table, bare) = ("locks-fenced-items", harness::bare());
    let item = |id: &str, by: &str| {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        Item::from([("LockID".to_owned(), text(id)), ("By".to_owned(), text(by))])
    };
    pair.ann.put_fenced(table, vec![item("a", "ann"), item("b", "ann")]).await.unwrap();
    // Many at once, beside renewals.
    let lock = pair.ann.lock().unwrap();
    let puts = (0..10).map(|i| {
        let (ann, item) = (pair.ann.clone(), item(&format!("many-{i}"), "ann"));
        tokio::spawn(async move { ann.put_fenced(table, vec![item]).await })
    });
    for put in puts.collect::<Vec<_>>() {
        lock.renew(&pair.anns.id).await.unwrap();
        put.await.unwrap().unwrap();
    }
    let bobs = pair.take_over().await;
    let refused = pair.ann.put_fenced(table, vec![item("a", "late"), item("c", "late")]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    assert_eq!(
        refused.to_string(),
        "s3://lakeform-fenced-items/stacks/prod.tfstate: this run no longer has the lock, so it did not write"
    );
    assert_eq!(bare.attribute(table, "a", "By").await.unwrap(), "ann");
    assert_eq!(bare.attribute(table, "c", "By").await, None);
    pair.bob.put_fenced(table, vec![item("a", "bob")]).await.unwrap();
    assert_eq!(bare.attribute(table, "a", "By").await.unwrap(), "bob");
    drop(bobs);
    // Without the lock's item, as after `force-unlock`, neither.
    let bobs = pair.bob.lock().unwrap().holder().await.unwrap().unwrap();
    harness::open(harness::backend(&harness::url(), "fenced-items", true, true))
        .await
        .lock()
        .unwrap()
        .force_release(&bobs.id)
        .await
        .unwrap();
    assert!(matches!(pair.bob.put_fenced(table, vec![item("a", "late")]).await, Err(StoreError::Fenced { .. })));
    // A run without a lock just writes, as `--lock=false` asks for.
    let free = harness::open(harness::backend(&harness::url(), "fenced-items", true, true)).await;
    free.put_fenced(table, vec![item("a", "free")]).await.unwrap();
    assert_eq!(bare.attribute(table, "a", "By").await.unwrap(), "free");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_part_of_a_dead_lock_is_not_taken_over_alone() {
    made("lease-halves", true, true).await;
    let url = harness::url();
    let dead = machine(&url, "lease-halves", true, true, 0).await;
    let deads = contract::info("dead@build");
    dead.lock().unwrap().acquire(&deads).await.unwrap();
    // Someone else has the item, without end.
    let bare = harness::bare();
    let other = contract::info("terraform");
    let (table, item) = ("locks-lease-halves", "lakeform-lease-halves/stacks/prod.tfstate");
    bare.put(table, item, "Info", &other.to_json()).await;
    tokio::time::sleep(LEASE * 3).await;
    let bob = machine(&url, "lease-halves", true, true, 0).await;
    let (lock, bobs) = (bob.lock().unwrap(), contract::info("bob@desk"));
    let refused = loop {
        // Until the lockfile's lease has run out, it is the lockfile that refuses.
        let refused = lock.acquire(&bobs).await.unwrap_err();
        let LockError::Held { holder: Some(holder), .. } = &refused else { panic!("{refused}") };
        if holder.id == other.id {
            break refused;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(refused.to_string().contains("lock table"), "{refused}");
    // The lockfile is the dead one's again, for whoever gets both to know; but the dead one cannot renew it.
    let holder = lock.holder().await.unwrap().unwrap();
    assert_eq!(holder.id, deads.id);
    assert!(dead.lock().unwrap().renew(&deads.id).await.is_err());
    bare.delete(table, item).await;
    let got = acquire_with_timeout(&*lock, &bobs, PATIENCE, |_| {}).await.unwrap();
    assert_eq!(got.taken_over.unwrap().id, deads.id);
    lock.release(&bobs.id).await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test]
async fn a_run_whose_lease_has_ended_writes_no_state() {
    let connection = harness::made("lease-ended", true, false).await;
    let lock = connection.lock().unwrap();
    let got = lock.acquire(&contract::info("ann@build")).await.unwrap();
    connection.store().write(contract::state_with("0").to_bytes(), None).await.unwrap();
    let mut manager = StateManager::open(connection.store()).await.unwrap().with_lease(got.lease.clone());
    assert!(manager.persist(&contract::state_with("1")).await.unwrap());
    got.lease.lose();
    let refused = manager.persist(&contract::state_with("2")).await.unwrap_err();
    assert!(matches!(refused, PersistError::Lease(_)) && refused.lost_lock());
    assert!(matches!(manager.write(State::new("x")).await, Err(PersistError::Lease(_))));
    assert_eq!(connection.store().read().await.unwrap().unwrap().state.serial, manager.state().serial);
}
