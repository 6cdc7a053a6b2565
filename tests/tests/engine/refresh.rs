//! Reading live objects: drift, objects that are gone, reads that fail, modes.

use lakeform_engine::{Action, PlanMode};
use lakeform_provider::ErrorKind;
use lakeform_testkit::{
    Gate,
    fake::{Fault, Op},
};

use crate::support::world::{World, address, change, summary};

const TWO: &str = "[resource.fake_bucket.b]\nname = 'b'\ntags = { a = '1' }\n[resource.fake_thing.t]\nname = \
                   '${fake_bucket.b.arn}'\n[output.tags]\nvalue = '${fake_bucket.b.tags}'\n";

async fn applied() -> World {
    let mut world = World::new();
    world.apply(TWO).await;
    world.cloud.forget_calls();
    world
}

/// X01
#[tokio::test]
async fn x01_an_object_that_is_gone_is_created_again() {
    let mut world = applied().await;
    world.cloud.vanish("fake_bucket", "b");
    let plan = world.plan(TWO).await;
    assert_eq!(change(&plan, "fake_bucket.b").action, Action::Create);
    assert!(plan.drift[0].after.is_null());
    world.apply(TWO).await;
    assert_eq!(world.cloud.len(), 2);
}

/// X01: an orphan that is gone needs no delete.
#[tokio::test]
async fn x01_an_orphan_that_is_gone_is_only_dropped() {
    let mut world = applied().await;
    let id = world.attribute("fake_thing.t", "id").unwrap();
    world.cloud.vanish("fake_thing", &id);
    let text =
        "[resource.fake_bucket.b]\nname = 'b'\ntags = { a = '1' }\n[output.tags]\nvalue = '${fake_bucket.b.tags}'\n";
    assert_eq!(summary(&world.plan(text).await), "");
    world.try_apply(text).await;
    assert_eq!(world.addresses(), ["fake_bucket.b"]);
}

/// X05
#[tokio::test]
async fn x05_a_read_that_fails_is_an_error_and_never_means_gone() {
    for kind in [ErrorKind::Denied, ErrorKind::Throttled, ErrorKind::Other, ErrorKind::Unreachable] {
        let world = applied().await;
        world.cloud.inject(Fault::on(Op::Read).of("fake_bucket").always().fails(kind));
        let told = world.refusal(TWO).await;
        assert!(told.starts_with("fake_bucket.b"), "{kind:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

/// X03
#[tokio::test]
async fn x03_without_refresh_nothing_is_read() {
    let mut world = applied().await;
    world.cloud.vanish("fake_bucket", "b");
    world.options.skip_refresh = true;
    assert_eq!(summary(&world.plan(TWO).await), "");
    assert!(world.cloud.calls().is_empty(), "{:?}", world.cloud.calls());
}

/// X02
#[tokio::test]
async fn x02_refresh_only_changes_state_and_outputs_and_no_object() {
    let mut world = applied().await;
    let tags = lakeform_core::Value::map(lakeform_core::Type::String, [("a", "changed".into())]);
    world.cloud.drift("fake_bucket", "b", "tags", tags);
    world.options.mode = PlanMode::RefreshOnly;
    let text = TWO.replace("name = 'b'", "name = 'other'");
    let plan = world.plan(&text).await;
    assert_eq!(summary(&plan), "");
    assert!(plan.has_changes());
    let report = world.carry_out(&text, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.cloud.changes().len(), 0);
    assert_eq!(world.attribute("fake_bucket.b", "tags").as_deref(), Some(r#"{"a":"changed"}"#));
    assert_eq!(world.state.outputs["tags"].value.get("a").unwrap().as_str(), Some("changed"));
    assert!(!world.plan(&text).await.has_changes(), "X02: nothing more to do");
}

#[tokio::test]
async fn x02_refresh_only_drops_what_is_gone() {
    let mut world = applied().await;
    let id = world.attribute("fake_thing.t", "id").unwrap();
    world.cloud.vanish("fake_thing", &id);
    world.options.mode = PlanMode::RefreshOnly;
    world.try_apply(TWO).await;
    assert_eq!(world.addresses(), ["fake_bucket.b"]);
}

#[tokio::test]
async fn drift_is_told_apart_from_change() {
    let world = applied().await;
    world.cloud.drift("fake_bucket", "b", "versioning", true);
    let plan = world.plan(&TWO.replace("a = '1'", "a = '2'")).await;
    assert_eq!(plan.drift.len(), 1);
    assert_eq!(plan.drift[0].before.get("versioning").unwrap().as_bool(), Some(false));
    let changed = change(&plan, "fake_bucket.b");
    assert_eq!(changed.before.get("versioning").unwrap().as_bool(), Some(true), "before is what there is now");
    assert_eq!(changed.after.get("versioning").unwrap().as_bool(), Some(false));
}

#[tokio::test]
async fn drift_that_the_stack_already_wants_is_only_recorded() {
    let mut world = applied().await;
    world.cloud.drift("fake_bucket", "b", "versioning", true);
    let text = TWO.replace("tags = {", "versioning = true\ntags = {");
    let plan = world.plan(&text).await;
    assert_eq!(summary(&plan), "");
    world.carry_out(&text, plan).await;
    assert_eq!(world.attribute("fake_bucket.b", "versioning").as_deref(), Some("true"));
}

#[tokio::test]
async fn all_objects_are_read_at_once_whatever_depends_on_what() {
    let chain: String = (1..8)
        .map(|i| format!("[resource.fake_thing.t{i}]\nname = '${{fake_thing.t{}.id}}'\n", i - 1))
        .fold("[resource.fake_thing.t0]\nname = 'x'\n".to_owned(), |all, one| all + &one);
    let mut world = World::new();
    world.apply(&chain).await;
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Read).always().held_by(&gate));
    let (plan, ()) = tokio::join!(world.plan(&chain), async {
        tokio::time::timeout(std::time::Duration::from_secs(10), gate.reached(8)).await.expect("eight reads at once");
        gate.open();
    });
    assert!(!plan.has_changes());
}

#[tokio::test]
async fn a_live_object_is_read_once_in_a_plan_and_never_in_an_apply() {
    let mut world = applied().await;
    let text = TWO.replace("a = '1'", "a = '2'");
    let plan = world.plan(&text).await;
    assert_eq!(world.cloud.count(Op::Read), 2);
    world.carry_out(&text, plan).await;
    assert_eq!(world.cloud.count(Op::Read), 2);
}

/// S08: an object of a later schema is refused, not cut down; one of an earlier schema that nobody can rewrite is, too.
#[tokio::test]
async fn s08_an_object_of_a_schema_that_is_not_known_is_refused() {
    let mut world = applied().await;
    world.state.current_mut(&address("fake_bucket.b")).unwrap().schema_version = 9;
    let told = world.refusal(TWO).await;
    assert!(told.contains("fake_bucket.b") && told.contains("schema version 9, and this lakeform knows"), "{told}");
}
