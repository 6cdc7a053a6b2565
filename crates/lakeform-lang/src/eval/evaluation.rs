//! The value of a tree.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Diagnostic, Diagnostics, Kind, Marks, Source, Span, Type, Value, convert};

use super::{Scope, access, operate};
use crate::{
    Reference, Subject,
    syntax::{Node, NodeKind, text_value},
};

/// Names bound by `for`, `dynamic`, a splat or the variables of a template file, innermost first.
pub(crate) struct Frame<'a> {
    pub name: &'a str,
    pub value: &'a Value,
    pub up: Option<&'a Frame<'a>>,
}

impl<'a> Frame<'a> {
    pub fn find(&self, name: &str) -> Option<&'a Value> {
        let mut frame = self;
        loop {
            if frame.name == name {
                return Some(frame.value);
            }
            frame = frame.up?;
        }
    }
}

/// The name under which the variables of a template file are bound. No identifier can be the same.
pub(crate) const TEMPLATE: &str = "(template)";

/// The summary of the one problem of a template that is its caller's.
pub(crate) const MISSING_TEMPLATE_VARIABLE: &str = "Missing template variable";

/// Bytes of stack that one level of an evaluation may take in a debug build, with room to spare.
const STACK_LEFT: usize = 128 * 1024;

/// Bytes of stack that are added when fewer than that are left.
const STACK_MORE: usize = 4 * 1024 * 1024;

/// One expression being evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Evaluation<'a> {
    pub scope: &'a dyn Scope,
    pub source: &'a Arc<Source>,
    pub references: &'a [Reference],
    pub frame: Option<&'a Frame<'a>>,
}

pub(crate) type Outcome = Result<Value, Diagnostics>;

impl<'a> Evaluation<'a> {
    /// The same expression with names bound.
    pub fn with<'b>(&self, frame: &'b Frame<'b>) -> Evaluation<'b>
    where
        'a: 'b,
    {
        Evaluation { scope: self.scope, source: self.source, references: self.references, frame: Some(frame) }
    }

    pub fn span(&self, node: &Node) -> Span {
        Span { source: self.source.clone(), range: node.range() }
    }

    pub fn fail(&self, node: &Node, summary: impl Into<String>, detail: impl Into<String>) -> Diagnostics {
        Diagnostic::error(summary).detail(detail).span(self.span(node)).into()
    }

    /// The value of a node. Any depth will do: `1 + 1 + ...` and `a[0][0]...` nest as deep as they are long.
    pub fn value(&self, node: &Node) -> Outcome {
        match &node.kind {
            NodeKind::Literal(value) => Ok(value.clone()),
            NodeKind::Ref(index) => self.reference(*index),
            NodeKind::Name(name) => self.name(node, name),
            _ => stacker::maybe_grow(STACK_LEFT, STACK_MORE, || self.composite(node)),
        }
    }

    fn composite(&self, node: &Node) -> Outcome {
        match &node.kind {
            NodeKind::Literal(_) | NodeKind::Ref(_) | NodeKind::Name(_) => self.value(node),
            NodeKind::Get(source, name) => {
                let value = self.value(source)?;
                access::attribute(&value, name).map_err(|e| self.access_failed(node, source, &value, e))
            }
            NodeKind::Index(source, key) => {
                let value = self.value(source)?;
                let key = self.value(key)?;
                access::index(&value, &key).map_err(|e| self.fail(node, e.summary, e.detail))
            }
            NodeKind::Template(parts) => self.template(parts),
            NodeKind::Join(tuple) => self.join(tuple),
            NodeKind::Tuple(items) => Ok(Value::tuple(items.iter().map(|e| self.value(e)).collect::<Result<_, _>>()?)),
            NodeKind::Object(items) => self.object(items),
            NodeKind::Table(entries) => {
                let mut problems = Diagnostics::new();
                let mut out = BTreeMap::new();
                for (name, entry) in entries {
                    match entry.value.evaluate_in(self.scope, self.frame) {
                        Ok(value) => drop(out.insert(name.clone(), value)),
                        Err(e) => problems.extend(e),
                    }
                }
                if problems.is_empty() { Ok(Kind::Object(Arc::new(out)).into()) } else { Err(problems) }
            }
            NodeKind::Array(items) => {
                let mut problems = Diagnostics::new();
                let mut out = Vec::with_capacity(items.len());
                for item in items {
                    match item.evaluate_in(self.scope, self.frame) {
                        Ok(value) => out.push(value),
                        Err(e) => problems.extend(e),
                    }
                }
                if problems.is_empty() { Ok(Value::tuple(out)) } else { Err(problems) }
            }
            NodeKind::Nested(inner) => inner.evaluate_in(self.scope, self.frame),
            NodeKind::SetOf(inner) => {
                let value = inner.evaluate_in(self.scope, self.frame)?;
                convert(&value, &Type::set(Type::Dynamic))
                    .map_err(|e| self.fail(node, "Invalid set", format!("{}.", e.describe())))
            }
            NodeKind::Unary(op, operand) => operate::unary(self, node, *op, operand),
            NodeKind::Binary(op, left, right) => operate::binary(self, node, *op, left, right),
            NodeKind::Conditional(parts) => self.conditional(node, parts),
            NodeKind::Splat(splat) => self.splat(splat),
            NodeKind::For(each) => self.repetition(each),
            NodeKind::Call(call) => crate::functions::call(self, node, call),
        }
    }

