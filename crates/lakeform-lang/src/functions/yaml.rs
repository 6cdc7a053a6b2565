//! YAML, as the Go package that Terraform uses reads and writes it.

use std::{collections::BTreeMap, sync::Arc};

use base64::Engine;
use lakeform_core::{Kind, Number, Type, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::{Fault, go};
use crate::syntax::text_value;

/// The value of a document.
pub(super) fn decode(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader { events: Parser::new_from_str(text), anchors: BTreeMap::new(), depth: 0, size: 0 };
    let mut value = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => break,
            Event::StreamStart | Event::DocumentEnd | Event::Nothing => {}
            Event::DocumentStart(_) if value.is_some() => return Err(at(span, "unexpected extra content after value")),
            Event::DocumentStart(_) => {
                let (event, span) = reader.next()?;
                value = Some(reader.value(event, span)?);
            }
            _ => return Err(at(span, "unexpected extra content after value")),
        }
    }
    value.ok_or_else(|| "on line 1, column 1: missing start of document".into())
}

fn at(span: Span, why: impl std::fmt::Display) -> Fault {
    format!("on line {}, column {}: {why}", span.start.line(), span.start.col() + 1).into()
}

/// More nesting than this is refused.
const DEEPEST: usize = 100;
/// More nodes than this, aliases included, are refused.
const LARGEST: usize = 1_000_000;

