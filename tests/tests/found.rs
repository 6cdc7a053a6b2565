//! Every type of AWS is found although nobody was told that it was created: the rows of `trials/`, with each creation cut off
//! in every place.

use std::{fmt::Write, path::Path, sync::Arc};

use lakeform_aws::AwsProvider;
use lakeform_cli::Exit;
use lakeform_provider::{FoundBy, Provider};
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::Proxy,
    trials::{Doubting, Edit, Row, load},
};
use toml::Table;

use crate::support::cli::Folder;

fn rows() -> Vec<Row> {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials")).unwrap_or_else(|e| panic!("{e}"))
}

/// The row's stack with all changes that the emulator can show, so that making it takes as many calls as it can.
fn full(row: &Row, kind: Kind) -> Row {
    let shown = |edit: &&Edit| row.exception(&format!("change {}", edit.path), kind, "lakeform").is_none();
    let change = |stack: Table, edit: &Edit| row.edited(&stack, edit, edit.new.as_ref()).unwrap();
    Row { stack: row.change.iter().filter(shown).fold(row.stack.clone(), change), ..row.clone() }
}

/// Applies and destroys a row with its type in doubt. Gives what does not hold.
fn failures(row: &Row, emulator: &Emulator, proxy: &Arc<Proxy>) -> Vec<String> {
    let kind = emulator.kind();
    row.prepare(emulator).unwrap();
    row.shelf.iter().for_each(|shelf| proxy.shelve(&shelf.subresource, &shelf.absent));
    let mut folder = Folder::with(&full(row, kind).text());
    folder.env = environment_for(&proxy.url());
    let aws = AwsProvider::new(folder.env.clone()).in_directory(folder.directory.path());
    let aws = Arc::new(Doubting::new(Arc::new(aws), &row.ty, proxy));
    folder.providers = vec![aws.clone()];
    let mut failures = vec![];
    let spared = row.exception("find deleted", kind, "lakeform").is_some();
    for verb in if spared { &["apply"][..] } else { &["apply", "destroy"] } {
        let ran = folder.run(&[verb, "stack.toml", "--auto-approve", "--parallelism", "1", "--state", "s"]);
        if ran.exit != Exit::Done {
            failures.push(format!("{verb} fails: {}", ran.stderr));
        }
    }
    proxy.clear_shelves();
    let results = aws.results();
    if !spared && !results.iter().any(|(trial, _)| trial == "find deleted") {
        failures.push("nothing was tried to the end".to_owned());
    }
    // What ends in a star may hold now and then.
    let firm = |trial: &str| trial.starts_with("find ") && !trial.ends_with('*');
    for exception in row.exception.iter().filter(|e| firm(&e.trial)) {
        let here = exception.on.as_deref().is_none_or(|on| on == kind.name());
        let failed = |(trial, result): &(String, Result<(), String>)| {
            result.is_err() && row.exception(trial, kind, "lakeform").is_some()
        };
        if here && !results.iter().any(failed) {
            failures.push(format!("{} holds, so its exception is out of date", exception.trial));
        }
    }
    for (trial, result) in results {
        if let Err(why) = result
            && row.exception(&trial, kind, "lakeform").is_none()
        {
            failures.push(format!("{trial}: {why}"));
        }
    }
    failures
}

/// Tries the rows that `kind` serves, or a part of them, as one of several tests.
fn all_are_found(kind: Kind, (part, parts): (usize, usize)) {
    let emulator = match kind {
        Kind::Moto => Emulator::start_from(kind, &Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/moto_server")),
        Kind::Ministack => Emulator::start(kind),
    };
    let emulator = emulator.unwrap_or_else(|e| panic!("{e}"));
    let proxy = Arc::new(Proxy::start(emulator.address()).unwrap());
    let mut told = String::new();
    // Moto is the closer to AWS.
    let its_own = |row: &Row| row.is_served_by(kind) && (kind == Kind::Moto || !row.is_served_by(Kind::Moto));
    for row in rows().into_iter().filter(its_own).skip(part).step_by(parts) {
        let started = std::time::Instant::now();
        let failures = failures(&row, &emulator, &proxy);
        println!("{} {:?}", row.ty, started.elapsed());
        if !failures.is_empty() {
            writeln!(told, "{} on {kind}:\n  {}", row.ty, failures.join("\n").replace('\n', "\n  ")).unwrap();
        }
    }
    assert!(told.is_empty(), "{told}");
}

#[test]
fn on_moto() {
    all_are_found(Kind::Moto, (0, 2));
}

#[test]
fn on_another_moto() {
    all_are_found(Kind::Moto, (1, 2));
}

#[test]
fn on_ministack() {
    all_are_found(Kind::Ministack, (0, 1));
}

#[test]
fn every_type_of_aws_can_be_found() {
    let aws = AwsProvider::new([]);
    for name in aws.resource_names() {
        let by = aws.resource(name).unwrap().found_by();
        assert!(!matches!(by, FoundBy::Hand(_) | FoundBy::Local), "{name}: {by:?}");
    }
}
