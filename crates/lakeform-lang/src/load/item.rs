//! A document's values with their places, and how two of them are merged.

use std::{ops::Range, sync::Arc};

use indexmap::IndexMap;
use lakeform_core::{Diagnostic, Diagnostics, Number, Source, Span, Value};

use crate::syntax::text_value;

/// A value of a document.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub source: Arc<Source>,
    pub range: Range<usize>,
    pub kind: ItemKind,
}

#[derive(Clone, Debug)]
pub(super) enum ItemKind {
    String(String),
    Number(Number),
    Bool(bool),
    Array(Vec<Item>),
    Table(Table),
}

/// A table: its keys in the order written.
pub(super) type Table = IndexMap<Arc<str>, Field>;

#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Where the key is written.
    pub key: Range<usize>,
    pub item: Item,
}

impl Item {
    pub fn span(&self) -> Span {
        Span { source: self.source.clone(), range: self.range.clone() }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            ItemKind::String(s) => Some(s),
            _ => None,
        }
    }

    /// What it is called in messages.
    pub fn noun(&self) -> &'static str {
        match self.kind {
            ItemKind::String(_) => "a string",
            ItemKind::Number(_) => "a number",
            ItemKind::Bool(_) => "a bool",
            ItemKind::Array(_) => "an array",
            ItemKind::Table(_) => "a table",
        }
    }

    /// The value as it stands: strings are no templates.
    pub fn value(&self) -> Value {
        match &self.kind {
            ItemKind::String(s) => text_value(s),
            ItemKind::Number(n) => n.clone().into(),
            ItemKind::Bool(b) => (*b).into(),
            ItemKind::Array(items) => Value::tuple(items.iter().map(Item::value).collect()),
            ItemKind::Table(fields) => Value::object(fields.iter().map(|(k, f)| (k.clone(), f.item.value()))),
        }
    }
}

impl Field {
    pub fn key_span(&self) -> Span {
        Span { source: self.item.source.clone(), range: self.key.clone() }
    }
}

/// `high` over `low`, the rule of `extends`: tables by key, everything else replaced.
pub(super) fn overlay(low: Table, high: Table) -> Table {
    let mut out = low;
    for (name, field) in high {
        match out.get_mut(&name) {
            Some(Field { item: Item { kind: ItemKind::Table(below), .. }, .. })
                if matches!(field.item.kind, ItemKind::Table(_)) =>
            {
                let below = std::mem::take(below);
                let Field { key, item: Item { source, range, kind } } = field;
                let kind = match kind {
                    ItemKind::Table(above) => ItemKind::Table(overlay(below, above)),
                    other => other,
                };
                out.insert(name, Field { key, item: Item { source, range, kind } });
            }
            _ => drop(out.insert(name, field)),
        }
    }
    out
}

/// Documents of one directory: sections are joined, and what is in a section may be there only once.
pub(super) fn beside(into: &mut Table, from: Table, depth: usize, problems: &mut Diagnostics) {
    for (name, field) in from {
        let Some(there) = into.get_mut(&name) else {
            into.insert(name, field);
            continue;
        };
        let deeper = super::section::depth(&name).unwrap_or(depth);
        match (&mut there.item.kind, field.item.kind) {
            (ItemKind::Table(a), ItemKind::Table(b)) if deeper > 1 => beside(a, b, deeper - 1, problems),
            // `[[moved]]`: blocks without names.
            (ItemKind::Array(a), ItemKind::Array(b)) if deeper == 1 && super::section::depth(&name).is_some() => {
                a.extend(b);
            }
            (_, kind) => {
                let key = Span { source: field.item.source, range: field.key };
                let (line, _) = there.key_span().line_column();
                let detail = format!("It is in {} too, at line {line}.", there.item.source.path);
                problems.push(Diagnostic::error(format!("`{name}` is there twice")).detail(detail).span(key));
                drop(kind);
            }
        }
    }
}
