//! The command line in this process, on local state and without AWS. The program itself, as a child process, is tested in
//! `crates/lakeform-cli/tests`.

use lakeform_cli::Exit;
use serde_json::Value as Json;

use crate::support::cli::Folder;

const STACK: &str = "
[stack]
name = 'x'

[variable.input]
default = 'one'

[variable.secret]
default = 'hunter2'
sensitive = true

[resource.terraform_data.a]
input = '${var.input}'
triggers_replace = '${length(var.input)}'

[resource.terraform_data.many]
for_each = ['l', 'r']
input = '${terraform_data.a.output}-${each.key}'

[output.a]
value = '${terraform_data.a.output}'

[output.list]
value = '${[for k, v in terraform_data.many : v.output]}'

[output.secret]
value = '${var.secret}'
sensitive = true
";

fn applied() -> Folder {
    let folder = Folder::with(STACK);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e} in {text}"))
}

/// C01, C02
#[test]
fn plan_apply_plan_destroy() {
    let folder = Folder::with(STACK);
    let plan = folder.ok(&["plan", "stack.toml"]);
    assert!(plan.contains("Plan: 3 to add, 0 to change, 0 to destroy."), "{plan}");
    assert!(plan.contains("# terraform_data.many[\"l\"] will be created"), "{plan}");
    assert!(!folder.path("state/x.tfstate").exists(), "a plan writes nothing");
    let applied = folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert!(applied.contains("Apply complete! Resources: 3 added, 0 changed, 0 destroyed."), "{applied}");
    assert!(applied.contains("a = \"one\"") && !applied.contains("hunter2"), "{applied}");
    let again = folder.ok(&["plan", "stack.toml"]);
    assert!(again.contains("No changes."), "{again}");
    let gone = folder.ok(&["destroy", "stack.toml", "--auto-approve"]);
    assert!(gone.contains("Destroy complete! Resources: 3 destroyed."), "{gone}");
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]), "");
}

/// X08
#[test]
fn x08_detailed_exit_codes() {
    let folder = Folder::with(STACK);
    let plan = |args: &[&str]| folder.run(&[&["plan", "stack.toml"], args].concat()).exit;
    assert_eq!(plan(&[]), Exit::Done);
    assert_eq!(plan(&["--detailed-exitcode"]), Exit::Changes);
    assert_eq!(plan(&["-detailed-exitcode"]), Exit::Changes);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(plan(&["--detailed-exitcode"]), Exit::Done);
    assert_eq!(plan(&["--detailed-exitcode", "--destroy"]), Exit::Changes);
    assert_eq!(plan(&["--detailed-exitcode", "--var", "nonsense=1"]), Exit::Failed);
}

/// C03: Terraform's order: environment, values, then `--var` and `--var-file` as given.
#[test]
fn c03_variables_have_terraforms_precedence() {
    let mut folder = Folder::with("[variable.v]\ndefault = 'default'\n[output.v]\nvalue = '${var.v}'\n");
    folder.write("f.tfvars", "v = \"file\"\n");
    folder.write("f.tfvars.json", "{\"v\": \"json\"}");
    folder.write("f.toml", "v = 'toml'\n");
    let told = |folder: &Folder, args: &[&str]| {
        let mut all = vec!["console", "stack.toml"];
        all.extend(args);
        folder.run_with(&all, "var.v\n").stdout.trim().to_owned()
    };
    assert_eq!(told(&folder, &[]), "\"default\"");
    folder.env.insert("TF_VAR_v".into(), "environment".into());
    assert_eq!(told(&folder, &[]), "\"environment\"");
    folder.write("stack.toml", "[variable.v]\n[values]\nv = 'values'\n");
    assert_eq!(told(&folder, &[]), "\"values\"");
    for (file, wanted) in [("f.tfvars", "\"file\""), ("f.tfvars.json", "\"json\""), ("f.toml", "\"toml\"")] {
        assert_eq!(told(&folder, &["--var-file", file]), wanted);
    }
    assert_eq!(told(&folder, &["--var-file", "f.toml", "--var", "v=last"]), "\"last\"");
    assert_eq!(told(&folder, &["--var", "v=first", "--var-file", "f.toml"]), "\"toml\"");
}

