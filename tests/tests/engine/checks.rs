//! Check blocks, and what state and plan JSON keep of every condition.

use lakeform_core::{Diagnostics, Severity};
use lakeform_engine::{Action, CheckStatus, Plan, PlanFile, PlanMode, Reason};
use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Bucket, Fault, Op};
use serde_json::{Value as Json, json};

use crate::support::{
    cli::Folder,
    world::{World, change, summary, told},
};

fn warnings(problems: &Diagnostics) -> String {
    assert!(problems.iter().all(|d| d.severity == Severity::Warning), "{problems}");
    told(problems)
}

fn status(plan: &Plan, block: &str) -> CheckStatus {
    plan.checks.0.get(block).unwrap_or_else(|| panic!("nothing of {block}")).status()
}

/// What state keeps of one block.
fn kept(world: &World, block: &str) -> Json {
    let all = world.state.check_results.as_ref().expect("no results").parse().unwrap();
    let found = all.as_array().unwrap().iter().find(|r| r["config_addr"] == block).cloned();
    found.unwrap_or_else(|| panic!("nothing of {block} in {all}"))
}

const SIZE: &str = "[variable.size]\ndefault = 3\n[resource.fake_thing.a]\nname = 'a'\n[check.size]\nassert = [{ condition = \
                    '${var.size > 10}', error_message = 'size is ${var.size}' }, { condition = '${var.size < 5}', \
                    error_message = 'too large' }]\n";

#[tokio::test]
async fn a_check_that_fails_is_a_warning_and_stops_nothing() {
    let mut world = World::new();
    let plan = world.plan(SIZE).await;
    assert_eq!(warnings(&plan.diagnostics), "check.size: Check block assertion failed: size is 3");
    let report = world.carry_out(SIZE, plan).await;
    assert_eq!(warnings(&report.diagnostics), "check.size: Check block assertion failed: size is 3");
    assert_eq!((report.added, world.addresses()), (1, vec!["fake_thing.a".to_owned()]));
    let object = json!({ "object_addr": "check.size", "status": "fail", "failure_messages": ["size is 3"] });
    let wanted = json!({ "object_kind": "check", "config_addr": "check.size", "status": "fail", "objects": [object] });
    assert_eq!(kept(&world, "check.size"), wanted);
}

const LATE: &str = "[resource.fake_thing.a]\nname = 'a'\n[check.late.assert]\ncondition = '${fake_thing.a.id == \"other\"}'\n\
                    error_message = 'the id is ${fake_thing.a.id}'\n";

#[tokio::test]
async fn a_condition_that_is_unknown_is_left_for_apply() {
    let mut world = World::new();
    let plan = world.plan(LATE).await;
    assert!(warnings(&plan.diagnostics).starts_with("check.late: Check block assertion known after apply"));
    assert_eq!(status(&plan, "check.late"), CheckStatus::Unknown);
    let report = world.carry_out(LATE, plan).await;
    assert_eq!(warnings(&report.diagnostics), "check.late: Check block assertion failed: the id is thing-1");
    assert_eq!(kept(&world, "check.late")["status"], "fail");
}

const SCOPED: &str = "[check.there]\nassert = { condition = '${data.fake_lookup.x.attributes.region == \"test-1\"}', \
                      error_message = 'wrong region' }\n[check.there.data.fake_lookup.x]\nname = 'x'\n";

/// Terraform: `read_because_check_nested`.
#[tokio::test]
async fn scoped_data_is_read_while_planning_and_again_during_apply() {
    let mut world = World::new();
    world.cloud.seed(Bucket { name: "x".into(), ..Bucket::default() });
    let plan = world.plan(SCOPED).await;
    assert_eq!(world.cloud.count(Op::Lookup), 1);
    assert_eq!((told(&plan.diagnostics).as_str(), status(&plan, "check.there")), ("", CheckStatus::Pass));
    let read = change(&plan, "data.fake_lookup.x");
    assert_eq!((read.action, read.reason), (Action::Read, Some(Reason::ReadBecauseCheckNested)));
    assert!(!plan.has_changes(), "reading is no change");
    world.apply(SCOPED).await;
    assert_eq!(world.cloud.count(Op::Lookup), 4, "a plan, a plan and its apply, and the empty plan");
    assert_eq!(world.addresses(), ["data.fake_lookup.x"], "state holds it, as Terraform's does");
    assert_eq!(kept(&world, "check.there")["status"], "pass");
}

