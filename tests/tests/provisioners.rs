//! `local-exec`: when it runs, what it sees, and what its failure does. What Terraform 1.11 does with the same stacks (as JSON) is
//! what is expected here.

use lakeform_cli::Exit;
use serde_json::Value as Json;

use crate::support::cli::{Folder, Ran};

/// Each object of the state as `NAME[KEY]` and whether it is tainted.
fn objects(folder: &Folder) -> Vec<String> {
    let state: Json = serde_json::from_str(&folder.read("s.tfstate")).unwrap();
    let mut all = vec![];
    for resource in state["resources"].as_array().unwrap() {
        for instance in resource["instances"].as_array().unwrap() {
            let key = instance.get("index_key").map(|k| format!("[{k}]")).unwrap_or_default();
            let status = instance.get("status").and_then(Json::as_str).map(|s| format!(" {s}")).unwrap_or_default();
            all.push(format!("{}{key}{status}", resource["name"].as_str().unwrap()));
        }
    }
    all
}

fn run(folder: &Folder, verb: &str, arguments: &[&str]) -> Ran {
    let fixed = [verb, "stack.toml", "--auto-approve", "--state", "s.tfstate"];
    folder.run(&[&fixed, arguments].concat())
}

/// What a stack's provisioners said, each with its instance.
fn said(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|l| l.contains("(local-exec)")).collect()
}

const LIFE: &str = r#"
[variable.v]
default = "1"

[variable.n]
default = 2

[variable.fail]
default = "; exit 4"

[resource.terraform_data.a]
input = "${var.v}"
triggers_replace = "${var.v}"

[[resource.terraform_data.a.provisioner.local-exec]]
command = "echo create ${self.output}"

[[resource.terraform_data.a.provisioner.local-exec]]
when = "destroy"
command = "echo destroy ${self.output} >> log"

[resource.terraform_data.b]
input = "${var.v}"
triggers_replace = "${var.v}"
lifecycle = { create_before_destroy = true }

[[resource.terraform_data.b.provisioner]]
local-exec = { command = "echo after ${terraform_data.d.id != null}" }

[[resource.terraform_data.b.provisioner]]
local-exec = { when = "destroy", command = "echo destroy b ${self.output} >> log" }

[resource.terraform_data.c]
count = "${var.n}"
input = "x"

[resource.terraform_data.c.provisioner.local-exec]
when = "destroy"
command = "echo destroy c ${count.index} ${path.module} ${terraform.workspace} >> log"

[resource.terraform_data.d]

[[resource.terraform_data.d.provisioner.local-exec]]
command = "echo one; echo two >&2; exit 3"
on_failure = "continue"

[[resource.terraform_data.d.provisioner.local-exec]]
command = "echo $A three${var.fail}"
environment = { A = "b" }

[[resource.terraform_data.d.provisioner.local-exec]]
when = "destroy"
command = "echo destroy d >> log"
"#;

