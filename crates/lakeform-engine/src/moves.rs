//! `[[moved]]` and `[[removed]]`: what they do to the state before anything is planned, and what is wrong with them.
//!
//! The rules are Terraform's: <https://developer.hashicorp.com/terraform/language/modules/develop/refactoring>

use std::sync::Arc;

use lakeform_core::{
    ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, InstanceKey, ModuleInstance, ModulePath, ResourceAddress,
    Span, Type, address::Target,
};
use lakeform_lang::{Endpoint, Module, Moved, Removed, Resource, Stack};
use lakeform_state::State;
use petgraph::graph::DiGraph;

use crate::map::{HashMap, HashSet};
use crate::{Providers, order, stored::encode};

/// What became of the objects in state.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    /// Where each object that has moved was before, by where it is now.
    before: HashMap<InstanceAddress, InstanceAddress>,
    /// Objects that could not move, with the address that is taken.
    pub(crate) blocked: Vec<(InstanceAddress, InstanceAddress)>,
    /// Every `[[moved]]`, with the module that holds it.
    statements: Vec<(ModulePath, Moved)>,
    /// Every `[[removed]]` that drops objects from state only, with the module that holds it.
    forgotten: Vec<(ModulePath, Removed)>,
}

impl Moves {
    /// Moves objects in the state as the stack says.
    ///
    /// # Errors
    /// Blocks that contradict each other or the rest of the stack, and objects that cannot become what a block says.
    pub(crate) fn apply(stack: &Stack, state: &mut State, providers: &Providers) -> Result<Self, Diagnostics> {
        let mut out = Self::default();
        let mut problems = Diagnostics::new();
        out.collect(&ModulePath::root(), &stack.root, stack, &mut problems);
        out.refuse_contradictions(&mut problems);
        out.imply(stack, state);
        let order = out.order(&mut problems);
        if problems.has_errors() {
            // What else is wrong cannot wait for a plan.
            let declares = |base: &_, end: &_, whole| whole && declared(&stack.root, base, end).is_some();
            problems.extend(out.refuse_declared(&stack.root, declares));
            return Err(problems);
        }
        let mut renamed = HashMap::default();
        for index in order {
            let (base, statement) = &out.statements[index];
            let destinations: Vec<(InstanceAddress, InstanceAddress)> = state
                .iter()
                .filter_map(|(from, _)| Some((statement.apply(base, &from).filter(|to| *to != from)?, from)))
                .map(|(to, from)| (from, to))
                .collect();
            let taken = taken(statement, state, &destinations);
            for (from, to) in destinations {
                let free = !taken.contains(&to) && state.get(&to).is_none();
                if free
                    && from.resource.ty != to.resource.ty
                    && let Err(problem) = retype(state, &from, &to.resource.ty, providers)
                {
                    problems.push(problem.span(statement.span.clone()));
                    continue;
                }
                if !free || !state.rename(&from, &to) {
                    out.blocked.push((from, to));
                    continue;
                }
                renamed.insert(from.config(), to.config());
                let origin = out.before.remove(&from).unwrap_or(from);
                out.before.insert(to, origin);
            }
        }
        if problems.has_errors() {
            return Err(problems);
        }
        follow(state, &renamed);
        Ok(out)
    }

    /// Where an object was before, if it has moved.
    pub(crate) fn origin(&self, address: &InstanceAddress) -> Option<&InstanceAddress> {
        self.before.get(address)
    }

