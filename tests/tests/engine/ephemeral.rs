//! What a run has and nothing keeps: ephemeral variables, outputs and resources, write-only arguments.

use lakeform_core::Value;
use lakeform_engine::PlanFile;
use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Fault, Op};

use crate::support::world::{World, change, summary};

/// A database that is given a token.
const STACK: &str = "
[ephemeral.fake_token.t]
audience = 'db'
[resource.fake_database.d]
name = 'd'
token_wo = '${ephemeral.fake_token.t.token}'
token_wo_version = 1
";

const VARIABLE: &str = "
[variable.key]
ephemeral = true
[resource.fake_database.d]
name = 'd'
token_wo = '${var.key}'
token_wo_version = 1
";

/// What a plan file of a stack holds, and the plan that it gives back.
async fn saved(world: &World, text: &str) -> String {
    let plan = world.plan(text).await;
    String::from_utf8(PlanFile::write(&plan, &world.stack(text), &world.providers).unwrap()).unwrap()
}

#[tokio::test]
async fn v05_an_ephemeral_resource_is_opened_by_each_run_and_kept_nowhere() {
    let mut world = World::new();
    let file = saved(&world, STACK).await;
    assert_eq!(world.cloud.count(Op::Lookup), 1, "opened in the plan");
    let plan = PlanFile::read(file.as_bytes()).unwrap();
    let plan = plan.into_plan(&world.stack(STACK), &world.providers, &world.state, &[].into()).unwrap();
    assert_eq!(summary(&plan), "fake_database.d Create");
    let report = world.carry_out(STACK, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.cloud.written("d"), ["token-2-for-db"], "the token of the apply, not of the plan");
    let state = String::from_utf8(world.state.to_bytes()).unwrap();
    assert!(!file.contains("for-db") && !state.contains("for-db") && !state.contains("fake_token"), "{file}\n{state}");
    assert_eq!(summary(&world.plan(STACK).await), "", "another token is no change");
    world.apply(&STACK.replace("version = 1", "version = 2")).await;
    assert_eq!(world.cloud.written("d").len(), 2);
}

