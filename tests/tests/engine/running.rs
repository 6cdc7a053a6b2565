//! How a run goes on: stopping it, throttling, lost answers, how much at once.

use std::time::Duration;

use lakeform_engine::{Cancel, Level};
use lakeform_provider::{ErrorKind, Retry};
use lakeform_testkit::{
    Gate,
    fake::{Effect, Fault, Op},
};

use crate::support::world::{World, summary, told};

const THREE: &str = "
[resource.fake_thing.a]
name = 'a'
[resource.fake_thing.b]
name = 'b-${fake_thing.a.id}'
[resource.fake_thing.c]
name = 'c-${fake_thing.b.id}'
";

/// F07
#[tokio::test]
async fn f07_an_interrupt_finishes_what_is_in_flight_and_starts_nothing_new() {
    let mut world = World::new();
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Create).named("a").held_by(&gate));
    let cancel = world.cancel.clone();
    let (report, ()) = tokio::join!(world.try_apply(THREE), async {
        gate.reached(1).await;
        assert_eq!(cancel.escalate(), Level::Finish);
        gate.open();
    });
    assert!(report.interrupted);
    assert!(told(&report.diagnostics).contains("interrupted"));
    assert_eq!(report.skipped.len(), 2);
    assert_eq!(world.addresses(), ["fake_thing.a"]);
    assert_eq!(world.saved.last().map(|s| s.iter().count()), Some(1), "the state was saved");
    world.cancel = Cancel::new();
    world.apply(THREE).await;
    assert_eq!(world.cloud.len(), 3);
}

/// F07
#[tokio::test]
async fn f07_a_second_interrupt_ends_waiting_and_keeps_what_there_is() {
    let text = "[resource.fake_database.d]\nname = 'd'\n";
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).effect(Effect::Pending(1_000_000)));
    let (cancel, cloud) = (world.cancel.clone(), world.cloud.clone());
    let (report, ()) = tokio::join!(world.try_apply(text), async {
        while cloud.count(Op::Poll) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.escalate();
        assert_eq!(cancel.escalate(), Level::Abandon);
    });
    assert!(report.interrupted);
    assert!(world.object("fake_database.d").unwrap().tainted, "it exists, and it is not known whether it is ready");
}

#[tokio::test]
async fn a_run_that_loses_its_lease_starts_nothing_new() {
    let mut world = World::new();
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Create).named("a").held_by(&gate));
    let lease = world.lease.clone();
    let (report, ()) = tokio::join!(world.try_apply(THREE), async {
        gate.reached(1).await;
        lease.lose();
        gate.open();
    });
    assert!(report.interrupted);
    assert!(told(&report.diagnostics).contains("The run lost its lock"), "{}", told(&report.diagnostics));
    assert_eq!(world.cloud.count(Op::Create), 1);
    assert_eq!(world.addresses(), ["fake_thing.a"], "what was done is known");
}

#[tokio::test]
async fn a_run_that_loses_its_lease_stops_in_the_middle_of_an_operation() {
    let text = "[resource.fake_database.d]\nname = 'd'\n";
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).effect(Effect::Pending(1_000_000)));
    let (lease, cloud) = (world.lease.clone(), world.cloud.clone());
    let (report, ()) = tokio::join!(world.try_apply(text), async {
        while cloud.count(Op::Poll) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        lease.lose();
    });
    let told = told(&report.diagnostics);
    assert!(told.contains("not sent: this run no longer has the lock of the state"), "{told}");
    assert!(world.object("fake_database.d").unwrap().tainted, "it exists, and it is not known whether it is ready");
}

/// F07
#[tokio::test]
async fn f07_an_interrupted_plan_is_no_plan() {
    let world = World::new();
    world.cancel.escalate();
    let told = world.refusal(THREE).await;
    assert!(told.contains("interrupted"), "{told}");
    assert!(world.cloud.calls().is_empty());
}

#[tokio::test]
async fn a_throttled_call_is_made_again() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("a").throttled(2));
    world.apply(THREE).await;
    assert_eq!(world.cloud.count(Op::Create), 5);
    world.cloud.inject(Fault::on(Op::Read).throttled(1));
    assert_eq!(summary(&world.plan(THREE).await), "");
}

#[tokio::test]
async fn throttling_that_never_ends_is_reported_and_nothing_is_lost() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("b-thing-1").throttled(1000));
    let (_, told) = world.failure(THREE).await;
    assert!(told.contains("fake_thing.b") && told.contains("rate exceeded"), "{told}");
    assert_eq!(world.addresses(), ["fake_thing.a"]);
}