/// C05
#[test]
fn terraforms_single_dash_flags_are_understood() {
    let folder = Folder::with(STACK);
    folder.ok(&[
        "apply",
        "stack.toml",
        "-auto-approve",
        "-input=false",
        "-no-color",
        "-var=input=two",
        "-parallelism=3",
    ]);
    let plan = folder.ok(&["plan", "stack.toml", "-var", "input=two", "-refresh=false", "-out=p", "-lock=false"]);
    assert!(plan.contains("No changes."), "{plan}");
    assert_eq!(folder.ok(&["output", "stack.toml", "-raw", "a"]), "two");
}

/// C04
#[test]
fn c04_json_is_alone_on_standard_output() {
    let folder = Folder::with(STACK);
    let ran = folder.run(&["plan", "stack.toml", "--json"]);
    let plan = json(&ran.stdout);
    let changes = plan["resource_changes"].as_array().unwrap();
    assert_eq!(changes.len(), 3);
    assert_eq!(changes[0]["change"]["actions"], serde_json::json!(["create"]));
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
    let ran = folder.run(&["apply", "stack.toml", "--auto-approve", "--json"]);
    let lines: Vec<Json> = ran.stdout.lines().map(json).collect();
    assert_eq!(lines[0]["type"], "version");
    assert!(lines.iter().any(|l| l["type"] == "apply_complete"), "{}", ran.stdout);
    for args in [
        &["output", "stack.toml", "--json"][..],
        &["show", "stack.toml", "--json"],
        &["validate", "stack.toml", "--json"],
        &["drift", "stack.toml", "--json"],
        &["version", "--json"],
        &["lock", "status", "stack.toml", "--json"],
        &["state", "pull", "stack.toml"],
        &["schema", "aws_s3_bucket", "--json"],
    ] {
        json(&folder.ok(args));
    }
}

/// C01
#[test]
fn c01_approval_is_asked_for_and_anything_but_yes_declines() {
    let folder = Folder::with(STACK);
    for answer in ["no\n", "y\n", "\n"] {
        let ran = folder.run_with(&["apply", "stack.toml"], answer);
        assert_eq!(ran.exit, Exit::Failed, "{answer:?}: {}{}", ran.stdout, ran.stderr);
    }
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]), "");
    let ran = folder.run_with(&["apply", "stack.toml"], "yes\n");
    assert_eq!(ran.exit, Exit::Done, "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn c01_a_saved_plan_is_carried_out_without_a_question() {
    let folder = Folder::with(STACK);
    folder.ok(&["plan", "stack.toml", "--out", "the.plan"]);
    let shown = folder.ok(&["show", "stack.toml", "the.plan"]);
    assert!(shown.contains("3 to add"), "{shown}");
    let done = folder.ok(&["apply", "the.plan"]);
    assert!(done.contains("3 added"), "{done}");
    assert!(!folder.read("the.plan").contains("hunter2"));
}

#[test]
fn outputs_are_shown() {
    let folder = applied();
    assert_eq!(folder.ok(&["output", "stack.toml", "a"]), "\"one\"\n");
    assert_eq!(folder.ok(&["output", "stack.toml", "--raw", "a"]), "one");
    assert!(!folder.ok(&["output", "stack.toml"]).contains("hunter2"));
    assert_eq!(folder.ok(&["output", "stack.toml", "--raw", "secret"]), "hunter2");
    assert_eq!(json(&folder.ok(&["output", "stack.toml", "--json"]))["list"]["value"][1], "one-r");
    folder.fails(&["output", "stack.toml", "--raw", "list"]);
}

#[test]
fn console_answers_line_by_line() {
    let folder = applied();
    let ran = folder.run_with(
        &["console", "stack.toml"],
        "1 + 2\nvar.input\nterraform_data.a.output\nvar.secret\nupper(\"a\")\n[for k, v in terraform_data.many : k]\n",
    );
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
    let wanted = "3\n\"one\"\n\"one\"\n(sensitive value)\n\"A\"\n[\n  \"l\",\n  \"r\",\n]\n";
    assert_eq!(ran.stdout, wanted);
}