    /// Each object that has moved: where it was, and where it is.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&InstanceAddress, &InstanceAddress)> {
        self.before.iter().map(|(to, from)| (from, to))
    }

    /// Whether an object is to be dropped from state only.
    pub(crate) fn forgets(&self, address: &InstanceAddress) -> bool {
        self.forgotten.iter().any(|(base, removed)| removed.means(base, address))
    }

    /// Whether the stack has neither `[[moved]]` nor a `[[removed]]` that lets go.
    pub(crate) fn is_empty(&self) -> bool {
        self.statements.is_empty() && self.forgotten.is_empty()
    }

    /// Reports blocks that say that something has moved away although the stack still has it. `declares` tells whether it
    /// has what a block in a module calls so, where `true` means all instances.
    pub(crate) fn refuse_declared(
        &self,
        root: &Arc<Module>,
        declares: impl Fn(&ModulePath, &Endpoint, bool) -> bool,
    ) -> Diagnostics {
        let mut problems = Diagnostics::new();
        for (base, Moved { from, to, span }) in &self.statements {
            let whole = from.key().is_none() && to.key().is_none();
            if from == to || !declares(base, from, whole) {
                continue;
            }
            problems.push(match declared(root, base, from).filter(|_| whole) {
                Some(there) => still_there("Moved object still exists", "a move from", from, &there, span),
                None => Diagnostic::error("Moved object still exists")
                    .detail(format!("This statement declares a move from {from}, but that instance is still declared."))
                    .help(format!("change the stack so that this instance is declared as {to}"))
                    .span(span.clone()),
            });
        }
        problems
    }

    fn collect(&mut self, base: &ModulePath, module: &Module, stack: &Stack, problems: &mut Diagnostics) {
        for statement in &module.moved {
            if statement.from == statement.to {
                problems.push(
                    Diagnostic::error("Redundant move statement")
                        .detail(format!(
                            "This statement declares a move from {} to the same address, which is the same as not declaring this move at all.",
                            statement.from
                        ))
                        .span(statement.span.clone()),
                );
            }
            self.statements.push((base.clone(), statement.clone()));
        }
        for removed in &module.removed {
            if let Some(there) = declared(&stack.root, base, &removed.from) {
                let what = if removed.from.is_module() { "module" } else { "resource" };
                let summary = format!("Removed {what} still exists");
                problems.push(still_there(&summary, "the removal of", &removed.from, &there, &removed.span));
            }
            if !removed.destroy {
                self.forgotten.push((base.clone(), removed.clone()));
            }
        }
        for call in module.calls.values() {
            self.collect(&base.child(call.name.clone()), &call.module, stack, problems);
        }
    }

    /// A block that gains or loses `count` keeps its first object, unless some `[[moved]]` is about the block.
    fn imply(&mut self, stack: &Stack, state: &State) {
        let explicit = self.statements.len();
        for (address, held) in &state.resources {
            let first = Some(InstanceKey::Int(0));
            let Some(block) = block(stack, address) else { continue };
            let (from, to) = match (&block.count, &block.for_each) {
                (Some(_), _) => (None, first),
                (None, None) => (first, None),
                _ => continue,
            };
            let end = |key| Endpoint(Target::Resource(address.instance(key)));
            if held.instances.contains_key(&from) && !self.statements[..explicit].iter().any(|s| about(s, address)) {
                let implied = Moved { from: end(from), to: end(to), span: block.span.clone() };
                self.statements.push((ModulePath::root(), implied));
            }
        }
    }

    /// Two blocks that move one thing to two places, or two things to one.
    fn refuse_contradictions(&self, problems: &mut Diagnostics) {
        for (at, (base, a)) in self.statements.iter().enumerate() {
            for (other_base, b) in &self.statements[..at] {
                let same = |x: &Endpoint, y: &Endpoint| Steps::of(base, x, false) == Steps::of(other_base, y, false);
                let (from, to) = (same(&a.from, &b.from), same(&a.to, &b.to));
                if from == to {
                    continue;
                }
                let (line, _) = b.span.line_column();
                let there = format!("{}, line {line}", b.span.source.path);
                let detail = if from {
                    format!(
                        "A statement at {there} declared that {} moved to {}, but this statement instead declares that it moved to {}. Each resource can have moved only to one place.",
                        a.from, b.to, a.to
                    )
                } else {
                    format!(
                        "A statement at {there} declared that {} moved to {}, but this statement instead declares that {} moved there. Each resource can have moved from only one place.",
                        b.from, a.to, a.from
                    )
                };
                problems.push(Diagnostic::error("Ambiguous move statements").detail(detail).span(a.span.clone()));
            }
        }
    }

    /// Whether one statement gives keys to a module that another is inside of, in a way that both its ends are the other's
    /// place: then the outer one is free to be first.
    fn is_rekeyed_around(&self, outer: usize, inner: usize) -> bool {
        let ((outer_base, outer), (inner_base, _)) = (&self.statements[outer], &self.statements[inner]);
        match (&outer.from.0, &outer.to.0) {
            (Target::Module(from), Target::Module(to)) => {
                outer_base.0.len() < inner_base.0.len() && from.path() == to.path()
            }
            _ => false,
        }
    }

    /// The statements in the order in which they are carried out: what leads to a place comes before what leads on from
    /// it, and what is inside something moves out before that moves.
    fn order(&self, problems: &mut Diagnostics) -> Vec<usize> {
        let mut dag: DiGraph<usize, ()> = DiGraph::new();
        let nodes: Vec<_> = (0..self.statements.len()).map(|i| dag.add_node(i)).collect();
        let ends: Vec<(Steps, Steps)> = self
            .statements
            .iter()
            .map(|(base, s)| (Steps::of(base, &s.from, s.is_whole()), Steps::of(base, &s.to, s.is_whole())))
            .collect();
        for (a, (a_from, a_to)) in ends.iter().enumerate() {
            for (b, (b_from, b_to)) in ends.iter().enumerate() {
                let after = a_from.meets(b_to)
                    || a_from.is_inside(b_to)
                    || a_to.is_inside(b_to)
                    || b_from.is_inside(a_from)
                    || b_to.is_inside(a_from);
                if a != b && after && !self.is_rekeyed_around(a, b) {
                    dag.add_edge(nodes[b], nodes[a], ());
                }
            }
        }
        if let Some(cycle) = order::cycle(&dag) {
            let lines = cycle.iter().map(|n| {
                let (_, s) = &self.statements[dag[*n]];
                format!("{} moved to {}", s.from, s.to)
            });
            let first = cycle.first().map(|n| self.statements[dag[*n]].1.span.clone());
            problems.push(
                Diagnostic::error("Cyclic dependency in move statements")
                    .detail(format!(
                        "these form a circle, so there is no final place: {}",
                        lines.collect::<Vec<_>>().join("; ")
                    ))
                    .maybe_span(first),
            );
            return vec![];
        }
        petgraph::algo::toposort(&dag, None)
            .map(|sorted| sorted.into_iter().map(|n| dag[n]).collect())
            .unwrap_or_default()
    }
}

