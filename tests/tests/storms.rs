//! Random sequences of everything that can go wrong, from a seed: applies, changes of the stack, runs that are killed or
//! cut off, lost answers, throttling, errors of the server, edits and deletions behind lakeform's back, two runs at once, leases that
//! run out.
//!
//! After each sequence the cloud must be what the stack says, the state what is in the cloud, and the plan empty.
//!
//! `LAKEFORM_STORMS=SECONDS[@SEED]` says for how long, and with which seed to begin: an hour is `LAKEFORM_STORMS=3600`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use lakeform::{
    Backend, Cancel, Lakeform, LoadOptions, LoadedStack, NoEvents, PlanOptions,
    core::Mode,
    provider::{ErrorKind, Retry},
    state::{
        Acquired, BoxFuture, Lease, LockError, LockInfo, MemoryLock, MemoryStore, Moment, State, StateLock, StateStore,
        StoreError,
        journal::{Journal, MemoryJournal, Page},
    },
};
use lakeform_testkit::fake::{FakeCloud, FakeProvider, Fault, Op};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// How long the suite storms, and the first seed.
const DEFAULT: (u64, u64) = (15, 1);

fn asked() -> (u64, u64) {
    #[allow(clippy::disallowed_methods, reason = "a test may be told how long to go on")]
    let Ok(text) = std::env::var("LAKEFORM_STORMS") else { return DEFAULT };
    let (seconds, seed) = text.split_once('@').unwrap_or((&text, "1"));
    (seconds.parse().unwrap(), seed.parse().unwrap())
}

/// A journal whose pages take a moment, some longer than those after them: a run can be killed before and after one is
/// durable. A run that lost the lock cannot write it.
#[derive(Clone, Debug)]
struct Slow {
    pages: MemoryJournal,
    fenced: Arc<AtomicBool>,
}

impl Slow {
    fn check(&self) -> Result<(), StoreError> {
        match self.fenced.load(Ordering::SeqCst) {
            true => Err(StoreError::Fenced { place: self.describe() }),
            false => Ok(()),
        }
    }
}

impl Journal for Slow {
    fn at_once(&self) -> usize {
        4
    }

    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_micros(200 + page.seq * 7919 % 5 * 200)).await;
            self.check()?;
            self.pages.append(page).await?;
            tokio::time::sleep(Duration::from_micros(400)).await;
            Ok(())
        })
    }

    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>> {
        self.pages.read()
    }

    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_micros(400)).await;
            self.check()?;
            self.pages.clear(run, seq).await
        })
    }

    fn describe(&self) -> String {
        "memory".into()
    }
}

/// A lock on a lease that can be taken from its holder.
#[derive(Clone, Debug, Default)]
struct Leased {
    lock: MemoryLock,
    lease: Arc<Mutex<Option<Lease>>>,
    over: Arc<AtomicBool>,
}

impl Leased {
    /// The holder's lease runs out: it makes no further call. Whether there is a holder.
    fn lose(&self) -> bool {
        let lease = self.lease.lock().unwrap().take();
        lease.iter().for_each(Lease::lose);
        lease.is_some()
    }
}

impl StateLock for Leased {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>> {
        Box::pin(async move {
            let mut taken_over = None;
            if let (true, Some(holder)) = (self.over.swap(false, Ordering::SeqCst), self.lock.holder().await?) {
                self.lock.force_release(&holder.id).await?;
                taken_over = Some(holder);
            }
            self.lock.acquire(info).await?;
            let lease = Lease::limited(Duration::from_secs(3600), Moment::now(None), None);
            *self.lease.lock().unwrap() = Some(lease.clone());
            Ok(Acquired { lease, taken_over })
        })
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            self.lock.release(id).await?;
            self.lease.lock().unwrap().take();
            Ok(())
        })
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        self.lock.holder()
    }

    fn describe(&self) -> String {
        self.lock.describe()
    }
}

/// What a stack wants: buckets by name with a tag, databases, tables in them.
#[derive(Clone, Debug, Default)]
struct Wish {
    buckets: BTreeMap<String, (bool, u8)>,
    databases: BTreeMap<String, (u8, u8)>,
    tables: BTreeMap<String, (String, u8)>,
}