#[tokio::test]
async fn scoped_data_that_cannot_be_read_is_a_warning() {
    let mut world = World::new();
    let plan = world.plan(SCOPED).await;
    assert!(warnings(&plan.diagnostics).contains("there is no fake_bucket named x"), "{}", plan.diagnostics);
    assert_eq!(status(&plan, "check.there"), CheckStatus::Fail);
    let report = world.carry_out(SCOPED, plan).await;
    let said = warnings(&report.diagnostics);
    assert!(said.contains("there is no fake_bucket named x") && !said.contains("wrong region"), "{said}");
    let kept = kept(&world, "check.there");
    assert!(kept["objects"][0]["failure_messages"][0].as_str().unwrap().contains("no fake_bucket named x"), "{kept}");
    world.cloud.seed(Bucket { name: "x".into(), ..Bucket::default() });
    world.cloud.inject(Fault::on(Op::Lookup).always().fails(ErrorKind::Denied));
    let plan = world.plan(SCOPED).await;
    assert!(warnings(&plan.diagnostics).contains("AccessDenied"), "{}", plan.diagnostics);
}

/// The bucket is not referred to: a check looks at the whole once everything is done.
#[tokio::test]
async fn checks_come_after_everything_else() {
    let text = format!("{SCOPED}[resource.fake_bucket.x]\nname = 'x'\n");
    let mut world = World::new();
    world.cloud.set_latency(std::time::Duration::from_millis(20));
    let plan = world.plan(&text).await;
    assert_eq!(status(&plan, "check.there"), CheckStatus::Fail, "it is not there yet");
    let report = world.carry_out(&text, plan).await;
    assert_eq!(warnings(&report.diagnostics), "");
    assert_eq!(kept(&world, "check.there")["status"], "pass");
    world.apply(&text).await;
}

#[tokio::test]
async fn scoped_data_waits_for_what_its_configuration_refers_to() {
    let text = "[resource.fake_bucket.x]\nname = 'x'\n[check.c]\nassert = { condition = '${data.fake_lookup.l.id == \
                fake_bucket.x.id}', error_message = 'no' }\n[check.c.data.fake_lookup.l]\nname = '${fake_bucket.x.id}'\n";
    let mut world = World::new();
    let plan = world.plan(text).await;
    assert_eq!(change(&plan, "data.fake_lookup.l").reason, Some(Reason::ReadBecauseConfigUnknown));
    assert_eq!(world.cloud.count(Op::Lookup), 0);
    let report = world.carry_out(text, plan).await;
    assert_eq!(warnings(&report.diagnostics), "");
    assert_eq!(world.cloud.count(Op::Lookup), 1);
    assert_eq!(kept(&world, "check.c")["status"], "pass");
    let tagged = text.replacen("name = 'x'", "name = 'x'\ntags = { t = '1' }", 1);
    let plan = world.plan(&tagged).await;
    assert_eq!(change(&plan, "data.fake_lookup.l").reason, Some(Reason::ReadBecauseDependencyPending));
}

#[tokio::test]
async fn a_condition_that_cannot_be_evaluated_is_a_warning() {
    let text =
        "[variable.v]\ndefault = 'x'\n[check.c.assert]\ncondition = '${tonumber(var.v) > 1}'\nerror_message = 'm'\n";
    let mut world = World::new();
    let plan = world.plan(text).await;
    assert!(warnings(&plan.diagnostics).starts_with("check.c: "), "{}", plan.diagnostics);
    assert_eq!(status(&plan, "check.c"), CheckStatus::Error);
    world.carry_out(text, plan).await;
    assert_eq!(kept(&world, "check.c")["status"], "error");
}

