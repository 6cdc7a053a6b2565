//! What comes next is written into the journal while that which it waits for is under way: so it need not wait for the journal
//! too.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use lakeform_core::{InstanceAddress, InstanceKey, Mode, ResourceAddress, Value};
use lakeform_lang::{AttributeOf, Expr, KeyOf};
use lakeform_provider::FoundBy;
use lakeform_state::{
    ObjectState,
    journal::{Origin, Verb},
};
use petgraph::{Direction, graph::NodeIndex};

use crate::{Action, Change, calls::id_of};

use super::{
    journal::Plan,
    operate::Run,
    steps::{Step, Steps},
};

/// Tells which operations wait for nothing but operations that have begun.
pub(super) struct Ahead<'a> {
    steps: &'a Steps,
    /// For each step, how many of those before it have not been reached.
    waiting: Mutex<Vec<usize>>,
}

impl<'a> Ahead<'a> {
    pub(super) fn new(steps: &'a Steps) -> Self {
        let before = |n| steps.dag.neighbors_directed(n, Direction::Incoming).count();
        let ahead = Self { steps, waiting: Mutex::new(steps.dag.node_indices().map(before).collect()) };
        for node in steps.dag.node_indices().filter(|n| before(*n) == 0) {
            if !is_operation(&steps.dag[node]) {
                // What is next to them begins at once.
                ahead.after(node);
            }
        }
        ahead
    }

    /// The operations that wait for nothing more once this step is done and all else that has begun.
    pub(super) fn after(&self, node: NodeIndex) -> Vec<&'a Step> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut reached, mut next) = (vec![node], vec![]);
        while let Some(node) = reached.pop() {
            for after in self.steps.dag.neighbors(node) {
                let left = &mut waiting[after.index()];
                *left -= 1;
                match &self.steps.dag[after] {
                    step if *left == 0 && is_operation(step) => next.push(step),
                    _ if *left == 0 => reached.push(after),
                    _ => {}
                }
            }
        }
        next
    }
}

/// Whether a step calls a provider; the others are done as soon as they can be.
pub(super) fn is_operation(step: &Step) -> bool {
    matches!(step, Step::Apply(_) | Step::Delete(_))
}

impl Run<'_> {
    /// Writes down what comes after a step that begins.
    pub(super) async fn announce_after(&self, ahead: &Ahead<'_>, node: NodeIndex) {
        self.recorder.on_its_way().await;
        for step in ahead.after(node) {
            match step {
                Step::Apply(i) => drop(self.announce(&self.plan.changes[*i])),
                Step::Delete(i) => drop(self.announce_deletion(&self.plan.changes[*i])),
                Step::Evaluate(_) | Step::Open(_) | Step::Close(_) => {}
            }
        }
    }

    fn announce(&self, change: &Change) -> Option<()> {
        let address = &change.address;
        let node = self.node(address).ok().filter(|_| address.resource.mode == Mode::Managed)?;
        let (_, resource) = self.evaluator.providers.resource(&address.resource.ty)?;
        let (verb, before) = match change.action {
            Action::Create | Action::DeleteThenCreate => (Verb::Create, None),
            Action::Update => (Verb::Update, Some(&change.before)),
            // A new object beside the old one needs the key that this one is set aside under.
            _ => return None,
        };
        let known = |name: &str| change.after.get(name).is_none_or(Value::is_wholly_known);
        let (mut unknown, mut whole) = (BTreeMap::new(), true);
        if verb == Verb::Create {
            let (module, block) = self.evaluator.block(node)?;
            let origin = |name: &str| self.origin(address, module, block.body.get(name)?);
            for name in block.body.keys().filter(|name| !known(name)) {
                whole = false;
                if let Some(origin) = origin(name) {
                    unknown.insert(name.to_string(), origin);
                }
            }
            let new = |name: &str| origin(name).is_some_and(|origin| self.creates(&origin.address));
            let found = |name: &str| known(name) || unknown.contains_key(name) || block.body.get(name).is_none();
            let identity = || resource.identity().iter().chain(resource.tied_to());
            let findable = match resource.found_by() {
                // Under a name that is known somebody else may have an object already, which would be taken for this run's if
                // it were cut off here. What is part of something that this run makes, or tied to it, nobody else can have; and
                // what is overwritten anyway is as well taken.
                FoundBy::Name => {
                    identity().any(|name| new(name)) || resource.overwrites() && change.action == Action::Create
                }
                FoundBy::Parent => unknown.keys().any(|name| new(name)),
                FoundBy::Token | FoundBy::Tag | FoundBy::Local => true,
                FoundBy::Hand(_) => false,
            };
            let told = match resource.found_by() {
                FoundBy::Name => identity().all(|name| found(name)),
                _ => block.body.keys().all(|name| found(name)),
            };
            if !findable || !told {
                return None;
            }
        }
        let token = if verb == Verb::Create { super::operate::token() } else { String::new() };
        let plan = Plan {
            address,
            verb,
            provider: &change.provider,
            id: id_of(&change.before),
            deposed: None,
            token: &token,
            before,
            after: Some(&change.after),
            frame: ObjectState {
                dependencies: self.dependencies.get(node).to_vec(),
                create_before_destroy: change.create_before_destroy,
                ..ObjectState::default()
            },
        };
        self.recorder.announce(resource, &plan, unknown, whole);
        Some(())
    }

    /// Whether this run makes an object.
    fn creates(&self, address: &InstanceAddress) -> bool {
        let change = self.by_address.get(&(address.clone(), None)).map(|i| &self.plan.changes[*i]);
        change.is_some_and(|change| change.action == Action::Create || change.action.is_replace())
    }

    /// The object whose attribute an argument of an instance in a module is, if it is nothing else and that object can be found
    /// too.
    fn origin(&self, of: &InstanceAddress, module: usize, expr: &Expr) -> Option<Origin> {
        let (mut at, mut module, mut own, mut expr) = (of.resource.module.clone(), module, &of.key, expr);
        // A variable of a module is what its call says.
        while let Some(variable) = expr.as_variable() {
            let (caller, call) = self.evaluator.graph.modules[module].caller.as_ref()?;
            expr = call.inputs.get(variable)?;
            module = *caller;
            own = &of.resource.module.0.get(at.0.len() - 1)?.1;
            at = at.parent()?;
        }
        let AttributeOf { ty, name, key, attribute } = expr.as_attribute()?;
        let (_, resource) = self.evaluator.providers.resource(ty)?;
        if matches!(resource.found_by(), FoundBy::Local | FoundBy::Hand(_)) {
            return None;
        }
        let key = match key {
            KeyOf::None => None,
            KeyOf::Own => own.clone(),
            KeyOf::Literal(value) => Some(match value.as_str() {
                Some(key) => InstanceKey::String(key.into()),
                None => InstanceKey::Int(value.as_number()?.to_string().parse().ok()?),
            }),
        };
        let resource = ResourceAddress { module: at, ty: ty.clone(), name: name.clone(), ..of.resource.clone() };
        Some(Origin { address: InstanceAddress { resource, key }, attribute: attribute.to_string() })
    }

    fn announce_deletion(&self, change: &Change) -> Option<()> {
        let (_, resource) = self.evaluator.providers.resource(&change.address.resource.ty)?;
        if change.action == Action::CreateThenDelete {
            return None;
        }
        let plan = Plan::deletion(change, id_of(&change.before), change.deposed.as_deref(), &change.before);
        self.recorder.announce(resource, &plan, BTreeMap::new(), true);
        Some(())
    }
}
