//! `[[moved]]` and `[[removed]]`

use lakeform_core::{Mode, address::Target};

use super::{
    block::Builder,
    item::{Item, Table},
};
use crate::refactoring::{Endpoint, Moved, Removed};

impl Builder {
    /// Every `[[moved]]` of a module.
    pub fn moved(&mut self, table: &Table) -> Vec<Moved> {
        let Some(field) = table.get("moved") else { return vec![] };
        let mut out = vec![];
        for (item, block) in self.tables(&field.item, "`moved`") {
            self.only(block, &["from", "to"], "`moved`");
            let (from, to) = (self.endpoint(block, "from", item, "moved"), self.endpoint(block, "to", item, "moved"));
            let (Some(from), Some(to)) = (from, to) else { continue };
            if from.is_module() != to.is_module() {
                let detail =
                    "The \"from\" and \"to\" addresses must either both refer to resources or both refer to modules.";
                self.error(item.span(), "Invalid \"moved\" addresses", detail);
                continue;
            }
            if let (Target::Resource(a), Target::Resource(b)) = (&from.0, &to.0)
                && a.resource.ty != b.resource.ty
            {
                let detail = format!("An object cannot become one of another type: {from} is no {}.", b.resource.ty);
                self.error(item.span(), "Resource type mismatch", detail);
                continue;
            }
            out.push(Moved { from, to, span: item.span() });
        }
        out
    }

    /// Every `[[removed]]` of a module.
    pub fn removed(&mut self, table: &Table) -> Vec<Removed> {
        let Some(field) = table.get("removed") else { return vec![] };
        let mut out = vec![];
        for (item, block) in self.tables(&field.item, "`removed`") {
            self.only(block, &["from", "lifecycle"], "`removed`");
            let from = self.endpoint(block, "from", item, "removed");
            let mut destroy = true;
            if let Some(lifecycle) = block.get("lifecycle")
                && let Some(lifecycle) = self.tables(&lifecycle.item, "`lifecycle`").first().map(|(_, t)| *t)
            {
                self.only(lifecycle, &["destroy"], "`lifecycle` of `removed`");
                destroy = self.flag(lifecycle, "destroy", true);
            }
            let Some(from) = from else { continue };
            let keyed = match &from.0 {
                Target::Module(module) => module.0.iter().any(|(_, key)| key.is_some()),
                Target::Resource(r) => r.key.is_some() || r.resource.module.0.iter().any(|(_, key)| key.is_some()),
            };
            if keyed {
                let detail = "A removed block is about a whole resource or module: its address has no instance keys.";
                self.error(item.span(), "Instance keys not allowed", detail);
                continue;
            }
            out.push(Removed { from, destroy, span: item.span() });
        }
        out
    }

    fn endpoint(&mut self, block: &Table, name: &str, owner: &Item, what: &str) -> Option<Endpoint> {
        let (text, item) = self.required_text(block, name, owner, &format!("`{what}`"))?;
        let text = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).unwrap_or(&text).trim();
        match text.parse() {
            Ok(Target::Resource(r)) if r.resource.mode == Mode::Data => {
                self.error(
                    item.span(),
                    format!("`{what}` is not for data sources"),
                    "A data source has no object that could be kept or moved: it is read again at its new address.",
                );
                None
            }
            Ok(target) => Some(Endpoint(target)),
            Err(e) => {
                let detail = format!(
                    "{}: `TYPE.NAME` or `module.NAME` is expected, with a key in brackets if need be.",
                    e.reason
                );
                self.error(item.span(), format!("`{text}` is no address"), detail);
                None
            }
        }
    }
}
