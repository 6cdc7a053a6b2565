//! `[[moved]]`, `[[removed]]` and `[[import]]`

use std::sync::Arc;

use lakeform_core::{ConfigAddress, Mode, ModulePath, address::Target};

use super::{
    block::Builder,
    item::{Item, Table},
};
use crate::{
    Expr, Subject,
    refactoring::{Endpoint, Import, ImportTarget, Moved, Removed},
    syntax::{Node, NodeKind},
};

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

    /// Every `[[import]]` of the root module.
    pub fn imports(&mut self, table: &Table) -> Vec<Import> {
        let Some(field) = table.get("import") else { return vec![] };
        let mut out = vec![];
        for (item, block) in self.tables(&field.item, "`import`") {
            self.only(block, &["to", "id", "for_each", "provider"], "`import`");
            let provider = block.get("provider").and_then(|f| self.provider_ref(&f.item));
            let for_each = block.get("for_each").map(|f| self.expr(&f.item).array_as_set());
            let Some((_, to)) = self.required_text(block, "to", item, "`import`") else { continue };
            let Some(to) = self.import_target(&to) else { continue };
            let Some(id) = block.get("id").map(|f| self.expr(&f.item)) else {
                self.error(
                    item.span(),
                    "`import` lacks `id`",
                    "The argument \"id\" is required, but no definition was found.",
                );
                continue;
            };
            out.push(Import { to, id, for_each, provider, span: item.span() });
        }
        out
    }

    /// `module.m["k"].aws_s3_bucket.zone[each.key]`
    fn import_target(&mut self, item: &Item) -> Option<ImportTarget> {
        let (mut node, mut references) = self.reference_parts(item, "`to`")?;
        // From the end to the beginning: names with the keys that follow them, up to what the reference begins with.
        let mut names: Vec<(Arc<str>, Option<Node>)> = vec![];
        let mut key = None;
        let root = loop {
            match node.kind {
                NodeKind::Get(source, name) => {
                    names.push((name, key.take()));
                    node = *source;
                }
                NodeKind::Index(source, index) => {
                    key = Some(*index);
                    node = *source;
                }
                NodeKind::Ref(root) => break root,
                _ => return None,
            }
        };
        names.reverse();
        // What stands in brackets was read before what they follow.
        let subject = references.drain(root..).next()?.subject;
        let parts: Option<(Vec<_>, _, _)> = match (subject, names.as_mut_slice()) {
            (Subject::Resource { mode: Mode::Managed, ty, name }, []) => Some((vec![], ty, (name, key))),
            (Subject::Module(first), [steps @ .., (ty, None), (name, last)]) => {
                let mut modules = vec![(first, key)];
                let steps: Vec<_> = steps.iter_mut().map(|(name, key)| (name.clone(), key.take())).collect();
                let mut pairs = steps.chunks_exact(2);
                let plain = pairs.all(|pair| matches!(pair, [(word, None), _] if &**word == "module"));
                let whole = steps.len() % 2 == 0;
                modules.extend(steps.into_iter().skip(1).step_by(2));
                (plain && whole).then(|| (modules, ty.clone(), (name.clone(), last.take())))
            }
            _ => None,
        };
        let Some((modules, ty, (name, last))) = parts else {
            let detail =
                "A managed resource is expected: TYPE.NAME after any module, with a key in brackets if need be.";
            self.error(item.span(), "Invalid import target", detail);
            return None;
        };
        let path = ModulePath(modules.iter().map(|(name, _)| name.clone()).collect());
        let config = ConfigAddress { module: path, mode: Mode::Managed, ty, name };
        let keys: Vec<Option<Node>> = modules.into_iter().map(|(_, key)| key).chain([last]).collect();
        let keyed = keys.iter().map(Option::is_some).collect();
        let tuple = Node::new(item.range.clone(), NodeKind::Tuple(keys.into_iter().flatten().collect()));
        Some(ImportTarget { config, keyed, keys: Expr::new(&item.source, item.range.clone(), tuple, references) })
    }

    fn endpoint(&mut self, block: &Table, name: &str, owner: &Item, what: &str) -> Option<Endpoint> {
        let (text, item) = self.required_text(block, name, owner, &format!("`{what}`"))?;
        let text = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).unwrap_or(&text).trim();
        match text.parse() {
            Ok(Target::Resource(r)) if r.resource.mode != Mode::Managed => {
                self.error(
                    item.span(),
                    format!("`{what}` is for managed resources only"),
                    "What is only read has no object that could be kept or moved: it is read again at its new address.",
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
