//! `prevent_destroy`, `ignore_changes`, `replace_triggered_by`, `depends_on`, preconditions and postconditions.

use lakeform_engine::{Action, PlanMode, Reason};
use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Fault, Op};

use crate::support::world::{World, change, summary};

const KEEP: &str = "lifecycle = { prevent_destroy = true }";

fn thing(body: &str) -> String {
    format!("[resource.fake_thing.a]\n{body}\n")
}

/// D08
#[tokio::test]
async fn d08_prevent_destroy_refuses_to_destroy_and_to_replace() {
    let mut world = World::new();
    world.apply(&thing(&format!("name = 'a'\nsize = 1\n{KEEP}"))).await;
    let told = world.refusal(&thing(&format!("name = 'a'\nsize = 2\n{KEEP}"))).await;
    assert!(told.contains("fake_thing.a: Instance cannot be destroyed"), "{told}");
    world.options.mode = PlanMode::Destroy;
    let told = world.refusal(&thing(&format!("name = 'a'\nsize = 1\n{KEEP}"))).await;
    assert!(told.contains("fake_thing.a: Instance cannot be destroyed"), "{told}");
}

/// D08
#[tokio::test]
async fn d08_prevent_destroy_allows_updates_and_ends_with_the_block() {
    let mut world = World::new();
    world.apply(&thing(&format!("name = 'a'\n{KEEP}"))).await;
    world.apply(&thing(&format!("name = 'b'\n{KEEP}"))).await;
    assert_eq!(summary(&world.plan("").await), "fake_thing.a Delete");
}

/// D08
#[tokio::test]
async fn d08_prevent_destroy_refuses_a_smaller_count() {
    let mut world = World::new();
    world.apply(&thing(&format!("count = 2\n{KEEP}"))).await;
    let told = world.refusal(&thing(&format!("count = 1\n{KEEP}"))).await;
    assert!(told.contains("fake_thing.a[1]: Instance cannot be destroyed"), "{told}");
}

/// D08
#[tokio::test]
async fn d08_prevent_destroy_takes_an_expression() {
    let text = |env: &str, size: u32| {
        format!(
            "[variable.env]\ndefault = '{env}'\n[locals]\nkeep = '${{var.env == \"prod\"}}'\n[resource.fake_thing.a]\nsize = \
             {size}\nlifecycle = {{ prevent_destroy = '${{local.keep}}' }}\n"
        )
    };
    let mut world = World::new();
    world.apply(&text("prod", 1)).await;
    assert!(world.refusal(&text("prod", 2)).await.contains("cannot be destroyed"));
    world.apply(&text("dev", 2)).await;
}

fn bucket(body: &str, ignore: &str) -> String {
    format!("[resource.fake_bucket.b]\nname = 'b'\n{body}\nlifecycle = {{ ignore_changes = {ignore} }}\n")
}

