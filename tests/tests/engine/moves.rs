//! `[[moved]]` and `[[removed]]`: conformance cases M01 to M05 and D07.

use lakeform_engine::PlanMode;

use crate::support::world::{World, change, summary};

const OLD: &str = "[resource.fake_thing.old]\nname = 'x'\n";
const NEW: &str = "[resource.fake_thing.new]\nname = 'x'\n[[moved]]\nfrom = 'fake_thing.old'\nto = 'fake_thing.new'\n";

fn previous(plan: &lakeform_engine::Plan, at: &str) -> Option<String> {
    change(plan, at).previous_address.as_ref().map(ToString::to_string)
}

#[tokio::test]
async fn m01_a_resource_moves_and_nothing_else_happens() {
    let mut world = World::new();
    world.apply(OLD).await;
    let plan = world.plan(NEW).await;
    assert!(plan.has_changes(), "a move must be applied to be kept");
    assert_eq!(summary(&plan), "");
    assert_eq!(previous(&plan, "fake_thing.new").as_deref(), Some("fake_thing.old"));
    world.cloud.forget_calls();
    world.apply(NEW).await;
    assert_eq!(world.addresses(), ["fake_thing.new"]);
    assert_eq!(world.cloud.changes(), [""; 0]);
}

#[tokio::test]
async fn m01_a_moved_resource_changes_in_the_same_plan() {
    let mut world = World::new();
    world.apply(OLD).await;
    let text = NEW.replace("name = 'x'", "name = 'x'\nsize = 2");
    let plan = world.plan(&text).await;
    assert_eq!(summary(&plan), "fake_thing.new DeleteThenCreate");
    assert_eq!(previous(&plan, "fake_thing.new").as_deref(), Some("fake_thing.old"));
    world.apply(&text).await;
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn m01_chains_and_keys_in_whatever_order_they_are_written() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.a]\ncount = 2\nname = 'n'\n").await;
    let text = r#"
[resource.fake_thing.c]
for_each = ["x", "y"]
name = "n"
[[moved]]
from = "fake_thing.b[1]"
to = 'fake_thing.c["y"]'
[[moved]]
from = "fake_thing.b[0]"
to = 'fake_thing.c["x"]'
[[moved]]
from = "fake_thing.a"
to = "fake_thing.b"
"#;
    let plan = world.plan(text).await;
    assert_eq!(summary(&plan), "");
    assert_eq!(previous(&plan, "fake_thing.c[\"y\"]").as_deref(), Some("fake_thing.a[1]"));
    world.apply(text).await;
    assert_eq!(world.addresses(), ["fake_thing.c[\"x\"]", "fake_thing.c[\"y\"]"]);
}

#[tokio::test]
async fn m01_into_a_module_and_a_module_to_another_name() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.a]\nname = 'n'\n").await;
    world.module("m", "[resource.fake_thing.inner]\nname = 'n'\n");
    let call = |name: &str, moves: &str| format!("[module.{name}]\nsource = './m'\n{moves}");
    let into = call("m", "[[moved]]\nfrom = 'fake_thing.a'\nto = 'module.m.fake_thing.inner'\n");
    world.apply(&into).await;
    assert_eq!(world.addresses(), ["module.m.fake_thing.inner"]);
    let renamed = call("n", "[[moved]]\nfrom = 'module.m'\nto = 'module.n'\n");
    assert_eq!(summary(&world.plan(&renamed).await), "");
    world.apply(&renamed).await;
    let keyed = call("n", "for_each = ['k']\n[[moved]]\nfrom = 'module.n'\nto = 'module.n[\"k\"]'\n");
    world.apply(&keyed).await;
    assert_eq!(world.addresses(), ["module.n[\"k\"].fake_thing.inner"]);
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn m01_a_move_inside_a_module_holds_for_all_its_instances() {
    let mut world = World::new();
    world.module("m", "[resource.fake_thing.a]\nname = 'n'\n");
    let stack = "[module.m]\nsource = './m'\ncount = 2\n";
    world.apply(stack).await;
    world.module("m", "[resource.fake_thing.b]\nname = 'n'\n[[moved]]\nfrom = 'fake_thing.a'\nto = 'fake_thing.b'\n");
    assert_eq!(summary(&world.plan(stack).await), "");
    world.apply(stack).await;
    assert_eq!(world.addresses(), ["module.m[0].fake_thing.b", "module.m[1].fake_thing.b"]);
}

#[tokio::test]
async fn m01_recorded_dependencies_follow() {
    let mut world = World::new();
    world.apply(&format!("{OLD}[resource.fake_thing.user]\nname = '${{fake_thing.old.id}}'\n")).await;
    // The block is gone, so only the state knows the order.
    let plan = world.plan(NEW).await;
    let user = change(&plan, "fake_thing.user");
    assert_eq!(user.dependencies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["fake_thing.new"]);
}

#[tokio::test]
async fn m02_a_taken_address_stays_as_it_is() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.old]\nname = 'o'\n[resource.fake_thing.new]\nname = 'x'\n").await;
    let plan = world.plan(NEW).await;
    assert_eq!(summary(&plan), "fake_thing.old Delete");
    let told = plan.diagnostics.to_string();
    assert!(told.contains("fake_thing.old could not move to fake_thing.new"), "{told}");
}

