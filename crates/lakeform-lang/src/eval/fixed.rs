//! A scope of what is known before anything is planned.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use lakeform_core::{Diagnostic, Span, Value};

use super::{Environment, Scope};
use crate::{Expr, Module, Stack, Subject, Variable};

/// The variables and locals of a module, for what must be known before planning: the backend, a module's source. A
/// variable without a value is unknown; anything else may not be referred to.
#[derive(Debug)]
pub struct StaticScope {
    variables: BTreeMap<Arc<str>, Result<Value, String>>,
    locals: BTreeMap<Arc<str>, Expr>,
    environment: Environment,
    /// Locals being evaluated.
    open: RefCell<Vec<Arc<str>>>,
}

impl StaticScope {
    /// The scope of a stack's root module: `[values]`, over them `given`.
    pub fn new(stack: &Stack, given: &BTreeMap<Arc<str>, Value>, environment: Environment) -> Self {
        let mut values: BTreeMap<Arc<str>, Value> =
            stack.values.iter().map(|(k, (v, _))| (k.clone(), v.clone())).collect();
        values.extend(given.iter().map(|(k, v)| (k.clone(), v.clone())));
        Self::of_module(&stack.root, values, environment)
    }

    pub(crate) fn of_module(module: &Module, mut values: BTreeMap<Arc<str>, Value>, environment: Environment) -> Self {
        let mut prepare = |name: &Arc<str>, variable: &Variable| match values.remove(name) {
            None if variable.default.is_none() => Ok(Value::unknown(variable.ty.ty().clone())),
            given => variable.prepare(given).map_err(|e| e.describe()),
        };
        let variables = module.variables.iter().map(|(n, v)| (n.clone(), prepare(n, v))).collect();
        let locals = module.locals.iter().map(|(n, e)| (n.clone(), e.clone())).collect();
        Self { variables, locals, environment, open: RefCell::default() }
    }
}

impl Scope for StaticScope {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        let fail = |summary: &str, detail: String| Err(Diagnostic::error(summary).detail(detail).span(span.clone()));
        match subject {
            Subject::Variable(name) => match self.variables.get(name) {
                Some(Ok(value)) => Ok(value.clone()),
                Some(Err(why)) => fail(
                    "Invalid value for input variable",
                    format!("The given value is not suitable for var.{name}: {why}."),
                ),
                None => fail(
                    "Reference to undeclared input variable",
                    format!("An input variable with the name \"{name}\" has not been declared."),
                ),
            },
            Subject::Local(name) => {
                let Some(expr) = self.locals.get(name) else {
                    return fail(
                        "Reference to undeclared local value",
                        format!("A local value with the name \"{name}\" has not been declared."),
                    );
                };
                if self.open.borrow().contains(name) {
                    return fail("Cycle", format!("local.{name} refers to itself."));
                }
                self.open.borrow_mut().push(name.clone());
                let value = expr.evaluate(self);
                self.open.borrow_mut().pop();
                value.map_err(|problems| {
                    problems.0.into_iter().next().unwrap_or_else(|| Diagnostic::error(format!("local.{name} failed")))
                })
            }
            other => fail(
                "Not known before planning",
                format!("{other} cannot be used here: only variables and locals are known this early."),
            ),
        }
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }
}
