//! Stacks as documents: the same tables are written as JSON for Terraform and as TOML for lakeform.

use serde_json::{Map, Value as Json, json};

use super::model::{Call, Expr, Item, Module, Modules, Repeat, Resource};

/// A document for each module by the name of its folder; the root's is empty.
pub(super) fn documents(modules: &Modules) -> Map<String, Json> {
    let mut used = vec![false; modules.len()];
    used[0] = true;
    for at in 0..modules.len() {
        for item in modules[at].items.values().filter(|_| used[at]).cloned().collect::<Vec<_>>() {
            if let Item::Call(call) = item {
                used[call.module] = true;
            }
        }
    }
    let each = modules.iter().enumerate().filter(|(at, _)| used[*at]);
    let write = |(at, module)| (folder(at), Writer { module, name: None, repeat: &Repeat::One }.document(at));
    each.map(write).collect()
}

fn folder(module: usize) -> String {
    if module == 0 { String::new() } else { format!("m{module}") }
}

/// Writes what stands in one module, and in a block of some name that is repeated in one way.
struct Writer<'a> {
    module: &'a Module,
    name: Option<&'a str>,
    repeat: &'a Repeat,
}

impl<'a> Writer<'a> {
    fn document(&self, at: usize) -> Json {
        let (mut resources, mut locals, mut calls) = (Map::new(), Map::new(), Map::new());
        for (name, item) in &self.module.items {
            match item {
                Item::Resource(r) => drop(resources.insert(name.clone(), self.block(name, &r.repeat).resource(r))),
                Item::Local(value) => drop(locals.insert(name.clone(), self.block(name, &Repeat::One).value(value))),
                Item::Call(c) => drop(calls.insert(name.clone(), self.block(name, &c.repeat).call(c, at == 0))),
            }
        }
        let secret = |mut block: Json, sensitive: bool| {
            if sensitive {
                block["sensitive"] = true.into();
            }
            block
        };
        let outputs = self.module.outputs.iter();
        let outputs = outputs.map(|(n, (v, s))| (n.clone(), secret(json!({ "value": self.value(v) }), *s)));
        let variable = if at == 0 { json!({ "default": "root" }) } else { json!({}) };
        let variable = secret(variable, self.module.secret);
        let resources = match resources.is_empty() {
            true => resources,
            false => Map::from_iter([("terraform_data".to_owned(), resources.into())]),
        };
        let tables = [
            ("variable", Map::from_iter([("v".to_owned(), variable)])),
            ("locals", locals),
            ("module", calls),
            ("resource", resources),
            ("output", outputs.collect()),
        ];
        // Terraform's JSON syntax takes an empty table for a block without its label.
        let tables = tables.into_iter().filter(|(_, table)| !table.is_empty());
        let mut out: Map<String, Json> = tables.map(|(key, table)| (key.to_owned(), table.into())).collect();
        if !self.module.moved.is_empty() {
            let moved = self.module.moved.iter().map(|(from, to)| json!({ "from": from, "to": to }));
            out.insert("moved".into(), moved.collect());
        }
        if !self.module.removed.is_empty() {
            let removed = self.module.removed.iter();
            let removed = removed.map(|from| json!({ "from": from, "lifecycle": { "destroy": false } }));
            out.insert("removed".into(), removed.collect());
        }
        out.into()
    }

    fn block(&self, name: &'a str, repeat: &'a Repeat) -> Self {
        Self { module: self.module, name: Some(name), repeat }
    }

    /// The same block outside of its instances.
    fn outside(&self) -> Self {
        Self { repeat: &Repeat::One, ..*self }
    }

