//! Undoing what a run did, once something of it has failed: from the state after the failure back to the one before the run.

use std::sync::{Mutex, PoisonError};

use lakeform_core::{ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, Mode, Value};
use lakeform_provider::Surroundings;
use lakeform_state::{ObjectState, journal::Edit};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::{
    Action, Change, Event, Operation,
    calls::{Subject, id_of},
    cancel::Level,
    diff::mark_sensitive,
    evaluate::concerning,
    instance::{Wishes, decide},
    map::{HashMap, HashSet},
    order::{self, End},
    secrets::translate_without,
    stored::{decode, remark},
};

use super::{
    follow::{Renamed, settable},
    operate::{Job, Run, Tally, known},
};

/// What an apply does once one of its operations has failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnError {
    /// It keeps what was done, so that the next run goes on from there.
    #[default]
    Keep,
    /// It undoes what it did itself.
    Rollback,
}

/// What became of undoing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollback {
    /// The instances that are as they were before.
    pub undone: Vec<InstanceAddress>,
    /// Those that are not; the report says why.
    pub left: Vec<InstanceAddress>,
}

/// How one instance comes back to what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    /// The run created it: it is deleted.
    Delete,
    /// The run created it beside an old object that still is there: it is deleted, and the old one takes its place again.
    Promote(String),
    /// The run deleted it: it is created again.
    Create,
    /// The run replaced it: so is the new object, in the same order.
    Replace { create_first: bool },
    /// The run changed it: it is changed back.
    Update,
    /// The run let go of it: the state takes it in again.
    Put,
    /// Nobody knows what there is.
    Stuck,
}

impl How {
    fn removes(&self) -> bool {
        matches!(self, Self::Delete | Self::Promote(_) | Self::Replace { .. } | Self::Stuck)
    }

    fn restores(&self) -> bool {
        !matches!(self, Self::Delete | Self::Promote(_))
    }
}

/// One instance to bring back.
struct Undo {
    how: How,
    /// The instance with its object as it is and as it was.
    change: Change,
    /// What state held before the run.
    old: Option<ObjectState>,
    /// What the present object depends on.
    uses: Vec<ConfigAddress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Remove(usize),
    Restore(usize),
}

impl Step {
    fn index(self) -> usize {
        match self {
            Self::Remove(i) | Self::Restore(i) => i,
        }
    }
}

