//! `[check.NAME]`

use std::sync::Arc;

use lakeform_core::Mode;

use super::{
    block::Builder,
    item::{Field, ItemKind, Table},
};
use crate::{CheckBlock, Module, Resource};

/// What the containing check decides for its data source (Terraform: `count`, `for_each` and `lifecycle` are not supported
/// within nested data blocks).
const DECIDED: &[&str] = &["count", "for_each", "lifecycle"];

impl Builder {
    /// Reads a check block into a module; its data source goes among the module's resources, whose names it shares.
    pub fn check(&mut self, name: &Arc<str>, field: &Field, module: &mut Module) {
        let Some(table) = self.table(&field.item, &format!("`check.{name}`")) else { return };
        self.identifier(name, field);
        self.only(table, &["assert", "data"], &format!("check `{name}`"));
        let given = table.get("assert");
        if given.is_none_or(|f| matches!(&f.item.kind, ItemKind::Array(items) if items.is_empty())) {
            self.error(
                field.key_span(),
                format!("Check `{name}` has no assertion"),
                "Check blocks must have at least one assert block.",
            );
        }
        let asserts = self.checks(table, "assert");
        for assert in &asserts {
            if assert.condition.references().is_empty() {
                let detail = "The condition expression must refer to at least one object from elsewhere in the configuration, or else its result would not be checking anything.";
                self.error(assert.condition.span().clone(), "Invalid assert expression", detail);
            }
        }
        let data = self.scoped(name, table, module).map(|resource| {
            let key = resource.key();
            module.resources.insert(key.clone(), resource);
            key
        });
        module.checks.insert(name.clone(), CheckBlock { asserts, data, span: field.key_span() });
    }

    /// The one data source of a check.
    fn scoped(&mut self, check: &Arc<str>, table: &Table, module: &Module) -> Option<Resource> {
        let types = table.get("data").and_then(|f| self.table(&f.item, &format!("`check.{check}.data`")))?;
        let mut found: Option<Resource> = None;
        for (ty, field) in types {
            let Some(named) = self.table(&field.item, &format!("`check.{check}.data.{ty}`")) else { continue };
            for (name, field) in named {
                if let Some(first) = &found {
                    let (line, _) = first.span.line_column();
                    let detail = format!("A check has at most one, and there is one at line {line} already.");
                    self.error(field.key_span(), format!("Check `{check}` has several data sources"), detail);
                    continue;
                }
                let own = match &field.item.kind {
                    ItemKind::Table(own) => own.iter().filter(|(key, _)| DECIDED.contains(&&***key)).collect(),
                    _ => vec![],
                };
                for (key, field) in own {
                    let detail = format!("A data source within a check does not support `{key}`: the check decides.");
                    self.error(field.key_span(), format!("Invalid `{key}` within a check"), detail);
                }
                let Some(resource) = self.resource(Mode::Data, ty, name, field) else { continue };
                if let Some(there) = module.resources.get(&resource.key()) {
                    let (line, _) = there.span.line_column();
                    let detail = format!(
                        "A {ty} data resource named \"{name}\" is at line {line} of {} already. Resource names must be unique per type in each module, including within check blocks.",
                        there.span.source.path
                    );
                    self.error(field.key_span(), format!("Duplicate data \"{ty}\" configuration"), detail);
                    continue;
                }
                found = Some(Resource { check: Some(check.clone()), ..resource });
            }
        }
        found
    }
}
