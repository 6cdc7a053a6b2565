//! The operations of an apply.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, InstanceKey, Marks, Mode, ModuleInstance, Type, Value};
use lakeform_lang::When;
use lakeform_provider::{AnyResource, Configured, FoundBy, Retry, Surroundings};
use lakeform_state::{
    ObjectState,
    journal::{Edit, Verb},
};
use petgraph::graph::NodeIndex;

use crate::{
    Action, Cancel, Change, Events, Operation, Plan, Reason,
    calls::{Calls, Subject, id_of},
    cancel::Level,
    conditions::Condition,
    deps::Dependencies,
    diff::{broken_promise, mark_sensitive},
    evaluate::{Evaluator, concerning},
    graph::{Graph, Kind},
    instance::{Wishes, decide},
    map::{HashMap, HashSet},
    planner::ignored,
    reconcile::respelled,
    secrets::translate_without,
    stored::{decode, encode, is_held, remark},
    target::Selection,
};

use super::{
    certain,
    journal::{self, Recorder},
    saver::Saver,
    steps::Step,
    timeout,
};

/// What a run did so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) problems: Diagnostics,
    pub(super) added: usize,
    pub(super) changed: usize,
    pub(super) destroyed: usize,
    pub(super) skipped: Vec<InstanceAddress>,
    /// What was created with a tag that it is found by, and the number of the journal's entry that knows it.
    pub(super) tagged: Vec<(InstanceAddress, u64)>,
    /// Whether there was anything such.
    pub(super) releases: bool,
    /// Whose current object this run created.
    pub(super) made: HashSet<InstanceAddress>,
    /// What an update or a deletion failed of: nobody has looked what there is now.
    pub(super) doubtful: HashSet<InstanceAddress>,
    /// What may have been created, and nobody knows.
    pub(super) lost: HashSet<InstanceAddress>,
}

/// What it takes to create or change one object.
pub(super) struct Job<'a> {
    pub(super) node: NodeIndex,
    pub(super) resource: &'a dyn AnyResource,
    pub(super) client: &'a Configured,
    pub(super) change: &'a Change,
    pub(super) config: &'a Value,
    /// The object that a rollback brings back, which says what the stack says otherwise. Provisioners do not run for it.
    pub(super) restoring: Option<&'a ObjectState>,
}

/// One apply under way.
pub(super) struct Run<'a> {
    pub(super) graph: &'a Graph,
    pub(super) plan: &'a Plan,
    pub(super) evaluator: Evaluator<'a>,
    pub(super) dependencies: Dependencies,
    pub(super) selection: Selection,
    pub(super) calls: Calls<'a>,
    pub(super) events: &'a dyn Events,
    pub(super) cancel: &'a Cancel,
    pub(super) saver: &'a Saver<'a>,
    pub(super) recorder: &'a Recorder<'a>,
    pub(super) by_address: HashMap<(InstanceAddress, Option<String>), usize>,
    /// The keys under which this run set old objects aside.
    pub(super) deposed: Mutex<HashMap<InstanceAddress, String>>,
    pub(super) tally: Mutex<Tally>,
}

impl<'a> Run<'a> {
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_aside(&self) -> MutexGuard<'_, HashMap<InstanceAddress, String>> {
        self.deposed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn step(&self, step: &Step) -> Result<(), Diagnostics> {
        match step {
            Step::Evaluate(node) => self.evaluate(*node).await,
            Step::Open(node) => self.open(*node),
            Step::Close(node) => self.close(*node),
            Step::Delete(i) => self.delete(&self.plan.changes[*i]).await,
            Step::Apply(i) => {
                let change = &self.plan.changes[*i];
                self.apply(change).await.map_err(|e| concerning(e, &change.address))
            }
        }
    }

