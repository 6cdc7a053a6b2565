//! `[resource.TYPE.NAME]`, `[data.TYPE.NAME]` and `[ephemeral.TYPE.NAME]`.

use std::sync::Arc;

use lakeform_core::{Mode, Path, Step};

use super::{
    block::Builder,
    item::{Field, Item, ItemKind, Table},
};
use crate::{
    Expr, IgnoreChanges, Lifecycle, ProviderRef, Provisioner, Reference, Resource, Subject, When,
    syntax::{self, Node, NodeKind, Offsets, Parser},
};

/// What is not an argument of the type. `enabled` is both, and stays in the body: see [`Resource::switch`].
const META: &[&str] = &["count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection"];

const LIFECYCLE: &[&str] = &[
    "create_before_destroy",
    "prevent_destroy",
    "ignore_changes",
    "replace_triggered_by",
    "precondition",
    "postcondition",
    "enabled",
];

impl Builder {
    pub fn resource(&mut self, mode: Mode, ty: &Arc<str>, name: &Arc<str>, field: &Field) -> Option<Resource> {
        let table = self.table(&field.item, &format!("`{}.{ty}.{name}`", mode.section()))?;
        if let Some(found) = table.get("connection") {
            self.error(found.key_span(), "`connection` is not supported", "Only provisioners that run here are.");
        }
        let provisioners = table.get("provisioner").map(|f| self.provisioners(mode, f)).unwrap_or_default();
        self.identifier(name, field);
        let (count, for_each) = self.expansion(table);
        let lifecycle = table.get("lifecycle").map(|f| self.lifecycle(mode, &f.item)).unwrap_or_default();
        let body = self.body(field.item.span(), table, META);
        Some(Resource {
            mode,
            ty: ty.clone(),
            name: name.clone(),
            count,
            for_each,
            enabled: body.get("enabled").cloned(),
            provider: table.get("provider").and_then(|f| self.provider_ref(&f.item)),
            depends_on: table.get("depends_on").map(|f| self.references(&f.item, "`depends_on`")).unwrap_or_default(),
            lifecycle,
            provisioners,
            body,
            check: None,
            span: field.key_span(),
        })
    }

    /// Reports a name that could not be written in a reference.
    pub fn identifier(&mut self, name: &str, field: &Field) {
        let valid = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !valid {
            let detail = "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.";
            self.error(field.key_span(), format!("Invalid name `{name}`"), detail);
        }
    }

    /// `count` and `for_each`
    pub fn expansion(&mut self, table: &Table) -> (Option<Expr>, Option<Expr>) {
        let count = table.get("count").map(|f| self.expr(&f.item));
        let for_each = table.get("for_each").map(|f| self.expr(&f.item).array_as_set());
        if count.is_some()
            && let Some(field) = table.get("for_each")
        {
            let detail = "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.";
            self.error(field.key_span(), "Invalid combination of \"count\" and \"for_each\"", detail);
        }
        (count, for_each)
    }

    /// `aws` or `aws.replica`
    pub fn provider_ref(&mut self, item: &Item) -> Option<ProviderRef> {
        let text = self.text(item, "A provider reference")?;
        let plain = text.strip_prefix("${").and_then(|t| t.strip_suffix('}')).unwrap_or(&text).trim();
        let mut parts = plain.split('.');
        let part = |p: &str| !p.is_empty() && p.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        match (parts.next().filter(|p| part(p)), parts.next(), parts.next()) {
            (Some(name), None, _) => Some(ProviderRef { name: name.into(), alias: None }),
            (Some(name), Some(alias), None) if part(alias) => {
                Some(ProviderRef { name: name.into(), alias: Some(alias.into()) })
            }
            _ => {
                self.error(
                    item.span(),
                    "Invalid provider reference",
                    "The name of a provider is expected, like `aws`, or the name and an alias, like `aws.replica`.",
                );
                None
            }
        }
    }

    /// `[resource.TYPE.NAME.provisioner.KIND]`, several of a kind in an array; where kinds take turns,
    /// `[[resource.TYPE.NAME.provisioner]]` with a table `KIND` in each.
    fn provisioners(&mut self, mode: Mode, field: &Field) -> Vec<Provisioner> {
        if mode != Mode::Managed {
            let detail = "Provisioners belong to managed resources (\"resource\" blocks).";
            self.error(field.key_span(), format!("A {} block has no provisioners", mode.name()), detail);
            return Vec::new();
        }
        let mut all = Vec::new();
        for (_, kinds) in self.tables(&field.item, "`provisioner`") {
            for (kind, one) in kinds {
                for (item, table) in self.tables(&one.item, &format!("`provisioner.{kind}`")) {
                    all.extend(self.provisioner(kind, one, item, table));
                }
            }
        }
        all
    }

    fn provisioner(&mut self, kind: &Arc<str>, field: &Field, item: &Item, table: &Table) -> Option<Provisioner> {
        let destroy = self.keyword(table, "when", ["create", "destroy"])?;
        let may_fail = self.keyword(table, "on_failure", ["fail", "continue"])?;
        let when = if destroy { When::Destroy } else { When::Create };
        let body = self.body(item.span(), table, &["when", "on_failure"]);
        if when == When::Destroy {
            for reference in body.references().filter(|r| !outlives_its_resource(r)) {
                self.error(
                    reference.span.clone(),
                    "Invalid reference from destroy provisioner",
                    "Destroy-time provisioners may only refer to attributes of the related resource, via `self`, `count.index` or `each.key`: what else they need may be gone by then.",
                );
            }
        }
        Some(Provisioner { kind: kind.clone(), when, may_fail, body, span: field.key_span() })
    }

