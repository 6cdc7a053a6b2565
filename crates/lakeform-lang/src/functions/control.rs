//! `try` and `can`: they look at whether their arguments fail.

use lakeform_core::{Diagnostics, Kind, Type, Value};

use super::{Function, Returns, Run, any};
use crate::{
    eval::Evaluation,
    syntax::{Call, Node, NodeKind},
};

pub(super) const TABLE: &[Function] = &[
    Function { name: "try", params: &[], rest: Some(any("expressions")), returns: Returns::Any, run: Run::Try },
    Function { name: "can", params: &[any("expression")], rest: None, returns: Returns::Bool, run: Run::Can },
];

/// The first argument that does not fail. As long as one that comes first depends on something unknown, nothing can be
/// said.
pub(super) fn try_first(e: &Evaluation, node: &Node, call: &Call) -> Result<Value, Diagnostics> {
    if call.args.is_empty() {
        return Err(e.fail(
            node,
            "Error in function call",
            "Call to function \"try\" failed: at least one argument is required.",
        ));
    }
    let mut problems = Diagnostics::new();
    for arg in &call.args {
        if depends_on_unknown(e, arg) {
            return Ok(Value::unknown(Type::Dynamic));
        }
        match e.value(arg) {
            Ok(value) => return Ok(value),
            Err(more) => problems.extend(more),
        }
    }
    let mut detail = "no expression succeeded:".to_owned();
    for problem in problems.iter() {
        detail += &format!("\n- {}", problem.summary);
        if let Some(more) = &problem.detail {
            detail += &format!(": {more}");
        }
    }
    detail += "\n\nAt least one expression must produce a successful result";
    Err(e.fail(node, "Error in function call", format!("Call to function \"try\" failed: {detail}.")))
}

/// Whether the argument gives a value.
pub(super) fn can(e: &Evaluation, call: &Call) -> Result<Value, Diagnostics> {
    let Some(arg) = call.args.first() else { return Ok(false.into()) };
    if depends_on_unknown(e, arg) {
        return Ok(Value::unknown(Type::Bool));
    }
    Ok(e.value(arg).is_ok().into())
}

/// Whether a value that the expression reads holds anything unknown. What a `for` in it binds is not looked at: it comes
/// from what is.
fn depends_on_unknown(e: &Evaluation, node: &Node) -> bool {
    fn walk(e: &Evaluation, node: &Node, shadowed: &mut Vec<String>) -> bool {
        match &node.kind {
            NodeKind::Literal(_)
            | NodeKind::Table(_)
            | NodeKind::Array(_)
            | NodeKind::Nested(_)
            | NodeKind::SetOf(_) => false,
            NodeKind::Name(name) if shadowed.iter().any(|s| **s == **name) => false,
            NodeKind::Ref(_) | NodeKind::Name(_) => unknown(e, node),
            NodeKind::Get(source, _) => {
                if is_static(source, shadowed) {
                    unknown(e, node)
                } else {
                    walk(e, source, shadowed)
                }
            }
            NodeKind::Index(source, key) => {
                if is_static(source, shadowed) && matches!(key.kind, NodeKind::Literal(_)) {
                    unknown(e, node)
                } else {
                    walk(e, source, shadowed) || walk(e, key, shadowed)
                }
            }
            NodeKind::Template(items) | NodeKind::Tuple(items) => items.iter().any(|n| walk(e, n, shadowed)),
            NodeKind::Object(items) => items.iter().any(|(k, v)| walk(e, k, shadowed) || walk(e, v, shadowed)),
            NodeKind::Join(inner) | NodeKind::Unary(_, inner) => walk(e, inner, shadowed),
            NodeKind::Binary(_, a, b) => walk(e, a, shadowed) || walk(e, b, shadowed),
            NodeKind::Conditional(parts) => parts.iter().any(|n| walk(e, n, shadowed)),
            NodeKind::Call(call) => call.args.iter().any(|n| walk(e, n, shadowed)),
            NodeKind::Splat(splat) => {
                walk(e, &splat.source, shadowed) || {
                    let mark = shadowed.len();
                    shadowed.push(crate::syntax::ITEM.into());
                    let found = walk(e, &splat.each, shadowed);
                    shadowed.truncate(mark);
                    found
                }
            }
            NodeKind::For(each) => {
                walk(e, &each.collection, shadowed) || {
                    let mark = shadowed.len();
                    shadowed.extend(each.key_name.as_deref().map(str::to_owned));
                    shadowed.push(each.value_name.to_string());
                    let parts = [each.key.as_ref(), Some(&each.value), each.condition.as_ref()];
                    let found = parts.into_iter().flatten().any(|n| walk(e, n, shadowed));
                    shadowed.truncate(mark);
                    found
                }
            }
        }
    }
    walk(e, node, &mut Vec::new())
}

/// Whether a node is a plain reference with constant steps.
fn is_static(node: &Node, shadowed: &[String]) -> bool {
    match &node.kind {
        NodeKind::Ref(_) => true,
        NodeKind::Name(name) => !shadowed.iter().any(|s| **s == **name),
        NodeKind::Get(source, _) => is_static(source, shadowed),
        NodeKind::Index(source, key) => matches!(key.kind, NodeKind::Literal(_)) && is_static(source, shadowed),
        _ => false,
    }
}

fn unknown(e: &Evaluation, node: &Node) -> bool {
    e.value(node).is_ok_and(|v| !matches!(v.kind(), Kind::Null(_)) && !v.is_wholly_known())
}