    async fn evaluate(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        match &self.graph.dag[node].kind {
            Kind::Provider(_) => self.evaluator.configure(node).await,
            Kind::Resource(_) if !self.selection.has(node) => Ok(()),
            Kind::Resource(_) => self.evaluator.open(node, &self.calls, self.cancel, false).await,
            Kind::Output(_) if !self.selection.has_output(self.graph, node) => Ok(()),
            Kind::Call(_) | Kind::Output(_) if !self.selection.has(node) && self.graph.dag[node].module != 0 => Ok(()),
            _ => self.evaluator.evaluate(node),
        }
    }

    pub(super) fn client(&self, node: NodeIndex, address: &InstanceAddress) -> Result<Configured, Diagnostic> {
        self.evaluator.client(node).ok_or_else(|| Diagnostic::error("its provider is not configured").address(address))
    }

    pub(super) fn node(&self, address: &InstanceAddress) -> Result<NodeIndex, Diagnostic> {
        let node = self.graph.by_address.get(&address.config()).copied();
        node.ok_or_else(|| Diagnostic::error("it is not part of the stack").address(address))
    }

    /// The key and `each.value` of an instance.
    fn each(&self, node: NodeIndex, address: &InstanceAddress) -> Option<(InstanceKey, Value)> {
        let key = address.key.clone()?;
        let expansion = self.evaluator.store.expansion(node, &address.resource.module)?;
        let (_, value) = expansion.items.iter().find(|(k, _)| k.as_ref() == Some(&key))?;
        Some((key, value.clone()))
    }

    // --- deleting ----------------------------------------------------------------------------------------------------

    async fn delete(&self, change: &Change) -> Result<(), Diagnostics> {
        let address = &change.address;
        let node = self.node(address)?;
        let Some((_, resource)) = self.evaluator.providers.resource(&address.resource.ty) else {
            return Err(Diagnostic::error("lakeform has no such resource type").address(address).into());
        };
        let aside = self.set_aside().get(address).cloned().filter(|_| change.action == Action::CreateThenDelete);
        if change.action == Action::CreateThenDelete && aside.is_none() {
            // Nothing was set aside: what looked like a replacement turned out to be none.
            return Ok(());
        }
        let key = change.deposed.clone().or(aside);
        let object = self.evaluator.read_state(|s| match &key {
            None => s.current(address).cloned(),
            Some(key) => s.get(address).and_then(|i| i.deposed.get(key).cloned()),
        });
        let Some(object) = object else { return Ok(()) };
        let prior = decode(resource, &object).map_err(|d| d.address(address))?;
        // As with Terraform: not where the object was created first, is set aside, or may never have been whole.
        if change.action != Action::CreateThenDelete && key.is_none() && !object.tainted {
            let each = address.key.clone().map(|key| (key, Value::null(Type::Dynamic)));
            self.provision(node, address, each, When::Destroy, &prior).await?;
        }
        self.remove(node, resource, change, key, &prior, vec![]).await
    }

    /// Deletes the current object, or the deposed one of a key. `then` is done to the state with it.
    pub(super) async fn remove(
        &self,
        node: NodeIndex,
        resource: &dyn AnyResource,
        change: &Change,
        key: Option<String>,
        prior: &Value,
        then: Vec<Edit>,
    ) -> Result<(), Diagnostics> {
        let address = &change.address;
        let client = self.client(node, address)?;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let plan = journal::Plan::deletion(change, id_of(prior), key.as_deref(), prior);
        let op = self.recorder.intend(resource, plan).await?;
        let plain = prior.clone().unmarked_deep();
        let with = Surroundings {
            client: &client,
            config: None,
            timeout: timeout::allowed(&plain, "delete"),
            cancelled: &cancelled,
            token: "",
        };
        let (id, given) = (id_of(&plain), &[prior]);
        let subject = Subject { address, deposed: key.as_deref(), operation: Operation::Delete, id, given };
        let done = self.calls.make(subject, || certain::delete(resource, with, &plain), |()| None).await;
        if let Err((error, diagnostic)) = done {
            // A failed delete leaves the object in state as it was; whether it is there the next refresh tells.
            self.recorder.settle(op, address, vec![], Some(&error));
            self.tally().doubtful.insert(address.clone());
            return Err(diagnostic.into());
        }
        self.evaluator.change_state(|s| {
            match &key {
                None => s.remove_current(address).is_some(),
                Some(key) => s.remove_deposed(address, key).is_some(),
            };
            for edit in &then {
                if let Edit::Promote { key } = edit {
                    s.restore_deposed(address, key);
                }
            }
        });
        let edits = std::iter::once(Edit::Remove { key }).chain(then);
        self.recorder.settle(op, address, edits.collect(), None);
        self.tally().destroyed += 1;
        self.saver.touch();
        Ok(())
    }

