//! `count` and `for_each`: growing, shrinking, changing from one to the other.

use lakeform_engine::{Action, Reason};

use crate::support::world::{World, actions, change, summary};

fn counted(n: u32) -> String {
    format!("[resource.fake_thing.a]\ncount = {n}\nname = 'n${{count.index}}'\n")
}

fn keyed(keys: &str) -> String {
    format!("[resource.fake_thing.a]\nfor_each = {{ {keys} }}\nname = '${{each.key}}-${{each.value}}'\n")
}

const PLAIN: &str = "[resource.fake_thing.a]\nname = 'n0'\n";

#[tokio::test]
async fn count_grows_and_shrinks_at_its_end() {
    let mut world = World::new();
    world.apply(&counted(2)).await;
    assert_eq!(summary(&world.plan(&counted(4)).await), "fake_thing.a[2] Create, fake_thing.a[3] Create");
    world.apply(&counted(4)).await;
    let plan = world.plan(&counted(1)).await;
    assert_eq!(summary(&plan), "fake_thing.a[1] Delete, fake_thing.a[2] Delete, fake_thing.a[3] Delete");
    assert_eq!(change(&plan, "fake_thing.a[3]").reason, Some(Reason::DeleteBecauseCountIndex));
    world.apply(&counted(1)).await;
    assert_eq!(world.cloud.list(), ["fake_thing n0"]);
    world.apply(&counted(0)).await;
    assert!(world.cloud.is_empty() && world.addresses().is_empty());
}

#[tokio::test]
async fn for_each_deletes_only_the_keys_that_are_gone() {
    let mut world = World::new();
    world.apply(&keyed("a = 1, b = 2, c = 3")).await;
    let plan = world.plan(&keyed("a = 1, c = 4, d = 5")).await;
    assert_eq!(summary(&plan), "fake_thing.a[\"b\"] Delete, fake_thing.a[\"c\"] Update, fake_thing.a[\"d\"] Create");
    assert_eq!(change(&plan, "fake_thing.a[\"b\"]").reason, Some(Reason::DeleteBecauseEachKey));
    world.apply(&keyed("a = 1, c = 4, d = 5")).await;
    assert_eq!(world.cloud.list(), ["fake_thing a-1", "fake_thing c-4", "fake_thing d-5"]);
}

#[tokio::test]
async fn a_change_from_count_to_for_each_renumbers_nothing_in_silence() {
    let mut world = World::new();
    world.apply(&counted(1)).await;
    let plan = world.plan(&keyed("n = 0")).await;
    let all = actions(&plan);
    assert_eq!(
        all,
        [("fake_thing.a[0]".to_owned(), Action::Delete), ("fake_thing.a[\"n\"]".to_owned(), Action::Create)]
    );
    assert_eq!(change(&plan, "fake_thing.a[0]").reason, Some(Reason::DeleteBecauseWrongRepetition));
}

/// M01: Terraform's implicit moves.
#[tokio::test]
async fn a_block_that_gains_count_keeps_its_object_as_the_first() {
    let mut world = World::new();
    world.apply(PLAIN).await;
    let plan = world.plan(&counted(2)).await;
    assert_eq!(summary(&plan), "fake_thing.a[1] Create");
    let moved = change(&plan, "fake_thing.a[0]");
    assert_eq!(moved.previous_address.as_ref().map(ToString::to_string).as_deref(), Some("fake_thing.a"));
    assert_eq!(moved.action, Action::NoOp);
    world.apply(&counted(2)).await;
    assert_eq!(world.attribute("fake_thing.a[0]", "id").as_deref(), Some("thing-1"));
}

/// M01
#[tokio::test]
async fn a_block_that_loses_count_keeps_its_first_object() {
    let mut world = World::new();
    world.apply(&counted(2)).await;
    let plan = world.plan(PLAIN).await;
    assert_eq!(summary(&plan), "fake_thing.a[1] Delete");
    assert_eq!(change(&plan, "fake_thing.a[1]").reason, Some(Reason::DeleteBecauseWrongRepetition));
    world.apply(PLAIN).await;
    assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-1"));
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn dependents_follow_the_instances() {
    let text = |n: u32| format!("{}[output.names]\nvalue = '${{fake_thing.a[*].name}}'\n", counted(n));
    let mut world = World::new();
    world.apply(&text(2)).await;
    world.apply(&text(3)).await;
    let names = world.state.outputs["names"].value.clone();
    assert_eq!(names.as_slice().unwrap().iter().filter_map(|v| v.as_str()).collect::<Vec<_>>(), ["n0", "n1", "n2"]);
}

#[tokio::test]
async fn a_resource_that_is_switched_off_is_deleted_and_null() {
    let text = |on: bool| {
        format!(
            "[resource.fake_thing.a]\nenabled = {on}\nname = 'a'\n[output.there]\nvalue = '${{fake_thing.a != null}}'\n"
        )
    };
    let mut world = World::new();
    world.apply(&text(true)).await;
    let plan = world.plan(&text(false)).await;
    assert_eq!(change(&plan, "fake_thing.a").reason, Some(Reason::DeleteBecauseDisabled));
    world.apply(&text(false)).await;
    assert_eq!(world.state.outputs["there"].value.as_bool(), Some(false));
}

#[tokio::test]
async fn v02_the_number_of_instances_must_be_known() {
    let world = World::new();
    let base = "[resource.fake_thing.a]\nname = 'a'\n";
    let told = world.refusal(&format!("{base}[resource.fake_thing.b]\ncount = '${{length(fake_thing.a.id)}}'")).await;
    assert!(told.contains("Invalid `count`") && told.contains("known only after apply"), "{told}");
    let told =
        world.refusal(&format!("{base}[resource.fake_thing.b]\nfor_each = '${{toset([fake_thing.a.id])}}'")).await;
    assert!(told.contains("Invalid `for_each`") && told.contains("known only after apply"), "{told}");
}

/// V02
#[tokio::test]
async fn v02_known_keys_with_unknown_values_are_planned() {
    let text = "[resource.fake_thing.a]\nname = 'a'\n[resource.fake_thing.b]\nfor_each = { x = '${fake_thing.a.id}' }\nname \
                = '${each.value}'\n";
    let mut world = World::new();
    let plan = world.plan(text).await;
    assert!(!change(&plan, "fake_thing.b[\"x\"]").after.get("name").unwrap().is_known());
    world.apply(text).await;
    assert_eq!(world.attribute("fake_thing.b[\"x\"]", "name").as_deref(), Some("thing-1"));
}

/// V04
#[tokio::test]
async fn v04_sensitive_values_cannot_tell_instances_apart() {
    let world = World::new();
    let told = world
        .refusal("[variable.s]\ndefault = { a = 1 }\nsensitive = true\n[resource.fake_thing.b]\nfor_each = '${var.s}'")
        .await;
    assert!(told.contains("Invalid for_each") && told.contains("sensitive"), "{told}");
}

#[tokio::test]
async fn a_bad_count_says_what_is_wanted() {
    let world = World::new();
    for (count, wanted) in
        [("-1", "greater than or equal to zero"), ("1.5", "whole number"), ("'${null}'", "null"), ("'x'", "number")]
    {
        let told = world.refusal(&format!("[resource.fake_thing.b]\ncount = {count}")).await;
        assert!(told.contains(wanted), "{count}: {told}");
    }
}
