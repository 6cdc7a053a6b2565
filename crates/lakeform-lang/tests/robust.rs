//! Nothing that is read makes anything panic.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use lakeform_core::{Diagnostic, Span, Type, Value};
use lakeform_lang::{Environment, Scope, Subject, format, load_str, parse_expression, render};
use proptest::prelude::*;

#[derive(Default)]
struct Unknowns(Environment);

impl Scope for Unknowns {
    fn resolve(&self, _: &Subject, _: &Span) -> Result<Value, Diagnostic> {
        Ok(Value::unknown(Type::Dynamic))
    }

    fn environment(&self) -> &Environment {
        &self.0
    }
}

fn functions() -> Vec<&'static str> {
    let text = include_str!("fixtures/console/expressions.txt");
    text.lines().filter(|l| !l.starts_with('#')).collect()
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "${",
        "}",
        "%{",
        "~}",
        "if ",
        "for ",
        "in ",
        "else",
        "endif",
        "endfor",
        "x",
        "var.a",
        "[",
        "]",
        "{",
        "(",
        ")",
        "\"",
        "\\",
        "'",
        "\n",
        "1",
        "1.5",
        "-",
        "!",
        "?",
        ":",
        "=>",
        "...",
        ".",
        "*",
        "[*]",
        "==",
        "&&",
        "=",
        ",",
        "true",
        "null",
        "upper(",
        "[for x in ",
        "a.b",
        " ",
        "é",
        "$${",
        "<<EOT\n",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|v| v.concat())
}

fn toml() -> impl Strategy<Value = String> {
    let line = prop::sample::select(vec![
        "[resource.aws_x.y]",
        "[data.a.b]",
        "[locals]",
        "[module.m]",
        "source = \"./x\"",
        "[variable.v]",
        "type = \"list(any)\"",
        "default = 1",
        "[output.o]",
        "value = \"${var.v}\"",
        "count = 1",
        "for_each = [\"a\"]",
        "lifecycle = { ignore_changes = \"all\" }",
        "depends_on = [\"a.b\"]",
        "[stack]",
        "name = \"x\"",
        "[values]",
        "v = [1, { a = 2 }]",
        "[backend.s3]",
        "[[provider.aws]]",
        "dynamic.x = { for_each = [], content = {} }",
        "a = \"\"\"\\\n x ${1}\"\"\"",
        "b = '''${[for x in y : x]}'''",
        "[moved]",
        "enabled = true",
        "x.y.z = 1",
        "provider = \"a.b\"",
        "# c",
        "",
    ]);
    prop::collection::vec(line, 0..16).prop_map(|v| v.join("\n"))
}

fn touch(expression: &str) {
    if let Ok(e) = parse_expression(expression)
        && let Ok(value) = e.evaluate(&Unknowns::default())
    {
        render(&value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_an_expression_or_is_none(text in "\\PC*") {
        touch(&text);
    }

    #[test]
    fn pieces_of_expressions_are_no_danger(text in pieces()) {
        touch(&text);
        let _ = load_str("s.toml", &format!("[locals]\na = '''{text}'''\n"));
    }

    #[test]
    fn broken_calls_are_no_danger(at in 0_usize..700, cut in any::<prop::sample::Index>(), put in pieces()) {
        let all = functions();
        let whole = all[at % all.len()];
        let cut = (0..=whole.len()).filter(|i| whole.is_char_boundary(*i)).nth(cut.index(whole.chars().count() + 1)).unwrap_or(0);
        touch(&format!("{}{put}", &whole[..cut]));
        touch(&format!("{put}{}", &whole[cut..]));
    }

    #[test]
    fn any_text_is_a_stack_or_is_none(text in "\\PC*") {
        let _ = load_str("s.toml", &text);
        let _ = format(&text);
    }

    #[test]
    fn formatting_keeps_everything_and_settles(text in toml()) {
        let _ = load_str("s.toml", &text);
        if let Ok(once) = format(&text) {
            prop_assert_eq!(&format(&once).unwrap(), &once);
            prop_assert_eq!(once.matches("# c").count(), text.matches("# c").count());
            prop_assert_eq!(once.parse::<toml::Table>().unwrap(), text.parse::<toml::Table>().unwrap());
        }
    }
}

#[test]
fn deep_nesting_is_refused_or_evaluated() {
    for depth in [10, 60, 63, 64, 65, 200, 5000] {
        for (open, inner, close) in [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("{a=", "1", "}"),
            ("upper(", "\"x\"", ")"),
            ("!", "true", ""),
            ("\"${", "1", "}\""),
            ("true ? ", "1", " : 2"),
        ] {
            let text = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
            touch(&text);
            let _ = load_str(
                "s.toml",
                &format!("[locals]\na = '''${{{text}}}'''\nb = {}1{}\n", "[".repeat(depth), "]".repeat(depth)),
            );
        }
        touch(&["1"; 5000][..depth].join(" + "));
        touch(&format!("a.b{}", ".c".repeat(depth)));
        touch(&format!("a.b{}", "[*]".repeat(depth)));
        touch(&format!("[1]{}", "[0]".repeat(depth)));
    }
}