#[tokio::test]
async fn v05_an_ephemeral_resource_of_what_is_not_known_yet_waits_for_the_apply() {
    let text = format!("[resource.fake_bucket.b]\nname = 'b'\n{}", STACK.replace("'db'", "'${fake_bucket.b.id}'"));
    let mut world = World::new();
    let plan = world.plan(&text).await;
    assert_eq!(world.cloud.count(Op::Lookup), 0, "nothing to open with");
    let report = world.carry_out(&text, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    let id = world.attribute("fake_bucket.b", "id").unwrap();
    assert_eq!(world.cloud.written("d"), [format!("token-1-for-{id}")]);
    // `depends_on` alone makes it wait as long as there is something to wait for.
    let text = format!(
        "[resource.fake_bucket.c]\nname = 'c'\n{}",
        STACK.replace("'db'", "'db'\ndepends_on = ['fake_bucket.c']")
    );
    let world = World::new();
    world.plan(&text).await;
    assert_eq!(world.cloud.count(Op::Lookup), 0);
}

#[tokio::test]
async fn v05_instances_and_conditions_of_ephemeral_resources() {
    let text = "
[ephemeral.fake_token.t]
for_each = ['x', 'y']
audience = '${each.key}'
lifecycle = { postcondition = [{ condition = '${startswith(self.token, \"token-\")}', error_message = 'no token' }] }
[locals]
all = '${join(\",\", [for k, t in ephemeral.fake_token.t : \"${k}=${length(t.token)}\"])}'
[resource.fake_database.d]
name = 'd'
token_wo = '${local.all}'
token_wo_version = 1
";
    let mut world = World::new();
    world.apply(text).await;
    assert_eq!(world.cloud.written("d"), ["x=13,y=13"]);
    let told = world.refusal(&text.replace("\"token-\"", "\"coupon-\"")).await;
    assert!(told.contains("Postcondition failed: `ephemeral.fake_token.t[\"x\"]`"), "{told}");
}

#[tokio::test]
async fn v05_an_ephemeral_resource_can_configure_a_provider_and_reach_the_last_delete() {
    let text = "[[provider.fake]]\n[[provider.fake]]\nalias = 'a'\nkey = '${ephemeral.fake_token.t.token}'\n\
                [ephemeral.fake_token.t]\naudience = 'provider'\n[resource.fake_bucket.x]\nname = 'x'\nprovider = 'fake.a'\n";
    let mut world = World::new();
    world.apply(text).await;
    world.cloud.forget_calls();
    let report = world.destroy(text).await;
    assert!(report.diagnostics.is_empty() && world.cloud.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.cloud.count(Op::Lookup), 2, "once in the plan, once in the apply");
}

#[tokio::test]
async fn v05_a_failing_ephemeral_resource_stops_only_what_uses_it() {
    let text = format!("{STACK}[resource.fake_thing.apart]\nname = 'apart'\n").replace("'db'", "'${fake_bucket.b.id}'")
        + "[resource.fake_bucket.b]\nname = 'b'\n";
    let mut world = World::new();
    let plan = world.plan(&text).await;
    world.cloud.inject(Fault::on(Op::Lookup).of("fake_token").fails(ErrorKind::Denied));
    let report = world.carry_out(&text, plan).await;
    assert!(report.diagnostics.has_errors());
    assert!(report.diagnostics.to_string().contains("ephemeral.fake_token.t"), "{}", report.diagnostics);
    assert_eq!(world.addresses(), ["fake_bucket.b", "fake_thing.apart"]);
}

/// As Terraform 1.11: an ephemeral variable that was set must be set again, to whatever value; one that was not must not.
#[tokio::test]
async fn v05_ephemeral_variables_are_given_again_to_a_saved_plan() {
    let mut world = World::new();
    world.variables.insert("key".into(), "hunter2".into());
    let file = saved(&world, VARIABLE).await;
    assert!(!file.contains("hunter2"), "{file}");
    let resume = |given: &[(&str, &str)]| {
        let given = given.iter().map(|(k, v)| ((*k).into(), Value::from(*v))).collect();
        let plan = PlanFile::read(file.as_bytes()).unwrap();
        plan.into_plan(&world.stack(VARIABLE), &world.providers, &world.state, &given).map_err(|e| e.to_string())
    };
    assert!(resume(&[]).unwrap_err().contains("must be set again: key"));
    let plan = resume(&[("key", "swordfish")]).unwrap();
    let report = world.carry_out(VARIABLE, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.cloud.written("d"), ["swordfish"]);

    let text = VARIABLE.replace("ephemeral = true", "ephemeral = true\ndefault = 'usual'");
    let world = World::new();
    let file = saved(&world, &text).await;
    let given = [("key".into(), Value::from("other"))].into();
    let plan = PlanFile::read(file.as_bytes()).unwrap();
    let told = plan.into_plan(&world.stack(&text), &world.providers, &world.state, &given).unwrap_err().to_string();
    assert!(told.contains("must not be set now: key"), "{told}");
}

#[tokio::test]
async fn v05_an_ephemeral_value_goes_through_modules_that_say_so() {
    let mut world = World::new();
    world.module("m", "[variable.in]\nephemeral = true\n[output.out]\nvalue = '<${var.in}>'\nephemeral = true\n");
    let text = format!(
        "[module.m]\nsource = './m'\nin = '${{var.key}}'\n{}",
        VARIABLE.replace("${var.key}", "${module.m.out}")
    );
    world.variables.insert("key".into(), "k".into());
    world.apply(&text).await;
    assert_eq!(world.cloud.written("d"), ["<k>"]);
    let told = world.refusal(&format!("{text}[output.o]\nvalue = '${{module.m.out}}'\n")).await;
    assert!(told.contains("Ephemeral value not allowed"), "{told}");
}

#[tokio::test]
async fn v05_an_expression_can_tell_a_plan_from_an_apply() {
    let text = "[resource.fake_database.d]\nname = 'd'\ntoken_wo = '${terraform.applying ? \"now\" : \"then\"}'\n";
    let mut world = World::new();
    world.apply(text).await;
    assert_eq!(world.cloud.written("d"), ["now"]);
    let told = world.refusal("[resource.fake_thing.a]\nname = '${terraform.applying}'\n").await;
    assert!(told.contains("Invalid use of ephemeral value"), "{told}");
}

/// From a write-only argument to an ordinary one and back: what was not stored is stored, and no longer.
#[tokio::test]
async fn v05_an_argument_becomes_write_only() {
    let text = |argument: &str| {
        format!("[resource.fake_database.d]\nname = 'd'\n{argument} = 'hunter2'\ntoken_wo_version = 1\n")
    };
    let mut world = World::new();
    world.apply(&text("password")).await;
    assert!(String::from_utf8(world.state.to_bytes()).unwrap().contains("hunter2"));
    assert_eq!(summary(&world.plan(&text("token_wo")).await), "fake_database.d Update");
    world.apply(&text("token_wo")).await;
    assert!(!String::from_utf8(world.state.to_bytes()).unwrap().contains("hunter2"));
    assert_eq!(world.cloud.written("d"), ["hunter2"]);
    let plan = world.plan(&text("password")).await;
    assert!(change(&plan, "fake_database.d").after.get("password").unwrap().is_sensitive());
}
