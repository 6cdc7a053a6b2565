//! `--target`, `--exclude`, `--replace` and imports.

use lakeform_engine::{Action, Reason};
use lakeform_testkit::fake::Bucket;

use crate::support::world::{World, address, change, summary};

const CHAIN: &str = "
[resource.fake_thing.a]
name = 'a'
[resource.fake_thing.b]
name = 'b-${fake_thing.a.id}'
[resource.fake_thing.c]
name = 'c-${fake_thing.b.id}'
[resource.fake_thing.other]
count = 12
name = 'o${count.index}'
[output.a]
value = '${fake_thing.a.id}'
[output.other]
value = '${fake_thing.other[1].id}'
";

/// M07
#[tokio::test]
async fn m07_a_target_takes_along_what_it_depends_on_and_warns() {
    let mut world = World::new();
    world.options.targets = vec!["fake_thing.b".parse().unwrap()];
    let plan = world.plan(CHAIN).await;
    assert_eq!(summary(&plan), "fake_thing.a Create, fake_thing.b Create");
    assert!(plan.diagnostics.iter().any(|d| d.summary.contains("only a part")), "{}", plan.diagnostics);
    let report = world.carry_out(CHAIN, plan).await;
    assert!(!report.diagnostics.has_errors(), "{}", report.diagnostics);
    assert_eq!(world.state.outputs["a"].value.as_str(), Some("thing-1"));
    assert!(!world.state.outputs.contains_key("other"), "an output of what was left out");
}

/// M07
#[tokio::test]
async fn m07_one_instance_of_many_can_be_targeted() {
    let mut world = World::new();
    world.options.targets = vec!["fake_thing.other[11]".parse().unwrap()];
    assert_eq!(summary(&world.plan(CHAIN).await), "fake_thing.other[11] Create");
}

/// M07
#[tokio::test]
async fn m07_a_module_can_be_targeted() {
    let mut world = World::new();
    world.module("m", "[variable.n]\n[resource.fake_thing.x]\nname = '${var.n}'\n");
    let text = "[module.m]\nsource = './m'\nfor_each = ['p', 'q']\nn = '${each.key}-${fake_thing.base.id}'\n\
                [resource.fake_thing.base]\nname = 'base'\n[resource.fake_thing.z]\nname = 'z'\n";
    world.options.targets = vec!["module.m[\"q\"]".parse().unwrap()];
    assert_eq!(summary(&world.plan(text).await), "fake_thing.base Create, module.m[\"q\"].fake_thing.x Create");
}

/// M07
#[tokio::test]
async fn m07_an_exclusion_leaves_out_what_depends_on_it() {
    let mut world = World::new();
    world.options.excludes = vec!["fake_thing.b".parse().unwrap(), "fake_thing.other".parse().unwrap()];
    let plan = world.plan(CHAIN).await;
    assert_eq!(summary(&plan), "fake_thing.a Create");
}

/// M07
#[tokio::test]
async fn m07_orphans_outside_the_target_stay() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.gone]\nname = 'gone'\n[resource.fake_thing.too]\nname = 'too'\n").await;
    world.options.targets = vec!["fake_thing.gone".parse().unwrap()];
    assert_eq!(summary(&world.plan("[resource.fake_thing.n]\nname = 'n'\n").await), "fake_thing.gone Delete");
}

/// R12
#[tokio::test]
async fn r12_an_instance_is_replaced_by_request() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    world.options.replace = vec![address("fake_thing.a"), address("fake_thing.other[3]")];
    let plan = world.plan(CHAIN).await;
    for at in ["fake_thing.a", "fake_thing.other[3]"] {
        let c = change(&plan, at);
        assert_eq!((c.action, c.reason), (Action::DeleteThenCreate, Some(Reason::ReplaceByRequest)), "{at}");
    }
    assert_eq!(change(&plan, "fake_thing.other[4]").action, Action::NoOp);
    let report = world.carry_out(CHAIN, plan).await;
    assert!(!report.diagnostics.has_errors(), "{}", report.diagnostics);
}

/// R12
#[tokio::test]
async fn r12_a_request_that_names_no_instance_is_warned_about() {
    let mut world = World::new();
    world.apply(CHAIN).await;
    world.options.replace = vec![address("fake_thing.other")];
    let plan = world.plan(CHAIN).await;
    assert_eq!(summary(&plan), "");
    assert!(plan.diagnostics.to_string().contains("fake_thing.other"), "{}", plan.diagnostics);
}

fn importing(name: &str) -> World {
    let mut world = World::new();
    world.cloud.seed(Bucket { name: "b".into(), versioning: Some(false), ..Bucket::default() });
    world.options.imports = vec![(address("fake_bucket.b"), name.to_owned())];
    world
}

/// M06
#[tokio::test]
async fn m06_an_import_adopts_the_object_as_it_is() {
    let text = "[resource.fake_bucket.b]\nname = 'b'\n";
    let mut world = importing("b");
    let plan = world.plan(text).await;
    let c = change(&plan, "fake_bucket.b");
    assert_eq!((c.action, c.importing.as_deref()), (Action::NoOp, Some("b")));
    assert!(plan.has_changes());
    world.carry_out(text, plan).await;
    assert_eq!(world.addresses(), ["fake_bucket.b"]);
    assert!(world.cloud.changes().is_empty());
    assert!(world.plan(text).await.changes[0].importing.is_none(), "already managed: nothing to import");
}

/// M06
#[tokio::test]
async fn m06_an_import_may_update_what_it_adopts() {
    let text = "[resource.fake_bucket.b]\nname = 'b'\nversioning = true\n";
    let mut world = importing("b");
    let plan = world.plan(text).await;
    let c = change(&plan, "fake_bucket.b");
    assert_eq!((c.action, c.importing.as_deref()), (Action::Update, Some("b")));
    let report = world.carry_out(text, plan).await;
    assert_eq!((report.added, report.changed), (0, 1));
}

/// M06
#[tokio::test]
async fn m06_an_import_of_nothing_is_refused() {
    let told = importing("nowhere").refusal("[resource.fake_bucket.b]\nname = 'b'\n").await;
    assert!(told.contains("Cannot import `nowhere`: there is no such object"), "{told}");
    let told = importing("b").refusal("[resource.fake_thing.t]\n").await;
    assert!(told.contains("the stack has no `fake_bucket.b`"), "{told}");
}