/// The places of a move that it cannot have: a whole module or resource moves to where there is none at all.
fn taken(
    statement: &Moved,
    state: &State,
    destinations: &[(InstanceAddress, InstanceAddress)],
) -> HashSet<InstanceAddress> {
    let modules: HashSet<&ModuleInstance> = state.resources.keys().map(|r| &r.module).collect();
    let is_taken = |to: &InstanceAddress| match statement.from.is_module() {
        true => modules.contains(&to.resource.module),
        false => statement.is_whole() && state.resources.contains_key(&to.resource),
    };
    destinations.iter().map(|(_, to)| to).filter(|to| is_taken(to)).cloned().collect()
}

/// Rewrites the objects of an instance to those of another type.
fn retype(state: &mut State, at: &InstanceAddress, ty: &Arc<str>, providers: &Providers) -> Result<(), Diagnostic> {
    let mismatch = || {
        Diagnostic::error("Resource type mismatch")
            .detail(format!("An object cannot become one of another type: {at} is no {ty}."))
    };
    let (provider, resource) = providers.resource(ty).ok_or_else(mismatch)?;
    let schema = resource.schema();
    let Some(instance) = state.get(at) else { return Ok(()) };
    let mut instance = instance.clone();
    for object in instance.current.iter_mut().chain(instance.deposed.values_mut()) {
        let stored = object.attributes.value(&Type::Dynamic).map_err(|_| mismatch())?;
        let became = resource.take_over(&at.resource.ty, stored).ok_or_else(mismatch)?;
        let became = schema.block.coerce(&became).map_err(|_| mismatch())?;
        object.attributes = encode(&became, &schema.block.ty()).map_err(|_| mismatch())?;
        object.schema_version = schema.version;
        object.sensitive_attributes.clear();
        object.private = None;
    }
    state.remove(at);
    state.insert(at, &format!("provider[\"{}\"]", provider.source()), instance);
    Ok(())
}

/// Whether a statement is about a resource or instances of it.
fn about((base, statement): &(ModulePath, Moved), address: &ResourceAddress) -> bool {
    let this = Endpoint(Target::Resource(address.instance(None)));
    let this = Steps::of(&ModulePath::root(), &this, true);
    [&statement.from, &statement.to].iter().any(|end| Steps::of(base, end, true).meets(&this))
}

/// The block of an object, whether it wants this instance or not.
fn block<'a>(stack: &'a Stack, address: &ResourceAddress) -> Option<&'a Resource> {
    let mut at: &Arc<Module> = &stack.root;
    for (name, _) in address.module.0.iter() {
        at = &at.calls.get(name)?.module;
    }
    at.resources.get(&(address.mode, address.ty.clone(), address.name.clone()))
}