impl Wish {
    fn random(random: &mut StdRng) -> Self {
        let mut out = Self::default();
        for name in ["a", "b", "c", "d"] {
            if random.random_bool(0.6) {
                out.buckets.insert(name.into(), (random.random_bool(0.3), random.random_range(0..3)));
            }
        }
        for name in ["m", "n"] {
            if random.random_bool(0.7) {
                out.databases.insert(name.into(), (random.random_range(1..4), random.random_range(0..3)));
            }
        }
        for name in ["s", "t", "u"] {
            let databases: Vec<&String> = out.databases.keys().collect();
            if !databases.is_empty() && random.random_bool(0.6) {
                let at = databases[random.random_range(0..databases.len())].clone();
                out.tables.insert(name.into(), (at, random.random_range(0..3)));
            }
        }
        out
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (name, (first, tag)) in &self.buckets {
            // The name of a bucket is part of what changes: a replacement.
            let _ =
                write!(out, "[resource.fake_bucket.{name}]\nname = '{name}{}'\ntags = {{ n = '{tag}' }}\n", tag / 2);
            if *first {
                let _ = writeln!(out, "lifecycle = {{ create_before_destroy = true }}");
            }
        }
        for (name, (size, password)) in &self.databases {
            let _ = write!(
                out,
                "[resource.fake_database.{name}]\nname = '{name}'\nsize = {size}\npassword = 'secret-{password}'\n"
            );
        }
        for (name, (database, retention)) in &self.tables {
            let _ = write!(
                out,
                "[resource.fake_table.{name}]\nname = '{name}'\ndatabase = '${{fake_database.{database}.id}}'\nretention = \
                 {retention}\n[[resource.fake_table.{name}.column]]\nname = 'c'\n"
            );
        }
        out
    }

    /// What must be in the cloud: `TYPE NAME`, as [`FakeCloud::list`] says it.
    fn objects(&self) -> Vec<String> {
        let buckets = self.buckets.iter().map(|(name, (_, tag))| format!("fake_bucket {name}{}", tag / 2));
        let databases = self.databases.keys().map(|name| format!("fake_database {name}"));
        let tables = self.tables.keys().map(|name| format!("fake_table {name}"));
        let mut all: Vec<String> = buckets.chain(databases).chain(tables).collect();
        all.sort();
        all
    }
}

struct Scene {
    cloud: FakeCloud,
    lakeform: Lakeform,
    store: MemoryStore,
    lock: Leased,
    journal: MemoryJournal,
    /// Set for the run that loaded its stack last once it has lost the lock.
    fenced: Mutex<Arc<AtomicBool>>,
    /// Seconds.
    clock: Arc<AtomicU64>,
    serial: u64,
    story: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let cloud = FakeCloud::new();
        let clock = Arc::new(AtomicU64::new(0));
        let ticking = clock.clone();
        let lakeform = Lakeform::builder()
            .provider(Arc::new(FakeProvider::new(&cloud)))
            .clock(move || {
                let now = ticking.fetch_add(1, Ordering::SeqCst);
                jiff::Timestamp::from_second(1_800_000_000 + i64::try_from(now).unwrap()).unwrap()
            })
            .who("storm@test")
            .build();
        let (store, lock, journal) = Default::default();
        Self { cloud, lakeform, store, lock, journal, fenced: Mutex::default(), clock, serial: 0, story: vec![] }
    }

    fn load(&self, text: &str) -> LoadedStack {
        let stack = self.lakeform.load_text("storm.toml", text, LoadOptions::default()).unwrap();
        let backend = Backend::new(Arc::new(self.store.clone()), Some(Arc::new(self.lock.clone())));
        let fenced = Arc::new(AtomicBool::new(false));
        *self.fenced.lock().unwrap() = fenced.clone();
        stack.with_backend(backend.with_journal(Some(Arc::new(Slow { pages: self.journal.clone(), fenced }))))
    }

    /// Plans and applies under the lock. Failures are part of the storm.
    async fn apply(&self, text: &str, options: PlanOptions) -> Result<(), String> {
        let stack = self.load(text);
        let cancel = Cancel::new();
        let done = stack
            .locked("OperationTypeApply", &cancel, &|_| {}, async |session| {
                let plan = session.plan(options, &NoEvents, &cancel).await?;
                Ok::<_, lakeform::Error>(session.apply(plan, &NoEvents, &cancel).await)
            })
            .await
            .map_err(|e| e.to_string())?;
        let problems = done.report.diagnostics;
        if problems.has_errors() { Err(problems.to_string()) } else { Ok(()) }
    }

    async fn stored(&self) -> Option<State> {
        self.store.read().await.unwrap().map(|snapshot| snapshot.state)
    }

    /// Serial only grows.
    async fn check_serial(&mut self) {
        let serial = self.stored().await.map_or(0, |state| state.serial);
        assert!(serial >= self.serial, "the serial went from {} to {serial}\n{}", self.serial, self.story.join("\n"));
        self.serial = serial;
    }

    /// Frees the lock of a run that was killed: its lease has run out.
    async fn let_the_lease_run_out(&self) {
        // And nothing of it is on its way any more.
        self.clock.fetch_add(3600, Ordering::SeqCst);
        if let Some(holder) = self.lock.holder().await.unwrap() {
            self.lock.force_release(&holder.id).await.unwrap();
        }
    }
}

