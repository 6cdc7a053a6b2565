//! What a run that was cut off left open: each object is looked up before anything is planned with it.

use lakeform_core::{ConfigAddress, Diagnostic, InstanceAddress, Value};
use lakeform_lang::When;
use lakeform_provider::{AnyResource, FoundBy, Surroundings};
use lakeform_state::{
    ObjectState,
    journal::{Intent, Open, Origin},
};
use petgraph::graph::NodeIndex;

use crate::{
    Operation,
    calls::{Subject, id_of},
    cancel::Level,
    diff::mark_sensitive,
    look::look,
    reconcile::reconcile,
    stored::{decode, encode, is_held, remark},
};

use super::{Planner, no_client};

/// What is known of an instance once it was looked up.
pub(super) enum Resolved {
    /// The object of the state is read as any other, but beginning with this: what an update may have changed is not known.
    Read(Value),
    /// It was found or not, and the state says so.
    Done,
}

impl Planner<'_> {
    /// What is left open about an instance, whatever has moved since.
    pub(super) fn open_of(&self, address: &InstanceAddress) -> Option<&Open> {
        self.open.get(self.moves.origin(address).unwrap_or(address))
    }

    /// Whether something is left open about an instance of a block.
    pub(super) fn is_open(&self, block: &ConfigAddress) -> bool {
        if self.open.is_empty() {
            return false;
        }
        self.evaluator.read_state(|state| self.held_of(state, block).any(|(a, _)| self.open_of(&a).is_some()))
    }

    /// Looks up what is left open about an instance.
    ///
    /// # Errors
    /// When it cannot be told, with what to look for.
    pub(super) async fn resolve(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        object: &ObjectState,
        config: Option<&Value>,
        open: &Open,
    ) -> Result<Resolved, Diagnostic> {
        let stored = decode(resource, object).map_err(|d| d.address(address))?;
        match open {
            Open::Created(intent) => self.look_for(node, resource, address, object, stored, config, intent).await,
            Open::Updated(intent) => {
                let mut before = stored;
                for name in intent.changes.iter().filter(|name| *name != "id") {
                    if let Some(value) = before.get(name) {
                        let null = Value::null(value.ty());
                        before.set_attr(name.as_str(), null);
                    }
                }
                self.note(format!("{address} was being changed: it is read anew, and changed again where it differs"));
                Ok(Resolved::Read(before))
            }
            // It has moved: the state has it under another address.
            Open::Lost if self.evaluator.read_state(|s| is_held(s, address, &stored, resource.identity())) => {
                self.evaluator.change_state(|state| state.remove_current(address));
                Ok(Resolved::Done)
            }
            Open::Deleted(_) | Open::Lost | Open::Withheld(_) => Ok(Resolved::Read(stored)),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "a creation has all these parts")]
    async fn look_for(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        object: &ObjectState,
        planned: Value,
        config: Option<&Value>,
        intent: &Intent,
    ) -> Result<Resolved, Diagnostic> {
        let imported = self.options.imports.iter().any(|(a, _)| a == address);
        let planned = match self.completed(planned, intent).await? {
            Some(planned) => planned,
            // What it waited for is not there yet.
            None => return self.not_created(resource, address, intent),
        };
        let live = match resource.found_by() {
            FoundBy::Local => None,
            // Whoever imports it has looked.
            FoundBy::Hand(_) if imported => None,
            FoundBy::Hand(what) => {
                return Err(Diagnostic::error("Nobody can tell whether it was created")
                    .address(address)
                    .detail(format!("an earlier run was cut off while it created it; look for {what}"))
                    .help(format!(
                        "if there is one, adopt it with `lakeform import STACK {address} ID`, or delete it; then settle it \
                         with `lakeform journal STACK --drop {address}`"
                    )));
            }
            _ => {
                let found = self.search(node, resource, address, &planned, config, intent).await?;
                found.filter(|live| !self.evaluator.read_state(|s| is_held(s, address, live, resource.identity())))
            }
        };
        let block = &resource.schema().block;
        let Some(live) = live else {
            return self.not_created(resource, address, intent);
        };
        let live = remark(&planned, mark_sensitive(block, reconcile(block, &planned, &live)));
        let id = id_of(&live).unwrap_or_default().to_owned();
        let provisioned =
            self.evaluator.block(node).is_some_and(|(_, b)| b.provisioners_at(When::Create).next().is_some());
        let object = ObjectState {
            tainted: provisioned,
            schema_version: resource.schema().version,
            attributes: encode(&live, &block.ty()).map_err(|e| Diagnostic::error(e.to_string()).address(address))?,
            ..object.clone()
        };
        self.evaluator.change_state(|state| state.set_current(address, &intent.provider, object));
        self.found().prior.insert(address.clone(), live);
        let then = if provisioned { "; its provisioners may not have run, so it is replaced" } else { "" };
        self.note(format!("{address} was created ({id}): it is taken into the state{then}"));
        Ok(Resolved::Done)
    }

    /// There is no object: the state is as it was before the creation.
    fn not_created(
        &self,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        intent: &Intent,
    ) -> Result<Resolved, Diagnostic> {
        self.note(format!("{address} was about to be created: there is none, so it is planned again"));
        let promoted = self.evaluator.change_state(|state| {
            state.remove_current(address);
            let key = intent.deposed.as_ref()?;
            state.restore_deposed(address, key).then(|| state.current(address).cloned())?
        });
        // What a replacement had set aside is the current object again, and read as such.
        match promoted {
            None => Ok(Resolved::Done),
            Some(old) => Ok(Resolved::Read(decode(resource, &old).map_err(|d| d.address(address))?)),
        }
    }

    /// The object that was to be created, with what was not known when that was announced. `None`: what it comes from is not
    /// there, so nothing began.
    async fn completed(&self, mut planned: Value, intent: &Intent) -> Result<Option<Value>, Diagnostic> {
        for (name, Origin { address, attribute }) in &intent.unknown {
            match Box::pin(self.attribute(address, attribute)).await? {
                Some(value) => planned.set_attr(name.as_str(), value),
                None => return Ok(None),
            }
        }
        Ok(Some(planned))
    }

    /// The attribute of an object that the run which was cut off may have created; `None` where there is no such object.
    async fn attribute(&self, was: &InstanceAddress, name: &str) -> Result<Option<Value>, Diagnostic> {
        let moved = self.moves.all().find(|(from, _)| *from == was).map(|(_, to)| to);
        let address = moved.unwrap_or(was);
        let held = self.evaluator.read_state(|state| state.current(address).cloned());
        let resource = self.evaluator.providers.resource(&address.resource.ty);
        let (Some(object), Some((_, resource))) = (held, resource) else { return Ok(None) };
        let planned = decode(resource, &object).map_err(|d| d.address(address))?;
        if let Some(value) = planned.get(name).filter(|value| !value.is_null()) {
            return Ok(Some(value.clone()));
        }
        // It is to be looked for itself.
        let (Some(Open::Created(intent)), Some(node)) =
            (self.open_of(address), self.graph.by_address.get(&address.config()))
        else {
            return Ok(None);
        };
        let Some(planned) = self.completed(planned, intent).await? else { return Ok(None) };
        let found = self.search(*node, resource, address, &planned, None, intent).await?;
        Ok(found.and_then(|found| found.get(name).cloned()).filter(|value| !value.is_null()))
    }

    /// Looks for an object that was to be created.
    async fn search(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        address: &InstanceAddress,
        planned: &Value,
        config: Option<&Value>,
        intent: &Intent,
    ) -> Result<Option<Value>, Diagnostic> {
        let client = self.evaluator.client(node).ok_or_else(|| no_client(address))?;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let token = &*intent.token;
        let with = Surroundings { client: &client, config, timeout: None, cancelled: &cancelled, token };
        let plain = planned.clone().unmarked_deep();
        let subject = Subject { address, deposed: None, operation: Operation::Refresh, id: None, given: &[planned] };
        let find = || async {
            match self.recent {
                true => look(with, || resource.find(with, &plain)).await,
                false => resource.find(with, &plain).await,
            }
        };
        self.calls.make(subject, find, |_| None).await.map_err(|(_, d)| d)
    }

    /// What reading an instance shows of what was left open about it.
    pub(super) fn after_reading(
        &self,
        address: &InstanceAddress,
        config: Option<&Value>,
        open: &Open,
        live: Option<&Value>,
    ) {
        match (open, live) {
            (Open::Deleted(_), None) => self.note(format!("{address} was being deleted: it is gone")),
            (Open::Deleted(_), Some(_)) => self.note(format!("{address} was about to be deleted: it is still there")),
            (Open::Lost, None) => self.note(format!("{address} was created, and is gone")),
            (Open::Lost, Some(_)) => self.note(format!(
                "{address} was created, and the state was written without it since: it is taken into the state again"
            )),
            (Open::Withheld(names), Some(live)) => {
                let sets = |name: &str| config.and_then(|c| c.get(name)).is_some();
                let lost = |name: &&String| live.get(name).is_none_or(Value::is_null) && !sets(name);
                if let Some(name) = names.iter().find(lost) {
                    self.evaluator.change_state(|state| {
                        state.current_mut(address)?.tainted = true;
                        Some(())
                    });
                    self.note(format!(
                        "{address} was created, but `{name}` is secret and was lost with the run: it is replaced"
                    ));
                }
            }
            _ => {}
        }
    }

    fn note(&self, text: String) {
        self.found().resolved.push(text);
    }

    /// One warning that says what was found.
    pub(super) fn tell_of_recovery(&self) {
        let mut found = self.found();
        let mut all = self.recovered.to_vec();
        let mut resolved = std::mem::take(&mut found.resolved);
        resolved.sort();
        all.append(&mut resolved);
        if !all.is_empty() {
            found.problems.push(
                Diagnostic::warning("An earlier run was cut off")
                    .detail(format!("what it left open is resolved: {}", all.join("; ")))
                    .help("nothing to do: the plan takes it into account, and applying it writes the state"),
            );
        }
    }
}