/// Semantics 48: an outcome that is not known is never tried blindly again.
#[tokio::test]
async fn a_create_whose_answer_is_lost_is_not_repeated() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("a").loses_response());
    let (_, told) = world.failure("[resource.fake_thing.a]\nname = 'a'\n").await;
    assert!(told.contains("nobody can tell whether it was created: look for"), "{told}");
    assert_eq!(world.cloud.count(Op::Create), 1);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_looked_for() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("a").loses_response());
    world.apply("[resource.fake_bucket.a]\nname = 'a'\ntags = { x = 'y' }\n").await;
    assert_eq!((world.cloud.count(Op::Create), world.cloud.list()), (1, vec!["fake_bucket a".to_owned()]));
}

#[tokio::test]
async fn a_create_that_was_looked_for_and_is_not_there_is_made_again() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("a").times(2).fails_with(ErrorKind::Other, Retry::Unknown));
    world.apply("[resource.fake_bucket.a]\nname = 'a'\n").await;
    assert_eq!((world.cloud.count(Op::Create), world.cloud.list()), (3, vec!["fake_bucket a".to_owned()]));
}

/// What was made before the answer was lost may be less than was asked for.
#[tokio::test]
async fn a_create_that_is_found_half_made_is_completed() {
    let mut world = World::new();
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Create).loses_response());
    world.cloud.inject(Fault::on(Op::Find).held_by(&gate));
    let cloud = world.cloud.clone();
    tokio::join!(world.apply("[resource.fake_bucket.a]\nname = 'a'\nversioning = true\n"), async {
        gate.reached(1).await;
        cloud.drift("fake_bucket", "a", "versioning", false);
        gate.open();
    });
    let made = world.cloud.object("fake_bucket", "a").unwrap();
    assert_eq!(made.get("versioning").unwrap().as_bool(), Some(true));
    assert_eq!((world.cloud.count(Op::Create), world.cloud.count(Op::Update)), (1, 1));
}

#[tokio::test]
async fn a_delete_whose_answer_is_lost_is_looked_at() {
    let text = "[resource.fake_bucket.a]\nname = 'a'\n";
    let mut world = World::new();
    world.apply(text).await;
    world.cloud.inject(Fault::on(Op::Delete).loses_response());
    let report = world.destroy(text).await;
    assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    assert_eq!((world.cloud.count(Op::Delete), world.cloud.len()), (1, 0));
}

/// G01
#[tokio::test]
async fn g01_no_more_calls_run_at_once_than_allowed() {
    let text = "[resource.fake_thing.a]\ncount = 20\nname = '${count.index}'\n";
    let mut world = World::new();
    world.options.parallelism = 3;
    world.cloud.set_latency(Duration::from_millis(3));
    world.apply(text).await;
    assert_eq!(world.cloud.high_water(), 3);
}

/// G01
#[tokio::test]
async fn g01_everything_independent_runs_at_once() {
    let text = "[resource.fake_thing.a]\ncount = 20\nname = '${count.index}'\n[resource.fake_thing.z]\nname = \
                '${length(fake_thing.a)}'\n";
    let mut world = World::new();
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Create).times(20).held_by(&gate));
    let cloud = world.cloud.clone();
    tokio::join!(world.apply(text), async {
        tokio::time::timeout(Duration::from_secs(10), gate.reached(20)).await.expect("twenty creates at once");
        assert_eq!(cloud.in_flight(), 20);
        gate.open();
    });
    assert_eq!(world.cloud.len(), 21);
}

/// G01
#[tokio::test]
async fn g01_a_diamond_is_walked_in_order() {
    let text = "
[resource.fake_thing.top]
name = 'top'
[resource.fake_thing.left]
name = 'left'
depends_on = ['fake_thing.top']
[resource.fake_thing.right]
name = 'right'
depends_on = ['fake_thing.top']
[resource.fake_thing.bottom]
name = 'bottom'
depends_on = ['fake_thing.left', 'fake_thing.right']
";
    let mut world = World::new();
    world.apply(text).await;
    for (first, then) in [("top", "left"), ("top", "right"), ("left", "bottom"), ("right", "bottom")] {
        assert!(world.cloud.is_ordered(&format!("create fake_thing {first}"), &format!("create fake_thing {then}")));
    }
}

/// S10
#[tokio::test]
async fn s10_a_failed_operation_is_saved_before_the_run_ends() {
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("b-thing-1").fails_after(ErrorKind::Other));
    world.failure(THREE).await;
    let last = world.saved.last().unwrap();
    assert!(last.current(&crate::support::world::address("fake_thing.b")).unwrap().tainted);
}
