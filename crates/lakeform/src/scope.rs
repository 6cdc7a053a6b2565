//! Expressions that may refer to nothing.

use lakeform_core::{Diagnostic, Span, Value};
use lakeform_lang::{Environment, Scope, Subject};

/// Refuses every reference: what a `.tfvars` file may hold.
pub(crate) struct NoReferences<'a> {
    pub(crate) environment: &'a Environment,
}

impl Scope for NoReferences<'_> {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        Err(Diagnostic::error(format!("`{subject}` cannot be used here"))
            .detail("values of variables cannot refer to anything")
            .span(span.clone()))
    }

    fn environment(&self) -> &Environment {
        self.environment
    }
}
