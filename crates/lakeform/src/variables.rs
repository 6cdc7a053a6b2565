//! Values for the root module's variables: from the environment, from `[values]`, from files and from the command line.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use lakeform_core::{Diagnostic, Diagnostics, Source, Span, Type, Value, json};
use lakeform_lang::{Environment, Module, Stack, parse_expression};

use crate::{VariableSource, builder::World, scope::NoReferences};

/// Every value that is given, by Terraform's precedence: environment, then `[values]`, then files and single values in
/// their order. Warnings go to `found`.
///
/// # Errors
/// Values that cannot be read, and single values for variables that are not declared.
pub(crate) fn collect(
    stack: &Stack,
    world: &World,
    sources: &[VariableSource],
    environment: &Environment,
    found: &mut Diagnostics,
) -> Result<BTreeMap<Arc<str>, Value>, Diagnostics> {
    let module = &*stack.root;
    let mut out = BTreeMap::new();
    let mut problems = Diagnostics::new();
    for prefix in ["TF_VAR_", "LAKEFORM_VAR_"] {
        for (name, text) in &world.environment {
            let Some(name) = name.strip_prefix(prefix) else { continue };
            let origin = format!("{prefix}{name}");
            if let Some(declared) = module.variables.get(name) {
                match from_text(text, declared.ty.ty(), &origin, environment) {
                    Ok(value) => drop(out.insert(name.into(), value)),
                    Err(e) => problems.extend(e),
                }
            }
        }
    }
    for (name, (value, _)) in &stack.values {
        if module.variables.contains_key(name) {
            out.insert(name.clone(), value.clone());
        }
    }
    for source in sources {
        match source {
            VariableSource::File(path) => match from_file(path, world, environment) {
                Ok(values) => {
                    for (name, value) in values {
                        if module.variables.contains_key(&name) {
                            out.insert(name, value);
                        } else {
                            found.push(undeclared(module, &name, Diagnostic::warning).detail(format!(
                                "{} sets it; a value for a variable that is not declared is ignored",
                                path.display()
                            )));
                        }
                    }
                }
                Err(e) => problems.extend(e),
            },
            VariableSource::Text(name, text) => match module.variables.get(&**name) {
                Some(declared) => match from_text(text, declared.ty.ty(), &format!("--var {name}"), environment) {
                    Ok(value) => drop(out.insert(name.as_str().into(), value)),
                    Err(e) => problems.extend(e),
                },
                None => problems.push(undeclared(module, name, Diagnostic::error)),
            },
            VariableSource::Value(name, value) => match module.variables.get(&**name) {
                Some(_) => drop(out.insert(name.as_str().into(), value.clone())),
                None => problems.push(undeclared(module, name, Diagnostic::error)),
            },
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

fn undeclared(module: &Module, name: &str, kind: fn(String) -> Diagnostic) -> Diagnostic {
    let problem = kind(format!("There is no variable `{name}`"));
    match nearest(name, module.variables.keys().map(|k| &**k)) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// The known name that is most like the given one, if any is.
pub fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

/// A value given as text: as it stands where the type is primitive or not declared, else an expression.
pub(crate) fn from_text(text: &str, ty: &Type, origin: &str, environment: &Environment) -> Result<Value, Diagnostics> {
    let collection = text.trim_start().starts_with(['[', '{']);
    if ty.is_primitive() || matches!(ty, Type::Dynamic) && !collection {
        return Ok(Value::string(text));
    }
    let parsed = parse_expression(text).and_then(|e| e.evaluate(&NoReferences { environment }));
    parsed.map_err(|problems| rename(problems, origin, text, 0))
}

/// The values of a file: `.tfvars`, `.tfvars.json` (or `.json`), else TOML.
fn from_file(path: &Path, world: &World, environment: &Environment) -> Result<Vec<(Arc<str>, Value)>, Diagnostics> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(world.cwd.join(path))
        .map_err(|e| Diagnostic::error(format!("The variable file {shown} cannot be read")).detail(e.to_string()))?;
    if shown.ends_with(".json") {
        return json_values(&shown, &text);
    }
    if shown.ends_with(".tfvars") {
        return hcl_values(&shown, &text, environment);
    }
    toml_values(&shown, text)
}

fn json_values(shown: &str, text: &str) -> Result<Vec<(Arc<str>, Value)>, Diagnostics> {
    let wrong = |why: String| Diagnostic::error(format!("{shown} is no file of variable values")).detail(why);
    match serde_json::from_str(text).map_err(|e| wrong(e.to_string()))? {
        serde_json::Value::Object(vs) => {
            Ok(vs.iter().map(|(k, v)| (k.as_str().into(), json::from_plain_json(v))).collect())
        }
        _ => Err(wrong("a JSON object is expected".into()).into()),
    }
}

/// A `.tfvars` file has the syntax of an object's inside.
pub(crate) fn hcl_values(
    shown: &str,
    text: &str,
    environment: &Environment,
) -> Result<Vec<(Arc<str>, Value)>, Diagnostics> {
    const OPEN: &str = "{\n";
    let parsed = parse_expression(&format!("{OPEN}{text}\n}}"));
    let value = parsed.and_then(|e| e.evaluate(&NoReferences { environment }));
    let value = value.map_err(|problems| rename(problems, shown, text, OPEN.len()))?;
    Ok(value.as_mapping().map(|vs| vs.iter().map(|(k, v)| (k.clone(), v.clone())).collect()).unwrap_or_default())
}

/// Moves the places of problems from a wrapped text to the text itself.
fn rename(problems: Diagnostics, path: &str, text: &str, offset: usize) -> Diagnostics {
    let source = Arc::new(Source { path: path.to_owned(), text: text.to_owned() });
    let moved = problems.0.into_iter().map(|mut problem| {
        problem.span = problem.span.map(|span| {
            let at = |i: usize| i.saturating_sub(offset).min(text.len());
            Span { source: source.clone(), range: at(span.range.start)..at(span.range.end) }
        });
        if problem.span.is_none() && offset == 0 {
            problem.summary = format!("{path}: {}", problem.summary);
        }
        problem
    });
    Diagnostics(moved.collect())
}

pub(crate) fn toml_values(shown: &str, text: String) -> Result<Vec<(Arc<str>, Value)>, Diagnostics> {
    match text.parse::<toml::Table>() {
        Ok(table) => Ok(table.into_iter().map(|(k, v)| (k.into(), from_toml(v))).collect()),
        Err(e) => {
            let problem = Diagnostic::error(e.message().to_owned());
            let source = Arc::new(Source { path: shown.to_owned(), text });
            Err(problem.maybe_span(e.span().map(|range| Span { source, range })).into())
        }
    }
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(s) => s.into(),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => {
            lakeform_core::Number::from_f64(n).map_or_else(|| Value::null(Type::Number), Value::from)
        }
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(d) => d.to_string().into(),
        toml::Value::Array(vs) => Value::tuple(vs.into_iter().map(from_toml).collect()),
        toml::Value::Table(vs) => Value::object(vs.into_iter().map(|(k, v)| (k, from_toml(v)))),
    }
}
