//! Each module once, each call with its inputs.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lakeform_core::{Diagnostic, Diagnostics, Marks, Mode, Span, Type, Value, address::Target};

use super::{
    Schemas,
    references::{Place, References},
    scope::Unevaluated,
};
use crate::{
    Check, Environment, Expr, IgnoreChanges, Module, ModuleCall, Moved, ProviderRef, Resource, Stack, StaticScope,
    TypeConstraint, suggest::nearest,
};

struct Checker<'a> {
    stack: &'a Stack,
    schemas: &'a dyn Schemas,
    out: &'a mut Diagnostics,
    /// Modules that have been looked at.
    done: BTreeSet<usize>,
}

/// The whole stack.
pub(super) fn stack(stack: &Stack, schemas: &dyn Schemas, out: &mut Diagnostics) {
    let mut checker = Checker { stack, schemas, out, done: BTreeSet::new() };
    checker.values();
    let none = BTreeSet::new();
    checker.module(&stack.root, true, &none);
    if let Some(backend) = &stack.backend {
        let root = References { module: &stack.root, schemas, root: true };
        let scope = Unevaluated::new(&stack.root, schemas, Environment::default());
        root.check(backend.body.references(), Place::default(), &scope, checker.out);
    }
    if let Some(guard) = &stack.guard {
        let root = References { module: &stack.root, schemas, root: true };
        let scope = Unevaluated::new(&stack.root, schemas, Environment::default());
        root.check(guard.references(), Place::default(), &scope, checker.out);
        let environment = Environment { root: stack.root_dir.clone(), ..Environment::default() };
        checker.out.extend(guard.problems(&StaticScope::new(stack, &BTreeMap::new(), environment)));
    }
}

