//! Deleting: everything, what the stack no longer has, and in which order.

use lakeform_engine::{Action, PlanMode, Reason};
use lakeform_testkit::fake::Op;

use crate::support::world::{World, actions, address, change, summary};

const CHAIN: &str = "
[resource.fake_thing.a]
name = 'a'
[resource.fake_thing.b]
name = 'b-${fake_thing.a.id}'
[resource.fake_thing.c]
name = 'c-${fake_thing.b.id}'
";

const BACKWARDS: [&str; 3] = ["delete fake_thing c-thing-2", "delete fake_thing b-thing-1", "delete fake_thing a"];

/// D01
#[tokio::test]
async fn d01_destroy_deletes_in_the_reverse_order_of_dependencies() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    world.cloud.forget_calls();
    world.destroy(CHAIN).await;
    assert_eq!(world.cloud.changes(), BACKWARDS);
}

/// G05
#[tokio::test]
async fn g05_orphans_are_deleted_in_the_order_that_state_recorded() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    let plan = world.plan("").await;
    assert!(plan.changes.iter().all(|c| c.reason == Some(Reason::DeleteBecauseNoResourceConfig)));
    assert_eq!(world.calls_of("").await, BACKWARDS);
    assert!(world.addresses().is_empty());
}

/// G05, M01: a whole module goes.
#[tokio::test]
async fn the_objects_of_a_module_that_is_gone_are_deleted() {
    let mut world = World::new();
    world.module("m", &format!("[variable.on]\n{CHAIN}[output.id]\nvalue = '${{fake_thing.c.id}}'"));
    let text = "[module.m]\nsource = './m'\non = true\n[resource.fake_thing.user]\nname = 'u-${module.m.id}'\n";
    world.apply(text).await;
    let plan = world.plan("").await;
    assert_eq!(change(&plan, "module.m.fake_thing.a").reason, Some(Reason::DeleteBecauseNoResourceConfig));
    let calls = world.calls_of("").await;
    assert_eq!(calls[0], "delete fake_thing u-thing-3");
    assert_eq!(calls[1..], BACKWARDS);
}

/// D02
#[tokio::test]
async fn d02_what_used_an_object_goes_before_the_object_is_changed() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.a]\nname = 'a'\n[resource.fake_thing.b]\nname = 'b-${fake_thing.a.id}'").await;
    let calls = world.calls_of("[resource.fake_thing.a]\nname = 'a2'").await;
    assert_eq!(calls, ["delete fake_thing b-thing-1", "update fake_thing a"]);
}

/// D04, as Terraform 1.11 does it: an object that is no longer referred to goes before what referred to it changes.
#[tokio::test]
async fn d04_what_is_no_longer_referred_to_goes_before_the_update() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.a]\nname = 'a'\n[resource.fake_thing.b]\nname = 'b-${fake_thing.a.id}'").await;
    let calls = world.calls_of("[resource.fake_thing.b]\nname = 'b'").await;
    assert_eq!(calls, ["delete fake_thing a", "update fake_thing b-thing-1"]);
}

/// D03
#[tokio::test]
async fn d03_destroy_evaluates_neither_outputs_nor_data() {
    let text = "
[data.fake_lookup.x]
name = 'x'
[locals]
first = '${fake_thing.many[0].name}'
[resource.fake_thing.many]
count = 2
name = '${data.fake_lookup.x.id}-${count.index}'
[resource.fake_thing.user]
for_each = '${toset([for t in fake_thing.many : t.name])}'
name = '${each.key}-${local.first}'
[output.x]
value = '${local.first}'
";
    let mut world = World::new();
    world.cloud.seed(lakeform_testkit::fake::Bucket { name: "x".into(), ..Default::default() });
    world.apply(text).await;
    world.cloud.vanish("fake_bucket", "x");
    world.cloud.vanish("fake_thing", "x-0");
    world.cloud.forget_calls();
    let report = world.destroy(text).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.cloud.count(Op::Lookup), 0);
    assert!(world.cloud.is_empty() && world.state.outputs.is_empty());
    assert!(world.addresses().is_empty(), "{:?}", world.addresses());
}

/// D05
#[tokio::test]
async fn d05_a_state_without_recorded_dependencies_can_be_destroyed() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    for name in ["b", "c"] {
        let at = crate::support::world::address(&format!("fake_thing.{name}"));
        world.state.current_mut(&at).unwrap().dependencies.clear();
    }
    world.cloud.forget_calls();
    let report = world.destroy(CHAIN).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert!(world.cloud.is_empty() && world.addresses().is_empty());
}

/// D06, M07
#[tokio::test]
async fn d06_a_targeted_destroy_takes_dependents_along_and_leaves_dependencies() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    world.options.mode = PlanMode::Destroy;
    world.options.targets = vec!["fake_thing.b".parse().unwrap()];
    let plan = world.plan(CHAIN).await;
    assert_eq!(summary(&plan), "fake_thing.b Delete, fake_thing.c Delete");
    let report = world.carry_out(CHAIN, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.addresses(), ["fake_thing.a"]);
}

/// D06: an exclusion keeps what the excluded object needs.
#[tokio::test]
async fn d06_a_destroy_that_excludes_an_object_keeps_its_dependencies() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    world.options.mode = PlanMode::Destroy;
    world.options.excludes = vec!["fake_thing.b".parse().unwrap()];
    assert_eq!(summary(&world.plan(CHAIN).await), "fake_thing.c Delete");
}

#[tokio::test]
async fn destroying_an_object_that_is_gone_already_is_no_failure() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    let plan = {
        world.options.mode = PlanMode::Destroy;
        world.plan(CHAIN).await
    };
    assert_eq!(actions(&plan).iter().filter(|(_, a)| *a == Action::Delete).count(), 3);
    world.cloud.vanish("fake_thing", "thing-2");
    let report = world.carry_out(CHAIN, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert!(world.addresses().is_empty());
}

/// S11: dependencies are recorded with everything behind them, so an object that leaves the state leaves no gap.
#[tokio::test]
async fn s11_the_order_is_kept_when_what_is_between_has_left_the_state() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    world.state.remove(&address("fake_thing.b")).unwrap();
    world.cloud.vanish("fake_thing", "thing-2");
    world.cloud.forget_calls();
    let report = world.destroy("").await;
    assert!(report.diagnostics.is_empty() && world.cloud.is_empty(), "{}", report.diagnostics);
    let deleted: Vec<String> =
        world.cloud.calls().iter().filter(|c| c.op == Op::Delete).map(|c| c.name.clone()).collect();
    assert_eq!(deleted.len(), 2);
    assert_eq!(deleted[1], "a", "{deleted:?}");
}
