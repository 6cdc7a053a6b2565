//! The order of an apply as a graph: evaluate, create and change with dependencies first, delete with dependents first.

use lakeform_core::{ConfigAddress, Diagnostic, Mode};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::{
    Action, Change, Plan, PlanMode,
    graph::{Graph, Kind},
    map::{HashMap, HashSet},
    order,
};

/// One step of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Work out a node that is no resource.
    Evaluate(NodeIndex),
    /// Tell the instances of a resource block.
    Open(NodeIndex),
    /// Create, change or read: the change of this index.
    Apply(usize),
    /// Put the values of a resource block's instances together.
    Close(NodeIndex),
    /// Delete, or delete the old object of a replacement: the change of this index.
    Delete(usize),
}

/// What of the order is a habit of Terraform's and no need. It gives way where the steps would wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habits {
    /// What goes is deleted before what used it is changed.
    All,
    /// Where what goes was created first, what used it is changed before that.
    Dependents,
    /// Only what must be: new things after what they refer to, old things before what they used.
    None,
}

/// The graph of steps.
pub(super) struct Steps {
    pub(super) dag: DiGraph<Step, ()>,
}

struct Builder<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    dag: DiGraph<Step, ()>,
    /// Where each node of the configuration begins and ends.
    spans: HashMap<NodeIndex, (NodeIndex, NodeIndex)>,
    applies: HashMap<usize, NodeIndex>,
    deletes: HashMap<usize, NodeIndex>,
}

impl Steps {
    /// Works out the order.
    ///
    /// # Errors
    /// When the operations of the plan wait for each other in a circle.
    pub(super) fn build(graph: &Graph, plan: &Plan) -> Result<Self, Diagnostic> {
        let mut build = Builder::all(graph, plan, Habits::All);
        for habits in [Habits::Dependents, Habits::None] {
            if order::cycle(&build.dag).is_some() {
                build = Builder::all(graph, plan, habits);
            }
        }
        match order::cycle(&build.dag) {
            None => Ok(Self { dag: build.dag }),
            Some(cycle) => {
                let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|n| build.name(*n)).collect();
                Err(Diagnostic::error(format!("The operations wait for each other: {}", names.join(" → ")))
                    .help("apply in two steps with --target, or set create_before_destroy on one of them"))
            }
        }
    }
}

impl<'a> Builder<'a> {
    /// Every step with its order.
    fn all(graph: &'a Graph, plan: &'a Plan, habits: Habits) -> Self {
        let mut build = Self {
            graph,
            plan,
            dag: DiGraph::new(),
            spans: HashMap::default(),
            applies: HashMap::default(),
            deletes: HashMap::default(),
        };
        build.configuration();
        build.operations();
        build.order_deletes(habits);
        build
    }

    fn name(&self, at: NodeIndex) -> String {
        match &self.dag[at] {
            Step::Evaluate(n) | Step::Open(n) | Step::Close(n) => self.graph.name(*n),
            Step::Apply(i) => format!("{} (create or change)", self.plan.changes[*i].address),
            Step::Delete(i) => format!("{} (delete)", self.plan.changes[*i].address),
        }
    }

    /// The nodes of the configuration in their order. When everything is destroyed, only what providers need.
    fn configuration(&mut self) {
        let destroy = self.plan.options.mode == PlanMode::Destroy;
        let needed = destroy.then(|| self.needed_by_providers());
        for node in self.graph.dag.node_indices() {
            if needed.as_ref().is_some_and(|needed| !needed.contains(&node)) {
                continue;
            }
            match &self.graph.dag[node].kind {
                Kind::Refresh(_) | Kind::Orphan(_) | Kind::Check(_) => {}
                // Read after the walk.
                Kind::Resource(_) if self.graph.in_check(node) => {}
                Kind::Resource((mode, ..)) if destroy && *mode == Mode::Managed => {}
                Kind::Resource((Mode::Managed | Mode::Data, ..)) => {
                    let open = self.dag.add_node(Step::Open(node));
                    let close = self.dag.add_node(Step::Close(node));
                    self.dag.add_edge(open, close, ());
                    self.spans.insert(node, (open, close));
                }
                _ => {
                    let step = self.dag.add_node(Step::Evaluate(node));
                    self.spans.insert(node, (step, step));
                }
            }
        }
        for edge in self.graph.dag.edge_indices() {
            if let Some((from, to)) = self.graph.dag.edge_endpoints(edge)
                && let (Some((_, end)), Some((begin, _))) = (self.spans.get(&from), self.spans.get(&to))
            {
                self.dag.add_edge(*end, *begin, ());
            }
        }
    }