    // --- creating, changing, reading ---------------------------------------------------------------------------------

    pub(super) async fn apply(&self, change: &Change) -> Result<(), Diagnostics> {
        let address = &change.address;
        let node = self.node(address)?;
        let Some((index, block)) = self.evaluator.block(node) else { return Ok(()) };
        let each = self.each(node, address);
        let at: &ModuleInstance = &address.resource.module;
        let lifecycle = &block.lifecycle;
        self.evaluator.checks(index, at, each.clone(), &lifecycle.preconditions, None, Condition::Before(address))?;
        let schema = lakeform_lang::Schemas::resource(self.evaluator.providers, block.mode, &block.ty)
            .ok_or_else(|| Diagnostic::error("there is no such type"))?;
        let config =
            self.evaluator.scoped(index, at, each.clone(), None, |scope| block.evaluate(&schema.block, scope))?;
        if !config.is_wholly_known() {
            return Err(Diagnostic::error("Arguments are still unknown")
                .detail("something that it refers to was left out of this run or has no value")
                .span(block.span.clone())
                .into());
        }
        let value = match block.mode {
            Mode::Data => self.read(node, address, change, config).await?,
            // Opened where it is evaluated: no change is ever planned for it.
            Mode::Ephemeral => return Ok(()),
            Mode::Managed => {
                let ignore = ignored(&self.evaluator, index, block)?;
                self.make(node, address, change, config, ignore).await?
            }
        };
        self.evaluator.checks(index, at, each, &lifecycle.postconditions, Some(value), Condition::After(address))
    }

    async fn read(
        &self,
        node: NodeIndex,
        address: &InstanceAddress,
        change: &Change,
        config: Value,
    ) -> Result<Value, Diagnostics> {
        let Some((_, source)) = self.evaluator.providers.data_source(&address.resource.ty) else {
            return Err(Diagnostic::error("there is no such data source").into());
        };
        let block = &source.schema().block;
        let client = self.client(node, address)?;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let marked = config.clone();
        let plain = config.unmarked_deep();
        let with =
            Surroundings { client: &client, config: Some(&plain), timeout: None, cancelled: &cancelled, token: "" };
        let subject = Subject { address, deposed: None, operation: Operation::Read, id: None, given: &[&marked] };
        let value = self.calls.make(subject, || source.read(with, &plain), id_of).await.map_err(|(_, d)| d)?;
        let value = remark(&marked, mark_sensitive(block, value));
        let object = ObjectState {
            attributes: encode(&value, &block.ty()).map_err(|e| Diagnostic::error(e.to_string()))?,
            sensitive_attributes: value.marked_paths(Marks::SENSITIVE),
            ..ObjectState::default()
        };
        self.evaluator.change_state(|s| s.set_current(address, &change.provider, object));
        self.saver.touch();
        Ok(value)
    }

