//! The graph: cycles, outputs, variables.

use lakeform_engine::Action;

use crate::support::world::{World, summary};

/// G02
#[tokio::test]
async fn g02_a_cycle_names_its_path_and_nothing_is_done() {
    let world = World::new();
    for (text, wanted) in [
        (
            "[resource.fake_thing.a]\nname = '${fake_thing.b.id}'\n[resource.fake_thing.b]\nname = '${fake_thing.a.id}'\n",
            vec!["fake_thing.a", "fake_thing.b"],
        ),
        (
            "[resource.fake_thing.a]\nname = '${local.x}'\n[locals]\nx = '${local.y}'\ny = '${fake_thing.a.id}'\n",
            vec!["fake_thing.a", "local.x", "local.y"],
        ),
        ("[locals]\nx = '${local.x}'\n", vec!["local.x"]),
        (
            "[resource.fake_thing.a]\ndepends_on = ['fake_thing.b']\n[resource.fake_thing.b]\ndepends_on = ['fake_thing.a']\n",
            vec!["fake_thing.a", "fake_thing.b"],
        ),
    ] {
        let told = world.refusal(text).await;
        assert!(told.contains("Cycle: ") && told.contains(" → "), "{told}");
        for name in wanted {
            assert!(told.contains(name), "{name}: {told}");
        }
    }
    assert!(world.cloud.calls().is_empty());
}

/// G02
#[tokio::test]
async fn g02_a_resource_that_refers_to_itself_is_refused() {
    let told = World::new().refusal("[resource.fake_thing.a]\nname = '${fake_thing.a.id}'\n").await;
    assert!(told.contains("fake_thing.a"), "{told}");
}

/// G02
#[tokio::test]
async fn g02_a_cycle_through_modules_names_them() {
    let mut world = World::new();
    world.module("m", "[variable.i]\n[output.o]\nvalue = '${var.i}'\n");
    let told = world
        .refusal("[module.a]\nsource = './m'\ni = '${module.b.o}'\n[module.b]\nsource = './m'\ni = '${module.a.o}'\n")
        .await;
    assert!(told.contains("module.a.var.i") && told.contains("module.b.output.o"), "{told}");
}

#[tokio::test]
async fn outputs_are_created_changed_and_deleted() {
    let mut world = World::new();
    let plan = world.plan("[output.o]\nvalue = 1\n").await;
    assert_eq!(plan.outputs["o"].action, Action::Create);
    assert!(plan.has_changes());
    world.apply("[output.o]\nvalue = 1\n").await;
    assert_eq!(world.plan("[output.o]\nvalue = 2\n").await.outputs["o"].action, Action::Update);
    let plan = world.plan("").await;
    assert_eq!(plan.outputs["o"].action, Action::Delete);
    world.apply("").await;
    assert!(world.state.outputs.is_empty());
}

#[tokio::test]
async fn an_output_of_something_new_is_known_after_apply() {
    let text = "[resource.fake_thing.a]\n[output.o]\nvalue = '${fake_thing.a.id}'\n";
    let mut world = World::new();
    assert!(!world.plan(text).await.outputs["o"].after.is_known());
    world.apply(text).await;
    assert_eq!(world.state.outputs["o"].value.as_str(), Some("thing-1"));
}

#[tokio::test]
async fn a_required_variable_without_a_value_is_told_and_one_with_a_bad_value_too() {
    let mut world = World::new();
    let text = "[variable.n]\ntype = 'number'\n[output.o]\nvalue = '${var.n}'\n";
    let told = world.refusal(text).await;
    assert!(told.contains("No value for the required variable `n`"), "{told}");
    world.variables.insert("n".into(), "many".into());
    let told = world.refusal(text).await;
    assert!(told.contains("Invalid value for variable `n`"), "{told}");
    world.variables.insert("n".into(), "5".into());
    assert_eq!(world.plan(text).await.outputs["o"].after.as_i64(), Some(5));
}

#[tokio::test]
async fn all_problems_of_a_plan_are_told_in_one_go() {
    let told = World::new()
        .refusal(
            "[resource.fake_thing.a]\nname = '${[1][4]}'\n[resource.fake_thing.b]\ncount = -1\n[resource.fake_thing.c]\nsize \
             = '${tonumber(\"x\")}'\n",
        )
        .await;
    for name in ["Invalid index", "count", "cannot convert \"x\" to number"] {
        assert!(told.contains(name), "{name}: {told}");
    }
}

/// G01
#[tokio::test]
async fn g01_a_hundred_dependents_follow_one_resource() {
    let many: String =
        (0..100).map(|i| format!("[resource.fake_thing.t{i}]\nname = '${{fake_thing.root.id}}-{i}'\n")).collect();
    let text = format!("[resource.fake_thing.root]\nname = 'root'\n{many}");
    let mut world = World::new();
    world.apply(&text).await;
    assert_eq!(world.cloud.changes()[0], "create fake_thing root");
    assert_eq!(world.cloud.len(), 101);
    assert_eq!(summary(&world.plan(&text).await), "");
}
