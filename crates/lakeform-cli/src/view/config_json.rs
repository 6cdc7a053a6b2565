//! The configuration part of plan JSON: what each block says, as references and constants.

use lakeform::{
    Providers,
    core::{Block, Diagnostic, Path, Span, Value, json as value_json},
    lang::{Body, Environment, Expr, Module, Reference, Resource, Schemas, Scope, Stack, Subject},
};
use serde_json::{Map, Value as Json, json};

use super::values_json;

/// Arguments of providers that are secret although Terraform's schemas do not say so.
const SECRETS: &[&str] = &["access_key", "secret_key", "token"];

/// The `configuration` object.
pub(crate) fn configuration(stack: &Stack, providers: &Providers) -> Json {
    let configs = stack.root.providers.iter().map(|p| {
        let key = match &p.alias {
            Some(alias) => format!("{}.{alias}", p.name),
            None => p.name.to_string(),
        };
        let mut record = Map::from_iter([("name".to_owned(), Json::from(&*p.name))]);
        if let Some(provider) = providers.get(&p.name) {
            record.insert("full_name".into(), provider.source().into());
        }
        if let Some(alias) = &p.alias {
            record.insert("alias".into(), (**alias).into());
        }
        let schema = providers.get(&p.name).map(|p| &p.config_schema().block);
        let mut arguments = expressions(&p.body, schema);
        for name in SECRETS {
            if let Some(constant) = arguments.get_mut(*name).and_then(|a| a.get_mut("constant_value")) {
                *constant = values_json::HIDDEN.into();
            }
        }
        record.insert("expressions".into(), arguments);
        (key, Json::Object(record))
    });
    let mut out = Map::new();
    let configs: Map<String, Json> = configs.collect();
    if !configs.is_empty() {
        out.insert("provider_config".into(), configs.into());
    }
    out.insert("root_module".into(), module(&stack.root, providers));
    out.into()
}

fn module(module: &Module, providers: &Providers) -> Json {
    let mut out = Map::new();
    let outputs = module.outputs.iter().map(|(name, output)| {
        let mut record = Map::from_iter([("expression".to_owned(), expression(&output.value))]);
        if output.sensitive {
            record.insert("sensitive".into(), true.into());
        }
        if let Some(text) = &output.description {
            record.insert("description".into(), (**text).into());
        }
        depends_on(&mut record, &output.depends_on);
        (name.to_string(), Json::Object(record))
    });
    insert(&mut out, "outputs", outputs.collect());
    let resources: Vec<Json> = module.resources.values().map(|r| resource(r, providers)).collect();
    if !resources.is_empty() {
        out.insert("resources".into(), resources.into());
    }
    let calls = module.calls.iter().map(|(name, call)| {
        let inputs = call.inputs.iter().map(|(name, e)| (name.to_string(), expression(e)));
        let mut record = Map::from_iter([
            ("source".to_owned(), Json::from(&*call.source)),
            ("expressions".to_owned(), inputs.collect::<Map<_, _>>().into()),
        ]);
        repetition(&mut record, call.count.as_ref(), call.for_each.as_ref());
        record.insert("module".into(), self::module(&call.module, providers));
        depends_on(&mut record, &call.depends_on);
        (name.to_string(), Json::Object(record))
    });
    insert(&mut out, "module_calls", calls.collect());
    let variables = module.variables.iter().map(|(name, variable)| {
        let mut record = Map::new();
        if let Some(default) = variable.default.as_ref().filter(|_| !variable.sensitive) {
            record.insert("default".into(), value_json::to_plain_json(default));
        }
        if let Some(text) = &variable.description {
            record.insert("description".into(), (**text).into());
        }
        if variable.sensitive {
            record.insert("sensitive".into(), true.into());
        }
        (name.to_string(), Json::Object(record))
    });
    insert(&mut out, "variables", variables.collect());
    out.into()
}

fn insert(out: &mut Map<String, Json>, name: &str, entries: Map<String, Json>) {
    if !entries.is_empty() {
        out.insert(name.to_owned(), entries.into());
    }
}

fn resource(resource: &Resource, providers: &Providers) -> Json {
    let schema = Schemas::resource(providers, resource.mode, &resource.ty);
    let mut out = json!({
        "address": format!("{}{}.{}", resource.mode.prefix(), resource.ty, resource.name),
        "mode": resource.mode.name(),
        "type": *resource.ty,
        "name": *resource.name,
        "provider_config_key": resource.provider_ref().to_string(),
        "expressions": expressions(&resource.body, schema.map(|s| &s.block)),
        "schema_version": schema.map_or(0, |s| s.version),
    });
    if let Json::Object(out) = &mut out {
        repetition(out, resource.count.as_ref(), resource.for_each.as_ref());
        depends_on(out, &resource.depends_on);
    }
    out
}

fn repetition(out: &mut Map<String, Json>, count: Option<&Expr>, for_each: Option<&Expr>) {
    if let Some(e) = count {
        out.insert("count_expression".into(), expression(e));
    }
    if let Some(e) = for_each {
        out.insert("for_each_expression".into(), expression(e));
    }
}

fn depends_on(out: &mut Map<String, Json>, references: &[Reference]) {
    if !references.is_empty() {
        out.insert("depends_on".into(), references.iter().map(|r| Json::from(r.subject.to_string())).collect());
    }
}

fn expressions(body: &Body, schema: Option<&Block>) -> Json {
    let each = body.keys().filter_map(|name| {
        let e = body.get(name)?;
        let shown = match constant(e) {
            None => expression(e),
            Some(value) => {
                let marked = values_json::mark(&Value::object([(name.clone(), value)]), schema);
                json!({ "constant_value": marked.get(name).map(values_json::known) })
            }
        };
        Some((name.to_string(), shown))
    });
    each.collect::<Map<_, _>>().into()
}

/// The value of an expression that refers to nothing.
fn constant(e: &Expr) -> Option<Value> {
    if !e.references().is_empty() {
        return None;
    }
    let value = e.literal().cloned().or_else(|| e.evaluate(&Nowhere(Environment::default())).ok())?;
    value.is_wholly_known().then_some(value)
}

/// A scope in which there is nothing.
struct Nowhere(Environment);

impl Scope for Nowhere {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        Err(Diagnostic::error(format!("there is no {subject}")).span(span.clone()))
    }

    fn environment(&self) -> &Environment {
        &self.0
    }
}

/// A constant, or everything that is referred to, longest form first.
fn expression(e: &Expr) -> Json {
    if let Some(value) = constant(e) {
        return json!({ "constant_value": value_json::to_plain_json(&value) });
    }
    let mut names: Vec<String> = Vec::new();
    for reference in e.references() {
        let subject = match &reference.subject {
            Subject::Path(name) => format!("path.{name}"),
            subject => subject.to_string(),
        };
        for end in (0..=reference.rest.len()).rev() {
            let rest = Path(reference.rest[..end].to_vec()).to_string();
            let dot = if rest.is_empty() || rest.starts_with('[') { "" } else { "." };
            let name = format!("{subject}{dot}{rest}");
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.is_empty() { json!({}) } else { json!({ "references": names }) }
}
