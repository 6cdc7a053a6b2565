//! The rooms of the workspace and who may enter which: the import rules of `docs/architecture.md`, held against the
//! manifests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Each crate with the lakeform crates that it may import.
const ROOMS: [(&str, &[&str]); 13] = [
    ("lakeform-core", &[]),
    ("lakeform-archive", &[]),
    ("lakeform-macros", &[]),
    ("lakeform-lang", &["lakeform-core"]),
    ("lakeform-state", &["lakeform-core"]),
    ("lakeform-state-s3", &["lakeform-core", "lakeform-state"]),
    ("lakeform-provider", &["lakeform-core", "lakeform-macros"]),
    ("lakeform-engine", &["lakeform-core", "lakeform-lang", "lakeform-state", "lakeform-provider"]),
    ("lakeform-aws", &["lakeform-archive", "lakeform-core", "lakeform-provider"]),
    ("lakeform-utility", &["lakeform-archive", "lakeform-core", "lakeform-provider"]),
    (
        "lakeform",
        &[
            "lakeform-core",
            "lakeform-lang",
            "lakeform-state",
            "lakeform-state-s3",
            "lakeform-provider",
            "lakeform-engine",
            "lakeform-aws",
            "lakeform-utility",
        ],
    ),
    ("lakeform-cli", &["lakeform"]),
    ("lakeform-testkit", &["lakeform-core", "lakeform-lang", "lakeform-state", "lakeform-provider", "lakeform-engine"]),
];

/// Outside crates (or families of them) with the only crates that may import them.
const OUTSIDERS: [(&str, &[&str]); 12] = [
    ("petgraph", &["lakeform-engine"]),
    ("aws-", &["lakeform-aws", "lakeform-state-s3"]),
    ("clap", &["lakeform-cli"]),
    ("miette", &["lakeform-cli"]),
    ("indicatif", &["lakeform-cli"]),
    ("owo-colors", &["lakeform-cli"]),
    ("hcl-edit", &["lakeform-lang"]),
    // `lakeform` reads values files with it.
    ("toml", &["lakeform-lang", "lakeform", "lakeform-testkit"]),
    ("toml_edit", &["lakeform-lang", "lakeform-cli"]),
    ("syn", &["lakeform-macros"]),
    ("tar", &["lakeform-archive"]),
    ("zip", &["lakeform-archive"]),
];

/// What a crate never imports, besides.
const NEVER: [(&str, &[&str]); 5] = [
    ("lakeform-archive", &["tokio", "serde"]),
    ("lakeform-core", &["tokio", "tempfile", "hostname", "whoami"]),
    ("lakeform-lang", &["tokio", "hyper"]),
    ("lakeform-state", &["clap", "miette", "indicatif"]),
    ("lakeform-engine", &["miette", "whoami", "hostname"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".into()])
        .exec()
        .unwrap()
}

/// What a crate ships with: its dependencies and those of its build script.
fn shipped(package: &Package) -> BTreeSet<&str> {
    let ships = |kind: DependencyKind| kind != DependencyKind::Development;
    package.dependencies.iter().filter(|d| ships(d.kind)).map(|d| d.name.as_str()).collect()
}

#[test]
fn every_crate_imports_only_what_it_may() {
    let metadata = metadata();
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.into();
    let mut wrong = vec![];
    for package in metadata.workspace_packages().into_iter().filter(|p| p.name.as_str() != "lakeform-tests") {
        let name = package.name.as_str();
        let Some(allowed) = rooms.get(name) else {
            wrong.push(format!("{name} has no row in ROOMS"));
            continue;
        };
        for dependency in shipped(package) {
            if dependency.starts_with("lakeform") && !allowed.contains(&dependency) {
                wrong.push(format!("{name} must not import {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn outside_crates_enter_only_their_rooms() {
    let metadata = metadata();
    let mut wrong = vec![];
    for package in metadata.workspace_packages().into_iter().filter(|p| p.name.as_str() != "lakeform-tests") {
        let name = package.name.as_str();
        for dependency in shipped(package) {
            for (outsider, rooms) in OUTSIDERS {
                let meant = dependency == outsider || outsider.ends_with('-') && dependency.starts_with(outsider);
                if meant && !rooms.contains(&name) {
                    wrong.push(format!("{name} must not import {dependency}"));
                }
            }
        }
        for (_, never) in NEVER.iter().filter(|(room, _)| *room == name) {
            wrong.extend(
                shipped(package)
                    .intersection(&never.iter().copied().collect())
                    .map(|d| format!("{name} must not import {d}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_that_ships_imports_the_testkit() {
    for package in metadata().workspace_packages() {
        assert!(!shipped(package).contains("lakeform-testkit"), "{} ships the testkit", package.name);
    }
}

fn rust_files(at: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
}

fn all_rust_files() -> Vec<PathBuf> {
    let mut files = vec![];
    for part in ["crates", "tests"] {
        rust_files(&root().join(part), &mut files);
    }
    assert!(files.len() > 100);
    files
}

#[test]
fn no_file_has_more_than_800_lines() {
    let long: Vec<_> = all_rust_files()
        .into_iter()
        .map(|path| (std::fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > 800)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// Every version and lint is in the root manifest.
#[test]
fn members_take_versions_and_lints_from_the_root() {
    for package in metadata().workspace_packages() {
        let text = std::fs::read_to_string(&package.manifest_path).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{}", package.name);
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest.get(section).and_then(|s| s.as_table()).into_iter().flatten() {
                let from_root = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
                assert!(from_root, "{}: {name} has a version of its own", package.name);
            }
        }
    }
}
