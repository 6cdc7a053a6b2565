//! Strings.

use lakeform_core::{Kind, Type, Value, convert};
use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Context, Fault, Function, Returns, any, function, go, number,
    numeric::whole,
    signature::{Param, Ty},
    text, typed,
};
use crate::syntax::text_value;

const STR: Param = text("str");

pub(super) const TABLE: &[Function] = &[
    function("chomp", &[STR], Returns::String, |_, args| map(args, |s| s.trim_end_matches(['\r', '\n']).to_owned())),
    function("endswith", &[STR, text("suffix")], Returns::Bool, |_, args| {
        Ok(string(args, 0).ends_with(string(args, 1)).into())
    }),
    function("indent", &[number("spaces"), text("str")], Returns::String, indent),
    function("join", &[text("separator")], Returns::String, join).rest(typed("lists", Ty::ListOfString).deep()),
    function("lower", &[STR], Returns::String, |_, args| map(args, |s| s.chars().map(go::lower).collect())),
    function("regex", &[text("pattern"), text("string")], Returns::By(|args| match_type(args, |t| t)), regex_first),
    function(
        "regexall",
        &[text("pattern"), text("string")],
        Returns::By(|args| match_type(args, Type::list)),
        regex_all,
    ),
    function("replace", &[STR, text("substr"), text("replace")], Returns::String, replace),
    function("split", &[text("separator"), STR], Returns::ListOfString, split),
    function("startswith", &[STR.unknown(), text("prefix")], Returns::Bool, |_, args| {
        let (begin, prefix) = (args[0].prefix(), string(args, 1));
        // The beginning can be enough, one way or the other.
        let open = !args[0].is_known() && !begin.starts_with(prefix) && prefix.starts_with(begin);
        Ok(if open { Value::unknown(Type::Bool) } else { begin.starts_with(prefix).into() })
    }),
    function("strcontains", &[STR, text("substr")], Returns::Bool, |_, args| {
        Ok(string(args, 0).contains(string(args, 1)).into())
    })
    .null(),
    function("strrev", &[STR], Returns::String, |_, args| map(args, |s| s.graphemes(true).rev().collect())),
    function("substr", &[STR, number("offset"), number("length")], Returns::String, substr),
    function("title", &[STR], Returns::String, |_, args| map(args, go::title)),
    function("trim", &[STR, text("cutset")], Returns::String, |_, args| {
        let cut: Vec<char> = string(args, 1).chars().collect();
        map(args, |s| s.trim_matches(cut.as_slice()).to_owned())
    }),
    function("trimprefix", &[STR, text("prefix")], Returns::String, |_, args| {
        let prefix = string(args, 1);
        map(args, |s| s.strip_prefix(prefix).unwrap_or(s).to_owned())
    }),
    function("trimsuffix", &[STR, text("suffix")], Returns::String, |_, args| {
        let suffix = string(args, 1);
        map(args, |s| s.strip_suffix(suffix).unwrap_or(s).to_owned())
    }),
    function("trimspace", &[STR], Returns::String, |_, args| map(args, |s| s.trim_matches(go::is_space).to_owned())),
    function("upper", &[STR], Returns::String, |_, args| map(args, |s| s.chars().map(go::upper).collect())),
    function("templatestring", &[text("template"), any("vars").unknown().marked()], Returns::String, template_string),
];

/// The text of an argument; the call has seen to it that it is a string.
pub(super) fn string(args: &[Value], index: usize) -> &str {
    args.get(index).and_then(Value::as_str).unwrap_or_default()
}

fn map(args: &[Value], f: impl Fn(&str) -> String) -> Result<Value, Fault> {
    Ok(text_value(&f(string(args, 0))))
}

/// A list of strings.
pub(super) fn strings(items: impl IntoIterator<Item = impl AsRef<str>>) -> Value {
    Value::list(Type::String, items.into_iter().map(|s| text_value(s.as_ref())).collect())
}

fn indent(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let spaces = usize::try_from(whole(args, 0)?).map_err(|_| Fault::arg(0, "must not be negative"))?;
    if spaces > 100_000 {
        return Err(Fault::arg(0, "that many spaces are not meant"));
    }
    let pad = format!("\n{}", " ".repeat(spaces));
    Ok(text_value(&string(args, 1).replace('\n', &pad)))
}

