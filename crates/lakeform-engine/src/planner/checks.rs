//! Check blocks at the end of a plan.

use futures::future::join_all;
use lakeform_core::{Diagnostics, Mode, ModuleInstance, ResourceAddress, Value};
use lakeform_lang::Resource;
use petgraph::graph::NodeIndex;

use crate::{Action, Change, PlanMode, Providers, Reason, conditions::CheckNode, evaluate::concerning};

use super::Planner;

impl<'a> Planner<'a> {
    /// Evaluates every check block, once everything else is planned without an error. A plan to destroy everything has no
    /// checks.
    pub(super) async fn checks(&self) {
        if self.options.mode == PlanMode::Destroy || self.found().problems.has_errors() {
            return;
        }
        let nodes = self.evaluator.check_nodes(|node| self.selection.has(node));
        let warnings = join_all(nodes.iter().map(|check| async {
            let mut warnings = self.scoped_data(*check).await;
            warnings.extend(self.evaluator.assertions(*check, true, false));
            warnings
        }));
        for warnings in warnings.await {
            self.found().problems.extend(warnings);
        }
    }

    /// Reads the data source of a check in each instance of its module; problems become warnings.
    async fn scoped_data(&self, check: CheckNode<'_>) -> Diagnostics {
        let mut warnings = Diagnostics::new();
        let Some((node, (index, block))) = check.data.and_then(|n| Some((n, self.evaluator.block(n)?))) else {
            return warnings;
        };
        for at in self.evaluator.store.instances(index).iter() {
            match self.scoped_in(node, index, block, at).await {
                Ok(value) => self.evaluator.store.set(node, at, value),
                Err(problems) => warnings.extend(self.evaluator.unread(check, at, problems)),
            }
        }
        warnings
    }

    async fn scoped_in(
        &self,
        node: NodeIndex,
        index: usize,
        block: &Resource,
        at: &ModuleInstance,
    ) -> Result<Value, Diagnostics> {
        let providers: &'a Providers = self.evaluator.providers;
        let Some((_, source)) = providers.data_source(&block.ty) else { return Err(Diagnostics::new()) };
        let schema = &source.schema().block;
        let expansion = self.expand(node, index, block, at)?;
        let base =
            ResourceAddress { module: at.clone(), mode: Mode::Data, ty: block.ty.clone(), name: block.name.clone() };
        let mut values = vec![];
        for (key, _) in &expansion.items {
            let address = base.instance(key.clone());
            let config = self.evaluator.scoped(index, at, None, None, |scope| block.evaluate(schema, scope))?;
            let read = self.data_one(node, source, &address, config, self.pending(node)).await;
            let mut found = self.found();
            // What was read (or was not to be had) is read again during apply, when all that it may be about stands
            // (Terraform: `ReadBecauseCheckNested`).
            let again = found.read.remove(&address).is_some() || read.is_err();
            if again && self.options.mode == PlanMode::Normal {
                found.changes.push(Change {
                    address: address.clone(),
                    previous_address: None,
                    deposed: None,
                    action: Action::Read,
                    reason: Some(Reason::ReadBecauseCheckNested),
                    before: Value::null(schema.ty()),
                    after: read.as_ref().map_or_else(|_| Value::unknown(schema.ty()), Value::clone),
                    replace_paths: vec![],
                    provider: self.evaluator.provider_address(node),
                    importing: None,
                    create_before_destroy: false,
                    dependencies: self.dependencies.get(node).clone(),
                });
            }
            drop(found);
            values.push(read.map_err(|e| concerning(e, &address))?);
        }
        Ok(expansion.gather(values))
    }
}
