//! What comes next is in the journal before its turn: when, and what the next run makes of it. And what the journal has when
//! another program wrote the state since.

use std::{sync::Arc, time::Duration};

use lakeform::{
    Backend, Cancel, Error, Lakeform, LoadOptions, LoadedStack, NoEvents, PlanOptions,
    state::{
        BoxFuture, MemoryLock, MemoryStore, State, StateStore, StoreError,
        journal::{Edit, Entry, Intent, Journal, MemoryJournal, Outcome, Page},
    },
};
use lakeform_testkit::{
    Gate,
    fake::{FakeCloud, FakeProvider, Fault, Op},
};

const STACK: &str = "
[resource.fake_database.d]
name = 'd'
[resource.fake_table.t]
name = 't'
database = '${fake_database.d.id}'
[[resource.fake_table.t.column]]
name = 'c'
[resource.fake_bucket.b]
name = 'b'
depends_on = ['fake_database.d']
[resource.fake_ticket.k]
subject = '${fake_database.d.id}'
";

/// A journal whose pages after the first two never arrive while a gate is closed: the first has what begins, the second what is
/// announced.
#[derive(Clone, Debug)]
struct Cut(MemoryJournal, Gate);

impl Journal for Cut {
    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            if page.seq > 2 {
                self.1.pass().await;
            }
            self.0.append(page).await
        })
    }

    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>> {
        self.0.read()
    }

    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.clear(run, seq)
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

struct Scene {
    cloud: FakeCloud,
    store: MemoryStore,
    journal: MemoryJournal,
    gate: Gate,
}

impl Scene {
    fn new() -> Self {
        let (store, journal) = Default::default();
        Self { cloud: FakeCloud::new(), store, journal, gate: Gate::new() }
    }

    fn load(&self, text: &str) -> LoadedStack {
        let lakeform = Lakeform::builder().provider(Arc::new(FakeProvider::new(&self.cloud))).who("a@b").build();
        let stack = lakeform.load_text("s.toml", text, LoadOptions::default()).unwrap();
        let backend = Backend::new(Arc::new(self.store.clone()), Some(Arc::new(MemoryLock::default())));
        stack.with_backend(backend.with_journal(Some(Arc::new(Cut(self.journal.clone(), self.gate.clone())))))
    }

    async fn apply(&self, text: &str) -> Result<(), String> {
        let stack = self.load(text);
        let cancel = Cancel::new();
        let done = stack.locked("OperationTypeApply", &cancel, &|_| {}, async |session| {
            let plan = session.plan(PlanOptions::default(), &NoEvents, &cancel).await?;
            Ok::<_, Error>(session.apply(plan, &NoEvents, &cancel).await)
        });
        let problems = done.await.map_err(|e| e.to_string())?.report.diagnostics;
        if problems.has_errors() { Err(problems.to_string()) } else { Ok(()) }
    }

    async fn intents(&self) -> Vec<Intent> {
        let entries = self.journal.read().await.unwrap().into_iter().flat_map(|page| page.entries);
        entries.filter_map(|entry| if let Entry::Intent(intent) = entry { Some(*intent) } else { None }).collect()
    }

