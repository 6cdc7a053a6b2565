//! Planning deletions: of everything, of what the stack no longer has, of deposed objects.

use lakeform_core::{ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, InstanceKey, ResourceAddress, Value};
use lakeform_lang::Resource;
use lakeform_provider::AnyResource;
use petgraph::graph::NodeIndex;

use crate::{Action, Change, PlanMode, Reason, expand::Expansion, stored::decode};

use super::Planner;

impl Planner<'_> {
    /// Plans the deletion of instances that the block no longer wants, and of deposed objects.
    #[allow(clippy::too_many_arguments, reason = "a block in one instance of its module is told by all of them")]
    pub(super) fn unwanted(
        &self,
        node: NodeIndex,
        block: &Resource,
        resource: &dyn AnyResource,
        base: &ResourceAddress,
        expansion: &Expansion,
        problems: &mut Diagnostics,
    ) {
        if self.options.mode == PlanMode::RefreshOnly {
            return;
        }
        let held: Vec<(Option<InstanceKey>, bool, Vec<String>)> = self.evaluator.read_state(|state| {
            let instances = state.resources.get(base).map(|r| &r.instances);
            let each = instances.into_iter().flatten();
            each.map(|(k, i)| (k.clone(), i.current.is_some(), i.deposed.keys().cloned().collect())).collect()
        });
        for (key, current, deposed) in held {
            let address = base.instance(key.clone());
            if !self.selection.has_instance(node, &address) {
                continue;
            }
            if let (true, Some(reason)) = (current, expansion.unwanted(key.as_ref())) {
                if let Err(e) = self.refuse_to_destroy(block, &address) {
                    problems.extend(e);
                    continue;
                }
                self.plan_delete(node, resource, &address, None, Some(reason));
            }
            for key in deposed {
                self.plan_delete(node, resource, &address, Some(key), None);
            }
        }
    }

    pub(super) fn plan_delete(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        deposed: Option<String>,
        reason: Option<Reason>,
    ) {
        let ty = resource.schema().block.ty();
        let (object, provider) = self.evaluator.read_state(|state| {
            let held = state.get(address);
            let object = held.and_then(|i| match &deposed {
                None => i.current.clone(),
                Some(key) => i.deposed.get(key).cloned(),
            });
            (object, state.resources.get(&address.resource).map(|r| r.provider.clone()).unwrap_or_default())
        });
        let Some(object) = object else { return };
        let before = self.found().prior.get(address).filter(|_| deposed.is_none()).cloned();
        let before = before.or_else(|| decode(resource, &object).ok()).unwrap_or_else(|| Value::null(ty.clone()));
        let mut found = self.found();
        found.changed.insert(node);
        found.changes.push(Change {
            address: address.clone(),
            previous_address: self.moves.origin(address).filter(|_| self.options.mode != PlanMode::Destroy).cloned(),
            deposed,
            action: if self.moves.forgets(address) { Action::Forget } else { Action::Delete },
            reason,
            before,
            after: Value::null(ty),
            replace_paths: vec![],
            provider,
            importing: None,
            create_before_destroy: object.create_before_destroy,
            dependencies: object.dependencies.into(),
        });
    }

    /// # Errors
    /// When `prevent_destroy` is set.
    pub(super) fn refuse_to_destroy(&self, block: &Resource, address: &InstanceAddress) -> Result<(), Diagnostics> {
        let Some(expr) = &block.lifecycle.prevent_destroy else { return Ok(()) };
        let index =
            self.graph.modules.iter().position(|m| m.path == address.resource.module.path()).unwrap_or_default();
        if !self.early_bool(index, expr, "prevent_destroy")? {
            return Ok(());
        }
        Err(Diagnostic::error("Instance cannot be destroyed")
            .address(address)
            .detail("the plan would delete it, and its block says `prevent_destroy`")
            .help("switch prevent_destroy off, or leave it out of the plan with --exclude")
            .span(expr.span().clone())
            .into())
    }

    /// Plans the deletion of every object that state holds of a block: to destroy everything, or because it is gone.
    pub(super) fn destroy(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let Some(config) = self.graph.address(node) else { return Ok(()) };
        if self.options.mode == PlanMode::RefreshOnly {
            return Ok(());
        }
        let Some((_, resource)) = self.evaluator.providers.resource(&config.ty) else { return Ok(()) };
        let block = self.evaluator.block(node).map(|(_, b)| b);
        let mut problems = Diagnostics::new();
        for (address, current, deposed) in self.held(&config) {
            if !self.selection.has_instance(node, &address) {
                continue;
            }
            if current {
                if let Some(Err(e)) = block.map(|b| self.refuse_to_destroy(b, &address)) {
                    problems.extend(e);
                    continue;
                }
                let reason = match self.moves.origin(&address) {
                    _ if self.options.mode == PlanMode::Destroy => None,
                    Some(_) => Some(Reason::DeleteBecauseNoMoveTarget),
                    None => Some(Reason::DeleteBecauseNoResourceConfig),
                };
                self.plan_delete(node, resource, &address, None, reason);
            }
            for key in deposed {
                self.plan_delete(node, resource, &address, Some(key), None);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn held(&self, config: &ConfigAddress) -> Vec<(InstanceAddress, bool, Vec<String>)> {
        self.evaluator.read_state(|state| {
            let held = self.held_of(state, config);
            held.map(|(a, i)| (a, i.current.is_some(), i.deposed.keys().cloned().collect())).collect()
        })
    }

    /// Plans the deletion of a block's objects in module instances that are no longer wanted.
    ///
    /// # Errors
    /// When `prevent_destroy` is set.
    pub(super) fn orphans_in_gone_modules(&self, node: NodeIndex, index: usize) -> Result<(), Diagnostics> {
        let Some(config) = self.graph.address(node) else { return Ok(()) };
        if self.options.mode != PlanMode::Normal {
            return Ok(());
        }
        let Some((_, resource)) = self.evaluator.providers.resource(&config.ty) else { return Ok(()) };
        let block = self.evaluator.block(node).map(|(_, b)| b);
        let mut problems = Diagnostics::new();
        let wanted = self.evaluator.store.instances(index);
        for (address, current, deposed) in self.held(&config) {
            if wanted.contains(&address.resource.module) || !self.selection.has_instance(node, &address) {
                continue;
            }
            if current {
                if let Some(Err(e)) = block.map(|b| self.refuse_to_destroy(b, &address)) {
                    problems.extend(e);
                    continue;
                }
                self.plan_delete(node, resource, &address, None, Some(Reason::DeleteBecauseNoModule));
            }
            for key in deposed {
                self.plan_delete(node, resource, &address, Some(key), None);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}
