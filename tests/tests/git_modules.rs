//! Modules from git repositories, pinned in a lock file.

use std::process::Command;

use crate::support::cli::Folder;

/// A bare repository beside a working copy, both in a folder of their own.
struct Repository {
    directory: tempfile::TempDir,
}

const PART: &str = "[variable.name]\n[resource.fake_thing.a]\nname = 'VERSION-${var.name}'\n[output.name]\nvalue = \
                    '${fake_thing.a.name}'\n";

impl Repository {
    /// With one commit on `main`, tagged `v1`, which has the module `parts/one` that calls its neighbour `parts/two`.
    fn new() -> Self {
        let repository = Self { directory: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", "bare.git"], ".");
        repository.git(&["init", "--quiet", "--initial-branch=main", "work"], ".");
        repository.git(&["remote", "add", "origin", "../bare.git"], "work");
        repository.commit("one");
        repository.git(&["tag", "--annotate", "--message=v1", "v1"], "work");
        repository.git(&["push", "--quiet", "origin", "v1"], "work");
        repository
    }

    fn git(&self, args: &[&str], at: &str) -> String {
        let who = ["-c", "user.name=nobody", "-c", "user.email=nobody@nowhere", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.args(who).args(args).current_dir(self.directory.path().join(at)).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Makes a commit on `main` whose module names things after `version`; gives its hash.
    fn commit(&self, version: &str) -> String {
        let work = self.directory.path().join("work");
        let one = "[variable.name]\n[module.two]\nsource = '../two'\nname = '${var.name}'\n[output.name]\nvalue = \
                   '${module.two.name}'\n";
        for (part, text) in [("one", one.to_owned()), ("two", PART.replace("VERSION", version))] {
            let at = work.join("parts").join(part);
            std::fs::create_dir_all(&at).unwrap();
            std::fs::write(at.join("main.toml"), text).unwrap();
        }
        std::fs::write(work.join("root.toml"), PART.replace("VERSION", "root")).unwrap();
        self.commit_all(version)
    }

    /// Commits what is in the working copy to `main`; gives its hash.
    fn commit_all(&self, message: &str) -> String {
        self.git(&["add", "."], "work");
        self.git(&["commit", "--quiet", &format!("--message={message}")], "work");
        self.git(&["push", "--quiet", "origin", "main"], "work");
        self.git(&["rev-parse", "HEAD"], "work")
    }

    fn url(&self) -> String {
        format!("file://{}", self.directory.path().join("bare.git").display())
    }

    /// A stack that calls the module; what follows the address is `rest`.
    fn stack(&self, rest: &str) -> String {
        let url = self.url();
        format!("[module.m]\nsource = 'git::{url}{rest}'\nname = 'x'\n[output.o]\nvalue = '${{module.m.name}}'\n")
    }

    fn folder(&self, rest: &str) -> Folder {
        with_git(Folder::with(&self.stack(rest)))
    }

    /// A message without what differs from run to run.
    fn clean(&self, text: &str) -> String {
        let text = text.replace(&self.directory.path().display().to_string(), "REPOSITORY");
        // What is underlined is as long as the path.
        let mut out = String::new();
        for c in text.chars() {
            if c != '─' || !out.ends_with('─') {
                out.push(c);
            }
        }
        out
    }
}

fn with_git(mut folder: Folder) -> Folder {
    let path = std::env::var_os("PATH").unwrap_or_default();
    folder.env.insert("PATH".into(), path.to_string_lossy().into_owned());
    folder
}

/// The value that a plan gives the output.
fn planned(folder: &Folder) -> String {
    let plan = folder.ok(&["plan", "stack.toml"]);
    let line = plan.lines().find(|l| l.trim_start().starts_with("+ o = ")).unwrap_or_else(|| panic!("{plan}"));
    line.split('"').nth(1).unwrap().to_owned()
}

fn copies(folder: &Folder) -> Vec<String> {
    let found = std::fs::read_dir(folder.path(".lakeform/modules")).unwrap();
    let mut names: Vec<String> = found.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_module_of_a_repository_is_called_like_one_of_a_path() {
    let repository = Repository::new();
    let folder = repository.folder("//parts/one?ref=v1");
    assert_eq!(planned(&folder), "one-x");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(folder.read(".lakeform/.gitignore"), "*\n");
    let commit = repository.git(&["rev-parse", "v1^{commit}"], "work");
    let lock = folder.read("stack.lock");
    assert!(
        lock.ends_with(&format!("[[module]]\nurl = \"{}\"\nref = \"v1\"\ncommit = \"{commit}\"\n", repository.url())),
        "{lock}"
    );
    assert_eq!(copies(&folder), [format!("bare-{commit}")]);
    let listed = folder.ok(&["state", "list", "stack.toml"]);
    assert_eq!(listed.trim(), "module.m.module.two.fake_thing.a");
}

#[test]
fn the_same_commit_is_used_until_an_upgrade() {
    let repository = Repository::new();
    let folder = repository.folder("//parts/one?ref=main");
    assert_eq!(planned(&folder), "one-x");
    let pinned = folder.read("stack.lock");
    let second = repository.commit("two");
    assert_eq!(planned(&folder), "one-x");
    std::fs::remove_dir_all(folder.path(".lakeform")).unwrap();
    assert_eq!(planned(&folder), "one-x", "a fresh checkout uses the pinned commit too");
    assert_eq!(folder.read("stack.lock"), pinned);
    let said = folder.ok(&["upgrade", "stack.toml"]);
    assert!(said.contains(" (main): ") && said.ends_with(&format!(" -> {}\n", &second[..12])), "{said}");
    assert_eq!(planned(&folder), "two-x");
    assert!(folder.read("stack.lock").contains(&second));
    assert!(folder.ok(&["upgrade", "stack.toml"]).ends_with(", as before\n"));
}

#[test]
fn nothing_is_fetched_twice_and_a_pinned_copy_needs_no_repository() {
    let repository = Repository::new();
    let two = repository.stack("//parts/one?ref=v1");
    let folder = with_git(Folder::with(&format!(
        "{two}{}",
        two.replace("[module.m]", "[module.n]").replace("[output.o]", "[output.p]")
    )));
    folder.ok(&["plan", "stack.toml"]);
    assert_eq!(copies(&folder).len(), 1);
    drop(repository);
    folder.ok(&["validate", "stack.toml"]);
}

#[test]
fn every_kind_of_reference_is_understood() {
    let repository = Repository::new();
    let first = repository.git(&["rev-parse", "HEAD"], "work");
    repository.git(&["push", "--quiet", "origin", "HEAD:refs/heads/side/branch"], "work");
    repository.commit("two");
    for (rest, wanted) in [
        ("//parts/one", "two-x"),
        ("//parts/one?ref=main", "two-x"),
        ("//parts/one?ref=v1", "one-x"),
        ("//parts/one?ref=side%2Fbranch", "one-x"),
        (&format!("//parts/one?ref={first}"), "one-x"),
        (&format!("//parts/one?ref={}", &first[..8]), "one-x"),
        ("//parts/one?depth=1", "two-x"),
        ("//parts/one?ref=v1&depth=1", "one-x"),
        ("//parts/two/main.toml?ref=v1", "one-x"),
        ("", "root-x"),
    ] {
        assert_eq!(planned(&repository.folder(rest)), wanted, "{rest}");
    }
}

#[test]
fn a_shallow_copy_of_a_pinned_commit_can_be_made_again() {
    let repository = Repository::new();
    let folder = repository.folder("//parts/one?ref=main&depth=1");
    assert_eq!(planned(&folder), "one-x");
    repository.commit("two");
    std::fs::remove_dir_all(folder.path(".lakeform")).unwrap();
    assert_eq!(planned(&folder), "one-x");
}

#[test]
fn each_stack_of_a_directory_has_pins_of_its_own() {
    let repository = Repository::new();
    let folder = repository.folder("//parts/one?ref=main");
    folder.write("other.toml", repository.stack("//parts/one?ref=main"));
    folder.write("whole/main.toml", repository.stack("//parts/one?ref=main"));
    folder.ok(&["plan", "stack.toml"]);
    repository.commit("two");
    assert!(folder.ok(&["plan", "other.toml"]).contains("two-x"));
    assert!(folder.ok(&["plan", "whole"]).contains("two-x"));
    assert_eq!(planned(&folder), "one-x");
    assert!(folder.path("other.lock").is_file() && folder.path("whole/lakeform.lock").is_file());
}

#[test]
fn what_cannot_be_fetched_is_an_error_with_its_place() {
    let repository = Repository::new();
    let told = |rest: &str| repository.clean(&repository.folder(rest).fails(&["plan", "stack.toml"]));
    insta::assert_snapshot!("git_unknown_ref", told("//parts/one?ref=v9"));
    insta::assert_snapshot!("git_unknown_ref_of_a_shallow_copy", told("//parts/one?ref=v9&depth=1"));
    insta::assert_snapshot!("git_no_such_directory", told("//parts/three?ref=v1"));
    let absent = told("-that-is-not-there");
    // The rest is git's own words.
    for part in [
        "Error: The module cannot be fetched",
        "git says: ",
        "stack.toml:2:10",
        "`git ls-remote file://REPOSITORY/bare.git-that-is-not-there` must succeed",
    ] {
        assert!(absent.contains(part), "{part}: {absent}");
    }
    std::fs::write(repository.directory.path().join("work/root.toml"), "[module.o]\nsource = '../elsewhere'\n")
        .unwrap();
    repository.commit_all("escapes");
    let told_of_escape = told("?ref=main");
    assert!(told_of_escape.contains("Local module path escapes module package"), "{told_of_escape}");
    assert!(told_of_escape.contains("root.toml:2:10"), "{told_of_escape}");
    insta::assert_snapshot!("git_unknown_query", told("?branch=main"));
}

#[test]
fn a_machine_without_git_is_told() {
    let repository = Repository::new();
    let mut folder = repository.folder("//parts/one?ref=v1");
    folder.env.insert("PATH".into(), folder.directory.path().display().to_string());
    insta::assert_snapshot!("git_not_found", repository.clean(&folder.fails(&["plan", "stack.toml"])));
    assert!(!folder.path("stack.lock").exists());
}

#[test]
fn a_broken_lock_file_and_a_lost_commit_are_errors() {
    let repository = Repository::new();
    let folder = repository.folder("//parts/one?ref=main");
    for other in ["[[module]]\nurl = 'x'\n", "version = 4\n[[package]]\nname = 'x'\n"] {
        folder.write("stack.lock", other);
        let told = folder.fails(&["plan", "stack.toml"]);
        assert!(told.contains("stack.lock is no lock file of lakeform") && told.contains("stack.toml:2:10"), "{told}");
        assert_eq!(folder.read("stack.lock"), other);
    }
    let gone = "0123456789".repeat(4);
    folder.write("stack.lock", format!("[[module]]\nurl = '{}'\nref = 'main'\ncommit = '{gone}'\n", repository.url()));
    let told = folder.fails(&["plan", "stack.toml"]);
    assert!(told.contains("The pinned commit is gone") && told.contains("lakeform upgrade"), "{told}");
    folder.ok(&["upgrade", "stack.toml"]);
    assert_eq!(planned(&folder), "one-x");
    assert!(copies(&folder).iter().all(|name| !name.starts_with('.')), "nothing half-done is left");
}

#[test]
fn a_stack_without_modules_from_git_writes_nothing() {
    let folder = with_git(Folder::with("[resource.fake_thing.a]\nname = 'a'\n"));
    folder.write("stack.lock", "that of another program");
    assert_eq!(folder.ok(&["upgrade", "stack.toml"]), "The stack has no modules from git.\n");
    folder.ok(&["plan", "stack.toml"]);
    let files: Vec<_> = folder.files().into_keys().collect();
    assert_eq!(files, [folder.path("stack.lock"), folder.path("stack.toml")]);
    assert_eq!(folder.read("stack.lock"), "that of another program");
}
