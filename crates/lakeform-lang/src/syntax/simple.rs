//! The templates that nearly all are: text with `${a.b.c}` in it. Read here, they cost a tenth of the whole grammar.

use std::{ops::Range, sync::Arc};

use super::{
    Node, NodeKind, Offsets, Parser,
    reference::{Located, Op, resolve},
    template::text_value,
};

/// The tree of a template that holds only text and plain `${a.b.c}`; `None` where there is more to it.
pub(super) fn simple(parser: &mut Parser, text: &str, offsets: &Offsets) -> Option<Node> {
    let parts = scan(text)?;
    let mut nodes = Vec::with_capacity(parts.len());
    let only = parts.len() == 1;
    for part in parts {
        match part {
            Part::Text(range) => {
                nodes.push(Node::new(offsets.range(&range), NodeKind::Literal(text_value(&text[range]))));
            }
            Part::Names(names) => {
                let mut names = names.into_iter();
                let first = names.next()?;
                let ops = names
                    .map(|name| Located {
                        op: Op::Attr(text[name.clone()].into()),
                        range: offsets.range(&(name.start - 1..name.end)),
                    })
                    .collect();
                nodes.push(resolve(parser, Arc::from(&text[first.clone()]), offsets.range(&first), ops));
            }
        }
    }
    if only {
        return nodes.pop();
    }
    Some(Node::new(offsets.range(&(0..text.len())), NodeKind::Template(nodes)))
}

enum Part {
    Text(Range<usize>),
    Names(Vec<Range<usize>>),
}

fn scan(text: &str) -> Option<Vec<Part>> {
    if text.contains("%{") {
        return None;
    }
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let open = at + found;
        if text[..open].ends_with('$') {
            return None;
        }
        if open > at {
            parts.push(Part::Text(at..open));
        }
        let close = open + text[open..].find('}')?;
        parts.push(Part::Names(names(text, open + 2..close)?));
        at = close + 1;
    }
    if at < text.len() {
        parts.push(Part::Text(at..text.len()));
    }
    Some(parts)
}

/// The places of `a`, `b` and `c` in `a.b.c`, which may have spaces around it.
fn names(text: &str, range: Range<usize>) -> Option<Vec<Range<usize>>> {
    let inner = &text[range.clone()];
    let body = inner.trim_matches(' ');
    let mut at = range.start + inner.len() - inner.trim_start_matches(' ').len();
    let mut out = Vec::new();
    for name in body.split('.') {
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !plain {
            return None;
        }
        out.push(at..at + name.len());
        at += name.len() + 1;
    }
    let keyword = out.len() == 1 && matches!(body, "true" | "false" | "null");
    (!keyword).then_some(out)
}
