//! The fake cloud through the contract that the engine uses.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use lakeform_core::{Nesting, Path, Type, Value};
use lakeform_provider::{
    AnyResource, Change, Client, Configured, ErrorKind, Field, Model, Provider, Retry, Surroundings,
};

use super::*;
use crate::Gate;

struct World {
    cloud: FakeCloud,
    provider: FakeProvider,
    client: Configured,
}

impl World {
    fn new() -> Self {
        let cloud = FakeCloud::new();
        let provider = FakeProvider::new(&cloud);
        let client = provider.client();
        Self { cloud, provider, client }
    }

    fn with(&self) -> Surroundings<'_> {
        Surroundings { client: &self.client, config: None, timeout: None, cancelled: &|| false, token: "" }
    }

    fn ty(&self, name: &str) -> &dyn AnyResource {
        self.provider.resource(name).unwrap()
    }

    async fn create<M: FakeObject>(&self, object: M) -> Result<M, lakeform_provider::Failure> {
        self.ty(M::TYPE).create(self.with(), &object.into_value()).await.map(|v| M::from_value(&v))
    }

    async fn read<M: FakeObject>(&self, object: &M) -> lakeform_provider::Result<Option<M>> {
        let read = self.ty(M::TYPE).read(self.with(), &object.clone().into_value()).await;
        Ok(read?.map(|v| M::from_value(&v)))
    }

    async fn update<M: FakeObject>(&self, prior: &M, object: M) -> Result<M, lakeform_provider::Failure> {
        let (prior, object) = (prior.clone().into_value(), object.into_value());
        self.ty(M::TYPE).update(self.with(), &prior, &object).await.map(|v| M::from_value(&v))
    }

    async fn delete<M: FakeObject>(&self, object: &M) -> lakeform_provider::Result<()> {
        self.ty(M::TYPE).delete(self.with(), &object.clone().into_value()).await
    }
}

fn bucket(name: &str) -> Bucket {
    Bucket { name: name.into(), ..Bucket::default() }
}

fn database(name: &str) -> Database {
    Database { name: name.into(), ..Database::default() }
}

fn thing(name: &str) -> Thing {
    Thing { name: Some(name.into()), ..Thing::default() }
}

#[test]
fn the_invented_types_cover_every_kind_of_schema() {
    let provider = FakeProvider::new(&FakeCloud::new());
    let mut types = std::collections::BTreeSet::new();
    let mut nestings = Vec::new();
    let mut flags = BTreeMap::new();
    for name in provider.resource_names() {
        let schema = provider.resource(name).unwrap().schema();
        let mut blocks = vec![&schema.block];
        while let Some(block) = blocks.pop() {
            for a in block.attributes.values() {
                types.insert(a.ty.clone());
                for (flag, set) in [
                    ("required", a.required),
                    ("optional+computed", a.optional && a.computed),
                    ("computed", a.computed && !a.optional),
                    ("sensitive", a.sensitive),
                    ("write_only", a.write_only),
                    ("deprecated", a.deprecated),
                    ("force_new", a.force_new),
                    ("json", a.json),
                    ("default", a.default.is_some()),
                    ("same", a.same.is_some()),
                ] {
                    *flags.entry(flag).or_insert(0) += usize::from(set);
                }
            }
            for b in block.blocks.values() {
                nestings.push(b.nesting);
                blocks.push(&b.block);
            }
        }
    }
    assert!(flags.values().all(|n| *n > 0), "{flags:?}");
    let set = Type::set(Type::String);
    for ty in [Type::Bool, Type::Number, Type::map(Type::String), Type::list(Type::String), set] {
        assert!(types.contains(&ty), "{ty}");
    }
    for nesting in [Nesting::Single, Nesting::List, Nesting::Set, Nesting::Map] {
        assert!(nestings.contains(&nesting), "{nesting:?}");
    }
}

#[tokio::test]
async fn an_object_lives_from_create_to_delete() {
    let w = World::new();
    let made = w.create(bucket("raw")).await.unwrap();
    assert_eq!(made.arn.as_deref(), Some("arn:fake:test-1:bucket/raw"));
    assert_eq!(w.read(&made).await.unwrap().as_ref(), Some(&made));
    let changed = w.update(&made, Bucket { versioning: Some(true), ..made.clone() }).await.unwrap();
    assert_eq!(w.cloud.object("fake_bucket", "raw").unwrap().get("versioning"), Some(&true.into()));
    w.delete(&changed).await.unwrap();
    w.delete(&changed).await.unwrap();
    assert_eq!(w.read(&changed).await.unwrap(), None);
    assert!(w.cloud.is_empty());
    assert_eq!(
        w.cloud.changes(),
        ["create fake_bucket raw", "update fake_bucket raw", "delete fake_bucket raw", "delete fake_bucket raw"]
    );
}

