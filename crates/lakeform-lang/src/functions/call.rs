//! Calling a function: arguments to parameters, nulls, unknowns and marks, as cty does it.

use lakeform_core::{Diagnostics, Kind, Marks, Type, Value, convert};

use super::{
    Fault, Function, Run, control,
    signature::{Param, Unknown},
};
use crate::{
    Environment,
    eval::Evaluation,
    syntax::{Call, Node},
};

/// What a function may see beside its arguments.
pub(crate) struct Context<'a> {
    pub evaluation: Evaluation<'a>,
}

impl<'a> Context<'a> {
    pub fn environment(&self) -> &'a Environment {
        self.evaluation.scope.environment()
    }
}

/// The value of a call.
pub(crate) fn call(e: &Evaluation, node: &Node, call: &Call) -> Result<Value, Diagnostics> {
    let function = call.function;
    // What is spread out comes first: as long as it is not known, nothing else matters.
    let spread = call.args.last().filter(|_| call.expand);
    if let Some(last) = spread {
        let value = e.value(last)?;
        if expand(e, last, &value)?.is_none() {
            return Ok(Value::unknown(Type::Dynamic));
        }
    }
    let run = match function.run {
        Run::Try => return control::try_first(e, node, call),
        Run::Can => return control::can(e, call),
        Run::Values(run) => run,
    };
    let mut args: Vec<(Value, &Node)> = Vec::with_capacity(call.args.len());
    let mut problems = Diagnostics::new();
    for (i, arg) in call.args.iter().enumerate() {
        let last = i + 1 == call.args.len();
        match e.value(arg) {
            Ok(value) if call.expand && last => match expand(e, arg, &value)? {
                Some(items) => args.extend(items.into_iter().map(|v| (v, arg))),
                None => return Ok(Value::unknown(Type::Dynamic).with_marks(value.marks())),
            },
            Ok(value) => args.push((value, arg)),
            Err(more) => problems.extend(more),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if let Some((summary, detail)) = function.arity_problem(args.len(), false) {
        return Err(e.fail(node, summary, detail));
    }
    let mut marks = Marks::NONE;
    let mut secret = false;
    let mut values = Vec::with_capacity(args.len());
    for (i, (value, arg)) in args.iter().enumerate() {
        let Some(param) = function.param(i) else { continue };
        let deep = if param.marks { Marks::NONE } else { value.marks_deep() };
        secret |= value.marks_deep().contains(Marks::SENSITIVE);
        marks = marks.union(deep);
        let invalid = |message: String| {
            let detail = format!(
                "Invalid value for \"{}\" parameter: {}.",
                param.name,
                hide(message, &values_of(&args), secret)
            );
            e.fail(arg, "Invalid function argument", detail)
        };
        match prepare(value, param, !deep.is_empty()) {
            Ok(value) => values.push(value),
            Err(message) => problems.extend(invalid(message)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if is_unknown(function, &values) {
        let unknown = function.unknown_result(&values);
        return unknown.map(|v| v.with_marks(marks)).map_err(|fault| failed(e, node, function, &args, fault, secret));
    }
    match run(&Context { evaluation: *e }, &values) {
        Ok(value) => Ok(if function.null { value } else { value.not_null() }.with_marks(marks)),
        Err(fault) => Err(failed(e, node, function, &args, fault, secret)),
    }
}

fn values_of(args: &[(Value, &Node)]) -> Vec<Value> {
    args.iter().map(|(v, _)| v.clone()).collect()
}

/// The elements of the last argument of `f(xs...)`; `None` where they are not known.
fn expand(e: &Evaluation, node: &Node, value: &Value) -> Result<Option<Vec<Value>>, Diagnostics> {
    const SUMMARY: &str = "Invalid expanding argument value";
    match value.kind() {
        Kind::Null(_) => Err(e.fail(node, SUMMARY, "The expanding argument (indicated by ...) must not be null.")),
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => {
            Ok(Some(vs.iter().map(|v| v.clone().with_marks(value.marks())).collect()))
        }
        Kind::Unknown(Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => Ok(None),
        _ => Err(e.fail(
            node,
            SUMMARY,
            "The expanding argument (indicated by ...) must be of a tuple, list, or set type.",
        )),
    }
}

/// An argument as its parameter wants it.
fn prepare(value: &Value, param: &Param, marked: bool) -> Result<Value, String> {
    let value = convert(value, &param.ty.get()).map_err(|e| e.describe())?;
    if value.is_null() && !param.null {
        return Err("argument must not be null".into());
    }
    Ok(if marked { value.unmarked_deep() } else { value })
}

fn is_unknown(function: &Function, values: &[Value]) -> bool {
    values.iter().enumerate().any(|(i, v)| match function.param(i).map(|p| p.unknown) {
        Some(Unknown::Outer) => !v.is_known(),
        Some(Unknown::Deep) => !v.is_wholly_known(),
        Some(Unknown::Handled) | None => false,
    })
}

fn failed(
    e: &Evaluation,
    node: &Node,
    function: &Function,
    args: &[(Value, &Node)],
    fault: Fault,
    secret: bool,
) -> Diagnostics {
    let message = hide(fault.message, &values_of(args), secret);
    match fault.arg.and_then(|i| Some((function.param(i)?, i))) {
        Some((param, i)) => {
            let at = args.get(i).map_or(node, |(_, arg)| arg);
            e.fail(
                at,
                "Invalid function argument",
                format!("Invalid value for \"{}\" parameter: {message}.", param.name),
            )
        }
        None => {
            e.fail(node, "Error in function call", format!("Call to function \"{}\" failed: {message}.", function.name))
        }
    }
}

/// A message about sensitive arguments does not repeat them.
fn hide(message: String, args: &[Value], secret: bool) -> String {
    if !secret {
        return message;
    }
    let texts = args.iter().filter_map(|value| Some(convert(value, &Type::String).ok()?.as_str()?.to_owned()));
    let mut texts: Vec<String> = texts.filter(|text| !text.is_empty()).collect();
    // What is part of another text must not be replaced before it.
    texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
    texts.iter().fold(message, |message, text| {
        message.replace(&format!("{text:?}"), "(sensitive value)").replace(text, "(sensitive value)")
    })
}