impl Run<'_> {
    /// Undoes what this run did, in reverse dependency order. Problems go to the tally; counts stay those of the apply.
    pub(super) async fn roll_back(&self, stop: impl Fn() -> bool) -> Rollback {
        let aside = std::mem::take(&mut *self.set_aside());
        let mut out = Rollback::default();
        let doubtful = self.tally().doubtful.clone();
        let mut unseen = HashSet::default();
        for address in &doubtful {
            let mut seen = self.look(address, None).await;
            if let (Ok(()), Some(key)) = (&seen, aside.get(address)) {
                seen = self.look(address, Some(key)).await;
            }
            if let Err(problems) = seen {
                self.not_undone(address, problems);
                unseen.insert(address.clone());
            }
        }
        let undos: Vec<Undo> = self.plan.changes.iter().filter_map(|c| self.undo(c, &aside, &unseen)).collect();
        let counts = {
            let tally = self.tally();
            (tally.added, tally.changed, tally.destroyed)
        };
        self.events.event(Event::RollingBack { objects: undos.len() });
        let dag = steps(&undos);
        let renamed = Mutex::new(Renamed::default());
        let failed = Mutex::new(HashSet::default());
        let fail = |i: usize| failed.lock().unwrap_or_else(PoisonError::into_inner).insert(i);
        let visit = |at: NodeIndex| {
            let step = dag[at];
            let (undos, renamed, fail) = (&undos, &renamed, &fail);
            async move {
                let undo = &undos[step.index()];
                match self.undo_step(step, undo, renamed).await {
                    Ok(()) => End::Done,
                    Err(problems) => {
                        self.not_undone(&undo.change.address, problems);
                        fail(step.index());
                        End::Failed
                    }
                }
            }
        };
        let skip = |at: NodeIndex| {
            let i = dag[at].index();
            self.events.event(Event::Skipped { address: &undos[i].change.address });
            fail(i);
        };
        order::walk(&dag, visit, skip, stop).await;
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (i, undo) in undos.iter().enumerate() {
            let list = if failed.contains(&i) { &mut out.left } else { &mut out.undone };
            list.push(undo.change.address.clone());
        }
        self.put_back(&mut out);
        self.warn_of_old_names(&undos, &renamed.into_inner().unwrap_or_else(PoisonError::into_inner));
        self.saver.touch();
        let mut tally = self.tally();
        (tally.added, tally.changed, tally.destroyed) = counts;
        out
    }

    fn not_undone(&self, address: &InstanceAddress, problems: Diagnostics) {
        let told = concerning(problems, address).0.into_iter().map(|problem| {
            let summary = format!("Not undone: {}", problem.summary);
            Diagnostic { summary, ..problem }
        });
        self.tally().problems.0.extend(told);
    }

    /// Brings the state to what there is of an object of which an update or a deletion failed.
    async fn look(&self, address: &InstanceAddress, deposed: Option<&str>) -> Result<(), Diagnostics> {
        let held = self.evaluator.read_state(|s| match deposed {
            None => s.current(address).cloned(),
            Some(key) => s.get(address)?.deposed.get(key).cloned(),
        });
        let Some(held) = held else { return Ok(()) };
        let Some(at) = self.by_address.get(&(address.clone(), None)) else { return Ok(()) };
        let change = &self.plan.changes[*at];
        let node = self.node(address)?;
        let Some((_, resource)) = self.evaluator.providers.resource(&address.resource.ty) else { return Ok(()) };
        let client = self.client(node, address)?;
        let value = decode(resource, &held)?;
        let plain = value.clone().unmarked_deep();
        let cancelled = || self.cancel.level() >= Level::Abandon;
        let with = Surroundings { client: &client, config: None, timeout: None, cancelled: &cancelled, token: "" };
        let (id, given) = (id_of(&plain), &[&value]);
        let subject = Subject { address, deposed, operation: Operation::Refresh, id, given };
        let read = self.calls.make(subject, || resource.read(with, &plain), |_| None).await;
        match read.map_err(|(_, diagnostic)| diagnostic)? {
            None => drop(self.evaluator.change_state(|s| match deposed {
                None => s.remove_current(address),
                Some(key) => s.remove_deposed(address, key),
            })),
            Some(live) if live == plain || deposed.is_some() => {}
            Some(live) => {
                let live = remark(&value, mark_sensitive(&resource.schema().block, known(live)));
                let config = Value::null(value.ty());
                let job = Job { node, resource, client: &client, change, config: &config, restoring: Some(&held) };
                self.store(&job, &live, held.tainted)?;
            }
        }
        Ok(())
    }

    /// What there is to undo of a change.
    fn undo(
        &self,
        change: &Change,
        aside: &HashMap<InstanceAddress, String>,
        unseen: &HashSet<InstanceAddress>,
    ) -> Option<Undo> {
        let address = &change.address;
        if address.resource.mode != Mode::Managed || change.deposed.is_some() || !change.action.is_change() {
            return None;
        }
        let old = self.plan.prior_state.current(address).cloned();
        let (now, alive) = self.evaluator.read_state(|s| {
            let alive = aside.get(address).filter(|key| s.get(address).is_some_and(|i| i.deposed.contains_key(*key)));
            (s.current(address).cloned(), alive.cloned())
        });
        let tally: &Tally = &self.tally();
        let same = |a: &ObjectState, b: &ObjectState| {
            a.attributes == b.attributes && a.sensitive_attributes == b.sensitive_attributes
        };
        let how = match (&old, &now) {
            _ if tally.lost.contains(address) || unseen.contains(address) => How::Stuck,
            (None, Some(_)) if tally.made.contains(address) => How::Delete,
            (Some(_), Some(_)) if tally.made.contains(address) => match alive {
                Some(key) => How::Promote(key),
                None => How::Replace { create_first: change.create_before_destroy },
            },
            (Some(_), None) if change.action == Action::Forget => How::Put,
            (Some(_), None) => How::Create,
            (Some(old), Some(now)) if !same(old, now) => How::Update,
            _ => return None,
        };
        let uses = match &now {
            Some(now) if how != How::Stuck => now.dependencies.clone(),
            _ => change.dependencies.to_vec(),
        };
        let value = |object: &Option<ObjectState>| {
            let (_, resource) = self.evaluator.providers.resource(&address.resource.ty)?;
            decode(resource, object.as_ref()?).ok()
        };
        let null = || Value::null(change.after.ty());
        let provider = match (&old, &now) {
            (Some(_), None) => {
                self.plan.prior_state.resources.get(&address.resource).map_or(&change.provider, |r| &r.provider)
            }
            _ => &change.provider,
        };
        let change = Change {
            action: Action::Update,
            before: value(&now).unwrap_or_else(null),
            after: value(&old).unwrap_or_else(null),
            provider: provider.clone(),
            create_before_destroy: old.as_ref().is_some_and(|o| o.create_before_destroy),
            ..change.clone()
        };
        Some(Undo { how, change, old, uses })
    }

    async fn undo_step(&self, step: Step, undo: &Undo, renamed: &Mutex<Renamed>) -> Result<(), Diagnostics> {
        let Undo { how, change, old, .. } = undo;
        let address = &change.address;
        if *how == How::Stuck {
            if !self.tally().lost.contains(address) {
                // Looking at it has failed, which was said then.
                return Err(Diagnostics::new());
            }
            let unknown = Diagnostic::error("nobody knows what there is")
                .detail("what it uses stays too")
                .help("plan again: that looks for it");
            return Err(unknown.into());
        }
        if let (How::Put, Some(old)) = (how, old) {
            self.evaluator.change_state(|s| s.set_current(address, &change.provider, old.clone()));
            return Ok(());
        }
        let node = self.node(address)?;
        let Some((_, resource)) = self.evaluator.providers.resource(&address.resource.ty) else {
            return Err(Diagnostic::error("lakeform has no such resource type").into());
        };
        if let Step::Remove(_) = step {
            let aside = self.set_aside().get(address).cloned();
            let key = aside.filter(|_| matches!(how, How::Replace { create_first: true }));
            let then = match how {
                How::Promote(key) => vec![Edit::Promote { key: key.clone() }],
                _ => vec![],
            };
            return self.remove(node, resource, change, key, &change.before, then).await;
        }
        let Some(old) = old else { return Ok(()) };
        let client = self.client(node, address)?;
        let was = decode(resource, old)?;
        let wanted = renamed.lock().unwrap_or_else(PoisonError::into_inner).follow(&was, &old.dependencies);
        let prior = (*how == How::Update).then_some(&change.before);
        let config = settable(&resource.schema().block, &wanted, prior);
        let wishes = Wishes { ignore: Some(vec![]), ..Wishes::default() };
        let decision = decide(resource, &client, &config, prior, &wishes)
            .map_err(|e| translate_without(&e, &address.to_string(), &[&change.before, &config]))?;
        let job = Job { node, resource, client: &client, change, config: &config, restoring: Some(old) };
        match (prior, decision.action) {
            (Some(prior), Action::NoOp | Action::Update) if *prior == decision.planned => {
                self.store(&job, &decision.planned, old.tainted)?;
                Ok(())
            }
            (Some(prior), Action::Update) => self.update(&job, prior, decision.planned).await.map(drop),
            (Some(_), _) => Err(Diagnostic::error("it cannot be changed back in place")
                .detail("it existed before this run, so it is not replaced")
                .help("plan again to see what differs")
                .into()),
            (None, _) => {
                if *how == (How::Replace { create_first: true })
                    && let Some(key) = self.evaluator.change_state(|s| s.depose(address))
                {
                    self.set_aside().insert(address.clone(), key);
                }
                let made = self.create(&job, decision.planned).await?;
                let block = &resource.schema().block;
                renamed.lock().unwrap_or_else(PoisonError::into_inner).note(address, block, &was, &made);
                Ok(())
            }
        }
    }

    /// What only the state knows: data sources are as they were read before, and what this run adopted is let go of again.
    fn put_back(&self, out: &mut Rollback) {
        let before = &self.plan.prior_state;
        self.evaluator.change_state(|state| {
            for change in self.plan.changes.iter().filter(|c| c.deposed.is_none()) {
                let address = &change.address;
                match address.resource.mode {
                    Mode::Data => match before.current(address) {
                        Some(old) => drop(state.set_current(address, &change.provider, old.clone())),
                        None => drop(state.remove_current(address)),
                    },
                    _ if change.importing.is_some() && !change.action.is_replace() && !out.left.contains(address) => {
                        drop(state.remove_current(address));
                    }
                    _ => {}
                }
            }
        });
    }

    /// What was not part of the run stays as it is, also where it names an object that now has another identifier.
    fn warn_of_old_names(&self, undos: &[Undo], renamed: &Renamed) {
        let touched: HashSet<&InstanceAddress> = undos.iter().map(|u| &u.change.address).collect();
        let named = self.evaluator.read_state(|state| {
            let all = state.iter().filter(|(address, _)| !touched.contains(address));
            let named = all.filter_map(|(address, instance)| {
                let object = instance.current.as_ref()?;
                let (_, resource) = self.evaluator.providers.resource(&address.resource.ty)?;
                let value = decode(resource, object).ok()?;
                (renamed.follow(&value, &object.dependencies) != value).then_some(address)
            });
            named.collect::<Vec<_>>()
        });
        self.tally().problems.0.extend(named.into_iter().map(|address| {
            Diagnostic::warning("It refers to an object that the rollback created again, with another identifier")
                .address(&address)
                .help("plan and apply once more: that brings it to what the stack says")
        }));
    }
}

