//! `data.template_file`: a template over variables, of the archived provider `hashicorp/template`. New stacks have
//! `templatefile` and `templatestring`.

use std::path::PathBuf;

use lakeform_core::{Diagnostic, Path, Schema, Span, Value};
use lakeform_lang::{Environment, Scope, Subject, parse_expression};
use lakeform_provider::{AnyDataSource, BoxFuture, Field, Model, ProviderError, Result, Surroundings};
use sha2::{Digest, Sha256};

/// A template and what it gives.
#[derive(Model, Clone, Debug)]
struct Object {
    /// Path of a file with the template (deprecated; excludes `template`).
    #[attr(optional)]
    filename: Option<String>,
    /// SHA-256 of the rendered text, in hex.
    #[attr(computed)]
    id: Option<String>,
    /// The rendered text.
    #[attr(computed)]
    rendered: Option<String>,
    /// The template.
    #[attr(optional)]
    template: Option<String>,
    /// Values of its variables.
    #[attr(optional)]
    vars: Option<std::collections::BTreeMap<String, Option<String>>>,
}

/// The data source.
pub(crate) struct TemplateFile {
    schema: Schema,
    /// What relative paths start from.
    directory: PathBuf,
}

/// The template and its variables, as the one expression that is evaluated sees them.
struct Given<'a> {
    environment: Environment,
    template: &'a str,
    vars: Value,
}

impl Scope for Given<'_> {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        match subject {
            Subject::Local(name) if &**name == "template" => Ok(Value::string(self.template)),
            Subject::Local(name) if &**name == "vars" => Ok(self.vars.clone()),
            other => Err(Diagnostic::error(format!("`{other}` is not available here")).span(span.clone())),
        }
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl TemplateFile {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { schema: Schema { version: 0, block: Object::block() }, directory }
    }

    fn render(&self, object: &Object) -> Result<String> {
        let template = match (&object.template, &object.filename) {
            (Some(_), Some(_)) => {
                let problem = ProviderError::invalid("filename and template exclude each other");
                return Err(problem.attribute(Path::attr("filename")));
            }
            (None, None) => return Err(ProviderError::invalid("template is missing").attribute(Path::attr("template"))),
            (Some(template), None) => template.clone(),
            (None, Some(file)) => std::fs::read_to_string(self.directory.join(file)).map_err(|e| {
                ProviderError::invalid(format!("the file {file:?} cannot be read: {e}"))
                    .attribute(Path::attr("filename"))
            })?,
        };
        let vars = object.vars.clone().unwrap_or_default();
        let vars = Value::object(vars.into_iter().map(|(name, value)| (name, Value::from(value.unwrap_or_default()))));
        let environment =
            Environment { root: self.directory.clone(), module: self.directory.clone(), ..Environment::default() };
        let given = Given { environment, template: &template, vars };
        let rendered = parse_expression("templatestring(local.template, local.vars)").and_then(|e| e.evaluate(&given));
        let rendered = rendered.map_err(|problems| {
            let told: Vec<String> =
                problems.iter().map(|d| d.detail.clone().unwrap_or_else(|| d.summary.clone())).collect();
            ProviderError::invalid(format!("the template cannot be rendered: {}", told.join("; ")))
                .attribute(Path::attr("template"))
        })?;
        Ok(rendered.as_str().unwrap_or_default().to_owned())
    }
}

impl AnyDataSource for TemplateFile {
    fn name(&self) -> &'static str {
        "template_file"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read<'a>(&'a self, _: Surroundings<'a>, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let rendered = self.render(&Object::from_value(config))?;
            let mut value = config.clone();
            let id: String = Sha256::digest(rendered.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            value.set_attr("id", Value::from(id));
            value.set_attr("rendered", Value::from(rendered));
            Ok(value)
        })
    }
}
