//! What a plan promises: unknown values, spelling, tags, secrets.

use lakeform_core::Value;
use lakeform_engine::Action;
use lakeform_testkit::fake::{Fault, Op};

use crate::support::world::{World, change, summary};

const DATABASE: &str = "[resource.fake_database.d]\nname = 'd'\nlocation = 'north'\npassword = 'hunter2'\n";

#[tokio::test]
async fn v01_what_the_api_decides_is_unknown_until_it_is_applied() {
    let mut world = World::new();
    let plan = world.plan(DATABASE).await;
    let after = &change(&plan, "fake_database.d").after;
    for name in ["endpoint", "id", "secret"] {
        assert!(!after.get(name).unwrap().is_known(), "{name}");
    }
    assert_eq!(after.get("size").unwrap().as_i64(), Some(10), "a default is known");
    world.apply(DATABASE).await;
    assert_eq!(world.attribute("fake_database.d", "endpoint").as_deref(), Some("d.north.fake"));
}

#[tokio::test]
async fn v01_a_computed_value_that_a_change_touches_is_unknown_again_and_others_are_not() {
    let mut world = World::new();
    world.apply(DATABASE).await;
    let plan = world.plan(&DATABASE.replace("north", "south")).await;
    let after = &change(&plan, "fake_database.d").after;
    assert!(!after.get("endpoint").unwrap().is_known());
    assert_eq!(after.get("id").unwrap().as_str(), Some("database-1"));
}

/// V06, X07
#[tokio::test]
async fn v06_x07_the_spelling_of_the_stack_stays_in_state_and_is_no_drift() {
    let text = "[resource.fake_database.d]\nname = 'd'\nlocation = 'north'\n[resource.fake_table.t]\nname = 't'\ndatabase = \
                '${fake_database.d.id}'\npolicy = { a = 1, b = [1, 2] }\ncolumn = [{ name = 'c' }]\n";
    let mut world = World::new();
    world.apply(text).await;
    assert_eq!(world.cloud.object("fake_database", "d").unwrap().get("location").unwrap().as_str(), Some("NORTH"));
    assert_eq!(world.attribute("fake_database.d", "location").as_deref(), Some("north"));
    let plan = world.plan(text).await;
    assert!(plan.drift.is_empty(), "{:?}", plan.drift);
    assert_eq!(summary(&world.plan(&text.replace("'north'", "'North'")).await), "");
}

/// V06: a real change outside is drift, and a plan brings it back.
#[tokio::test]
async fn another_meaning_is_drift() {
    let mut world = World::new();
    world.apply(DATABASE).await;
    world.cloud.drift("fake_database", "d", "location", "SOUTH");
    let plan = world.plan(DATABASE).await;
    assert_eq!(plan.drift.len(), 1);
    assert_eq!(plan.drift[0].after.get("location").unwrap().as_str(), Some("SOUTH"));
    assert_eq!(summary(&plan), "fake_database.d Update");
    world.apply(DATABASE).await;
    assert_eq!(world.cloud.object("fake_database", "d").unwrap().get("location").unwrap().as_str(), Some("NORTH"));
}

const TAGS: &str = "[provider.fake]\ndefault_tags = { tags = { team = 'lake', tier = '1' } }\n[resource.fake_bucket.b]\nname = \
                    'b'\ntags = { tier = '2', own = 'x' }\n[resource.fake_bucket.bare]\nname = 'bare'\n";

