//! `--on-error=rollback`: what a run did is undone once something of it fails.

use std::sync::Mutex;

use lakeform_core::Diagnostic;
use lakeform_engine::{ApplyInput, NoEvents, OnError, Save};
use lakeform_lang::Environment;
use lakeform_provider::{BoxFuture, ErrorKind};
use lakeform_state::{
    State,
    journal::{Entry, Page, Recovery},
};
use lakeform_testkit::{
    Gate,
    fake::{Fault, Op},
};

use crate::support::world::{World, address, summary, told};

const FIRST: &str = "lifecycle = { create_before_destroy = true }";

fn world() -> World {
    let mut world = World::new();
    world.on_error = OnError::Rollback;
    world
}

/// The attributes in state, by address, without what tells one object from the next of its kind.
fn content(world: &World) -> Vec<String> {
    let all = world.state.iter();
    let line = |address: &lakeform_core::InstanceAddress| {
        let mut json = world.state.current(address).unwrap().attributes.json().unwrap();
        json.as_object_mut().unwrap().remove("id");
        format!("{address} {json}")
    };
    all.map(|(address, _)| line(&address)).collect()
}

fn names(addresses: &[lakeform_core::InstanceAddress]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

/// Applies `before`, then `after` with a fault; what the plan says must be the same before and after, and so must the objects'
/// content. Gives the changing calls of the failed run.
async fn comes_back(before: &str, after: &str, fault: Fault) -> (World, Vec<String>) {
    let mut world = world();
    world.apply(before).await;
    let was = (content(&world), world.state.outputs.clone(), summary(&world.plan(after).await));
    world.cloud.forget_calls();
    world.cloud.inject(fault);
    let (report, text) = world.failure(after).await;
    world.cloud.clear_faults();
    let back = report.rolled_back.unwrap_or_else(|| panic!("nothing was rolled back: {text}"));
    assert!(back.left.is_empty(), "{:?}: {text}", back.left);
    let calls = world.cloud.changes();
    assert_eq!(content(&world), was.0, "{text}");
    assert_eq!(format!("{:?}", world.state.outputs), format!("{:?}", was.1));
    assert_eq!(summary(&world.plan(after).await), was.2, "the same plan again");
    assert_eq!(summary(&world.plan(before).await), "", "the stack as it was has nothing to do");
    assert!(world.state.iter().all(|(_, i)| i.deposed.is_empty()));
    world.apply(after).await;
    (world, calls)
}

const KEPT: &str = "[resource.fake_thing.kept]\nname = 'kept'\n[output.kept]\nvalue = '${fake_thing.kept.name}'\n";

#[tokio::test]
async fn what_was_created_is_deleted_dependents_first() {
    let after = format!(
        "{KEPT}[resource.fake_bucket.a]\nname = 'a'\n[resource.fake_thing.b]\nname = '${{fake_bucket.a.arn}}'\n\
         [resource.fake_bucket.c]\nname = 'c'\ntags = {{ b = '${{fake_thing.b.id}}' }}\n[output.a]\nvalue = \
         '${{fake_bucket.a.arn}}'\n"
    );
    let (_, calls) = comes_back(KEPT, &after, Fault::on(Op::Create).named("c").fails(ErrorKind::Denied)).await;
    let created = ["create fake_bucket a", "create fake_thing arn:fake:test-1:bucket/a", "create fake_bucket c"];
    let deleted = ["delete fake_thing arn:fake:test-1:bucket/a", "delete fake_bucket a"];
    let calls: Vec<&str> = calls.iter().map(String::as_str).collect();
    assert!(calls.ends_with(&deleted), "{calls:?}");
    assert_eq!(calls.iter().filter(|c| created.contains(c)).count(), calls.len() - 2, "{calls:?}");
}

#[tokio::test]
async fn what_was_created_half_way_goes_too() {
    let after = format!("{KEPT}[resource.fake_bucket.c]\nname = 'c'\n");
    let (_, calls) = comes_back(KEPT, &after, Fault::on(Op::Create).named("c").fails_after(ErrorKind::Other)).await;
    assert_eq!(calls, ["create fake_bucket c", "delete fake_bucket c"]);
}

fn tagged(n: u32) -> String {
    format!(
        "{KEPT}[resource.fake_bucket.a]\nname = 'a'\ntags = {{ n = '{n}' }}\n[resource.fake_thing.b]\nname = \
         'b{n}-${{fake_bucket.a.id}}'\n"
    )
}

#[tokio::test]
async fn what_was_changed_is_changed_back() {
    let (_, calls) =
        comes_back(&tagged(1), &tagged(2), Fault::on(Op::Update).of("fake_thing").fails(ErrorKind::Denied)).await;
    assert_eq!(calls.iter().filter(|c| *c == "update fake_bucket a").count(), 2, "{calls:?}");
}

/// The answer of a failed update says nothing of what it did: the live object does.
#[tokio::test]
async fn what_was_changed_half_way_is_changed_back() {
    let (_, calls) =
        comes_back(&tagged(1), &tagged(2), Fault::on(Op::Update).of("fake_thing").fails_after(ErrorKind::Other)).await;
    assert_eq!(calls.iter().filter(|c| c.starts_with("update fake_thing")).count(), 2, "{calls:?}");
}

fn sized(size: u32, lifecycle: &str) -> String {
    format!(
        "{KEPT}[resource.fake_thing.a]\nname = 'a'\nsize = {size}\n{lifecycle}\n[resource.fake_thing.user]\nname = \
         'of-${{fake_thing.a.id}}'\n[resource.fake_bucket.last]\nname = 'last'\ntags = {{ n = '${{fake_thing.user.name}}' }}\n"
    )
}

/// What is created again has another identifier, and what names it is brought along.
#[tokio::test]
async fn a_replacement_is_replaced_back_in_either_order() {
    for (lifecycle, last) in [("", "create fake_thing a"), (FIRST, "delete fake_thing a")] {
        let mut world = world();
        world.apply(&sized(1, lifecycle)).await;
        let first = world.attribute("fake_thing.a", "id").unwrap();
        world.cloud.forget_calls();
        world.cloud.inject(Fault::on(Op::Update).of("fake_bucket").fails(ErrorKind::Denied));
        let (report, text) = world.failure(&sized(2, lifecycle)).await;
        world.cloud.clear_faults();
        let back = report.rolled_back.unwrap();
        assert!(world.cloud.changes().iter().any(|c| c == last));
        assert_eq!(world.attribute("fake_thing.a", "size").as_deref(), Some("1"), "{text}");
        let id = world.attribute("fake_thing.a", "id").unwrap();
        assert_eq!(world.deposed("fake_thing.a"), 0);
        assert_eq!(world.cloud.len(), 4);
        if lifecycle.is_empty() {
            assert_eq!(names(&back.undone), ["fake_thing.a", "fake_thing.user"]);
            assert_ne!(id, first, "it is another object");
            assert!(text.contains("fake_bucket.last") && text.contains("created again"), "{text}");
        } else {
            // The old object was still there.
            assert_eq!(id, first);
        }
        assert_eq!(world.attribute("fake_thing.user", "name"), Some(format!("of-{id}")));
        world.apply(&sized(1, lifecycle)).await;
    }
}

/// With the old object gone already.
#[tokio::test]
async fn a_finished_replacement_that_created_first_is_replaced_back() {
    let text = |size: u32, tag: u32| {
        format!(
            "[resource.fake_thing.a]\nname = 'a'\nsize = {size}\n{FIRST}\n[resource.fake_bucket.z]\nname = 'z'\ntags = {{ n = \
             '{tag}' }}\n"
        )
    };
    let mut world = world();
    world.apply(&text(1, 1)).await;
    let gate = Gate::new();
    world.cloud.forget_calls();
    world.cloud.inject(Fault::on(Op::Update).held_by(&gate));
    world.cloud.inject(Fault::on(Op::Update).fails(ErrorKind::Denied));
    let cloud = world.cloud.clone();
    let after = text(2, 2);
    let (report, ()) = tokio::join!(world.try_apply(&after), async {
        while cloud.count(Op::Delete) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        gate.open();
    });
    assert!(report.diagnostics.has_errors());
    assert_eq!(report.rolled_back.unwrap().left, []);
    let things: Vec<String> = world.cloud.changes().into_iter().filter(|c| c.contains("thing")).collect();
    assert_eq!(things, ["create fake_thing a", "delete fake_thing a", "create fake_thing a", "delete fake_thing a"]);
    assert_eq!(world.attribute("fake_thing.a", "id").as_deref(), Some("thing-3"));
    assert_eq!(world.deposed("fake_thing.a"), 0);
    world.cloud.clear_faults();
    assert_eq!(summary(&world.plan(&text(1, 1)).await), "");
}

#[tokio::test]
async fn a_replacement_whose_new_object_failed_gets_its_old_one_again() {
    let text = |size: u32| format!("{KEPT}[resource.fake_thing.a]\nname = 'a'\nsize = {size}\n");
    let (_, calls) = comes_back(&text(1), &text(2), Fault::on(Op::Create).named("a").fails(ErrorKind::Denied)).await;
    assert_eq!(calls, ["delete fake_thing a", "create fake_thing a", "create fake_thing a"]);
}

#[tokio::test]
async fn what_the_run_did_not_touch_stays_also_where_it_names_what_is_created_again() {
    let mut world = world();
    world.apply(&sized(1, "")).await;
    let user = world.object("fake_thing.user").cloned();
    world.cloud.forget_calls();
    world.cloud.inject(Fault::on(Op::Create).named("a").fails(ErrorKind::Denied));
    let (report, text) = world.failure(&sized(2, "")).await;
    assert_eq!(names(&report.rolled_back.unwrap().undone), ["fake_thing.a"]);
    assert_eq!(world.cloud.changes(), ["delete fake_thing a", "create fake_thing a", "create fake_thing a"]);
    assert_eq!(world.object("fake_thing.user").cloned(), user);
    assert!(text.contains("fake_thing.user: It refers to an object that the rollback created again"), "{text}");
    world.cloud.clear_faults();
    world.apply(&sized(1, "")).await;
}

#[tokio::test]
async fn what_was_deleted_is_created_again_and_the_state_takes_in_again_what_was_let_go() {
    let before = format!(
        "{KEPT}[resource.fake_bucket.gone]\nname = 'gone'\ntags = {{ a = '1' }}\nversioning = true\n\
         [resource.fake_thing.user]\nname = '${{fake_bucket.gone.arn}}'\n[resource.fake_thing.let_go]\nname = 'x'\n"
    );
    let after = format!(
        "{KEPT}[resource.fake_bucket.new]\nname = 'new'\ntags = {{ k = '${{fake_thing.kept.id}}' }}\n[[removed]]\nfrom = \
         'fake_thing.let_go'\nlifecycle = {{ destroy = false }}\n"
    );
    let mut world = world();
    world.apply(&before).await;
    let was = content(&world);
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Create).named("new").held_by(&gate));
    world.cloud.inject(Fault::on(Op::Create).named("new").fails(ErrorKind::Denied));
    world.cloud.forget_calls();
    let cloud = world.cloud.clone();
    let (report, ()) = tokio::join!(world.try_apply(&after), async {
        while cloud.count(Op::Delete) < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        gate.open();
    });
    let back = report.rolled_back.unwrap();
    assert_eq!((back.left.len(), back.undone.len()), (0, 3), "{}", told(&report.diagnostics));
    assert_eq!(content(&world), was);
    let created: Vec<String> = world.cloud.changes().into_iter().filter(|c| c.starts_with("create")).collect();
    let created: Vec<&str> = created.iter().map(String::as_str).filter(|c| !c.ends_with("new")).collect();
    assert_eq!(created, ["create fake_bucket gone", "create fake_thing arn:fake:test-1:bucket/gone"]);
    world.cloud.clear_faults();
    assert_eq!(summary(&world.plan(&before).await), "");
}

