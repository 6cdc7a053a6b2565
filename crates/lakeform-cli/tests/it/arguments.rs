//! Variables, directories, and mistakes in the arguments.

use insta::assert_snapshot;
use lakeform_cli::Exit;

use crate::harness::{Cli, STACK};

const VARIABLES: &str = r#"
[variable.a]
type = "string"
default = "default"
[variable.l]
type = "list(string)"
default = []
[output.a]
value = "${var.a}"
[output.l]
value = "${var.l}"
"#;

fn value(cli: &Cli, args: &[&str], name: &str) -> String {
    let out = cli.run_with(&[&["console", "stack.toml"], args].concat(), &format!("{name}\n"));
    out.ok().out.trim_end().to_owned()
}

#[test]
fn c03_values_come_from_environment_then_stack_then_command_line_in_order() {
    let mut cli = Cli::new(VARIABLES);
    assert_eq!(value(&cli, &[], "var.a"), "\"default\"");
    cli.env = vec![("TF_VAR_a", "tf"), ("TF_VAR_undeclared", "x")];
    assert_eq!(value(&cli, &[], "var.a"), "\"tf\"");
    cli.env.push(("LAKEFORM_VAR_a", "lf"));
    assert_eq!(value(&cli, &[], "var.a"), "\"lf\"");
    cli.file("stack.toml", &format!("[values]\na = \"stack\"\n{VARIABLES}"));
    assert_eq!(value(&cli, &[], "var.a"), "\"stack\"");
    cli.file("f.toml", "a = \"file\"\n");
    assert_eq!(value(&cli, &["-var-file=f.toml"], "var.a"), "\"file\"");
    assert_eq!(value(&cli, &["-var-file=f.toml", "-var", "a=one"], "var.a"), "\"one\"");
    assert_eq!(value(&cli, &["-var", "a=one", "-var-file=f.toml"], "var.a"), "\"file\"");
}

#[test]
fn files_of_values_may_be_hcl_json_or_toml() {
    let cli = Cli::new(VARIABLES);
    cli.file("f.tfvars", "# comment\na = \"hcl\"\nl = [\n  \"x\", # one\n  \"y\",\n]\n");
    assert_eq!(value(&cli, &["-var-file", "f.tfvars"], "join(\",\", concat([var.a], var.l))"), "\"hcl,x,y\"");
    cli.file("f.tfvars.json", "{\"a\": \"json\", \"l\": [\"z\"]}");
    assert_eq!(value(&cli, &["-var-file", "f.tfvars.json"], "join(\",\", concat([var.a], var.l))"), "\"json,z\"");
    cli.file("f.toml", "a = \"toml\"\nl = [\"w\"]\n");
    assert_eq!(value(&cli, &["-var-file", "f.toml"], "join(\",\", concat([var.a], var.l))"), "\"toml,w\"");
    assert_eq!(value(&cli, &["-var", "l=[\"p\", \"q\"]"], "length(var.l)"), "2");
}

#[test]
fn wrong_values_are_reported_with_their_place() {
    let cli = Cli::new(VARIABLES);
    cli.file("f.tfvars", "a = \"x\"\nl = [\"x\", var.a]\n");
    let out = cli.run(&["plan", "stack.toml", "-var-file=f.tfvars"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r#"
     Error: `var.a` cannot be used here
     ╰─▶ values of variables cannot refer to anything
      ╭─[f.tfvars:2:11]
    1 │ a = "x"
    2 │ l = ["x", var.a]
      ·           ─────
      ╰────
    "#);
    let out = cli.run(&["plan", "stack.toml", "-var=aa=1"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r"
    Error: There is no variable `aa`
    help: did you mean `a`?
    ");
    cli.file("g.toml", "nope = 1\n");
    let out = cli.run(&["plan", "stack.toml", "-var-file=g.toml"]).ok();
    assert!(out.err.contains("Warning:") && out.err.contains("nope"), "{}", out.err);
    let out = cli.run(&["plan", "stack.toml", "-var-file=missing.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("missing.toml cannot be read"), "{}", out.err);
}

#[test]
fn chdir_goes_there_first() {
    let cli = Cli::new("");
    cli.file("infra/main.toml", STACK);
    cli.run(&["-chdir=infra", "apply", "main.toml", "-auto-approve"]).ok();
    assert!(cli.path("infra/state/main.tfstate").exists());
    cli.run(&["plan", "-chdir", "infra", "main.toml", "-detailed-exitcode"]).ok();
}

#[test]
fn c01_mistakes_in_arguments_exit_with_one() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["plna"]).expect(Exit::Failed);
    assert!(out.err.contains("'plan'"), "{}", out.err);
    cli.run(&["plan", "-parallelism=0"]).expect(Exit::Failed);
    cli.run(&["plan", "-target=no address"]).expect(Exit::Failed);
    cli.run(&["plan", "-lock-timeout=soon"]).expect(Exit::Failed);
    assert!(cli.run(&["-version"]).ok().out.contains(lakeform::VERSION));
    assert!(cli.run(&["plan", "-help"]).ok().out.contains("--detailed-exitcode"));
}
