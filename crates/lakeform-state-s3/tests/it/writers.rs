//! Fifty runs that want to write one state, on machines whose clocks are hours off: some stop renewing and write
//! nevertheless, some are held up between their last look at the lock and the write, and answers get lost. That there was one
//! writer at any time is read off the log of what the emulator was asked and what it answered, not off what the runs believe.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use lakeform_state::{Lease, LockError, LockInfo, OutputState, StateManager, StateStore, acquire_with_timeout};
use lakeform_state_s3::S3Store;
use lakeform_testkit::{
    emulator::Kind,
    proxy::{Exchange, Proxy, Rule},
};
use serde_json::Value as Json;

use crate::{contract, harness};

const RUNS: usize = 50;
const LEASE: Duration = Duration::from_secs(2);
const WRITES: usize = 2;

/// How a run behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kindness {
    /// Renews, writes while its lease lasts, and gives the lock back.
    Good,
    /// Stops renewing after its first write, and writes again once someone else has the lock.
    Zombie,
    /// Looks at its lease, is held up until someone else has the lock, and then writes.
    Paused,
}

fn kind(run: usize) -> Kindness {
    match run % 25 {
        3 => Kindness::Zombie,
        11 => Kindness::Paused,
        _ => Kindness::Good,
    }
}

fn caller(run: usize) -> String {
    format!("run-{run:02}")
}

