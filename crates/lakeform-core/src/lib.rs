//! The words every part of lakeform shares: addresses, values, types, paths, schemas and diagnostics.
//!
//! Nothing here reads a file, the environment or the clock, and nothing here is asynchronous. Names follow Terraform's
//! own vocabulary, so that a reader who knows one knows the other.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod address;
mod convert;
pub mod diagnostic;
pub mod json;
mod number;
mod path;
mod refinement;
pub mod schema;
mod set_order;
mod ty;
mod value;

pub use address::{ConfigAddress, InstanceAddress, InstanceKey, Mode, ModuleInstance, ModulePath, ResourceAddress};
pub use convert::{ConvertError, convert, unify};
pub use diagnostic::{Diagnostic, Diagnostics, Severity, Source, Span};
pub use number::Number;
pub use path::{Path, Step};
pub use refinement::Refinement;
pub use schema::{Attribute, Block, NestedBlock, Nesting, Schema};
pub use ty::Type;
pub use value::{Kind, Marks, Value};