    /// Decides once more, now that everything is known, holds it against the plan, and does it.
    async fn make(
        &self,
        node: NodeIndex,
        address: &InstanceAddress,
        change: &Change,
        config: Value,
        ignore: Option<Vec<lakeform_core::Path>>,
    ) -> Result<Value, Diagnostics> {
        let Some((_, resource)) = self.evaluator.providers.resource(&address.resource.ty) else {
            return Err(Diagnostic::error("there is no such resource type").into());
        };
        let client = self.client(node, address)?;
        let held = self.evaluator.read_state(|s| s.current(address).cloned());
        let prior = match &held {
            Some(object) => Some(decode(resource, object)?),
            None => None,
        };
        let wishes = Wishes {
            replace: change.reason.filter(|r| change.action.is_replace() && *r != Reason::ReplaceBecauseCannotUpdate),
            create_before_destroy: change.create_before_destroy,
            ignore,
        };
        // The old object of a replacement that deletes first is gone already: a new one it is, whatever was unknown.
        let decision = decide(resource, &client, &config, prior.as_ref(), &wishes)
            .map_err(|e| translate_without(&e, &address.to_string(), &[&change.after, &config]))?;
        if let Some(path) = broken_promise(&change.after, &decision.planned) {
            return Err(Diagnostic::error("The plan no longer holds")
                .detail(format!("the value of `{path}` turned out other than planned"))
                .help("plan again and apply the new plan")
                .into());
        }
        let job = Job { node, resource, client: &client, change, config: &config, restoring: None };
        let action = match (change.action, decision.action) {
            // Deleted by an earlier step.
            (Action::DeleteThenCreate, _) => Action::Create,
            // What was unknown turned out to be what it was.
            (Action::CreateThenDelete, Action::Update | Action::NoOp) | (Action::Update, Action::NoOp) => {
                decision.action
            }
            (planned, now) if planned == now => planned,
            _ => {
                return Err(Diagnostic::error("The plan no longer holds")
                    .detail("what would have to be done is more than was planned")
                    .help("plan again and apply the new plan")
                    .into());
            }
        };
        match action {
            Action::NoOp => {
                // It may depend on more than it did, though that made no difference.
                self.evaluator.change_state(|s| {
                    let object = s.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?;
                    let object = object.current.as_mut()?;
                    object.dependencies.extend(change.dependencies.iter().cloned());
                    object.dependencies.sort();
                    object.dependencies.dedup();
                    Some(())
                });
                self.saver.touch();
                Ok(decision.planned)
            }
            Action::Update => {
                let prior = prior.unwrap_or_else(|| change.before.clone());
                if prior == decision.planned {
                    // Only what is secret has changed, which is nobody's business but the state's.
                    self.tally().changed += 1;
                    let (value, problem) = self.keep(&job, &decision.planned, decision.planned.clone(), false)?;
                    return problem.map_or(Ok(value), |problem| Err(problem.into()));
                }
                self.update(&job, &prior, decision.planned).await
            }
            _ => {
                if action == Action::CreateThenDelete
                    && let Some(key) = self.evaluator.change_state(|s| s.depose(address))
                {
                    self.set_aside().insert(address.clone(), key);
                    self.saver.touch();
                }
                self.create(&job, decision.planned).await
            }
        }
    }

