//! Events as JSON lines, with the field names of Terraform's machine-readable UI (version 1.2).

use std::time::Duration;

use lakeform::{
    Action, Change, Event, Operation, Plan, Rollback,
    core::{Diagnostic, InstanceAddress, InstanceKey, Severity},
    state::State,
};
use serde_json::{Map, Value as Json, json};

use super::values_json;

fn line(level: &str, message: &str, kind: &str, time: &str) -> Map<String, Json> {
    [("@level", level), ("@message", message), ("@module", "lakeform.ui"), ("@timestamp", time), ("type", kind)]
        .into_iter()
        .map(|(k, v)| (k.to_owned(), v.into()))
        .collect()
}

/// The first line of a run.
pub(crate) fn version(time: &str) -> Json {
    let mut out = line("info", &format!("lakeform {}", lakeform::VERSION), "version", time);
    out.insert("lakeform".into(), lakeform::VERSION.into());
    out.insert("terraform".into(), lakeform::state::TERRAFORM_VERSION.into());
    out.insert("ui".into(), "1.2".into());
    out.into()
}

fn resource(address: &InstanceAddress) -> Json {
    let mut own = address.clone();
    own.resource.module = lakeform::core::ModuleInstance::root();
    json!({
        "addr": address.to_string(),
        "module": address.resource.module.to_string(),
        "resource": own.to_string(),
        "implied_provider": address.resource.ty.split('_').next(),
        "resource_type": *address.resource.ty,
        "resource_name": *address.resource.name,
        "resource_key": match &address.key {
            None => Json::Null,
            Some(InstanceKey::Int(n)) => (*n).into(),
            Some(InstanceKey::String(s)) => (**s).into(),
        },
    })
}

fn action(operation: Operation) -> &'static str {
    match operation {
        Operation::Refresh | Operation::Read => "read",
        Operation::Open => "open",
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

/// One event of a run; `None` for those that have no line of their own.
pub(crate) fn event(event: &Event<'_>, time: &str) -> Option<Json> {
    let (level, message, kind, address, operation) = match event {
        Event::Started { address, operation: Operation::Refresh, .. } => {
            ("info", format!("{address}: Refreshing state..."), "refresh_start", address, Operation::Refresh)
        }
        Event::Started { address, operation: Operation::Open, .. } => {
            ("info", format!("{address}: Opening..."), "ephemeral_op_start", address, Operation::Open)
        }
        Event::Started { address, operation, .. } => {
            ("info", format!("{address}: {} started", action(*operation)), "apply_start", address, *operation)
        }
        Event::Finished { address, operation: Operation::Refresh, .. } => {
            ("info", format!("{address}: Refresh complete"), "refresh_complete", address, Operation::Refresh)
        }
        Event::Finished { address, operation: Operation::Open, elapsed, .. } => {
            let message = format!("{address}: Opening complete after {}s", elapsed.as_secs());
            ("info", message, "ephemeral_op_complete", address, Operation::Open)
        }
        Event::Finished { address, operation, .. } => {
            ("info", format!("{address}: {} complete", action(*operation)), "apply_complete", address, *operation)
        }
        Event::Failed { address, operation: Operation::Open, .. } => {
            ("error", format!("{address}: Opening errored"), "ephemeral_op_errored", address, Operation::Open)
        }
        Event::Failed { address, operation, .. } => {
            ("error", format!("{address}: {} failed", action(*operation)), "apply_errored", address, *operation)
        }
        Event::ProvisioningStarted { address, provisioner } => {
            let message = format!("{address}: Provisioning with '{provisioner}'...");
            return Some(provisioning(&message, "provision_start", address, provisioner, None, time));
        }
        Event::Provisioning { address, provisioner, output } => {
            let message = format!("{address}: ({provisioner}): {output}");
            return Some(provisioning(&message, "provision_progress", address, provisioner, Some(output), time));
        }
        Event::ProvisioningFinished { address, provisioner, failed } => {
            let (word, kind) =
                if *failed { ("errored", "provision_errored") } else { ("complete", "provision_complete") };
            let message = format!("{address}: ({provisioner}) Provisioning {word}");
            return Some(provisioning(&message, kind, address, provisioner, None, time));
        }
        Event::RollingBack { objects } => {
            let mut out = line("warn", &format!("Rolling back ({objects} objects)"), "rollback_start", time);
            out.insert("rollback".into(), json!({ "objects": objects }));
            return Some(out.into());
        }
        _ => return None,
    };
    let mut hook = Map::from_iter([("resource".to_owned(), resource(address))]);
    if operation != Operation::Refresh {
        hook.insert("action".into(), action(operation).into());
    }
    let (id, elapsed) = match event {
        Event::Started { id, .. } => (*id, None),
        Event::Finished { id, elapsed, .. } => (*id, Some(*elapsed)),
        Event::Failed { elapsed, .. } => (None, Some(*elapsed)),
        _ => (None, None),
    };
    if let Some(id) = id {
        hook.insert("id_key".into(), "id".into());
        hook.insert("id_value".into(), id.into());
    }
    if let Some(elapsed) = elapsed {
        hook.insert("elapsed_seconds".into(), elapsed.as_secs().into());
    }
    let mut out = line(level, &message, kind, time);
    out.insert("hook".into(), hook.into());
    Some(out.into())
}

/// What a provisioner does.
fn provisioning(
    message: &str,
    kind: &str,
    address: &InstanceAddress,
    provisioner: &str,
    output: Option<&str>,
    time: &str,
) -> Json {
    let mut out = line("info", message, kind, time);
    let mut hook = json!({ "resource": resource(address), "provisioner": provisioner });
    if let Some(output) = output {
        hook["output"] = output.into();
    }
    out.insert("hook".into(), hook);
    out.into()
}

/// An operation that takes long.
pub(crate) fn progress(address: &InstanceAddress, operation: Operation, elapsed: Duration, time: &str) -> Json {
    let message = format!("{address}: Still working... [{}s elapsed]", elapsed.as_secs());
    let mut out = line("info", &message, "apply_progress", time);
    let hook = json!({
        "resource": resource(address),
        "action": action(operation),
        "elapsed_seconds": elapsed.as_secs(),
    });
    out.insert("hook".into(), hook);
    out.into()
}

/// What a plan says: a line for each drifted object, for each change, and a summary.
pub(crate) fn plan(plan: &Plan, time: &str) -> Vec<Json> {
    let drift = plan.drift.iter().map(|d| {
        let action = if d.after.is_null() { "delete" } else { "update" };
        let mut out = line("info", &format!("{}: Drift detected ({action})", d.address), "resource_drift", time);
        out.insert("change".into(), json!({ "resource": resource(&d.address), "action": action }));
        Json::from(out)
    });
    let changes = plan.changes.iter().filter(|c| c.action != Action::NoOp || c.importing.is_some()).map(|c| {
        let action = change_action(c);
        let mut out = line("info", &format!("{}: Plan to {action}", c.address), "planned_change", time);
        let mut change =
            Map::from_iter([("resource".to_owned(), resource(&c.address)), ("action".to_owned(), action.into())]);
        if let Some(reason) = c.reason {
            let name = reason.name();
            let short = name.strip_prefix("replace_because_").or_else(|| name.strip_prefix("replace_by_"));
            change.insert("reason".into(), short.unwrap_or(name).into());
        }
        if let Some(from) = &c.previous_address {
            change.insert("previous_resource".into(), resource(from));
        }
        if let Some(id) = &c.importing {
            change.insert("importing".into(), json!({ "id": id }));
        }
        out.insert("change".into(), change.into());
        Json::from(out)
    });
    let (add, change, destroy) = plan.counts();
    let imports = plan.changes.iter().filter(|c| c.importing.is_some()).count();
    let message = format!("Plan: {add} to add, {change} to change, {destroy} to destroy.");
    drift.chain(changes).chain([summary(&message, "plan", (add, change, destroy), imports, time)]).collect()
}

fn change_action(change: &Change) -> &'static str {
    match change.action {
        Action::NoOp => "noop",
        Action::Read => "read",
        Action::Create => "create",
        Action::Update => "update",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace",
        Action::Delete => "delete",
        Action::Forget => "remove",
    }
}

