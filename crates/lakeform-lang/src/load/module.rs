//! The sections of a module.

use std::{path::Path, sync::Arc};

use indexmap::IndexMap;
use lakeform_core::{Diagnostic, Mode};

use super::{
    block::{Builder, listed},
    item::{Field, Item, ItemKind, Table},
    section::{self, Place},
};
use crate::{Module, Output, ProviderConfig, TypeConstraint, Variable, suggest::nearest};

/// Names that would be something else in an expression or a call.
const RESERVED_VARIABLES: &[&str] =
    &["source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"];

impl Builder {
    /// Everything of a module but its calls, which need other documents.
    pub fn module(&mut self, table: &Table, dir: &Path, root: bool) -> Module {
        self.sections(table, root);
        let mut module = Module { dir: dir.to_path_buf(), ..Module::default() };
        for (name, field) in self.fields(table, "variable") {
            if let Some(variable) = self.variable(name, field) {
                module.variables.insert(name.clone(), variable);
            }
        }
        for (name, field) in self.fields(table, "locals") {
            self.identifier(name, field);
            let expr = self.expr(&field.item);
            module.locals.insert(name.clone(), expr);
        }
        for (name, field) in self.fields(table, "output") {
            if let Some(output) = self.output(name, field) {
                module.outputs.insert(name.clone(), output);
            }
        }
        for (name, field) in self.fields(table, "provider") {
            self.provider(name, field, &mut module.providers);
        }
        module.moved = self.moved(table);
        module.removed = self.removed(table);
        module.imports = self.imports(table);
        for mode in [Mode::Managed, Mode::Data, Mode::Ephemeral] {
            let word = mode.section();
            for (ty, field) in self.fields(table, word) {
                let Some(named) = self.table(&field.item, &format!("`{word}.{ty}`")) else { continue };
                for (name, field) in named {
                    if let Some(resource) = self.resource(mode, ty, name, field) {
                        module.resources.insert(resource.key(), resource);
                    }
                }
            }
        }
        for (name, field) in self.fields(table, "check") {
            self.check(name, field, &mut module);
        }
        module
    }

    /// Reports sections that are unknown, not supported yet, or not allowed in a called module.
    fn sections(&mut self, table: &Table, root: bool) {
        for (name, field) in table {
            match section::place(name) {
                Some(Place::Anywhere) => {}
                Some(Place::Root) if root => {}
                Some(Place::Root) => {
                    self.error(
                        field.key_span(),
                        format!("`{name}` is not allowed in a module"),
                        "It belongs to the stack that calls the module.",
                    );
                }
                Some(Place::Later) => {
                    self.error(
                        field.key_span(),
                        format!("`{name}` is not supported yet"),
                        "Stacks cannot have this section yet.",
                    );
                }
                None => {
                    let mut problem = Diagnostic::error(format!("Unknown section `{name}`")).span(field.key_span());
                    let known: Vec<&str> =
                        section::names().filter(|n| section::place(n) != Some(Place::Later)).collect();
                    problem = match nearest(name, known.iter().copied()) {
                        _ if &**name == "terraform" => {
                            problem.help("what Terraform has there is in `stack.required_version` and `backend`; providers are built in")
                        }
                        Some(near) => problem.help(format!("did you mean `{near}`?")),
                        None => problem.help(format!("accepted are {}", listed(&known))),
                    };
                    self.problems.push(problem);
                }
            }
        }
    }

