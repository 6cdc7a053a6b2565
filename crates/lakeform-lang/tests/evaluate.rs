//! Evaluation in a scope: bodies, unknown and sensitive values.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Attribute, Block, Diagnostic, Kind, NestedBlock, Nesting, Span, Type, Value};
use lakeform_lang::{Body, Environment, Scope, Subject, load_str, parse_expression, render};

#[derive(Default)]
struct Given(BTreeMap<String, Value>, Environment);

impl Scope for Given {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        self.0
            .get(&subject.to_string())
            .cloned()
            .ok_or_else(|| Diagnostic::error(format!("no {subject}")).span(span.clone()))
    }

    fn environment(&self) -> &Environment {
        &self.1
    }
}

fn unknown(ty: Type) -> Value {
    Value::unknown(ty)
}

fn scope() -> Given {
    let object = Type::object([("id", Type::String), ("n", Type::Number)]);
    let given = [
        ("aws_x.y", unknown(object.clone())),
        (
            "aws_x.many",
            Value::tuple(vec![unknown(object.clone()), Value::object([("id", Value::from("b")), ("n", 2.into())])]),
        ),
        ("var.list", unknown(Type::list(Type::String))),
        ("var.any", unknown(Type::Dynamic)),
        ("var.bool", unknown(Type::Bool)),
        ("var.map", unknown(Type::map(Type::Number))),
        ("var.s", unknown(Type::String)),
        ("var.secret", Value::from("s").sensitive()),
        ("var.part", Value::object([("a", Value::from(1)), ("b", unknown(Type::Number))])),
        ("var.ports", Value::list(Type::Number, vec![80.into(), 443.into()])),
    ];
    Given(given.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(), Environment::default())
}

fn evaluate(expression: &str) -> Value {
    parse_expression(expression).and_then(|e| e.evaluate(&scope())).unwrap_or_else(|e| panic!("{expression}: {e}"))
}

/// The rules of cty for values that are not known yet.
#[test]
fn unknown_values_have_types() {
    let list = |t: Type| Type::list(t);
    let cases = [
        ("aws_x.y.id", Type::String),
        ("aws_x.y.n + 1", Type::Number),
        ("\"a-${aws_x.y.id}\"", Type::String),
        ("aws_x.y.id == \"a\"", Type::Bool),
        ("var.bool ? 1 : 2", Type::Number),
        ("var.bool ? [1] : [\"a\", \"b\"]", list(Type::String)),
        ("var.bool ? var.list : []", list(Type::String)),
        ("var.bool ? null : \"x\"", Type::String),
        ("var.bool ? [][0] : \"x\"", Type::Dynamic),
        ("var.list[0]", Type::String),
        ("var.list[*]", list(Type::String)),
        ("var.map[\"a\"]", Type::Number),
        ("var.map.a", Type::Number),
        ("[for x in var.list : upper(x)]", Type::Dynamic),
        ("{ for x in var.list : x => 1 }", Type::Dynamic),
        ("upper(var.s)", Type::String),
        ("length(var.list)", Type::Number),
        ("join(\",\", [\"a\", var.s])", Type::String),
        ("jsonencode({ a = var.s })", Type::String),
        ("concat([var.s], var.list)", Type::Dynamic),
        ("merge(var.map, { a = 1 })", Type::Dynamic),
        ("keys(var.map)", list(Type::String)),
        ("try(var.s, 1)", Type::Dynamic),
        ("can(var.s)", Type::Bool),
        ("tolist(var.any)", list(Type::Dynamic)),
        ("toset([var.s])[*]", list(Type::String)),
        ("timestamp()", Type::String),
        ("uuid()", Type::String),
        ("format(\"%s\", var.s)", Type::String),
        ("{ (var.s) = 1 }", Type::Dynamic),
        ("var.any.x[0].y", Type::Dynamic),
        ("coalesce(null, var.s, \"b\")", Type::String),
        ("lookup(var.map, \"a\", 1)", Type::Number),
        ("element(var.list, 1)", Type::String),
        ("cidrsubnet(var.s, 8, 1)", Type::String),
    ];
    for (expression, ty) in cases {
        let value = evaluate(expression);
        assert!(!value.is_known() || !value.is_wholly_known(), "{expression} is known: {}", render(&value));
        assert_eq!(value.ty(), ty, "{expression}");
    }
}

