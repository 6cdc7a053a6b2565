//! Objects of one plan that would be one and the same object in the cloud. Many APIs take a second "create" of a name for a
//! change of the first, so nobody would hear of it but by plans that never end (Terraform lets it pass).

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, Marks, Mode, Value};

use crate::{map::HashMap, plan::Change};

use super::Planner;

impl Planner<'_> {
    /// An error for each object whose identity another one has already.
    pub(super) fn collisions(&self, changes: &[Change]) -> Diagnostics {
        let mut seen: HashMap<(&str, &str, Vec<&str>), &InstanceAddress> = HashMap::default();
        let mut problems = Diagnostics::new();
        let stays = |c: &&Change| c.address.resource.mode == Mode::Managed && c.deposed.is_none() && !c.after.is_null();
        for change in changes.iter().filter(stays) {
            let ty = &*change.address.resource.ty;
            let Some((_, resource)) = self.evaluator.providers.resource(ty) else { continue };
            let names = resource.identity();
            let Some(identity) = identity(names, &change.after) else { continue };
            let key = (change.provider.as_str(), ty, identity);
            let Some(first) = seen.get(&key) else {
                seen.insert(key, &change.address);
                continue;
            };
            let what: Vec<String> = names
                .iter()
                .filter(|name| change.after.get(name).is_some_and(|value| !value.is_null()))
                .map(|name| format!("`{name}`{}", shown(change.after.get(name))))
                .collect();
            let node = self.graph.by_address.get(&change.address.config());
            let span = node.and_then(|node| self.evaluator.block(*node)).map(|(_, block)| block.span.clone());
            problems.push(
                Diagnostic::error("Two resources would be the same object")
                    .detail(format!("{first} and {} have the same {}", change.address, what.join(" and ")))
                    .help("each would undo what the other does: give one of them another name, or remove it")
                    .address(&change.address)
                    .maybe_span(span),
            );
        }
        problems
    }
}

/// What tells an object from all others of its type; `None` where that is not known, or nobody chose it.
fn identity<'v>(names: &[&str], object: &'v Value) -> Option<Vec<&'v str>> {
    let texts = names.iter().map(|name| match object.get(name) {
        Some(value) if !value.is_known() => None,
        value => Some(value.and_then(Value::as_str).unwrap_or_default()),
    });
    let texts = texts.collect::<Option<Vec<_>>>()?;
    texts.iter().any(|text| !text.is_empty()).then_some(texts)
}

/// ` "NAME"`, unless it is secret or nothing.
fn shown(value: Option<&Value>) -> String {
    let plain = value.filter(|v| !v.marks().contains(Marks::SENSITIVE)).and_then(Value::as_str);
    plain.map(|text| format!(" {text:?}")).unwrap_or_default()
}