    /// The fields of a section.
    pub fn fields<'t>(
        &mut self,
        table: &'t Table,
        name: &str,
    ) -> impl Iterator<Item = (&'t Arc<str>, &'t Field)> + use<'t> {
        let section = table.get(name).and_then(|field| self.table(&field.item, &format!("`{name}`")));
        section.into_iter().flat_map(IndexMap::iter)
    }

    fn variable(&mut self, name: &Arc<str>, field: &Field) -> Option<Variable> {
        let table = self.table(&field.item, &format!("`variable.{name}`"))?;
        self.identifier(name, field);
        if RESERVED_VARIABLES.contains(&&**name) {
            let detail =
                format!("The variable name \"{name}\" is reserved due to its special meaning inside module blocks.");
            self.error(field.key_span(), format!("Invalid variable name `{name}`"), detail);
        }
        let known = ["type", "default", "description", "sensitive", "nullable", "ephemeral", "validation"];
        self.only(table, &known, &format!("variable `{name}`"));
        let ty = match table.get("type").map(|f| &f.item) {
            None => TypeConstraint::default(),
            Some(item) => self
                .text(item, "`type`")
                .map(|text| TypeConstraint::parse_at(&text, &item.span()))
                .and_then(|parsed| parsed.map_err(|problem| self.problems.push(problem)).ok())?,
        };
        let nullable = self.flag(table, "nullable", true);
        let default = table.get("default").map(|f| &f.item).and_then(|item| {
            let detail = match ty.apply(item.value()) {
                Ok(value) => return Some(value),
                Err(e) => format!(
                    "This default value is not compatible with the variable's type constraint: {}.",
                    e.describe()
                ),
            };
            self.error(item.span(), "Invalid default value for variable", detail);
            None
        });
        if default.is_none() && table.contains_key("default") {
            return None;
        }
        Some(Variable {
            ty,
            default,
            description: self.description(table),
            sensitive: self.flag(table, "sensitive", false),
            nullable,
            ephemeral: self.flag(table, "ephemeral", false),
            validations: self.checks(table, "validation"),
            span: field.key_span(),
        })
    }

    fn output(&mut self, name: &Arc<str>, field: &Field) -> Option<Output> {
        let table = self.table(&field.item, &format!("`output.{name}`"))?;
        self.identifier(name, field);
        let known = ["value", "description", "sensitive", "ephemeral", "depends_on", "precondition"];
        self.only(table, &known, &format!("output `{name}`"));
        let Some(value) = table.get("value") else {
            self.error(
                field.key_span(),
                format!("Output `{name}` lacks `value`"),
                "The argument \"value\" is required, but no definition was found.",
            );
            return None;
        };
        Some(Output {
            value: self.expr(&value.item),
            description: self.description(table),
            sensitive: self.flag(table, "sensitive", false),
            ephemeral: self.flag(table, "ephemeral", false),
            depends_on: table.get("depends_on").map(|f| self.references(&f.item, "`depends_on`")).unwrap_or_default(),
            preconditions: self.checks(table, "precondition"),
            span: field.key_span(),
        })
    }

    fn provider(&mut self, name: &Arc<str>, field: &Field, out: &mut Vec<ProviderConfig>) {
        for (item, table) in self.tables(&field.item, &format!("`provider.{name}`")) {
            let alias = match table.get("alias") {
                None => None,
                Some(alias) => match self.text(&alias.item, "`alias`") {
                    None => continue,
                    alias => alias,
                },
            };
            let span = if matches!(field.item.kind, ItemKind::Table(_)) { field.key_span() } else { item.span() };
            if let Some(there) = out.iter().find(|p| p.name == *name && p.alias == alias) {
                let (line, _) = there.span.line_column();
                let detail = match &alias {
                    None => format!(
                        "A default (non-aliased) provider configuration for \"{name}\" is at line {line} already."
                    ),
                    Some(alias) => format!(
                        "A provider configuration named \"{alias}\" for provider \"{name}\" is at line {line} already."
                    ),
                };
                self.error(span, "Duplicate provider configuration", detail);
                continue;
            }
            let body = self.body(item.span(), table, &["alias"]);
            out.push(ProviderConfig { name: name.clone(), alias, body, span });
        }
    }

    /// The string of a field that must be one.
    pub fn required_text(&mut self, table: &Table, name: &str, owner: &Item, what: &str) -> Option<(Arc<str>, Item)> {
        match table.get(name) {
            Some(field) => self.text(&field.item, &format!("`{name}`")).map(|text| (text, field.item.clone())),
            None => {
                self.error(
                    owner.span(),
                    format!("{what} lacks `{name}`"),
                    format!("The argument \"{name}\" is required, but no definition was found."),
                );
                None
            }
        }
    }
}
