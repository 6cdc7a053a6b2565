//! Random stacks of `terraform_data` through lakeform and through Terraform, which must agree about every plan, every
//! apply and every state; and sequences where they once did not, with Terraform's answers, for where it is not at hand.
//! `docs/contributing.md` says how to run more of them, and how a fixture is recorded.

mod case;
mod document;
mod drift;
mod generate;
mod model;
mod order;
mod refactor;
mod run;
mod shrink;
mod summary;
mod tools;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use self::{case::Case, run::Difference};

/// How many sequences the suite runs, and the seed of the first; `LAKEFORM_DIFFERENTIAL=COUNT[@SEED]` says otherwise.
const USUAL: (u64, u64) = (200, 1);

#[allow(clippy::disallowed_methods, reason = "a test is told by hand how far to go")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn wanted() -> (u64, u64) {
    let Some(text) = variable("LAKEFORM_DIFFERENTIAL") else { return USUAL };
    let (count, seed) = text.split_once('@').unwrap_or((&text, "1"));
    (count.parse().unwrap(), seed.parse().unwrap())
}

/// Whether what is run is kept as fixtures.
fn recording() -> bool {
    variable("LAKEFORM_DIFFERENTIAL_RECORD").is_some()
}

#[test]
fn random_stacks_end_alike() {
    if !tools::has_terraform() {
        println!("skipped: there is no terraform on PATH; the recorded sequences stand in");
        return;
    }
    let (count, first) = wanted();
    let (next, found, outcomes) = (AtomicU64::new(first), Mutex::new(vec![]), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let (case, text) = sequence(seed);
                    for outcome in case.outcomes() {
                        *outcomes.lock().unwrap().entry(outcome).or_insert(0) += 1;
                    }
                    if let Some(text) = text {
                        println!("{text}");
                        found.lock().unwrap().push(text);
                    }
                }
            });
        }
    });
    println!("what became of the steps: {:?}", outcomes.into_inner().unwrap());
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{} of {count} sequences differ:\n{}", found.len(), found.join("\n"));
}

/// Runs one sequence; tells what differs.
fn sequence(seed: u64) -> (Case, Option<String>) {
    let mut case = generate::sequence(seed);
    let mut difference = run::compare(&mut case);
    if let Some(found) = difference.take_if(|_| recording()) {
        let (smaller, found) = shrink::shrink(case, found);
        (case, difference) = (smaller, Some(found));
    }
    if recording() {
        case.record(&case::fixtures().join(format!("{seed}.json")));
    }
    let text = difference.map(|d| told(&format!("sequence {seed}"), &case, &d));
    (case, text)
}

fn told(name: &str, case: &Case, difference: &Difference) -> String {
    let Difference { step, what, problems } = difference;
    let documents = serde_json::to_string_pretty(&case.steps[*step].documents).unwrap();
    format!("--- {name}, step {step}\n{}\n{problems}\n{documents}\n", what.join("\n"))
}

/// Where Terraform's answers are asked for anew, they are replaced; this is also how a case written by hand gets them.
#[test]
fn recorded_stacks_end_as_terraform_left_them() {
    let mut wrong = String::new();
    for (file, mut case) in Case::recorded() {
        let difference = if recording() {
            let found = run::compare(&mut case);
            case.record(&file);
            found
        } else {
            run::replay(&case)
        };
        if let Some(difference) = difference {
            wrong += &told(&file.display().to_string(), &case, &difference);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
