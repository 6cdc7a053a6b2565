//! Items to expressions and bodies, and what all blocks have in common.

use std::sync::Arc;

use lakeform_core::{Diagnostic, Diagnostics, Span};

use super::item::{Field, Item, ItemKind, Table};
use crate::{
    Body, Check, Expr, Reference,
    body::Entries,
    suggest::nearest,
    syntax::{self, Entry, Node, NodeKind, Offsets, Parser},
};

/// Turns items into parts of the model and gathers what is wrong with them.
#[derive(Default)]
pub(super) struct Builder {
    pub problems: Diagnostics,
}

impl Builder {
    pub fn error(&mut self, span: Span, summary: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Diagnostic::error(summary).detail(detail).span(span));
    }

    /// An expression; names in `bound` are bound by what encloses it.
    pub fn expr(&mut self, item: &Item) -> Expr {
        self.expr_with(item, &[], false)
    }

    /// `dynamic` says whether a table named so binds an iterator: it does inside a resource, not inside a local.
    fn expr_with(&mut self, item: &Item, bound: &[Arc<str>], dynamic: bool) -> Expr {
        let literal = |v| Expr::of_value(item.span(), v);
        match &item.kind {
            ItemKind::String(text) => self.template(item, text, bound),
            ItemKind::Number(_) | ItemKind::Bool(_) => literal(item.value()),
            ItemKind::Array(items) => {
                let items: Vec<Expr> = items.iter().map(|i| self.expr_with(i, bound, dynamic)).collect();
                let references = items.iter().flat_map(|e| e.references().iter().cloned()).collect();
                Expr::new(
                    &item.source,
                    item.range.clone(),
                    Node::new(item.range.clone(), NodeKind::Array(items)),
                    references,
                )
            }
            ItemKind::Table(table) if table.keys().any(|k| k.contains("${") || k.contains("%{")) => {
                self.object(item, table, bound)
            }
            ItemKind::Table(table) => {
                let entries = self.entries(table, bound, dynamic);
                let references = entries.values().flat_map(|e| e.value.references().iter().cloned()).collect();
                Expr::new(
                    &item.source,
                    item.range.clone(),
                    Node::new(item.range.clone(), NodeKind::Table(entries)),
                    references,
                )
            }
        }
    }

    fn template(&mut self, item: &Item, text: &str, bound: &[Arc<str>]) -> Expr {
        let mut parser = Parser::new(&item.source);
        parser.bound.extend_from_slice(bound);
        let offsets = Offsets::of_string(&item.source.text, &item.range, text);
        let node = syntax::template(&mut parser, text, &offsets);
        self.problems.0.append(&mut parser.errors);
        Expr::new(&item.source, item.range.clone(), node, parser.references)
    }

    /// A table with templates for keys.
    fn object(&mut self, item: &Item, table: &Table, bound: &[Arc<str>]) -> Expr {
        let mut parser = Parser::new(&item.source);
        parser.bound.extend_from_slice(bound);
        let mut parts = Vec::new();
        for (key, field) in table {
            let offsets = Offsets::of_string(&item.source.text, &field.key, key);
            let key = syntax::template(&mut parser, key, &offsets);
            let value = self.expr_with(&field.item, bound, false);
            parts.push((key, value));
        }
        self.problems.0.append(&mut parser.errors);
        let mut references = parser.references;
        references.extend(parts.iter().flat_map(|(_, v)| v.references().iter().cloned()));
        let nested = |e: Expr| Node::new(e.span().range.clone(), NodeKind::Nested(e));
        let parts = parts.into_iter().map(|(k, v)| (k, nested(v))).collect();
        Expr::new(&item.source, item.range.clone(), Node::new(item.range.clone(), NodeKind::Object(parts)), references)
    }

    fn entries(&mut self, table: &Table, bound: &[Arc<str>], dynamic: bool) -> Entries {
        let entry = |(name, field): (&Arc<str>, &Field)| {
            let value = match &field.item.kind {
                ItemKind::Table(generated) if dynamic && &**name == "dynamic" => {
                    self.generators(&field.item, generated, bound)
                }
                _ => self.expr_with(&field.item, bound, dynamic),
            };
            (name.clone(), Entry { key: field.key.clone(), value })
        };
        table.iter().map(entry).collect()
    }

    /// The contents of `dynamic`: in the `content` of each the iterator is bound.
    fn generators(&mut self, item: &Item, table: &Table, bound: &[Arc<str>]) -> Expr {
        let mut entries = Entries::with_capacity(table.len());
        for (name, field) in table {
            let value = match &field.item.kind {
                ItemKind::Table(one) => self.generator(name, &field.item, one, bound),
                ItemKind::Array(several) => {
                    let items: Vec<Expr> = several
                        .iter()
                        .map(|i| {
                            if let ItemKind::Table(one) = &i.kind {
                                self.generator(name, i, one, bound)
                            } else {
                                self.expr_with(i, bound, true)
                            }
                        })
                        .collect();
                    let references = items.iter().flat_map(|e| e.references().iter().cloned()).collect();
                    let node = Node::new(field.item.range.clone(), NodeKind::Array(items));
                    Expr::new(&field.item.source, field.item.range.clone(), node, references)
                }
                _ => self.expr_with(&field.item, bound, true),
            };
            entries.insert(name.clone(), Entry { key: field.key.clone(), value });
        }
        let references = entries.values().flat_map(|e| e.value.references().iter().cloned()).collect();
        Expr::new(&item.source, item.range.clone(), Node::new(item.range.clone(), NodeKind::Table(entries)), references)
    }

    fn generator(&mut self, name: &Arc<str>, item: &Item, table: &Table, bound: &[Arc<str>]) -> Expr {
        let iterator = table.get("iterator").and_then(|f| f.item.as_str()).map_or_else(|| name.clone(), Arc::from);
        let inside: Vec<Arc<str>> = bound.iter().cloned().chain([iterator]).collect();
        let mut entries = Entries::with_capacity(table.len());
        for (key, field) in table {
            let bound = if &**key == "content" { inside.as_slice() } else { bound };
            let value = self.expr_with(&field.item, bound, true);
            entries.insert(key.clone(), Entry { key: field.key.clone(), value });
        }
        let references = entries.values().flat_map(|e| e.value.references().iter().cloned()).collect();
        Expr::new(&item.source, item.range.clone(), Node::new(item.range.clone(), NodeKind::Table(entries)), references)
    }

    /// A body of what is in a table but for the names taken out already.
    pub fn body(&mut self, span: Span, table: &Table, taken: &[&str]) -> Body {
        let entry = |(name, field): (&Arc<str>, &Field)| {
            if taken.contains(&&**name) {
                return None;
            }
            let value = match &field.item.kind {
                ItemKind::Table(generated) if &**name == "dynamic" => self.generators(&field.item, generated, &[]),
                _ => self.expr_with(&field.item, &[], true),
            };
            Some((name.clone(), Entry { key: field.key.clone(), value }))
        };
        Body::new(span, table.iter().filter_map(entry).collect())
    }

    /// The table that an item must be.
    pub fn table<'i>(&mut self, item: &'i Item, what: &str) -> Option<&'i Table> {
        match &item.kind {
            ItemKind::Table(table) => Some(table),
            _ => {
                self.error(item.span(), format!("{what} must be a table"), format!("It is {}.", item.noun()));
                None
            }
        }
    }

    /// The tables of a block that may be given once or several times.
    pub fn tables<'i>(&mut self, item: &'i Item, what: &str) -> Vec<(&'i Item, &'i Table)> {
        match &item.kind {
            ItemKind::Array(items) => items.iter().filter_map(|i| Some((i, self.table(i, what)?))).collect(),
            _ => self.table(item, what).map(|t| (item, t)).into_iter().collect(),
        }
    }

    /// A string that is no template.
    pub fn text(&mut self, item: &Item, what: &str) -> Option<Arc<str>> {
        let found = item.as_str().map(Arc::from);
        if found.is_none() {
            self.error(item.span(), format!("{what} must be a string"), format!("It is {}.", item.noun()));
        }
        found
    }

    /// `true` or `false` written out.
    pub fn flag(&mut self, table: &Table, name: &str, default: bool) -> bool {
        match table.get(name).map(|f| &f.item) {
            None => default,
            Some(Item { kind: ItemKind::Bool(b), .. }) => *b,
            Some(item) => match item.as_str() {
                Some("true") => true,
                Some("false") => false,
                _ => {
                    self.error(
                        item.span(),
                        format!("`{name}` must be true or false"),
                        format!("It is {}; an expression is not allowed here.", item.noun()),
                    );
                    default
                }
            },
        }
    }

    /// A name's text.
    pub fn description(&mut self, table: &Table) -> Option<Arc<str>> {
        let item = &table.get("description")?.item;
        self.text(item, "`description`")
    }

    /// Reports every name that is not in `known`.
    pub fn only(&mut self, table: &Table, known: &[&str], what: &str) {
        for (name, field) in table {
            if !known.contains(&&**name) {
                let mut problem =
                    Diagnostic::error(format!("Unknown argument `{name}` of {what}")).span(field.key_span());
                problem = match nearest(name, known.iter().copied()) {
                    Some(near) => problem.help(format!("did you mean `{near}`?")),
                    None => problem.help(format!("accepted are {}", listed(known))),
                };
                self.problems.push(problem);
            }
        }
    }

    /// A list of static references: `["aws_kms_key.lake", "module.a"]`.
    pub fn references(&mut self, item: &Item, what: &str) -> Vec<Reference> {
        let ItemKind::Array(items) = &item.kind else {
            self.error(
                item.span(),
                format!("{what} must be an array of references"),
                format!("It is {}.", item.noun()),
            );
            return Vec::new();
        };
        let one = |i: &Item| self.reference(i, what).and_then(|e| e.references().first().cloned());
        items.iter().filter_map(one).collect()
    }

    /// One static reference, as an expression.
    pub fn reference(&mut self, item: &Item, what: &str) -> Option<Expr> {
        let (node, references) = self.reference_parts(item, what)?;
        Some(Expr::new(&item.source, item.range.clone(), node, references))
    }

    /// One static reference: its tree, and what stands in its indexes before what it refers to itself.
    pub fn reference_parts(&mut self, item: &Item, what: &str) -> Option<(Node, Vec<Reference>)> {
        let Some(text) = item.as_str() else {
            self.error(item.span(), format!("{what} must hold references"), format!("This is {}.", item.noun()));
            return None;
        };
        let before = self.problems.0.len();
        let mut parser = Parser::new(&item.source);
        let offsets = Offsets::of_string(&item.source.text, &item.range, text);
        // `${a.b}` is taken for `a.b`, as in Terraform's JSON syntax.
        let node = if text.starts_with("${") {
            syntax::template(&mut parser, text, &offsets)
        } else {
            syntax::expression(&mut parser, text, &offsets)
        };
        self.problems.0.append(&mut parser.errors);
        if self.problems.0.len() > before {
            return None;
        }
        if parser.references.is_empty() || !is_reference(&node) {
            self.error(
                item.span(),
                format!("{what} must hold references"),
                "Something like `aws_s3_bucket.raw` is expected.",
            );
            return None;
        }
        Some((node, parser.references))
    }

    /// `precondition`, `postcondition`, `validation`: given once or several times.
    pub fn checks(&mut self, table: &Table, name: &str) -> Vec<Check> {
        let Some(field) = table.get(name) else { return Vec::new() };
        let mut out = Vec::new();
        for (item, table) in self.tables(&field.item, &format!("`{name}`")) {
            self.only(table, &["condition", "error_message"], &format!("`{name}`"));
            let mut part = |part: &str| match table.get(part) {
                Some(field) => Some(self.expr(&field.item)),
                None => {
                    self.error(
                        item.span(),
                        format!("`{name}` lacks `{part}`"),
                        "Both `condition` and `error_message` are required.",
                    );
                    None
                }
            };
            if let (Some(condition), Some(error_message)) = (part("condition"), part("error_message")) {
                out.push(Check { condition, error_message, span: item.span() });
            }
        }
        out
    }
}

/// Whether a node is a reference and nothing else.
fn is_reference(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Ref(_) => true,
        NodeKind::Get(source, _) | NodeKind::Index(source, _) => is_reference(source),
        _ => false,
    }
}

/// "`a`, `b` and `c`"
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.as_slice() {
        [] => "none".into(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
