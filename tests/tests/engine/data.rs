//! Data sources: read while planning, or put off until apply.

use lakeform_core::Mode;
use lakeform_engine::{Action, Reason};
use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Bucket, Fault, Op};

use crate::support::world::{World, change, summary};

fn seeded() -> World {
    let world = World::new();
    world.cloud.seed(Bucket { name: "x".into(), ..Bucket::default() });
    world
}

const LOOKUP: &str =
    "[data.fake_lookup.x]\nname = 'x'\n[output.region]\nvalue = '${data.fake_lookup.x.attributes.region}'\n";

#[tokio::test]
async fn a_data_source_with_a_known_configuration_is_read_while_planning() {
    let mut world = seeded();
    let plan = world.plan(LOOKUP).await;
    assert_eq!(plan.outputs["region"].after.as_str(), Some("test-1"));
    assert_eq!(summary(&plan), "");
    assert_eq!(world.cloud.count(Op::Lookup), 1);
    world.carry_out(LOOKUP, plan).await;
    assert_eq!(world.cloud.count(Op::Lookup), 1, "applying does not read again");
    assert_eq!(world.addresses(), ["data.fake_lookup.x"]);
}

#[tokio::test]
async fn a_data_source_that_is_gone_from_the_stack_leaves_state() {
    let mut world = seeded();
    world.apply(LOOKUP).await;
    world.apply("[resource.fake_thing.a]").await;
    assert_eq!(world.addresses(), ["fake_thing.a"]);
}

#[tokio::test]
async fn a_data_source_that_finds_nothing_fails_the_plan() {
    let told = World::new().refusal(LOOKUP).await;
    assert!(told.contains("data.fake_lookup.x") && told.contains("there is no fake_bucket named x"), "{told}");
}

const UNKNOWN: &str = "[resource.fake_thing.a]\nname = 'a'\n[data.fake_pure.p]\ninput = '${fake_thing.a.id}'\n\
                       [resource.fake_thing.b]\nname = '${data.fake_pure.p.output}'\n";

#[tokio::test]
async fn a_data_source_with_an_unknown_configuration_is_read_during_apply() {
    let mut world = World::new();
    let plan = world.plan(UNKNOWN).await;
    let read = change(&plan, "data.fake_pure.p");
    assert_eq!((read.action, read.reason), (Action::Read, Some(Reason::ReadBecauseConfigUnknown)));
    assert!(!read.after.get("output").unwrap().is_known());
    world.apply(UNKNOWN).await;
    assert_eq!(world.attribute("fake_thing.b", "name").as_deref(), Some("THING-1"));
}

const PENDING: &str = "[resource.fake_bucket.x]\nname = 'x'\n[resource.fake_thing.other]\nname = 'OTHER'\n\
                       [data.fake_lookup.x]\nname = 'x'\ndepends_on = ['fake_bucket.x']\n[output.arn]\nvalue = \
                       '${data.fake_lookup.x.attributes.arn}'\n";

#[tokio::test]
async fn a_data_source_waits_for_a_change_of_what_depends_on_names() {
    let mut world = World::new();
    let plan = world.plan(PENDING).await;
    let read = change(&plan, "data.fake_lookup.x");
    assert_eq!((read.action, read.reason), (Action::Read, Some(Reason::ReadBecauseDependencyPending)));
    world.apply(PENDING).await;
    assert_eq!(world.state.outputs["arn"].value.as_str(), Some("arn:fake:test-1:bucket/x"));
}

/// G06
#[tokio::test]
async fn a_data_source_is_not_put_off_where_nothing_that_it_names_changes() {
    let mut world = World::new();
    world.apply(PENDING).await;
    let plan = world.plan(&PENDING.replace("OTHER", "another")).await;
    assert_eq!(summary(&plan), "fake_thing.other Update");
    assert!(plan.read.keys().any(|a| a.resource.mode == Mode::Data));
}

/// Semantics 19
#[tokio::test]
async fn a_reference_to_what_changes_puts_a_read_off_though_its_value_is_known() {
    let text = |tag: &str| {
        format!(
            "[resource.fake_bucket.x]\nname = 'x'\ntags = {{ t = '{tag}' }}\n[data.fake_lookup.x]\nname = \
             '${{fake_bucket.x.id}}'\n"
        )
    };
    let mut world = World::new();
    world.apply(&text("1")).await;
    assert_eq!(summary(&world.plan(&text("2")).await), "fake_bucket.x Update, data.fake_lookup.x Read");
    world.apply(&text("2")).await;
}

#[tokio::test]
async fn every_instance_of_a_data_source_is_read_and_all_at_once() {
    let mut world = World::new();
    for name in ["a", "b", "c"] {
        world.cloud.seed(Bucket { name: name.into(), ..Bucket::default() });
    }
    world.cloud.set_latency(std::time::Duration::from_millis(20));
    let text = "[data.fake_lookup.x]\nfor_each = ['a', 'b', 'c']\nname = '${each.key}'\n[output.all]\nvalue = '${{ for k, d in \
                data.fake_lookup.x : k => d.id }}'\n";
    world.apply(text).await;
    assert_eq!(world.state.outputs["all"].value.get("b").unwrap().as_str(), Some("b"));
    assert_eq!(world.cloud.high_water(), 3);
}

#[tokio::test]
async fn a_data_source_that_is_denied_names_the_operation() {
    let world = seeded();
    world.cloud.inject(Fault::on(Op::Lookup).always().fails(ErrorKind::Denied));
    let told = world.refusal(LOOKUP).await;
    assert!(told.contains("data.fake_lookup.x") && told.contains("AccessDenied"), "{told}");
}