impl Checker<'_> {
    fn error(&mut self, span: &Span, summary: impl Into<String>, detail: impl Into<String>, help: Option<String>) {
        let mut problem = Diagnostic::error(summary).detail(detail).span(span.clone());
        problem.help = help;
        self.out.push(problem);
    }

    /// An object moves to another type only where that type knows how to take it over.
    fn moved(&mut self, module: &Module) {
        for Moved { from, to, span } in &module.moved {
            if let (Target::Resource(a), Target::Resource(b)) = (&from.0, &to.0)
                && a.resource.ty != b.resource.ty
                && !self.schemas.takes_over(&b.resource.ty, &a.resource.ty)
            {
                let detail = format!("An object cannot become one of another type: {from} is no {}.", b.resource.ty);
                self.error(span, "Resource type mismatch", detail, None);
            }
        }
    }

    fn values(&mut self) {
        for (name, (value, span)) in &self.stack.values {
            match self.stack.root.variables.get(name) {
                None => {
                    let near = nearest(name, self.stack.root.variables.keys().map(|k| &**k));
                    let mut warning = Diagnostic::warning("Value for undeclared variable")
                        .detail(format!("The stack gives a value to \"{name}\", but it has no variable of that name."))
                        .span(span.clone());
                    warning.help = near.map(|n| format!("did you mean `{n}`?"));
                    self.out.push(warning);
                }
                Some(variable) => {
                    if let Err(e) = variable.prepare(Some(value.clone())) {
                        let detail = format!("The given value is not suitable for var.{name}: {}.", e.describe());
                        self.error(span, "Invalid value for input variable", detail, None);
                    }
                }
            }
        }
    }

    /// `passed` are the provider configurations that the caller hands in.
    fn module(&mut self, module: &Arc<Module>, root: bool, passed: &BTreeSet<ProviderRef>) {
        self.provider_aliases(module, passed);
        for call in module.calls.values() {
            self.call_interface(call);
            let passed = call.providers.keys().cloned().collect();
            self.module(&call.module.clone(), false, &passed);
        }
        if !self.done.insert(Arc::as_ptr(module) as usize) {
            return;
        }
        let environment =
            Environment { root: self.stack.root_dir.clone(), module: module.dir.clone(), ..Environment::default() };
        self.moved(module);
        let mut scope = Unevaluated::new(module, self.schemas, environment);
        let references = References { module, schemas: self.schemas, root };
        let nowhere = Place::default();
        for (name, variable) in &module.variables {
            self.checks(&variable.validations, &references, &scope, nowhere);
            if !variable.nullable && variable.default.as_ref().is_some_and(Value::is_null) {
                self.error(
                    &variable.span,
                    "Invalid default value for variable",
                    format!("var.{name} is not nullable, and its default is null."),
                    None,
                );
            }
        }
        for expr in module.locals.values() {
            self.expr(expr, &references, &scope, nowhere);
        }
        for output in module.outputs.values() {
            references.check(output.value.references(), nowhere, &scope, self.out);
            self.body(output.evaluate(&scope));
            if root && output.ephemeral {
                let detail = "Ephemeral outputs are not allowed in context of a root module";
                self.error(&output.span, "Ephemeral output not allowed", detail, None);
            }
            references.check(&output.depends_on, nowhere, &scope, self.out);
            self.checks(&output.preconditions, &references, &scope, nowhere);
        }
        for provider in &module.providers {
            references.check(provider.body.references(), nowhere, &scope, self.out);
            match self.schemas.provider(&provider.name) {
                Some(schema) => {
                    self.body(provider.body.evaluate_as(&schema.block, &scope, &format!("provider {}", provider.name)))
                }
                None => self.unknown_provider(&provider.name, &provider.span),
            }
        }
        for resource in module.resources.values() {
            self.resource(resource, &references, &mut scope);
        }
        for import in &module.imports {
            let place = Place { each: import.for_each.is_some(), ..Place::default() };
            self.expansion(None, import.for_each.as_ref(), None, &references, &scope, nowhere);
            if self.expr(&import.id, &references, &scope, place).is_some_and(|id| id.is_ephemeral()) {
                let detail = "The import ID cannot be ephemeral: it is kept in the state.";
                self.error(import.id.span(), "Invalid import id argument", detail, None);
            }
            references.check(import.references(), place, &scope, self.out);
            if import.provider.is_some() && module.block(&import.to.config).is_some() {
                let detail = "The provider argument can only be specified in import blocks that will generate configuration. Use the provider argument in the target resource block to configure the provider for a resource with explicit provider configuration.";
                self.error(&import.span, "Invalid import provider argument", detail, None);
            }
        }
        for (name, check) in &module.checks {
            self.checks(&check.asserts, &references, &scope, Place { check: Some(name), ..nowhere });
        }
        for call in module.calls.values() {
            let place = Place { each: call.for_each.is_some(), count: call.count.is_some(), ..Place::default() };
            self.expansion(
                call.count.as_ref(),
                call.for_each.as_ref(),
                call.enabled.as_ref(),
                &references,
                &scope,
                nowhere,
            );
            references.check(&call.depends_on, nowhere, &scope, self.out);
            for (name, expr) in &call.inputs {
                let Some(value) = self.expr(expr, &references, &scope, place) else { continue };
                if let Some(variable) = call.module.variables.get(name) {
                    self.fits(&value, &variable.ty, expr.span(), name);
                    self.body(variable.refuse_ephemeral(&value, expr.span()).map(|()| value));
                }
            }
        }
    }

    fn unknown_provider(&mut self, name: &str, span: &Span) {
        let known = self.schemas.providers();
        let near = nearest(name, known.iter().copied()).map(|n| format!("did you mean `{n}`?"));
        self.error(span, format!("Unknown provider `{name}`"), format!("Known are {}.", known.join(", ")), near);
    }

    fn fits(&mut self, value: &Value, ty: &TypeConstraint, span: &Span, name: &str) {
        if let Err(e) = ty.apply(value.clone()) {
            let detail =
                format!("The given value is not suitable for child module variable \"{name}\": {}.", e.describe());
            self.error(span, "Invalid value for module argument", detail, None);
        }
    }

    /// An expression's references, and what evaluating it with nothing known shows; its value if it has one.
    fn expr(&mut self, expr: &Expr, references: &References, scope: &Unevaluated, place: Place) -> Option<Value> {
        references.check(expr.references(), place, scope, self.out);
        match expr.evaluate(scope) {
            Ok(value) => Some(value),
            Err(problems) => {
                self.out.extend(problems);
                None
            }
        }
    }

    fn body(&mut self, result: Result<Value, Diagnostics>) {
        if let Err(problems) = result {
            self.out.extend(problems);
        }
    }

    /// An expression that must give a bool.
    fn truth(&mut self, expr: &Expr, what: &str, references: &References, scope: &Unevaluated, place: Place) {
        let Some(value) = self.expr(expr, references, scope, place) else { return };
        if lakeform_core::convert(&value, &Type::Bool).is_err() {
            self.error(
                expr.span(),
                format!("{what} must be true or false"),
                format!("It is {}.", value.ty().friendly_name()),
                None,
            );
        }
    }

    fn checks(&mut self, checks: &[Check], references: &References, scope: &Unevaluated, place: Place) {
        for check in checks {
            if check.condition.references().is_empty() {
                let detail = "It refers to nothing, so its result would always be the same.";
                self.error(check.condition.span(), "Invalid condition", detail, None);
            }
            self.truth(&check.condition, "A condition", references, scope, place);
            if let Some(value) = self.expr(&check.error_message, references, scope, place)
                && lakeform_core::convert(&value, &Type::String).is_err()
            {
                self.error(
                    check.error_message.span(),
                    "An error message must be a string",
                    format!("It is {}.", value.ty().friendly_name()),
                    None,
                );
            }
        }
    }

    fn expansion(
        &mut self,
        count: Option<&Expr>,
        for_each: Option<&Expr>,
        enabled: Option<&Expr>,
        references: &References,
        scope: &Unevaluated,
        place: Place,
    ) {
        if let Some(expr) = count
            && let Some(value) = self.expr(expr, references, scope, place)
        {
            if value.is_ephemeral() {
                self.out.push(ephemeral_expansion("count", expr.span()));
            } else if let Some(why) = unsuitable_count(&value) {
                self.error(
                    expr.span(),
                    "Invalid count argument",
                    format!("The given \"count\" argument value is unsuitable: {why}."),
                    None,
                );
            }
        }
        if let Some(expr) = for_each
            && let Some(value) = self.expr(expr, references, scope, place)
        {
            if value.marks().contains(Marks::EPHEMERAL) {
                self.out.push(ephemeral_expansion("for_each", expr.span()));
            } else if let Some(why) = unsuitable_for_each(&value) {
                self.error(
                    expr.span(),
                    "Invalid for_each argument",
                    format!("The given \"for_each\" argument value is unsuitable: {why}."),
                    None,
                );
            }
        }
        if let Some(expr) = enabled {
            self.truth(expr, "`enabled`", references, scope, place);
        }
    }

    fn resource(&mut self, resource: &Resource, references: &References, scope: &mut Unevaluated) {
        let outside = Place { resource: Some(resource), check: resource.check.as_deref(), ..Place::default() };
        let inside = Place { each: resource.for_each.is_some(), count: resource.count.is_some(), ..outside };
        references.check(&resource.depends_on, outside, scope, self.out);
        let Some(schema) = self.schemas.resource(resource.mode, &resource.ty) else {
            self.unknown_type(resource);
            return;
        };
        let block = &schema.block;
        self.expansion(
            resource.count.as_ref(),
            resource.for_each.as_ref(),
            resource.switch(block),
            references,
            scope,
            outside,
        );
        references.check(resource.body.references(), inside, scope, self.out);
        self.body(resource.evaluate(block, scope));
        let lifecycle = &resource.lifecycle;
        for (expr, name) in [
            (&lifecycle.create_before_destroy, "`create_before_destroy`"),
            (&lifecycle.prevent_destroy, "`prevent_destroy`"),
        ] {
            if let Some(expr) = expr {
                self.truth(expr, name, references, scope, inside);
            }
        }
        match &lifecycle.ignore_changes {
            IgnoreChanges::Paths(paths) => {
                for path in paths {
                    let Some(lakeform_core::Step::Attr(name)) = path.0.first() else { continue };
                    if !block.attributes.contains_key(name) && !block.blocks.contains_key(name) {
                        let known = block.attributes.keys().chain(block.blocks.keys());
                        let near = nearest(name, known.map(|k| &**k)).map(|n| format!("did you mean `{n}`?"));
                        let span = resource.span.clone();
                        self.error(
                            &span,
                            format!("Unknown attribute `{name}` in ignore_changes"),
                            format!("{} has no such attribute.", resource.ty),
                            near,
                        );
                    }
                }
            }
            IgnoreChanges::Expr(expr) => drop(self.expr(expr, references, scope, inside)),
            IgnoreChanges::None | IgnoreChanges::All => {}
        }
        for trigger in &lifecycle.replace_triggered_by {
            references.check(trigger.references(), inside, scope, self.out);
        }
        self.checks(&lifecycle.preconditions, references, scope, inside);
        scope.own = Some(block.ty());
        self.checks(&lifecycle.postconditions, references, scope, Place { own: true, resource: None, ..inside });
        for provisioner in &resource.provisioners {
            references.check(provisioner.body.references(), Place { own: true, ..inside }, scope, self.out);
            match self.schemas.provisioner(&provisioner.kind) {
                Some(arguments) => self.body(provisioner.body.evaluate(arguments, scope)),
                None => self.error(
                    &provisioner.span,
                    format!("Unknown provisioner `{}`", provisioner.kind),
                    "There is only `local-exec`.".to_owned(),
                    None,
                ),
            }
        }
        scope.own = None;
    }

    fn unknown_type(&mut self, resource: &Resource) {
        let (article, word) = match resource.mode {
            Mode::Managed => ("a", "resource type"),
            Mode::Data => ("a", "data source"),
            Mode::Ephemeral => ("an", "ephemeral resource type"),
        };
        let near = nearest(&resource.ty, self.schemas.names(resource.mode)).map(|n| format!("did you mean `{n}`?"));
        let help = near.or_else(|| {
            let mut others = [Mode::Managed, Mode::Data, Mode::Ephemeral].into_iter().filter(|m| *m != resource.mode);
            let there = others.find(|mode| self.schemas.resource(*mode, &resource.ty).is_some())?;
            Some(format!("there is `{}.{}`", there.section(), resource.ty))
        });
        self.error(
            &resource.span,
            format!("Unknown {word} `{}`", resource.ty),
            format!("No provider has {article} {word} of that name."),
            help,
        );
    }

    /// Aliases that a module uses and nobody configures.
    fn provider_aliases(&mut self, module: &Module, passed: &BTreeSet<ProviderRef>) {
        let configured = |wanted: &ProviderRef| {
            wanted.alias.is_none()
                || passed.contains(wanted)
                || module.providers.iter().any(|p| p.name == wanted.name && p.alias == wanted.alias)
        };
        let resources = module.resources.values().filter_map(|r| Some((r.provider.as_ref()?, &r.span)));
        let calls = module.calls.values().flat_map(|c| c.providers.values().map(|p| (p, &c.span)));
        let imports = module.imports.iter().filter_map(|i| Some((i.provider.as_ref()?, &i.span)));
        for (wanted, span) in resources.chain(calls).chain(imports).filter(|(wanted, _)| !configured(wanted)) {
            let aliases = module.providers.iter().filter(|p| p.name == wanted.name).filter_map(|p| p.alias.as_deref());
            let near = wanted
                .alias
                .as_deref()
                .and_then(|a| nearest(a, aliases))
                .map(|a| format!("did you mean `{}.{a}`?", wanted.name));
            self.error(
                span,
                "Provider configuration not present",
                format!("There is no configuration `{wanted}` here."),
                near,
            );
        }
    }

    /// Inputs that a called module does not have, and those that it needs.
    fn call_interface(&mut self, call: &ModuleCall) {
        for (name, expr) in &call.inputs {
            if !call.module.variables.contains_key(name) {
                let near =
                    nearest(name, call.module.variables.keys().map(|k| &**k)).map(|n| format!("did you mean `{n}`?"));
                self.error(
                    expr.span(),
                    format!("Unknown argument `{name}` of module `{}`", call.name),
                    format!("The module has no input variable named \"{name}\"."),
                    near,
                );
            }
        }
        for (name, variable) in &call.module.variables {
            if variable.default.is_none() && !call.inputs.contains_key(name) {
                self.error(
                    &call.span,
                    format!("Missing required argument `{name}` of module `{}`", call.name),
                    format!("The argument \"{name}\" is required, but no definition was found."),
                    None,
                );
            }
        }
    }
}

