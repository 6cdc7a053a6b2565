//! Planning managed resources, instance by instance.

use std::sync::Arc;

use lakeform_core::{
    Diagnostic, Diagnostics, InstanceAddress, InstanceKey, Mode, ModuleInstance, ResourceAddress, Value,
};
use lakeform_lang::{Expr, IgnoreChanges, Resource, Subject};
use lakeform_provider::AnyResource;
use petgraph::graph::NodeIndex;

use crate::{
    Action, Change, PlanMode, Providers, Reason,
    conditions::Condition,
    diff::mark_sensitive,
    evaluate::{Evaluator, concerning},
    expand::Expansion,
    instance::{Decision, Wishes, decide},
    secrets::translate_without,
};

use super::{Planner, no_client};

impl<'a> Planner<'a> {
    /// Plans every instance of a managed resource block.
    pub(super) async fn managed(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let Some((index, block)) = self.evaluator.block(node) else { return Ok(()) };
        if let Some(config) = self.graph.address(node) {
            self.adoptions(&config)?;
        }
        let mut problems = Diagnostics::new();
        for at in self.evaluator.store.instances(index).iter() {
            if let Err(e) = self.managed_in(node, index, block, at).await {
                problems.extend(e);
            }
        }
        problems.extend(self.orphans_in_gone_modules(node, index).err().unwrap_or_default());
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    pub(super) fn expand(
        &self,
        node: NodeIndex,
        index: usize,
        block: &Resource,
        at: &ModuleInstance,
    ) -> Result<Arc<Expansion>, Diagnostics> {
        let expansion = self.evaluator.expansion(index, block, at)?;
        Ok(self.evaluator.store.set_expansion(node, at, expansion))
    }

    async fn managed_in(
        &self,
        node: NodeIndex,
        index: usize,
        block: &Resource,
        at: &ModuleInstance,
    ) -> Result<(), Diagnostics> {
        let resource = self.resource_type(block)?;
        let base =
            ResourceAddress { module: at.clone(), mode: Mode::Managed, ty: block.ty.clone(), name: block.name.clone() };
        let expansion = self.expand(node, index, block, at)?;
        let mut problems = Diagnostics::new();
        let mut values = Vec::with_capacity(expansion.items.len());
        for (key, each) in &expansion.items {
            let address = base.instance(key.clone());
            let previous = self.moves.origin(&address).cloned();
            if !self.selection.has_instance(node, &address) {
                let kept = self.found().prior.get(&address).cloned();
                values.push(kept.unwrap_or_else(|| Value::unknown(resource.schema().block.ty())));
                continue;
            }
            let each = key.clone().map(|k| (k, each.clone()));
            match self.managed_one(node, index, block, resource, &address, previous, each).await {
                Ok(value) => values.push(value),
                Err(e) => problems.extend(concerning(e, &address)),
            }
        }
        self.unwanted(node, block, resource, &base, &expansion, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        self.evaluator.store.set(node, at, expansion.gather(values));
        Ok(())
    }

    fn resource_type(&self, block: &Resource) -> Result<&'a dyn AnyResource, Diagnostics> {
        let providers: &'a Providers = self.evaluator.providers;
        providers.resource(&block.ty).map(|(_, r)| r).ok_or_else(|| {
            Diagnostic::error(format!("There is no resource type `{}`", block.ty)).span(block.span.clone()).into()
        })
    }

    #[allow(clippy::too_many_arguments, reason = "an instance is named by all of them")]
    async fn managed_one(
        &self,
        node: NodeIndex,
        index: usize,
        block: &Resource,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        previous: Option<InstanceAddress>,
        each: Option<(InstanceKey, Value)>,
    ) -> Result<Value, Diagnostics> {
        let at = &address.resource.module;
        let schema = resource.schema();
        self.evaluator.checks(
            index,
            at,
            each.clone(),
            &block.lifecycle.preconditions,
            None,
            Condition::Before(address),
        )?;
        let written = !self.options.unwritten.contains(&address.config());
        let config = match written {
            true => {
                self.evaluator.scoped(index, at, each.clone(), None, |scope| block.evaluate(&schema.block, scope))?
            }
            false => Value::null(schema.block.ty()),
        };
        let mut prior = self.found().prior.get(address).cloned();
        let mut importing = None;
        if prior.is_none()
            && let Some(id) = self.adopted(address)
        {
            prior = Some(self.import(node, resource, address, &id, Some(&config).filter(|_| written)).await?);
            importing = Some(id);
        }
        if self.options.mode == PlanMode::RefreshOnly {
            let live = prior.unwrap_or_else(|| Value::null(schema.block.ty()));
            if previous.is_some() || importing.is_some() {
                self.found().changes.push(Change {
                    address: address.clone(),
                    previous_address: previous,
                    deposed: None,
                    action: Action::NoOp,
                    reason: None,
                    before: live.clone(),
                    after: live.clone(),
                    replace_paths: vec![],
                    provider: self.evaluator.provider_address(node),
                    importing,
                    create_before_destroy: self.create_first.contains(&node),
                    dependencies: self.dependencies.get(node).clone(),
                });
            }
            return Ok(live);
        }
        let client = self.evaluator.client(node).ok_or_else(|| Diagnostics::from(no_client(address)))?;
        let tainted = self.evaluator.read_state(|s| s.current(address).is_some_and(|o| o.tainted));
        let create_first = self.create_first.contains(&node);
        let wishes = Wishes {
            replace: self.asked_to_replace(block, address, tainted),
            create_before_destroy: create_first,
            ignore: ignored(&self.evaluator, index, block)?,
        };
        let Decision { action, reason, planned, replace_paths } =
            decide(resource, &client, &config, prior.as_ref(), &wishes).map_err(|e| {
                let marked = mark_sensitive(&resource.schema().block, config.clone());
                translate_without(&e, &address.to_string(), &[&marked]).maybe_span(Some(block.span.clone()))
            })?;
        // Terraform says so of a new instance too.
        let reason = wishes.replace.filter(|r| *r == Reason::ReplaceByTriggers).or(reason);
        // What is tainted is planned as if it were new: no attribute is to blame.
        let replace_paths = if tainted { vec![] } else { replace_paths };
        if action.is_replace() {
            self.refuse_to_destroy(block, address)?;
        }
        self.evaluator.checks(
            index,
            at,
            each,
            &block.lifecycle.postconditions,
            Some(planned.clone()),
            Condition::After(address),
        )?;
        // What nothing is done to has no later step that would record how it is to be deleted one day.
        let dependencies = self.dependencies.get(node);
        self.evaluator.change_state(|state| {
            let object =
                state.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?.current.as_mut()?;
            object.create_before_destroy = create_first;
            if action == Action::NoOp {
                object.dependencies = dependencies.to_vec();
            }
            Some(())
        });
        let mut found = self.found();
        if action != Action::NoOp {
            found.changed.insert(node);
        }
        found.changes.push(Change {
            address: address.clone(),
            previous_address: previous,
            deposed: None,
            action,
            reason,
            before: prior.unwrap_or_else(|| Value::null(schema.block.ty())),
            after: planned.clone(),
            replace_paths,
            provider: self.evaluator.provider_address(node),
            importing,
            create_before_destroy: create_first,
            dependencies: dependencies.clone(),
        });
        Ok(planned)
    }

    /// Why an instance is to be replaced although its attributes may not ask for it.
    fn asked_to_replace(&self, block: &Resource, address: &InstanceAddress, tainted: bool) -> Option<Reason> {
        if block.lifecycle.replace_triggered_by.iter().any(|expr| self.triggers(expr, address)) {
            return Some(Reason::ReplaceByTriggers);
        }
        if tainted {
            return Some(Reason::ReplaceBecauseTainted);
        }
        self.options.replace.contains(address).then_some(Reason::ReplaceByRequest)
    }

    /// Whether what a `replace_triggered_by` entry refers to is updated or replaced in this plan; an entry that goes on
    /// to an attribute: whether that attribute changes.
    fn triggers(&self, expr: &Expr, address: &InstanceAddress) -> bool {
        let found = self.found();
        // The only indexes that are not constant are `each.key` and `count.index`: its counterpart's.
        let own_key = expr.references().iter().any(|r| matches!(r.subject, Subject::Each | Subject::Count));
        expr.references().iter().any(|reference| {
            let Subject::Resource { mode, ty, name } = &reference.subject else { return false };
            let base = ResourceAddress {
                module: address.resource.module.clone(),
                mode: *mode,
                ty: ty.clone(),
                name: name.clone(),
            };
            let (key, rest) = match reference.rest.split_first() {
                Some((lakeform_core::Step::Index(i), rest)) => (Some(InstanceKey::Int(*i as u64)), rest),
                Some((lakeform_core::Step::Key(k), rest)) => (Some(InstanceKey::String(k.clone())), rest),
                _ if own_key => (address.key.clone(), reference.rest.as_slice()),
                _ => (None, reference.rest.as_slice()),
            };
            let path = if own_key { after_index(expr) } else { lakeform_core::Path(rest.to_vec()) };
            found.changes.iter().filter(|c| c.address.resource == base && c.deposed.is_none()).any(|c| {
                let this_one = key.is_none() || c.address.key == key;
                // What is new or goes away triggers nothing.
                let changes = c.action == Action::Update || c.action.is_replace();
                this_one && changes && (path.0.is_empty() || c.before.at(&path) != c.after.at(&path))
            })
        })
    }
}

/// The attributes that follow `[each.key]` or `[count.index]`; the root where the object as a whole is meant.
fn after_index(expr: &Expr) -> lakeform_core::Path {
    let span = expr.span();
    let text = span.source.text.get(span.range.clone()).unwrap_or_default();
    let text = text.trim_matches(['"', '\'', ' ']).trim_end_matches('}');
    let names = text.rsplit_once("].").map(|(_, names)| names).unwrap_or_default();
    lakeform_core::Path(
        names.split('.').filter(|n| !n.is_empty()).map(|n| lakeform_core::Step::Attr(n.into())).collect(),
    )
}

/// The paths whose changes a block ignores; `None` means all.
///
/// # Errors
/// When an expression for them cannot be told before planning.
pub(crate) fn ignored(
    evaluator: &Evaluator<'_>,
    index: usize,
    block: &Resource,
) -> Result<Option<Vec<lakeform_core::Path>>, Diagnostics> {
    match &block.lifecycle.ignore_changes {
        IgnoreChanges::None => Ok(Some(vec![])),
        IgnoreChanges::All => Ok(None),
        IgnoreChanges::Paths(paths) => Ok(Some(paths.clone())),
        IgnoreChanges::Expr(expr) => {
            let value = evaluator.early(index, expr)?;
            if value.as_str() == Some("all") {
                return Ok(None);
            }
            let names = value.as_slice().unwrap_or_default().iter().filter_map(Value::as_str);
            Ok(Some(names.map(lakeform_core::Path::attr).collect()))
        }
    }
}
