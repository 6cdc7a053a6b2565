//! Replacing, in either order, and what a replacement leaves behind.

use lakeform_engine::{Action, Reason};
use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Fault, Op};

use crate::support::world::{World, address, change, summary};

const FIRST: &str = "lifecycle = { create_before_destroy = true }";

fn thing(size: u32, lifecycle: &str) -> String {
    format!("[resource.fake_thing.a]\nname = 'a'\nsize = {size}\n{lifecycle}\n")
}

/// R01
#[tokio::test]
async fn r01_a_replacement_deletes_first_unless_create_before_destroy_is_set() {
    for (lifecycle, wanted, action) in [
        ("", ["delete fake_thing a", "create fake_thing a"], Action::DeleteThenCreate),
        (FIRST, ["create fake_thing a", "delete fake_thing a"], Action::CreateThenDelete),
    ] {
        let mut world = World::new();
        world.apply(&thing(1, lifecycle)).await;
        let plan = world.plan(&thing(2, lifecycle)).await;
        let change = change(&plan, "fake_thing.a");
        assert_eq!((change.action, change.reason), (action, Some(Reason::ReplaceBecauseCannotUpdate)));
        assert_eq!(change.replace_paths, [lakeform_core::Path::attr("size")]);
        assert!(!change.after.get("id").unwrap().is_known(), "the new object has another id");
        assert_eq!(world.calls_of(&thing(2, lifecycle)).await, wanted);
        assert_eq!((world.cloud.len(), world.deposed("fake_thing.a")), (1, 0));
        assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-2"));
    }
}

fn with_user(size: u32, lifecycle: &str) -> String {
    format!("{}[resource.fake_thing.user]\nname = '${{fake_thing.a.id}}'\n", thing(size, lifecycle))
}

/// R02
#[tokio::test]
async fn r02_a_dependent_is_updated_between_the_create_and_the_delete() {
    let mut world = World::new();
    world.apply(&with_user(1, FIRST)).await;
    let calls = world.calls_of(&with_user(2, FIRST)).await;
    assert_eq!(calls, ["create fake_thing a", "update fake_thing thing-1", "delete fake_thing a"]);
}

#[tokio::test]
async fn r01_without_create_before_destroy_a_dependent_is_updated_last() {
    let mut world = World::new();
    world.apply(&with_user(1, "")).await;
    let calls = world.calls_of(&with_user(2, "")).await;
    assert_eq!(calls, ["delete fake_thing a", "create fake_thing a", "update fake_thing thing-1"]);
}

fn infected(size: u32) -> String {
    format!("{}[resource.fake_thing.user]\nname = 'u-${{fake_thing.a.id}}'\nsize = {size}\n{FIRST}\n", thing(size, ""))
}

/// R03: what a resource that creates first depends on must stand until the old one is gone.
#[tokio::test]
async fn r03_create_before_destroy_is_forced_on_dependencies_and_kept_in_state() {
    let mut world = World::new();
    world.apply(&infected(1)).await;
    assert!(world.object("fake_thing.a").unwrap().create_before_destroy);
    assert!(world.object("fake_thing.user").unwrap().create_before_destroy);
    let plan = world.plan(&infected(2)).await;
    assert_eq!(summary(&plan), "fake_thing.a CreateThenDelete, fake_thing.user CreateThenDelete");
    let calls = world.calls_of(&infected(2)).await;
    let wanted =
        ["create fake_thing a", "create fake_thing u-thing-3", "delete fake_thing u-thing-1", "delete fake_thing a"];
    assert_eq!(calls, wanted);
}

/// R04
#[tokio::test]
async fn r04_a_pure_destroy_ignores_create_before_destroy() {
    let mut world = World::new();
    world.apply(&infected(1)).await;
    world.cloud.forget_calls();
    let report = world.destroy(&infected(1)).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.cloud.changes(), ["delete fake_thing u-thing-1", "delete fake_thing a"]);
}

/// R05
#[tokio::test]
async fn r05_old_objects_that_cannot_be_deleted_pile_up_as_deposed_and_go_later() {
    let mut world = World::new();
    world.apply(&thing(1, FIRST)).await;
    world.cloud.inject(Fault::on(Op::Delete).always().fails(ErrorKind::Conflict));
    let (report, _) = world.failure(&thing(2, FIRST)).await;
    assert_eq!((report.added, report.destroyed), (1, 0));
    assert_eq!((world.deposed("fake_thing.a"), world.cloud.len()), (1, 2));
    world.failure(&thing(3, FIRST)).await;
    assert_eq!((world.deposed("fake_thing.a"), world.cloud.len()), (2, 3));
    world.cloud.clear_faults();
    world.cloud.inject(Fault::on(Op::Delete).fails(ErrorKind::Conflict));
    world.failure(&thing(3, FIRST)).await;
    assert_eq!((world.deposed("fake_thing.a"), world.cloud.len()), (1, 2));
    let plan = world.plan(&thing(3, FIRST)).await;
    assert_eq!(summary(&plan), "fake_thing.a (deposed) Delete");
    world.apply(&thing(3, FIRST)).await;
    assert_eq!((world.deposed("fake_thing.a"), world.cloud.len()), (0, 1));
    assert_eq!(world.attribute("fake_thing.a", "size").as_deref(), Some("3"));
}