/// The order: what uses something is undone before it is deleted, and after it is there again.
fn steps(undos: &[Undo]) -> DiGraph<Step, ()> {
    let dag = ordered(undos, true);
    if order::cycle(&dag).is_none() { dag } else { ordered(undos, false) }
}

/// `habits`: also what is changed back comes before the deletion of what it used, and after that of what used it. That gives
/// way where the steps would wait for each other.
fn ordered(undos: &[Undo], habits: bool) -> DiGraph<Step, ()> {
    let mut dag = DiGraph::new();
    let removes: Vec<Option<NodeIndex>> =
        undos.iter().enumerate().map(|(i, u)| u.how.removes().then(|| dag.add_node(Step::Remove(i)))).collect();
    let restores: Vec<Option<NodeIndex>> =
        undos.iter().enumerate().map(|(i, u)| u.how.restores().then(|| dag.add_node(Step::Restore(i)))).collect();
    let mut by_block: HashMap<ConfigAddress, Vec<usize>> = HashMap::default();
    for (i, undo) in undos.iter().enumerate() {
        by_block.entry(undo.change.address.config()).or_default().push(i);
        if let (Some(remove), Some(restore)) = (removes[i], restores[i]) {
            match undo.how {
                How::Replace { create_first: true } => dag.add_edge(restore, remove, ()),
                _ => dag.add_edge(remove, restore, ()),
            };
        }
    }
    let needed = |blocks: &[ConfigAddress], i: usize| {
        let all = blocks.iter().filter_map(|block| by_block.get(block)).flatten().copied();
        all.filter(|j| *j != i).collect::<Vec<usize>>()
    };
    for (i, undo) in undos.iter().enumerate() {
        for j in needed(&undo.uses, i) {
            if let (Some(first), Some(then)) = (removes[i], removes[j]) {
                dag.add_edge(first, then, ());
            }
            let other = &undos[j].how;
            if habits
                && *other == How::Update
                && let (Some(first), Some(then)) = (removes[i], restores[j])
            {
                dag.add_edge(first, then, ());
            }
            let delete_first = matches!(other, How::Replace { create_first: false });
            if habits
                && undo.how == How::Update
                && !delete_first
                && let (Some(first), Some(then)) = (restores[i], removes[j])
            {
                dag.add_edge(first, then, ());
            }
        }
        for j in needed(undo.old.as_ref().map_or(&[], |old| &old.dependencies), i) {
            if let (Some(first), Some(then)) = (restores[j], restores[i]) {
                dag.add_edge(first, then, ());
            }
        }
    }
    dag
}
