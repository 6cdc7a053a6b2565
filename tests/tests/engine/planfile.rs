//! Saved plans.

use lakeform_engine::PlanFile;
use lakeform_state::State;

use crate::support::world::{World, address, summary};

const STACK: &str = "
[variable.secret]
default = 'hunter2'
sensitive = true
[resource.fake_database.d]
name = 'd'
password = '${var.secret}'
[resource.fake_thing.a]
name = '${fake_database.d.endpoint}'
size = 1
lifecycle = { create_before_destroy = true }
[output.endpoint]
value = '${fake_database.d.endpoint}'
";

async fn saved(world: &World, text: &str) -> Vec<u8> {
    let plan = world.plan(text).await;
    PlanFile::write(&plan, &world.stack(text), &world.providers).unwrap()
}

impl World {
    fn resume(&self, bytes: &[u8], text: &str, state: &State) -> Result<lakeform_engine::Plan, String> {
        let file = PlanFile::read(bytes).map_err(|e| e.to_string())?;
        let given = [("secret".into(), "hunter2".into())].into();
        file.into_plan(&self.stack(text), &self.providers, state, &given).map_err(|e| e.to_string())
    }
}

#[tokio::test]
async fn a_plan_file_carries_out_exactly_the_plan() {
    let mut world = World::new();
    let bytes = saved(&world, STACK).await;
    assert!(PlanFile::is_plan(&bytes));
    let plan = world.resume(&bytes, STACK, &world.state).unwrap();
    assert_eq!(summary(&plan), summary(&world.plan(STACK).await));
    let report = world.carry_out(STACK, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert!(!world.plan(STACK).await.has_changes());
    // A replacement, by file.
    let text = STACK.replace("size = 1", "size = 2");
    let bytes = saved(&world, &text).await;
    let plan = world.resume(&bytes, &text, &world.state).unwrap();
    let report = world.carry_out(&text, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!((report.added, report.destroyed), (1, 1));
    assert!(!world.plan(&text).await.has_changes());
}

/// V04
#[tokio::test]
async fn a_plan_file_holds_no_secret_in_the_clear() {
    let mut world = World::new();
    for round in 0..2 {
        let text = if round == 0 { STACK.to_owned() } else { STACK.replace("name = 'd'", "name = 'e'") };
        let bytes = String::from_utf8(saved(&world, &text).await).unwrap();
        assert!(!bytes.contains("hunter2"), "the variable, round {round}");
        assert!(!bytes.contains("secret-of"), "what the API made up, round {round}");
        world.apply(&text).await;
    }
}

/// S03
#[tokio::test]
async fn s03_a_stale_plan_is_refused() {
    let mut world = World::new();
    world.apply(STACK).await;
    let bytes = saved(&world, &STACK.replace("size = 1", "size = 2")).await;
    world.apply(&STACK.replace("size = 1", "size = 3")).await;
    let text = STACK.replace("size = 1", "size = 2");
    let told = world.resume(&bytes, &text, &world.state).unwrap_err();
    assert!(told.contains("the plan is stale"), "{told}");
}

/// S03
#[tokio::test]
async fn s03_a_plan_for_another_state_is_refused() {
    let mut world = World::new();
    world.apply(STACK).await;
    let bytes = saved(&world, STACK).await;
    let other = State { lineage: "another".into(), ..world.state.clone() };
    let told = world.resume(&bytes, STACK, &other).unwrap_err();
    assert!(told.contains("another state"), "{told}");
}

/// S03: a first plan is stale once somebody else has applied.
#[tokio::test]
async fn s03_a_first_plan_is_refused_where_there_is_a_state_by_now() {
    let mut world = World::new();
    let bytes = saved(&world, STACK).await;
    world.apply(STACK).await;
    assert!(world.resume(&bytes, STACK, &world.state).is_err());
}

#[tokio::test]
async fn a_plan_of_a_stack_that_was_edited_is_refused() {
    let world = World::new();
    let bytes = saved(&world, STACK).await;
    let told = world.resume(&bytes, &STACK.replace("size = 1", "size = 9"), &world.state).unwrap_err();
    assert!(told.contains("has changed since the plan was made"), "{told}");
}

#[tokio::test]
async fn a_sensitive_variable_must_be_given_again_with_its_value() {
    let text = STACK.replace("default = 'hunter2'", "");
    let mut world = World::new();
    world.variables.insert("secret".into(), "hunter2".into());
    let bytes = saved(&world, &text).await;
    let stack = world.stack(&text);
    for given in [[].into(), [("secret".into(), "wrong".into())].into()] {
        let file = PlanFile::read(&bytes).unwrap();
        assert_eq!(file.wanted_variables(), ["secret"]);
        let told = file.into_plan(&stack, &world.providers, &world.state, &given).unwrap_err().to_string();
        assert!(told.contains("secret") && !told.contains("hunter2"), "{told}");
    }
    let plan = world.resume(&bytes, &text, &world.state).unwrap();
    let report = world.carry_out(&text, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!(world.attribute("fake_database.d", "password").as_deref(), Some("hunter2"));
}

#[tokio::test]
async fn a_destroy_can_be_saved() {
    let mut world = World::new();
    world.apply(STACK).await;
    world.options.mode = lakeform_engine::PlanMode::Destroy;
    let bytes = saved(&world, STACK).await;
    let plan = world.resume(&bytes, STACK, &world.state).unwrap();
    let report = world.carry_out(STACK, plan).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert!(world.cloud.is_empty() && world.state.get(&address("fake_thing.a")).is_none());
}

#[test]
fn what_is_no_plan_file_is_refused() {
    for bytes in [&b"{\"format\":99}"[..], b"", b"[resource.x.y]"] {
        assert!(PlanFile::read(bytes).is_err());
    }
}

#[tokio::test]
async fn a_plan_file_keeps_moves_and_what_is_forgotten() {
    let mut world = World::new();
    world.apply("[resource.fake_thing.old]\nname = 'x'\n[resource.fake_thing.gone]\nname = 'g'\n").await;
    let text = "[resource.fake_thing.new]\nname = 'x'\n[[moved]]\nfrom = 'fake_thing.old'\nto = 'fake_thing.new'\n[[removed]]\nfrom = 'fake_thing.gone'\nlifecycle = { destroy = false }\n";
    let kept = world.resume(&saved(&world, text).await, text, &world.state).unwrap();
    assert_eq!(summary(&kept), "fake_thing.gone Forget");
    world.carry_out(text, kept).await;
    assert_eq!(world.addresses(), ["fake_thing.new"]);
    assert_eq!(world.cloud.len(), 2);
}
