//! Values as `terraform console` prints them.

use lakeform_core::{Kind, Marks, Type, Value};

use crate::functions::quote;

/// A value as `terraform console` prints it: with `tolist(...)` and the like where the kind of a collection would not
/// show, `(sensitive value)`, `(ephemeral value)` and `(known after apply)` in place of what cannot be shown, and several
/// lines as a heredoc.
pub fn render(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, &mut out);
    out
}

fn write(value: &Value, indent: usize, out: &mut String) {
    match value.kind() {
        Kind::Unknown(..) => out.push_str("(known after apply)"),
        _ if value.is_sensitive() => out.push_str("(sensitive value)"),
        _ if value.marks().contains(Marks::EPHEMERAL) => out.push_str("(ephemeral value)"),
        Kind::Null(ty) => out.push_str(&null(ty)),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Number(n) => out.push_str(&n.to_string()),
        Kind::String(s) if s.contains('\n') => heredoc(s, indent, out),
        Kind::String(s) => out.push_str(&quote(s)),
        Kind::Tuple(vs) => sequence(vs, indent, out),
        Kind::List(_, vs) => wrapped("tolist", out, |out| sequence(vs, indent, out)),
        Kind::Set(_, vs) => wrapped("toset", out, |out| sequence(vs, indent, out)),
        Kind::Object(vs) => mapping(vs.iter(), indent, out),
        Kind::Map(_, vs) => wrapped("tomap", out, |out| mapping(vs.iter(), indent, out)),
    }
}

fn wrapped(function: &str, out: &mut String, inner: impl FnOnce(&mut String)) {
    out.push_str(function);
    out.push('(');
    inner(out);
    out.push(')');
}

fn null(ty: &Type) -> String {
    match ty {
        Type::Dynamic => "null".into(),
        Type::String => "tostring(null)".into(),
        Type::Number => "tonumber(null)".into(),
        Type::Bool => "tobool(null)".into(),
        Type::List(t) => format!("tolist(null) /* of {} */", t.friendly_name()),
        Type::Set(t) => format!("toset(null) /* of {} */", t.friendly_name()),
        Type::Map(t) => format!("tomap(null) /* of {} */", t.friendly_name()),
        ty => format!("null /* {} */", ty.friendly_name()),
    }
}

fn line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn sequence(vs: &[Value], indent: usize, out: &mut String) {
    out.push('[');
    for v in vs {
        line(indent + 2, out);
        write(v, indent + 2, out);
        out.push(',');
    }
    if !vs.is_empty() {
        line(indent, out);
    }
    out.push(']');
}

fn mapping<'v>(
    vs: impl ExactSizeIterator<Item = (&'v std::sync::Arc<str>, &'v Value)>,
    indent: usize,
    out: &mut String,
) {
    out.push('{');
    let empty = vs.len() == 0;
    for (k, v) in vs {
        line(indent + 2, out);
        if k.contains('\n') {
            heredoc(k, indent + 2, out)
        } else {
            out.push_str(&quote(k))
        }
        out.push_str(" = ");
        write(v, indent + 2, out);
    }
    if !empty {
        line(indent, out);
    }
    out.push('}');
}

fn heredoc(text: &str, indent: usize, out: &mut String) {
    let mut delimiter = "EOT".to_owned();
    while text.split('\n').any(|l| l.trim() == delimiter) {
        delimiter.push('_');
    }
    out.push_str(if indent > 0 { "<<-" } else { "<<" });
    out.push_str(&delimiter);
    for l in text.split('\n') {
        line(indent, out);
        out.push_str(l);
    }
    line(indent, out);
    out.push_str(&delimiter);
}
