//! The contents of a block: attributes and nested blocks.

mod check;

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;
use lakeform_core::{Block, Diagnostic, Diagnostics, Kind, NestedBlock, Nesting, Path, Span, Step, Type, Value};

use crate::{
    Expr, Reference, Scope,
    eval::{Frame, elements},
    functions,
    syntax::{Entry, NodeKind},
};

/// The contents of a block. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Body {
    span: Span,
    entries: Arc<Entries>,
}

pub(crate) type Entries = IndexMap<Arc<str>, Entry>;

impl Body {
    pub(crate) fn new(span: Span, entries: Entries) -> Self {
        Self { span, entries: Arc::new(entries) }
    }

    /// Where it is written.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// The names that are set, in the order written.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.entries.keys()
    }

    /// What a name is set to.
    pub fn get(&self, name: &str) -> Option<&Expr> {
        self.entries.get(name).map(|e| &e.value)
    }

    /// Everything it refers to.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.entries.values().flat_map(|e| e.value.references())
    }

    /// Its value, brought to a schema's object type: names that are not set are null, tables and arrays given for JSON
    /// text are encoded, `dynamic` blocks are expanded (to an unknown block where `for_each` is unknown).
    ///
    /// # Errors
    /// Every attribute that fails, does not fit, is missing, or is unknown to the schema, each with its place.
    pub fn evaluate(&self, schema: &Block, scope: &dyn Scope) -> Result<Value, Diagnostics> {
        self.evaluate_as(schema, scope, "")
    }

    /// The same; `what` has the schema, for messages.
    pub(crate) fn evaluate_as(&self, schema: &Block, scope: &dyn Scope, what: &str) -> Result<Value, Diagnostics> {
        let mut problems = Diagnostics::new();
        check::names(&self.entries, schema, what, true, &mut problems);
        let value = block(&self.entries, schema, scope, None, &mut problems);
        let coerced = schema.coerce(&value);
        if let Err(errors) = &coerced {
            problems.0.extend(errors.iter().map(|e| unsuitable(&e.path, &e.message, self.locate(&e.path))));
        }
        check::shape(&value, schema, &mut |path, summary, detail| {
            // What failed is missing for that reason.
            let span = self.locate(path);
            if !check::overlaps(&span, &problems) || span == self.span {
                problems.push(Diagnostic::error(summary).detail(detail).span(span));
            }
        });
        match coerced {
            Ok(value) if !problems.has_errors() => Ok(value),
            _ => Err(problems),
        }
    }

    /// What is ephemeral in its value although it would have to be stored.
    pub(crate) fn ephemeral_problems(&self, schema: &Block, value: &Value) -> Diagnostics {
        let mut problems = Diagnostics::new();
        if value.is_ephemeral() {
            check::stored(value, schema, &Path::root(), &mut |path| {
                problems.push(
                    Diagnostic::error("Invalid use of ephemeral value")
                        .detail(format!(
                            "Ephemeral values are not valid for \"{path}\", because it is not a write-only attribute and must be persisted to state."
                        ))
                        .span(self.locate(path)),
                );
            });
        }
        problems
    }

    /// Its value as an object of what is set, where there is no schema.
    ///
    /// # Errors
    /// Every attribute that fails, each with its place.
    pub fn evaluate_any(&self, scope: &dyn Scope) -> Result<Value, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut out = BTreeMap::new();
        for (name, entry) in self.entries.iter() {
            match entry.value.evaluate(scope) {
                Ok(value) => drop(out.insert(name.clone(), value)),
                Err(more) => problems.extend(more),
            }
        }
        if problems.is_empty() { Ok(Kind::Object(Arc::new(out)).into()) } else { Err(problems) }
    }

    /// Where the part of the block's value that a path leads to is written: the innermost thing that can be told.
    pub fn locate(&self, path: &Path) -> Span {
        locate(&self.entries, &path.0).unwrap_or_else(|| self.span.clone())
    }
}

