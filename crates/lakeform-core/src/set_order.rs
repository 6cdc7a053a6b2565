//! The order of the elements of a set: cty's `setRules.Less`, which lists, outputs and plans of Terraform show.

use std::fmt::Write;

use crate::{Kind, Number, Value};

/// Sorts elements: those of a primitive type by value, others by the text that cty makes of them; what is not known yet comes
/// behind that, and null last.
pub(crate) fn sort(elements: &mut [Value]) {
    let plain = |v: &Value| matches!(v.kind(), Kind::Bool(_) | Kind::Number(_) | Kind::String(_));
    if elements.len() < 2 {
        return;
    }
    if elements.iter().all(plain) {
        elements.sort();
        return;
    }
    let place = |v: &Value| match v.kind() {
        Kind::Null(_) => 2,
        Kind::Unknown(..) => 1,
        _ => 0,
    };
    elements.sort_by_cached_key(|v| {
        let mut text = String::new();
        if !plain(v) {
            write(v, &mut text);
        }
        (place(v), text, v.clone())
    });
}

/// The text of a value in cty's `makeSetHashBytes`.
fn write(value: &Value, out: &mut String) {
    let mut all = |open: char, vs: &mut dyn Iterator<Item = &Value>, close: char| {
        out.push(open);
        for v in vs {
            write(v, out);
            out.push(';');
        }
        out.push(close);
    };
    match value.kind() {
        Kind::Unknown(..) => out.push('?'),
        Kind::Null(_) => out.push('~'),
        Kind::Bool(b) => out.push(if *b { 'T' } else { 'F' }),
        Kind::Number(n) => number(n, out),
        Kind::String(s) => drop(write!(out, "{s:?}")),
        Kind::List(_, vs) | Kind::Set(_, vs) => all('[', &mut vs.iter(), ']'),
        Kind::Tuple(vs) => all('<', &mut vs.iter(), '>'),
        Kind::Object(vs) => all('<', &mut vs.values(), '>'),
        Kind::Map(_, vs) => {
            out.push('{');
            for (k, v) in vs.iter() {
                let _ = write!(out, "{k:?}:");
                write(v, out);
                out.push(';');
            }
            out.push('}');
        }
    }
}

/// Go's `%.10g`.
fn number(n: &Number, out: &mut String) {
    const DIGITS: i32 = 10;
    if let Some(int) = n.to_i64().filter(|i| i.unsigned_abs() < 10_u64.pow(DIGITS as u32)) {
        let _ = write!(out, "{int}");
        return;
    }
    let text = format!("{:.*e}", DIGITS as usize - 1, n.to_f64());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..DIGITS).contains(&exponent) {
        let text = format!("{:.*}", (DIGITS - 1 - exponent) as usize, n.to_f64());
        out.push_str(text.trim_end_matches('0').trim_end_matches('.'));
    } else {
        let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_go_does() {
        let cases = [
            ("0", "0"),
            ("-12", "-12"),
            ("1.5", "1.5"),
            ("1e21", "1e+21"),
            ("123456789012", "1.23456789e+11"),
            ("0.00001", "1e-05"),
            ("9999999999", "9999999999"),
        ];
        for (given, wanted) in cases {
            let mut out = String::new();
            number(&given.parse().unwrap(), &mut out);
            assert_eq!(out, wanted);
        }
    }
}
