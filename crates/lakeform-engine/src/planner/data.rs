//! Planning data sources: read now, or during apply.

use futures::{
    future::BoxFuture,
    stream::{FuturesUnordered, StreamExt},
};
use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, Mode, ResourceAddress, Type, Value};
use lakeform_provider::{AnyDataSource, Surroundings};
use lakeform_state::ObjectState;
use petgraph::graph::NodeIndex;

use crate::{
    Action, Change, Operation, Providers, Reason,
    calls::{Subject, id_of},
    cancel::Level,
    conditions::Condition,
    diff::mark_sensitive,
    evaluate::concerning,
    stored::{encode, remark},
};

use super::{Planner, no_client};

impl<'a> Planner<'a> {
    pub(super) async fn data(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let Some((index, block)) = self.evaluator.block(node) else { return Ok(()) };
        let providers: &'a Providers = self.evaluator.providers;
        let Some((_, source)) = providers.data_source(&block.ty) else {
            let wrong = Diagnostic::error(format!("There is no data source `{}`", block.ty));
            return Err(wrong.span(block.span.clone()).into());
        };
        let pending = self.pending(node);
        let schema = source.schema();
        for at in self.evaluator.store.instances(index).iter() {
            let expansion = self.expand(node, index, block, at)?;
            let base = ResourceAddress {
                module: at.clone(),
                mode: Mode::Data,
                ty: block.ty.clone(),
                name: block.name.clone(),
            };
            let mut reads: FuturesUnordered<BoxFuture<'_, (usize, Result<Value, Diagnostics>)>> =
                FuturesUnordered::new();
            let mut values = vec![Value::null(Type::Dynamic); expansion.items.len()];
            for (i, (key, each)) in expansion.items.iter().enumerate() {
                let address = base.instance(key.clone());
                let each = key.clone().map(|k| (k, each.clone()));
                let lifecycle = &block.lifecycle;
                reads.push(Box::pin(async move {
                    let result = async {
                        let before = Condition::Before(&address);
                        self.evaluator.checks(index, at, each.clone(), &lifecycle.preconditions, None, before)?;
                        let config = self
                            .evaluator
                            .scoped(index, at, each.clone(), None, |scope| block.evaluate(&schema.block, scope))?;
                        let value = self.data_one(node, source, &address, config, pending).await?;
                        let (this, after) = (Some(value.clone()), Condition::After(&address));
                        self.evaluator.checks(index, at, each, &lifecycle.postconditions, this, after)?;
                        Ok(value)
                    };
                    (i, result.await.map_err(|e| concerning(e, &address)))
                }));
            }
            let mut problems = Diagnostics::new();
            while let Some((i, result)) = reads.next().await {
                match result {
                    Ok(value) => values[i] = value,
                    Err(e) => problems.extend(e),
                }
            }
            if !problems.is_empty() {
                return Err(problems);
            }
            self.evaluator.store.set(node, at, expansion.gather(values));
        }
        Ok(())
    }

    /// Whether something changes that a data source depends on. What `depends_on` names decides when to read, never
    /// whether values are known where nothing changes.
    pub(super) fn pending(&self, node: NodeIndex) -> bool {
        let explicit = self.graph.explicit.get(&node).map(Vec::as_slice).unwrap_or_default();
        let found = self.found();
        explicit.iter().any(|n| found.changed.contains(n))
    }

    pub(super) async fn data_one(
        &self,
        node: NodeIndex,
        source: &dyn AnyDataSource,
        address: &InstanceAddress,
        config: Value,
        pending: bool,
    ) -> Result<Value, Diagnostics> {
        let block = &source.schema().block;
        let unknown = !config.is_wholly_known();
        if unknown || pending {
            let planned = mark_sensitive(block, crate::diff::proposed(block, None, &config));
            let reason = if unknown { Reason::ReadBecauseConfigUnknown } else { Reason::ReadBecauseDependencyPending };
            let mut found = self.found();
            found.changed.insert(node);
            found.changes.push(Change {
                address: address.clone(),
                previous_address: None,
                deposed: None,
                action: Action::Read,
                reason: Some(reason),
                before: Value::null(block.ty()),
                after: planned.clone(),
                replace_paths: vec![],
                provider: self.evaluator.provider_address(node),
                importing: None,
                create_before_destroy: false,
                dependencies: self.dependencies.get(node).clone(),
            });
            return Ok(planned);
        }
        let client = self.evaluator.client(node).ok_or_else(|| Diagnostics::from(no_client(address)))?;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let marks = config.clone();
        let config = config.unmarked_deep();
        let with =
            Surroundings { client: &client, config: Some(&config), timeout: None, cancelled: &cancelled, token: "" };
        let subject = Subject { address, deposed: None, operation: Operation::Read, id: None, given: &[&marks] };
        let value = self.calls.make(subject, || source.read(with, &config), id_of).await.map_err(|(_, d)| d)?;
        let value = remark(&marks, mark_sensitive(block, value));
        let provider = self.evaluator.provider_address(node);
        let object = ObjectState {
            attributes: encode(&value, &block.ty()).map_err(|e| Diagnostic::error(e.to_string()).address(address))?,
            dependencies: vec![],
            ..ObjectState::default()
        };
        self.evaluator.change_state(|state| state.set_current(address, &provider, object));
        self.found().read.insert(address.clone(), value.clone());
        Ok(value)
    }
}