/// A value that does not fit its attribute, in Terraform's words.
pub(crate) fn unsuitable(path: &Path, message: &str, span: Span) -> Diagnostic {
    let (outer, inner) = match path.0.iter().rposition(|s| matches!(s, Step::Attr(_))) {
        Some(at) => path.0.split_at(at + 1),
        None => (path.0.as_slice(), [].as_slice()),
    };
    let inner = lakeform_core::ConvertError { path: Path(inner.to_vec()), message: message.to_owned() }.describe();
    let name = Path(outer.to_vec());
    Diagnostic::error("Incorrect attribute value type")
        .detail(format!("Inappropriate value for attribute \"{name}\": {inner}."))
        .span(span)
}

fn locate(entries: &Entries, path: &[Step]) -> Option<Span> {
    let (Step::Attr(name) | Step::Key(name), rest) = path.split_first()? else { return None };
    let expr = &entries.get(name)?.value;
    Some(locate_in(expr, rest))
}

fn locate_in(expr: &Expr, path: &[Step]) -> Span {
    let deeper = match (&expr.node().kind, path.split_first()) {
        (NodeKind::Table(entries), Some((Step::Attr(_) | Step::Key(_), _))) => locate(entries, path),
        (NodeKind::Table(entries), Some((Step::Index(0), rest))) => locate(entries, rest),
        (NodeKind::Array(items), Some((Step::Index(i), rest))) => items.get(*i).map(|item| locate_in(item, rest)),
        _ => None,
    };
    deeper.unwrap_or_else(|| expr.span().clone())
}

/// The object of one block's attributes and nested blocks, not converted yet.
fn block(
    entries: &Entries,
    schema: &Block,
    scope: &dyn Scope,
    frame: Option<&Frame>,
    problems: &mut Diagnostics,
) -> Value {
    let mut out: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let mut keep = |name: &Arc<str>, value: Option<Value>| {
        if let Some(value) = value {
            out.insert(name.clone(), value);
        }
    };
    for (name, entry) in entries {
        if let Some(attribute) = schema.attributes.get(name) {
            let value = match (&entry.value.node().kind, attribute.json) {
                (NodeKind::Table(_) | NodeKind::Array(_), true) => {
                    entry.value.evaluate_in(scope, frame).map(|v| json_text(&v))
                }
                _ => entry.value.evaluate_in(scope, frame),
            };
            keep(name, accept(value, problems));
        } else if let Some(nested) = schema.blocks.get(name) {
            keep(name, blocks(&entry.value, nested, scope, frame, problems));
        }
    }
    if let Some(NodeKind::Table(generated)) = entries.get("dynamic").map(|e| &e.value.node().kind) {
        for (name, entry) in generated {
            let made = if let Some(nested) = schema.blocks.get(name) {
                dynamic(name, &entry.value, &Inner::Block(&nested.block), scope, frame, problems)
            } else if schema.attributes.contains_key(name) {
                dynamic(name, &entry.value, &Inner::Plain, scope, frame, problems)
            } else {
                continue;
            };
            let all = join(out.remove(name), made);
            out.insert(name.clone(), all);
        }
    }
    Kind::Object(Arc::new(out)).into()
}

fn accept(value: Result<Value, Diagnostics>, problems: &mut Diagnostics) -> Option<Value> {
    value.map_err(|more| problems.extend(more)).ok()
}

/// The JSON text of a value that was written as a TOML table or array.
fn json_text(value: &Value) -> Value {
    let marks = value.marks_deep();
    if !value.is_wholly_known() {
        return Value::unknown(Type::String).with_marks(marks);
    }
    Value::from(functions::json_encode(value)).with_marks(marks)
}

/// The instances of a nested block: an object, a tuple of objects, or whatever an expression gives.
fn blocks(
    expr: &Expr,
    nested: &NestedBlock,
    scope: &dyn Scope,
    frame: Option<&Frame>,
    problems: &mut Diagnostics,
) -> Option<Value> {
    match &expr.node().kind {
        NodeKind::Table(entries) if nested.nesting == Nesting::Map => {
            let each = entries.iter().filter_map(|(key, entry)| {
                let value = one(&entry.value, nested, scope, frame, problems)?;
                Some((key.clone(), value))
            });
            let each: Vec<_> = each.collect();
            Some(Value::object(each))
        }
        NodeKind::Array(items) => {
            let items = items.iter().filter_map(|item| one(item, nested, scope, frame, problems)).collect();
            Some(Value::tuple(items))
        }
        _ => one(expr, nested, scope, frame, problems),
    }
}

