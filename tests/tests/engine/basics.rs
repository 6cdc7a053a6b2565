//! Create, change, replace, delete.

use lakeform_engine::Action;

use crate::support::world::{World, actions};

const THREE: &str = r#"
[variable.name]
default = "lake"

[locals]
full = "${var.name}-raw"

[resource.fake_bucket.raw]
name = "${local.full}"

[resource.fake_thing.one]
name = "${fake_bucket.raw.arn}"

[resource.fake_thing.many]
count = 3
name = "${fake_thing.one.id}-${count.index}"

[output.names]
value = "${fake_thing.many[*].name}"
"#;

#[tokio::test]
async fn a_stack_is_created_in_order_and_then_stands() {
    let mut world = World::new();
    let plan = world.plan(THREE).await;
    assert_eq!(plan.counts(), (5, 0, 0));
    world.apply(THREE).await;
    assert_eq!(world.cloud.len(), 5);
    let names = world.state.outputs["names"].value.clone();
    assert_eq!(names.as_slice().unwrap()[2].as_str(), Some("thing-1-2"));
}

#[tokio::test]
async fn a_change_of_a_force_new_attribute_replaces() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.a]\nname = 'x'\nsize = 1").await;
    let text = "[resource.fake_thing.a]\nname = 'x'\nsize = 2";
    assert_eq!(actions(&world.plan(text).await), [("fake_thing.a".to_owned(), Action::DeleteThenCreate)]);
    world.apply(text).await;
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn destroy_leaves_nothing() {
    let mut world = World::new();
    world.apply(THREE).await;
    let report = world.destroy(THREE).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!((world.cloud.len(), world.addresses().len()), (0, 0));
    assert!(world.state.outputs.is_empty());
}