    pub(super) async fn create(&self, job: &Job<'_>, planned: Value) -> Result<Value, Diagnostics> {
        let Job { node, resource, client, change, config, restoring } = *job;
        let address = &change.address;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let plain = planned.clone().unmarked_deep();
        let timeout = timeout::allowed(&plain, "create");
        let aside = self.set_aside().get(address).cloned();
        let token = self.recorder.token(address, aside.as_deref()).unwrap_or_else(token);
        let given: &[_] = &[config, &planned];
        let config = config.clone().unmarked_deep();
        let with = Surroundings { client, config: Some(&config), timeout, cancelled: &cancelled, token: &token };
        let subject = Subject { address, deposed: None, operation: Operation::Create, id: None, given };
        let plan = journal::Plan {
            address,
            verb: Verb::Create,
            provider: &change.provider,
            id: id_of(&change.before),
            deposed: aside.as_deref(),
            token: &token,
            before: None,
            after: Some(&planned),
            frame: self.frame(job),
        };
        let op = match self.recorder.intend(resource, plan).await {
            Ok(op) => op,
            Err(diagnostic) => {
                self.promote(address, aside.as_deref());
                return Err(diagnostic.into());
            }
        };
        let is_other = |found: &Value| self.evaluator.read_state(|s| is_held(s, address, found, resource.identity()));
        let made = self.calls.make(subject, || certain::create(resource, with, &plain, is_other), id_of).await;
        let depose = aside.iter().map(|key| Edit::Depose { key: key.clone() });
        match made {
            Ok(value) => {
                self.tally().added += 1;
                self.tally().made.insert(address.clone());
                // What it is without its provisioners nobody knows: until they are done, the next run would replace it.
                let provisioned = restoring.is_none() && self.has_provisioners(node, When::Create);
                let tainted = provisioned || restoring.is_some_and(|old| old.tainted);
                let (value, problem) = self.keep(job, &planned, value, tainted)?;
                let set = self.set(job, &value, tainted);
                let known = self.recorder.settle(op, address, depose.chain([set]).collect(), None);
                if resource.found_by() == FoundBy::Tag {
                    let mut tally = self.tally();
                    tally.tagged.push((address.clone(), known));
                    tally.releases = true;
                }
                if let Some(problem) = problem {
                    return Err(problem.into());
                }
                if provisioned {
                    self.provision(node, address, self.each(node, address), When::Create, &value).await?;
                    self.store(job, &value, false)?;
                    self.recorder.settle(op, address, vec![self.set(job, &value, false)], None);
                    self.saver.touch();
                }
                Ok(value)
            }
            Err((failure, diagnostic)) => {
                match failure.partial {
                    // It exists: kept as tainted, so that the next run replaces it.
                    Some(partial) => {
                        let value = remark(&planned, mark_sensitive(&resource.schema().block, known(partial)));
                        self.store(job, &value, true)?;
                        self.tally().made.insert(address.clone());
                        let set = self.set(job, &value, true);
                        self.recorder.settle(op, address, depose.chain([set]).collect(), Some(&failure.error));
                    }
                    // It may exist: the intent stays open, and the next run looks for it.
                    None if failure.error.retry == Retry::Unknown => {
                        self.promote(address, aside.as_deref());
                        self.tally().lost.insert(address.clone());
                    }
                    None => {
                        self.promote(address, aside.as_deref());
                        self.recorder.settle(op, address, vec![], Some(&failure.error));
                    }
                }
                self.saver.touch();
                Err(diagnostic.into())
            }
        }
    }

    /// Makes the object that a replacement set aside the current one again.
    fn promote(&self, address: &InstanceAddress, aside: Option<&str>) {
        if let Some(key) = aside {
            self.evaluator.change_state(|s| s.restore_deposed(address, key));
            self.set_aside().remove(address);
        }
    }

    pub(super) async fn update(&self, job: &Job<'_>, prior: &Value, planned: Value) -> Result<Value, Diagnostics> {
        let Job { resource, client, change, config, .. } = *job;
        let address = &change.address;
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let (before, after) = (prior.clone().unmarked_deep(), planned.clone().unmarked_deep());
        let timeout = timeout::allowed(&after, "update");
        let given: &[_] = &[config, prior, &planned];
        let config = config.clone().unmarked_deep();
        let with = Surroundings { client, config: Some(&config), timeout, cancelled: &cancelled, token: "" };
        let subject = Subject { address, deposed: None, operation: Operation::Update, id: id_of(&before), given };
        let plan = journal::Plan {
            address,
            verb: Verb::Update,
            provider: &change.provider,
            id: id_of(prior),
            deposed: None,
            token: "",
            before: Some(prior),
            after: Some(&planned),
            frame: ObjectState::default(),
        };
        let op = self.recorder.intend(resource, plan).await?;
        let made = self.calls.make(subject, || resource.update(with, &before, &after), id_of).await;
        match made {
            Ok(value) => {
                self.tally().changed += 1;
                let (value, problem) = self.keep(job, &planned, value, false)?;
                self.recorder.settle(op, address, vec![self.set(job, &value, false)], None);
                problem.map_or(Ok(value), |problem| Err(problem.into()))
            }
            Err((failure, diagnostic)) => {
                let mut edits = vec![];
                // Without a new object the prior one stays in state, never nothing.
                if let Some(partial) = failure.partial {
                    let value = remark(&planned, mark_sensitive(&resource.schema().block, known(partial)));
                    self.store(job, &value, false)?;
                    edits.push(self.set(job, &value, false));
                    self.saver.touch();
                }
                self.tally().doubtful.insert(address.clone());
                self.recorder.settle(op, address, edits, Some(&failure.error));
                Err(diagnostic.into())
            }
        }
    }

