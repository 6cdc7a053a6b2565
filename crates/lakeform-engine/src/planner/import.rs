//! `[[import]]` blocks: which objects a plan adopts.

use lakeform_core::{ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, ModuleInstance, Span, Type, convert};
use lakeform_lang::Import;

use crate::expand::expand;
use crate::map::HashMap;

use super::Planner;

/// An object that a plan adopts.
#[derive(Clone, Debug)]
pub(super) struct Adoption {
    pub(super) address: InstanceAddress,
    pub(super) id: String,
    /// The block that says so; `None` where the command line does.
    span: Option<Span>,
}

impl Planner<'_> {
    /// Works out the `[[import]]` blocks that are about a resource block, and keeps what they say for its instances.
    ///
    /// # Errors
    /// When an identifier or a key cannot be told, or two blocks are about one instance or one object.
    pub(super) fn adoptions(&self, config: &ConfigAddress) -> Result<(), Diagnostics> {
        let imports = &self.graph.modules[0].module.imports;
        let mut problems = Diagnostics::new();
        for import in imports.iter().filter(|i| i.to.config == *config) {
            match self.adoptions_of(import) {
                Ok(found) => found.into_iter().for_each(|adoption| {
                    if let Err(e) = self.adopt(adoption) {
                        problems.push(e);
                    }
                }),
                Err(e) => problems.extend(e),
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn adoptions_of(&self, import: &Import) -> Result<Vec<Adoption>, Diagnostics> {
        let root = ModuleInstance::root();
        let expansion =
            self.evaluator.scoped(0, &root, None, None, |scope| expand(None, import.for_each.as_ref(), None, scope))?;
        let each = expansion.items.into_iter().map(|(key, value)| {
            self.evaluator.scoped(0, &root, key.map(|key| (key, value)), None, |scope| {
                let id = import.id.evaluate(scope)?;
                let invalid = |detail: &str| {
                    Diagnostics::from(
                        Diagnostic::error("Invalid import id argument")
                            .detail(detail)
                            .span(import.id.span().clone()),
                    )
                };
                if id.is_sensitive() {
                    return Err(invalid("The import ID cannot be sensitive."));
                }
                if !id.is_wholly_known() {
                    return Err(invalid("The import block \"id\" argument depends on resource attributes that cannot be determined until apply, so lakeform cannot plan to import this resource."));
                }
                if id.is_null() {
                    return Err(invalid("The import ID cannot be null."));
                }
                let text = convert(&id, &Type::String).ok().and_then(|v| v.as_str().map(str::to_owned));
                let id = text.ok_or_else(|| invalid("The import ID value is unsuitable: a string is required."))?;
                if id.is_empty() {
                    return Err(invalid("The import ID value evaluates to an empty string, please provide a non-empty value."));
                }
                Ok(Adoption { address: import.to.address(scope)?, id, span: Some(import.span.clone()) })
            })
        });
        each.collect()
    }

    /// Keeps what is to be adopted, once.
    fn adopt(&self, adoption: Adoption) -> Result<(), Diagnostic> {
        let mut found = self.found();
        let there = |a: &&Adoption| {
            a.address == adoption.address
                || a.id == adoption.id && a.address.resource.ty == adoption.address.resource.ty
        };
        if let Some(first) = found.adoptions.values().find(there) {
            let line = first.span.as_ref().map(|s| s.line_column().0).unwrap_or_default();
            let detail = if first.address == adoption.address {
                format!(
                    "An import block for the resource \"{}\" was already declared at line {line}. A resource can have only one import block.",
                    first.address
                )
            } else {
                format!(
                    "The object \"{}\" is imported to {} at line {line} already. An object can belong to one resource instance only.",
                    first.id, first.address
                )
            };
            return Err(Diagnostic::error(format!("Duplicate import configuration for \"{}\"", adoption.address))
                .detail(detail)
                .maybe_span(adoption.span));
        }
        found.adoptions.insert(adoption.address.clone(), adoption);
        Ok(())
    }

    /// The identifier of the object that an instance adopts.
    pub(super) fn adopted(&self, address: &InstanceAddress) -> Option<String> {
        let asked = self.options.imports.iter().find(|(a, _)| a == address).map(|(_, id)| id.clone());
        asked.or_else(|| self.found().adoptions.get(address).map(|a| a.id.clone()))
    }

    /// Blocks about instances that the stack does not have.
    pub(super) fn refuse_stray_adoptions(&self) -> Diagnostics {
        let found = self.found();
        let planned = |a: &Adoption| found.changes.iter().any(|c| c.address == a.address);
        let blocks = &self.graph.modules[0].module.imports;
        let undeclared =
            blocks.iter().filter(|i| !self.graph.by_address.contains_key(&i.to.config) && i.for_each.is_none());
        let undeclared = undeclared.map(|i| (i.to.config.to_string(), Some(i.span.clone())));
        let stray = found.adoptions.values().filter(|a| !planned(a)).map(|a| (a.address.to_string(), a.span.clone()));
        let problem = |(address, span): (String, Option<Span>)| {
            Diagnostic::error("Configuration for import target does not exist")
                .detail(format!("The configuration for the given import target {address} does not exist."))
                .help("declare the resource (and its instance) in the stack first")
                .maybe_span(span)
        };
        Diagnostics(undeclared.chain(stray).map(problem).collect())
    }
}

/// What is to be adopted, by the instance that it becomes.
pub(super) type Adoptions = HashMap<InstanceAddress, Adoption>;
