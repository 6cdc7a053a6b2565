//! What `--target` and `--exclude` leave in.

use lakeform_core::{ConfigAddress, InstanceAddress, Mode, address::Target};
use lakeform_state::State;
use petgraph::{Direction, graph::NodeIndex};

use crate::{
    PlanMode, PlanOptions,
    graph::{Graph, Kind},
    map::{HashMap, HashSet},
};

/// The part of a graph that a run works on.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Resource nodes that are left out; `None` if nothing is.
    out: Option<HashSet<NodeIndex>>,
    targets: Vec<Target>,
    excludes: Vec<Target>,
    /// Resources that a target names (not those that it only depends on).
    named: HashSet<NodeIndex>,
}

impl Selection {
    /// Works out which resource blocks a run works on: targets with all that they depend on, less excludes with all that
    /// depends on them. Where everything is destroyed it is the other way round: an object cannot go without what depends
    /// on it, and what an excluded object depends on stays with it.
    pub(crate) fn new(graph: &Graph, options: &PlanOptions, state: &State) -> Self {
        let (targets, excludes) = (options.targets.clone(), options.excludes.clone());
        if targets.is_empty() && excludes.is_empty() {
            return Self { out: None, targets, excludes, named: HashSet::default() };
        }
        let resources: Vec<(NodeIndex, ConfigAddress)> =
            graph.by_address.iter().map(|(address, node)| (*node, address.clone())).collect();
        let destroy = options.mode == PlanMode::Destroy;
        let matching = |list: &[Target], whole: bool| -> HashSet<NodeIndex> {
            resources
                .iter()
                .filter(|(_, a)| list.iter().any(|t| names_block(t, a) && (!whole || destroy || names_all(t))))
                .map(|(n, _)| *n)
                .collect()
        };
        let (taken, left) = if destroy {
            (Direction::Outgoing, Direction::Incoming)
        } else {
            (Direction::Incoming, Direction::Outgoing)
        };
        let recorded = if destroy { Recorded::of(graph, state) } else { Recorded::default() };
        let named = matching(&targets, false);
        let mut kept: HashSet<NodeIndex> = if targets.is_empty() {
            graph.dag.node_indices().collect()
        } else {
            closure(graph, &recorded, &named, taken)
        };
        let excluded = matching(&excludes, true);
        let mut dropped = closure(graph, &recorded, &excluded, left);
        // One instance that is excluded does not keep the others of its block.
        if destroy {
            let some = |n: &NodeIndex| {
                resources.iter().any(|(m, a)| m == n && excludes.iter().all(|t| !(names_block(t, a) && names_all(t))))
            };
            dropped.retain(|n| !excluded.contains(n) || !some(n));
        }
        kept.retain(|n| !dropped.contains(n));
        if destroy {
            kept.extend(around(graph, &kept));
        }
        let out = graph.dag.node_indices().filter(|n| !kept.contains(n)).collect();
        Self { out: Some(out), targets, excludes, named }
    }

    /// Whether the run covers only a part.
    pub(crate) fn is_partial(&self) -> bool {
        self.out.is_some()
    }

    /// Whether a target names an instance; always where there are no targets.
    pub(crate) fn is_targeted(&self, address: &InstanceAddress) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|t| names_instance(t, address))
    }

    /// Whether a node is worked on.
    pub(crate) fn has(&self, node: NodeIndex) -> bool {
        self.out.as_ref().is_none_or(|out| !out.contains(&node))
    }

    /// Whether an output of the root module is worked on: all that it refers to directly is.
    pub(crate) fn has_output(&self, graph: &Graph, node: NodeIndex) -> bool {
        self.has(node) || graph.dag.neighbors_directed(node, Direction::Incoming).all(|n| self.has(n))
    }

    /// Whether an instance of a node that is worked on is worked on itself.
    pub(crate) fn has_instance(&self, node: NodeIndex, address: &InstanceAddress) -> bool {
        let excluded = self.excludes.iter().any(|t| names_instance(t, address));
        let wanted = !self.named.contains(&node) || self.targets.iter().any(|t| names_instance(t, address));
        !excluded && wanted
    }
}