async fn run(run: usize, url: String, name: &'static str, table: bool) {
    let mut backend = harness::backend(&url, name, table, !table);
    (backend.lease, backend.access_key) = (Some(LEASE), Some(caller(run)));
    // From three hours slow to three hours fast.
    let skew = Duration::from_secs(3 * 3600 * 2 * run as u64 / (RUNS as u64 - 1));
    let clock = move || SystemTime::now() - Duration::from_secs(3 * 3600) + skew;
    let connection = harness::open(backend).await.with_clock(Arc::new(clock));
    let (lock, store) = (connection.lock().unwrap(), connection.store());
    let info = LockInfo::new("OperationTypeApply", caller(run), "", "");
    let got = loop {
        match acquire_with_timeout(&*lock, &info, Duration::from_secs(300), |_| {}).await {
            Ok(got) => break got,
            Err(LockError::Operation(e)) => assert!(e.transient, "{e}"),
            Err(e) => panic!("{e}"),
        }
    };
    let manager = match got.taken_over {
        Some(_) => StateManager::open_fenced(store, got.lease.clone(), None).await,
        None => StateManager::open(store).await.map(|m| m.with_lease(got.lease.clone())).map_err(Into::into),
    };
    // On a slow machine a good run may lose its lease, too: what counts is that it writes nothing then.
    let Ok(mut manager) = manager else { return };
    for write in 1..=WRITES {
        match (kind(run), write) {
            (Kindness::Good, _) | (_, 1) => {
                let from = got.lease.moment();
                if lock.renew(&info.id).await.is_ok() {
                    got.lease.extend(from);
                }
            }
            (kind, _) => {
                if kind == Kindness::Paused && got.lease.check().is_err() {
                    return;
                }
                let end = Instant::now() + LEASE * 10;
                while Instant::now() < end
                    && lock.holder().await.is_ok_and(|holder| holder.is_some_and(|holder| holder.id == info.id))
                {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                // Some write before the new holder does, some after.
                tokio::time::sleep(if run < RUNS / 2 { Duration::ZERO } else { LEASE / 4 }).await;
                // It believes to have the lock.
                manager = manager.with_lease(Lease::unlimited());
            }
        }
        let mut state = manager.state().clone();
        state.outputs.insert(caller(run), OutputState { value: (write as i64).into(), sensitive: false });
        let _ = manager.persist(&state).await;
    }
    if kind(run) == Kindness::Good {
        for _ in 0..5 {
            match lock.release(&info.id).await {
                Err(LockError::Operation(_)) => {}
                _ => break,
            }
        }
    }
}

/// A write of the lock's record that the emulator carried out.
struct LockWrite {
    caller: String,
    started: Duration,
    ended: Duration,
    /// Until when it holds the lock from then on, in seconds since 1970; `None` if it gave the lock back.
    expires: Option<u64>,
    fence: u64,
}

/// A write of the state that was asked for.
struct StateWrite {
    caller: String,
    started: Duration,
    ended: Duration,
    serial: u64,
    outputs: BTreeMap<String, Json>,
    carried_out: bool,
}

/// One run's time with the lock, as the emulator saw it.
struct Hold {
    caller: String,
    from: (Duration, Duration),
    last: Duration,
    expires: u64,
    fence: u64,
    given_back: Option<(Duration, Duration)>,
}

fn number(json: &Json) -> u64 {
    json.as_u64().or_else(|| json.as_str()?.parse().ok()).unwrap()
}

fn lock_write(exchange: &Exchange) -> Option<LockWrite> {
    let (started, ended) = (exchange.started, exchange.ended?);
    let done = exchange.answered.is_some_and(|status| status < 300);
    let body = || serde_json::from_slice::<Json>(&exchange.body).unwrap();
    let item = |item: &Json| {
        let lock = item["LockID"]["S"].as_str().is_some_and(|id| id.ends_with("prod.tfstate"));
        lock.then(|| (Some(number(&item["Expires"]["N"])), number(&item["Fence"]["N"])))
    };
    let term = match exchange.operation.as_str() {
        _ if !done => None,
        "dynamodb:PutItem" => item(&body()["Item"]),
        "dynamodb:TransactWriteItems" => item(&body()["TransactItems"][0]["Put"]["Item"]),
        "s3:PutObject" if exchange.path.ends_with(".tflock") => {
            let body = body();
            Some((Some(number(&body["Expires"])), number(&body["Fence"])))
        }
        "dynamodb:DeleteItem" | "s3:DeleteObject" => Some((None, 0)),
        _ => None,
    };
    let (expires, fence) = term?;
    Some(LockWrite { caller: exchange.caller.clone(), started, ended, expires, fence })
}

fn state_write(exchange: &Exchange) -> Option<StateWrite> {
    if exchange.operation != "s3:PutObject" || !exchange.path.ends_with("prod.tfstate") {
        return None;
    }
    let body: Json = serde_json::from_slice(&exchange.body).unwrap();
    let outputs = body["outputs"].as_object().unwrap();
    Some(StateWrite {
        caller: exchange.caller.clone(),
        started: exchange.started,
        ended: exchange.ended.unwrap(),
        serial: number(&body["serial"]),
        outputs: outputs.iter().map(|(name, output)| (name.clone(), output["value"].clone())).collect(),
        carried_out: exchange.answered.is_some_and(|status| status < 300),
    })
}

/// Who had the lock, in order. One run takes it once.
fn holds(writes: Vec<LockWrite>) -> Vec<Hold> {
    let mut holds: Vec<Hold> = Vec::new();
    for write in writes {
        match (holds.iter_mut().find(|hold| hold.caller == write.caller), write.expires) {
            (None, Some(expires)) => holds.push(Hold {
                caller: write.caller,
                from: (write.started, write.ended),
                last: write.started,
                expires,
                fence: write.fence,
                given_back: None,
            }),
            (Some(hold), Some(expires)) => {
                assert!(hold.given_back.is_none(), "{} renewed the lock that it gave back", hold.caller);
                // One whose answer was lost takes the lock from itself, as it were.
                hold.fence = hold.fence.max(write.fence);
                (hold.last, hold.expires) = (hold.last.max(write.started), hold.expires.max(expires));
            }
            (Some(hold), None) => hold.given_back = Some((write.started, write.ended)),
            (None, None) => panic!("{} gave back what it did not have", write.caller),
        }
    }
    holds.sort_by_key(|hold| hold.from.1);
    holds
}

/// Everything that must hold of a log. Gives how often the lock was taken over.
fn check(log: &[Exchange], began: SystemTime) -> usize {
    let holds = holds(log.iter().filter_map(lock_write).collect());
    let mut takeovers = BTreeSet::new();
    for (i, pair) in holds.windows(2).enumerate() {
        let [hold, next] = pair else { unreachable!() };
        let who = format!("{} after {}", next.caller, hold.caller);
        assert!(hold.last <= next.from.1, "{who}: the lock was renewed after someone else had it");
        match hold.given_back {
            Some((started, _)) => assert!(started <= next.from.1, "{who}: the lock was taken before it was given back"),
            None => {
                takeovers.insert(i + 1);
                assert!(next.fence > hold.fence, "{who}: the fence did not grow");
                let at = (began + next.from.1).duration_since(SystemTime::UNIX_EPOCH).unwrap();
                assert!(
                    at.as_secs() >= hold.expires,
                    "{who}: the lease was to last until {}, now {at:?}",
                    hold.expires
                );
            }
        }
    }
    let place: HashMap<&str, usize> = holds.iter().enumerate().map(|(i, hold)| (&*hold.caller, i)).collect();

    let attempts: Vec<_> = log.iter().filter_map(state_write).collect();
    let mut written: Vec<&StateWrite> = attempts.iter().filter(|write| write.carried_out).collect();
    written.sort_by_key(|write| write.serial);
    let mut before: Option<(&StateWrite, usize)> = None;
    for write in &written {
        let who = format!("{}'s state {}", write.caller, write.serial);
        let at = *place.get(&*write.caller).unwrap_or_else(|| panic!("{who}: it never had the lock"));
        let hold = &holds[at];
        assert!(write.ended >= hold.from.0, "{who} was written before it had the lock");
        assert!(
            hold.given_back.is_none_or(|(_, ended)| write.started <= ended),
            "{who} was written after the lock was given back"
        );
        if let Some((last, last_at)) = before {
            assert_eq!(write.serial, last.serial + 1, "{who} does not follow the one before");
            assert!(at >= last_at, "{who} was written after {}, who had the lock later, had written", last.caller);
            let mut expected = last.outputs.clone();
            if at > last_at && takeovers.contains(&at) {
                // Fencing: before anything else, what is there is written back.
                assert_eq!(write.outputs, expected, "{who}: the lock was taken over, and the state not fenced");
            } else if let Some(own) = write.outputs.get(&write.caller) {
                expected.insert(write.caller.clone(), own.clone());
            }
            assert_eq!(write.outputs, expected, "{who} undoes what others wrote");
        }
        before = Some((write, at));
    }

    // Nobody who had the lock was kept from writing: by a zombie, say, that changed the state under his hands.
    for write in attempts.iter().filter(|write| !write.carried_out) {
        let Some(&at) = place.get(&*write.caller) else { continue };
        let hold = &holds[at];
        let end = holds
            .get(at + 1)
            .map_or(Duration::MAX, |next| next.from.0)
            .min(hold.given_back.map_or(Duration::MAX, |b| b.0));
        let inside = write.started > hold.from.1 && write.ended < end;
        let there = written.iter().find(|other| other.serial == write.serial);
        let repeated = there.is_none_or(|other| other.caller == write.caller);
        // The one before may get in between the takeover and the fence: then it is read again and fenced.
        let fence = takeovers.contains(&at) && !write.outputs.contains_key(&write.caller);
        assert!(
            !inside || repeated || fence,
            "{} had the lock, and its state {} was refused",
            write.caller,
            write.serial
        );
    }

    // Digests are written under the lock alone.
    let is_digest = |e: &&Exchange| {
        let digest = String::from_utf8_lossy(&e.body).contains("prod.tfstate-md5");
        digest && e.answered == Some(200) && matches!(&*e.operation, "dynamodb:PutItem" | "dynamodb:TransactWriteItems")
    };
    for exchange in log.iter().filter(is_digest) {
        let at = place[&*exchange.caller];
        let next = holds.get(at + 1);
        assert!(
            next.is_none_or(|next| exchange.started <= next.from.1),
            "{} wrote a digest while {} had the lock",
            exchange.caller,
            next.map_or("", |next| &next.caller)
        );
    }
    takeovers.len()
}

async fn fight(name: &'static str, table: bool) {
    let connection = harness::made(name, table, !table).await;
    connection.store().write(contract::state_with("1").to_bytes(), None).await.unwrap();
    let began = SystemTime::now();
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    for (call, every) in [("s3:PutObject", 29), ("dynamodb:PutItem", 37), ("dynamodb:TransactWriteItems", 23)] {
        proxy.add(Rule::on(call).every(every).cut_after());
        proxy.add(Rule::on(call).every(every + 4).cut_before());
    }
    let runs: Vec<_> = (0..RUNS).map(|i| tokio::spawn(run(i, proxy.url(), name, table))).collect();
    for run in runs {
        run.await.unwrap();
    }
    proxy.clear();
    let log = proxy.log();
    let takeovers = check(&log, began);

    // It was put to the test: the lock changed hands by takeover, and those that lost it tried to write, and could not.
    let holders: BTreeSet<_> = log.iter().filter_map(lock_write).map(|write| write.caller).collect();
    assert_eq!(holders.len(), RUNS, "some run never had its turn");
    let bad: Vec<_> = (0..RUNS).filter(|run| kind(*run) != Kindness::Good).map(caller).collect();
    // Not all of them: on a slow machine one may have lost its lease before it could misbehave.
    assert!(takeovers >= bad.len() / 2, "{takeovers} takeovers");
    let refused = |caller: &String| {
        log.iter()
            .filter_map(state_write)
            .any(|write| write.caller == *caller && !write.carried_out && write.outputs.contains_key(caller))
    };
    let tried = bad.iter().filter(|caller| refused(caller)).count();
    assert!(tried >= 1, "{tried} of {bad:?} tried to write without the lock");
    assert!(
        log.iter().any(|e| e.fault.as_deref() == Some("cut after") && e.answered == Some(200)),
        "no answer was lost"
    );

    // In the end all is in order: every good run's last write is there, and object and digest agree.
    let store = S3Store::new(connection).with_patience(Duration::ZERO);
    let state = store.read().await.unwrap().unwrap().state;
    let last =
        log.iter().filter_map(state_write).filter(|write| write.carried_out).max_by_key(|write| write.serial).unwrap();
    assert_eq!(state.serial, last.serial);
    let finished = state.outputs.values().filter(|output| output.value == (WRITES as i64).into()).count();
    assert!(finished >= RUNS / 2, "{finished} runs wrote all they had to");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s04_at_most_one_writes_at_any_time_with_the_item() {
    fight("writers-item", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s04_at_most_one_writes_at_any_time_with_the_lockfile() {
    fight("writers-file", false).await;
}