#[tokio::test]
async fn default_tags_lie_under_an_object_s_own() {
    let mut world = World::new();
    world.apply(TAGS).await;
    assert_eq!(
        world.attribute("fake_bucket.b", "tags_all").as_deref(),
        Some(r#"{"own":"x","team":"lake","tier":"2"}"#)
    );
    assert_eq!(world.attribute("fake_bucket.bare", "tags_all").as_deref(), Some(r#"{"team":"lake","tier":"1"}"#));
    assert_eq!(world.attribute("fake_bucket.bare", "tags"), None);
    let plan = world.plan(&TAGS.replace("team = 'lake'", "team = 'sea'")).await;
    assert_eq!(summary(&plan), "fake_bucket.b Update, fake_bucket.bare Update");
}

#[tokio::test]
async fn tags_that_are_unknown_make_all_tags_unknown() {
    let text = "[resource.fake_thing.a]\n[resource.fake_bucket.b]\nname = 'b'\ntags = { of = '${fake_thing.a.id}' }\n";
    let mut world = World::new();
    let plan = world.plan(text).await;
    assert!(!change(&plan, "fake_bucket.b").after.get("tags_all").unwrap().is_known());
    world.apply(text).await;
    assert_eq!(world.attribute("fake_bucket.b", "tags_all").as_deref(), Some(r#"{"of":"thing-1"}"#));
}

fn named_by(sensitive: bool) -> String {
    format!(
        "[variable.n]\ndefault = 'hunter2'\nsensitive = {sensitive}\n[resource.fake_thing.a]\nname = '${{var.n}}'\n"
    )
}

/// V04: an update as in Terraform, so that the state knows what to hide. It calls nothing but the update.
#[tokio::test]
async fn v04_a_change_of_sensitivity_alone_is_an_update() {
    let mut world = World::new();
    for sensitive in [false, true, false] {
        world.apply(&named_by(sensitive)).await;
        assert_eq!(world.object("fake_thing.a").unwrap().sensitive_attributes.is_empty(), !sensitive);
        assert_eq!(summary(&world.plan(&named_by(!sensitive)).await), "fake_thing.a Update");
    }
}

/// V04
#[tokio::test]
async fn v04_sensitive_marks_are_kept_in_state_and_in_plans() {
    let mut world = World::new();
    let plan = world.plan(&named_by(true)).await;
    assert!(change(&plan, "fake_thing.a").after.get("name").unwrap().is_sensitive());
    world.apply(&named_by(true)).await;
    let marked = &world.object("fake_thing.a").unwrap().sensitive_attributes;
    assert_eq!(marked, &[lakeform_core::Path::attr("name")]);
    let plan = world.plan(&named_by(true)).await;
    assert!(change(&plan, "fake_thing.a").before.get("name").unwrap().is_sensitive());
}

/// V04
#[tokio::test]
async fn v04_a_sensitive_value_reaches_an_output_only_on_purpose() {
    let world = World::new();
    let told = world.refusal(&format!("{DATABASE}[output.o]\nvalue = '${{fake_database.d.password}}'\n")).await;
    assert!(told.contains("Output `o` refers to sensitive values") && !told.contains("hunter2"), "{told}");
    let plan =
        world.plan(&format!("{DATABASE}[output.o]\nvalue = '${{fake_database.d.password}}'\nsensitive = true\n")).await;
    assert!(plan.outputs["o"].after.is_sensitive());
}

/// V04
#[tokio::test]
async fn v04_problems_never_tell_a_secret() {
    let text = "[variable.n]\ndefault = 'hunter2'\nsensitive = true\n[resource.fake_thing.a]\nsize = '${var.n}'\n";
    let told = World::new().refusal(text).await;
    assert!(!told.contains("hunter2"), "{told}");
}

/// V05
#[tokio::test]
async fn v05_a_write_only_value_is_in_neither_plan_nor_state() {
    let text = "[resource.fake_database.d]\nname = 'd'\ntoken_wo = 'hunter2'\ntoken_wo_version = 1\n";
    let mut world = World::new();
    let plan = world.plan(text).await;
    assert!(change(&plan, "fake_database.d").after.get("token_wo").unwrap().is_null());
    world.apply(text).await;
    assert!(!String::from_utf8(world.state.to_bytes()).unwrap().contains("hunter2"));
    assert_eq!(summary(&world.plan(&text.replace("hunter2", "other")).await), "");
    assert_eq!(summary(&world.plan(&text.replace("= 1", "= 2")).await), "fake_database.d Update");
}

/// V03
#[tokio::test]
async fn v03_an_unstable_function_is_unknown_in_a_plan_and_called_once() {
    let text = "[resource.fake_thing.a]\nname = '${uuid()}'\nlifecycle = { ignore_changes = ['name'] }\n[output.o]\nvalue = \
                '${fake_thing.a.name}'\n";
    let mut world = World::new();
    let plan = world.plan(text).await;
    assert!(!change(&plan, "fake_thing.a").after.get("name").unwrap().is_known());
    world.apply(text).await;
    let name = world.attribute("fake_thing.a", "name").unwrap();
    assert_eq!(name.len(), 36);
    assert_eq!(world.state.outputs["o"].value.as_str(), Some(name.as_str()));
}

#[tokio::test]
async fn v01_an_optional_computed_attribute_keeps_what_the_api_chose() {
    let text = |owner: &str| {
        format!(
            "[resource.fake_database.d]\nname = 'd'\n[resource.fake_table.t]\nname = 't'\ndatabase = \
             '${{fake_database.d.id}}'\ncolumn = [{{ name = 'c' }}]\n{owner}\n"
        )
    };
    let mut world = World::new();
    world.apply(&text("")).await;
    assert_eq!(world.attribute("fake_table.t", "owner").as_deref(), Some("root"));
    world.apply(&text("owner = 'me'")).await;
    assert_eq!(world.attribute("fake_table.t", "owner").as_deref(), Some("me"));
    assert_eq!(summary(&world.plan(&text("")).await), "", "an unset computed attribute keeps its value");
}

#[tokio::test]
async fn a_provider_whose_configuration_is_unknown_plans_creations() {
    let text = "[[provider.fake]]\n[[provider.fake]]\nalias = 'late'\nregion = '${fake_bucket.x.region}'\n\
                [resource.fake_bucket.x]\nname = 'x'\n[resource.fake_bucket.y]\nname = 'y'\nprovider = 'fake.late'\n";
    let mut world = World::new();
    assert_eq!(world.plan(text).await.counts(), (2, 0, 0));
    world.apply(text).await;
    assert_eq!(world.attribute("fake_bucket.y", "region").as_deref(), Some("test-1"));
    world.cloud.forget_calls();
    world.destroy(text).await;
    assert_eq!(world.cloud.changes(), ["delete fake_bucket y", "delete fake_bucket x"], "20: needed to the last");
}

/// Semantics 4: a plan that no longer holds when its turn comes is not carried out.
#[tokio::test]
async fn a_plan_whose_value_moved_on_is_refused_at_apply() {
    let text = "[resource.fake_bucket.x]\nname = 'x'\n[data.fake_lookup.l]\nname = '${fake_bucket.x.id}'\n\
                [resource.fake_thing.a]\nname = '${data.fake_lookup.l.id}'\nsize = 1\n";
    let mut world = World::new();
    world.apply(text).await;
    let plan = world.plan(&text.replace("size = 1", "size = 2")).await;
    let mut changed = plan.clone();
    let at = changed.changes.iter_mut().find(|c| c.action == Action::DeleteThenCreate).unwrap();
    at.after.set_attr("name", Value::from("planned otherwise"));
    let report = world.carry_out(&text.replace("size = 1", "size = 2"), changed).await;
    assert!(report.diagnostics.to_string().contains("The plan no longer holds"), "{}", report.diagnostics);
}

#[tokio::test]
async fn an_answer_with_an_unknown_attribute_left_out_is_null_in_state() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).answers("secret", Value::null(lakeform_core::Type::String)));
    let report = world.try_apply(DATABASE).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.attribute("fake_database.d", "secret"), None);
}
