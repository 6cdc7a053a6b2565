//! Walking a directed acyclic graph in dependency order, everything independent at once.

use std::future::Future;

use futures::stream::{FuturesUnordered, StreamExt};
use petgraph::{
    Direction,
    graph::{DiGraph, NodeIndex},
    visit::EdgeRef,
};

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its dependents may run.
    Done,
    /// Its dependents are skipped.
    Failed,
}

/// Visits every node once all nodes that it has an edge from are done. A node after one that failed or was skipped is
/// skipped itself; the others go on. `stop` is asked before each visit: once it says so, everything left is skipped.
pub(crate) async fn walk<'a, N, E, F: Future<Output = End> + Send + 'a>(
    graph: &DiGraph<N, E>,
    mut visit: impl FnMut(NodeIndex) -> F,
    mut skip: impl FnMut(NodeIndex),
    stop: impl Fn() -> bool,
) {
    let mut waiting: Vec<usize> =
        graph.node_indices().map(|n| graph.edges_directed(n, Direction::Incoming).count()).collect();
    let mut blocked = vec![false; waiting.len()];
    let mut ready: Vec<NodeIndex> = graph.node_indices().filter(|n| waiting[n.index()] == 0).collect();
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(node) = ready.pop() {
            if blocked[node.index()] || stop() {
                skip(node);
                settle(graph, node, End::Failed, &mut waiting, &mut blocked, &mut ready);
            } else {
                let visit = visit(node);
                running.push(async move { (node, visit.await) });
            }
        }
        match running.next().await {
            Some((node, end)) => settle(graph, node, end, &mut waiting, &mut blocked, &mut ready),
            None => return,
        }
    }
}

fn settle<N, E>(
    graph: &DiGraph<N, E>,
    node: NodeIndex,
    end: End,
    waiting: &mut [usize],
    blocked: &mut [bool],
    ready: &mut Vec<NodeIndex>,
) {
    for edge in graph.edges_directed(node, Direction::Outgoing) {
        let next = edge.target();
        blocked[next.index()] |= end == End::Failed;
        waiting[next.index()] -= 1;
        if waiting[next.index()] == 0 {
            ready.push(next);
        }
    }
}

/// One cycle of the graph, as the nodes on it in order; `None` if there is none.
pub(crate) fn cycle<N, E>(graph: &DiGraph<N, E>) -> Option<Vec<NodeIndex>> {
    let knot = petgraph::algo::tarjan_scc(graph)
        .into_iter()
        .filter(|scc| scc.len() > 1 || graph.contains_edge(scc[0], scc[0]))
        .min_by_key(Vec::len)?;
    // Within a strongly connected component, following any edge that stays inside must come back to a node seen.
    let mut path = vec![*knot.iter().min()?];
    loop {
        let at = *path.last()?;
        let next = graph.neighbors_directed(at, Direction::Outgoing).filter(|n| knot.contains(n)).min_by_key(|n| {
            // Prefer closing the circle, then what has not been seen.
            path.iter().position(|p| p == n).map_or(usize::MAX, |i| i)
        })?;
        if let Some(start) = path.iter().position(|n| *n == next) {
            return Some(path.split_off(start));
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn diamond() -> DiGraph<&'static str, ()> {
        let mut g = DiGraph::new();
        let (a, b, c, d) = (g.add_node("a"), g.add_node("b"), g.add_node("c"), g.add_node("d"));
        g.extend_with_edges([(a, b), (a, c), (b, d), (c, d)]);
        g
    }

    async fn run(g: &DiGraph<&'static str, ()>, fails: &str) -> (Vec<&'static str>, Vec<&'static str>) {
        let (seen, skipped) = (Mutex::new(vec![]), Mutex::new(vec![]));
        let visit = |n: NodeIndex| {
            seen.lock().unwrap().push(g[n]);
            let end = if g[n] == fails { End::Failed } else { End::Done };
            async move { end }
        };
        walk(g, visit, |n| skipped.lock().unwrap().push(g[n]), || false).await;
        (seen.into_inner().unwrap(), skipped.into_inner().unwrap())
    }

    #[tokio::test]
    async fn dependencies_come_first() {
        let (seen, skipped) = run(&diamond(), "").await;
        assert_eq!((seen[0], seen[3], skipped.len()), ("a", "d", 0));
    }

    #[tokio::test]
    async fn a_failure_skips_only_its_dependents() {
        let (mut seen, skipped) = run(&diamond(), "b").await;
        seen.sort_unstable();
        assert_eq!((seen, skipped), (vec!["a", "b", "c"], vec!["d"]));
    }

    #[test]
    fn a_cycle_is_told_with_its_path() {
        let mut g = diamond();
        assert_eq!(cycle(&g), None);
        let (b, d) = (NodeIndex::new(1), NodeIndex::new(3));
        g.add_edge(d, b, ());
        assert_eq!(cycle(&g), Some(vec![b, d]));
    }
}