#[test]
fn what_is_known_of_the_unknown_is_used() {
    let cases = [
        ("keys(var.part)", "[\n  \"a\",\n  \"b\",\n]"),
        ("length(var.part)", "2"),
        ("var.part.a", "1"),
        ("try(var.part.a, 2)", "1"),
        ("aws_x.many[1].id", "\"b\""),
        ("length(aws_x.many)", "2"),
        ("aws_x.many[*].id", "[\n  (known after apply),\n  \"b\",\n]"),
        ("[for x in [var.s, \"a\"] : x]", "[\n  (known after apply),\n  \"a\",\n]"),
        ("{ for k, v in { a = var.s } : k => v }", "{\n  \"a\" = (known after apply)\n}"),
        ("contains([\"a\", var.s], \"a\")", "true"),
        ("{ a = var.s } == { b = 1 }", "false"),
        ("coalesce(\"a\", var.s)", "\"a\""),
        ("concat([var.s], [1])", "[\n  (known after apply),\n  1,\n]"),
        ("merge({ a = var.s }, { a = 1 })", "{\n  \"a\" = 1\n}"),
        ("can(var.part.c)", "false"),
        ("flatten([[var.s], [1]])", "[\n  (known after apply),\n  1,\n]"),
        ("var.part == null", "false"),
    ];
    for (expression, answer) in cases {
        assert_eq!(render(&evaluate(expression)), answer, "{expression}");
    }
}

#[test]
fn sensitive_values_stay_so_and_are_not_shown() {
    for expression in [
        "\"a${var.secret}\"",
        "upper(var.secret)",
        "[var.secret][0]",
        "var.secret == \"x\"",
        "var.bool ? var.secret : 1",
    ] {
        assert!(evaluate(expression).is_sensitive(), "{expression}");
    }
    for expression in
        ["tonumber(var.secret)", "file(var.secret)", "regex(var.secret, \"a\")", "parseint(var.secret, 10)"]
    {
        let problem = parse_expression(expression).unwrap().evaluate(&scope()).unwrap_err().to_string();
        assert!(!problem.contains("\"s\""), "{problem}");
    }
}

#[test]
fn a_count_resource_has_instances_and_no_attributes() {
    let problem = parse_expression("aws_x.many.id").unwrap().evaluate(&scope()).unwrap_err().to_string();
    assert!(problem.contains("Missing resource instance key"), "{problem}");
}

#[test]
fn impure_functions_are_known_once_time_is() {
    let mut scope = scope();
    scope.1.now = Some("2024-05-06T07:08:09.5Z".parse().unwrap());
    let ask = |e: &str| render(&parse_expression(e).unwrap().evaluate(&scope).unwrap());
    assert_eq!(ask("timestamp()"), "\"2024-05-06T07:08:09Z\"");
    assert_eq!(ask("length(uuid())"), "36");
    assert_eq!(ask("substr(bcrypt(\"x\", 4), 0, 4)"), "\"$2b$\"");
    assert_eq!(ask("plantimestamp()"), "(known after apply)");
}

fn schema() -> Block {
    let optional = |ty: Type| {
        let mut a = Attribute::new(ty);
        a.optional = true;
        a
    };
    let mut inner = Block::default();
    inner.attributes.insert("port".into(), optional(Type::Number));
    inner.attributes.insert("names".into(), optional(Type::set(Type::String)));
    let nested =
        |nesting| NestedBlock { nesting, min: 0, max: 0, force_new: false, computed: false, block: inner.clone() };
    let mut block = Block::default();
    block.attributes.insert("name".into(), optional(Type::String));
    block.attributes.insert("policy".into(), Attribute { json: true, ..optional(Type::String) });
    block.attributes.insert("tags".into(), optional(Type::map(Type::String)));
    block.blocks.insert("rule".into(), nested(Nesting::List));
    block.blocks.insert("one".into(), nested(Nesting::Single));
    block.blocks.insert("keyed".into(), nested(Nesting::Map));
    block
}

fn body(text: &str) -> Body {
    let (stack, _) = load_str("s.toml", &format!("[resource.aws_x.z]\n{text}")).unwrap();
    stack.root.resources.values().next().unwrap().body.clone()
}

fn attribute(text: &str, name: &str) -> String {
    match body(text).evaluate(&schema(), &scope()) {
        Ok(value) => render(value.get(name).unwrap()),
        Err(e) => e.to_string(),
    }
}