#[tokio::test]
async fn what_cannot_be_undone_is_told_and_the_rest_is_undone() {
    let text = "
[resource.fake_bucket.a]
name = 'a'
[resource.fake_bucket.b]
name = 'b'
tags = { a = '${fake_bucket.a.id}' }
[resource.fake_bucket.other]
name = 'other'
[resource.fake_bucket.last]
name = 'last'
tags = { b = '${fake_bucket.b.id}', o = '${fake_bucket.other.id}' }
";
    let mut world = world();
    world.cloud.inject(Fault::on(Op::Create).named("last").fails(ErrorKind::Denied));
    world.cloud.inject(Fault::on(Op::Delete).named("b").fails(ErrorKind::Conflict));
    let (report, told) = world.failure(text).await;
    let back = report.rolled_back.unwrap();
    assert_eq!(names(&back.undone), ["fake_bucket.other"]);
    assert_eq!(names(&back.left), ["fake_bucket.a", "fake_bucket.b"]);
    assert!(told.contains("fake_bucket.b: Not undone: "), "{told}");
    assert_eq!(world.addresses(), ["fake_bucket.a", "fake_bucket.b"], "the state says what there is");
    assert_eq!(world.cloud.len(), 2);
    assert_eq!(report.added, 3, "what was done counts as done");
}