#[test]
fn they_run_after_creation_and_before_destruction() {
    let folder = Folder::with(LIFE);
    let first = run(&folder, "apply", &[]);
    assert_eq!(first.exit, Exit::Failed, "{}", first.stderr);
    let mut lines = said(&first);
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "terraform_data.a (local-exec): Executing: [\"/bin/sh\" \"-c\" \"echo create 1\"]",
            "terraform_data.a (local-exec): create 1",
            "terraform_data.d (local-exec): Executing: [\"/bin/sh\" \"-c\" \"echo $A three; exit 4\"]",
            "terraform_data.d (local-exec): Executing: [\"/bin/sh\" \"-c\" \"echo one; echo two >&2; exit 3\"]",
            "terraform_data.d (local-exec): b three",
            "terraform_data.d (local-exec): one",
            "terraform_data.d (local-exec): two",
        ]
    );
    assert!(first.stderr.contains("Error running command 'echo $A three; exit 4': exit status 4. Output: b three"));
    assert!(first.stderr.contains("stack.toml:"), "{}", first.stderr);
    // What failed is tainted; what depends on it is not made.
    assert_eq!(objects(&folder), ["a", "c[0]", "c[1]", "d tainted"]);

    // A tainted object goes without a word; so does what was left over by a smaller count, but for its provisioner.
    let second = run(&folder, "apply", &["--var", "fail=", "--var", "v=2", "--var", "n=1"]);
    assert_eq!(second.exit, Exit::Done, "{}", second.stderr);
    assert_eq!(objects(&folder), ["a", "b", "c[0]", "d"]);
    let mut log: Vec<_> = folder.read("log").lines().map(str::to_owned).collect();
    log.sort_unstable();
    assert_eq!(log, ["destroy 1", "destroy c 1 . default"]);

    // What is created first is destroyed in silence.
    folder.write("log", "");
    let third =
        run(&folder, "apply", &["--var", "fail=", "--var", "v=3", "--var", "n=1", "--target", "terraform_data.b"]);
    assert_eq!(third.exit, Exit::Done, "{}", third.stderr);
    assert_eq!(folder.read("log"), "");
    let last = run(&folder, "destroy", &["--var", "fail=", "--var", "n=1"]);
    assert_eq!(last.exit, Exit::Done, "{}", last.stderr);
    let mut log: Vec<_> = folder.read("log").lines().map(str::to_owned).collect();
    log.sort_unstable();
    assert_eq!(log, ["destroy 2", "destroy b 3", "destroy c 0 . default", "destroy d"]);
    assert!(objects(&folder).is_empty());
}

#[test]
fn an_object_whose_destroy_provisioner_fails_stays() {
    let stack = |end: &str| {
        format!(
            "[resource.terraform_data.a.provisioner.local-exec]\nwhen = \"destroy\"\ncommand = \"test -e may-go\"\n{end}"
        )
    };
    let folder = Folder::with(&stack(""));
    assert_eq!(run(&folder, "apply", &[]).exit, Exit::Done);
    let refused = run(&folder, "destroy", &[]);
    assert_eq!(refused.exit, Exit::Failed);
    assert!(refused.stderr.contains("local-exec provisioner error"), "{}", refused.stderr);
    assert_eq!(objects(&folder), ["a"]);
    folder.write("stack.toml", stack("on_failure = \"continue\""));
    let done = run(&folder, "destroy", &[]);
    assert_eq!(done.exit, Exit::Done, "{}", done.stderr);
    assert!(done.stderr.contains("Warning") || done.stdout.contains("Warning"), "{}{}", done.stdout, done.stderr);
    assert!(objects(&folder).is_empty());
}

