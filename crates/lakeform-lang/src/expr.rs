//! Expressions: parsed once, evaluated as often as needed.

use std::{ops::Range, sync::Arc};

use lakeform_core::{Diagnostics, Mode, Source, Span, Value};

use crate::{
    Reference, Scope, Subject,
    eval::{Evaluation, Frame},
    syntax::{self, Node, NodeKind, Offsets, Parser},
};

/// An expression of the language, with its place and what it refers to. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Expr(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    span: Span,
    references: Vec<Reference>,
    node: Node,
}

/// An attribute of a managed resource of the same module; see [`Expr::as_attribute`].
#[derive(Clone, Copy, Debug)]
pub struct AttributeOf<'a> {
    /// The resource's type.
    pub ty: &'a Arc<str>,
    /// Its name.
    pub name: &'a Arc<str>,
    /// Which instance.
    pub key: KeyOf<'a>,
    /// The attribute.
    pub attribute: &'a Arc<str>,
}

/// The key of an instance that an expression refers to.
#[derive(Clone, Copy, Debug)]
pub enum KeyOf<'a> {
    /// It has none.
    None,
    /// One that is written out.
    Literal(&'a Value),
    /// That of the instance that the expression belongs to.
    Own,
}

impl Expr {
    pub(crate) fn new(source: &Arc<Source>, range: Range<usize>, node: Node, references: Vec<Reference>) -> Self {
        Self(Arc::new(Inner { span: Span { source: source.clone(), range }, references, node }))
    }

    /// An expression that is a value.
    pub(crate) fn of_value(span: Span, value: Value) -> Self {
        let node = Node::new(span.range.clone(), NodeKind::Literal(value));
        Self(Arc::new(Inner { span, references: Vec::new(), node }))
    }

    /// The same elements as a set, where this is a TOML array.
    pub(crate) fn array_as_set(self) -> Self {
        if !matches!(self.0.node.kind, NodeKind::Array(_)) {
            return self;
        }
        let (span, references) = (self.0.span.clone(), self.0.references.clone());
        let node = Node::new(span.range.clone(), NodeKind::SetOf(self));
        Self(Arc::new(Inner { span, references, node }))
    }

    pub(crate) fn node(&self) -> &Node {
        &self.0.node
    }

    /// Where it is written.
    pub fn span(&self) -> &Span {
        &self.0.span
    }

    /// Everything it refers to; what stands in an index comes before what is indexed. Names bound by `for` and `dynamic` are left out.
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// Its value, if it is written out: a number, a bool, a string without `${` or `%{`.
    pub fn literal(&self) -> Option<&Value> {
        match &self.0.node.kind {
            NodeKind::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// What it refers to, where it is nothing but an attribute of a managed resource of its module: `aws_x.y.id`,
    /// `aws_x.y["a"].id`, `aws_x.y[each.key].id`.
    pub fn as_attribute(&self) -> Option<AttributeOf<'_>> {
        let NodeKind::Get(of, attribute) = &self.single()?.kind else { return None };
        let (of, key) = match &of.kind {
            NodeKind::Index(of, index) => (of, Some(&**index)),
            _ => (of, None),
        };
        let subject = |node| self.subject(node);
        let Subject::Resource { mode: Mode::Managed, ty, name } = subject(of)? else { return None };
        let key = match key.map(|key| &key.kind) {
            None => KeyOf::None,
            Some(NodeKind::Literal(value)) => KeyOf::Literal(value),
            Some(NodeKind::Get(of, name)) => match (subject(of)?, &**name) {
                (Subject::Each, "key") | (Subject::Count, "index") => KeyOf::Own,
                _ => return None,
            },
            Some(_) => return None,
        };
        Some(AttributeOf { ty, name, key, attribute })
    }

    /// The variable that it is, where it is nothing else.
    pub fn as_variable(&self) -> Option<&Arc<str>> {
        match self.subject(self.single()?)? {
            Subject::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// What it is, or what it is as a template of one part: as TOML has it.
    fn single(&self) -> Option<&Node> {
        match &self.node().kind {
            NodeKind::Template(parts) => match &parts[..] {
                [one] => Some(one),
                _ => None,
            },
            _ => Some(self.node()),
        }
    }

    /// What a node refers to.
    fn subject(&self, node: &Node) -> Option<&Subject> {
        match node.kind {
            NodeKind::Ref(i) => self.references().get(i).map(|reference| &reference.subject),
            _ => None,
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// When the expression fails there, or the scope lacks what it refers to.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, Diagnostics> {
        self.evaluate_in(scope, None)
    }

    /// Its value where names are bound by what encloses it.
    pub(crate) fn evaluate_in(&self, scope: &dyn Scope, frame: Option<&Frame>) -> Result<Value, Diagnostics> {
        if let Some(value) = self.literal() {
            return Ok(value.clone());
        }
        Evaluation { scope, source: &self.0.span.source, references: &self.0.references, frame }.value(&self.0.node)
    }
}

/// Parses an expression as `lakeform console` takes it: an expression, not a template.
///
/// # Errors
/// When it is none, or names a function that does not exist.
pub fn parse_expression(text: &str) -> Result<Expr, Diagnostics> {
    let source = Arc::new(Source { path: "<expression>".into(), text: text.to_owned() });
    parse_in(&source, 0..text.len(), text, &Offsets::plain(0))
}

/// Parses the expression `text` of a document.
pub(crate) fn parse_in(
    source: &Arc<Source>,
    range: Range<usize>,
    text: &str,
    offsets: &Offsets,
) -> Result<Expr, Diagnostics> {
    let mut parser = Parser::new(source);
    let node = syntax::expression(&mut parser, text, offsets);
    if parser.errors.is_empty() {
        Ok(Expr::new(source, range, node, parser.references))
    } else {
        Err(Diagnostics(parser.errors))
    }
}