#[test]
fn state_commands() {
    let folder = applied();
    let list = "terraform_data.a\nterraform_data.many[\"l\"]\nterraform_data.many[\"r\"]\n";
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]), list);
    assert!(folder.ok(&["state", "show", "stack.toml", "terraform_data.a"]).contains("input"));
    folder.ok(&["state", "mv", "stack.toml", "terraform_data.a", "terraform_data.b"]);
    assert!(folder.ok(&["state", "list", "stack.toml"]).starts_with("terraform_data.b\n"));
    folder.ok(&["state", "mv", "stack.toml", "terraform_data.b", "terraform_data.a"]);
    let pulled = folder.ok(&["state", "pull", "stack.toml"]);
    assert_eq!(json(&pulled)["version"], 4);
    folder.ok(&["state", "rm", "stack.toml", "terraform_data.many[\"l\"]"]);
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]).lines().count(), 2);
    folder.write("saved.tfstate", &pulled);
    folder.ok(&["state", "push", "stack.toml", "saved.tfstate", "--force"]);
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]), list);
    assert!(folder.ok(&["plan", "stack.toml"]).contains("No changes."));
}

#[test]
fn taint_replaces_and_untaint_does_not() {
    let folder = applied();
    folder.ok(&["taint", "stack.toml", "terraform_data.many[\"l\"]"]);
    let plan = folder.ok(&["plan", "stack.toml"]);
    assert!(plan.contains("terraform_data.many[\"l\"] is tainted, so must be replaced"), "{plan}");
    assert!(plan.contains("Plan: 1 to add, 0 to change, 1 to destroy."), "{plan}");
    folder.ok(&["untaint", "stack.toml", "terraform_data.many[\"l\"]"]);
    assert!(folder.ok(&["plan", "stack.toml"]).contains("No changes."));
}

