//! Operations that fail, and what state holds afterwards.

use lakeform_engine::{Action, Reason};
use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Fault, Op};

use crate::support::world::{World, change, summary};

const A: &str = "[resource.fake_thing.a]\nname = 'a'\n";

/// F01
#[tokio::test]
async fn f01_a_create_that_fails_half_way_leaves_a_tainted_object_which_is_replaced_next_time() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).fails_after(ErrorKind::Other));
    let (report, _) = world.failure(A).await;
    assert_eq!(report.diagnostics.0.len(), 1);
    assert!(world.object("fake_thing.a").unwrap().tainted);
    assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-1"));
    let plan = world.plan(A).await;
    let tainted = change(&plan, "fake_thing.a");
    assert_eq!((tainted.action, tainted.reason), (Action::DeleteThenCreate, Some(Reason::ReplaceBecauseTainted)));
    assert_eq!(world.calls_of(A).await, ["delete fake_thing a", "create fake_thing a"]);
    assert!(!world.object("fake_thing.a").unwrap().tainted);
    assert_eq!(world.cloud.len(), 1);
}

/// F02
#[tokio::test]
async fn f02_a_create_that_made_nothing_leaves_nothing_in_state() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).fails(ErrorKind::Denied));
    let (_, told) = world.failure(A).await;
    assert!(told.contains("fake_thing.a") && told.contains("you may not do that"), "{told}");
    assert!(world.addresses().is_empty());
}

/// F03
#[tokio::test]
async fn f03_an_update_that_fails_keeps_the_prior_object() {
    let mut world = World::new();
    world.apply(A).await;
    world.cloud.inject(Fault::on(Op::Update).fails(ErrorKind::Denied));
    world.failure("[resource.fake_thing.a]\nname = 'b'").await;
    assert_eq!(world.attribute("fake_thing.a", "name").as_deref(), Some("a"));
    assert!(!world.object("fake_thing.a").unwrap().tainted);
    world.apply("[resource.fake_thing.a]\nname = 'b'").await;
}

#[tokio::test]
async fn f03_an_update_that_fails_half_way_taints_nothing_and_loses_nothing() {
    let mut world = World::new();
    world.apply(A).await;
    world.cloud.inject(Fault::on(Op::Update).fails_after(ErrorKind::Other));
    let b = "[resource.fake_thing.a]\nname = 'b'";
    world.failure(b).await;
    assert_eq!(world.attribute("fake_thing.a", "name").as_deref(), Some("a"));
    assert!(!world.object("fake_thing.a").unwrap().tainted);
    let plan = world.plan(b).await;
    assert_eq!((summary(&plan).as_str(), plan.drift.len()), ("", 1), "the next plan finds what was done");
}

/// F04
#[tokio::test]
async fn f04_a_delete_that_fails_keeps_the_object_its_taint_and_its_dependencies() {
    let text = format!("{A}[resource.fake_thing.user]\nname = '${{fake_thing.a.id}}'");
    let mut world = World::new();
    world.apply(&text).await;
    world.taint("fake_thing.user");
    let before = world.object("fake_thing.user").unwrap().clone();
    world.cloud.inject(Fault::on(Op::Delete).named("thing-1").fails(ErrorKind::Conflict));
    let report = world.destroy(&text).await;
    assert!(report.diagnostics.has_errors());
    assert_eq!(world.object("fake_thing.user"), Some(&before));
    assert!(!before.dependencies.is_empty());
    assert_eq!(report.skipped.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.a"]);
    assert_eq!(world.cloud.len(), 2);
}

/// G03, F05, F12
#[tokio::test]
async fn g03_f05_f12_a_failure_skips_only_what_depends_on_it_and_all_failures_are_told() {
    let text = "
[resource.fake_bucket.bad]
name = 'bad'
[resource.fake_thing.user]
name = '${fake_bucket.bad.arn}'
[resource.fake_thing.user_of_user]
name = '${fake_thing.user.id}'
[resource.fake_bucket.worse]
name = 'worse'
[resource.fake_bucket.good]
name = 'good'
[resource.fake_thing.after_good]
name = '${fake_bucket.good.arn}'
[output.good]
value = '${fake_bucket.good.arn}'
[output.bad]
value = '${fake_bucket.bad.arn}'
";
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("bad").fails(ErrorKind::Denied));
    world.cloud.inject(Fault::on(Op::Create).named("worse").fails(ErrorKind::Invalid));
    let (report, told) = world.failure(text).await;
    assert_eq!(report.diagnostics.0.len(), 2, "{told}");
    assert!(told.contains("fake_bucket.bad") && told.contains("fake_bucket.worse"), "{told}");
    let skipped: Vec<_> = report.skipped.iter().map(ToString::to_string).collect();
    assert_eq!(skipped, ["fake_thing.user", "fake_thing.user_of_user"]);
    assert_eq!(world.addresses(), ["fake_bucket.good", "fake_thing.after_good"]);
    assert!(world.state.outputs.contains_key("good") && !world.state.outputs.contains_key("bad"));
    let plan = world.plan(text).await;
    assert_eq!(plan.counts(), (4, 0, 0));
    world.apply(text).await;
    assert_eq!(world.cloud.len(), 6);
}

/// F06
#[tokio::test]
async fn f06_a_result_other_than_planned_is_an_error_and_saved_all_the_same() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).answers("name", "other"));
    let (_, told) = world.failure(A).await;
    assert!(told.contains("Inconsistent result after apply") && told.contains("`name`"), "{told}");
    assert_eq!(world.attribute("fake_thing.a", "name").as_deref(), Some("other"));
    assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-1"));
}

#[tokio::test]
async fn s10_the_state_is_saved_after_operations_and_at_the_end() {
    let text = format!("{A}[resource.fake_thing.user]\nname = '${{fake_thing.a.id}}'");
    let mut world = World::new();
    world.cloud.set_latency(std::time::Duration::from_millis(5));
    world.apply(&text).await;
    assert!(world.saved.len() >= 2, "saved {} times", world.saved.len());
    assert!(world.saved.iter().any(|s| s.iter().count() == 1), "the first object was never saved alone");
    assert_eq!(world.saved.last().map(|s| s.iter().count()), Some(2));
}

/// R06: a replacement that creates first cannot have the name that the old object holds.
#[tokio::test]
async fn a_name_that_is_taken_fails_where_it_is_made_first() {
    let text = |name: &str| {
        format!(
            "[resource.fake_bucket.b]\nname = 'b'\ntags = {{ a = '{name}' }}\nlifecycle = {{ create_before_destroy = true }}"
        )
    };
    let mut world = World::new();
    world.apply(&text("1")).await;
    world.taint("fake_bucket.b");
    let (_, told) = world.failure(&text("1")).await;
    assert!(told.contains("a bucket named b exists"), "{told}");
    assert!(world.object("fake_bucket.b").unwrap().tainted);
    assert_eq!((world.cloud.len(), world.deposed("fake_bucket.b")), (1, 0));
}