#[tokio::test]
async fn names_are_taken_and_dependents_hold() {
    let w = World::new();
    w.create(bucket("raw")).await.unwrap();
    let taken = w.create(bucket("raw")).await.unwrap_err();
    assert_eq!((taken.error.kind, taken.partial.is_none()), (ErrorKind::AlreadyExists, true));

    let table = Table { name: "t".into(), database: "database-1".into(), ..Table::default() };
    assert_eq!(w.create(table.clone()).await.unwrap_err().error.kind, ErrorKind::Invalid);
    let db = w.create(database("db")).await.unwrap();
    let table = w.create(table).await.unwrap();
    assert_eq!(w.delete(&db).await.unwrap_err().kind, ErrorKind::Conflict);
    w.delete(&table).await.unwrap();
    w.delete(&db).await.unwrap();

    assert_eq!(w.create(thing("a")).await.unwrap().id.as_deref(), Some("thing-1"));
    assert_eq!(w.create(thing("a")).await.unwrap().id.as_deref(), Some("thing-2"));
    assert_eq!(w.cloud.list(), ["fake_bucket raw", "fake_thing a", "fake_thing a"]);
}

#[tokio::test]
async fn the_api_spells_in_its_own_way_and_keeps_secrets() {
    let w = World::new();
    let wanted = Database {
        location: Some("West".into()),
        password: Some("p".into()),
        token_wo: Some("t".into()),
        ..database("db")
    };
    let made = w.create(wanted).await.unwrap();
    assert_eq!((made.location.as_deref(), made.endpoint.as_deref()), (Some("West"), Some("db.west.fake")));
    assert_eq!(made.token_wo, None);
    let read = w.read(&made).await.unwrap().unwrap();
    assert_eq!((read.location.as_deref(), read.password.as_deref()), (Some("WEST"), Some("p")));
    assert!(same_ignoring_case(&"West".into(), &"WEST".into()) && !same_ignoring_case(&"West".into(), &"East".into()));
    let live = w.cloud.object("fake_database", "db").unwrap();
    assert!(live.get("password").unwrap().is_null() && live.get("token_wo").unwrap().is_null());

    let policy = r#"{"a":[1,{"x":null,"y":2}],"b":"c"}"#;
    let table =
        Table { name: "t".into(), database: "database-1".into(), policy: Some(policy.into()), ..Table::default() };
    let made = w.create(table).await.unwrap();
    let answer = made.policy.unwrap();
    assert_eq!(answer, r#"{ "b": "c", "a": [ 1, { "y": 2, "x": null } ] }"#);
    let meaning = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(meaning(&answer), meaning(policy));
}

#[tokio::test]
async fn a_table_gets_what_it_left_to_the_api() {
    let w = World::new();
    w.create(database("db")).await.unwrap();
    let column = |name: &str, position| Column { name: name.into(), position, ..Column::default() };
    let timeouts = Some(Timeouts { create: Some("1m".into()), delete: None });
    let table = Table {
        name: "t".into(),
        database: "database-1".into(),
        column: vec![column("a", None), column("b", Some(7))],
        timeouts: timeouts.clone(),
        ..Table::default()
    };
    let made = w.create(table).await.unwrap();
    assert_eq!(made.column.iter().map(|c| c.position).collect::<Vec<_>>(), [Some(1), Some(7)]);
    assert_eq!((made.storage[0].class.as_deref(), made.owner.as_deref()), (Some("standard"), Some("root")));
    assert_eq!(made.version, Some(1));
    let read = w.read(&made).await.unwrap().unwrap();
    assert_eq!(read.timeouts, timeouts);
    let changed = w.update(&read, Table { retention: Some(1), version: None, ..read.clone() }).await.unwrap();
    assert_eq!(changed.version, Some(2));
}

#[tokio::test]
async fn faults_meet_the_calls_that_they_name() {
    let w = World::new();
    w.cloud.inject(Fault::on(Op::Create).of("fake_bucket").named("raw").throttled(2));
    for _ in 0..2 {
        let error = w.create(bucket("raw")).await.unwrap_err().error;
        assert_eq!((error.kind, error.retry), (ErrorKind::Throttled, Retry::Safe));
        assert_eq!(error.to_string(), "fake:create:bucket: Throttling: rate exceeded");
    }
    w.create(bucket("other")).await.unwrap();
    let raw = w.create(bucket("raw")).await.unwrap();

    w.cloud.inject(Fault::on(Op::Read).always().fails(ErrorKind::Denied));
    for _ in 0..3 {
        assert_eq!(w.read(&raw).await.unwrap_err().kind, ErrorKind::Denied);
    }
    w.cloud.clear_faults();
    w.cloud.inject(Fault::on_any().after(1).fails(ErrorKind::Other));
    assert!(w.read(&raw).await.unwrap().is_some());
    assert!(w.delete(&raw).await.is_err());
    w.cloud.inject(Fault::on(Op::Read).effect(Effect::Absent));
    assert!(w.read(&raw).await.unwrap().is_none());
    assert!(w.read(&raw).await.unwrap().is_some());
}

#[tokio::test]
async fn a_create_can_fail_with_the_object_made() {
    let w = World::new();
    w.cloud.inject(Fault::on(Op::Create).fails_after(ErrorKind::Other));
    let half = w.create(bucket("half")).await.unwrap_err();
    assert_eq!(Bucket::from_value(&half.partial.unwrap()).id.as_deref(), Some("half"));
    assert!(w.cloud.object("fake_bucket", "half").is_some());

    w.cloud.inject(Fault::on(Op::Create).loses_response());
    let lost = w.create(bucket("lost")).await.unwrap_err();
    assert_eq!((lost.error.kind, lost.error.retry), (ErrorKind::Unreachable, Retry::Unknown));
    assert!(lost.partial.is_none() && w.cloud.object("fake_bucket", "lost").is_some());
    assert_eq!(w.create(bucket("lost")).await.unwrap_err().error.kind, ErrorKind::AlreadyExists);

    let thing = w.create(thing("a")).await.unwrap();
    w.cloud.inject(Fault::on(Op::Update).loses_response());
    let renamed = Thing { name: Some("b".into()), ..thing.clone() };
    assert_eq!(w.update(&thing, renamed.clone()).await.unwrap_err().error.retry, Retry::Unknown);
    assert!(w.cloud.object("fake_thing", "b").is_some());
    w.cloud.inject(Fault::on(Op::Delete).loses_response());
    assert_eq!(w.delete(&renamed).await.unwrap_err().retry, Retry::Unknown);
    assert!(w.cloud.object("fake_thing", "b").is_none());
}

#[tokio::test]
async fn an_answer_can_differ_from_what_was_asked() {
    let w = World::new();
    w.cloud.inject(Fault::on(Op::Create).of("fake_thing").answers("size", 8_i64));
    let made = w.create(Thing { size: Some(7), ..thing("a") }).await.unwrap();
    assert_eq!(made.size, Some(8));
}

#[tokio::test]
async fn things_change_and_vanish_behind_our_back() {
    let w = World::new();
    let id = w.cloud.seed(thing("a"));
    w.cloud.drift("fake_thing", "a", "size", 3_i64);
    let read = w.read(&Thing { id: Some(id.clone()), ..Thing::default() }).await.unwrap().unwrap();
    assert_eq!((read.name.as_deref(), read.size), (Some("a"), Some(3)));
    w.cloud.vanish("fake_thing", &id);
    assert!(w.read(&read).await.unwrap().is_none());
    let gone = w.update(&read, read.clone()).await.unwrap_err();
    assert_eq!(gone.error.kind, ErrorKind::NotFound);
    w.delete(&read).await.unwrap();
}

#[tokio::test]
async fn calls_are_counted_while_they_run() {
    let w = World::new();
    let gate = Gate::new();
    w.cloud.inject(Fault::on(Op::Create).times(3).held_by(&gate));
    let four = futures::future::join_all(["a", "b", "c", "d"].map(|n| w.create(thing(n))));
    let watch = async {
        gate.reached(3).await;
        // The fourth is not held.
        while w.cloud.in_flight() > 3 {
            tokio::task::yield_now().await;
        }
        assert_eq!(w.cloud.len(), 1);
        gate.open();
    };
    let (made, ()) = futures::future::join(four, watch).await;
    assert!(made.iter().all(Result::is_ok));
    assert_eq!((w.cloud.high_water(), w.cloud.in_flight(), w.cloud.count(Op::Create)), (4, 0, 4));
    w.cloud.forget_calls();
    w.create(thing("e")).await.unwrap();
    w.create(thing("f")).await.unwrap();
    assert_eq!(w.cloud.high_water(), 1);
    assert!(w.cloud.is_ordered("create fake_thing e", "create fake_thing f"));
    assert!(!w.cloud.is_ordered("create fake_thing f", "create fake_thing e"));
}

#[tokio::test]
async fn a_dropped_call_is_written_down_as_dropped() {
    let w = World::new();
    w.cloud.inject(Fault::on(Op::Create).held_by(&Gate::new()));
    let late = tokio::time::timeout(Duration::from_millis(5), w.create(thing("a"))).await;
    assert!(late.is_err());
    assert_eq!(w.cloud.calls()[0].outcome, Some(Outcome::Dropped));
    assert_eq!(w.cloud.in_flight(), 0);
}

#[tokio::test]
async fn calls_take_the_time_they_are_told_to() {
    let w = World::new();
    w.cloud.set_latency(Duration::from_millis(20));
    w.cloud.inject(Fault::on(Op::Create).slow(Duration::from_millis(20)));
    let start = std::time::Instant::now();
    w.create(thing("a")).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn a_database_that_is_not_ready_is_waited_for() {
    let w = World::new();
    let pending = |looks| Fault::on(Op::Create).of("fake_database").effect(Effect::Pending(looks));
    w.cloud.inject(pending(3));
    w.create(database("a")).await.unwrap();
    assert_eq!(w.cloud.count(Op::Poll), 4);

    w.cloud.inject(pending(u32::MAX));
    let with = Surroundings { timeout: Some(Duration::from_millis(5)), ..w.with() };
    let late = w.ty("fake_database").create(with, &database("b").into_value()).await.unwrap_err();
    assert_eq!((late.error.kind, late.partial.is_some()), (ErrorKind::Timeout, true));

    w.cloud.inject(pending(u32::MAX));
    let stop = AtomicBool::new(true);
    let cancelled = || stop.load(Ordering::SeqCst);
    let with = Surroundings { cancelled: &cancelled, ..w.with() };
    let left = w.ty("fake_database").create(with, &database("c").into_value()).await.unwrap_err();
    assert_eq!((left.error.kind, left.partial.is_some()), (ErrorKind::Cancelled, true));
}

#[tokio::test]
async fn existing_objects_are_imported() {
    let w = World::new();
    w.cloud.seed(bucket("raw"));
    let found = w.ty("fake_bucket").import(w.with(), "raw").unwrap();
    let read = w.read(&Bucket::from_value(&found)).await.unwrap().unwrap();
    assert_eq!(read.arn.as_deref(), Some("arn:fake:test-1:bucket/raw"));
    assert_eq!(w.ty("fake_bucket").import(w.with(), "a b").unwrap_err().kind, ErrorKind::Invalid);
    let none = w.ty("fake_thing").import(w.with(), "thing-9").unwrap();
    assert!(w.read(&Thing::from_value(&none)).await.unwrap().is_none());
}

#[tokio::test]
async fn data_sources_look_and_compute() {
    let w = World::new();
    w.cloud.seed(Bucket { versioning: Some(true), ..bucket("raw") });
    let lookup = w.provider.data_source("fake_lookup").unwrap();
    let ask = |name: &str| Lookup { name: name.into(), ..Lookup::default() }.into_value();
    let found = Lookup::from_value(&lookup.read(w.with(), &ask("raw")).await.unwrap());
    assert_eq!(found.id.as_deref(), Some("raw"));
    assert_eq!(found.attributes.unwrap()["versioning"], "true");
    assert_eq!(lookup.read(w.with(), &ask("other")).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(w.cloud.count(Op::Lookup), 2);
    let pure = w.provider.data_source("fake_pure").unwrap();
    let asked = Pure { input: "ab".into(), ..Pure::default() }.into_value();
    assert_eq!(pure.read(w.with(), &asked).await.unwrap().get("output"), Some(&"AB".into()));
    assert_eq!(w.cloud.calls().len(), 2);
}

fn planned_tags(client: &FakeClient, tags: Value) -> Value {
    let provider = FakeProvider::new(&client.cloud);
    let schema = provider.resource("fake_bucket").unwrap().schema();
    let mut config = Bucket::block().empty();
    config.set_attr("tags", tags);
    let mut change = Change { schema, config: &config, prior: None, planned: config.clone(), replace: vec![] };
    client.plan(&mut change).unwrap();
    change.planned("tags_all").unwrap().clone()
}

#[tokio::test]
async fn default_tags_lie_under_tags() {
    let provider = FakeProvider::new(&FakeCloud::new());
    let tags: BTreeMap<String, String> = [("a".into(), "1".into()), ("b".into(), "2".into())].into();
    let config = ProviderConfig {
        region: Some("west".into()),
        default_tags: vec![DefaultTags { tags: Some(tags) }],
        ..ProviderConfig::default()
    };
    let client = provider.configure(&config.into_value()).await.unwrap();
    let client = client.downcast_ref::<FakeClient>().unwrap();
    let map = |pairs: &[(&str, &str)]| Value::map(Type::String, pairs.iter().map(|(k, v)| (*k, Value::from(*v))));
    assert_eq!(planned_tags(client, Value::null(Type::map(Type::String))), map(&[("a", "1"), ("b", "2")]));
    assert_eq!(planned_tags(client, map(&[("b", "3"), ("c", "4")])), map(&[("a", "1"), ("b", "3"), ("c", "4")]));
    let unknown = Value::map(Type::String, [("c", Value::unknown(Type::String))]);
    assert!(!planned_tags(client, unknown).is_known());
}

#[tokio::test]
async fn a_provider_may_be_configured_before_its_region_is_known() {
    let w = World::new();
    let mut config = ProviderConfig::default().into_value();
    config.set_attr("region", Value::unknown(Type::String));
    let client = w.provider.configure(&config).await.unwrap();
    let with = Surroundings { client: &client, ..w.with() };
    let refused = w.ty("fake_bucket").create(with, &bucket("a").into_value()).await.unwrap_err();
    assert_eq!(refused.error.kind, ErrorKind::Credentials);
    config.set_attr("region", "nowhere".into());
    let refused = w.provider.configure(&config).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Credentials);
}

#[test]
fn plan_hooks_adjust_and_refuse() {
    let w = World::new();
    let ty = w.ty("fake_database");
    let prior =
        Database { size: Some(10), endpoint: Some("e".into()), id: Some("x".into()), ..database("a") }.into_value();
    let config = prior.clone();
    let planned =
        Database { size: Some(5), location: Some("east".into()), endpoint: Some("e".into()), ..database("a") };
    let planned = planned.into_value();
    let mut change = Change { schema: ty.schema(), config: &config, prior: Some(&prior), planned, replace: vec![] };
    ty.plan(&w.client, &mut change).unwrap();
    assert_eq!(change.replace, [Path::attr("size")]);
    assert!(!change.planned("endpoint").unwrap().is_known());

    let ty = w.ty("fake_table");
    let config = Table { retention: Some(-1), ..Table::default() }.into_value();
    let mut change =
        Change { schema: ty.schema(), config: &config, prior: None, planned: config.clone(), replace: vec![] };
    let refused = ty.plan(&w.client, &mut change).unwrap_err();
    assert_eq!(refused.attribute, Some(Path::attr("retention")));
}

#[tokio::test]
async fn what_was_made_is_found_again() {
    let w = World::new();
    let find = async |ty: &str, planned: &Value, token: &str| {
        let with = Surroundings { token, ..w.with() };
        w.ty(ty).find(with, planned).await.unwrap().map(|v| v.get("id").unwrap().as_str().unwrap().to_owned())
    };
    let lost = || Fault::on(Op::Create).loses_response();
    let bucket = bucket("b").into_value();
    assert_eq!(find("fake_bucket", &bucket, "t1").await, None);
    w.cloud.inject(lost());
    let with = Surroundings { token: "t1", ..w.with() };
    let failure = w.ty("fake_bucket").create(with, &bucket).await.unwrap_err();
    assert!(failure.partial.is_none());
    assert_eq!(find("fake_bucket", &bucket, "t1").await.as_deref(), Some("b"));

    let ticket = Ticket { subject: Some("s".into()), ..Ticket::default() }.into_value();
    w.cloud.inject(lost());
    w.ty("fake_ticket").create(with, &ticket).await.unwrap_err();
    assert_eq!(find("fake_ticket", &ticket, "t1").await.as_deref(), Some("ticket-1"));
    assert_eq!(find("fake_ticket", &ticket, "t2").await, None);
    let again = w.ty("fake_ticket").create(with, &ticket).await.unwrap();
    assert_eq!((again.get("id").unwrap().as_str(), w.cloud.objects("fake_ticket").len()), (Some("ticket-1"), 1));

    let thing = thing("a").into_value();
    w.ty("fake_thing").create(with, &thing).await.unwrap();
    assert_eq!(find("fake_thing", &thing, "t1").await, None);
    assert_eq!(w.cloud.count(Op::Find), 5);
}
