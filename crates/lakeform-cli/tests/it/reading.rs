//! `output`, `show`, `console`, `graph`, `fmt`, `schema`, `completions`

use insta::assert_snapshot;
use lakeform_cli::Exit;

use crate::harness::{Cli, STACK};

#[test]
fn outputs_in_all_forms() {
    let cli = Cli::applied();
    let arn = cli.run(&["output", "stack.toml", "-raw", "arn"]).ok().out;
    assert!(!arn.is_empty() && !arn.ends_with('\n'), "{arn:?}");
    assert_eq!(cli.run(&["output", "stack.toml", "arn"]).ok().out, format!("\"{arn}\"\n"));
    assert_eq!(cli.run(&["output", "stack.toml", "-json", "arn"]).ok().out, format!("\"{arn}\"\n"));
    assert_eq!(
        cli.run(&["output", "arn", "-state=state/stack.tfstate"]).ok().out,
        format!("\"{arn}\"\n"),
        "the working directory"
    );
    assert_eq!(cli.run(&["output", "stack.toml"]).ok().out, format!("arn = \"{arn}\"\nsecret = <sensitive>\n"));
    let all = cli.run(&["output", "stack.toml", "-json"]).ok().json();
    assert_eq!(all["arn"]["value"], arn.as_str());
    assert_eq!(all["secret"]["sensitive"], true);
    let out = cli.run(&["output", "stack.toml", "nope"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r"
    Error: There is no output `nope` in the state
    help: there are: arn, secret
    ");
    cli.run(&["output", "stack.toml", "-raw"]).expect(Exit::Failed);
}

#[test]
fn the_console_answers_line_by_line() {
    let cli = Cli::applied();
    let out = cli.run_with(
        &["console", "stack.toml"],
        "1 + 2\nvar.size\nfake_bucket.raw.name\n\nfake_database.main.password\n[for x in [1, 2] : x * 2]\n",
    );
    assert_snapshot!(out.ok().out, @r#"
    3
    10
    "raw"
    (sensitive value)
    [
      2,
      4,
    ]
    "#);
    let out = cli.run_with(&["console", "stack.toml"], "nope.x\nupper(\"a\")\n").expect(Exit::Failed);
    assert_eq!(out.out, "\"A\"\n");
    assert!(out.err.contains("Error:"), "{}", out.err);
}

#[test]
fn the_console_needs_no_stack_for_functions() {
    let cli = Cli::new("");
    cli.file("empty/here.txt", "");
    assert_eq!(cli.run_with(&["-chdir=empty", "console"], "max(1, 5)\n").ok().out, "5\n");
}

#[test]
fn the_graph_goes_through_modules_and_locals() {
    let cli = Cli::new(
        r#"
[locals]
where = "${fake_bucket.raw.arn}"
[resource.fake_bucket.raw]
name = "raw"
[module.db]
source = "./db"
location = "${local.where}"
[resource.fake_table.t]
name = "t"
database = "${module.db.name}"
"#,
    );
    cli.file(
        "db/main.toml",
        "[variable.location]\n[resource.fake_database.d]\nname = \"d\"\nlocation = \"${var.location}\"\n[output.name]\nvalue = \"${fake_database.d.name}\"\n",
    );
    assert_snapshot!(cli.run(&["graph", "stack.toml"]).ok().out, @r#"
    digraph G {
      rankdir = "RL";
      node [shape = rect, fontname = "sans-serif"];
      "fake_bucket.raw" [label="fake_bucket.raw"];
      "fake_table.t" [label="fake_table.t"];
      "module.db.fake_database.d" [label="module.db.fake_database.d"];
      "fake_table.t" -> "module.db.fake_database.d";
      "module.db.fake_database.d" -> "fake_bucket.raw";
    }
    "#);
    assert_snapshot!(cli.run(&["graph", "stack.toml", "--format", "mermaid"]).ok().out, @r#"
    flowchart RL
      n0["fake_bucket.raw"]
      n1["fake_table.t"]
      n2["module.db.fake_database.d"]
      n1 --> n2
      n2 --> n0
    "#);
}

#[test]
fn fmt_checks_shows_and_writes() {
    let cli = Cli::new("[resource.fake_bucket.raw]\nname=\"raw\"   # kept\n");
    cli.file("sub/other.toml", "x=1\n");
    let out = cli.run(&["fmt", "-check", "-diff"]).expect(Exit::Failed);
    assert!(out.out.starts_with("stack.toml\n") && out.out.contains("+name = \"raw\""), "{}", out.out);
    assert_eq!(cli.run(&["fmt"]).ok().out, "stack.toml\n");
    assert_eq!(cli.run(&["fmt"]).ok().out, "");
    assert_eq!(cli.run(&["fmt", "-recursive"]).ok().out, "sub/other.toml\n");
    let text = std::fs::read_to_string(cli.path("stack.toml")).unwrap();
    assert!(text.contains("name = \"raw\"") && text.contains("# kept"), "{text}");
    assert_eq!(cli.run_with(&["fmt", "-"], "a=1\n").ok().out, "a = 1\n");
    cli.file("bad.toml", "x = [\n");
    let out = cli.run(&["fmt"]).expect(Exit::Failed);
    assert!(out.err.contains("bad.toml"), "{}", out.err);
}

#[test]
fn a_schema_for_people() {
    let cli = Cli::new("");
    assert_snapshot!(cli.run(&["schema", "fake_bucket"]).ok().out, @r"
    [resource.fake_bucket.NAME]
    `fake_bucket`: its name is its identifier, and no two buckets share one.

    Arguments
      name  string, required, forces replacement
          What it is called; a change replaces it.
      tags  map(string), optional
          Its own tags.
      tags_all  map(string), optional, computed
          Its own tags over the provider's `default_tags`.
      versioning  bool, optional, default false
          Whether old versions are kept.

    Attributes
      id  string, computed
          Its name.
      arn  string, computed
          `arn:fake:REGION:bucket/NAME`
      region  string, computed
          The provider's region.
    ");
    let list = cli.run(&["schema"]).ok().out;
    assert!(list.contains("aws_s3_bucket") && list.contains("fake_lookup"), "{list}");
    let out = cli.run(&["schema", "fake_bukket"]).expect(Exit::Failed);
    assert!(out.err.contains("did you mean `fake_bucket`?"), "{}", out.err);
    cli.run(&["schema", "data.fake_lookup"]).ok();
    cli.run(&["schema", "provider.aws"]).ok();
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = Cli::new("").run(&["completions", shell]).ok().out;
        assert!(script.contains("force-unlock"), "{shell}");
    }
}

#[test]
fn showing_one_object() {
    let cli = Cli::new(STACK);
    assert!(cli.run(&["show", "stack.toml"]).ok().err.contains("The state is empty"));
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    let shown = cli.run(&["show", "stack.toml", "fake_database.main"]).ok().out;
    assert_snapshot!(shown, @r#"
    # fake_database.main:
    resource "fake_database" "main" {
        endpoint = "main.arn:fake:test-1:bucket/raw.fake"
        id       = "database-1"
        location = "arn:fake:test-1:bucket/raw"
        name     = "main"
        password = (sensitive value)
        secret   = (sensitive value)
        size     = 10
        token_wo = (write-only attribute)
    }
    "#);
}
