//! Scanners that read Terraform's plans find the same in lakeform's.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use lakeform_testkit::emulator::{Emulator, Kind};
use serde_json::Value as Json;

use crate::support::cli::Folder;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// What Checkov finds in a plan: the outcome, the check and the resource.
fn findings(checkov: &Path, plan: &Path) -> BTreeSet<(&'static str, String, String)> {
    let output = Command::new(checkov)
        .args(["--framework", "terraform_plan", "--output", "json", "--skip-download", "--file"])
        .arg(plan)
        .output()
        .unwrap();
    let report: Json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let report = report.as_array().map_or(&report, |reports| &reports[0]);
    let mut out = BTreeSet::new();
    for outcome in ["passed_checks", "failed_checks", "skipped_checks"] {
        for check in report["results"][outcome].as_array().unwrap() {
            let word = |name: &str| check[name].as_str().unwrap().to_owned();
            out.insert((outcome, word("check_id"), word("resource")));
        }
    }
    out
}

/// The plan to compare with was recorded with Terraform 1.11 and the AWS provider 5.100 against moto, from the same stack
/// in Terraform's JSON syntax (`tests/bench/terraform_json.py`).
#[test]
fn checkov_finds_the_same_as_in_terraforms_plan() {
    let checkov = root().join(".checkov/bin/checkov");
    if !checkov.exists() {
        println!("skipped: there is no Checkov; scripts/checkov installs it");
        return;
    }
    let mut folder = Folder::with("");
    folder.env = Emulator::shared(Kind::Moto).unwrap_or_else(|e| panic!("{e}")).env();
    let stack = root().join("stacks/prod.toml").display().to_string();
    let plan = folder.ok(&["plan", &stack, "--state", "none.tfstate", "--json"]);
    folder.write("plan.json", &plan);
    let recorded = root().join("tests/tests/fixtures/checkov/terraform_plan_of_prod.json");
    let (ours, theirs) = (findings(&checkov, &folder.path("plan.json")), findings(&checkov, &recorded));
    assert!(theirs.iter().any(|(outcome, ..)| *outcome == "failed_checks"), "nothing is found at all");
    assert_eq!(ours, theirs);
}
