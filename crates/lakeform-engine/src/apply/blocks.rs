//! Resource blocks in an apply: which instances they have, and what their values are once those are dealt with.

use lakeform_core::{Diagnostics, InstanceAddress, InstanceKey, Mode, ModuleInstance, ResourceAddress, Type, Value};
use lakeform_lang::{Lifecycle, Resource};
use petgraph::graph::NodeIndex;

use crate::{
    Action, Change,
    conditions::Condition,
    diff::mark_sensitive,
    evaluate::concerning,
    shown::as_referred,
    stored::{decode, remark},
};

use super::operate::Run;

impl Run<'_> {
    /// Tells the instances of a resource block.
    pub(super) fn open(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        if !self.selection.has(node) {
            return Ok(());
        }
        let Some((index, block)) = self.evaluator.block(node) else { return Ok(()) };
        for at in self.evaluator.store.instances(index).iter() {
            let expansion = self.evaluator.expansion(index, block, at)?;
            self.evaluator.store.set_expansion(node, at, expansion);
        }
        Ok(())
    }

    /// Puts the values of the instances together: what this run made of them, else what the plan found.
    pub(super) fn close(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        if !self.selection.has(node) {
            return Ok(());
        }
        let Some((index, _)) = self.evaluator.block(node) else { return Ok(()) };
        self.evaluator.store.instances(index).iter().try_for_each(|at| self.close_in(node, at))
    }

    /// The same in one instance of the block's module.
    pub(super) fn close_in(&self, node: NodeIndex, at: &ModuleInstance) -> Result<(), Diagnostics> {
        let Some((index, block)) = self.evaluator.block(node) else { return Ok(()) };
        let Some(expansion) = self.evaluator.store.expansion(node, at) else { return Ok(()) };
        let base =
            ResourceAddress { module: at.clone(), mode: block.mode, ty: block.ty.clone(), name: block.name.clone() };
        let mut values = Vec::with_capacity(expansion.items.len());
        for (key, each) in &expansion.items {
            let address = base.instance(key.clone());
            let value = self.value_of(&address);
            self.check_untouched(index, block, &address, key.clone().map(|k| (k, each.clone())), &value)
                .map_err(|e| concerning(e, &address))?;
            values.push(value);
        }
        self.evaluator.store.set(node, at, expansion.gather(values));
        Ok(())
    }

    /// Conditions of what this run does nothing to: they may refer to what it changed.
    fn check_untouched(
        &self,
        index: usize,
        block: &Resource,
        address: &InstanceAddress,
        each: Option<(InstanceKey, Value)>,
        value: &Value,
    ) -> Result<(), Diagnostics> {
        let planned = self.by_address.get(&(address.clone(), None)).map(|i| self.plan.changes[*i].action);
        let untouched = planned == Some(Action::NoOp) || self.plan.read.contains_key(address);
        let Lifecycle { preconditions: before, postconditions: after, .. } = &block.lifecycle;
        if !untouched || before.is_empty() && after.is_empty() {
            return Ok(());
        }
        let at = &address.resource.module;
        self.evaluator.checks(index, at, each.clone(), before, None, Condition::Before(address))?;
        let this = Some(value.clone());
        self.evaluator.checks(index, at, each, after, this, Condition::After(address))
    }

    /// What expressions see of an instance that is not made or changed in this run.
    fn value_of(&self, address: &InstanceAddress) -> Value {
        let referred = |value: &Value| as_referred(&address.resource.ty, value.clone());
        if let Some(value) = self.plan.read.get(address) {
            return referred(value);
        }
        let planned = self.by_address.get(&(address.clone(), None)).map(|i| &self.plan.changes[*i]);
        let marks = planned.map(|c| referred(&c.after));
        if let (Some(Change { action: Action::NoOp, .. }), Some(value)) = (planned, &marks) {
            return value.clone();
        }
        let stored = self.evaluator.read_state(|s| s.current(address).cloned());
        let value = stored.and_then(|object| match address.resource.mode {
            Mode::Managed => {
                let (_, resource) = self.evaluator.providers.resource(&address.resource.ty)?;
                decode(resource, &object).ok()
            }
            Mode::Ephemeral => None,
            Mode::Data => {
                let (_, source) = self.evaluator.providers.data_source(&address.resource.ty)?;
                let block = &source.schema().block;
                Some(mark_sensitive(block, object.attributes.value(&block.ty()).ok()?))
            }
        });
        match (value, marks) {
            (Some(value), Some(marks)) => remark(&marks, value),
            (value, _) => value.unwrap_or_else(|| Value::null(Type::Dynamic)),
        }
    }
}
