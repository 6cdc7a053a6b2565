//! Kills lakeform at every call that changes something, and says how often the next run put everything right.
//!
//! ```text
//! cargo run --release -p lakeform-testkit --example crashes -- --lakeform target/release/lakeform \
//!     [--stack prod.toml] [--update --var --update project=other] [--backend local|s3] [--phase apply|update|destroy]
//!     [--moment before|after] [--every N] [--from N]
//! ```
//!
//! `--terraform terraform` kills Terraform instead, on the same stack: TF_PLUGIN_MIRROR names a folder with its AWS provider, or
//! TF_CLI_CONFIG_FILE says where that is.
//!
//! Without `--backend`, `--phase` and `--moment`: all of them. `--every 10` tries each tenth call only.
//!
//! `--time 5` kills nothing: it prints the median times of five applies at 20 ms per call, and of the plan after each. `--applies` and
//! `--against` name two programs that apply, to be held against each other in turn: see the example `apply`. With `--calls yes`
//! it prints each call of the last apply besides, with the milliseconds at which it came and was answered.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use lakeform_testkit::{
    crash::{Crashes, Keeping, Moment, Phase, Subject, Tool},
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
    let (tool, program) = match given.get("terraform") {
        Some(program) => (Tool::Terraform, PathBuf::from(&program[0])),
        None => (Tool::Lakeform, PathBuf::from(one("lakeform", "target/release/lakeform"))),
    };
    let program = program.canonicalize().unwrap_or(program);
    let settings = tempfile::tempdir().ok();
    let env = match &settings {
        Some(folder) if tool == Tool::Terraform => terraform_settings(folder.path()),
        _ => BTreeMap::new(),
    };
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
            Crashes::new(tool, vec![program.clone().into()], env.clone(), emulator, subject.clone(), keeping)
        });
        let mut crashes = match scene {
            Ok(crashes) => crashes,
            Err(e) => {
                eprintln!("{e}");
                return ExitCode::FAILURE;
            }
        };
        if given.contains_key("time") {
            match compare(&mut crashes, number("time"), &given) {
                Ok(lines) => lines.iter().for_each(|line| println!("{backend}: {line}")),
                Err(e) => {
                    eprintln!("{e}");
                    return ExitCode::FAILURE;
                }
            }
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
                        Ok(true) => {
                            here += 1;
                            eprint!(
                                "\r{name} on {backend}, killed {when} call {n} of {calls}: {} of {here} ",
                                here - bad
                            );
                        }
                        Ok(false) => break,
                        Err(why) => {
                            here += 1;
                            bad += 1;
                            // Its end says what went wrong.
                            let end = why.char_indices().rev().nth(1500).map_or(&*why, |(at, _)| &why[at..]);
                            println!("{name} on {backend}, killed {when} call {n} of {calls}: {end}");
                        }
                    }
                }
                eprintln!();
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

/// Times applies, by each program that was named in turn, and the plans after them.
fn compare(crashes: &mut Crashes, times: usize, given: &BTreeMap<String, Vec<String>>) -> Result<Vec<String>, String> {
    let command = |text: &String| -> Vec<String> {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if let Some(path) = words.first().and_then(|program| Path::new(program).canonicalize().ok()) {
            words[0] = path.to_string_lossy().into_owned();
        }
        words
    };
    let named: Vec<Vec<String>> =
        ["applies", "against"].iter().filter_map(|name| given.get(*name)?.first()).map(command).collect();
    let programs: Vec<Option<&[String]>> =
        if named.is_empty() { vec![None] } else { named.iter().map(|words| Some(&words[..])).collect() };
    let mut found = vec![(vec![], vec![]); programs.len()];
    for _ in 0..times {
        for (by, (applies, plans)) in programs.iter().zip(&mut found) {
            let (apply, plan) = crashes.timed(Duration::from_millis(20), *by)?;
            applies.push(apply);
            plans.push(plan);
        }
    }
    let mut lines = if given.contains_key("calls") { crashes.calls() } else { vec![] };
    let mut medians = vec![];
    for (by, (mut applies, mut plans)) in programs.iter().zip(found) {
        applies.sort();
        plans.sort();
        let (apply, plan) = (applies[times / 2], plans[times / 2]);
        medians.push(apply);
        let name = by.map_or("lakeform".to_owned(), |words| words[words.len() - 1].clone());
        lines.push(format!("{name}: apply {apply:.3?} (fastest {:.3?}), plan without changes {plan:.3?}", applies[0]));
    }
    if let [a, b] = medians[..] {
        lines.push(format!("the first takes {:+.1} % more", (a.as_secs_f64() / b.as_secs_f64() - 1.0) * 100.0));
    }
    Ok(lines)
}

/// Where Terraform finds its provider.
fn terraform_settings(folder: &Path) -> BTreeMap<String, String> {
    let Some(mirror) = std::env::var_os("TF_PLUGIN_MIRROR") else { return BTreeMap::new() };
    let file = folder.join("terraformrc");
    let mirror = mirror.to_string_lossy();
    let text = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"
    );
    let _ = std::fs::write(&file, text);
    [("TF_CLI_CONFIG_FILE", file.to_string_lossy().as_ref()), ("TF_IN_AUTOMATION", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