struct Reader<'t> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    anchors: BTreeMap<usize, (Value, usize)>,
    depth: usize,
    size: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Fault> {
        match self.events.next() {
            None => Ok((Event::StreamEnd, Span::default())),
            Some(Ok(found)) => Ok(found),
            Some(Err(e)) => {
                let m = e.marker();
                Err(format!("on line {}, column {}: {}", m.line(), m.col() + 1, e.info()).into())
            }
        }
    }

    fn value(&mut self, event: Event, span: Span) -> Result<Value, Fault> {
        let before = self.size;
        self.size += 1;
        self.depth += 1;
        if self.depth > DEEPEST || self.size > LARGEST {
            return Err(at(span, "the document is nested too deeply or too large"));
        }
        let (anchor, value) = match event {
            Event::Alias(id) => match self.anchors.get(&id) {
                Some((value, size)) => {
                    self.size += size;
                    (0, value.clone())
                }
                None => return Err(at(span, "reference to undefined anchor")),
            },
            Event::Scalar(text, style, anchor, tag) => (anchor, scalar(&text, style, tag.as_deref(), span)?),
            Event::SequenceStart(anchor, _) => (anchor, self.sequence()?),
            Event::MappingStart(anchor, _) => (anchor, self.mapping()?),
            _ => return Err(at(span, "did not find expected node content")),
        };
        self.depth -= 1;
        if anchor > 0 {
            self.anchors.insert(anchor, (value.clone(), self.size - before));
        }
        Ok(value)
    }

    fn sequence(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                return Ok(Value::tuple(items));
            }
            items.push(self.value(event, span)?);
        }
    }

    fn mapping(&mut self) -> Result<Value, Fault> {
        let mut items: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut merged: Vec<Value> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            let merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.value(event, span)?;
            let (event, value_span) = self.next()?;
            let value = self.value(event, value_span)?;
            if merge {
                match value.kind() {
                    Kind::Object(_) => merged.push(value),
                    Kind::Tuple(all) if all.iter().all(|v| v.as_mapping().is_some()) => {
                        merged.extend(all.iter().cloned())
                    }
                    _ => return Err(at(value_span, "cannot merge anything but mappings")),
                }
                continue;
            }
            if key.is_null() {
                return Err(at(span, "mapping key cannot be null"));
            }
            let key = lakeform_core::convert(&key, &Type::String)
                .map_err(|_| at(span, "mapping key must be a primitive value"))?;
            if let Kind::String(key) = key.into_kind() {
                items.insert(key, value);
            }
        }
        for other in merged {
            for (k, v) in other.as_mapping().into_iter().flatten() {
                items.entry(k.clone()).or_insert_with(|| v.clone());
            }
        }
        Ok(Kind::Object(Arc::new(items)).into())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<Value, Fault> {
    let invalid = |what: &str| at(span, format!("cannot parse {} as tag:yaml.org,2002:{what}", go::quote(text)));
    let core = tag.filter(|t| t.handle == "tag:yaml.org,2002:" || t.handle == "!!").map(|t| t.suffix.as_str());
    match (tag, core) {
        (None, _) if style == ScalarStyle::Plain => Ok(plain(text)),
        (None, _) => Ok(text_value(text)),
        (_, Some("str")) => Ok(text_value(text)),
        (_, Some("int" | "float")) => match plain(text).into_kind() {
            Kind::Number(n) => Ok(n.into()),
            _ => Err(invalid(core.unwrap_or_default())),
        },
        (_, Some("bool")) => boolean(text).map(Value::from).ok_or_else(|| invalid("bool")),
        (_, Some("null")) => Ok(Value::null(Type::Dynamic)),
        (_, Some("timestamp")) => Ok(text_value(&timestamp(text).unwrap_or_else(|| text.to_owned()))),
        (_, Some("binary")) => {
            base64::prelude::BASE64_STANDARD.decode(text.replace(['\n', ' '], "")).map_err(|_| invalid("binary"))?;
            Ok(text_value(text))
        }
        (Some(tag), _) if tag.handle.is_empty() && tag.suffix == "!" => Ok(text_value(text)),
        (Some(tag), _) => {
            Err(at(span, format!("unsupported tag {}", go::quote(&format!("{}{}", tag.handle, tag.suffix)))))
        }
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A scalar without quotes or tag: what its text looks like.
fn plain(text: &str) -> Value {
    if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::null(Type::Dynamic);
    }
    if let Some(b) = boolean(text) {
        return b.into();
    }
    if let Some(n) = numeric(text) {
        return n.into();
    }
    text_value(&timestamp(text).unwrap_or_else(|| text.to_owned()))
}

fn numeric(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some(hex) = unsigned.strip_prefix("0x") {
        return Number::from_radix(hex, 16).filter(|_| text.len() == unsigned.len());
    }
    if let Some(octal) = unsigned.strip_prefix("0o") {
        return Number::from_radix(octal, 8).filter(|_| text.len() == unsigned.len());
    }
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let fits = mantissa.chars().any(|c| c.is_ascii_digit())
        && mantissa.chars().all(|c| c.is_ascii_digit() || c == '.')
        && mantissa.matches('.').count() <= 1
        && exponent.strip_prefix(['-', '+']).unwrap_or(exponent).chars().all(|c| c.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Dates become RFC 3339.
fn timestamp(text: &str) -> Option<String> {
    let shape = |pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(c, p)| if p == b'0' { c.is_ascii_digit() } else { c == p })
    };
    shape("0000-00-00").then(|| format!("{text}T00:00:00Z"))
}

/// The document of a value: keys sorted, strings quoted, text of several lines as a block.
pub(super) fn encode(value: &Value) -> String {
    let mut out = String::new();
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(..) => return "null\n...\n".into(),
        Kind::Bool(_) | Kind::Number(_) => return format!("{}\n...\n", super::json::encode(value)),
        Kind::String(s) => {
            let text = block(s, 0).unwrap_or_else(|| quoted(s));
            out.push_str(&text);
        }
        _ => write(value, 0, &mut out),
    }
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// A collection, each line of it indented; the caller stands at the start of the first one.
fn write(value: &Value, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match value.kind() {
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => {
            if vs.is_empty() {
                out.push_str("[]\n");
            }
            for (i, v) in vs.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                out.push_str("- ");
                write(v, indent + 2, out);
            }
        }
        Kind::Map(_, vs) | Kind::Object(vs) => {
            if vs.is_empty() {
                out.push_str("{}\n");
            }
            for (i, (k, v)) in vs.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                match block(k, indent + 2) {
                    Some(text) => out.push_str(&format!("? {text}{pad}:")),
                    None => out.push_str(&format!("{}:", quoted(k))),
                }
                match v.kind() {
                    Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) if !items.is_empty() => {
                        out.push('\n');
                        out.push_str(&pad);
                        write(v, indent, out);
                    }
                    Kind::Map(_, items) | Kind::Object(items) if !items.is_empty() => {
                        out.push('\n');
                        out.push_str(&" ".repeat(indent + 2));
                        write(v, indent + 2, out);
                    }
                    _ => {
                        out.push(' ');
                        write(v, indent + 2, out);
                    }
                }
            }
        }
        Kind::String(s) => match block(s, indent) {
            Some(text) => out.push_str(&text),
            None => out.push_str(&format!("{}\n", quoted(s))),
        },
        _ => out.push_str(&format!("{}\n", super::json::encode(value))),
    }
}

/// Text of several lines as a literal block, where it can be one.
fn block(text: &str, indent: usize) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let special = |c: char| c != '\n' && (c.is_control() || c == '\u{feff}');
    if lines.len() < 2 || text.chars().any(special) || lines.iter().any(|l| l.ends_with(' ')) {
        return None;
    }
    let hint = if text.starts_with([' ', '\n']) { "2" } else { "" };
    let chomp = match () {
        () if !text.ends_with('\n') => "-",
        () if text.ends_with("\n\n") || text == "\n" => "+",
        () => "",
    };
    let pad = " ".repeat(indent.max(2));
    let body = text.strip_suffix('\n').unwrap_or(text);
    let mut out = format!("|{hint}{chomp}\n");
    for line in body.split('\n') {
        if !line.is_empty() {
            out.push_str(&pad);
            out.push_str(line);
        }
        out.push('\n');
    }
    Some(out)
}

/// A double-quoted scalar.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{a0}' => out.push_str("\\_"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if c.is_control() => out.push_str(&format!("\\x{:02X}", c as u32)),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
