//! Evaluating one expression against a stack and its state, without calling any provider.

use lakeform_core::{Diagnostics, Mode, ModuleInstance, Type, Value};
use lakeform_lang::Expr;
use petgraph::graph::NodeIndex;

use crate::{
    PlanInput,
    evaluate::Evaluator,
    graph::{Graph, Kind},
};

/// Evaluates an expression in the root module. Resources have the values that state holds, and are unknown where it
/// holds none (as in `terraform console`).
///
/// # Errors
/// What is wrong with the expression, or with what it refers to.
pub fn evaluate(input: PlanInput<'_>, expr: &Expr) -> Result<Value, Diagnostics> {
    let graph = Graph::build(input.stack, &input.state)?;
    let evaluator = Evaluator::new(&graph, input.providers, &input.variables, &input.environment, input.state);
    let mut problems = Diagnostics::new();
    for node in petgraph::algo::toposort(&graph.dag, None).unwrap_or_default() {
        match &graph.dag[node].kind {
            Kind::Resource((Mode::Ephemeral, ..)) => evaluator.leave_closed(node),
            Kind::Resource(_) => unknown_where_absent(&evaluator, node),
            Kind::Provider(_) | Kind::Refresh(_) | Kind::Orphan(_) => {}
            _ => {
                if let Err(e) = evaluator.evaluate(node) {
                    problems.extend(e);
                }
            }
        }
    }
    evaluator.scoped(0, &ModuleInstance::root(), None, None, |scope| expr.evaluate(scope)).map_err(|e| {
        // What is wrong with the stack explains why a value is missing.
        problems.extend(e);
        problems
    })
}

fn unknown_where_absent(evaluator: &Evaluator<'_>, node: NodeIndex) {
    let module = evaluator.graph.dag[node].module;
    for at in evaluator.store.instances(module).iter() {
        let value = evaluator.stored(node, at).unwrap_or_else(|| Value::unknown(Type::Dynamic));
        evaluator.store.set(node, at, value);
    }
}