fn join(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.len() < 2 {
        return Err("at least two arguments are required".into());
    }
    let mut parts = Vec::new();
    for (i, list) in args.iter().enumerate().skip(1) {
        for (at, item) in list.children().enumerate() {
            parts.push(item.as_str().ok_or_else(|| {
                let which = if args.len() > 2 { format!("element {at} of list {i}") } else { format!("element {at}") };
                Fault::arg(i, format!("{which} is null; cannot concatenate null values"))
            })?);
        }
    }
    Ok(text_value(&parts.join(string(args, 0))))
}

fn split(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (separator, text) = (string(args, 0), string(args, 1));
    if separator.is_empty() {
        let mut buffer = [0; 4];
        return Ok(Value::list(Type::String, text.chars().map(|c| text_value(c.encode_utf8(&mut buffer))).collect()));
    }
    Ok(strings(text.split(separator)))
}

fn substr(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (mut offset, length) = (whole(args, 1)?, whole(args, 2)?);
    let graphemes: Vec<&str> = string(args, 0).graphemes(true).collect();
    let total = graphemes.len() as i64;
    if offset < 0 {
        offset += total;
    }
    let start = offset.clamp(0, total);
    let end = if length < 0 { total } else { start.saturating_add(length).min(total) };
    Ok(text_value(&graphemes[start as usize..end as usize].concat()))
}

fn compile(pattern: &str) -> Result<Regex, Fault> {
    Regex::new(&go::pattern(pattern)).map_err(|e| {
        let reason = match e {
            regex::Error::Syntax(text) => {
                text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            }
            other => other.to_string(),
        };
        Fault::arg(0, format!("invalid regexp pattern: {reason}"))
    })
}

/// The type of a match: a string, a tuple of groups or an object of named groups.
fn shape(regex: &Regex) -> Result<Type, Fault> {
    let names: Vec<&str> = regex.capture_names().skip(1).flatten().collect();
    let groups = regex.captures_len() - 1;
    match (groups, names.len()) {
        (0, _) => Ok(Type::String),
        (_, 0) => Ok(Type::tuple((0..groups).map(|_| Type::String))),
        (a, b) if a == b => Ok(Type::object(names.into_iter().map(|n| (n, Type::String)))),
        _ => Err(Fault::arg(0, "invalid regexp pattern: cannot mix both named and unnamed capture groups")),
    }
}

/// The type of what a pattern finds, where it is known.
fn match_type(args: &[Value], wrap: fn(Type) -> Type) -> Result<Type, Fault> {
    Ok(wrap(args[0].as_str().map_or(Ok(Type::Dynamic), |pattern| shape(&compile(pattern)?))?))
}

fn captured(regex: &Regex, found: &regex::Captures) -> Value {
    let group = |m: Option<regex::Match>| m.map_or_else(|| Value::null(Type::String), |m| text_value(m.as_str()));
    if regex.captures_len() == 1 {
        return group(found.get(0));
    }
    if regex.capture_names().flatten().next().is_some() {
        return Value::object(regex.capture_names().flatten().map(|name| (name, group(found.name(name)))));
    }
    Value::tuple(found.iter().skip(1).map(group).collect())
}

fn regex_first(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let regex = compile(string(args, 0))?;
    shape(&regex)?;
    match regex.captures(string(args, 1)) {
        Some(found) => Ok(captured(&regex, &found)),
        None => Err("pattern did not match any part of the given string".into()),
    }
}

fn regex_all(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let regex = compile(string(args, 0))?;
    let ty = shape(&regex)?;
    Ok(Value::list(ty, regex.captures_iter(string(args, 1)).map(|found| captured(&regex, &found)).collect()))
}

/// A search text between slashes is a pattern.
fn replace(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (text, search, with) = (string(args, 0), string(args, 1), string(args, 2));
    if search.len() > 1
        && let Some(pattern) = search.strip_prefix('/').and_then(|s| s.strip_suffix('/'))
    {
        let regex = Regex::new(&go::pattern(pattern)).map_err(|e| Fault::from(e.to_string()))?;
        return Ok(text_value(&regex.replace_all(text, with)));
    }
    Ok(text_value(&text.replace(search, with)))
}

fn template_string(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    super::filesystem::render(context, string(args, 0), "<templatestring argument>", &args[1]).and_then(|v| {
        if matches!(v.kind(), Kind::String(_) | Kind::Unknown(..)) {
            Ok(v)
        } else {
            convert(&v, &Type::String).map_err(|e| Fault::from(e.describe()))
        }
    })
}