/// The dependencies that state recorded, in both directions: those of blocks that are gone are in no graph.
#[derive(Default)]
struct Recorded {
    dependencies: HashMap<NodeIndex, HashSet<NodeIndex>>,
    dependents: HashMap<NodeIndex, HashSet<NodeIndex>>,
}

impl Recorded {
    fn of(graph: &Graph, state: &State) -> Self {
        let mut out = Self::default();
        for (address, instance) in state.iter() {
            let Some(node) = graph.by_address.get(&address.config()) else { continue };
            let objects = instance.current.iter().chain(instance.deposed.values());
            for needed in objects.flat_map(|o| &o.dependencies).filter_map(|d| graph.by_address.get(d)) {
                out.dependencies.entry(*node).or_default().insert(*needed);
                out.dependents.entry(*needed).or_default().insert(*node);
            }
        }
        out
    }
}

fn closure(graph: &Graph, recorded: &Recorded, from: &HashSet<NodeIndex>, direction: Direction) -> HashSet<NodeIndex> {
    let recorded = if direction == Direction::Incoming { &recorded.dependencies } else { &recorded.dependents };
    let mut seen = from.clone();
    let mut left: Vec<NodeIndex> = from.iter().copied().collect();
    while let Some(node) = left.pop() {
        let also = recorded.get(&node).into_iter().flatten().copied();
        for next in graph.dag.neighbors_directed(node, direction).chain(also) {
            if seen.insert(next) {
                left.push(next);
            }
        }
    }
    seen
}

/// What is needed to delete objects besides themselves: reading them, and their providers with what configures those.
fn around(graph: &Graph, kept: &HashSet<NodeIndex>) -> HashSet<NodeIndex> {
    let is_managed =
        |n: &NodeIndex| matches!(graph.dag[*n].kind, Kind::Resource((Mode::Managed, ..)) | Kind::Orphan(_));
    let reads = |n: &NodeIndex| {
        let above = graph.dag.neighbors_directed(*n, Direction::Incoming);
        above.filter(|n| matches!(graph.dag[*n].kind, Kind::Refresh(_))).collect::<Vec<_>>()
    };
    let mut out: HashSet<NodeIndex> = kept.iter().filter(|n| is_managed(n)).flat_map(reads).collect();
    let mut left: Vec<NodeIndex> = kept.iter().filter_map(|n| graph.provider_of.get(n).copied()).collect();
    while let Some(node) = left.pop() {
        if out.insert(node) {
            left.extend(graph.dag.neighbors_directed(node, Direction::Incoming).filter(|n| !is_managed(n)));
        }
    }
    out
}

fn names_block(target: &Target, address: &ConfigAddress) -> bool {
    match target {
        Target::Module(module) => address.module.0.starts_with(&module.path().0),
        Target::Resource(r) => r.config() == *address,
    }
}

/// Whether a target names every instance of what it names.
fn names_all(target: &Target) -> bool {
    match target {
        Target::Module(module) => module.0.iter().all(|(_, key)| key.is_none()),
        Target::Resource(r) => r.key.is_none() && r.resource.module.0.iter().all(|(_, key)| key.is_none()),
    }
}

fn names_instance(target: &Target, address: &InstanceAddress) -> bool {
    let module = match target {
        Target::Module(module) => module,
        Target::Resource(r) => &r.resource.module,
    };
    let inside = module.0.len() <= address.resource.module.0.len()
        && module
            .0
            .iter()
            .zip(address.resource.module.0.iter())
            .all(|((a, key), (b, at))| a == b && (key.is_none() || key == at));
    match target {
        Target::Module(_) => inside,
        Target::Resource(r) => inside && r.config() == address.config() && (r.key.is_none() || r.key == address.key),
    }
}
