//! Expressions as trees, and how they come from text.

mod ast;
mod hcl;
mod reference;
mod simple;
mod template;
mod text;

pub(crate) use ast::{BinaryOp, Call, Entry, For, Node, NodeKind, Splat, UnaryOp};
pub(crate) use hcl::{expression, template};
pub(crate) use template::text_value;
pub(crate) use text::{Offsets, Parser};

/// The name that stands for the current element in what follows a splat. No identifier can be the same.
pub(crate) const ITEM: &str = "*";
