//! Reading live objects: those that state holds, and those that are to be adopted.

use futures::stream::{FuturesUnordered, StreamExt};
use lakeform_core::{ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, Type, Value};
use lakeform_lang::{Expr, Resource};
use lakeform_provider::{AnyResource, Surroundings};
use lakeform_state::ObjectState;
use petgraph::graph::NodeIndex;

use crate::{
    Drift, Operation,
    calls::{Subject, id_of},
    cancel::Level,
    diff::mark_sensitive,
    instance::translate,
    reconcile::reconcile,
    stored::{decode, encode},
};

use super::{Planner, no_client, recover::Resolved};

impl Planner<'_> {
    /// Reads the live objects that state holds of one resource block. Needs no evaluated configuration: which attributes
    /// the block sets is enough, so all objects are read at once, whatever depends on what.
    pub(super) async fn refresh(&self, address: &ConfigAddress) -> Result<(), Diagnostics> {
        let owner = self.graph.by_address.get(address).copied();
        let is_open = self.is_open(address);
        let Some(owner) = owner.filter(|n| is_open || self.selection.has(*n)) else { return Ok(()) };
        let Some((_, resource)) = self.evaluator.providers.resource(&address.ty) else {
            return Err(Diagnostic::error(format!("lakeform has no resource type `{}`", address.ty))
                .address(address)
                .detail("state holds an object of it")
                .help("drop it from state with `lakeform state rm`, or manage it with the tool that made it")
                .into());
        };
        let hint = self.evaluator.block(owner).map(|(_, block)| sets(block));
        let objects: Vec<(InstanceAddress, Option<String>, ObjectState)> = self.evaluator.read_state(|state| {
            self.held_of(state, address)
                .filter(|(a, _)| !self.moves.forgets(a))
                .filter(|(a, _)| self.selection.has(owner) || self.open_of(a).is_some())
                .flat_map(|(a, i)| {
                    let current = i.current.iter().map(|o| (None, o));
                    let deposed = i.deposed.iter().map(|(k, o)| (Some(k.clone()), o));
                    current.chain(deposed).map(move |(k, o)| (a.clone(), k, o.clone()))
                })
                .collect()
        });
        let mut reads: FuturesUnordered<_> = objects
            .iter()
            .map(|(a, deposed, object)| self.read_one(owner, resource, a, deposed.as_deref(), object, hint.as_ref()))
            .collect();
        let mut problems = Diagnostics::new();
        while let Some(result) = reads.next().await {
            if let Err(problem) = result {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    async fn read_one(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        deposed: Option<&str>,
        object: &ObjectState,
        config: Option<&Value>,
    ) -> Result<(), Diagnostic> {
        let open = if deposed.is_none() { self.open_of(address) } else { None };
        let (stored, open) = match open {
            None => (decode(resource, object).map_err(|d| d.address(address))?, None),
            Some(open) => match self.resolve(node, resource, address, object, config, open).await? {
                Resolved::Read(stored) => (stored, Some(open)),
                Resolved::Done => return Ok(()),
            },
        };
        if self.options.skip_refresh && open.is_none() {
            if deposed.is_none() {
                self.found().prior.insert(address.clone(), stored);
            }
            return Ok(());
        }
        let client = self.evaluator.client(node).ok_or_else(|| no_client(address))?;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let with = Surroundings { client: &client, config, timeout: None, cancelled: &cancelled, token: "" };
        let plain = stored.clone().unmarked_deep();
        let subject =
            Subject { address, deposed, operation: Operation::Refresh, id: id_of(&stored), given: &[&stored] };
        let live = self.calls.make(subject, || resource.read(with, &plain), |_| None).await.map_err(|(_, d)| d)?;
        let block = &resource.schema().block;
        if let Some(open) = open {
            self.after_reading(address, config, open, live.as_ref());
        }
        match live {
            Some(live) => {
                let live = mark_sensitive(block, reconcile(block, &stored, &live));
                if live != stored || open.is_some() {
                    if deposed.is_none() && open.is_none() {
                        let drift = Drift { address: address.clone(), before: stored, after: live.clone() };
                        self.found().drift.push(drift);
                    }
                    self.evaluator.change_state(|state| {
                        let new = encode(&live, &block.ty());
                        let instance = state.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?;
                        let object = match deposed {
                            None => instance.current.as_mut()?,
                            Some(key) => instance.deposed.get_mut(key)?,
                        };
                        object.attributes = new.ok()?;
                        object.schema_version = resource.schema().version;
                        Some(())
                    });
                }
                if deposed.is_none() {
                    self.found().prior.insert(address.clone(), live);
                }
            }
            None => {
                self.evaluator.change_state(|state| match deposed {
                    None => state.remove_current(address).is_some(),
                    Some(key) => state.remove_deposed(address, key).is_some(),
                });
                if deposed.is_none() && open.is_none() {
                    let gone = Value::null(block.ty());
                    self.found().drift.push(Drift { address: address.clone(), before: stored, after: gone });
                }
            }
        }
        Ok(())
    }

    /// Reads an existing object that is to be adopted, and puts it into the prior state.
    pub(super) async fn import(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        id: &str,
        config: Option<&Value>,
    ) -> Result<Value, Diagnostics> {
        let client = self.evaluator.client(node).ok_or_else(|| Diagnostics::from(no_client(address)))?;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let config = config.map(|config| config.clone().unmarked_deep());
        let with =
            Surroundings { client: &client, config: config.as_ref(), timeout: None, cancelled: &cancelled, token: "" };
        let begin = resource.import(with, id).map_err(|e| translate(&e, &address.to_string()))?;
        let subject = Subject { address, deposed: None, operation: Operation::Refresh, id: Some(id), given: &[] };
        let live = self.calls.make(subject, || resource.read(with, &begin), |_| None).await.map_err(|(_, d)| d)?;
        let schema = resource.schema();
        let live = live.ok_or_else(|| {
            Diagnostic::error(format!("Cannot import `{id}`: there is no such object"))
                .address(address)
                .help("check the identifier, the region and the account")
        })?;
        let live = mark_sensitive(&schema.block, live);
        let object = ObjectState {
            schema_version: schema.version,
            attributes: encode(&live, &schema.block.ty())
                .map_err(|e| Diagnostic::error(e.to_string()).address(address))?,
            dependencies: self.dependencies.get(node).to_vec(),
            create_before_destroy: self.create_first.contains(&node),
            ..ObjectState::default()
        };
        let provider = self.evaluator.provider_address(node);
        self.evaluator.change_state(|state| state.set_current(address, &provider, object));
        Ok(live)
    }
}

/// An object that says which attributes and blocks a resource block sets, without their values.
fn sets(block: &Resource) -> Value {
    Value::object(
        block.body.keys().filter(|k| !is_literal_null(block, k)).map(|k| (k.clone(), Value::unknown(Type::Dynamic))),
    )
}

fn is_literal_null(block: &Resource, name: &str) -> bool {
    block.body.get(name).and_then(Expr::literal).is_some_and(Value::is_null)
}
