//! `try` and `can`: they look at whether their arguments fail.

use lakeform_core::{Diagnostics, Type, Value};

use super::{Function, Returns, Run, any};
use crate::{
    eval::Evaluation,
    syntax::{Call, Node},
};

pub(super) const TABLE: &[Function] = &[
    Function { name: "try", params: &[], rest: Some(any("expressions")), returns: Returns::Any, run: Run::Try },
    Function { name: "can", params: &[any("expression")], rest: None, returns: Returns::Bool, run: Run::Can },
];

/// The first argument that does not fail. One that fails already fails for good; one that holds anything unknown may fail
/// yet, so nothing can be said.
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
        match e.value(arg) {
            Ok(value) if !value.is_wholly_known() => return Ok(Value::unknown(Type::Dynamic)),
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

/// Whether the argument gives a value; unknown as long as that holds anything unknown.
pub(super) fn can(e: &Evaluation, call: &Call) -> Result<Value, Diagnostics> {
    let Some(arg) = call.args.first() else { return Ok(false.into()) };
    Ok(match e.value(arg) {
        Ok(value) if !value.is_wholly_known() => Value::unknown(Type::Bool),
        value => value.is_ok().into(),
    })
}