    /// Whether a key has the second of two words; the first is the default.
    fn keyword(&mut self, table: &Table, name: &str, [first, second]: [&str; 2]) -> Option<bool> {
        let Some(field) = table.get(name) else { return Some(false) };
        let found = field.item.as_str();
        if found.is_some_and(|word| word == first || word == second) {
            return Some(found == Some(second));
        }
        let detail = format!("The \"{name}\" argument requires one of the following keywords: {first} or {second}.");
        self.error(field.item.span(), format!("Invalid \"{name}\" keyword"), detail);
        None
    }

    fn lifecycle(&mut self, mode: Mode, item: &Item) -> Lifecycle {
        // Terraform's JSON syntax allows the block in an array of one.
        let item = match &item.kind {
            ItemKind::Array(items) if items.len() == 1 => &items[0],
            _ => item,
        };
        let Some(table) = self.table(item, "`lifecycle`") else { return Lifecycle::default() };
        self.only(table, LIFECYCLE, "`lifecycle`");
        if mode != Mode::Managed {
            let what = mode.name();
            for name in ["create_before_destroy", "prevent_destroy", "ignore_changes", "replace_triggered_by"] {
                if let Some(field) = table.get(name) {
                    let detail = "The lifecycle argument is defined only for managed resources (\"resource\" blocks).";
                    self.error(
                        field.key_span(),
                        format!("Invalid {what} resource lifecycle argument `{name}`"),
                        detail,
                    );
                }
            }
        }
        let mut expr = |name: &str| table.get(name).map(|f| self.expr(&f.item));
        let (create_before_destroy, prevent_destroy, enabled) =
            (expr("create_before_destroy"), expr("prevent_destroy"), expr("enabled"));
        let replace_triggered_by = match table.get("replace_triggered_by").map(|f| &f.item) {
            None => Vec::new(),
            Some(Item { kind: ItemKind::Array(items), .. }) => {
                items.iter().filter_map(|i| self.reference(i, "`replace_triggered_by`")).collect()
            }
            Some(other) => {
                self.error(
                    other.span(),
                    "`replace_triggered_by` must be an array of references",
                    format!("It is {}.", other.noun()),
                );
                Vec::new()
            }
        };
        Lifecycle {
            create_before_destroy,
            prevent_destroy,
            enabled,
            ignore_changes: table.get("ignore_changes").map(|f| self.ignore_changes(&f.item)).unwrap_or_default(),
            replace_triggered_by,
            preconditions: self.checks(table, "precondition"),
            postconditions: self.checks(table, "postcondition"),
        }
    }

    fn ignore_changes(&mut self, item: &Item) -> IgnoreChanges {
        let is_template = |text: &str| text.contains("${") || text.contains("%{");
        match &item.kind {
            ItemKind::String(text) if text == "all" => IgnoreChanges::All,
            ItemKind::String(text) if is_template(text) => IgnoreChanges::Expr(self.expr(item)),
            ItemKind::Array(items) if items.iter().any(|i| i.as_str().is_none_or(is_template)) => {
                IgnoreChanges::Expr(self.expr(item))
            }
            ItemKind::Array(items) => {
                let mut paths = Vec::new();
                for item in items {
                    let text = item.as_str().unwrap_or_default();
                    match attribute_path(text) {
                        Some(path) => paths.push(path),
                        None => self.error(
                            item.span(),
                            "Invalid ignore_changes entry",
                            format!("`{text}` is no path to an attribute, like `tags` or `tags[\"Name\"]`."),
                        ),
                    }
                }
                IgnoreChanges::Paths(paths)
            }
            _ => {
                self.error(
                    item.span(),
                    "Invalid ignore_changes",
                    "The keyword \"all\" or an array of attribute paths is expected.",
                );
                IgnoreChanges::None
            }
        }
    }
}

/// Whether a reference can be followed when everything but the object itself may be gone.
fn outlives_its_resource(reference: &Reference) -> bool {
    let first = reference.rest.first();
    let is = |name: &str| matches!(first, Some(Step::Attr(attribute)) if &**attribute == name);
    match &reference.subject {
        Subject::SelfRef | Subject::Path(_) | Subject::Terraform(_) => true,
        Subject::Count => is("index"),
        Subject::Each => is("key"),
        _ => false,
    }
}

/// `tags["Name"]`, `rule[0].x`
pub(crate) fn attribute_path(text: &str) -> Option<Path> {
    let source = Arc::new(lakeform_core::Source { path: String::new(), text: text.to_owned() });
    let mut parser = Parser::new(&source);
    parser.free = true;
    let node = syntax::expression(&mut parser, text, &Offsets::plain(0));
    if !parser.errors.is_empty() {
        return None;
    }
    fn steps(node: &Node, out: &mut Vec<Step>) -> Option<()> {
        match &node.kind {
            NodeKind::Name(name) => out.push(Step::Attr(name.clone())),
            NodeKind::Get(source, name) => {
                steps(source, out)?;
                out.push(Step::Attr(name.clone()));
            }
            NodeKind::Index(source, key) => {
                steps(source, out)?;
                let NodeKind::Literal(key) = &key.kind else { return None };
                out.push(match key.as_str() {
                    Some(key) => Step::Key(key.into()),
                    None => Step::Index(usize::try_from(key.as_i64()?).ok()?),
                });
            }
            _ => return None,
        }
        Some(())
    }
    let mut out = Vec::new();
    steps(&node, &mut out)?;
    Some(Path(out))
}