/// V07
#[tokio::test]
async fn v07_ignored_attributes_are_set_at_creation_and_left_alone_afterwards() {
    let mut world = World::new();
    world.apply(&bucket("tags = { a = '1' }", "['tags']")).await;
    assert_eq!(world.attribute("fake_bucket.b", "tags").as_deref(), Some(r#"{"a":"1"}"#));
    assert_eq!(summary(&world.plan(&bucket("tags = { a = '2' }", "['tags']")).await), "");
    let plan = world.plan(&bucket("tags = { a = '2' }\nversioning = true", "['tags']")).await;
    assert_eq!(summary(&plan), "fake_bucket.b Update");
    assert_eq!(change(&plan, "fake_bucket.b").after.get("tags").unwrap().get("a").unwrap().as_str(), Some("1"));
}

/// V07
#[tokio::test]
async fn v07_one_key_of_a_map_can_be_ignored() {
    let ignore = r#"['tags["a"]']"#;
    let mut world = World::new();
    world.apply(&bucket("tags = { a = '1', b = '1' }", ignore)).await;
    for tags in ["{ a = '2', b = '1' }", "{ b = '1' }"] {
        let plan = world.plan(&bucket(&format!("tags = {tags}"), ignore)).await;
        let tags = change(&plan, "fake_bucket.b").after.get("tags").unwrap().clone();
        assert_eq!(tags.get("a").and_then(|v| v.as_str()), Some("1"), "{tags:?}");
    }
    let plan = world.plan(&bucket("tags = { a = '2', b = '2' }", ignore)).await;
    let tags = change(&plan, "fake_bucket.b").after.get("tags").unwrap().clone();
    assert_eq!((tags.get("a").unwrap().as_str(), tags.get("b").unwrap().as_str()), (Some("1"), Some("2")));
}

/// V07: a key that appears outside and is ignored stays.
#[tokio::test]
async fn v07_an_ignored_key_that_somebody_else_adds_stays() {
    let ignore = r#"['tags["owner"]', 'tags_all']"#;
    let mut world = World::new();
    world.apply(&bucket("tags = { a = '1' }", ignore)).await;
    let tags = lakeform_core::Value::map(lakeform_core::Type::String, [("a", "1".into()), ("owner", "them".into())]);
    world.cloud.drift("fake_bucket", "b", "tags", tags.clone());
    world.cloud.drift("fake_bucket", "b", "tags_all", tags);
    let plan = world.plan(&bucket("tags = { a = '1' }", ignore)).await;
    assert_eq!(summary(&plan), "");
    assert_eq!(plan.drift.len(), 1, "what is ignored is still recorded");
}

/// V07
#[tokio::test]
async fn v07_all_ignores_everything_and_replaces_nothing() {
    let mut world = World::new();
    world.apply(&bucket("tags = { a = '1' }", "'all'")).await;
    let other = "[resource.fake_bucket.b]\nname = 'other'\nlifecycle = { ignore_changes = 'all' }\n";
    assert_eq!(summary(&world.plan(other).await), "");
}

/// V07
#[tokio::test]
async fn v07_an_attribute_inside_a_block_can_be_ignored() {
    let text = |kind: &str, label: &str| {
        format!(
            "[resource.fake_database.d]\nname = 'd'\n[resource.fake_table.t]\nname = 't'\ndatabase = \
             '${{fake_database.d.id}}'\ncolumn = [{{ name = 'x', type = '{kind}', labels = {{ l = '{label}' }} }}]\nlifecycle = \
             {{ ignore_changes = ['column[0].type'] }}\n"
        )
    };
    let mut world = World::new();
    world.apply(&text("int", "1")).await;
    assert_eq!(summary(&world.plan(&text("text", "1")).await), "");
    let plan = world.plan(&text("text", "2")).await;
    let column = change(&plan, "fake_table.t").after.get("column").unwrap().as_slice().unwrap()[0].clone();
    assert_eq!(column.get("type").unwrap().as_str(), Some("int"));
}

/// V07: a tainted object is replaced whatever is ignored.
#[tokio::test]
async fn v07_taint_wins_over_ignore_changes() {
    let mut world = World::new();
    world.apply(&bucket("", "'all'")).await;
    world.taint("fake_bucket.b");
    assert_eq!(summary(&world.plan(&bucket("", "'all'")).await), "fake_bucket.b DeleteThenCreate");
}

fn triggered(name: &str, size: u32, by: &str) -> String {
    format!(
        "[resource.fake_thing.a]\nname = '{name}'\nsize = {size}\n[resource.fake_thing.b]\nname = 'b'\nlifecycle = {{ \
         replace_triggered_by = ['{by}'] }}\n"
    )
}

/// R11
#[tokio::test]
async fn r11_an_update_and_a_replacement_of_the_trigger_replace() {
    for (name, size, action) in [("x", 1, Action::Update), ("a", 2, Action::DeleteThenCreate)] {
        let mut world = World::new();
        world.apply(&triggered("a", 1, "fake_thing.a")).await;
        let plan = world.plan(&triggered(name, size, "fake_thing.a")).await;
        assert_eq!(change(&plan, "fake_thing.a").action, action);
        let b = change(&plan, "fake_thing.b");
        assert_eq!((b.action, b.reason), (Action::DeleteThenCreate, Some(Reason::ReplaceByTriggers)));
        world.apply(&triggered(name, size, "fake_thing.a")).await;
    }
}

/// R11
#[tokio::test]
async fn r11_an_attribute_as_trigger_replaces_only_when_it_changes() {
    let mut world = World::new();
    world.apply(&triggered("a", 1, "fake_thing.a.name")).await;
    let plan = world.plan(&triggered("x", 1, "fake_thing.a.name")).await;
    assert_eq!(change(&plan, "fake_thing.b").action, Action::DeleteThenCreate);
    let mut world = World::new();
    world.apply(&triggered("a", 1, "fake_thing.a.size")).await;
    let plan = world.plan(&triggered("x", 1, "fake_thing.a.size")).await;
    assert_eq!(summary(&plan), "fake_thing.a Update");
}

/// R11
#[tokio::test]
async fn r11_a_trigger_that_is_first_created_replaces_nothing() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.b]\nname = 'b'\n").await;
    let plan = world.plan(&triggered("a", 1, "fake_thing.a")).await;
    assert_eq!(summary(&plan), "fake_thing.a Create");
}

