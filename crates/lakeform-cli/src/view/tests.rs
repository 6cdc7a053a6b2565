//! Rendered changes, held against Terraform's: `tests/terraform/record.py` recorded what it draws for each case.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use lakeform::{
    core::{Attribute, Block, Diagnostic, NestedBlock, Nesting, Path, Span, Step, Type, Value},
    lang::{Environment, Scope, Subject, parse_expression},
};

use super::{
    diff,
    render::{Opts, render},
    style::Style,
};

/// Knows `terraform_data.other` alone, whose output is not known yet.
struct Other(Environment);

impl Scope for Other {
    fn resolve(&self, _: &Subject, _: &Span) -> Result<Value, Diagnostic> {
        Ok(Value::object([("output", Value::unknown(Type::Dynamic))]))
    }

    fn environment(&self) -> &Environment {
        &self.0
    }
}

fn evaluate(text: &str) -> Value {
    let scope = Other(Environment::default());
    parse_expression(text).and_then(|e| e.evaluate(&scope)).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn draw(diff: &diff::Diff, level: usize) -> String {
    render(diff, level, Opts::change(Style::default()))
}

#[derive(Debug)]
struct Case {
    before: Value,
    after: Value,
    output: String,
    resource: String,
}

fn cases() -> BTreeMap<String, Case> {
    let recorded: serde_json::Value = serde_json::from_str(include_str!("../../tests/terraform/diffs.json")).unwrap();
    let case = |case: &serde_json::Value| Case {
        before: evaluate(case["expressions"][0].as_str().unwrap()),
        after: evaluate(case["expressions"][1].as_str().unwrap()),
        output: case["output"].as_str().unwrap().to_owned(),
        resource: case["resource"].as_str().unwrap().to_owned(),
    };
    recorded.as_object().unwrap().iter().map(|(name, c)| (name.clone(), case(c))).collect()
}

#[test]
fn outputs_are_drawn_as_terraform_draws_them() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let diff = diff::output(&case.before, &case.after);
        let mark = match diff.mark {
            diff::Mark::Add => "+",
            diff::Mark::Remove => "-",
            _ => "~",
        };
        let drawn = format!("  {mark} x = {}", draw(&diff, 0));
        if drawn != case.output {
            wrong.push(format!("{name}: ours\n{drawn}\nTerraform's\n{}\n", case.output));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn resources_are_drawn_as_terraform_draws_them() {
    let any = || Attribute { optional: true, computed: true, ..Attribute::new(Type::Dynamic) };
    let schema = Block {
        attributes: [("input".into(), any()), ("output".into(), any())].into_iter().collect(),
        ..Block::default()
    };
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        let before = Value::object([("input", case.before.clone()), ("output", case.before.unmarked_deep())]);
        let after = Value::object([("input", case.after), ("output", Value::unknown(Type::Dynamic))]);
        let drawn = draw(&diff::object(&before, &after, Some(&schema), &[]), 0);
        let wanted: Vec<&str> = case.resource.lines().filter(|l| !l.starts_with("        id ")).collect();
        let wanted = format!("{{\n{}\n    }}", wanted.join("\n"));
        if drawn != wanted {
            wrong.push(format!("{name}: ours\n{drawn}\nTerraform's\n{wanted}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn attribute(ty: Type) -> Attribute {
    Attribute { optional: true, ..Attribute::new(ty) }
}

fn schema() -> Block {
    let rule = Block {
        attributes: [("id".into(), attribute(Type::String)), ("days".into(), attribute(Type::Number))]
            .into_iter()
            .collect(),
        ..Block::default()
    };
    let nested =
        |nesting| NestedBlock { nesting, min: 0, max: 0, force_new: false, computed: false, block: rule.clone() };
    Block {
        attributes: [
            ("bucket".into(), attribute(Type::String)),
            ("id".into(), Attribute { computed: true, ..Attribute::new(Type::String) }),
            ("names".into(), attribute(Type::set(Type::String))),
            ("password".into(), Attribute { sensitive: true, ..attribute(Type::String) }),
            ("tags".into(), attribute(Type::map(Type::String))),
            ("zones".into(), attribute(Type::list(Type::String))),
        ]
        .into_iter()
        .collect(),
        blocks: [("grant".into(), nested(Nesting::Set)), ("rule".into(), nested(Nesting::List))].into_iter().collect(),
        ..Block::default()
    }
}

fn value(text: &str) -> Value {
    schema().coerce(&evaluate(text)).unwrap()
}

#[test]
fn typed_attributes_and_blocks_are_drawn_by_their_schema() {
    let before = value(
        r#"{ id = "i", bucket = "a", password = "old", names = ["a", "b"], zones = ["x", "y"], tags = { "a b" = "1", c = "2" },
             rule = [{ id = "one", days = 1 }, { id = "two", days = 2 }], grant = [{ id = "g" }, { id = "h" }] }"#,
    );
    let after = value(
        r#"{ id = "i", bucket = "b", password = "new", names = ["b", "c"], zones = ["z", "y"], tags = { "a b" = "1", c = "3" },
             rule = [{ id = "one", days = 1 }, { id = "two", days = 3 }], grant = [{ id = "h" }, { id = "k" }] }"#,
    );
    let replace = [Path::attr("bucket"), Path::attr("rule").with(Step::Index(1)).with(Step::Attr("days".into()))];
    assert_snapshot!(draw(&diff::object(&before, &after, Some(&schema()), &replace), 0), @r#"
    {
          ~ bucket   = "a" -> "b" # forces replacement
            id       = "i"
          ~ names    = [
              - "a",
              + "c",
                # (1 unchanged element hidden)
            ]
          ~ password = (sensitive value)
          ~ tags     = {
                "a b" = "1"
              ~ "c"   = "2" -> "3"
            }
          ~ zones    = [
              ~ "x" -> "z",
                "y",
            ]

          - grant {
              - id = "g" -> null
            }
          + grant {
              + id = "k"
            }

          ~ rule {
              ~ days = 2 -> 3 # forces replacement
                id   = "two"
            }

            # (2 unchanged blocks hidden)
        }
    "#);
}

#[test]
fn an_object_that_goes_says_so_once_per_attribute() {
    let before = value(r#"{ id = "i", bucket = "", password = "p", tags = { a = "1" }, rule = [{ id = "one" }] }"#);
    assert_snapshot!(draw(&diff::object(&before, &Value::null(Type::Dynamic), Some(&schema()), &[]), 0), @r#"
    {
          - id       = "i" -> null
          - password = (sensitive value) -> null
          - tags     = {
              - "a" = "1"
            } -> null
            # (1 unchanged attribute hidden)
    
          - rule {
              - id = "one" -> null
            }
        }
    "#);
}

#[test]
fn a_block_of_unknown_content_is_named() {
    let before = value(r#"{ id = "i", rule = [{ id = "one" }] }"#);
    let mut after = before.clone();
    after.set_attr("rule", Value::unknown(Type::Dynamic));
    assert_snapshot!(draw(&diff::object(&before, &after, Some(&schema()), &[]), 0), @r#"
    {
            id = "i"
    
          ~ rule (known after apply)
          - rule {
              - id = "one" -> null
            }
        }
    "#);
}

#[test]
fn a_value_that_becomes_sensitive_is_announced_and_not_shown() {
    let before = value(r#"{ id = "i", bucket = "secret" }"#);
    let mut after = before.clone();
    after.set_attr("bucket", Value::from("secret").sensitive());
    assert_snapshot!(draw(&diff::object(&before, &after, Some(&schema()), &[]), 0), @r#"
    {
            # Warning: this attribute value will be marked as sensitive and will not
            # display in UI output after applying this change.
            # The value is unchanged.
          ~ bucket = (sensitive value)
            id     = "i"
        }
    "#);
}
