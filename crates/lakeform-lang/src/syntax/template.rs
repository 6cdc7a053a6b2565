//! Templates: text with `${ }` and `%{ }`.

use hcl_edit::{
    Span as _,
    template::{Directive, Element, ForDirective, IfDirective, Strip},
};
use lakeform_core::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

use super::{For, Node, NodeKind, Offsets, Parser, hcl};

/// A string as the language keeps it: in normal form C (cty's rule).
pub(crate) fn text_value(text: &str) -> Value {
    if text.is_ascii() || is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
        return Value::string(text);
    }
    Value::string(text.nfc().collect::<String>())
}

/// How literal text beside a strip marker is trimmed.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// Between quotes a literal is one token; elsewhere each line is one, and a marker trims only the nearest.
    pub quoted: bool,
}

/// Which ends of a stretch of template stand beside a strip marker outside of it.
#[derive(Clone, Copy, Default)]
struct Trim {
    start: bool,
    end: bool,
}

/// The tree of a whole template: its one expression, or text.
pub(super) fn elements<'e>(
    parser: &mut Parser,
    offsets: &Offsets,
    elements: impl Iterator<Item = &'e Element>,
    style: Style,
) -> Node {
    let elements: Vec<&Element> = elements.collect();
    if let [Element::Interpolation(only)] = elements.as_slice() {
        return hcl::node(parser, offsets, &only.expr);
    }
    let start = elements.first().and_then(|e| e.span()).map_or(0, |s| s.start);
    let end = elements.last().and_then(|e| e.span()).map_or(0, |s| s.end);
    let parts = parts(parser, offsets, &elements, style, Trim::default());
    let range = offsets.range(&(start..end));
    match parts.as_slice() {
        [] => Node::new(range, NodeKind::Literal(Value::string(""))),
        [Node { kind: NodeKind::Literal(only), .. }] if elements.len() == 1 => {
            Node::new(range, NodeKind::Literal(only.clone()))
        }
        _ => Node::new(range, NodeKind::Template(parts)),
    }
}

fn starts(strip: Strip) -> bool {
    matches!(strip, Strip::Start | Strip::Both)
}

fn ends(strip: Strip) -> bool {
    matches!(strip, Strip::End | Strip::Both)
}

/// The strip markers at the outer ends of an element.
fn outer(element: &Element) -> (bool, bool) {
    match element {
        Element::Literal(_) => (false, false),
        Element::Interpolation(i) => (starts(i.strip), ends(i.strip)),
        Element::Directive(d) => match &**d {
            Directive::If(d) => (starts(d.if_expr.strip), ends(d.endif_expr.strip)),
            Directive::For(d) => (starts(d.for_expr.strip), ends(d.endfor_expr.strip)),
        },
    }
}

fn parts(parser: &mut Parser, offsets: &Offsets, elements: &[&Element], style: Style, trim: Trim) -> Vec<Node> {
    let mut out = Vec::with_capacity(elements.len());
    for (i, element) in elements.iter().enumerate() {
        let range = offsets.range(&element.span().unwrap_or_default());
        match element {
            Element::Literal(text) => {
                let before = i.checked_sub(1).and_then(|i| elements.get(i)).map_or(trim.start, |e| outer(e).1);
                let after = elements.get(i + 1).map_or(trim.end, |e| outer(e).0);
                let text = trimmed(text.as_str(), style, before, after);
                if !text.is_empty() {
                    out.push(Node::new(range, NodeKind::Literal(text_value(&text))));
                }
            }
            Element::Interpolation(i) => {
                let inner = hcl::node(parser, offsets, &i.expr);
                out.push(inner);
            }
            Element::Directive(d) => out.push(match &**d {
                Directive::If(d) => condition(parser, offsets, d, range, style),
                Directive::For(d) => repetition(parser, offsets, d, range, style),
            }),
        }
    }
    out
}

/// The text without the white space that strip markers before and after it take away.
fn trimmed(text: &str, style: Style, before: bool, after: bool) -> String {
    let mut text = text.to_owned();
    if before {
        let line = if style.quoted { text.len() } else { text.find('\n').map_or(text.len(), |i| i + 1) };
        let (head, tail) = text.split_at(line);
        text = format!("{}{tail}", head.trim_start());
    }
    if after {
        let body = text.strip_suffix('\n').unwrap_or(&text);
        let line = if style.quoted { 0 } else { body.rfind('\n').map_or(0, |i| i + 1) };
        let (head, tail) = text.split_at(line);
        text = format!("{head}{}", tail.trim_end());
    }
    text
}

fn condition(
    parser: &mut Parser,
    offsets: &Offsets,
    d: &IfDirective,
    range: std::ops::Range<usize>,
    style: Style,
) -> Node {
    let test = hcl::node(parser, offsets, &d.if_expr.cond_expr);
    let next = d.else_expr.as_ref().map_or(d.endif_expr.strip, |e| e.strip);
    let mut stretch = |elements: Vec<&Element>, trim: Trim| {
        let parts = parts(parser, offsets, &elements, style, trim);
        Node::new(range.clone(), NodeKind::Template(parts))
    };
    let yes = stretch(d.if_expr.template.iter().collect(), Trim { start: ends(d.if_expr.strip), end: starts(next) });
    let no = match &d.else_expr {
        Some(e) => stretch(e.template.iter().collect(), Trim { start: ends(e.strip), end: starts(d.endif_expr.strip) }),
        None => stretch(vec![], Trim::default()),
    };
    Node::new(range.clone(), NodeKind::Conditional(Box::new([test, yes, no])))
}

fn repetition(
    parser: &mut Parser,
    offsets: &Offsets,
    d: &ForDirective,
    range: std::ops::Range<usize>,
    style: Style,
) -> Node {
    let collection = hcl::node(parser, offsets, &d.for_expr.collection_expr);
    let key_name = d.for_expr.key_var.as_ref().map(|k| k.as_str().into());
    let value_name: std::sync::Arc<str> = d.for_expr.value_var.as_str().into();
    let mark = parser.bound.len();
    parser.bound.extend(key_name.clone());
    parser.bound.push(value_name.clone());
    let trim = Trim { start: ends(d.for_expr.strip), end: starts(d.endfor_expr.strip) };
    let body = parts(parser, offsets, &d.for_expr.template.iter().collect::<Vec<_>>(), style, trim);
    parser.bound.truncate(mark);
    let value = Node::new(range.clone(), NodeKind::Template(body));
    let each = For { key_name, value_name, collection, key: None, value, condition: None, group: false };
    let tuple = Node::new(range.clone(), NodeKind::For(Box::new(each)));
    Node::new(range, NodeKind::Join(Box::new(tuple)))
}
