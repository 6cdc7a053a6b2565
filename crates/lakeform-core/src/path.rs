//! Paths into a value.

use std::{fmt, sync::Arc};

use crate::Value;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// An attribute of an object, or a nested block type: `.name`
    Attr(Arc<str>),
    /// An element of a list or tuple: `[0]`
    Index(usize),
    /// An element of a map: `["key"]`
    Key(Arc<str>),
    /// An element of a set, named by its value.
    Element(Value),
}

/// Where in a value something is. Displays as in Terraform: `rule[0].filter["a"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The path of the value itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of one attribute of the root object.
    pub fn attr(name: impl Into<Arc<str>>) -> Self {
        Self(vec![Step::Attr(name.into())])
    }

    /// This path and one more step.
    pub fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Whether `self` equals `other` or lies inside it.
    pub fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attr(name) => write!(f, "{}{name}", if i > 0 { "." } else { "" })?,
                Step::Index(n) => write!(f, "[{n}]")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Element(_) => f.write_str("[...]")?,
            }
        }
        Ok(())
    }
}