#[test]
fn drift_has_its_own_exit_codes() {
    let text = "[stack]\nname = 'x'\n[resource.fake_bucket.b]\nname = 'b'\n";
    let folder = Folder::with(text);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(folder.run(&["drift", "stack.toml"]).exit, Exit::Done);
    folder.cloud.drift("fake_bucket", "b", "versioning", true);
    let before = folder.files();
    for format in ["text", "markdown", "json"] {
        let ran = folder.run(&["drift", "stack.toml", &format!("--format={format}")]);
        assert_eq!(ran.exit, Exit::Changes, "{format}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("fake_bucket.b") && ran.stdout.contains("versioning"), "{}", ran.stdout);
    }
    assert_eq!(folder.files(), before, "drift writes nothing");
    folder.cloud.vanish("fake_bucket", "b");
    assert_eq!(folder.run(&["drift", "stack.toml"]).exit, Exit::Changes);
    folder.write("stack.toml", "[nonsense]\n");
    assert_eq!(folder.run(&["drift", "stack.toml"]).exit, Exit::Failed);
}

#[test]
fn refresh_only_repairs_the_state() {
    let folder = Folder::with("[stack]\nname = 'x'\n[resource.fake_bucket.b]\nname = 'b'\n");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder.cloud.drift("fake_bucket", "b", "versioning", true);
    folder.ok(&["apply", "stack.toml", "--auto-approve", "--refresh-only"]);
    assert!(folder.read("state/x.tfstate").contains("\"versioning\": true"));
    assert_eq!(folder.cloud.changes(), ["create fake_bucket b"]);
}

#[test]
fn validate_needs_nothing_but_the_stack() {
    let folder = Folder::with("[resource.aws_s3_bucket.a]\nbucket = 'a'\n");
    assert!(folder.ok(&["validate", "stack.toml"]).contains("Success!"));
    folder.write("stack.toml", "[resource.aws_s3_bucket.a]\nbuket = 'a'\n");
    let report = folder.run(&["validate", "stack.toml", "--json"]);
    assert_eq!(report.exit, Exit::Failed);
    let report = json(&report.stdout);
    assert_eq!((&report["valid"], &report["error_count"]), (&Json::from(false), &Json::from(1)));
    assert_eq!(report["diagnostics"][0]["range"]["start"]["line"], 2);
}

#[test]
fn fmt_keeps_comments_and_settles() {
    let folder = Folder::with("# first\n[locals]\na   =   1 # why\n\n\n\nb=2\n");
    assert_eq!(folder.run(&["fmt", "--check"]).exit, Exit::Failed);
    assert_eq!(folder.ok(&["fmt"]), "stack.toml\n");
    let text = folder.read("stack.toml");
    assert!(text.contains("# first") && text.contains("# why"), "{text}");
    assert_eq!(folder.ok(&["fmt"]), "");
    assert_eq!(folder.run(&["fmt", "--check"]).exit, Exit::Done);
}

#[test]
fn a_lock_is_shown_and_can_be_broken() {
    use lakeform_testkit::{
        Gate,
        fake::{Fault, Op},
    };
    let folder = Folder::with("[stack]\nname = 'x'\n[resource.fake_thing.a]\nname = 'a'\n");
    assert!(folder.ok(&["lock", "status", "stack.toml"]).contains("is not locked"));
    let gate = Gate::new();
    folder.cloud.inject(Fault::on(Op::Create).held_by(&gate));
    std::thread::scope(|scope| {
        let _open = gate.opens_in_the_end();
        let first = scope.spawn(|| folder.run(&["apply", "stack.toml", "--auto-approve"]));
        assert!(gate.reached_blocking(1, std::time::Duration::from_secs(30)));
        let status = folder.ok(&["lock", "status", "stack.toml"]);
        assert!(status.contains("is locked") && status.contains("someone@somewhere"), "{status}");
        let told = folder.fails(&["apply", "stack.toml", "--auto-approve"]);
        assert!(told.contains("someone@somewhere"), "{told}");
        // What is in flight is nothing that was left behind, though its journal says that it was begun.
        let planned = folder.run(&["plan", "stack.toml"]);
        assert_eq!(planned.exit, Exit::Done, "{}", planned.stderr);
        assert!(planned.stdout.contains("1 to add"), "{}", planned.stdout);
        let told = planned.stdout + &planned.stderr;
        assert!(told.contains("Another run is at work on this state") && !told.contains("cut off"), "{told}");
        let journal = folder.ok(&["journal", "stack.toml"]);
        assert!(journal.contains("is at work") && !journal.contains("cut off"), "{journal}");
        // Whoever waits long enough gets the lock.
        let second = scope.spawn(|| folder.run(&["apply", "stack.toml", "--auto-approve", "--lock-timeout=30s"]));
        std::thread::sleep(std::time::Duration::from_millis(200));
        gate.open();
        assert_eq!(first.join().unwrap().exit, Exit::Done);
        let second = second.join().unwrap();
        assert_eq!(second.exit, Exit::Done, "{}{}", second.stdout, second.stderr);
    });
    assert!(folder.ok(&["lock", "status", "stack.toml"]).contains("is not locked"));
}

/// An answer is shown as secret as what was given; to who refers to it, it is as Terraform has it, planned or not.
#[test]
fn what_refers_to_an_unchanged_answer_settles() {
    let one = "[stack]\nname = 'x'\n[resource.terraform_data.a]\ninput = '${sensitive(\"told\")}'\n";
    let folder = Folder::with(one);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder.write("stack.toml", format!("{one}[resource.terraform_data.b]\ninput = '${{terraform_data.a.output}}'\n"));
    folder.ok(&["plan", "stack.toml", "--out=p"]);
    folder.ok(&["apply", "p"]);
    assert!(folder.ok(&["plan", "stack.toml"]).contains("No changes"));
}

/// F07
#[test]
fn a_cancelled_apply_saves_what_it_did_and_releases_the_lock() {
    use lakeform_testkit::{
        Gate,
        fake::{Fault, Op},
    };
    let folder = Folder::with(
        "[stack]\nname = 'x'\n[resource.fake_thing.a]\nname = 'a'\n[resource.fake_thing.b]\nname = '${fake_thing.a.id}'\n",
    );
    let gate = Gate::new();
    folder.cloud.inject(Fault::on(Op::Create).held_by(&gate));
    std::thread::scope(|scope| {
        let _open = gate.opens_in_the_end();
        let run = scope.spawn(|| folder.run(&["apply", "stack.toml", "--auto-approve"]));
        assert!(gate.reached_blocking(1, std::time::Duration::from_secs(30)));
        folder.cancel.escalate();
        gate.open();
        assert_eq!(run.join().unwrap().exit, Exit::Failed);
    });
    let next = Folder { cancel: lakeform_engine::Cancel::new(), ..folder };
    assert_eq!(next.ok(&["state", "list", "stack.toml"]), "fake_thing.a\n");
    let done = next.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert!(done.contains("1 added"), "{done}");
}

#[test]
fn a_failed_apply_exits_with_1_and_keeps_what_it_did() {
    use lakeform_provider::ErrorKind;
    use lakeform_testkit::fake::{Fault, Op};
    let folder = Folder::with(
        "[stack]\nname = 'x'\n[resource.fake_bucket.a]\nname = 'a'\n[resource.fake_bucket.b]\nname = 'b'\n",
    );
    folder.cloud.inject(Fault::on(Op::Create).named("b").fails(ErrorKind::Denied));
    let told = folder.fails(&["apply", "stack.toml", "--auto-approve"]);
    assert!(told.contains("fake_bucket.b") && told.contains("1 added"), "{told}");
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]), "fake_bucket.a\n");
}

