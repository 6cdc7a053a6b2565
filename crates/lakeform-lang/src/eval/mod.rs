//! Where an expression is evaluated, and how.

mod access;
mod compare;
mod conditional;
mod evaluation;
mod fixed;
mod iterate;
mod operate;
mod scope;

pub(crate) use compare::equal;
pub(crate) use evaluation::{Evaluation, Frame, MISSING_TEMPLATE_VARIABLE, TEMPLATE};
pub use fixed::StaticScope;
pub(crate) use iterate::elements;
pub use scope::{Environment, Scope};
