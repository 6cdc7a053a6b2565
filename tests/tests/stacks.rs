//! Every stack of the repository: it loads, it is valid, and it plans against what its second line names.

use std::path::{Path, PathBuf};

use lakeform_cli::Exit;
use lakeform_testkit::emulator::{Emulator, Kind};

use crate::support::cli::Folder;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn toml_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = entries.filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

fn all() -> Vec<PathBuf> {
    let systems = ["stacks/enclave", "stacks/lakehouse", "stacks/review-analytics"];
    let folders = systems.into_iter().chain(["stacks", "stacks/examples", "state"]);
    let files: Vec<_> = folders.flat_map(toml_files).collect();
    assert!(files.len() > 10);
    files
}

/// Runs a command on a stack in an empty folder, so that no state of the repository is seen or made.
fn run(stack: &Path, args: &[&str], kind: Option<Kind>) -> (Exit, String) {
    let mut folder = Folder::with("");
    if let Some(kind) = kind {
        folder.env = Emulator::shared(kind).unwrap_or_else(|e| panic!("{e}")).env();
    }
    let stack = stack.display().to_string();
    let ran = folder.run(&[&args[..1], &[stack.as_str()], &args[1..]].concat());
    (ran.exit, format!("{}{}", ran.stdout, ran.stderr))
}

#[test]
fn every_stack_is_valid() {
    for stack in all() {
        let (exit, said) = run(&stack, &["validate"], None);
        assert_eq!(exit, Exit::Done, "{}: {said}", stack.display());
    }
}

#[test]
fn every_stack_is_formatted() {
    for stack in all() {
        let (exit, said) = run(&stack, &["fmt", "--check"], None);
        assert_eq!(exit, Exit::Done, "{}: {said}", stack.display());
    }
}

/// The emulators that an example names: `# Served by: moto, ministack`.
fn served_by(stack: &Path) -> Vec<Kind> {
    let text = std::fs::read_to_string(stack).unwrap();
    let line = text.lines().nth(1).unwrap_or_default();
    let Some(names) = line.strip_prefix("# Served by: ") else { return vec![] };
    let names = names.split('(').next().unwrap_or_default();
    names.split(',').filter_map(|name| Kind::from_name(name.trim())).collect()
}

#[test]
fn every_example_says_what_serves_it() {
    for stack in toml_files("stacks/examples") {
        let text = std::fs::read_to_string(&stack).unwrap();
        let line = text.lines().nth(1).unwrap_or_default().to_owned();
        assert!(line.starts_with("# Served by: "), "{}: {line}", stack.display());
    }
}

#[test]
fn every_stack_plans_from_nothing() {
    for stack in all() {
        let kinds = served_by(&stack);
        // What needs ministack is planned by the benchmark and the trials; moto is what every machine has.
        if stack.parent().is_some_and(|p| p.ends_with("examples")) && !kinds.contains(&Kind::Moto) {
            continue;
        }
        // It packs files and makes no objects.
        if stack.ends_with("package.toml") {
            continue;
        }
        let (exit, said) = run(&stack, &["plan", "--detailed-exitcode", "--state", "none.tfstate"], Some(Kind::Moto));
        assert_eq!(exit, Exit::Changes, "{}: {said}", stack.display());
        assert!(said.contains("0 to change, 0 to destroy"), "{}: {said}", stack.display());
    }
}

/// The zips of functions are kept in the repository, because Terraform must find them too.
#[test]
fn each_zip_is_what_its_folder_packs_to() {
    fn copy(from: &Path, to: &Folder, below: &str) -> usize {
        let mut zips = 0;
        for entry in std::fs::read_dir(from).unwrap().map(|e| e.unwrap().path()) {
            let name = format!("{below}/{}", entry.file_name().unwrap().to_string_lossy());
            if entry.is_dir() {
                zips += copy(&entry, to, &name);
            } else if entry.extension().is_some_and(|e| e == "zip") {
                zips += 1;
            } else if !name.contains("__pycache__") {
                to.write(&name, std::fs::read(&entry).unwrap());
            }
        }
        zips
    }
    let folder = Folder::with("");
    folder.write("stacks/package.toml", std::fs::read(root().join("stacks/package.toml")).unwrap());
    let mut zips = 0;
    for system in ["enclave", "lakehouse", "review-analytics"] {
        zips +=
            copy(&root().join("stacks").join(system).join("functions"), &folder, &format!("stacks/{system}/functions"));
    }
    let ran = folder.run(&["apply", "stacks/package.toml", "--auto-approve", "--state", "s.tfstate"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let packed: Vec<_> =
        folder.files().into_iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "zip")).collect();
    assert!(!packed.is_empty() && packed.len() == zips, "{} packed, {zips} kept", packed.len());
    for (path, bytes) in packed {
        let own = path.strip_prefix(folder.directory.path()).unwrap();
        let kept = std::fs::read(root().join(own)).unwrap_or_else(|e| panic!("{}: {e}", own.display()));
        assert!(kept == bytes, "{}: run `lakeform apply stacks/package.toml`", own.display());
    }
}
