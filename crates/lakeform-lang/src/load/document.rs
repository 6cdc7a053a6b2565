//! TOML text to a table of [`Item`]s.

use std::{collections::HashMap, sync::Arc};

use lakeform_core::{Diagnostic, Diagnostics, Number, Source, Span};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::item::{Field, Item, ItemKind, Table};

/// Parses a document.
pub(super) fn parse(source: &Arc<Source>, problems: &mut Diagnostics) -> Table {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        problems.extend(describe(source, &errors));
        return Table::new();
    }
    Reader { source, names: HashMap::new(), problems }.table(document.into_inner())
}

/// What is wrong with a text as TOML; nothing if it is well-formed. The parser alone lets some numbers through that are none.
pub(crate) fn toml_problems(source: &Arc<Source>) -> Diagnostics {
    let mut problems = Diagnostics::new();
    parse(source, &mut problems);
    problems
}

fn describe(source: &Arc<Source>, errors: &[toml::de::Error]) -> Diagnostics {
    let one = |e: &toml::de::Error| {
        let mut message = e.message().to_owned();
        if let Some(first) = message.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let range = e.span().unwrap_or(0..0);
        Diagnostic::error("Invalid TOML").detail(message).span(Span { source: source.clone(), range })
    };
    Diagnostics(errors.iter().map(one).collect())
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    /// Every key once: `bucket` of ten thousand resources is one text.
    names: HashMap<String, Arc<str>>,
    problems: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn name(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let name: Arc<str> = text.into();
        self.names.insert(text.to_owned(), name.clone());
        name
    }

    fn table(&mut self, table: DeTable) -> Table {
        let mut fields: Vec<_> = table.into_iter().collect();
        // The parser keeps keys sorted; people want to read theirs in order.
        fields.sort_by_key(|(key, _)| key.span().start);
        let mut out = Table::with_capacity(fields.len());
        for (key, value) in fields {
            let name = self.name(key.get_ref());
            let range = key.span();
            if let Some(item) = self.item(value) {
                out.insert(name, Field { key: range, item });
            }
        }
        out
    }

    fn item(&mut self, value: Spanned<DeValue>) -> Option<Item> {
        let range = value.span();
        let kind = match value.into_inner() {
            DeValue::String(s) => ItemKind::String(s.into_owned()),
            DeValue::Boolean(b) => ItemKind::Bool(b),
            DeValue::Integer(i) => match Number::from_radix(i.as_str(), i.radix()) {
                Some(n) => ItemKind::Number(n),
                None => return self.refuse(range, "This is no number that can be kept."),
            },
            DeValue::Float(f) => match f.as_str().parse::<Number>() {
                Ok(n) => ItemKind::Number(n),
                Err(_) => return self.refuse(range, "Infinite numbers and `nan` are no values of the language."),
            },
            DeValue::Datetime(_) => {
                return self.refuse(range, "Dates and times are no values of the language: put quotes around them.");
            }
            DeValue::Array(items) => ItemKind::Array(items.into_iter().filter_map(|v| self.item(v)).collect()),
            DeValue::Table(table) => ItemKind::Table(self.table(table)),
        };
        Some(Item { source: self.source.clone(), range, kind })
    }

    fn refuse(&mut self, range: std::ops::Range<usize>, detail: &str) -> Option<Item> {
        let span = Span { source: self.source.clone(), range };
        self.problems.push(Diagnostic::error("Invalid value").detail(detail).span(span));
        None
    }
}