/// Nobody knows whether it is there; so what it uses must stay.
#[tokio::test]
async fn what_may_exist_stays_with_what_it_uses() {
    let text = "
[resource.fake_bucket.a]
name = 'a'
[resource.fake_bucket.other]
name = 'other'
[resource.fake_thing.lost]
name = 'lost'
depends_on = ['fake_bucket.a', 'fake_bucket.other']
";
    let mut world = world();
    world.cloud.inject(Fault::on(Op::Create).named("lost").loses_response());
    let (report, told) = world.failure(text).await;
    let back = report.rolled_back.unwrap();
    assert_eq!(names(&back.left), ["fake_bucket.a", "fake_bucket.other", "fake_thing.lost"], "{told}");
    assert!(told.contains("nobody knows what there is"), "{told}");
    assert_eq!(world.cloud.len(), 3);
}

/// A lost answer that looking resolves is no failure.
#[tokio::test]
async fn a_lost_outcome_of_a_deletion_is_looked_at() {
    let after = format!("{KEPT}[resource.fake_bucket.c]\nname = 'c'\n");
    let mut world = world();
    world.apply(KEPT).await;
    world.cloud.inject(Fault::on(Op::Create).named("c").fails_after(ErrorKind::Other));
    world.cloud.inject(Fault::on(Op::Delete).named("c").loses_response());
    let (report, text) = world.failure(&after).await;
    assert_eq!(report.rolled_back.unwrap().left, [], "{text}");
    assert_eq!(world.addresses(), ["fake_thing.kept"]);
    assert_eq!(world.cloud.len(), 1);
}

