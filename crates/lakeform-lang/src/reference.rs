//! What an expression refers to.

use std::{fmt, sync::Arc};

use lakeform_core::{Mode, Span, Step};

/// A reference in an expression: to what, where, and which part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// What it refers to.
    pub subject: Subject,
    /// Where it is written.
    pub span: Span,
    /// The attributes and constant indexes that follow the subject, up to the first index or splat that is not
    /// constant: for `aws_x.y[0].arn` they are `[0]` and `.arn`.
    pub rest: Vec<Step>,
}

/// What a [`Reference`] refers to. A [`Scope`](crate::Scope) gives the whole subject's value; the evaluator goes on from
/// there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// `var.NAME`
    Variable(Arc<str>),
    /// `local.NAME`
    Local(Arc<str>),
    /// `module.NAME`: an object of its outputs; with `count` a tuple of them, with `for_each` an object of them by key.
    Module(Arc<str>),
    /// `TYPE.NAME`, `data.TYPE.NAME`, `ephemeral.TYPE.NAME`: the object; with `count` a tuple of them, with `for_each` an object of them by key.
    Resource {
        /// Managed, data or ephemeral.
        mode: Mode,
        /// The type.
        ty: Arc<str>,
        /// The name.
        name: Arc<str>,
    },
    /// `each`: an object of `key` and `value`.
    Each,
    /// `count`: an object of `index`.
    Count,
    /// `self`: the object itself.
    SelfRef,
    /// `path.NAME`; the evaluator answers it from the [`Environment`](crate::Environment).
    Path(Arc<str>),
    /// `terraform.NAME`; the evaluator answers it from the [`Environment`](crate::Environment).
    Terraform(Arc<str>),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "var.{name}"),
            Self::Local(name) => write!(f, "local.{name}"),
            Self::Module(name) => write!(f, "module.{name}"),
            Self::Resource { mode, ty, name } => write!(f, "{}{ty}.{name}", mode.prefix()),
            Self::Each => f.write_str("each"),
            Self::Count => f.write_str("count"),
            Self::SelfRef => f.write_str("self"),
            Self::Path(name) => write!(f, "path.{name}"),
            Self::Terraform(name) => write!(f, "terraform.{name}"),
        }
    }
}
