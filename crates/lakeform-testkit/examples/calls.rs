//! Counts the calls of a refresh for each resource type, with lakeform and with Terraform: none may need more than Terraform.
//!
//!     cargo build --release -p lakeform-cli
//!     cargo run -p lakeform-testkit --example calls -- [--lakeform PROGRAM] [--mirror FOLDER] [--record] [TYPE ...]
//!
//! Terraform 1.11 must be on PATH and its AWS provider 5.100 where its CLI configuration, or `--mirror`, says. With `--record`
//! the numbers are kept in `tests/tests/trials/calls.json`, which a test holds lakeform to.

use std::{collections::BTreeMap, error::Error, path::PathBuf};

use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::Proxy,
    trials::{Binary, Row, Terraform, load, refresh_calls},
};
use serde_json::{Value as Json, json};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let mut program = root.join("target/release/lakeform");
    let (mut mirror, mut record, mut types) = (None, false, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--lakeform" => program = arguments.next().map(PathBuf::from).ok_or("--lakeform names no program")?,
            "--mirror" => mirror = arguments.next().map(PathBuf::from),
            "--record" => record = true,
            _ => types.push(argument),
        }
    }
    let folder = root.join("tests/tests/trials");
    let rows: Vec<Row> = load(&folder)?.into_iter().filter(|r| types.is_empty() || types.contains(&r.ty)).collect();
    let file = folder.join("calls.json");
    let mut kept: BTreeMap<String, Json> =
        std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut more = Vec::new();
    println!("{:52} {:>9} {:>10}", "calls of a refresh", "lakeform", "Terraform");
    for kind in [Kind::Moto, Kind::Ministack] {
        // On moto where both serve it.
        let mine = |r: &&Row| r.is_served_by(kind) && (kind == Kind::Moto || !r.is_served_by(Kind::Moto));
        let mine: Vec<&Row> = rows.iter().filter(mine).collect();
        if mine.is_empty() {
            continue;
        }
        let emulator = Emulator::start(kind)?;
        let proxy = Proxy::start(emulator.address())?;
        let lakeform = Binary::new(&program, environment_for(&proxy.url()));
        let terraform = Terraform::new(environment_for(&proxy.url()), mirror.as_deref())?;
        for row in mine {
            emulator.reset()?;
            row.prepare(&emulator)?;
            let ours = runtime.block_on(refresh_calls(row, &lakeform, &proxy, kind))?;
            emulator.reset()?;
            row.prepare(&emulator)?;
            let theirs = match runtime.block_on(refresh_calls(row, &terraform, &proxy, kind)) {
                Ok(calls) => Some(calls),
                Err(why) => {
                    eprintln!("Terraform cannot be asked: {}", why.lines().next().unwrap_or_default());
                    None
                }
            };
            let number = theirs.as_ref().map(Vec::len);
            let shown = number.map_or("-".to_owned(), |n| n.to_string());
            println!("{:52} {:9} {shown:>10}", row.ty, ours.len());
            if number.is_some_and(|n| ours.len() > n) {
                more.push(format!("{}: {ours:?} instead of {theirs:?}", row.ty));
            }
            kept.insert(row.ty.clone(), json!({ "lakeform": ours.len(), "terraform": number }));
        }
    }
    if record {
        let lines: Vec<String> = kept.iter().map(|(ty, numbers)| format!("  \"{ty}\": {numbers}")).collect();
        std::fs::write(&file, format!("{{\n{}\n}}\n", lines.join(",\n")))?;
    }
    if more.is_empty() { Ok(()) } else { Err(format!("more calls than Terraform:\n{}", more.join("\n")).into()) }
}