/// R11
#[tokio::test]
async fn r11_an_instance_can_be_triggered_by_its_counterpart() {
    let text = |second: &str| {
        format!(
            "[resource.fake_thing.a]\nfor_each = {{ x = '1', y = '{second}' }}\nname = '${{each.value}}'\n\
             [resource.fake_thing.b]\nfor_each = ['x', 'y']\nname = 'b'\nlifecycle = {{ replace_triggered_by = \
             ['fake_thing.a[each.key]'] }}\n"
        )
    };
    let mut world = World::new();
    world.apply(&text("1")).await;
    let plan = world.plan(&text("2")).await;
    assert_eq!(summary(&plan), "fake_thing.a[\"y\"] Update, fake_thing.b[\"y\"] DeleteThenCreate");
    let plan = world.plan(&text("2").replace("a[each.key]", "a[each.key].size")).await;
    assert_eq!(summary(&plan), "fake_thing.a[\"y\"] Update");
}

/// R11
#[tokio::test]
async fn r11_a_trigger_that_does_not_exist_is_refused() {
    let world = World::new();
    let told = world
        .refusal("[resource.fake_thing.b]\nname = 'b'\nlifecycle = { replace_triggered_by = ['fake_thing.nowhere'] }")
        .await;
    assert!(told.contains("nowhere"), "{told}");
}

#[tokio::test]
async fn depends_on_orders_without_a_reference() {
    let text =
        "[resource.fake_thing.z]\nname = 'z'\n[resource.fake_thing.a]\nname = 'a'\ndepends_on = ['fake_thing.z']\n";
    let mut world = World::new();
    assert_eq!(world.calls_of(text).await, ["create fake_thing z", "create fake_thing a"]);
    assert_eq!(world.object("fake_thing.a").unwrap().dependencies[0].to_string(), "fake_thing.z");
    world.cloud.forget_calls();
    world.destroy(text).await;
    assert_eq!(world.cloud.changes(), ["delete fake_thing a", "delete fake_thing z"]);
}

/// V08
#[tokio::test]
async fn v08_a_precondition_stops_before_and_a_postcondition_after() {
    const ALWAYS: &str = "${path.root == path.root}";
    const NEVER: &str = "${path.root != path.root}";
    let text = |pre: &str, post: &str| {
        format!(
            "[resource.fake_thing.a]\nname = 'a'\n[[resource.fake_thing.a.lifecycle.precondition]]\ncondition = \
             '{pre}'\nerror_message = 'not before'\n[[resource.fake_thing.a.lifecycle.postcondition]]\ncondition = \
             '{post}'\nerror_message = 'not after'\n[resource.fake_thing.b]\nname = '${{fake_thing.a.id}}'\n"
        )
    };
    let mut world = World::new();
    let told = world.refusal(&text(NEVER, ALWAYS)).await;
    assert!(told.contains("not before") && told.contains("fake_thing.a"), "{told}");
    let told = world.refusal(&text(ALWAYS, "${self.name != \"a\"}")).await;
    assert!(told.contains("not after"), "a postcondition whose values are known fails at plan: {told}");
    // The id is known only afterwards: the object stays, its dependents are not made.
    let (report, told) = world.failure(&text(ALWAYS, "${self.id != \"thing-1\"}")).await;
    assert!(told.contains("not after"), "{told}");
    assert_eq!((report.added, report.skipped.len()), (1, 1));
    assert_eq!(world.addresses(), ["fake_thing.a"]);
    assert!(!world.object("fake_thing.a").unwrap().tainted);
}

#[tokio::test]
async fn x06_create_before_destroy_alone_changes_nothing_in_the_cloud() {
    let mut world = World::new();
    world.apply(&thing("name = 'a'")).await;
    let plan = world.plan(&thing("name = 'a'\nlifecycle = { create_before_destroy = true }")).await;
    assert!(!plan.has_changes(), "X06: {}", summary(&plan));
}

#[tokio::test]
async fn v08_a_failed_precondition_of_one_instance_is_told_with_its_address() {
    let world = World::new();
    world.cloud.inject(Fault::on(Op::Read).always().fails(ErrorKind::Denied));
    let told = world
        .refusal(
            "[resource.fake_thing.a]\ncount = 2\n[[resource.fake_thing.a.lifecycle.precondition]]\ncondition = '${count.index \
             < 1}'\nerror_message = 'too many'\n",
        )
        .await;
    assert!(told.contains("fake_thing.a[1]") && !told.contains("fake_thing.a[0]"), "{told}");
}
