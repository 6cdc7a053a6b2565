//! Kills lakeform at every call that changes something, and says how often the next run put everything right.
//!
//! ```text
//! cargo run --release -p lakeform-testkit --example crashes -- --lakeform target/release/lakeform \
//!     [--stack prod.toml] [--update --var --update project=other] [--backend local|s3] [--phase apply|update|destroy]
//!     [--moment before|after] [--every N] [--from N]
//! ```
//!
//! Without `--backend`, `--phase` and `--moment`: all of them. `--every 10` tries each tenth call only.
//!
//! `--time 5` kills nothing: it prints the median times of five applies at 20 ms per call, and of the plan after each. Two
//! programs can be held against each other: what the journal costs is the difference to one from before it. With `--calls yes`
//! it prints each call of the last apply besides, with the milliseconds at which it came and was answered.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, time::Duration};

use lakeform_testkit::{
    crash::{Crashes, Keeping, Moment, Phase, Subject},
    emulator::{Emulator, Kind},
};

fn main() -> ExitCode {
    let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        given.entry(name.trim_start_matches('-').to_owned()).or_default().push(value);
    }
    let one = |name: &str, default: &str| given.get(name).map_or(default, |v| v[0].as_str()).to_owned();
    let wanted = |name: &str, value: &str| given.get(name).is_none_or(|v| v.iter().any(|v| v == value));
    let number = |name: &str| one(name, "1").parse::<usize>().unwrap_or(1).max(1);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = PathBuf::from(one("lakeform", "target/release/lakeform"));
    let program = program.canonicalize().unwrap_or(program);
    let subject = Subject {
        folder: root.join("stacks"),
        stack: one("stack", "prod.toml"),
        update: given.get("update").cloned().unwrap_or_else(|| vec!["--var".into(), "project=other".into()]),
        addition: String::new(),
    };
    let (mut tried, mut failed) = (0, 0);
    for (keeping, backend) in [(Keeping::Local, "local"), (Keeping::S3, "s3")] {
        if !wanted("backend", backend) {
            continue;
        }
        // What moto lacks of alarms, budgets and state machines.
        let scene = Emulator::start_from(Kind::Moto, &root.join("tests/parity/moto_server")).and_then(|emulator| {
            Crashes::new(vec![program.clone().into()], BTreeMap::new(), emulator, subject.clone(), keeping)
        });
        let mut crashes = match scene {
            Ok(crashes) => crashes,
            Err(e) => {
                eprintln!("{e}");
                return ExitCode::FAILURE;
            }
        };
        if given.contains_key("time") {
            let (mut applies, mut plans) = (vec![], vec![]);
            for _ in 0..number("time") {
                match crashes.timed(Phase::Apply, Duration::from_millis(20)) {
                    Ok((apply, plan)) => {
                        applies.push(apply);
                        plans.push(plan);
                    }
                    Err(e) => {
                        eprintln!("{e}");
                        return ExitCode::FAILURE;
                    }
                }
            }
            applies.sort();
            plans.sort();
            let middle = applies.len() / 2;
            if given.contains_key("calls") {
                crashes.calls().iter().for_each(|call| println!("{call}"));
            }
            println!("{backend}: apply {:?}, plan without changes {:?}", applies[middle], plans[middle]);
            continue;
        }
        for (phase, name) in [(Phase::Apply, "apply"), (Phase::Update, "update"), (Phase::Destroy, "destroy")] {
            if !wanted("phase", name) {
                continue;
            }
            let (expected, calls) = match crashes.undisturbed(phase) {
                Ok(found) => found,
                Err(e) => {
                    eprintln!("{name}: {e}");
                    return ExitCode::FAILURE;
                }
            };
            for (moment, when) in [(Moment::Before, "before"), (Moment::After, "after")] {
                if !wanted("moment", when) {
                    continue;
                }
                let (mut here, mut bad) = (0, 0);
                for n in (number("from")..=calls + 2).step_by(number("every")) {
                    match crashes.crash(phase, moment, n, &expected) {
                        Ok(true) => here += 1,
                        Ok(false) => break,
                        Err(why) => {
                            here += 1;
                            bad += 1;
                            println!("{name} on {backend}, killed {when} call {n} of {calls}: {why}");
                        }
                    }
                }
                println!(
                    "{name} on {backend}, killed {when} the call: {} of {here} recovered ({calls} calls)",
                    here - bad
                );
                tried += here;
                failed += bad;
            }
        }
    }
    if !given.contains_key("time") {
        println!("{} of {tried} recovered", tried - failed);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
