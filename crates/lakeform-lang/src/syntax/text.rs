//! Where the text of an expression stands in its document, and what parsing it needs to know.

use std::{ops::Range, sync::Arc};

use lakeform_core::{Diagnostic, Source, Span};

use crate::Reference;

/// Maps bytes of a text to bytes of the document it was taken from.
#[derive(Debug)]
pub(crate) struct Offsets {
    start: usize,
    /// The document's offset of each byte of the text and of its end, where escapes make them differ.
    table: Option<Vec<u32>>,
    end: usize,
    /// Bytes that were put before the text to parse it.
    skip: usize,
}

impl Offsets {
    /// For a text that stands in the document as it is, from `start`.
    pub fn plain(start: usize) -> Self {
        Self { start, table: None, end: usize::MAX, skip: 0 }
    }

    /// For the decoded `text` of the TOML string at `range` of `document`, quotes included.
    pub fn of_string(document: &str, range: &Range<usize>, text: &str) -> Self {
        let raw = document.get(range.clone()).unwrap_or_default();
        let quotes = if raw.starts_with("'''") || raw.starts_with("\"\"\"") { 3 } else { 1 };
        let body = raw.get(quotes..raw.len().saturating_sub(quotes)).unwrap_or_default();
        let newline = if quotes == 3 {
            body.len() - body.strip_prefix("\r\n").or(body.strip_prefix('\n')).unwrap_or(body).len()
        } else {
            0
        };
        let start = range.start + quotes + newline;
        if body.len() - newline == text.len() {
            return Self { start, table: None, end: range.end, skip: 0 };
        }
        Self { start, table: Some(escapes(&body[newline..], start, text.len())), end: range.end, skip: 0 }
    }

    /// The same for a text with `bytes` more in front.
    pub fn after(&self, bytes: usize) -> Self {
        Self { start: self.start, table: self.table.clone(), end: self.end, skip: self.skip + bytes }
    }

    pub fn at(&self, offset: usize) -> usize {
        let offset = offset.saturating_sub(self.skip);
        match &self.table {
            None => (self.start + offset).min(self.end),
            Some(table) => table.get(offset).or(table.last()).map_or(self.start, |o| *o as usize),
        }
    }

    pub fn range(&self, range: &Range<usize>) -> Range<usize> {
        self.at(range.start)..self.at(range.end)
    }
}

/// The document's offset of each decoded byte of a TOML basic string, and of its end.
fn escapes(body: &str, start: usize, decoded: usize) -> Vec<u32> {
    let mut table = Vec::with_capacity(decoded + 1);
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let mut bytes = c.len_utf8();
        if c == '\\' {
            let digits = match chars.next().map(|(_, c)| c) {
                Some('u') => 4,
                Some('U') => 8,
                Some('x') => 2,
                Some(c) if c.is_whitespace() => {
                    while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
                    continue;
                }
                _ => 0,
            };
            let hex: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
            bytes = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32).map_or(1, char::len_utf8);
        }
        table.extend(std::iter::repeat_n((start + at) as u32, bytes));
    }
    table.push((start + body.len()) as u32);
    table
}

/// What is known while an expression is parsed, and what is found.
pub(crate) struct Parser<'a> {
    pub source: &'a Arc<Source>,
    /// Names bound by an enclosing `dynamic` or `for`.
    pub bound: Vec<Arc<str>>,
    /// Every name is bound: the template of `templatefile`.
    pub free: bool,
    pub references: Vec<Reference>,
    pub errors: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    pub fn new(source: &'a Arc<Source>) -> Self {
        Self { source, bound: Vec::new(), free: false, references: Vec::new(), errors: Vec::new() }
    }

    pub fn span(&self, range: Range<usize>) -> Span {
        Span { source: self.source.clone(), range }
    }

    pub fn error(&mut self, range: Range<usize>, summary: &str, detail: impl Into<String>) {
        let diagnostic = Diagnostic::error(summary).detail(detail).span(self.span(range));
        self.errors.push(diagnostic);
    }

    pub fn is_bound(&self, name: &str) -> bool {
        self.free || self.bound.iter().any(|b| &**b == name)
    }
}