#[test]
fn one_object_can_be_imported() {
    use lakeform_testkit::fake::Bucket;
    let folder = Folder::with("[stack]\nname = 'x'\n[resource.fake_bucket.b]\nname = 'b'\n");
    folder.cloud.seed(Bucket { name: "b".into(), versioning: Some(false), ..Bucket::default() });
    folder.ok(&["import", "stack.toml", "fake_bucket.b", "b"]);
    assert_eq!(folder.ok(&["state", "list", "stack.toml"]), "fake_bucket.b\n");
    assert!(folder.ok(&["plan", "stack.toml"]).contains("No changes."));
}

#[test]
fn blocks_are_written_for_what_is_imported() {
    use lakeform_testkit::fake::Bucket;
    let folder = Folder::with("[stack]\nname = 'x'\n[[import]]\nto = 'fake_bucket.b'\nid = 'b'\n");
    folder.cloud.seed(Bucket { name: "b".into(), versioning: Some(true), ..Bucket::default() });
    let told = folder.fails(&["plan", "stack.toml"]);
    assert!(told.contains("import target fake_bucket.b does not exist"), "{told}");
    let plan = folder.ok(&["plan", "stack.toml", "--generate-config-out", "made.toml"]);
    assert!(plan.contains("Plan: 1 to import, 0 to add, 0 to change, 0 to destroy."), "{plan}");
    let made = folder.read("made.toml");
    assert!(made.contains("[resource.fake_bucket.b]\nname = \"b\"\nversioning = true\n"), "{made}");
    assert!(!made.contains("arn"), "{made}");
    // What somebody may have edited is not written over.
    folder.fails(&["plan", "stack.toml", "--generate-config-out", "made.toml"]);
    folder.write("stack.toml", folder.read("stack.toml").replace("[stack]\n", "[stack]\nextends = ['made.toml']\n"));
    let applied = folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert!(applied.contains("1 imported, 0 added, 0 changed, 0 destroyed"), "{applied}");
    assert!(folder.ok(&["plan", "stack.toml"]).contains("No changes."));
}

#[test]
fn an_import_says_which_provider_a_written_block_is_of() {
    use lakeform_testkit::fake::Bucket;
    let import = "[[import]]\nto = 'fake_bucket.b'\nid = 'b'\nprovider = 'fake.far'\n";
    let providers = "[[provider.fake]]\n[[provider.fake]]\nalias = 'far'\nregion = 'far-1'\n";
    let folder = Folder::with(&format!("[stack]\nname = 'x'\n{providers}{import}"));
    folder.cloud.seed(Bucket { name: "b".into(), ..Bucket::default() });
    folder.ok(&["plan", "stack.toml", "--generate-config-out", "made.toml"]);
    assert!(folder.read("made.toml").contains("provider = \"fake.far\"\n"), "{}", folder.read("made.toml"));
    // Once the block is there, it says so itself.
    folder.write("both.toml", format!("[stack]\nname = 'x'\nextends = ['made.toml']\n{providers}{import}"));
    assert!(folder.fails(&["plan", "both.toml"]).contains("Invalid import provider argument"));
}

