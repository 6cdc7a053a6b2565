//! Ephemeral resources: opened in a plan, opened again in an apply, and had by neither state nor plan file.

use futures::future::join_all;
use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, InstanceKey, Marks, Mode, ResourceAddress, Type, Value};
use lakeform_lang::Resource;
use lakeform_provider::{AnyDataSource, Surroundings};
use petgraph::graph::NodeIndex;

use crate::{
    Cancel, Operation,
    calls::{Calls, Subject},
    cancel::Level,
    conditions::Condition,
    diff::mark_sensitive,
    evaluate::{Evaluator, concerning},
};

impl Evaluator<'_> {
    /// Opens every instance of an ephemeral block. One whose arguments are not known yet, or that must wait (`pending`), is
    /// put off: nothing of it is known before the apply.
    ///
    /// # Errors
    /// What is wrong with its arguments, the conditions that do not hold, and the calls that fail.
    pub(crate) async fn open(
        &self,
        node: NodeIndex,
        calls: &Calls<'_>,
        cancel: &Cancel,
        pending: bool,
    ) -> Result<(), Diagnostics> {
        let Some((index, block)) = self.block(node) else { return Ok(()) };
        let Some((_, ty)) = self.providers.ephemeral_resource(&block.ty) else {
            let wrong = Diagnostic::error(format!("There is no ephemeral resource type `{}`", block.ty));
            return Err(wrong.span(block.span.clone()).into());
        };
        let mut problems = Diagnostics::new();
        for at in self.store.instances(index).iter() {
            let expansion = self.expansion(index, block, at)?;
            let expansion = self.store.set_expansion(node, at, expansion);
            let base = ResourceAddress {
                module: at.clone(),
                mode: Mode::Ephemeral,
                ty: block.ty.clone(),
                name: block.name.clone(),
            };
            let opened = join_all(expansion.items.iter().map(|(key, each)| async {
                let address = base.instance(key.clone());
                let each = key.clone().map(|k| (k, each.clone()));
                let value = self.open_one((node, index), block, ty, &address, each, calls, cancel, pending).await;
                value.map_err(|e| concerning(e, &address))
            }));
            let mut values = vec![];
            for value in opened.await {
                match value {
                    Ok(value) => values.push(value.with_marks(Marks::EPHEMERAL)),
                    Err(more) => problems.extend(more),
                }
            }
            if problems.is_empty() {
                self.store.set(node, at, expansion.gather(values));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    #[allow(clippy::too_many_arguments, reason = "an instance is named by all of them")]
    async fn open_one(
        &self,
        (node, index): (NodeIndex, usize),
        block: &Resource,
        ty: &dyn AnyDataSource,
        address: &InstanceAddress,
        each: Option<(InstanceKey, Value)>,
        calls: &Calls<'_>,
        cancel: &Cancel,
        pending: bool,
    ) -> Result<Value, Diagnostics> {
        let (at, schema, lifecycle) = (&address.resource.module, &ty.schema().block, &block.lifecycle);
        self.checks(index, at, each.clone(), &lifecycle.preconditions, None, Condition::Before(address))?;
        let config = self.scoped(index, at, each.clone(), None, |scope| block.evaluate(schema, scope))?;
        if pending || !config.is_wholly_known() {
            return Ok(Value::unknown(schema.ty()));
        }
        let client = self.client(node).ok_or_else(|| Diagnostic::error("its provider is not configured"))?;
        let cancelled = || cancel.level() >= Level::Abandon;
        let plain = config.clone().unmarked_deep();
        let with =
            Surroundings { client: &client, config: Some(&plain), timeout: None, cancelled: &cancelled, token: "" };
        let subject = Subject { address, deposed: None, operation: Operation::Open, id: None, given: &[&config] };
        // What an ephemeral object is called may be as secret as the rest of it.
        let value = calls.make(subject, || ty.read(with, &plain), |_| None).await.map_err(|(_, d)| d)?;
        let value = mark_sensitive(schema, value).with_marks(Marks::EPHEMERAL);
        let this = Some(value.clone());
        self.checks(index, at, each, &lifecycle.postconditions, this, Condition::After(address))?;
        Ok(value)
    }

    /// Nothing is known of an ephemeral block where nothing is opened.
    pub(crate) fn leave_closed(&self, node: NodeIndex) {
        for at in self.store.instances(self.graph.dag[node].module).iter() {
            self.store.set(node, at, Value::unknown(Type::Dynamic).with_marks(Marks::EPHEMERAL));
        }
    }
}
