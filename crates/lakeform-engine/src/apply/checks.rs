//! Check blocks at the end of an apply, and what state keeps of all conditions.

use futures::future::join_all;
use lakeform_core::{Diagnostics, Mode, ModuleInstance, ResourceAddress};
use petgraph::graph::NodeIndex;

use crate::{PlanMode, cancel::Level, conditions::CheckNode};

use super::operate::Run;

impl Run<'_> {
    /// Evaluates every check block again, once everything is done. What is wrong are warnings.
    pub(super) async fn checks(&self) {
        if self.plan.options.mode != PlanMode::Normal || self.cancel.level() > Level::Run {
            return;
        }
        let failures = self.tally().problems.has_errors();
        let nodes = self.evaluator.check_nodes(|node| self.selection.has(node));
        let warnings = join_all(nodes.iter().map(|check| async {
            let mut warnings = self.scoped_data(*check).await;
            warnings.extend(self.evaluator.assertions(*check, false, failures));
            warnings
        }));
        for warnings in warnings.await {
            self.tally().problems.extend(warnings);
        }
    }

    /// Reads the data source of a check in each instance of its module.
    async fn scoped_data(&self, check: CheckNode<'_>) -> Diagnostics {
        let mut warnings = Diagnostics::new();
        let Some((node, (index, _))) = check.data.and_then(|n| Some((n, self.evaluator.block(n)?))) else {
            return warnings;
        };
        if let Err(problems) = self.open(node) {
            for at in self.evaluator.store.instances(index).iter() {
                warnings.extend(self.evaluator.unread(check, at, problems.clone()));
            }
            return warnings;
        }
        for at in self.evaluator.store.instances(index).iter() {
            if let Err(problems) = self.scoped_in(node, at).await {
                warnings.extend(self.evaluator.unread(check, at, problems));
            }
        }
        warnings
    }

    async fn scoped_in(&self, node: NodeIndex, at: &ModuleInstance) -> Result<(), Diagnostics> {
        let Some((_, block)) = self.evaluator.block(node) else { return Ok(()) };
        let base =
            ResourceAddress { module: at.clone(), mode: Mode::Data, ty: block.ty.clone(), name: block.name.clone() };
        let Some(expansion) = self.evaluator.store.expansion(node, at) else { return Ok(()) };
        for (key, _) in &expansion.items {
            let address = base.instance(key.clone());
            if let Some(i) = self.by_address.get(&(address.clone(), None)) {
                self.apply(&self.plan.changes[*i]).await.map_err(|e| crate::evaluate::concerning(e, &address))?;
            }
        }
        self.close_in(node, at)
    }

    /// Brings `check_results` in state to what they are now: what the plan found, and over it what this run found.
    pub(super) fn check_results(&self) {
        let mut results = self.plan.checks.clone();
        if self.plan.options.mode == PlanMode::Normal {
            results.overlay(self.evaluator.check_results(|_| false));
        }
        self.evaluator.change_state(|state| state.check_results = results.to_state().as_ref().map(Into::into));
    }
}