    /// Saves what a call returned, and holds it against the plan: the problem says where it is another.
    pub(super) fn keep(
        &self,
        job: &Job<'_>,
        planned: &Value,
        value: Value,
        tainted: bool,
    ) -> Result<(Value, Option<Diagnostic>), Diagnostics> {
        let block = &job.resource.schema().block;
        let value = respelled(block, planned, &value);
        let broken = broken_promise(planned, &value);
        let value = remark(planned, mark_sensitive(block, known(value)));
        self.store(job, &value, tainted)?;
        self.saver.touch();
        let problem = broken.map(|path| {
            Diagnostic::error("Inconsistent result after apply")
                .detail(format!(
                    "`{path}` is not what was planned, though the call succeeded; the object is saved as it is"
                ))
                .help("this is a bug in lakeform's resource type: report it; planning again shows the difference")
        });
        Ok((value, problem))
    }

    /// What is stored of an object besides its attributes.
    fn frame(&self, job: &Job<'_>) -> ObjectState {
        match job.restoring {
            Some(old) => ObjectState {
                dependencies: old.dependencies.clone(),
                create_before_destroy: old.create_before_destroy,
                ..ObjectState::default()
            },
            None => ObjectState {
                dependencies: self.dependencies.get(job.node).to_vec(),
                create_before_destroy: job.change.create_before_destroy,
                ..ObjectState::default()
            },
        }
    }

    /// What [`Run::store`] does, for the journal.
    fn set(&self, job: &Job<'_>, value: &Value, tainted: bool) -> Edit {
        let frame =
            ObjectState { tainted, sensitive_attributes: value.marked_paths(Marks::SENSITIVE), ..self.frame(job) };
        self.recorder.set(job.resource, &job.change.provider, value, frame)
    }

    /// Makes a value the current object of the state.
    pub(super) fn store(&self, job: &Job<'_>, value: &Value, tainted: bool) -> Result<(), Diagnostics> {
        let schema = job.resource.schema();
        let object = ObjectState {
            tainted,
            schema_version: schema.version,
            attributes: encode(value, &schema.block.ty()).map_err(|e| Diagnostic::error(e.to_string()))?,
            sensitive_attributes: value.marked_paths(Marks::SENSITIVE),
            ..self.frame(job)
        };
        let change = job.change;
        self.evaluator.change_state(|s| {
            let kept = s.current(&change.address).map(|o| (o.private.clone(), o.extra.clone()));
            let (private, extra) = kept.unwrap_or_default();
            s.set_current(&change.address, &change.provider, ObjectState { private, extra, ..object });
        });
        Ok(())
    }
}

/// What a creation is found by, with the names that it makes up.
pub(super) fn token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What a call left unknown is null from now on: nothing unknown is stored.
pub(super) fn known(value: Value) -> Value {
    if value.is_wholly_known() {
        return value;
    }
    match value.is_known() {
        false => Value::null(value.ty()),
        true => value.map_children(known),
    }
}