    /// Waits until the journal has more than what began.
    async fn announced(&self) {
        while self.intents().await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until(&self, done: impl Fn() -> bool) {
        let start = std::time::Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(30), "it does not come");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Kills an apply of the stack once the table is made, of which the journal knows what was announced and no more.
    async fn killed_after_the_table(&self) {
        let held = Gate::new();
        self.cloud.inject(Fault::on(Op::Create).named("d").held_by(&held));
        let made = || self.cloud.list().contains(&"fake_table t".to_owned());
        let kill = async {
            self.announced().await;
            held.open();
            self.until(made).await;
        };
        tokio::select! {
            done = self.apply(STACK) => panic!("it was to be killed: {done:?}"),
            () = kill => {}
        }
        self.cloud.clear_faults();
        assert!(self.intents().await.iter().any(|i| !i.unknown.is_empty()));
        self.gate.open();
    }
}

#[tokio::test]
async fn what_comes_next_is_written_down_before_its_turn() {
    let scene = Scene::new();
    let held = Gate::new();
    scene.cloud.inject(Fault::on(Op::Create).named("d").held_by(&held));
    let look = async {
        held.reached(1).await;
        scene.announced().await;
        let found: Vec<(String, Vec<String>)> = scene
            .intents()
            .await
            .into_iter()
            .map(|i| (i.address.to_string(), i.unknown.into_keys().collect()))
            .collect();
        scene.gate.open();
        held.open();
        found
    };
    let (done, mut found) = tokio::join!(scene.apply(STACK), look);
    done.unwrap();
    found.sort();
    let expected =
        [("fake_database.d", vec![]), ("fake_table.t", vec!["database"]), ("fake_ticket.k", vec!["subject"])];
    // The bucket waits for its turn: somebody else may have one of that name.
    let found: Vec<(&str, Vec<&str>)> =
        found.iter().map(|(a, u)| (a.as_str(), u.iter().map(String::as_str).collect())).collect();
    assert_eq!(found, expected);
    assert!(scene.journal.read().await.unwrap().is_empty());
    assert_eq!(scene.cloud.list(), ["fake_bucket b", "fake_database d", "fake_table t", "fake_ticket ticket-1"]);
}

#[tokio::test]
async fn what_was_announced_and_began_is_found() {
    let scene = Scene::new();
    scene.killed_after_the_table().await;
    scene.apply(STACK).await.unwrap();
    assert_eq!(scene.cloud.list(), ["fake_bucket b", "fake_database d", "fake_table t", "fake_ticket ticket-1"]);
    assert!(!scene.load(STACK).plan(PlanOptions::default(), &NoEvents, &Cancel::new()).await.unwrap().has_changes());
}

#[tokio::test]
async fn what_was_announced_and_began_is_found_whatever_the_stack_says_since() {
    let database = |text: &str| text.split("[resource.fake_table.t]").next().unwrap().to_owned();
    let other = format!(
        "{}[resource.fake_database.e]\nname = 'e'\n",
        STACK.replace("database = '${fake_database.d.id}'", "database = '${fake_database.e.id}'")
    );
    let renamed = format!(
        "{}[[moved]]\nfrom = 'fake_database.d'\nto = 'fake_database.x'\n",
        STACK.replace("fake_database.d", "fake_database.x")
    );
    for (text, left) in [
        (database(STACK), vec!["fake_database d"]),
        (other, vec!["fake_bucket b", "fake_database d", "fake_database e", "fake_table t", "fake_ticket ticket-1"]),
        (renamed, vec!["fake_bucket b", "fake_database d", "fake_table t", "fake_ticket ticket-1"]),
        (String::new(), vec![]),
    ] {
        let scene = Scene::new();
        scene.killed_after_the_table().await;
        scene.apply(&text).await.unwrap();
        assert_eq!(scene.cloud.list(), left, "{text}");
    }
}

#[tokio::test]
async fn what_was_announced_and_did_not_begin_is_made_by_the_next_run() {
    let scene = Scene::new();
    let held = Gate::new();
    scene.cloud.inject(Fault::on(Op::Create).named("d").held_by(&held));
    tokio::select! {
        done = scene.apply(STACK) => panic!("it was to be killed: {done:?}"),
        () = held.reached(1) => {}
    }
    scene.gate.open();
    scene.cloud.clear_faults();
    scene.apply(STACK).await.unwrap();
    assert_eq!(scene.cloud.list(), ["fake_bucket b", "fake_database d", "fake_table t", "fake_ticket ticket-1"]);
}

/// Terraform wrote the state since: what it has under another address is no orphan, what it lost is.
#[tokio::test]
async fn what_another_program_moved_is_not_taken_for_lost() {
    for (moved, left) in [(true, vec!["fake_bucket b"]), (false, vec![])] {
        let scene = Scene::new();
        let bucket = "[resource.fake_bucket.b]\nname = 'b'\n";
        scene.apply(bucket).await.unwrap();
        let state = State::parse(scene.store.bytes().unwrap()).unwrap();
        let provider = state.resources.values().next().unwrap().provider.clone();
        let address = "fake_bucket.before".parse().unwrap();
        let object = state.current(&"fake_bucket.b".parse().unwrap()).unwrap().clone();
        let set = Edit::Set { provider, object, withheld: vec![] };
        let outcome = Outcome { op: 1, serial: 0, address, edits: vec![set], error: None };
        let page = Page { run: "0000000000001-0a0b0c0d".into(), seq: 1, at: 7, entries: vec![Entry::Outcome(outcome)] };
        scene.journal.append(&page).await.unwrap();
        if !moved {
            let without = State { serial: state.serial, ..State::new(state.lineage) }.to_bytes();
            let stored = scene.store.read_raw().await.unwrap().unwrap();
            scene.store.write(without, Some(stored.version)).await.unwrap();
        }
        scene.apply(if moved { bucket } else { "" }).await.unwrap();
        assert_eq!(scene.cloud.list(), left);
    }
}
