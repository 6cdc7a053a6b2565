//! Any stack, changed to any other, with anything failing on the way: what must hold all the same.
//!
//! After every run the state holds what the cloud holds and nothing else; once nothing fails any more, one apply finishes the
//! job and the next plan is empty; a destroy leaves nothing.

use std::{collections::BTreeSet, fmt::Write as _};

use lakeform_provider::ErrorKind;
use lakeform_testkit::fake::{Fault, Op};
use proptest::prelude::*;

use crate::support::world::{World, summary};

/// One resource of a stack: which of the resources before it it refers to, and what may change about it.
#[derive(Clone, Debug)]
struct Thing {
    there: bool,
    needs: Vec<usize>,
    name: u8,
    size: u8,
    count: Option<u8>,
    create_first: bool,
}

/// Shown as the document.
#[derive(Clone)]
struct Things(Vec<Thing>);

impl std::fmt::Debug for Things {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}", text(&self.0))
    }
}

#[derive(Clone, Debug)]
struct Trouble {
    op: Op,
    skip: u32,
    after: bool,
}

fn thing(index: usize) -> impl Strategy<Value = Thing> {
    let needs = proptest::collection::vec(0..index.max(1), 0..3);
    let count = prop_oneof![3 => Just(None), 1 => (0u8..3).prop_map(Some)];
    (prop::bool::weighted(0.8), needs, 0u8..2, 0u8..2, count, prop::bool::weighted(0.3)).prop_map(
        move |(there, needs, name, size, count, create_first)| {
            let needs = if index == 0 { vec![] } else { needs };
            Thing { there, needs, name, size, count, create_first }
        },
    )
}

fn stack() -> impl Strategy<Value = Things> {
    (0..6usize).map(thing).collect::<Vec<_>>().prop_map(Things)
}

fn troubles() -> impl Strategy<Value = Vec<Trouble>> {
    let op = prop_oneof![Just(Op::Create), Just(Op::Update), Just(Op::Delete)];
    let one = (op, 0u32..4, any::<bool>()).prop_map(|(op, skip, after)| Trouble { op, skip, after });
    proptest::collection::vec(one, 0..3)
}

fn text(stack: &[Thing]) -> String {
    let mut out = String::new();
    for (i, thing) in stack.iter().enumerate().filter(|(_, t)| t.there) {
        let ids = thing.needs.iter().filter(|n| stack[**n].there).fold(String::new(), |mut ids, n| {
            let _ = write!(ids, "-${{join(\"\", fake_thing.t{n}[*].id)}}");
            ids
        });
        let _ = writeln!(out, "[resource.fake_thing.t{i}]\nname = 't{i}-{}{ids}'\nsize = {}", thing.name, thing.size);
        if let Some(count) = thing.count {
            let _ = writeln!(out, "count = {count}");
        }
        if thing.create_first {
            let _ = writeln!(out, "lifecycle = {{ create_before_destroy = true }}");
        }
    }
    out
}

/// The identifiers of everything that state holds, deposed objects included.
fn held(world: &World) -> BTreeSet<String> {
    let objects = world.state.iter().flat_map(|(_, i)| i.current.iter().chain(i.deposed.values()));
    objects.map(|o| o.attributes.json().unwrap()["id"].as_str().unwrap().to_owned()).collect()
}

fn live(world: &World) -> BTreeSet<String> {
    world.cloud.objects("fake_thing").iter().map(|o| o.get("id").unwrap().as_str().unwrap().to_owned()).collect()
}

async fn check(stacks: Vec<(Things, Vec<Trouble>)>) -> Result<(), TestCaseError> {
    let mut world = World::new();
    for (stack, troubles) in &stacks {
        for trouble in troubles {
            let fault = Fault::on(trouble.op).after(trouble.skip);
            // Only a create is known to leave something behind where it fails half way.
            let half_way = trouble.after && trouble.op == Op::Create;
            world.cloud.inject(if half_way {
                fault.fails_after(ErrorKind::Other)
            } else {
                fault.fails(ErrorKind::Denied)
            });
        }
        let report = world.try_apply(&text(&stack.0)).await;
        prop_assert_eq!(held(&world), live(&world), "after {:?}", report.diagnostics.to_string());
        world.cloud.clear_faults();
    }
    let last = text(&stacks[stacks.len() - 1].0.0);
    let report = world.try_apply(&last).await;
    prop_assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    prop_assert_eq!(held(&world), live(&world));
    let again = world.plan(&last).await;
    prop_assert!(!again.has_changes(), "the second plan is not empty: {}", summary(&again));
    let report = world.destroy(&last).await;
    prop_assert!(report.diagnostics.is_empty(), "{}", report.diagnostics);
    prop_assert!(world.cloud.is_empty() && world.state.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn state_and_cloud_agree_whatever_fails(stacks in proptest::collection::vec((stack(), troubles()), 1..4)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(stacks))?;
    }
}