#[test]
fn tables_become_json_text_where_the_schema_says_so() {
    let text = "policy = { Version = \"1\", Statement = [{ Resource = \"<${var.secret}>\", B = true, A = 1.5 }] }";
    let value = body(text).evaluate(&schema(), &scope()).unwrap();
    let policy = value.get("policy").unwrap();
    assert!(policy.is_sensitive());
    assert_eq!(
        policy.as_str(),
        Some("{\"Statement\":[{\"A\":1.5,\"B\":true,\"Resource\":\"\\u003cs\\u003e\"}],\"Version\":\"1\"}")
    );
    assert_eq!(attribute("policy = { a = \"${var.s}\" }", "policy"), "(known after apply)");
    assert_eq!(attribute("policy = '{\"b\":1,\"a\":2}'", "policy"), "\"{\\\"b\\\":1,\\\"a\\\":2}\"");
    assert_eq!(attribute("policy = '${jsonencode({a=1})}'", "policy"), "\"{\\\"a\\\":1}\"");
}

#[test]
fn blocks_are_written_in_many_ways() {
    let one = "tolist([\n  {\n    \"names\" = toset([\n      \"a\",\n    ])\n    \"port\" = 80\n  },\n])";
    for text in [
        "rule = { port = 80, names = [\"a\"] }",
        "rule = [{ port = \"80\", names = [\"a\", \"a\"] }]",
        "[[resource.aws_x.z.rule]]\nport = 80\nnames = [\"a\"]",
        "rule = '${[{ port = 80, names = [\"a\"] }]}'",
        "rule = '${{ port = 80, names = [\"a\"] }}'",
        "dynamic.rule = { for_each = [80], content = { port = \"${rule.value}\", names = [\"a\"] } }",
        "dynamic.rule = { for_each = { a = 80 }, iterator = \"i\", content = { port = \"${i.value}\", names = [\"${i.key}\"] } }",
    ] {
        assert_eq!(attribute(text, "rule"), one, "{text}");
    }
    let ports = "rule = { port = 1 }\ndynamic.rule = { for_each = \"${var.ports}\", content = { port = \"${rule.value + rule.key}\" } }";
    let value = body(ports).evaluate(&schema(), &scope()).unwrap();
    let ports: Vec<_> =
        value.get("rule").unwrap().children().map(|v| v.get("port").unwrap().as_i64().unwrap()).collect();
    assert_eq!(ports, [1, 80, 444]);
    assert_eq!(attribute("dynamic.rule = { for_each = \"${var.list}\", content = {} }", "rule"), "(known after apply)");
    assert!(attribute("keyed = { a = { port = 1 } }", "keyed").starts_with("tomap({\n  \"a\" = {"));
    assert!(attribute("one = { port = 1 }", "one").starts_with('{'));
    assert!(attribute("", "one").starts_with("null /* object"));
    assert_eq!(attribute("", "rule"), "tolist([])");
}

#[test]
fn keys_of_tables_are_templates() {
    assert_eq!(attribute("tags = { \"a-${var.secret}\" = 1, b = true }", "tags"), "(sensitive value)");
    assert_eq!(attribute("tags = { \"k${1 + 1}\" = \"x\" }", "tags"), "tomap({\n  \"k2\" = \"x\"\n})");
}

#[test]
fn misfits_have_places() {
    let found = |text: &str| body(text).evaluate(&schema(), &scope()).unwrap_err();
    let at = |text: &str| {
        let problems = found(text);
        let d = &problems.0[0];
        let span = d.span.as_ref().unwrap();
        format!("{} @ {}", d.detail.as_deref().unwrap_or(&d.summary), &span.source.text[span.range.clone()])
    };
    assert_eq!(at("name = []"), "Inappropriate value for attribute \"name\": string required. @ []");
    assert_eq!(
        at("tags = { a = [] }"),
        "Inappropriate value for attribute \"tags\": element \"a\": string required. @ []"
    );
    assert_eq!(
        at("rule = [{ port = 1 }, { port = \"x\" }]"),
        "Inappropriate value for attribute \"rule[1].port\": a number is required. @ \"x\""
    );
    assert_eq!(
        at("rule = '${[{ prt = 1 }]}'"),
        "An argument or block named \"prt\" is not expected here. @ '${[{ prt = 1 }]}'"
    );
    assert_eq!(at("nme = 1"), "An argument or block named \"nme\" is not expected here. @ nme");
    assert_eq!(found("name = []\ntags = 1\npolicy = \"${nope.x.y}\"").0.len(), 3);
}

#[test]
fn large_values_are_shared() {
    let big = Value::list(Type::String, (0..1000).map(|i| Value::from(format!("{i}"))).collect());
    let mut scope = scope();
    scope.0.insert("local.big".into(), big.clone());
    let same = parse_expression("{ a = local.big }.a").unwrap().evaluate(&scope).unwrap();
    let (Kind::List(_, a), Kind::List(_, b)) = (big.kind(), same.kind()) else { panic!("lists") };
    assert!(Arc::ptr_eq(a, b));
}