/// How many objects a plan or an apply is about.
pub(crate) fn summary(
    message: &str,
    operation: &str,
    (add, change, remove): (usize, usize, usize),
    import: usize,
    time: &str,
) -> Json {
    let mut out = line("info", message, "change_summary", time);
    out.insert(
        "changes".into(),
        json!({ "add": add, "change": change, "import": import, "remove": remove, "operation": operation }),
    );
    out.into()
}

/// What became of a rollback.
pub(crate) fn rollback(message: &str, done: &Rollback, time: &str) -> Json {
    let mut out = line("info", message, "rollback_summary", time);
    let all = |addresses: &[InstanceAddress]| addresses.iter().map(resource).collect::<Vec<_>>();
    out.insert("rollback".into(), json!({ "undone": all(&done.undone), "left": all(&done.left) }));
    out.into()
}

/// The outputs after an apply.
pub(crate) fn outputs(state: &State, time: &str) -> Json {
    let mut out = line("info", &format!("Outputs: {}", state.outputs.len()), "outputs", time);
    let each = state.outputs.iter().map(|(name, output)| {
        let mut record = json!({ "sensitive": output.sensitive, "type": output.value.ty().to_json() });
        if !output.sensitive {
            record["value"] = values_json::known(&output.value);
        }
        (name.clone(), record)
    });
    out.insert("outputs".into(), each.collect::<Map<_, _>>().into());
    out.into()
}

/// A problem, as an event.
pub(crate) fn diagnostic_event(problem: &Diagnostic, time: &str) -> Json {
    let level = if problem.is_error() { "error" } else { "warn" };
    let word = if problem.is_error() { "Error" } else { "Warning" };
    let mut out = line(level, &format!("{word}: {}", problem.summary), "diagnostic", time);
    out.insert("diagnostic".into(), diagnostic(problem));
    out.into()
}

/// A problem, as `validate --json` lists it.
pub(crate) fn diagnostic(problem: &Diagnostic) -> Json {
    let mut detail = problem.detail.clone().unwrap_or_default();
    if let Some(help) = &problem.help {
        detail = if detail.is_empty() { help.clone() } else { format!("{detail}\n\n{help}") };
    }
    let mut out = json!({
        "severity": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
        "summary": problem.summary,
        "detail": detail,
    });
    if let Some(address) = &problem.address {
        out["address"] = address.as_str().into();
    }
    if let Some(span) = &problem.span {
        let place = |byte: usize| {
            let at = lakeform::core::Span { source: span.source.clone(), range: byte..byte };
            let (line, column) = at.line_column();
            json!({ "line": line, "column": column, "byte": byte })
        };
        out["range"] = json!({
            "filename": span.source.path,
            "start": place(span.range.start),
            "end": place(span.range.end),
        });
        let (line, _) = span.line_column();
        out["snippet"] = json!({
            "context": null,
            "code": span.source.text.lines().nth(line - 1),
            "start_line": line,
            "values": [],
        });
    }
    out
}