fn one(
    expr: &Expr,
    nested: &NestedBlock,
    scope: &dyn Scope,
    frame: Option<&Frame>,
    problems: &mut Diagnostics,
) -> Option<Value> {
    match &expr.node().kind {
        NodeKind::Table(entries) => Some(block(entries, &nested.block, scope, frame, problems)),
        _ => {
            let value = accept(expr.evaluate_in(scope, frame), problems)?;
            check::given(&value, nested, expr.span(), problems);
            Some(value)
        }
    }
}

enum Inner<'a> {
    Block(&'a Block),
    /// The elements of an attribute that is written like blocks.
    Plain,
}

/// What one `dynamic` entry generates: a table, or several in an array.
fn dynamic(
    name: &Arc<str>,
    expr: &Expr,
    inner: &Inner,
    scope: &dyn Scope,
    frame: Option<&Frame>,
    problems: &mut Diagnostics,
) -> Value {
    match &expr.node().kind {
        NodeKind::Array(items) => items
            .iter()
            .map(|item| dynamic(name, item, inner, scope, frame, problems))
            .reduce(|a, b| join(Some(a), b))
            .unwrap_or_else(|| Value::tuple(vec![])),
        NodeKind::Table(entries) => generate(name, expr, entries, inner, scope, frame, problems),
        _ => {
            problems.push(
                Diagnostic::error("Invalid dynamic block")
                    .detail("A table with `for_each` and `content` is required.")
                    .span(expr.span().clone()),
            );
            Value::tuple(vec![])
        }
    }
}

fn generate(
    name: &Arc<str>,
    expr: &Expr,
    entries: &Entries,
    inner: &Inner,
    scope: &dyn Scope,
    frame: Option<&Frame>,
    problems: &mut Diagnostics,
) -> Value {
    let nothing = Value::tuple(vec![]);
    let (Some(each), Some(content)) = (entries.get("for_each"), entries.get("content")) else {
        problems.push(
            Diagnostic::error("Invalid dynamic block")
                .detail("Both `for_each` and `content` are required.")
                .span(expr.span().clone()),
        );
        return nothing;
    };
    let iterator = entries
        .get("iterator")
        .and_then(|e| e.value.literal()?.as_str().map(Arc::from))
        .unwrap_or_else(|| name.clone());
    let Some(collection) = accept(each.value.evaluate_in(scope, frame), problems) else { return nothing };
    if !collection.is_known() {
        return Value::unknown(Type::Dynamic).with_marks(collection.marks());
    }
    let Some(items) = elements(&collection) else {
        let detail = if collection.is_null() {
            "Cannot use a null value in for_each.".to_owned()
        } else {
            format!(
                "Cannot use a {} value in for_each. An iterable collection is required.",
                collection.ty().friendly_name()
            )
        };
        problems
            .push(Diagnostic::error("Invalid dynamic for_each value").detail(detail).span(each.value.span().clone()));
        return nothing;
    };
    let mut out = Vec::new();
    for (key, value) in items {
        let current = Value::object([("key", key), ("value", value.clone())]);
        let bound = Frame { name: &iterator, value: &current, up: frame };
        match (&content.value.node().kind, inner) {
            (NodeKind::Table(entries), Inner::Block(schema)) => {
                out.push(block(entries, schema, scope, Some(&bound), problems))
            }
            _ => out.extend(accept(content.value.evaluate_in(scope, Some(&bound)), problems)),
        }
    }
    Value::tuple(out).with_marks(collection.marks())
}

/// Blocks that are written out and blocks that are generated.
fn join(written: Option<Value>, generated: Value) -> Value {
    let Some(written) = written else { return generated };
    let marks = written.marks().union(generated.marks());
    if !written.is_known() || !generated.is_known() {
        return Value::unknown(Type::Dynamic).with_marks(marks);
    }
    let items = |v: &Value| v.as_slice().map_or_else(|| vec![v.clone()], <[Value]>::to_vec);
    Value::tuple([items(&written), items(&generated)].concat()).with_marks(marks)
}