#[tokio::test]
async fn an_interrupted_run_and_one_without_its_lock_keep_what_they_did() {
    for interrupt in [true, false] {
        let mut world = world();
        let gate = Gate::new();
        world.cloud.inject(Fault::on(Op::Create).named("a").held_by(&gate));
        world.cloud.inject(Fault::on(Op::Create).named("b").fails(ErrorKind::Denied));
        let (cancel, lease) = (world.cancel.clone(), world.lease.clone());
        let text = "[resource.fake_bucket.a]\nname = 'a'\n[resource.fake_bucket.b]\nname = 'b'\n";
        let (report, ()) = tokio::join!(world.try_apply(text), async {
            gate.reached(1).await;
            if interrupt {
                cancel.escalate();
            } else {
                lease.lose();
            }
            gate.open();
        });
        assert!(report.interrupted && report.rolled_back.is_none());
        assert_eq!(world.addresses(), ["fake_bucket.a"]);
    }
}

#[tokio::test]
async fn an_interrupt_stops_a_rollback_too() {
    let text = "
[resource.fake_bucket.a]
name = 'a'
[resource.fake_bucket.b]
name = 'b'
tags = { a = '${fake_bucket.a.id}' }
[resource.fake_bucket.c]
name = 'c'
tags = { b = '${fake_bucket.b.id}' }
";
    let mut world = world();
    let gate = Gate::new();
    world.cloud.inject(Fault::on(Op::Create).named("c").fails(ErrorKind::Denied));
    world.cloud.inject(Fault::on(Op::Delete).named("b").held_by(&gate));
    let cancel = world.cancel.clone();
    let (report, ()) = tokio::join!(world.try_apply(text), async {
        gate.reached(1).await;
        cancel.escalate();
        gate.open();
    });
    let back = report.rolled_back.unwrap();
    assert!(report.interrupted);
    assert_eq!((names(&back.undone), names(&back.left)), (vec!["fake_bucket.b".into()], vec!["fake_bucket.a".into()]));
    assert_eq!(world.addresses(), ["fake_bucket.a"]);
}

#[tokio::test]
async fn without_being_asked_nothing_is_undone_nor_is_a_destroy() {
    let text = "[resource.fake_bucket.a]\nname = 'a'\n[resource.fake_bucket.b]\nname = 'b'\n";
    let mut world = World::new();
    world.cloud.inject(Fault::on(Op::Create).named("b").fails(ErrorKind::Denied));
    let (report, _) = world.failure(text).await;
    assert!(report.rolled_back.is_none());
    assert_eq!(world.addresses(), ["fake_bucket.a"]);
    world.apply(text).await;
    world.on_error = OnError::Rollback;
    world.cloud.inject(Fault::on(Op::Delete).named("b").fails(ErrorKind::Conflict));
    assert!(world.destroy(text).await.rolled_back.is_none());
    assert_eq!(world.addresses(), ["fake_bucket.b"]);
}

#[tokio::test]
async fn what_is_prevented_from_destruction_and_was_made_by_the_run_is_undone() {
    let after = format!(
        "{KEPT}[resource.fake_bucket.a]\nname = 'a'\nlifecycle = {{ prevent_destroy = true }}\n[resource.fake_bucket.b]\nname = \
         'b'\ntags = {{ a = '${{fake_bucket.a.id}}' }}\n"
    );
    comes_back(KEPT, &after, Fault::on(Op::Create).named("b").fails(ErrorKind::Denied)).await;
}