/// One storm. Gives what happened, for the message of a failure.
async fn storm(seed: u64) {
    let random = &mut StdRng::seed_from_u64(seed);
    let mut scene = Scene::new();
    let mut wish = Wish::random(random);
    for _ in 0..random.random_range(2..7) {
        if random.random_bool(0.7) {
            wish = Wish::random(random);
        }
        let text = wish.text();
        scene.cloud.set_latency(Duration::from_micros(random.random_range(0..800)));
        for _ in 0..random.random_range(0..3) {
            let after = random.random_range(0..8);
            let op = [Op::Create, Op::Update, Op::Delete, Op::Read][random.random_range(0..4)];
            let fault = Fault::on(op).after(after);
            let (fault, name) = match random.random_range(0..5) {
                0 => (fault.loses_response(), "a lost answer"),
                1 => (fault.throttled(2), "throttling"),
                2 => (fault.fails_with(ErrorKind::Other, Retry::Unknown), "an error of the server"),
                // What is half made is replaced, and a bucket that is created first would find its own name taken.
                4 if op != Op::Create => (fault.fails_after(ErrorKind::Invalid), "a later step that fails"),
                _ => (fault.fails(ErrorKind::Denied), "a refusal"),
            };
            scene.story.push(format!("{name} at {op:?} {after}"));
            scene.cloud.inject(fault);
        }
        match random.random_range(0..12) {
            // Killed somewhere.
            0..=4 => {
                let after = Duration::from_micros(random.random_range(0..9000));
                let options = PlanOptions::default();
                let ended = tokio::time::timeout(after, scene.apply(&text, options)).await;
                scene.story.push(format!("apply, killed after {after:?}: {ended:?}\n{text}"));
                scene.let_the_lease_run_out().await;
            }
            // Two at once: one is refused, or comes after the other.
            5 => {
                let (a, b) = tokio::join!(
                    scene.apply(&text, PlanOptions::default()),
                    scene.apply(&text, PlanOptions::default())
                );
                scene.story.push(format!("two applies at once: {a:?}, {b:?}\n{text}"));
            }
            6 => {
                let options = PlanOptions { mode: lakeform::PlanMode::Destroy, ..PlanOptions::default() };
                let after = Duration::from_micros(random.random_range(0..9000));
                let ended = tokio::time::timeout(after, scene.apply(&text, options)).await;
                scene.story.push(format!("destroy, killed after {after:?}: {ended:?}"));
                scene.let_the_lease_run_out().await;
            }
            // Its lease runs out while it is at work, and another takes over.
            7 | 8 => {
                let after = Duration::from_micros(random.random_range(0..9000));
                let next = async {
                    tokio::time::sleep(after).await;
                    if scene.lock.lose() {
                        // What it had sent off has arrived by the time that its lease is over.
                        while scene.cloud.in_flight() > 0 {
                            tokio::time::sleep(Duration::from_micros(100)).await;
                        }
                        scene.lock.over.store(true, Ordering::SeqCst);
                        scene.fenced.lock().unwrap().store(true, Ordering::SeqCst);
                    }
                    scene.apply(&text, PlanOptions::default()).await
                };
                let (a, b) = tokio::join!(scene.apply(&text, PlanOptions::default()), next);
                scene
                    .story
                    .push(format!("an apply that lost its lease after {after:?}: {a:?}, the next: {b:?}\n{text}"));
            }
            _ => {
                let ended = scene.apply(&text, PlanOptions::default()).await;
                scene.story.push(format!("apply: {ended:?}\n{text}"));
            }
        }
        scene.check_serial().await;
        // Behind lakeform's back.
        if random.random_bool(0.2) {
            let buckets = scene.cloud.objects("fake_bucket");
            if let Some(name) = buckets.first().and_then(|b| b.get("name")?.as_str().map(str::to_owned)) {
                if random.random_bool(0.5) {
                    scene.cloud.vanish("fake_bucket", &name);
                    scene.story.push(format!("bucket {name} vanished"));
                } else {
                    scene.cloud.drift("fake_bucket", &name, "versioning", true);
                    scene.story.push(format!("bucket {name} was changed"));
                }
            }
        }
    }
    // The storm is over: a run that nobody disturbs puts everything right.
    scene.cloud.clear_faults();
    scene.cloud.set_latency(Duration::ZERO);
    let text = wish.text();
    let told = |scene: &Scene| format!("seed {seed}\n{}\n{text}", scene.story.join("\n"));
    if let Err(e) = scene.apply(&text, PlanOptions::default()).await {
        panic!("the last apply failed: {e}\n{}", told(&scene));
    }
    scene.check_serial().await;
    assert_eq!(scene.cloud.list(), wish.objects(), "the cloud is not what the stack says\n{}", told(&scene));
    let state = scene.stored().await.unwrap();
    let id = |v: &lakeform::core::Value| v.get("id").unwrap().as_str().unwrap().to_owned();
    let types = ["fake_bucket", "fake_database", "fake_table"];
    let live: BTreeSet<(String, String)> =
        types.iter().flat_map(|ty| scene.cloud.objects(ty).into_iter().map(|v| ((*ty).to_owned(), id(&v)))).collect();
    let held: Vec<(String, String)> = state
        .iter()
        .filter(|(a, _)| a.resource.mode == Mode::Managed)
        .flat_map(|(a, i)| {
            let objects: Vec<_> = i.current.iter().chain(i.deposed.values()).cloned().collect();
            objects.into_iter().map(move |o| {
                (a.resource.ty.to_string(), o.attributes.json().unwrap()["id"].as_str().unwrap().to_owned())
            })
        })
        .collect();
    assert_eq!(held.iter().cloned().collect::<BTreeSet<_>>(), live, "state and cloud differ\n{}", told(&scene));
    assert_eq!(held.len(), live.len(), "an object is in the state twice\n{}", told(&scene));
    let plan = scene.load(&text).plan(PlanOptions::default(), &NoEvents, &Cancel::new()).await.unwrap();
    assert!(!plan.has_changes(), "the plan is not empty\n{}", told(&scene));
    assert!(scene.journal.read().await.unwrap().is_empty(), "a journal is left\n{}", told(&scene));
    for (name, (_, password)) in &wish.databases {
        let address = format!("fake_database.{name}").parse().unwrap();
        let stored = state.current(&address).unwrap().attributes.json().unwrap();
        assert_eq!(stored["password"], format!("secret-{password}"), "{}", told(&scene));
    }
}

#[test]
fn nothing_is_lost_in_a_storm() {
    let (seconds, first) = asked();
    let end = Instant::now() + Duration::from_secs(seconds);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut seed = first;
    while Instant::now() < end {
        runtime.block_on(storm(seed));
        seed += 1;
    }
    println!("{} storms, from seed {first} on", seed - first);
    assert!(seed > first);
}
