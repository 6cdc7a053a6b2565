//! `[guard]`: what it says, and everything that is wrong with it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::collections::BTreeMap;

use lakeform_core::{Block, Diagnostics, Mode, Schema, Value};
use lakeform_lang::{Environment, Guard, Schemas, Stack, StaticScope, load, load_str, validate};

/// No provider at all.
struct Nothing;

impl Schemas for Nothing {
    fn resource(&self, _: Mode, _: &str) -> Option<&Schema> {
        None
    }

    fn provider(&self, _: &str) -> Option<&Schema> {
        None
    }

    fn provisioner(&self, _: &str) -> Option<&Block> {
        None
    }

    fn names(&self, _: Mode) -> Vec<&str> {
        Vec::new()
    }

    fn providers(&self) -> Vec<&str> {
        Vec::new()
    }
}

fn text(stack: &str) -> Stack {
    load_str("s.toml", stack).unwrap().0
}

fn guard(stack: &Stack, given: &[(&str, Value)]) -> Result<Guard, Diagnostics> {
    let given = given.iter().map(|(k, v)| ((*k).into(), v.clone())).collect::<BTreeMap<_, _>>();
    stack.guard.as_ref().unwrap().evaluate(&StaticScope::new(stack, &given, Environment::default()))
}

fn lines(problems: &Diagnostics) -> String {
    let one = |d: &lakeform_core::Diagnostic| match &d.help {
        Some(help) => format!("{d} ({help})"),
        None => d.to_string(),
    };
    problems.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn it_is_made_of_expressions_over_variables_and_locals() {
    let stack = text(
        r#"
        [variable.env]
        [variable.tables]
        default = ["aws_dynamodb_table.a", "aws_dynamodb_table.b"]
        [locals]
        limits = { prod = 0, dev = 10 }
        [guard]
        max_destroy = "${local.limits[var.env]}"
        max_replace = 3
        protect = ["module.${var.env}", "${var.tables}", "aws_s3_bucket.*"]
        [[guard.freeze]]
        days = ["fri"]
        from = "16:00"
        timezone = "Europe/Berlin"
        reason = "${var.env} rests"
        "#,
    );
    assert!(validate(&stack, &Nothing).is_empty(), "{}", lines(&validate(&stack, &Nothing)));
    let found = guard(&stack, &[("env", "prod".into())]).unwrap();
    assert_eq!((found.max_destroy, found.max_replace), (Some(0), Some(3)));
    let patterns = ["module.prod", "aws_dynamodb_table.a", "aws_dynamodb_table.b", "aws_s3_bucket.*"];
    assert_eq!(found.protect, patterns);
    assert_eq!(found.freeze[0].to_string(), "fri 16:00 to 24:00 (Europe/Berlin): prod rests");
    let problems = guard(&stack, &[]).unwrap_err();
    assert!(lines(&problems).contains("The value of `max_destroy` is not known"), "{}", lines(&problems));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let stack = text(
        r#"
        [variable.n]
        default = "many"
        [guard]
        max_destroy = -1
        max_replace = "${var.n}"
        protect = ["orders", 5, "${var.nope}", "aws_s3_bucket.ok"]
        freeze = [
          { days = ["fry", "sat"], from = "4pm", to = "08:00", timezone = "Berlin" },
          { from = "2026-12-20", to = "2026-12-01" },
        ]
        "#,
    );
    insta::assert_snapshot!(lines(&validate(&stack, &Nothing)), @r#"
    s.toml:5:23: Invalid `max_destroy`: It must be a whole number, 0 or more.
    s.toml:6:23: Invalid `max_replace`: It must be a whole number, 0 or more.
    s.toml:7:20: Invalid pattern in `protect`: "orders" matches no address. Addresses are like `aws_dynamodb_table.orders`, `aws_s3_bucket.raw["a"]` and `module.lake`; a `*` stands for any text.
    s.toml:7:30: Invalid `protect`: It must be a string or a list of strings.
    s.toml:7:36: Reference to undeclared input variable: An input variable with the name "nope" has not been declared.
    s.toml:9:21: Invalid `days` in `freeze`: "fry" is no day; `mon`, `tue`, ... `sun` are.
    s.toml:9:43: Invalid `from` in `freeze`: "4pm" is neither a time of day nor a date; `16:00`, `2026-12-20` and `2026-12-20T00:00:00Z` are.
    s.toml:9:75: Invalid `timezone` in `freeze`: "Berlin" is no time zone; `Europe/Berlin` and `UTC` are.
    s.toml:10:39: Invalid `to` in `freeze`: It must be later than `from`.
    "#);
    let found = load_str(
        "s.toml",
        "[guard]\nprotekt = []\nmax_destroy = 1\n[[guard.freeze]]\nday = \"mon\"\n[[guard.freeze]]\nuntil = 1\n",
    );
    insta::assert_snapshot!(lines(&found.unwrap_err()), @r#"
    s.toml:2:1: Unknown argument `protekt` of `guard` (did you mean `protect`?)
    s.toml:5:1: Unknown argument `day` of `freeze` (did you mean `days`?)
    s.toml:7:1: Unknown argument `until` of `freeze` (accepted are `days`, `from`, `to`, `timezone` and `reason`)
    "#);
    let found = load_str("s.toml", "guard = 5\n");
    insta::assert_snapshot!(lines(&found.unwrap_err()), @r#"
    s.toml:1:9: `guard` must be a table: It is a number.
    "#);
}

#[test]
fn a_stack_may_tighten_the_guard_that_it_extends_and_a_module_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("base.toml", "[guard]\nmax_destroy = 5\nmax_replace = 2\nprotect = [\"a_b.x\"]\n");
    write("prod.toml", "[stack]\nextends = \"base.toml\"\n[guard]\nmax_destroy = 0\nprotect = [\"a_b.*\"]\n");
    let (stack, _) = load(&dir.path().join("prod.toml"), dir.path()).unwrap();
    let found = guard(&stack, &[]).unwrap();
    assert_eq!((found.max_destroy, found.max_replace, found.protect), (Some(0), Some(2), vec!["a_b.*".to_owned()]));
    write("m/m.toml", "[guard]\nmax_destroy = 1\n");
    write("calls.toml", "[module.m]\nsource = \"./m\"\n");
    let problems = load(&dir.path().join("calls.toml"), dir.path()).unwrap_err();
    assert!(lines(&problems).contains("`guard` is not allowed in a module"), "{}", lines(&problems));
}

#[test]
fn values_are_wrong_at_once_with_arguments_that_do_not_exist() {
    let stack = "[guard]\nmax_destroy = -1\nmax_destory = 1\nprotect = [1]\n";
    let told = lines(&load_str("s.toml", stack).unwrap_err());
    for part in ["max_destory", "Invalid `max_destroy`", "protect"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