fn still_there(summary: &str, what: &str, from: &Endpoint, there: &Span, span: &Span) -> Diagnostic {
    let (line, _) = there.line_column();
    Diagnostic::error(summary)
        .detail(format!(
            "This statement declares {what} {from}, which is still declared at {}, line {line}.",
            there.source.path
        ))
        .help("take the block out of the stack, or take this statement out")
        .span(span.clone())
}

/// Where a stack with this root declares what an endpoint names as a whole.
fn declared(root: &Arc<Module>, base: &ModulePath, end: &Endpoint) -> Option<Span> {
    let (steps, resource) = match &end.0 {
        Target::Module(module) => (module.path(), None),
        Target::Resource(r) => (r.resource.module.path(), Some(&r.resource)),
    };
    let mut at = root;
    let mut call = None;
    for name in base.0.iter().chain(steps.0.iter()) {
        let found = at.calls.get(name)?;
        (at, call) = (&found.module, Some(found));
    }
    match resource {
        None => call.map(|c| c.span.clone()),
        Some(r) => at.resources.get(&(r.mode, r.ty.clone(), r.name.clone())).map(|block| block.span.clone()),
    }
}

/// Dependencies that state records follow what they name, if nothing is left where it was.
fn follow(state: &mut State, renamed: &HashMap<ConfigAddress, ConfigAddress>) {
    if renamed.is_empty() {
        return;
    }
    let held: HashSet<ConfigAddress> = state.resources.keys().map(|address| address.config()).collect();
    let gone: HashMap<_, _> = renamed.iter().filter(|(from, _)| !held.contains(*from)).collect();
    if gone.is_empty() {
        return;
    }
    for instance in state.resources.values_mut().flat_map(|r| r.instances.values_mut()) {
        for object in instance.current.iter_mut().chain(instance.deposed.values_mut()) {
            for dependency in &mut object.dependencies {
                if let Some(to) = gone.get(dependency) {
                    *dependency = (*to).clone();
                }
            }
            object.dependencies.sort();
            object.dependencies.dedup();
        }
    }
}

/// The instances that a step of an endpoint means.
#[derive(Debug, PartialEq)]
enum Instances {
    /// Whatever there are.
    All,
    /// The one with this key, or without one.
    One(Option<InstanceKey>),
}

impl Instances {
    fn meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(a), Self::One(b)) => a == b,
            _ => true,
        }
    }
}

/// An endpoint as seen from the root.
#[derive(Debug, PartialEq)]
struct Steps {
    /// Module calls.
    modules: Vec<(Arc<str>, Instances)>,
    /// Type and name.
    resource: Option<(Arc<str>, Arc<str>, Instances)>,
}

impl Steps {
    fn of(base: &ModulePath, end: &Endpoint, whole: bool) -> Self {
        let last = |key: &Option<InstanceKey>| if whole { Instances::All } else { Instances::One(key.clone()) };
        let (own, resource) = match &end.0 {
            Target::Module(module) => (module, None),
            Target::Resource(r) => {
                (&r.resource.module, Some((r.resource.ty.clone(), r.resource.name.clone(), last(&r.key))))
            }
        };
        let mut modules: Vec<_> = base.0.iter().map(|name| (name.clone(), Instances::All)).collect();
        modules.extend(own.0.iter().map(|(name, key)| (name.clone(), Instances::One(key.clone()))));
        if let (None, Some(step)) = (&resource, modules.last_mut()) {
            step.1 = last(&end.key().cloned());
        }
        Self { modules, resource }
    }

    /// Whether an object can be at both.
    fn meets(&self, other: &Self) -> bool {
        let resources = match (&self.resource, &other.resource) {
            (None, None) => true,
            (Some((ty, name, key)), Some((other_ty, other_name, other_key))) => {
                ty == other_ty && name == other_name && key.meet(other_key)
            }
            _ => false,
        };
        resources && self.modules.len() == other.modules.len() && self.begins(other)
    }

    /// Whether it is in the module that `other` names.
    fn is_inside(&self, other: &Self) -> bool {
        let deeper = self.modules.len() > other.modules.len()
            || self.resource.is_some() && self.modules.len() == other.modules.len();
        other.resource.is_none() && deeper && self.begins(other)
    }

    fn begins(&self, other: &Self) -> bool {
        self.modules.iter().zip(&other.modules).all(|((a, key), (b, other))| a == b && key.meet(other))
    }
}
