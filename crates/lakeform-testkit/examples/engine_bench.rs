//! The engine alone: how long parsing, validating, planning from nothing and planning without a change take for many
//! instances of an invented type, and how much memory. No cloud is called and nothing of AWS is linked in.
//!
//! ```text
//! cargo run --release -p lakeform-testkit --example engine_bench            # 1,000 and 10,000 instances
//! cargo run --release -p lakeform-testkit --example engine_bench -- 50000   # as many as you like
//! ```
//!
//! Every case runs in a process of its own, so that its peak of memory is its own.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark looks at the clock and its arguments, and may fail loudly"
)]

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    process::{Command, ExitCode},
    sync::Arc,
    time::Instant,
};

use lakeform_core::Diagnostic;
use lakeform_engine::{
    ApplyInput, Cancel, NoEvents, Plan, PlanFile, PlanInput, PlanOptions, Providers, Save, apply, plan,
};
use lakeform_lang::{Environment, Stack, load_str, validate};
use lakeform_provider::{BoxFuture, Provider};
use lakeform_state::{Lease, State};
use lakeform_testkit::fake::{FakeCloud, FakeProvider};

/// How the instances are written down.
const SHAPES: [&str; 2] = ["blocks", "count"];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [shape, number, state] = args.as_slice() {
        measure(shape, number.parse().unwrap(), state);
        return ExitCode::SUCCESS;
    }
    let numbers: Vec<usize> = match args.as_slice() {
        [] => vec![1_000, 10_000],
        given => given.iter().map(|n| n.parse().unwrap()).collect(),
    };
    println!(
        "{:>10} {:>9}  {:>9} {:>9} {:>9} {:>9} {:>9}  {:>9}  {:>9}",
        "instances", "shape", "parse", "validate", "read", "plan", "save", "sum", "peak"
    );
    for number in numbers {
        for shape in SHAPES {
            let directory = tempfile::tempdir().unwrap();
            let state = directory.path().join("state.json");
            std::fs::write(&state, applied(shape, number)).unwrap();
            for state in [String::new(), state.display().to_string()] {
                let me = env::current_exe().unwrap();
                let done = Command::new(me).args([shape, &number.to_string(), &state]).status().unwrap();
                if !done.success() {
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// A stack with as many things: one in ten stands alone, the others refer to it.
fn text(shape: &str, number: usize) -> String {
    if shape == "count" {
        return format!(
            "[resource.fake_thing.all]\ncount = {number}\nname = 'thing-${{count.index}}'\nsize = 1\n[output.last]\nvalue = \
             '${{fake_thing.all[{}].name}}'\n",
            number - 1
        );
    }
    let mut out = String::from("[variable.prefix]\ndefault = 'x'\n");
    for i in 0..number {
        let first = i - i % 10;
        let name =
            if i == first { format!("${{var.prefix}}-{i}") } else { format!("${{fake_thing.t{first}.name}}-{i}") };
        let _ = writeln!(out, "[resource.fake_thing.t{i}]\nname = '{name}'\nsize = 1");
    }
    out
}

fn providers() -> Providers {
    Providers::new([Arc::new(FakeProvider::new(&FakeCloud::new())) as Arc<dyn Provider>])
}

fn load(shape: &str, number: usize) -> Stack {
    load_str("stack.toml", &text(shape, number)).unwrap_or_else(|e| panic!("{e}")).0
}

fn planned(stack: &Stack, providers: &Providers, state: State) -> Plan {
    let input = PlanInput {
        stack,
        providers,
        variables: BTreeMap::new(),
        state,
        // Live objects are another benchmark: reading them takes as long as the API takes.
        open: BTreeMap::new(),
        recovered: vec![],
        recent: false,
        options: PlanOptions { skip_refresh: true, ..PlanOptions::default() },
        environment: Environment::default(),
        events: &NoEvents,
        cancel: &Cancel::new(),
    };
    runtime().block_on(plan(input)).unwrap_or_else(|e| panic!("{e}"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

struct Nowhere;

impl Save for Nowhere {
    fn save<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, Diagnostic>> {
        Box::pin(async move { Ok(state.serial) })
    }
}

/// The state after an apply.
fn applied(shape: &str, number: usize) -> Vec<u8> {
    let (stack, providers) = (load(shape, number), providers());
    let plan = planned(&stack, &providers, State::new("00000000-0000-0000-0000-000000000000"));
    let input = ApplyInput {
        plan,
        stack: &stack,
        providers: &providers,
        environment: Environment::default(),
        events: &NoEvents,
        cancel: &Cancel::new(),
        lease: Lease::unlimited(),
        save: &Nowhere,
        on_error: lakeform_engine::OnError::Keep,
    };
    let report = runtime().block_on(apply(input));
    assert_eq!((report.added, report.diagnostics.is_empty()), (number, true), "{}", report.diagnostics);
    report.state.to_bytes()
}

/// One case: without a state everything is planned to be created, with one nothing is.
fn measure(shape: &str, number: usize, state: &str) {
    let text = text(shape, number);
    let start = Instant::now();
    let mut last = start;
    let mut lap = || {
        let now = Instant::now();
        format!("{:.0} ms", (now - std::mem::replace(&mut last, now)).as_secs_f64() * 1e3)
    };
    let (stack, _) = load_str("stack.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    let parsed = lap();
    let providers = providers();
    assert!(!validate(&stack, &providers).has_errors());
    let validated = lap();
    let stored = match state {
        "" => State::new("00000000-0000-0000-0000-000000000000"),
        path => State::parse(std::fs::read(path).unwrap()).unwrap_or_else(|e| panic!("{e}")),
    };
    let read = lap();
    let plan = planned(&stack, &providers, stored);
    let made = lap();
    let sum = start.elapsed();
    let peak = peak();
    let _ = lap();
    PlanFile::write(&plan, &stack, &providers).unwrap_or_else(|e| panic!("{e}"));
    let saved = lap();
    let wanted = if state.is_empty() { number } else { 0 };
    assert_eq!(plan.counts(), (wanted, 0, 0));
    let what = if state.is_empty() { "create" } else { "no change" };
    println!(
        "{number:>10} {shape:>9}  {parsed:>9} {validated:>9} {read:>9} {made:>9} {saved:>9}  {:>6.0} ms  {peak:>6} MB  {what}",
        sum.as_secs_f64() * 1e3
    );
}

/// The largest resident size of this process so far, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap_or_default() / 1024
}
