//! What a rollback of a plan could not undo, said before anything is done.

use lakeform_core::{Diagnostic, Diagnostics, Mode, Value};
use lakeform_lang::{Stack, When};

use crate::{
    Action, Change, Plan, Providers,
    graph::{Graph, Kind},
};

/// Warns of each instance of which a rollback could not undo everything that the plan does: what is in objects that are
/// deleted, write-only values, and what provisioners do.
pub fn beyond_rollback(plan: &Plan, stack: &Stack, providers: &Providers) -> Diagnostics {
    let Ok(graph) = Graph::build(stack, &plan.prior_state) else { return Diagnostics::new() };
    let managed = plan.changes.iter().filter(|c| c.address.resource.mode == Mode::Managed && c.action.is_change());
    Diagnostics(managed.filter_map(|change| warning(change, &graph, providers)).collect())
}

fn warning(change: &Change, graph: &Graph, providers: &Providers) -> Option<Diagnostic> {
    let mut lost = vec![];
    if change.deposed.is_some() {
        lost.push("an old object that an earlier run set aside is deleted: it is not brought back".to_owned());
    } else if change.action.deletes() {
        let what = if change.action.is_replace() { "is replaced" } else { "is deleted" };
        lost.push(format!(
            "it {what}: it would be created again as the state knows it, with a new identity; what is in it is not brought back"
        ));
        if waits(&change.before) {
            lost.push(
                "its deletion takes effect after days: until then its name may be taken, and creating it again fails"
                    .to_owned(),
            );
        }
    }
    let written = match change.deposed {
        None if change.action == Action::Update || change.action.deletes() => write_only(change, providers),
        _ => vec![],
    };
    if !written.is_empty() {
        lost.push(format!("the state does not have {}: the old value is not set again", written.join(", ")));
    }
    if change.deposed.is_none() && has_provisioners(change, graph) {
        lost.push("its provisioners run: what they do is not undone".to_owned());
    }
    (!lost.is_empty()).then(|| {
        Diagnostic::warning("A rollback could not undo all of this").address(&change.address).detail(lost.join("\n"))
    })
}

/// Secrets and keys that are only scheduled to be deleted.
fn waits(object: &Value) -> bool {
    let days = |name: &str| object.get(name).and_then(Value::as_i64);
    days("recovery_window_in_days").is_some_and(|days| days > 0)
}

/// Write-only attributes that the object may have; those with a version beside them only if that was set.
fn write_only(change: &Change, providers: &Providers) -> Vec<String> {
    let Some((_, resource)) = providers.resource(&change.address.resource.ty) else { return vec![] };
    let attributes = &resource.schema().block.attributes;
    let set = |name: &str| {
        let version = format!("{name}_version");
        !attributes.contains_key(&*version) || change.before.get(&version).is_some_and(|v| !v.is_null())
    };
    attributes.iter().filter(|(name, a)| a.write_only && set(name)).map(|(name, _)| format!("`{name}`")).collect()
}

fn has_provisioners(change: &Change, graph: &Graph) -> bool {
    let Some(node) = graph.by_address.get(&change.address.config()) else { return false };
    let at = &graph.dag[*node];
    let Kind::Resource(key) = &at.kind else { return false };
    let Some(block) = graph.modules[at.module].module.resources.get(key) else { return false };
    let at = |when| block.provisioners_at(when).next().is_some();
    let creates = change.action == Action::Create || change.action.is_replace();
    creates && at(When::Create) || change.action.deletes() && at(When::Destroy)
}
