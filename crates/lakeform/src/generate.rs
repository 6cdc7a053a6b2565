//! `--generate-config-out`: resource blocks for objects that `[[import]]` blocks adopt and the stack does not declare.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use lakeform_core::{Attribute, Block, ConfigAddress, Diagnostic, Kind, Value};
use lakeform_engine::{Cancel, Events, PlanMode, PlanOptions};
use lakeform_lang::{Module, ProviderRef, Stack};
use lakeform_state::journal::Recovery;

use crate::{Error, LoadedStack};

impl LoadedStack {
    /// Writes the blocks that `[[import]]` blocks need and the stack lacks, from the live objects, and takes them into
    /// this stack, so that the next plan adopts the objects. `None` where none is missing; `file` names the text in messages.
    ///
    /// The text sets what a configuration may set and the object has. Left out are secrets, deprecated arguments, and what
    /// is empty where the API decides (Terraform's `-generate-config-out`).
    ///
    /// # Errors
    /// When an object cannot be read, or is to go into a module.
    pub async fn generate_config(
        &mut self,
        file: &str,
        events: &dyn Events,
        cancel: &Cancel,
    ) -> Result<Option<String>, Error> {
        let missing = self.missing_blocks()?;
        if missing.is_empty() {
            return Ok(None);
        }
        let stub = |a: &Missing| {
            let provider = a.provider.as_ref().map(|p| format!("provider = '{p}'\n")).unwrap_or_default();
            format!("[resource.{}.{}]\n{provider}", a.address.ty, a.address.name)
        };
        let stubs: String = missing.iter().map(stub).collect();
        let with_stubs = Arc::new(joined(&self.stack, file, &stubs)?);
        let whole = std::mem::replace(&mut self.stack, with_stubs);
        let options = PlanOptions {
            mode: PlanMode::RefreshOnly,
            targets: missing.iter().filter_map(|a| a.address.to_string().parse().ok()).collect(),
            unwritten: missing.iter().map(|a| a.address.clone()).collect(),
            ..PlanOptions::default()
        };
        let state = self.state().await?.unwrap_or_else(|| lakeform_state::State::new(""));
        let plan = self.plan_from(&Recovery::read(state, vec![]), options, events, cancel).await;
        self.stack = whole;
        let mut out = String::new();
        for change in plan?.changes.iter().filter(|c| c.importing.is_some()) {
            let (config, id) = (change.address.config(), change.importing.as_deref().unwrap_or_default());
            if let Some((_, resource)) = self.providers().resource(&config.ty) {
                let _ = writeln!(out, "# Written by lakeform from {id:?}. Check it, and keep what is meant.");
                let provider = missing.iter().find(|a| a.address == config).and_then(|a| a.provider.as_ref());
                out.push_str(&block(&config, provider, &resource.schema().block, &change.after));
                out.push('\n');
            }
        }
        let out = lakeform_lang::format(&out).unwrap_or(out);
        self.stack = Arc::new(joined(&self.stack, file, &out)?);
        Ok(Some(out))
    }

    /// The blocks that imports name and the stack lacks.
    fn missing_blocks(&self) -> Result<Vec<Missing>, Error> {
        let root = &self.stack.root;
        let mut out: Vec<Missing> = vec![];
        for import in &root.imports {
            let config = &import.to.config;
            if !config.module.is_root() || root.block(config).is_some() {
                continue;
            }
            if import.for_each.is_some() {
                return Err(Diagnostic::error("Configuration for import target does not exist")
                    .detail(format!(
                        "{config} is not declared, and no block can be written for an import with for_each."
                    ))
                    .help("declare the resource in the stack")
                    .span(import.span.clone())
                    .into());
            }
            if !out.iter().any(|a| a.address == *config) {
                out.push(Missing { address: config.clone(), provider: import.provider.clone() });
            }
        }
        Ok(out)
    }
}

/// A block that is to be written.
struct Missing {
    address: ConfigAddress,
    /// The provider configuration that the import names.
    provider: Option<ProviderRef>,
}