/// R06
#[tokio::test]
async fn r06_a_failed_create_gives_the_old_object_its_place_back() {
    for tainted in [false, true] {
        let mut world = World::new();
        world.apply(&thing(1, FIRST)).await;
        if tainted {
            world.taint("fake_thing.a");
        }
        world.cloud.inject(Fault::on(Op::Create).fails(ErrorKind::Denied));
        world.failure(&thing(2, FIRST)).await;
        assert_eq!(world.deposed("fake_thing.a"), 0);
        let object = world.object("fake_thing.a").unwrap();
        assert_eq!(object.tainted, tainted);
        assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-1"));
        world.apply(&thing(2, FIRST)).await;
        assert_eq!(world.cloud.len(), 1);
    }
}

#[tokio::test]
async fn r06_a_half_made_replacement_is_tainted_and_the_old_object_stays_deposed() {
    let mut world = World::new();
    world.apply(&thing(1, FIRST)).await;
    world.cloud.inject(Fault::on(Op::Create).fails_after(ErrorKind::Other));
    world.failure(&thing(2, FIRST)).await;
    assert!(world.object("fake_thing.a").unwrap().tainted);
    assert_eq!(world.deposed("fake_thing.a"), 1);
    let plan = world.plan(&thing(2, FIRST)).await;
    assert_eq!(summary(&plan), "fake_thing.a CreateThenDelete, fake_thing.a (deposed) Delete");
    world.apply(&thing(2, FIRST)).await;
    assert_eq!((world.deposed("fake_thing.a"), world.cloud.len()), (0, 1));
}

/// R07
#[tokio::test]
async fn r07_only_a_deposed_object_left_means_create_and_delete_it() {
    let mut world = World::new();
    world.apply(&thing(1, FIRST)).await;
    world.state.depose(&address("fake_thing.a")).unwrap();
    let plan = world.plan(&thing(1, FIRST)).await;
    assert_eq!(summary(&plan), "fake_thing.a Create, fake_thing.a (deposed) Delete");
    world.apply(&thing(1, FIRST)).await;
    assert_eq!(world.cloud.len(), 1);
    world.state.depose(&address("fake_thing.a")).unwrap();
    world.destroy(&thing(1, FIRST)).await;
    assert_eq!((world.cloud.len(), world.addresses().len()), (0, 0));
}

/// R08
#[tokio::test]
async fn r08_a_deposed_object_that_is_gone_is_dropped_without_a_word() {
    let mut world = World::new();
    world.apply(&thing(1, FIRST)).await;
    world.cloud.inject(Fault::on(Op::Delete).fails(ErrorKind::Conflict));
    world.failure(&thing(2, FIRST)).await;
    world.cloud.vanish("fake_thing", "thing-1");
    let plan = world.plan(&thing(2, FIRST)).await;
    assert_eq!(summary(&plan), "");
    assert!(plan.drift.is_empty());
    assert!(plan.prior_state.get(&address("fake_thing.a")).unwrap().deposed.is_empty());
}

/// R10
#[tokio::test]
async fn r10_scaling_in_deletes_before_the_dependent_is_updated_and_after_it_where_created_first() {
    let text = |count: u32, lifecycle: &str| {
        format!(
            "[resource.fake_thing.a]\ncount = {count}\nname = 'a${{count.index}}'\n{lifecycle}\n[resource.fake_thing.all]\nname \
             = '${{join(\",\", fake_thing.a[*].name)}}'\n"
        )
    };
    for (lifecycle, wanted) in [
        ("", ["delete fake_thing a1", "update fake_thing a0,a1"]),
        (FIRST, ["update fake_thing a0,a1", "delete fake_thing a1"]),
    ] {
        let mut world = World::new();
        world.apply(&text(2, lifecycle)).await;
        assert_eq!(world.calls_of(&text(1, lifecycle)).await, wanted);
    }
}

/// R13, V09: the plan has to fear a replacement, and the apply finds that nothing is to be done.
#[tokio::test]
async fn r13_an_unknown_value_that_turns_out_equal_replaces_nothing() {
    let text = |location: &str| {
        format!(
            "[resource.fake_database.d]\nname = 'd'\nlocation = '{location}'\n[resource.fake_bucket.b]\nname = \
             '${{length(fake_database.d.endpoint) > 3 ? \"long\" : \"short\"}}'\n{FIRST}\n"
        )
    };
    let mut world = World::new();
    world.apply(&text("north")).await;
    let plan = world.plan(&text("south")).await;
    assert_eq!(change(&plan, "fake_bucket.b").action, Action::CreateThenDelete);
    assert!(!change(&plan, "fake_bucket.b").after.get("name").unwrap().is_known());
    world.cloud.forget_calls();
    let report = world.apply(&text("south")).await;
    assert_eq!(world.cloud.changes(), ["update fake_database d"]);
    assert_eq!((report.added, report.changed, report.destroyed), (0, 1, 0));
    assert_eq!(world.cloud.list(), ["fake_bucket long", "fake_database d"]);
}

/// R09
#[tokio::test]
async fn r09_replacements_across_modules_are_no_cycle() {
    let mut world = World::new();
    world.module(
        "m",
        "[variable.name]\n[variable.size]\n[resource.fake_thing.x]\nname = '${var.name}'\nsize = '${var.size}'\nlifecycle = { \
         create_before_destroy = true }\n[output.id]\nvalue = '${fake_thing.x.id}'\n",
    );
    let text = |size: u32| {
        format!(
            "[module.a]\nsource = './m'\nname = 'a'\nsize = {size}\n[module.b]\nsource = './m'\nname = \
             'b-${{module.a.id}}'\nsize = {size}\n"
        )
    };
    world.apply(&text(1)).await;
    let calls = world.calls_of(&text(2)).await;
    let wanted =
        ["create fake_thing a", "create fake_thing b-thing-3", "delete fake_thing b-thing-1", "delete fake_thing a"];
    assert_eq!(calls, wanted);
}