#[tokio::test]
async fn a_check_about_what_failed_stays_unknown_and_others_are_looked_at() {
    let text = format!(
        "{LATE}[variable.v]\ndefault = 1\n[check.v.assert]\ncondition = '${{var.v > 1}}'\nerror_message = 'v'\n"
    );
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).always().fails(ErrorKind::Denied));
    let (report, said) = world.failure(&text).await;
    assert!(said.contains("check.v: Check block assertion failed: v"), "{said}");
    assert_eq!(report.diagnostics.iter().filter(|d| d.address.as_deref() == Some("check.late")).count(), 0, "{said}");
    assert_eq!(
        (kept(&world, "check.late")["status"].as_str(), kept(&world, "check.v")["status"].as_str()),
        (Some("unknown"), Some("fail"))
    );
}

#[tokio::test]
async fn nothing_is_checked_where_everything_is_destroyed() {
    let text = format!("{SIZE}{SCOPED}");
    let mut world = World::new();
    world.cloud.seed(Bucket { name: "x".into(), ..Bucket::default() });
    world.try_apply(&text).await;
    let lookups = world.cloud.count(Op::Lookup);
    let report = world.destroy(&text).await;
    assert_eq!(warnings(&report.diagnostics), "");
    assert_eq!((world.cloud.count(Op::Lookup), world.addresses().len()), (lookups, 0));
    assert_eq!(
        kept(&world, "check.size"),
        json!({ "object_kind": "check", "config_addr": "check.size", "status": "unknown", "objects": null })
    );
}

