//! `state`, `taint`, `untaint`, `import`

use lakeform_cli::Exit;

use crate::harness::{Cli, STACK, read_state};

#[test]
fn s09_list_and_show() {
    let cli = Cli::applied();
    assert_eq!(cli.run(&["state", "list", "stack.toml"]).ok().out, "fake_bucket.raw\nfake_database.main\n");
    assert_eq!(cli.run(&["state", "list", "stack.toml", "fake_bucket.raw"]).ok().out, "fake_bucket.raw\n");
    assert_eq!(
        cli.run(&["state", "list", "-state=state/stack.tfstate"]).ok().out,
        "fake_bucket.raw\nfake_database.main\n",
        "the working directory"
    );
    let shown = cli.run(&["state", "show", "stack.toml", "fake_bucket.raw"]).ok().out;
    assert!(shown.starts_with("# fake_bucket.raw:\nresource \"fake_bucket\" \"raw\" {\n"), "{shown}");
    let out = cli.run(&["state", "show", "stack.toml", "fake_bucket.nope"]).expect(Exit::Failed);
    assert!(out.err.contains("There is no fake_bucket.nope in the state"), "{}", out.err);
}

#[test]
fn s09_mv_gives_another_address() {
    let cli = Cli::applied();
    let out = cli.run(&["state", "mv", "stack.toml", "fake_bucket.raw", "fake_bucket.new"]).ok();
    assert_eq!(out.out, "Move \"fake_bucket.raw\" to \"fake_bucket.new\"\nSuccessfully moved 1 object(s).\n");
    assert_eq!(cli.run(&["state", "list", "stack.toml"]).ok().out, "fake_bucket.new\nfake_database.main\n");
    let serial = cli.state().serial;
    cli.run(&["state", "mv", "stack.toml", "-dry-run", "fake_bucket.new", "fake_bucket.raw"]).ok();
    assert_eq!(cli.state().serial, serial);
}

#[test]
fn s09_rm_forgets_and_leaves_the_object() {
    let cli = Cli::applied();
    cli.run(&["state", "rm", "stack.toml", "fake_database.main"]).ok();
    assert_eq!(cli.run(&["state", "list", "stack.toml"]).ok().out, "fake_bucket.raw\n");
    assert_eq!(cli.cloud.len(), 2);
}

#[test]
fn s02_pull_and_push_round_trip_and_refuse_what_does_not_follow() {
    let cli = Cli::applied();
    let pulled = cli.run(&["state", "pull", "stack.toml"]).ok().out;
    cli.file("pulled.tfstate", &pulled);
    cli.run(&["state", "push", "stack.toml", "pulled.tfstate"]).ok();
    cli.run(&["state", "rm", "stack.toml", "fake_database.main"]).ok();
    let out = cli.run(&["state", "push", "stack.toml", "pulled.tfstate"]).expect(Exit::Failed);
    assert!(out.err.contains("over newer state"), "{}", out.err);
    cli.run(&["state", "push", "stack.toml", "-force", "pulled.tfstate"]).ok();
    assert_eq!(cli.state().resources.len(), 2);
    cli.run_with(&["state", "push", "stack.toml", "-force", "-"], &pulled).ok();
    let out = cli.run_with(&["state", "push", "stack.toml", "-"], "{}").expect(Exit::Failed);
    assert!(out.err.contains("cannot be stored"), "{}", out.err);
}

#[test]
fn a_tainted_object_is_replaced_unless_untainted() {
    let cli = Cli::applied();
    let out = cli.run(&["taint", "stack.toml", "fake_database.main"]).ok();
    assert_eq!(out.out, "Resource instance fake_database.main has been marked as tainted.\n");
    let plan = cli.run(&["plan", "stack.toml"]).ok().out;
    assert!(plan.contains("# fake_database.main is tainted, so must be replaced"), "{plan}");
    cli.run(&["untaint", "stack.toml", "fake_database.main"]).ok();
    cli.run(&["plan", "stack.toml", "-detailed-exitcode"]).ok();
    cli.run(&["taint", "stack.toml", "fake_bucket.nope"]).expect(Exit::Failed);
    cli.run(&["taint", "stack.toml", "-allow-missing", "fake_bucket.nope"]).ok();
}

#[test]
fn an_imported_object_is_managed_and_untouched() {
    let cli = Cli::applied();
    cli.run(&["state", "rm", "stack.toml", "fake_bucket.raw"]).ok();
    let id = cli.cloud.object("fake_bucket", "raw").unwrap().get("id").unwrap().as_str().unwrap().to_owned();
    cli.cloud.forget_calls();
    cli.run(&["import", "stack.toml", "fake_bucket.raw", &id]).ok();
    assert!(cli.cloud.changes().is_empty(), "{:?}", cli.cloud.changes());
    assert_eq!(cli.run(&["state", "list", "stack.toml"]).ok().out, "fake_bucket.raw\nfake_database.main\n");
    cli.run(&["plan", "stack.toml", "-detailed-exitcode"]).ok();
}

#[test]
fn a_local_backend_needs_no_bootstrap_and_may_name_its_file() {
    let cli = Cli::new(&format!(
        "[backend.local]\npath = \"kept/${{var.where}}.tfstate\"\n[variable.where]\ndefault = \"here\"\n{STACK}"
    ));
    let out = cli.run(&["bootstrap", "stack.toml"]).ok();
    assert!(out.out.contains("nothing else is needed"), "{}", out.out);
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    assert_eq!(read_state(&cli.path("kept/here.tfstate")).resources.len(), 2);
    let listed = cli.run(&["state", "list", "stack.toml", "-backend-config=path=other.tfstate"]).ok();
    assert_eq!(listed.out, "", "another file, another state");
}