#[tokio::test]
async fn m03_a_target_must_hold_both_addresses() {
    let mut world = World::new();
    let other = "[resource.fake_thing.other]\nname = 'y'\n";
    world.apply(&format!("{OLD}{other}")).await;
    let text = format!("{NEW}{other}");
    world.options.targets = vec!["fake_thing.other".parse().unwrap()];
    let told = world.refusal(&text).await;
    assert!(told.contains("--target 'fake_thing.new' --target 'fake_thing.old'"), "{told}");
    world.options.targets.extend(["fake_thing.new".parse().unwrap(), "fake_thing.old".parse().unwrap()]);
    assert_eq!(previous(&world.plan(&text).await, "fake_thing.new").as_deref(), Some("fake_thing.old"));
}

#[tokio::test]
async fn m04_a_refresh_shows_and_keeps_the_move() {
    let mut world = World::new();
    world.apply(OLD).await;
    world.options.mode = PlanMode::RefreshOnly;
    let plan = world.plan(NEW).await;
    assert_eq!(previous(&plan, "fake_thing.new").as_deref(), Some("fake_thing.old"));
    assert!(plan.has_changes());
    world.try_apply(NEW).await;
    assert_eq!(world.addresses(), ["fake_thing.new"]);
}

#[tokio::test]
async fn m01_contradictions_are_refused_all_at_once() {
    let mut world = World::new();
    world.apply(OLD).await;
    let told = world
        .refusal(
            r#"
[resource.fake_thing.old]
name = "x"
[[moved]]
from = "fake_thing.old"
to = "fake_thing.new"
[[moved]]
from = "fake_thing.same"
to = "fake_thing.same"
[[moved]]
from = "fake_thing.r"
to = "fake_thing.s"
[[moved]]
from = "fake_thing.r"
to = "fake_thing.t"
[[moved]]
from = "fake_thing.p"
to = "fake_thing.q"
[[moved]]
from = "fake_thing.q"
to = "fake_thing.p"
"#,
        )
        .await;
    for wanted in [
        "Moved object still exists",
        "Redundant move statement",
        "Ambiguous move statements",
        "Cyclic dependency in move statements",
    ] {
        assert!(told.contains(wanted), "{wanted} is missing:\n{told}");
    }
}

#[tokio::test]
async fn m01_an_instance_that_moved_away_must_not_be_declared() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.a]\nfor_each = ['x', 'y']\nname = 'n'\n").await;
    let text = "[resource.fake_thing.a]\nfor_each = ['x', 'y']\nname = 'n'\n[[moved]]\nfrom = 'fake_thing.a[\"x\"]'\nto = 'fake_thing.a[\"z\"]'\n";
    let told = world.refusal(text).await;
    assert!(told.contains("declared as fake_thing.a[\"z\"]"), "{told}");
}

#[tokio::test]
async fn m05_a_removed_block_forgets_current_and_deposed_objects() {
    let mut world = World::new();
    world.apply(OLD).await;
    let at = "fake_thing.old".parse().unwrap();
    let object = world.object("fake_thing.old").unwrap().clone();
    world.state.instance_mut(&at, "").deposed.insert("abcd1234".into(), object);
    let text = "[[removed]]\nfrom = 'fake_thing.old'\nlifecycle = { destroy = false }\n";
    let plan = world.plan(text).await;
    assert_eq!(summary(&plan), "fake_thing.old Forget, fake_thing.old (deposed) Forget");
    assert!(plan.diagnostics.to_string().contains("no longer be managed"), "{}", plan.diagnostics);
    world.cloud.forget_calls();
    world.apply(text).await;
    assert_eq!(world.addresses(), [""; 0]);
    assert!(world.cloud.calls().is_empty(), "{:?}", world.cloud.calls());
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn m05_removed_deletes_unless_told_not_to() {
    let mut world = World::new();
    world.apply(OLD).await;
    let plan = world.plan("[[removed]]\nfrom = 'fake_thing.old'\n").await;
    assert_eq!(summary(&plan), "fake_thing.old Delete");
}

#[tokio::test]
async fn m05_what_is_removed_must_be_gone() {
    let world = World::new();
    let told = world.refusal(&format!("{OLD}[[removed]]\nfrom = 'fake_thing.old'\n")).await;
    assert!(told.contains("Removed resource still exists"), "{told}");
}

#[tokio::test]
async fn d07_a_whole_module_is_forgotten_also_when_everything_is_destroyed() {
    let mut world = World::new();
    world.module("m", "[resource.fake_thing.a]\ncount = 2\nname = 'n'\n");
    world.apply(&format!("[module.m]\nsource = './m'\n{OLD}")).await;
    let text = format!("{OLD}[[removed]]\nfrom = 'module.m'\nlifecycle = {{ destroy = false }}\n");
    assert_eq!(summary(&world.plan(&text).await), "module.m.fake_thing.a[0] Forget, module.m.fake_thing.a[1] Forget");
    let report = world.destroy(&text).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!((world.addresses().len(), world.cloud.len()), (0, 2));
}
