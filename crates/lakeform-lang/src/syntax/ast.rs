//! The tree of an expression.

use std::{ops::Range, sync::Arc};

use indexmap::IndexMap;
use lakeform_core::{Type, Value};

use crate::{Expr, functions::Function};

/// An expression and where in its document it is written, in bytes.
#[derive(Debug)]
pub(crate) struct Node {
    pub start: u32,
    pub end: u32,
    pub kind: NodeKind,
}

impl Node {
    pub fn new(range: Range<usize>, kind: NodeKind) -> Self {
        Self { start: range.start as u32, end: range.end as u32, kind }
    }

    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One key of a TOML table.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Where the key is written.
    pub key: Range<usize>,
    pub value: Expr,
}

#[derive(Debug)]
pub(crate) enum NodeKind {
    Literal(Value),
    /// The parts, as text, one after the other.
    Template(Vec<Node>),
    /// The elements of a tuple, as text, one after the other: a `%{ for }` directive.
    Join(Box<Node>),
    Tuple(Vec<Node>),
    Object(Vec<(Node, Node)>),
    /// A TOML table whose keys are plain.
    Table(IndexMap<Arc<str>, Entry>),
    /// A TOML array.
    Array(Vec<Expr>),
    /// An expression with references of its own, inside a TOML table with templates for keys.
    Nested(Expr),
    /// A set of the elements: `for_each` given as a TOML array.
    SetOf(Expr),
    /// A name bound by `for`, `dynamic` or the variables of a template file.
    Name(Arc<str>),
    /// Index into the references of the expression.
    Ref(usize),
    Get(Box<Node>, Arc<str>),
    Index(Box<Node>, Box<Node>),
    Splat(Box<Splat>),
    Unary(UnaryOp, Box<Node>),
    Binary(BinaryOp, Box<Node>, Box<Node>),
    Conditional(Box<[Node; 3]>),
    Call(Box<Call>),
    For(Box<For>),
}

#[derive(Debug)]
pub(crate) struct Splat {
    pub source: Node,
    /// What is done with each element, which is bound to [`ITEM`](super::ITEM).
    pub each: Node,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub function: &'static Function,
    pub args: Vec<Node>,
    /// The last argument holds the rest of them: `f(xs...)`
    pub expand: bool,
}

#[derive(Debug)]
pub(crate) struct For {
    pub key_name: Option<Arc<str>>,
    pub value_name: Arc<str>,
    pub collection: Node,
    /// Makes an object.
    pub key: Option<Node>,
    pub value: Node,
    pub condition: Option<Node>,
    /// Values of one key are gathered in a tuple.
    pub group: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOp {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    And,
    Or,
}

impl BinaryOp {
    /// The type of what it gives.
    pub fn result(self) -> Type {
        match self {
            Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Modulo => Type::Number,
            _ => Type::Bool,
        }
    }
}
