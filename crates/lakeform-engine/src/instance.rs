//! What to do with one instance: the decision, from configuration, prior object and schema.

use lakeform_core::{Diagnostic, Marks, Path, Value};
use lakeform_provider::{AnyResource, Change as Planning, Configured, ErrorKind, ProviderError, Retry};

use crate::{Action, Reason, diff, stored::remark};

/// What shall become of an instance.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    pub(crate) action: Action,
    pub(crate) reason: Option<Reason>,
    pub(crate) planned: Value,
    pub(crate) replace_paths: Vec<Path>,
}

/// What is asked for besides the configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// The object is tainted, or someone or something asks for a replacement.
    pub(crate) replace: Option<Reason>,
    /// A replacement creates first.
    pub(crate) create_before_destroy: bool,
    /// Changes that are not made; `None` means all of them.
    pub(crate) ignore: Option<Vec<Path>>,
}

/// Decides what to do with one instance.
///
/// # Errors
/// When the resource type refuses the configuration.
pub(crate) fn decide(
    resource: &dyn AnyResource,
    client: &Configured,
    config: &Value,
    prior: Option<&Value>,
    wishes: &Wishes,
) -> Result<Decision, ProviderError> {
    let schema = resource.schema();
    let plan = |config: &Value, prior: Option<&Value>| -> Result<(Value, Vec<Path>), ProviderError> {
        let planned = diff::proposed(&schema.block, prior, config);
        let replace = prior.map(|p| diff::replace_paths(&schema.block, p, &planned)).unwrap_or_default();
        let mut change = Planning { schema, config, prior, planned, replace };
        resource.plan(client, &mut change)?;
        Ok((change.planned, change.replace))
    };
    // What is secret is said by the stack and the schema, whatever the state said, unless the change is ignored.
    let marked =
        |planned: Value, config: &Value| diff::mark_sensitive(&schema.block, remark(config, planned.unmarked_deep()));
    let Some(prior) = prior else {
        let (planned, _) = plan(config, None)?;
        let planned = marked(planned, config);
        return Ok(Decision { action: Action::Create, reason: None, planned, replace_paths: vec![] });
    };
    let effective = match &wishes.ignore {
        Some(paths) if paths.is_empty() => config.clone(),
        Some(paths) => diff::ignore(config, prior, paths),
        None => prior.clone(),
    };
    let (planned, replace_paths) = plan(&effective, Some(prior))?;
    let reason = wishes.replace.or((!replace_paths.is_empty()).then_some(Reason::ReplaceBecauseCannotUpdate));
    if let Some(reason) = reason {
        // The new object starts afresh: what the API decides is unknown again, and changes are ignored no longer.
        let (planned, _) = plan(config, None)?;
        let action = if wishes.create_before_destroy { Action::CreateThenDelete } else { Action::DeleteThenCreate };
        return Ok(Decision { action, reason: Some(reason), planned: marked(planned, config), replace_paths });
    }
    let planned = marked(planned, &effective);
    let secrets = |v: &Value| v.marked_paths(Marks::SENSITIVE);
    let action = if planned == *prior && secrets(&planned) == secrets(prior) { Action::NoOp } else { Action::Update };
    Ok(Decision { action, reason: None, planned, replace_paths })
}

/// A provider's failure as a problem of an object. Its message names the cause already; the errors below it are for logs.
pub(crate) fn translate(error: &ProviderError, address: &str) -> Diagnostic {
    let mut out = Diagnostic::error(error.to_string()).address(address);
    if let Some(attribute) = &error.attribute {
        out = out.detail(format!("attribute `{attribute}`"));
    }
    let hint = error.hint.clone().or_else(|| match (error.kind, error.retry) {
        (ErrorKind::Throttled, _) => Some("wait a little and run it again, or lower --parallelism".to_owned()),
        (_, Retry::Unknown) => {
            Some("it is not known whether the call took effect: look before applying again".to_owned())
        }
        _ => None,
    });
    if let Some(hint) = hint {
        out = out.help(hint);
    }
    out
}
