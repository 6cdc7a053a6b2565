//! `try` and `can`: they look at whether their arguments fail.

use lakeform_core::{Diagnostics, Type, Value};

use super::{Function, Returns, Run, any};
use crate::{
    eval::Evaluation,
    syntax::{Call, Node},
};

pub(super) const TABLE: &[Function] = &[
    Function {
        name: "try",
        params: &[],
        rest: Some(any("expressions")),
        returns: Returns::Any,
        null: true,
        run: Run::Try,
    },
    Function {
        name: "can",
        params: &[any("expression")],
        rest: None,
        returns: Returns::Bool,
        null: true,
        run: Run::Can,
    },
];

/// The first argument that does not fail. What is not all known yet may fail later, or change its type, so that nothing can be
/// said of it.
pub(super) fn try_first(e: &Evaluation, node: &Node, call: &Call) -> Result<Value, Diagnostics> {
    let nothing =
        call.expand && call.args.len() == 1 && e.value(&call.args[0])?.as_slice().is_some_and(<[_]>::is_empty);
    if call.args.is_empty() || nothing {
        return Err(e.fail(
            node,
            "Error in function call",
            "Call to function \"try\" failed: at least one argument is required.",
        ));
    }
    let mut problems = Diagnostics::new();
    if let Some(last) = call.args.last().filter(|_| call.expand) {
        e.value(last)?;
    }
    for (i, arg) in call.args.iter().enumerate() {
        match e.value(arg) {
            Ok(value) if call.expand && i + 1 == call.args.len() => match value.as_slice() {
                Some([first, ..]) if first.is_wholly_known() => return Ok(first.clone().with_marks(value.marks())),
                Some([]) => {}
                _ => return Ok(Value::unknown(Type::Dynamic)),
            },
            Ok(value) if value.is_wholly_known() => return Ok(value),
            Ok(_) => return Ok(Value::unknown(Type::Dynamic)),
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

/// Whether the argument gives a value; not known as long as that is not all known.
pub(super) fn can(e: &Evaluation, call: &Call) -> Result<Value, Diagnostics> {
    let Some(arg) = call.args.first() else { return Ok(false.into()) };
    if call.expand && call.args.len() > 1 && e.value(&call.args[1])?.as_slice().is_none_or(|more| !more.is_empty()) {
        return Err(e.fail(arg, "Too many function arguments", "Function \"can\" expects only 1 argument(s)."));
    }
    Ok(match e.value(arg) {
        Ok(value) if value.is_wholly_known() => true.into(),
        Ok(_) => Value::unknown(Type::Bool),
        Err(_) => false.into(),
    })
}