#[test]
fn outputs_of_another_stack_are_read_from_its_state() {
    let folder = Folder::with(
        "[data.terraform_remote_state.net]\nbackend = 'local'\nconfig = { path = 'state/net.tfstate' }\ndefaults = { vpc = \
         'none', zones = 3 }\n[output.all]\nvalue = '${data.terraform_remote_state.net.outputs}'\n",
    );
    folder.write(
        "net.toml",
        "[stack]\nname = 'net'\n[output.vpc]\nvalue = 'vpc-1'\n[output.key]\nvalue = 'k'\nsensitive = true\n",
    );
    let told = folder.fails(&["plan", "stack.toml"]);
    assert!(told.contains("data.terraform_remote_state.net") && told.contains("there is no state at"), "{told}");
    folder.ok(&["apply", "net.toml", "--auto-approve"]);
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    let outputs = folder.ok(&["output", "stack.toml", "--json", "all"]);
    let outputs: serde_json::Value = serde_json::from_str(&outputs).unwrap();
    assert_eq!(outputs, serde_json::json!({ "vpc": "vpc-1", "key": "k", "zones": 3 }));
    folder.write("gcs.toml", folder.read("stack.toml").replace("'local'", "'gcs'"));
    assert!(folder.fails(&["plan", "gcs.toml"]).contains("Unknown backend `gcs`"));
}

#[test]
fn another_state_file_and_another_directory_can_be_named() {
    let folder = Folder::with(STACK);
    folder.write("deep/stack.toml", STACK);
    folder.ok(&["--chdir=deep", "apply", "stack.toml", "--auto-approve", "--state", "mine.tfstate"]);
    assert!(folder.path("deep/mine.tfstate").exists() && !folder.path("deep/state").exists());
}

#[test]
fn the_graph_is_printed_for_dot_and_mermaid() {
    let folder = Folder::with(STACK);
    assert!(folder.ok(&["graph", "stack.toml"]).contains("digraph"));
    assert!(folder.ok(&["graph", "stack.toml", "--format=mermaid"]).contains("terraform_data"));
}

#[test]
fn two_resources_that_would_be_one_object_are_refused() {
    let stack = r#"
[provider.aws]
region = "eu-west-2"
access_key = "a"
secret_key = "b"
skip_requesting_account_id = true

"#;
    let alarm = |label: &str, name: &str| {
        format!(
            "[resource.aws_cloudwatch_metric_alarm.{label}]\nalarm_name = \"{name}\"\ncomparison_operator = \
             \"GreaterThanThreshold\"\nevaluation_periods = 1\nmetric_name = \"m\"\nnamespace = \"n\"\nperiod = 60\n\
             statistic = \"Sum\"\nthreshold = 1\n\n"
        )
    };
    let bucket = "[resource.aws_s3_bucket.b]\nfor_each = [\"x\", \"y\"]\nbucket = \"same\"\n[resource.aws_s3_bucket.made]\ncount = 2\n";
    let folder = Folder::with(&format!("{stack}{}{}{bucket}", alarm("silver", "failures"), alarm("gold", "failures")));
    let ran = folder.run(&["plan", "stack.toml"]);
    assert_eq!(ran.exit, Exit::Failed, "{}", ran.stdout);
    for told in [
        "aws_cloudwatch_metric_alarm.gold and aws_cloudwatch_metric_alarm.silver have the same `alarm_name` \"failures\"",
        "aws_s3_bucket.b[\"x\"] and aws_s3_bucket.b[\"y\"] have the same `bucket` \"same\"",
    ] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("made"), "{}", ran.stderr);
    // Other names, or another region, and there is nothing to say.
    let elsewhere = alarm("gold", "failures").replace("threshold", "provider = \"aws.other\"\nthreshold");
    let other = "[[provider.aws]]\nalias = \"other\"\nregion = \"eu-west-1\"\naccess_key = \"a\"\nsecret_key = \"b\"\nskip_requesting_account_id = true\n";
    let stack = stack.replace("[provider.aws]", "[[provider.aws]]") + other;
    // Looking something up makes no second one.
    let lookup = "[resource.aws_iam_role.r]\nname = \"r\"\nassume_role_policy = { Version = \"2012-10-17\", Statement = [] }\n\
                  [data.aws_iam_role.r]\nname = \"r\"\ndepends_on = [\"aws_iam_role.r\"]\n";
    folder.write("stack.toml", format!("{stack}{}{elsewhere}{lookup}", alarm("silver", "failures")));
    let ran = folder.run(&["plan", "stack.toml"]);
    assert_eq!(ran.exit, Exit::Done, "{}", ran.stderr);
}
