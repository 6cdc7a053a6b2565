//! Which resources a resource depends on, through everything in between.

use std::{collections::BTreeSet, sync::Arc};

use lakeform_core::{ConfigAddress, Mode};
use petgraph::{Direction, graph::NodeIndex};

use crate::graph::{Graph, Kind};

/// For each node, the managed resources that it depends on, directly or not: what Terraform records as `dependencies`.
/// Nodes that depend on the same resources share one list.
pub(crate) struct Dependencies(Vec<Arc<[ConfigAddress]>>);

impl Dependencies {
    /// Works them out in one pass in dependency order.
    pub(crate) fn of(graph: &Graph) -> Self {
        let none: Arc<[ConfigAddress]> = Arc::default();
        let mut all = vec![none.clone(); graph.dag.node_count()];
        // The graph has no cycle: it was refused otherwise.
        for node in petgraph::algo::toposort(&graph.dag, None).unwrap_or_default() {
            let mut lists: Vec<&Arc<[ConfigAddress]>> = vec![];
            let mut own = BTreeSet::new();
            for from in graph.dag.neighbors_directed(node, Direction::Incoming) {
                if matches!(&graph.dag[from].kind, Kind::Resource((Mode::Managed, ..)))
                    && let Some(address) = graph.address(from)
                {
                    own.insert(address);
                }
                let list = &all[from.index()];
                if !list.is_empty() && !lists.iter().any(|l| Arc::ptr_eq(l, list)) {
                    lists.push(list);
                }
            }
            all[node.index()] = match (lists.as_slice(), own.is_empty()) {
                ([], true) => none.clone(),
                ([one], true) => (*one).clone(),
                _ => {
                    own.extend(lists.iter().flat_map(|l| l.iter().cloned()));
                    own.into_iter().collect()
                }
            };
        }
        Self(all)
    }

    /// The resources that a node depends on.
    pub(crate) fn get(&self, node: NodeIndex) -> &Arc<[ConfigAddress]> {
        &self.0[node.index()]
    }
}
