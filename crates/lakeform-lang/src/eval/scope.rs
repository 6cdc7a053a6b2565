//! What an expression is evaluated in.

use std::path::PathBuf;

use lakeform_core::{Diagnostic, Span, Value};

use crate::Subject;

/// What an expression is evaluated in: gives the values of what it refers to.
pub trait Scope {
    /// The value of a subject. [`Subject::Path`] and [`Subject::Terraform`] are never asked for.
    ///
    /// # Errors
    /// When there is no such thing here, or its value cannot be told.
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic>;

    /// What does not depend on the stack.
    fn environment(&self) -> &Environment;
}

/// What an expression may see of the world around the stack. The caller hands it in.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The root module's directory: what relative paths start from.
    pub root: PathBuf,
    /// The current module's directory as `path.module` prints it: [`Module::dir`](crate::Module::dir).
    pub module: PathBuf,
    /// `path.cwd`
    pub cwd: PathBuf,
    /// What `~` stands for in `pathexpand` and the functions that read files.
    pub home: Option<PathBuf>,
    /// `terraform.workspace`; empty stands for `default`.
    pub workspace: String,
    /// `terraform.applying`
    pub applying: bool,
    /// What `timestamp` gives. `None` while planning: `timestamp`, `uuid` and `bcrypt` are unknown then.
    pub now: Option<jiff::Timestamp>,
    /// What `plantimestamp` gives: when the plan began. `None` makes it unknown.
    pub plan_time: Option<jiff::Timestamp>,
}