/// A stack with the resources of one more document.
fn joined(stack: &Stack, file: &str, text: &str) -> Result<Stack, Error> {
    let (more, _) = lakeform_lang::load_str(file, text)?;
    let mut root = Module::clone(&stack.root);
    for import in &mut root.imports {
        // The block that was written says it from now on.
        import.provider = import.provider.take().filter(|_| more.root.block(&import.to.config).is_none());
    }
    root.resources.extend(more.root.resources.iter().map(|(key, resource)| (key.clone(), resource.clone())));
    let sources = stack.sources.iter().chain(&more.sources).cloned().collect();
    Ok(Stack { root: Arc::new(root), sources, ..stack.clone() })
}

/// `[resource.TYPE.NAME]` with what an object is.
fn block(address: &ConfigAddress, provider: Option<&ProviderRef>, schema: &Block, object: &Value) -> String {
    let mut contents = contents(schema, object, true);
    if let Some(provider) = provider {
        contents.insert("provider".into(), provider.to_string().into());
    }
    let named = [(address.name.to_string(), toml::Value::Table(contents))];
    let ty = [(address.ty.to_string(), toml::Value::Table(named.into_iter().collect()))];
    let all = [("resource".to_owned(), toml::Value::Table(ty.into_iter().collect()))];
    toml::to_string(&toml::Table::from_iter(all)).unwrap_or_default()
}

fn contents(schema: &Block, object: &Value, top: bool) -> toml::Table {
    let attributes = schema.attributes.iter().filter(|(name, attribute)| is_written(name, attribute, top));
    let mut out: toml::Table = attributes
        .filter_map(|(name, attribute)| {
            let value = object.get(name)?;
            let spare = value.is_sensitive() || !attribute.required && is_spare(value, attribute);
            Some((name.to_string(), toml_value(value).filter(|_| !spare)?))
        })
        .collect();
    for (name, nested) in &schema.blocks {
        let each = |value: &Value| Some(contents(&nested.block, value, false)).filter(|t| !t.is_empty());
        let tables: Vec<toml::Value> = match object.get(name).map(Value::kind) {
            Some(Kind::Object(_)) => object.get(name).and_then(each).into_iter().map(toml::Value::Table).collect(),
            Some(Kind::List(_, items) | Kind::Set(_, items)) => {
                items.iter().filter_map(each).map(toml::Value::Table).collect()
            }
            _ => vec![],
        };
        if !tables.is_empty() && &**name != "timeouts" {
            out.insert(name.to_string(), tables.into());
        }
    }
    out
}

/// Whether an argument belongs into a document that somebody is to keep.
fn is_written(name: &str, attribute: &Attribute, top: bool) -> bool {
    attribute.is_settable()
        && !attribute.sensitive
        && !attribute.write_only
        && (attribute.required || !attribute.deprecated)
        && !(top && attribute.computed && matches!(name, "id" | "tags_all"))
}

/// Whether leaving an argument out says the same.
fn is_spare(value: &Value, attribute: &Attribute) -> bool {
    let empty = value.as_str() == Some("")
        || matches!(value.kind(), Kind::Map(_, m) | Kind::Object(m) if m.is_empty())
        || value.as_slice().is_some_and(<[Value]>::is_empty);
    let default = attribute.default.as_ref().is_some_and(|default| default == value);
    value.is_null() || default || attribute.computed && empty
}

/// A value as TOML, where a string is a template; null has none.
fn toml_value(value: &Value) -> Option<toml::Value> {
    let table = |map: &BTreeMap<Arc<str>, Value>| {
        toml::Value::Table(map.iter().filter_map(|(k, v)| Some((k.to_string(), toml_value(v)?))).collect())
    };
    Some(match value.kind() {
        Kind::Bool(b) => (*b).into(),
        Kind::String(text) => text.replace("${", "$${").replace("%{", "%%{").into(),
        Kind::Number(n) => match value.as_i64() {
            Some(n) => n.into(),
            None => n.to_string().parse::<f64>().ok()?.into(),
        },
        Kind::Map(_, map) | Kind::Object(map) => table(map),
        Kind::List(_, items) | Kind::Set(_, items) => items.iter().filter_map(toml_value).collect::<Vec<_>>().into(),
        Kind::Tuple(items) => items.iter().filter_map(toml_value).collect::<Vec<_>>().into(),
        _ => return None,
    })
}