    fn needed_by_providers(&self) -> HashSet<NodeIndex> {
        let is_provider = |n: &NodeIndex| matches!(self.graph.dag[*n].kind, Kind::Provider(_));
        let mut left: Vec<NodeIndex> = self.graph.dag.node_indices().filter(is_provider).collect();
        let mut needed = HashSet::default();
        while let Some(node) = left.pop() {
            if needed.insert(node) {
                left.extend(self.graph.dag.neighbors_directed(node, petgraph::Direction::Incoming));
            }
        }
        needed
    }

    fn operations(&mut self) {
        for (i, change) in self.plan.changes.iter().enumerate() {
            let Some(node) = self.graph.by_address.get(&change.address.config()).copied() else { continue };
            let applies =
                matches!(change.action, Action::Create | Action::Update | Action::Read) || change.action.is_replace();
            if applies && let Some((open, close)) = self.spans.get(&node).copied() {
                let step = self.dag.add_node(Step::Apply(i));
                self.dag.add_edge(open, step, ());
                self.dag.add_edge(step, close, ());
                self.applies.insert(i, step);
            }
            if change.action.deletes() {
                let step = self.dag.add_node(Step::Delete(i));
                let provider = self.graph.provider_of.get(&node).and_then(|p| self.spans.get(p));
                if let Some((_, configured)) = provider {
                    self.dag.add_edge(*configured, step, ());
                }
                self.deletes.insert(i, step);
                if let Some(apply) = self.applies.get(&i) {
                    let (first, second) =
                        if change.action == Action::CreateThenDelete { (*apply, step) } else { (step, *apply) };
                    self.dag.add_edge(first, second, ());
                }
            }
        }
    }

    /// What an object depends on, and whether the old object does: as state recorded it, and as the stack says now.
    fn dependencies(&self, change: &Change) -> HashMap<ConfigAddress, bool> {
        let held = self.plan.prior_state.get(&change.address);
        let object = held.and_then(|i| match &change.deposed {
            None => i.current.as_ref(),
            Some(key) => i.deposed.get(key),
        });
        let recorded = object.map(|o| o.dependencies.as_slice()).unwrap_or_default();
        let now = change.dependencies.iter().map(|d| (d.clone(), false));
        now.chain(recorded.iter().map(|d| (d.clone(), true))).collect()
    }

    /// Deletes come in the reverse order of dependencies, and in a fixed order with creations and changes.
    fn order_deletes(&mut self, habits: Habits) {
        let mut by_block: HashMap<ConfigAddress, Vec<usize>> = HashMap::default();
        for (i, change) in self.plan.changes.iter().enumerate() {
            if self.applies.contains_key(&i) || self.deletes.contains_key(&i) {
                by_block.entry(change.address.config()).or_default().push(i);
            }
        }
        let mut edges = vec![];
        for (i, dependent) in self.plan.changes.iter().enumerate() {
            let (apply, delete) = (self.applies.get(&i), self.deletes.get(&i));
            if apply.is_none() && delete.is_none() {
                continue;
            }
            for (needed, used) in self.dependencies(dependent) {
                for j in by_block.get(&needed).into_iter().flatten().filter(|j| **j != i) {
                    let other = &self.plan.changes[*j];
                    let create_first = habits != Habits::None
                        && (other.create_before_destroy
                            || other.action == Action::CreateThenDelete
                            || other.deposed.is_some());
                    match (apply, delete, self.applies.get(j), self.deletes.get(j)) {
                        // Both go: the dependent first. Its old object goes before the other's old object.
                        (_, Some(delete), _, Some(other_delete)) => {
                            if used {
                                edges.push((*delete, *other_delete));
                            }
                            if let Some(apply) = apply
                                && create_first
                                && self.plan.options.mode == PlanMode::Normal
                            {
                                edges.push((*apply, *other_delete));
                            }
                        }
                        // The dependent stays and the other goes: before it is changed, unless the other is one that
                        // creates first; then once nothing uses the old object any more.
                        (Some(apply), None, _, Some(other_delete)) if create_first => {
                            edges.push((*apply, *other_delete));
                        }
                        (Some(apply), None, None, Some(other_delete)) if habits == Habits::All && used => {
                            edges.push((*other_delete, *apply));
                        }
                        // The dependent goes and the other is changed in place: what used it goes first.
                        (_, Some(delete), Some(other_apply), None)
                            if used
                                && habits != Habits::None
                                && other.action == Action::Update
                                && dependent.action != Action::CreateThenDelete =>
                        {
                            edges.push((*delete, *other_apply));
                        }
                        _ => {}
                    }
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        for (from, to) in edges {
            self.dag.add_edge(from, to, ());
        }
    }
}