    fn reference(&self, index: usize) -> Outcome {
        let Some(Reference { subject, span, .. }) = self.references.get(index) else {
            return Err(Diagnostic::error("Invalid reference").into());
        };
        let environment = self.scope.environment();
        let path = |p: &std::path::Path| Ok(text_value(&crate::paths::slashed(p)));
        match subject {
            Subject::Path(name) if &**name == "module" => path(&environment.module),
            Subject::Path(name) if &**name == "cwd" => path(&environment.cwd),
            Subject::Path(_) => Ok(".".into()),
            Subject::Terraform(name) if &**name == "applying" => {
                Ok(Value::from(environment.applying).with_marks(Marks::EPHEMERAL))
            }
            Subject::Terraform(_) if environment.workspace.is_empty() => Ok("default".into()),
            Subject::Terraform(_) => Ok(text_value(&environment.workspace)),
            subject => Ok(self.scope.resolve(subject, span)?),
        }
    }

    fn name(&self, node: &Node, name: &str) -> Outcome {
        let Some(frame) = self.frame else { return Err(self.fail(node, "Unknown variable", "It is bound nowhere.")) };
        if let Some(value) = frame.find(name) {
            return Ok(value.clone());
        }
        if let Some(value) = frame.find(TEMPLATE).and_then(|vars| vars.get(name)) {
            return Ok(value.clone());
        }
        let span = self.span(node);
        let (line, column) = span.line_column();
        let path = &span.source.path;
        let end = column + name.chars().count();
        let detail = format!("vars map does not contain key {name:?}, referenced at {path}:{line},{column}-{end}");
        Err(Diagnostic::error(MISSING_TEMPLATE_VARIABLE).detail(detail).into())
    }

    /// An attribute that a whole resource with `count` or `for_each` lacks is one that its instances may have.
    fn access_failed(&self, node: &Node, source: &Node, value: &Value, problem: access::Problem) -> Diagnostics {
        if let (NodeKind::Ref(index), Kind::Tuple(_)) = (&source.kind, value.kind())
            && let Some(Reference { subject: subject @ (Subject::Resource { .. } | Subject::Module(_)), .. }) =
                self.references.get(*index)
        {
            let detail = format!(
                "Because {subject} has \"count\" set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    {subject}[count.index]"
            );
            return self.fail(node, "Missing resource instance key", detail);
        }
        self.fail(node, problem.summary, problem.detail)
    }

    fn object(&self, items: &[(Node, Node)]) -> Outcome {
        let mut out = BTreeMap::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        for (key_node, value_node) in items {
            let key = self.value(key_node)?;
            let value = self.value(value_node)?;
            if key.is_null() {
                return Err(self.fail(key_node, "Null value as key", "Can't use a null value as a key."));
            }
            marks = marks.union(key.marks());
            let key = convert(&key, &Type::String).map_err(|e| {
                self.fail(key_node, "Incorrect key type", format!("Can't use this value as a key: {}.", e.describe()))
            })?;
            match key.into_kind() {
                Kind::String(key) => drop(out.insert(key, value)),
                _ => known = false,
            }
        }
        let object: Value = Kind::Object(Arc::new(out)).into();
        Ok(if known { object.with_marks(marks) } else { Value::unknown(Type::Dynamic) })
    }

    fn template(&self, parts: &[Node]) -> Outcome {
        let mut text = String::new();
        let mut marks = Marks::NONE;
        let mut known = true;
        // What comes before the first part that is not known is known of the whole.
        for part in parts {
            let value = self.value(part)?;
            if value.is_null() {
                let detail = "The expression result is null. Cannot include a null value in a string template.";
                return Err(self.fail(part, "Invalid template interpolation value", detail));
            }
            marks = marks.union(value.marks());
            match value.kind() {
                Kind::Unknown(..) => known = false,
                Kind::String(s) if known => text.push_str(s),
                _ => match convert(&value, &Type::String) {
                    Ok(v) if known => text.push_str(v.as_str().unwrap_or_default()),
                    Ok(_) => {}
                    Err(e) => {
                        let detail = format!("Cannot include the given value in a string template: {}.", e.describe());
                        return Err(self.fail(part, "Invalid template interpolation value", detail));
                    }
                },
            }
        }
        let value = if known { text_value(&text) } else { Value::unknown(Type::String).not_null().with_prefix(&text) };
        Ok(value.with_marks(marks))
    }

    /// The elements of a template's `for`, which are all text, in a row.
    fn join(&self, tuple: &Node) -> Outcome {
        let value = self.value(tuple)?;
        let marks = value.marks_deep();
        let Some(items) = value.as_slice().filter(|_| value.is_wholly_known()) else {
            return Ok(Value::unknown(Type::String).not_null().with_marks(marks));
        };
        let text: String = items.iter().filter_map(Value::as_str).collect();
        Ok(text_value(&text).with_marks(marks))
    }
}