#[test]
fn commands_run_in_the_root_module_with_the_given_environment() {
    let mut folder = Folder::with("");
    folder.env.insert("GIVEN".into(), "yes".into());
    folder.write("deep/script", "echo script in $(basename $PWD), $GIVEN, $OWN, [$NONE]");
    folder.write(
        "deep/stack.toml",
        r#"
[resource.terraform_data.a]

[[resource.terraform_data.a.provisioner.local-exec]]
command = "${path.module}/script"
interpreter = ["/bin/sh"]
environment = { OWN = "own" }

[[resource.terraform_data.a.provisioner.local-exec]]
command = "echo in $(basename $PWD)"
working_dir = ".."
quiet = true
"#,
    );
    let ran = folder.run(&["apply", "deep/stack.toml", "--auto-approve", "--state", "s.tfstate"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let name = folder.directory.path().file_name().unwrap().to_str().unwrap();
    let above = format!("terraform_data.a (local-exec): in {name}");
    assert_eq!(
        said(&ran),
        [
            "terraform_data.a (local-exec): Executing: [\"/bin/sh\" \"./script\"]",
            "terraform_data.a (local-exec): script in deep, yes, own, []",
            "terraform_data.a (local-exec): local-exec: Executing: Suppressed by quiet=true",
            above.as_str(),
        ]
    );
}

#[test]
fn secrets_of_a_command_are_not_shown() {
    let stack = r#"
[variable.secret]
sensitive = true
default = "geheim"

[variable.short_lived]
ephemeral = true
default = "fluechtig"

[resource.terraform_data.a.provisioner.local-exec]
command = "echo ${var.secret}; exit 1"

[resource.terraform_data.b.provisioner.local-exec]
command = "echo ${var.short_lived}"

[resource.terraform_data.c]
triggers_replace = "${var.secret}"

[resource.terraform_data.c.provisioner.local-exec]
when = "destroy"
command = "echo ${self.triggers_replace}"
"#;
    let folder = Folder::with(stack);
    let ran = run(&folder, "apply", &["--json"]);
    let gone = run(&folder, "destroy", &[]);
    assert_eq!((ran.exit, gone.exit), (Exit::Failed, Exit::Done), "{}", gone.stderr);
    let all = [ran.stdout, ran.stderr, gone.stdout, gone.stderr].concat();
    assert!(!all.contains("geheim") && !all.contains("fluechtig"), "{all}");
    assert!(all.contains("terraform_data.a: (local-exec): (output suppressed due to sensitive value in config)"));
    assert!(all.contains("terraform_data.b: (local-exec): (output suppressed due to ephemeral value in config)"));
    assert!(all.contains("terraform_data.c (local-exec): (output suppressed due to sensitive value in config)"));
    for kind in ["provision_start", "provision_progress", "provision_complete", "provision_errored"] {
        assert!(all.contains(&format!("\"type\":\"{kind}\"")), "{kind}: {all}");
    }
}

#[test]
fn what_is_wrong_with_provisioners_is_told_at_once() {
    let stack = r#"
[variable.x]
default = "x"

[resource.terraform_data.a]
for_each = ["k"]

[[resource.terraform_data.a.provisioner.local-exec]]
when = "destroy"
command = "echo ${terraform_data.b.id} ${var.x} ${each.value} ${each.key} ${self.id}"

[[resource.terraform_data.a.provisioner.local-exec]]
comand = "x"

[resource.terraform_data.b.provisioner.remote-exec]
inline = ["x"]

[[resource.terraform_data.c.provisioner.local-exec]]
command = "x"
when = "sometimes"

[[resource.terraform_data.c.provisioner.local-exec]]
command = "${terraform_data.c.id}"

[[resource.terraform_data.d.provisioner.local-exec]]
command = "x"
on_failure = "maybe"

[data.terraform_remote_state.e]
backend = "local"
provisioner = {}
"#;
    let folder = Folder::with(stack);
    insta::assert_snapshot!(folder.run(&["validate", "stack.toml"]).stderr);
    let mut loads = stack.replace("when = \"destroy\"\n", "").replace("provisioner = {}", "");
    loads = loads.replace("\"sometimes\"", "\"create\"").replace("\"maybe\"", "\"fail\"");
    folder.write("stack.toml", loads);
    insta::assert_snapshot!(folder.run(&["validate", "stack.toml"]).stderr);
}

/// What provisioners did stays done, which is said beforehand, and none run for what is undone.
#[test]
fn a_rollback_runs_none() {
    let folder = Folder::with(
        r#"
[resource.terraform_data.a]
input = "1"

[[resource.terraform_data.a.provisioner.local-exec]]
command = "echo create"

[[resource.terraform_data.a.provisioner.local-exec]]
when = "destroy"
command = "echo destroy >> log"

[resource.terraform_data.b]
input = "${terraform_data.a.output}"

[[resource.terraform_data.b.provisioner.local-exec]]
command = "exit 3"
"#,
    );
    let ran = run(&folder, "apply", &["--on-error=rollback"]);
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.stderr.contains("its provisioners run: what they do is not undone"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Rolled back: 2 undone, 0 could not be undone."), "{}", ran.stderr);
    assert!(objects(&folder).is_empty());
    assert!(!folder.path("log").exists());
}
