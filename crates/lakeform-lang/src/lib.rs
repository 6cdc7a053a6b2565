//! The stack language: TOML documents in, modules and expressions with their places out; evaluation, functions,
//! validation and formatting.
//!
//! [`load`] reads a stack and everything it names; [`validate`](validate()) finds what is wrong with it without calling
//! anything; an [`Expr`] or a [`Body`] is evaluated in a [`Scope`] that the caller provides. The meaning of everything is
//! that of Terraform's configuration language 1.11. Nothing here reads the environment or the clock: [`Environment`]
//! brings them.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod body;
mod eval;
mod expr;
mod format;
mod freeze;
mod functions;
mod guard;
mod load;
mod model;
mod paths;
mod refactoring;
mod reference;
mod render;
mod suggest;
mod syntax;
mod types;
mod validate;

pub use body::Body;
pub use eval::{Environment, Scope, StaticScope};
pub use expr::{AttributeOf, Expr, KeyOf, parse_expression};
pub use format::format;
pub use freeze::Freeze;
pub use guard::{Guard, GuardBlock, pattern_covers};
pub use load::{Fetch, GitSource, load, load_str, load_with};
pub use model::{
    Backend, Check, CheckBlock, IgnoreChanges, Lifecycle, Module, ModuleCall, Output, ProviderConfig, ProviderRef,
    Provisioner, Resource, ResourceKey, Stack, Variable, When,
};
pub use refactoring::{Endpoint, Import, ImportTarget, Moved, Removed};
pub use reference::{Reference, Subject};
pub use render::render;
pub use types::TypeConstraint;
pub use validate::{Schemas, ephemeral_expansion, validate};