/// The problem of a `count`, `for_each` or `enabled` that comes from an ephemeral value: Terraform's words.
pub fn ephemeral_expansion(what: &str, span: &Span) -> Diagnostic {
    let use_of = if what == "for_each" { "a resource's instance keys" } else { "the number of resource instances" };
    Diagnostic::error(format!("Invalid {what} argument"))
        .detail(format!(
            "The given \"{what}\" is derived from an ephemeral value, which means that it cannot be persisted between plan and apply. Use only non-ephemeral values to specify {use_of}."
        ))
        .span(span.clone())
}

/// Why a value cannot be a `count`, as far as it is known.
fn unsuitable_count(value: &Value) -> Option<&'static str> {
    if value.is_null() {
        return Some("a whole number is required, and this is null");
    }
    let Ok(number) = lakeform_core::convert(value, &Type::Number) else { return Some("a number is required") };
    let number = number.as_number()?;
    if !number.is_whole() {
        return Some("a whole number is required");
    }
    (number.signum() < 0).then_some("must be greater than or equal to zero")
}

/// Why a value cannot be a `for_each`, as far as it is known.
fn unsuitable_for_each(value: &Value) -> Option<&'static str> {
    const WANTED: &str = "the \"for_each\" argument must be a map, or set of strings";
    match value.ty() {
        _ if value.is_sensitive() => Some(
            "sensitive values, or values derived from sensitive values, cannot be used, since they would be shown as instance keys",
        ),
        _ if value.is_null() => Some("the given value is null; a map, or set of strings is allowed"),
        Type::Map(_) | Type::Object(_) | Type::Dynamic => None,
        Type::Set(t) => match *t {
            Type::String | Type::Dynamic => None,
            _ => Some("the given set has elements that are no strings"),
        },
        Type::Tuple(_) | Type::List(_) => Some("a list is no map, or set of strings; `toset` would make it a set"),
        _ => Some(WANTED),
    }
}