#[tokio::test]
async fn checks_of_modules_have_addresses_of_their_own() {
    let mut world = World::new();
    for name in ["a", "b"] {
        world.cloud.seed(Bucket { name: name.into(), ..Bucket::default() });
    }
    world.module(
        "m",
        "[variable.n]\n[check.c]\nassert = { condition = '${data.fake_lookup.l.id == \"a\"}', error_message = '${var.n} is \
         not a' }\n[check.c.data.fake_lookup.l]\nname = '${var.n}'\n",
    );
    let text = "[module.m]\nsource = './m'\nfor_each = ['a', 'b', 'c']\nn = '${each.key}'\n";
    let report = world.try_apply(text).await;
    let said = warnings(&report.diagnostics);
    assert!(said.contains("module.m[\"b\"].check.c: Check block assertion failed: b is not a"), "{said}");
    assert!(said.contains("module.m[\"c\"].data.fake_lookup.l: "), "{said}");
    let kept = kept(&world, "module.m.check.c");
    let objects: Vec<_> = kept["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| (o["object_addr"].as_str().unwrap(), o["status"].as_str().unwrap()))
        .collect();
    assert_eq!(
        objects,
        [("module.m[\"a\"].check.c", "pass"), ("module.m[\"b\"].check.c", "fail"), ("module.m[\"c\"].check.c", "fail")]
    );
}

#[tokio::test]
async fn a_run_over_a_part_leaves_checks_out() {
    let mut world = World::new();
    world.options.targets = vec!["fake_thing.a".parse().unwrap()];
    let plan = world.plan(SIZE).await;
    assert!(!told(&plan.diagnostics).contains("assertion"), "{}", plan.diagnostics);
    assert_eq!(status(&plan, "check.size"), CheckStatus::Unknown);
    let report = world.carry_out(SIZE, plan).await;
    assert_eq!(warnings(&report.diagnostics), "");
}

#[tokio::test]
async fn a_refresh_checks_and_keeps_the_results() {
    let mut world = World::new();
    world.try_apply(SIZE).await;
    world.options.mode = PlanMode::RefreshOnly;
    let text = SIZE.replace("default = 3", "default = 6");
    let plan = world.plan(&text).await;
    assert!(warnings(&plan.diagnostics).contains("size is 6"));
    world.carry_out(&text, plan).await;
    assert_eq!(kept(&world, "check.size")["objects"][0]["failure_messages"], json!(["size is 6", "too large"]));
}

#[tokio::test]
async fn a_saved_plan_keeps_the_results() {
    let world = World::new();
    let (stack, plan) = (world.stack(SIZE), world.plan(SIZE).await);
    let bytes = PlanFile::write(&plan, &stack, &world.providers).unwrap();
    let again = PlanFile::read(&bytes).unwrap().into_plan(&stack, &world.providers, &world.state, &world.variables);
    assert_eq!(again.unwrap().checks, plan.checks);
}

#[tokio::test]
async fn what_is_not_checked_anew_keeps_its_result() {
    let text = |size: u32| {
        format!(
            "[resource.fake_thing.a]\nname = 'a'\n[resource.fake_thing.a.lifecycle.postcondition]\ncondition = \
             '${{self.name == \"a\"}}'\nerror_message = 'm'\n[resource.fake_bucket.b]\nname = 'b'\ntags = {{ size = '{size}' }}\n"
        )
    };
    let mut world = World::new();
    world.apply(&text(1)).await;
    assert_eq!(summary(&world.plan(&text(2)).await), "fake_bucket.b Update");
    world.apply(&text(2)).await;
    assert_eq!(kept(&world, "fake_thing.a")["objects"], json!([{ "object_addr": "fake_thing.a", "status": "pass" }]));
}

/// Unlike Terraform, which exits with 2 each time: see `docs/decisions/0007-checks-never-stop-a-run.md`.
#[test]
fn reading_for_a_check_is_no_change() {
    let folder = Folder::with(SCOPED);
    folder.cloud.seed(Bucket { name: "x".into(), ..Bucket::default() });
    let plan = folder.ok(&["plan", "stack.toml", "--detailed-exitcode"]);
    assert!(plan.contains("No changes.") && !plan.contains("data.fake_lookup.x"), "{plan}");
    folder.write("stack.toml", format!("{SCOPED}[resource.fake_thing.a]\nname = 'a'\n"));
    let plan = folder.ok(&["plan", "stack.toml"]);
    assert!(plan.contains("# (config will be reloaded to verify a check block)"), "{plan}");
    folder.ok(&["plan", "stack.toml", "--out", "saved"]);
    let applied = folder.run(&["apply", "saved"]);
    assert!(applied.stdout.contains("1 added") && !applied.stderr.contains("Warning"), "{applied:?}");
    let state: Json = serde_json::from_str(&folder.read("state/stack.tfstate")).unwrap();
    assert_eq!(state["check_results"][0]["status"], "pass");
}

/// Terraform keeps them in no order.
fn sorted(results: &Json) -> Vec<Json> {
    let mut all = results.as_array().unwrap().clone();
    for block in &mut all {
        if let Some(objects) = block["objects"].as_array_mut() {
            objects.sort_by_key(|o| o["object_addr"].to_string());
        }
    }
    all.sort_by_key(|r| r["config_addr"].as_str().unwrap().to_owned());
    all
}

/// A document of Terraform's JSON syntax as the stack that it is.
fn as_toml(json: &Json) -> toml::Value {
    match json {
        Json::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), as_toml(v))).collect::<toml::Table>().into(),
        Json::Array(items) => items.iter().map(as_toml).collect::<Vec<_>>().into(),
        Json::Number(n) => n.as_i64().unwrap().into(),
        other => other.as_str().unwrap().into(),
    }
}

/// The answers of Terraform 1.11 to the same configuration, recorded by `fixtures/checks.py`.
#[test]
fn state_and_plan_json_say_what_terraform_says() {
    let recorded: Json = serde_json::from_str(include_str!("fixtures/checks.json")).unwrap();
    let folder = Folder::with(&toml::to_string(&as_toml(&recorded["configuration"])).unwrap());
    folder.write("m/main.toml", toml::to_string(&as_toml(&recorded["module"])).unwrap());
    let checks =
        || serde_json::from_str::<Json>(&folder.ok(&["plan", "stack.toml", "--json"])).unwrap()["checks"].clone();
    let state = || {
        let state: Json = serde_json::from_str(&folder.read("state/stack.tfstate")).unwrap();
        sorted(&state["check_results"])
    };
    assert_eq!(checks(), recorded["plan"]);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(state(), sorted(&recorded["state"]));
    assert_eq!(checks(), recorded["second_plan"]);
    folder.ok(&["destroy", "stack.toml", "--auto-approve"]);
    assert_eq!(state(), sorted(&recorded["destroyed"]));
}
