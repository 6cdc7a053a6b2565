//! States, locks and plan files that cannot be used.

use super::refused;
use crate::support::cli::Folder;

const STACK: &str = "[stack]\nname = 'x'\n[resource.fake_thing.a]\nname = 'a'\nsize = 1\n";

fn applied() -> Folder {
    let folder = Folder::with(STACK);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder
}

fn edited(from: &str, to: &str) -> Folder {
    let folder = applied();
    let state = folder.read("state/x.tfstate");
    assert!(state.contains(from), "{state}");
    folder.write("state/x.tfstate", state.replace(from, to));
    folder
}

#[test]
fn states() {
    let folder = Folder::with(STACK);
    folder.write("state/x.tfstate", "{ this is no state");
    refused("state_that_is_no_json", &folder, &["plan", "stack.toml"]);
    folder.write("state/x.tfstate", "{}");
    refused("state_without_a_version", &folder, &["plan", "stack.toml"]);
    refused("state_of_a_newer_format", &edited("\"version\": 4", "\"version\": 5"), &["plan", "stack.toml"]);
    let newer = edited("\"schema_version\": 0", "\"schema_version\": 7");
    refused("state_of_a_newer_schema", &newer, &["plan", "stack.toml"]);
    let other = edited("\"fake_thing\"", "\"fake_other\"");
    refused("state_with_an_unknown_type", &other, &["plan", "stack.toml"]);
}

#[test]
fn state_commands() {
    let folder = applied();
    refused("state_rm_of_nothing", &folder, &["state", "rm", "stack.toml", "fake_thing.b"]);
    refused("state_show_of_nothing", &folder, &["state", "show", "stack.toml", "fake_thing.b"]);
    refused("state_mv_onto_something", &folder, &["state", "mv", "stack.toml", "fake_thing.b", "fake_thing.a"]);
    let state = folder.read("state/x.tfstate");
    let lineage = state.lines().find(|l| l.contains("\"lineage\"")).unwrap().to_owned();
    folder.write("other.tfstate", state.replace(&lineage, "  \"lineage\": \"another\","));
    refused("state_push_of_another_lineage", &folder, &["state", "push", "stack.toml", "other.tfstate"]);
    let serial = state.lines().find(|l| l.contains("\"serial\"")).unwrap().to_owned();
    folder.write("older.tfstate", state.replace(&serial, "  \"serial\": 0,"));
    refused("state_push_of_an_older_serial", &folder, &["state", "push", "stack.toml", "older.tfstate"]);
}

#[test]
fn plan_files() {
    let folder = applied();
    folder.write("garbage.plan", "no plan");
    refused("plan_file_that_is_none", &folder, &["apply", "garbage.plan"]);
    folder.write("stack.toml", STACK.replace("size = 1", "size = 2"));
    folder.ok(&["plan", "stack.toml", "--out", "old.plan"]);
    folder.ok(&["plan", "stack.toml", "--out", "edited.plan"]);
    folder.write("stack.toml", STACK.replace("size = 1", "size = 3"));
    refused("plan_of_an_edited_stack", &folder, &["apply", "edited.plan"]);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder.write("stack.toml", STACK.replace("size = 1", "size = 2"));
    refused("stale_plan", &folder, &["apply", "old.plan"]);
    let state = folder.read("state/x.tfstate");
    folder.ok(&["plan", "stack.toml", "--out", "foreign.plan"]);
    let lineage = state.lines().find(|l| l.contains("\"lineage\"")).unwrap().to_owned();
    folder.write("state/x.tfstate", state.replace(&lineage, "  \"lineage\": \"another\","));
    refused("plan_for_another_state", &folder, &["apply", "foreign.plan"]);
}

#[test]
fn locks() {
    use lakeform_testkit::{
        Gate,
        fake::{Fault, Op},
    };
    let folder = Folder::with(STACK);
    let gate = Gate::new();
    folder.cloud.inject(Fault::on(Op::Create).held_by(&gate));
    std::thread::scope(|scope| {
        let _open = gate.opens_in_the_end();
        let first = scope.spawn(|| folder.run(&["apply", "stack.toml", "--auto-approve"]));
        assert!(gate.reached_blocking(1, std::time::Duration::from_secs(30)));
        refused("lock_held", &folder, &["apply", "stack.toml", "--auto-approve"]);
        refused(
            "lock_that_is_not_this_one",
            &folder,
            &["force-unlock", "stack.toml", "00000000-0000-0000-0000-000000000000", "--force"],
        );
        gate.open();
        assert_eq!(first.join().unwrap().exit, lakeform_cli::Exit::Done);
    });
}

#[test]
fn objects() {
    use lakeform_provider::ErrorKind;
    use lakeform_testkit::fake::{Fault, Op};
    let folder = applied();
    folder.cloud.inject(Fault::on(Op::Read).fails(ErrorKind::Denied));
    refused("read_denied", &folder, &["plan", "stack.toml"]);
    folder.write(
        "stack.toml",
        "[stack]\nname = 'x'\n[resource.fake_thing.a]\nname = 'a'\nsize = 2\nlifecycle = { prevent_destroy = true }\n",
    );
    refused("prevent_destroy", &folder, &["apply", "stack.toml", "--auto-approve"]);
}
