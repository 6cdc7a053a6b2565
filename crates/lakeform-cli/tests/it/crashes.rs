//! Runs that are killed at calls that change something, and what the next run makes of it: samples of what
//! `cargo run --release -p lakeform-testkit --example crashes` does at every call.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use lakeform_testkit::{
    Gate,
    crash::{Crashes, Keeping, Moment, Phase, Subject, Tool},
    emulator::{Emulator, Kind, environment_for},
    proxy::{Proxy, Rule},
};

fn crashes(stack: &str, update: &[&str], keeping: Keeping) -> Crashes {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // What moto lacks of alarms, budgets and state machines.
    let emulator = Emulator::start_from(Kind::Moto, &root.join("tests/parity/moto_server"));
    let subject = Subject {
        folder: root.join("stacks"),
        stack: stack.into(),
        update: update.iter().map(|text| (*text).to_owned()).collect(),
        addition: String::new(),
    };
    let program = vec![env!("CARGO_BIN_EXE_lakeform").into()];
    let emulator = emulator.unwrap_or_else(|e| panic!("{e}"));
    Crashes::new(Tool::Lakeform, program, BTreeMap::new(), emulator, subject, keeping).unwrap_or_else(|e| panic!("{e}"))
}

/// Kills a phase at some calls, before and after they reached the cloud.
fn samples(mut crashes: Crashes, phase: Phase, shares: &[f64]) {
    let (expected, calls) = crashes.undisturbed(phase).unwrap();
    assert!(phase == Phase::Destroy || expected.len() > 12, "{} objects", expected.len());
    for (i, share) in shares.iter().enumerate() {
        let n = ((calls as f64 * share) as usize).max(1);
        let moment = if i % 2 == 0 { Moment::After } else { Moment::Before };
        match crashes.crash(phase, moment, n, &expected) {
            Ok(true) => {}
            Ok(false) => panic!("the run made fewer than {n} of {calls} calls"),
            Err(e) => panic!("{phase:?}, killed {moment:?} call {n} of {calls}: {e}"),
        }
    }
}

const PROD: [&str; 2] = ["--var", "project=other"];
const LAKEHOUSE: [&str; 2] = ["--var", "environment=stage"];

#[test]
fn the_first_apply_of_the_data_lake_is_killed() {
    samples(crashes("prod.toml", &PROD, Keeping::Local), Phase::Apply, &[0.02, 0.3, 0.7]);
}

#[test]
fn the_first_apply_of_the_data_lake_is_killed_with_its_state_in_s3() {
    samples(crashes("prod.toml", &PROD, Keeping::S3), Phase::Apply, &[0.1, 0.6]);
}

#[test]
fn an_update_of_the_data_lake_that_replaces_everything_is_killed() {
    samples(crashes("prod.toml", &PROD, Keeping::S3), Phase::Update, &[0.3, 0.7]);
}

#[test]
fn the_destruction_of_the_data_lake_is_killed() {
    samples(crashes("prod.toml", &PROD, Keeping::Local), Phase::Destroy, &[0.5]);
}

#[test]
fn the_first_apply_of_the_lakehouse_is_killed() {
    samples(crashes("lakehouse/dev.toml", &LAKEHOUSE, Keeping::Local), Phase::Apply, &[0.25, 0.6]);
}

#[test]
fn a_rollback_is_killed() {
    samples(crashes("prod.toml", &PROD, Keeping::Local), Phase::Rollback, &[0.6, 0.75, 0.9]);
}

/// Nobody else can have made an alias or a topic of a key that this run makes, and whose a rule was is no matter: their creations
/// need not wait for the journal.
#[test]
fn what_nobody_else_can_have_is_in_the_journal_before_its_turn() {
    let emulator = Emulator::start(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
    let proxy = Proxy::start(emulator.address()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stack = "
[resource.aws_kms_key.k]
[resource.aws_kms_alias.a]
name = 'alias/a'
target_key_id = '${aws_kms_key.k.key_id}'
[resource.aws_cloudwatch_event_rule.r]
name = 'r'
schedule_expression = 'rate(1 hour)'
depends_on = ['aws_kms_key.k']
[resource.aws_cloudwatch_log_group.g]
name = 'g'
depends_on = ['aws_kms_key.k']
[module.m]
source = './m'
key = '${aws_kms_key.k.arn}'
";
    let module = "[variable.key]\n[resource.aws_sns_topic.t]\nname = 't'\nkms_master_key_id = '${var.key}'\n";
    std::fs::write(folder.path().join("s.toml"), stack).unwrap();
    std::fs::create_dir(folder.path().join("m")).unwrap();
    std::fs::write(folder.path().join("m/main.toml"), module).unwrap();
    let gate = Gate::new();
    proxy.add(Rule::on("kms:CreateKey").held_by(&gate));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lakeform"));
    command.args(["apply", "s.toml", "--auto-approve", "--state", "s.tfstate"]).current_dir(folder.path());
    let mut run = command.envs(environment_for(&proxy.url())).spawn().unwrap();
    let journal = folder.path().join("s.tfstate.journal");
    let start = Instant::now();
    let wanted = ["aws_kms_alias.a", "aws_cloudwatch_event_rule.r", "module.m.aws_sns_topic.t"];
    let text = loop {
        let text = std::fs::read_to_string(&journal).unwrap_or_default();
        let found = gate.arrived() > 0 && wanted.iter().all(|address| text.contains(address));
        if found || start.elapsed() > Duration::from_secs(60) {
            break text;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    gate.open();
    assert!(run.wait().unwrap().success());
    let missing: Vec<_> = wanted.iter().filter(|address| !text.contains(**address)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!text.contains("aws_cloudwatch_log_group.g"), "somebody else may have a group of that name");
    assert!(!journal.exists());
}
