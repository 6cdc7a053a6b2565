//! Documents to modules.

mod block;
mod check;
mod document;
mod files;
mod guard;
mod item;
mod module;
mod refactoring;
mod resource;
mod section;
mod source;
mod stack;

use std::path::Path;

use lakeform_core::Diagnostics;

use crate::Stack;
pub(crate) use document::toml_problems;
pub(crate) use resource::attribute_path;
pub use source::{Fetch, GitSource};

/// Reads a stack: a file or a directory, with its `extends`, its `[values]` and its modules.
///
/// `path` may be relative to `cwd`. Diagnostics name files as seen from `cwd`.
///
/// # Errors
/// Every problem of every document, with its place. Warnings come with the stack.
pub fn load(path: &Path, cwd: &Path) -> Result<(Stack, Diagnostics), Diagnostics> {
    stack::from_path(path, cwd, None)
}

/// As [`load`], with modules from elsewhere, which `fetch` makes available.
///
/// # Errors
/// As [`load`], and what cannot be fetched.
pub fn load_with(path: &Path, cwd: &Path, fetch: &dyn Fetch) -> Result<(Stack, Diagnostics), Diagnostics> {
    stack::from_path(path, cwd, Some(fetch))
}

/// Reads a stack from text, as if it were in a file of that name. `extends` and module sources are refused.
///
/// # Errors
/// Every problem of the document, with its place. Warnings come with the stack.
pub fn load_str(name: &str, text: &str) -> Result<(Stack, Diagnostics), Diagnostics> {
    stack::from_text(name, text)
}