    /// What a name refers to from here.
    fn item(&self, name: &str) -> Option<&'a Item> {
        self.module.items.get(name).filter(|_| self.name.is_none_or(|own| name < own))
    }

    fn resource(&self, resource: &Resource) -> Json {
        let mut out = self.repetition();
        if let Some(input) = &resource.input {
            out.insert("input".into(), self.value(input));
        }
        if let Some(triggers) = &resource.triggers {
            out.insert("triggers_replace".into(), self.value(triggers));
        }
        self.depends_on(&mut out, &resource.depends_on);
        let mut lifecycle = Map::new();
        if let Some(first) = resource.create_before_destroy {
            lifecycle.insert("create_before_destroy".into(), first.into());
        }
        if resource.prevent_destroy {
            lifecycle.insert("prevent_destroy".into(), true.into());
        }
        if !resource.ignore.is_empty() {
            lifecycle.insert("ignore_changes".into(), resource.ignore.iter().copied().collect());
        }
        let with: Vec<Json> = resource.replaced_with.iter().filter_map(|(n, form)| self.trigger(n, *form)).collect();
        if !with.is_empty() {
            lifecycle.insert("replace_triggered_by".into(), with.into());
        }
        let checks = [
            ("precondition", &resource.precondition, "var.v"),
            ("postcondition", &resource.postcondition, "self.output"),
        ];
        for (name, of, besides) in checks {
            if let Some(of) = of {
                // A condition that refers to nothing would be refused.
                let condition = format!("${{length(jsonencode([{}, {besides}])) % 19 != 0}}", self.hcl(of));
                lifecycle.insert(name.into(), json!([{ "condition": condition, "error_message": "It is bad." }]));
            }
        }
        if !lifecycle.is_empty() {
            out.insert("lifecycle".into(), lifecycle.into());
        }
        out.into()
    }

    fn call(&self, call: &Call, root: bool) -> Json {
        let mut out = self.repetition();
        let up = if root { "./" } else { "../" };
        out.insert("source".into(), format!("{up}{}", folder(call.module)).into());
        out.insert("v".into(), self.value(&call.argument));
        self.depends_on(&mut out, &call.depends_on);
        out.into()
    }

    fn repetition(&self) -> Map<String, Json> {
        let one = |key: &str, value| Map::from_iter([(key.to_owned(), value)]);
        match self.repeat {
            Repeat::One => Map::new(),
            Repeat::Count(n) => one("count", json!(n)),
            Repeat::CountOf(name) => match self.item(name) {
                Some(Item::Local(_)) => one("count", format!("${{length(jsonencode(local.{name})) % 4}}").into()),
                Some(_) if !self.is_one(name) => one("count", format!("${{length({})}}", self.root(name)).into()),
                _ => one("count", json!(1)),
            },
            Repeat::Keys(keys) => one("for_each", format!("${{toset({})}}", json!(keys)).into()),
            Repeat::Map(entries) if self.repeat_refers() => {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k} = {}", self.outside().hcl(v))).collect();
                one("for_each", format!("${{{{ {} }}}}", entries.join(", ")).into())
            }
            Repeat::Map(entries) => {
                let literal = entries.iter().map(|(k, v)| (k.clone(), self.outside().value(v)));
                one("for_each", Json::Object(literal.collect()))
            }
            Repeat::Over(name) if self.is_keyed(name) => one("for_each", format!("${{{}}}", self.root(name)).into()),
            Repeat::Over(_) => one("for_each", "${toset([\"x\"])}".into()),
        }
    }

    fn repeat_refers(&self) -> bool {
        matches!(self.repeat, Repeat::Map(entries) if entries.len() % 2 == 0)
    }

    fn depends_on(&self, out: &mut Map<String, Json>, names: &std::collections::BTreeSet<String>) {
        let real = names.iter().filter(|n| !matches!(self.item(n), None | Some(Item::Local(_))));
        let names: Vec<Json> = real.map(|n| self.root(n).into()).collect();
        if !names.is_empty() {
            out.insert("depends_on".into(), names.into());
        }
    }

    fn trigger(&self, name: &str, form: u8) -> Option<Json> {
        let Some(Item::Resource(target)) = self.item(name) else { return None };
        if matches!(target.repeat, Repeat::Count(0) | Repeat::CountOf(_)) {
            return None; // Terraform fails where there is no instance to look at (decision 0009).
        }
        let root = self.root(name);
        let same = match (self.repeat, &target.repeat) {
            (Repeat::Count(_), Repeat::Count(_)) => Some("[count.index]"),
            (Repeat::Keys(_) | Repeat::Map(_), Repeat::Keys(_) | Repeat::Map(_)) | (Repeat::Over(_), _)
                if self.is_keyed(name) =>
            {
                Some("[each.key]")
            }
            _ => None,
        };
        let attribute = ["", ".input", ".output", ".id"][usize::from(form / 3) % 4];
        Some(match (form % 3, same) {
            (0, Some(index)) => format!("{root}{index}{attribute}").into(),
            (1, _) if matches!(target.repeat, Repeat::Count(n) if n > 0) => format!("{root}[0]{attribute}").into(),
            _ if self.is_one(name) => format!("{root}{attribute}").into(),
            _ => root.into(),
        })
    }

    /// A value of a document: literal where that is possible.
    fn value(&self, expr: &Expr) -> Json {
        match expr {
            Expr::Text(text) => text.as_str().into(),
            Expr::Number(n) => (*n).into(),
            Expr::Bool(b) => (*b).into(),
            Expr::List(items) => items.iter().map(|e| self.value(e)).collect(),
            Expr::Map(entries) => entries.iter().map(|(k, v)| (k.clone(), self.value(v))).collect(),
            Expr::Template(of) => format!("t-${{{}}}", self.text(of)).into(),
            _ => format!("${{{}}}", self.hcl(expr)).into(),
        }
    }

    /// A text whatever the value is.
    fn text(&self, expr: &Expr) -> String {
        match expr {
            Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) | Expr::Template(_) => self.hcl(expr),
            _ => format!("jsonencode({})", self.hcl(expr)),
        }
    }

    fn hcl(&self, expr: &Expr) -> String {
        match expr {
            Expr::Text(text) => json!(text).to_string(),
            Expr::Number(n) => n.to_string(),
            Expr::Bool(b) => b.to_string(),
            Expr::Null => "null".into(),
            Expr::List(items) => format!("[{}]", items.iter().map(|e| self.hcl(e)).collect::<Vec<_>>().join(", ")),
            Expr::Map(entries) => {
                let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k} = {}", self.hcl(v))).collect();
                format!("{{ {} }}", entries.join(", "))
            }
            Expr::Of(name, form) => self.reference(name, *form),
            Expr::Argument => "var.v".into(),
            Expr::Each(form) => self.each(*form),
            Expr::Template(of) => format!("\"t-${{{}}}\"", self.text(of)),
            Expr::If(what, text, yes, no) => {
                format!("({} ? {} : {})", self.condition(what, text), self.text(yes), self.text(no))
            }
            Expr::For(list, form) => {
                let list = match &**list {
                    Expr::List(_) => self.hcl(list),
                    other => format!("[{}, \"b\"]", self.text(other)),
                };
                match form % 3 {
                    0 => format!("[for x in {list} : \"${{jsonencode(x)}}!\"]"),
                    // Of the JSON itself, Terraform knows how it begins.
                    1 => format!("[for i, x in {list} : x if length(jsonencode(x)) % 5 != 3]"),
                    _ => format!("{{for i, x in {list} : \"k${{i}}\" => x}}"),
                }
            }
            Expr::Sensitive(of) => format!("sensitive({})", self.hcl(of)),
            Expr::ToNumber(of, form) if form % 4 == 0 => format!("(tonumber({}) + 1)", self.text(of)),
            Expr::ToNumber(of, _) => format!("(try(tonumber({}), 4) + 1)", self.text(of)),
        }
    }

    /// Whether a value is a text; or, where it may be unknown, whether it is of even length: Terraform knows how the JSON
    /// of some unknown values begins, and so tells that they are no text.
    fn condition(&self, what: &Expr, text: &str) -> String {
        match what {
            Expr::Text(_) | Expr::Template(_) => format!("{} == {}", self.hcl(what), json!(text)),
            _ => format!("length(jsonencode({})) % 2 == 0", self.hcl(what)),
        }
    }

    fn each(&self, form: u8) -> String {
        match (self.repeat, form % 2) {
            (Repeat::One, _) => "\"only\"".into(),
            (Repeat::Count(_) | Repeat::CountOf(_), _) => "count.index".into(),
            (_, 0) => "each.key".into(),
            _ => "each.value".into(),
        }
    }

    /// `terraform_data.a`, `local.a` or `module.a`.
    fn root(&self, name: &str) -> String {
        match self.item(name) {
            Some(Item::Resource(_)) => format!("terraform_data.{name}"),
            Some(Item::Call(_)) => format!("module.{name}"),
            _ => format!("local.{name}"),
        }
    }

    fn repeat_of(&self, name: &str) -> Option<&Repeat> {
        self.item(name)?.repeat()
    }

    fn is_one(&self, name: &str) -> bool {
        matches!(self.repeat_of(name), None | Some(Repeat::One))
    }

    fn is_keyed(&self, name: &str) -> bool {
        matches!(self.repeat_of(name), Some(Repeat::Keys(_) | Repeat::Map(_) | Repeat::Over(_)))
    }

    /// One instance that there is, where the stack alone tells; rarely one that there may not be.
    fn instance(&self, name: &str, otherwise: &str, what: &str, form: usize) -> String {
        let root = self.root(name);
        let mut keys = self.repeat_of(name).map(Repeat::keys).unwrap_or_default();
        match keys.is_empty() {
            _ if form > 240 => format!("{root}{otherwise}.{what}"),
            true => format!("try({root}{otherwise}.{what}, \"none\")"),
            false => format!("{root}{}.{what}", keys.swap_remove(form % keys.len())),
        }
    }

    fn reference(&self, name: &str, form: u8) -> String {
        let root = self.root(name);
        let form = usize::from(form);
        let what = match self.item(name) {
            None => return "\"gone\"".into(),
            Some(Item::Local(_)) => return root,
            Some(Item::Call(_)) => "out",
            Some(Item::Resource(_)) => ["output", "id", "output", "input", "triggers_replace"][form % 5],
        };
        let any = |forms: &[String]| forms[form % forms.len()].clone();
        if self.is_one(name) {
            any(&[format!("{root}.{what}"), format!("{root}.{what}"), format!("{root}.{what}"), root])
        } else if self.is_keyed(name) {
            any(&[
                format!("{{for k, v in {root} : k => v.{what}}}"),
                format!("values({root})[*].{what}"),
                format!("keys({root})"),
                format!("try({root}[\"x\"].{what}, \"none\")"),
                format!("[for k, v in {root} : \"${{k}}=${{jsonencode(v.{what})}}\"]"),
                self.instance(name, "[\"x\"]", what, form),
                root,
            ])
        } else {
            any(&[
                format!("{root}[*].{what}"),
                format!("length({root})"),
                format!("try({root}[0].{what}, \"none\")"),
                format!("[for x in {root} : x.{what}]"),
                self.instance(name, "[0]", what, form),
                root,
            ])
        }
    }
}
