//! A scope in which everything is of its declared type and not known yet.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use lakeform_core::{Diagnostic, Marks, Mode, Span, Type, Value};

use super::Schemas;
use crate::{Environment, Module, Scope, Subject, Variable};

/// One module while it is validated.
pub(super) struct Unevaluated<'a> {
    module: &'a Module,
    schemas: &'a dyn Schemas,
    environment: Environment,
    /// Locals that have been evaluated; those being evaluated are unknown.
    locals: RefCell<BTreeMap<Arc<str>, Value>>,
    /// Where references stand that lead nowhere.
    lost: RefCell<HashSet<(usize, usize)>>,
    /// `self`
    pub own: Option<Type>,
}

impl<'a> Unevaluated<'a> {
    pub fn new(module: &'a Module, schemas: &'a dyn Schemas, environment: Environment) -> Self {
        Self { module, schemas, environment, locals: RefCell::default(), lost: RefCell::default(), own: None }
    }

    /// From now on nothing is known of what the reference at this place leads to.
    pub fn give_up(&self, span: &Span) {
        self.lost.borrow_mut().insert(place(span));
    }

    fn local(&self, name: &Arc<str>) -> Value {
        if let Some(known) = self.locals.borrow().get(name) {
            return known.clone();
        }
        let nothing = Value::unknown(Type::Dynamic);
        self.locals.borrow_mut().insert(name.clone(), nothing.clone());
        // Its own problems are reported where it is declared.
        let value = self.module.locals.get(name).and_then(|e| e.evaluate(self).ok()).unwrap_or(nothing);
        self.locals.borrow_mut().insert(name.clone(), value.clone());
        value
    }
}

impl Unevaluated<'_> {
    /// The outputs of a called module: of none is more known than how it is marked.
    fn outputs(&self, call: &Arc<str>) -> Value {
        match self.module.calls.get(call) {
            Some(call) if call.count.is_none() && call.for_each.is_none() => Value::object(
                call.module
                    .outputs
                    .iter()
                    .map(|(name, output)| (name.clone(), Value::unknown(Type::Dynamic).with_marks(output.marks()))),
            ),
            _ => Value::unknown(Type::Dynamic),
        }
    }
}

fn place(span: &Span) -> (usize, usize) {
    (Arc::as_ptr(&span.source) as usize, span.range.start)
}

impl Scope for Unevaluated<'_> {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        if self.lost.borrow().contains(&place(span)) {
            return Ok(Value::unknown(Type::Dynamic));
        }
        let marks = match subject {
            Subject::Variable(name) => self.module.variables.get(name).map_or(Marks::NONE, Variable::marks),
            Subject::Resource { mode, .. } => Marks::of(false, *mode == Mode::Ephemeral),
            _ => Marks::NONE,
        };
        let ty = match subject {
            Subject::Variable(name) => self.module.variables.get(name).map(|v| v.ty.ty().clone()),
            Subject::Local(name) => return Ok(self.local(name)),
            Subject::Each => Some(Type::object([("key", Type::String), ("value", Type::Dynamic)])),
            Subject::Count => Some(Type::object([("index", Type::Number)])),
            Subject::SelfRef => self.own.clone(),
            Subject::Resource { mode, ty, name } => self
                .module
                .resources
                .get(&(*mode, ty.clone(), name.clone()))
                .filter(|r| r.count.is_none() && r.for_each.is_none())
                .and_then(|r| Some(self.schemas.resource(r.mode, &r.ty)?.block.ty())),
            Subject::Module(name) => return Ok(self.outputs(name)),
            Subject::Path(_) | Subject::Terraform(_) => None,
        };
        let value = match ty {
            // The names in `each` and `count` are known even where their values are not.
            Some(Type::Object(ts)) if matches!(subject, Subject::Each | Subject::Count) => {
                Value::object(ts.iter().map(|(k, t)| (k.clone(), Value::unknown(t.clone()))))
            }
            Some(ty) => Value::unknown(ty),
            None => Value::unknown(Type::Dynamic),
        };
        Ok(value.with_marks(marks))
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }
}