#[tokio::test]
async fn a_tainted_object_that_was_replaced_is_tainted_again() {
    let text = |last: &str| format!("[resource.fake_thing.a]\nname = 'a'\n{last}");
    let mut world = world();
    world.apply(&text("")).await;
    world.taint("fake_thing.a");
    let after = text("[resource.fake_bucket.b]\nname = 'b'\ntags = { a = '${fake_thing.a.id}' }\n");
    let was = summary(&world.plan(&after).await);
    world.cloud.inject(Fault::on(Op::Create).named("b").fails(ErrorKind::Denied));
    let (report, told) = world.failure(&after).await;
    assert_eq!(report.rolled_back.unwrap().left, [], "{told}");
    assert!(world.state.current(&address("fake_thing.a")).unwrap().tainted);
    assert_eq!(summary(&world.plan(&after).await), was);
}

#[tokio::test]
async fn what_a_rollback_cannot_undo_is_told_beforehand() {
    let before = "[resource.fake_bucket.a]\nname = 'a'\n[resource.fake_thing.b]\nname = 'b'\nsize = 1\n";
    let after = "[resource.fake_thing.b]\nname = 'b'\nsize = 2\n[resource.fake_thing.c]\nname = 'c'\n";
    let mut world = world();
    world.apply(before).await;
    let plan = world.plan(after).await;
    let warnings = lakeform_engine::beyond_rollback(&plan, &world.stack(after), &world.providers);
    assert!(!warnings.has_errors());
    let lines = told(&warnings);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("fake_bucket.a: ") && lines[0].contains("it is deleted"), "{lines:?}");
    assert!(lines[1].starts_with("fake_thing.b: ") && lines[1].contains("it is replaced"), "{lines:?}");
}

/// Keeps a journal, and cannot keep the state.
#[derive(Default)]
struct Recorded(Mutex<Vec<Entry>>);

impl Save for Recorded {
    fn save<'a>(&'a self, _: &'a State) -> BoxFuture<'a, Result<u64, Diagnostic>> {
        Box::pin(async { Err(Diagnostic::error("the disk is full")) })
    }

    fn has_journal(&self) -> bool {
        true
    }

    fn record(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), Diagnostic>> {
        self.0.lock().unwrap().extend(entries);
        Box::pin(async { Ok(()) })
    }
}

/// A run that is killed at its very end has only the journal: that tells the same as the state would have.
#[tokio::test]
async fn the_journal_tells_of_what_is_undone() {
    let both = |lifecycle: &str, size: u32| {
        let text = sized(size, lifecycle);
        format!("{text}[resource.fake_bucket.tags]\nname = 'tags'\ntags = {{ n = '{size}' }}\n")
    };
    let gone = "[resource.fake_bucket.gone]\nname = 'gone'\n";
    for lifecycle in ["", FIRST] {
        let mut world = world();
        world.apply(&format!("{}{gone}", both(lifecycle, 1))).await;
        let text = both(lifecycle, 2);
        // The bucket at the end of the chain is changed last.
        world.cloud.inject(Fault::on(Op::Update).named("last").fails(ErrorKind::Denied));
        let (stack, plan, save) = (world.stack(&text), world.plan(&text).await, Recorded::default());
        let before = plan.prior_state.clone();
        let report = lakeform_engine::apply(ApplyInput {
            plan,
            stack: &stack,
            providers: &world.providers,
            environment: Environment { now: Some(jiff::Timestamp::UNIX_EPOCH), ..Environment::default() },
            events: &NoEvents,
            cancel: &world.cancel,
            lease: world.lease.clone(),
            save: &save,
            on_error: OnError::Rollback,
        })
        .await;
        assert_eq!(report.rolled_back.as_ref().unwrap().left, [], "{}", told(&report.diagnostics));
        let entries = save.0.into_inner().unwrap();
        let intents = entries.iter().filter(|e| matches!(e, Entry::Intent(_))).count();
        assert!(intents >= 8, "{intents}");
        let pages = vec![Page { run: "r".into(), seq: 1, at: 0, entries }];
        let told = Recovery::read(before, pages);
        let objects = |state: &State| -> Vec<String> {
            let line = |(a, i): (lakeform_core::InstanceAddress, &lakeform_state::InstanceState)| {
                format!("{a} {:?} {}", i.current.as_ref().map(|o| o.attributes.json().unwrap()), i.deposed.len())
            };
            state.iter().map(line).collect()
        };
        assert!(told.open.is_empty(), "{:?}", told.open);
        assert_eq!(objects(&told.state), objects(&report.state));
    }
}
