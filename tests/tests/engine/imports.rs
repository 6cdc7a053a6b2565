//! `[[import]]`: conformance cases M06.

use crate::support::world::{World, change, summary};

/// Objects that exist and that no state knows.
async fn existing(n: u32) -> World {
    let mut world = World::new();
    world.apply(&format!("[resource.fake_thing.x]\ncount = {n}\nname = 'n'\n")).await;
    for index in 0..n {
        world.state.remove(&format!("fake_thing.x[{index}]").parse().unwrap());
    }
    world
}

#[tokio::test]
async fn m06_an_object_is_adopted_as_it_is() {
    let mut world = existing(1).await;
    let text = "[resource.fake_thing.a]\nname = 'n'\n[[import]]\nto = 'fake_thing.a'\nid = 'thing-1'\n";
    let plan = world.plan(text).await;
    assert_eq!(summary(&plan), "");
    assert_eq!(change(&plan, "fake_thing.a").importing.as_deref(), Some("thing-1"));
    assert!(plan.has_changes());
    world.cloud.forget_calls();
    // The block may stay: what is managed already is not adopted again.
    world.apply(text).await;
    assert_eq!(world.cloud.changes(), [""; 0]);
    assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-1"));
}

#[tokio::test]
async fn m06_an_object_is_adopted_and_changed_or_replaced_in_one_plan() {
    let mut world = existing(1).await;
    let import = "[[import]]\nto = 'fake_thing.a'\nid = 'thing-1'\n";
    let update = format!("[resource.fake_thing.a]\nname = 'other'\n{import}");
    assert_eq!(summary(&world.plan(&update).await), "fake_thing.a Update");
    let replace = format!("[resource.fake_thing.a]\nname = 'n'\nsize = 3\n{import}");
    assert_eq!(summary(&world.plan(&replace).await), "fake_thing.a DeleteThenCreate");
    world.apply(&replace).await;
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn m06_for_each_adopts_one_object_for_each_element() {
    let mut world = existing(2).await;
    let text = r#"
[locals]
there = { x = "thing-1", y = "thing-2" }
[resource.fake_thing.a]
for_each = "${local.there}"
name = "n"
[[import]]
for_each = "${local.there}"
to = "fake_thing.a[each.key]"
id = "${each.value}"
"#;
    let plan = world.plan(text).await;
    assert_eq!(change(&plan, "fake_thing.a[\"y\"]").importing.as_deref(), Some("thing-2"));
    world.apply(text).await;
    assert_eq!(world.addresses(), ["fake_thing.a[\"x\"]", "fake_thing.a[\"y\"]"]);
}

#[tokio::test]
async fn m06_into_an_instance_of_a_module_with_an_identifier_that_is_computed() {
    let mut world = existing(1).await;
    world.module("m", "[resource.fake_thing.a]\ncount = 1\nname = 'n'\n");
    let text = "[variable.n]\ndefault = 1\n[module.m]\nsource = './m'\nfor_each = ['k']\n[[import]]\nto = 'module.m[\"k\"].fake_thing.a[0]'\nid = 'thing-${var.n}'\n";
    let plan = world.plan(text).await;
    assert_eq!(change(&plan, "module.m[\"k\"].fake_thing.a[0]").importing.as_deref(), Some("thing-1"));
    world.apply(text).await;
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn m06_what_cannot_be_adopted_is_said() {
    let mut world = existing(1).await;
    world.apply("[resource.fake_thing.base]\nname = 'b'\n").await;
    let a = "[resource.fake_thing.a]\nname = 'n'\n";
    let import = |to: &str, id: &str| format!("[[import]]\nto = '{to}'\nid = '{id}'\n");
    for (text, wanted) in [
        (
            format!("{a}{}{}", import("fake_thing.a", "thing-1"), import("fake_thing.a", "thing-9")),
            "already declared at line",
        ),
        (
            format!(
                "{a}[resource.fake_thing.b]\nname = 'n'\n{}{}",
                import("fake_thing.a", "thing-1"),
                import("fake_thing.b", "thing-1")
            ),
            "is imported to fake_thing.a",
        ),
        (format!("{a}{}", import("fake_thing.a", "${null}")), "cannot be null"),
        (format!("{a}{}", import("fake_thing.a", "")), "empty string"),
        (
            format!("{a}{}", import("fake_thing.a", "${fake_thing.a.id}")),
            "cannot reference the resource being imported",
        ),
        (
            format!("{a}[resource.fake_thing.new]\nname = 'x'\n{}", import("fake_thing.a", "${fake_thing.new.id}")),
            "cannot be determined until apply",
        ),
        (import("fake_thing.none", "thing-1"), "fake_thing.none does not exist"),
        (format!("{a}{}", import("fake_thing.a[3]", "thing-1")), "fake_thing.a[3] does not exist"),
        (format!("{a}{}", import("fake_thing.a", "thing-77")), "there is no such object"),
    ] {
        let told = world.refusal(&format!("{text}[resource.fake_thing.base]\nname = 'b'\n")).await;
        assert!(told.contains(wanted), "{wanted} is missing in:\n{told}\nof:\n{text}");
    }
}
