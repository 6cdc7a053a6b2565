//! Whether references lead anywhere.

use lakeform_core::{Diagnostic, Diagnostics, Mode, Step};

use super::{Schemas, scope::Unevaluated};
use crate::{Module, Reference, Resource, Subject, suggest::nearest};

/// Where a reference stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Place<'a> {
    pub each: bool,
    pub count: bool,
    pub own: bool,
    /// The resource whose block it is in.
    pub resource: Option<&'a Resource>,
    /// The check block that it is in.
    pub check: Option<&'a str>,
}

pub(super) struct References<'a> {
    pub module: &'a Module,
    pub schemas: &'a dyn Schemas,
    pub root: bool,
}

fn problem(reference: &Reference, summary: &str, detail: String) -> Diagnostic {
    Diagnostic::error(summary).detail(detail).span(reference.span.clone())
}

fn hint(problem: Diagnostic, near: Option<String>) -> Diagnostic {
    match near {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

impl References<'_> {
    fn whose(&self) -> String {
        if self.root { "the root module".into() } else { format!("module {}", self.module.dir.display()) }
    }

    /// Reports each reference that leads nowhere; in `scope` it is then a value of which nothing is known.
    pub fn check<'r>(
        &self,
        references: impl IntoIterator<Item = &'r Reference>,
        place: Place,
        scope: &Unevaluated,
        out: &mut Diagnostics,
    ) {
        for reference in references {
            if let Some(problem) = self.one(reference, place) {
                scope.give_up(&reference.span);
                out.push(problem);
            }
        }
    }

    fn one(&self, reference: &Reference, place: Place) -> Option<Diagnostic> {
        let module = self.module;
        match &reference.subject {
            Subject::Variable(name) if !module.variables.contains_key(name) => Some(hint(
                problem(reference, "Reference to undeclared input variable", format!("An input variable with the name \"{name}\" has not been declared.")),
                nearest(name, module.variables.keys().map(|k| &**k)).map(|n| format!("var.{n}")),
            )),
            Subject::Local(name) if !module.locals.contains_key(name) => Some(hint(
                problem(reference, "Reference to undeclared local value", format!("A local value with the name \"{name}\" has not been declared.")),
                nearest(name, module.locals.keys().map(|k| &**k)).map(|n| format!("local.{n}")),
            )),
            Subject::Module(name) => self.call(reference, name),
            Subject::Resource { mode, ty, name } => self.resource(reference, *mode, ty, name, place),
            Subject::Each if !place.each => Some(problem(
                reference,
                "Reference to \"each\" in context without for_each",
                "The \"each\" object can be used only in \"module\" or \"resource\" blocks, and only when the \"for_each\" argument is set.".into(),
            )),
            Subject::Count if !place.count => Some(problem(
                reference,
                "Reference to \"count\" in non-counted context",
                "The \"count\" object can only be used in \"module\", \"resource\", and \"data\" blocks, and only when the \"count\" argument is set.".into(),
            )),
            Subject::SelfRef if !place.own => Some(problem(
                reference,
                "Invalid \"self\" reference",
                "The \"self\" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks.".into(),
            )),
            _ => None,
        }
    }

    fn call(&self, reference: &Reference, name: &str) -> Option<Diagnostic> {
        let Some(call) = self.module.calls.get(name) else {
            let detail = format!("No module call named \"{name}\" is declared in {}.", self.whose());
            let near = nearest(name, self.module.calls.keys().map(|k| &**k)).map(|n| format!("module.{n}"));
            return Some(hint(problem(reference, "Reference to undeclared module", detail), near));
        };
        let several = call.count.is_some() || call.for_each.is_some();
        let rest = match (reference.rest.as_slice(), several) {
            ([Step::Index(_) | Step::Key(_), ..], false) => {
                let detail = format!(
                    "Because module.{name} does not have \"count\" or \"for_each\" set, references to it must not include an index key."
                );
                return Some(problem(reference, "Unexpected module instance key", detail));
            }
            ([Step::Index(_) | Step::Key(_), rest @ ..], true) => rest,
            ([Step::Attr(_), ..], true) if call.count.is_some() => {
                let detail = format!(
                    "Because module.{name} has \"count\" set, its attributes must be accessed on specific instances, for example module.{name}[0]."
                );
                return Some(problem(reference, "Missing module instance key", detail));
            }
            ([Step::Attr(key), rest @ ..], true) if !call.module.outputs.contains_key(key) => {
                let _ = rest;
                return None;
            }
            (rest, _) => rest,
        };
        match rest.first() {
            Some(Step::Attr(output)) if !call.module.outputs.contains_key(output) => {
                let detail = format!("Module \"{name}\" has no output named \"{output}\".");
                let near = nearest(output, call.module.outputs.keys().map(|k| &**k)).map(str::to_owned);
                Some(hint(problem(reference, "Unsupported attribute", detail), near))
            }
            _ => None,
        }
    }

    fn resource(
        &self,
        reference: &Reference,
        mode: Mode,
        ty: &std::sync::Arc<str>,
        name: &std::sync::Arc<str>,
        place: Place,
    ) -> Option<Diagnostic> {
        let key = (mode, ty.clone(), name.clone());
        let Some(found) = self.module.resources.get(&key) else {
            return Some(self.undeclared(reference, mode, ty, name));
        };
        let subject = &reference.subject;
        if place.resource.is_some_and(|r| r.key() == key) {
            let detail = format!("Configuration for {subject} may not refer to itself.");
            return Some(problem(reference, "Self-referential block", detail));
        }
        if found.check.is_some() && found.check.as_deref() != place.check {
            let detail =
                format!("The referenced data resource \"{ty}\" \"{name}\" is not available from this context.");
            let help = format!(
                "it belongs to check.{}: only the assertions of that check see it",
                found.check.as_deref().unwrap_or_default()
            );
            return Some(problem(reference, "Reference to scoped resource", detail).help(help));
        }
        let schema = self.schemas.resource(mode, ty)?;
        let rest = match reference.rest.as_slice() {
            [Step::Index(_) | Step::Key(_), ..] if found.count.is_none() && found.for_each.is_none() => {
                let detail = format!(
                    "Because {subject} does not have \"count\" or \"for_each\" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this resource."
                );
                return Some(problem(reference, "Unexpected resource instance key", detail));
            }
            [Step::Attr(_), ..] if found.count.is_some() => {
                let detail = format!(
                    "Because {subject} has \"count\" set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    {subject}[count.index]"
                );
                return Some(problem(reference, "Missing resource instance key", detail));
            }
            // `x.key` is a way to write `x["key"]`, if no attribute is meant.
            [Step::Attr(attribute), ..] if found.for_each.is_some() => {
                if !schema.block.attributes.contains_key(attribute) && !schema.block.blocks.contains_key(attribute) {
                    return None;
                }
                let detail = format!(
                    "Because {subject} has \"for_each\" set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    {subject}[each.key]"
                );
                return Some(problem(reference, "Missing resource instance key", detail));
            }
            [Step::Index(_) | Step::Key(_), rest @ ..] => rest,
            rest => rest,
        };
        match rest.first() {
            Some(Step::Attr(a)) if !schema.block.attributes.contains_key(a) && !schema.block.blocks.contains_key(a) => {
                let detail = format!("This object has no argument, nested block, or exported attribute named \"{a}\".");
                let known = schema.block.attributes.keys().chain(schema.block.blocks.keys());
                let near = nearest(a, known.map(|k| &**k)).map(str::to_owned);
                Some(hint(problem(reference, "Unsupported attribute", detail), near))
            }
            _ => None,
        }
    }

    fn undeclared(&self, reference: &Reference, mode: Mode, ty: &str, name: &str) -> Diagnostic {
        let word = match mode {
            Mode::Managed => "A managed",
            Mode::Data => "A data",
            Mode::Ephemeral => "An ephemeral",
        };
        let detail = format!("{word} resource \"{ty}\" \"{name}\" has not been declared in {}.", self.whose());
        let problem = problem(reference, "Reference to undeclared resource", detail);
        let resources = self.module.resources.keys().filter(|(m, ..)| *m == mode);
        let full: Vec<String> = resources.map(|(_, t, n)| format!("{t}.{n}")).collect();
        let near = nearest(&format!("{ty}.{name}"), full.iter().map(String::as_str)).map(str::to_owned);
        let near = near.or_else(|| {
            // `vars.x`, `locals.x`, and a data source without `data.`
            match ty {
                "vars" | "variable" | "variables" => Some(format!("var.{name}")),
                "locals" => Some(format!("local.{name}")),
                _ if mode == Mode::Managed
                    && self.module.resources.contains_key(&(Mode::Data, ty.into(), name.into())) =>
                {
                    Some(format!("data.{ty}.{name}"))
                }
                _ => None,
            }
        });
        let prefix = mode.prefix();
        hint(problem, near.map(|n| if n.starts_with("data.") { n } else { format!("{prefix}{n}") }))
    }
}
