//! Expressions and what `terraform console` 1.11.4 answers to them, recorded by `tests/record.py`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::{path::PathBuf, sync::LazyLock};

use lakeform_lang::{Environment, parse_expression, render};
use names::Names;

#[path = "expressions/names.rs"]
mod names;

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/console")
}

/// What is answered, or the summary and detail of why not.
fn ask(expression: &str) -> Result<String, (String, String)> {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        Names::new(Environment { root: fixtures(), module: ".".into(), cwd: fixtures(), ..Environment::default() })
    });
    let first = |problems: lakeform_core::Diagnostics| {
        let d = problems.0.into_iter().next().expect("a problem");
        (d.summary, d.detail.unwrap_or_default())
    };
    let value = parse_expression(expression).and_then(|e| e.evaluate(&*NAMES)).map_err(first)?;
    Ok(render(&value))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Refused by both, for a reason that lakeform words in its own way: syntax, references, names of places in the text, and
/// messages that libraries of Go wrote.
const WORDED_DIFFERENTLY: &[&str] = &[
    "1_000",
    "[for x in [1]: x if null]",
    "try([][0], {}.a)",
    "regex(\"(\", \"a\")",
    "regex(\"(\", var.us)",
    "regexall(\"(\", var.us)",
    // Terraform panics.
    "setintersection(var.ls, var.lo, [var.ua, var.ua])",
    "setunion(var.ls, var.lo, [var.ua, var.ua])",
    "setunion(var.ls, var.lo, [var.ua])",
    "setunion([[\"a\"]], [null])",
    // Terraform reports two problems, in any order.
    "[for x in var.uls : x if 1 + []]",
    "[for x in var.uls : x if null]",
    // Terraform tries to make an object of the map.
    "true ? tomap({a=null}) : {b = \"x\", c = []}",
    "textencodebase64(\"hé\",\"foo\")",
    "yamldecode(file(\"files/multi.yaml\"))",
    "yamldecode(file(\"files/keys.yaml\"))",
    "yamldecode(file(\"files/tags.yaml\"))",
    "uuidv5(\"x\",\"y\")",
    "path.foo",
    "terraform.foo",
    "each.key",
    "count.index",
    "self.x",
    // From here on, syntax.
    "1 +",
    "(1",
    "[1",
    "{a",
    "\"a",
    "\"${1\"",
    ")",
    "foo(",
    "1 2",
    "a..b",
    "[for x in]",
    "\"%{ if true }\"",
    "\"\\q\"",
];

#[test]
fn answers_are_those_of_terraform() {
    let recorded = std::fs::read_to_string(fixtures().join("answers.json")).expect("answers.json");
    let recorded: Vec<serde_json::Value> = serde_json::from_str(&recorded).expect("JSON");
    assert!(recorded.len() > 700, "the fixture is there in full");
    let mut wrong = Vec::new();
    for entry in &recorded {
        let expression = entry["expression"].as_str().expect("an expression");
        let got = ask(expression);
        match (entry["answer"].as_str(), &got) {
            (Some(answer), Ok(got)) if answer == got => {}
            (None, Err(_)) => {}
            _ => wrong.push(format!("{expression}\n  terraform: {}\n  lakeform:  {got:?}", entry)),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), recorded.len(), wrong.join("\n"));
}

#[test]
fn errors_are_worded_as_in_terraform() {
    let recorded = std::fs::read_to_string(fixtures().join("answers.json")).expect("answers.json");
    let recorded: Vec<serde_json::Value> = serde_json::from_str(&recorded).expect("JSON");
    let mut wrong = Vec::new();
    let mut same = 0;
    for entry in recorded.iter().filter(|e| e["error"].is_string()) {
        let expression = entry["expression"].as_str().expect("an expression");
        let Err((summary, detail)) = ask(expression) else { continue };
        let (wanted, wanted_detail) =
            (entry["error"].as_str().unwrap_or_default(), entry["detail"].as_str().unwrap_or_default());
        if summary == wanted && words(&detail) == words(wanted_detail) {
            same += 1;
        } else if !WORDED_DIFFERENTLY.contains(&expression) && !wanted.starts_with("Reference to undeclared") {
            wrong.push(format!(
                "{expression}\n  terraform: {wanted}: {wanted_detail}\n  lakeform:  {summary}: {detail}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} same, {} differ:\n{}", same, wrong.len(), wrong.join("\n"));
}
