//! `[[moved]]` and `[[removed]]`: what they do to the state before anything is planned, and what is wrong with them.
//!
//! The rules are Terraform's: <https://developer.hashicorp.com/terraform/language/modules/develop/refactoring>

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use lakeform_core::{
    ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, InstanceKey, ModulePath, Span, address::Target,
};
use lakeform_lang::{Endpoint, Module, Moved, Removed, Stack};
use lakeform_state::State;
use petgraph::graph::DiGraph;

use crate::order;

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
    /// Blocks that contradict each other or the rest of the stack.
    pub(crate) fn apply(stack: &Stack, state: &mut State) -> Result<Self, Diagnostics> {
        let mut out = Self::default();
        let mut problems = Diagnostics::new();
        out.collect(&ModulePath::root(), &stack.root, stack, &mut problems);
        out.refuse_contradictions(&mut problems);
        let order = out.order(&mut problems);
        if problems.has_errors() {
            return Err(problems);
        }
        let mut renamed = HashMap::new();
        for index in order {
            let (base, statement) = &out.statements[index];
            let addresses: Vec<InstanceAddress> = state.iter().map(|(address, _)| address).collect();
            for from in addresses {
                let Some(to) = statement.apply(base, &from).filter(|to| *to != from) else { continue };
                if !state.rename(&from, &to) {
                    out.blocked.push((from, to));
                    continue;
                }
                renamed.insert(from.config(), to.config());
                let origin = out.before.remove(&from).unwrap_or(from);
                out.before.insert(to, origin);
            }
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

    /// Reports instances that a block says have moved away, although the stack still has them.
    pub(crate) fn refuse_wanted(&self, wanted: &HashSet<&InstanceAddress>) -> Diagnostics {
        let mut problems = Diagnostics::new();
        for (base, statement) in &self.statements {
            for address in wanted {
                if let Some(to) = statement.apply(base, address).filter(|to| to != *address) {
                    problems.push(
                        Diagnostic::error("Moved object still exists")
                            .detail(format!(
                                "This statement declares a move from {address}, but that resource instance is still declared."
                            ))
                            .help(format!("change the stack so that this instance is declared as {to}"))
                            .span(statement.span.clone()),
                    );
                }
            }
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
            } else if let (true, Some(there)) = (statement.is_whole(), declared(stack, base, &statement.from)) {
                problems.push(still_there(
                    "Moved object still exists",
                    "a move from",
                    &statement.from,
                    &there,
                    &statement.span,
                ));
            }
            self.statements.push((base.clone(), statement.clone()));
        }
        for removed in &module.removed {
            if let Some(there) = declared(stack, base, &removed.from) {
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
                if a != b && after {
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

/// Where the stack declares what an endpoint names as a whole.
fn declared(stack: &Stack, base: &ModulePath, end: &Endpoint) -> Option<Span> {
    let (steps, resource) = match &end.0 {
        Target::Module(module) => (module.path(), None),
        Target::Resource(r) => (r.resource.module.path(), Some(&r.resource)),
    };
    let mut at: &Arc<Module> = &stack.root;
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
