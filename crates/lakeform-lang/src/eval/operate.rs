//! Operators.

use lakeform_core::{Diagnostics, Marks, Number, Type, Value, convert};

use super::{Evaluation, equal, evaluation::Outcome};
use crate::syntax::{BinaryOp, Node, UnaryOp};

pub(super) fn unary(e: &Evaluation, node: &Node, op: UnaryOp, operand: &Node) -> Outcome {
    let ty = if op == UnaryOp::Not { Type::Bool } else { Type::Number };
    let value = take(e, operand, &ty, "unary")?;
    let marks = value.marks();
    let out = match (value.as_bool(), value.as_number()) {
        (Some(b), _) => Value::from(!b),
        (_, Some(n)) => n.neg().into(),
        _ if value.is_null() => return Err(null(e, node)),
        // Terraform drops the marks here until the value is known, and in logic below.
        _ => return Ok(Value::unknown(ty).not_null()),
    };
    Ok(out.with_marks(marks))
}

fn null(e: &Evaluation, node: &Node) -> Diagnostics {
    e.fail(node, "Operation failed", "Error during operation: argument must not be null.")
}

/// An operand, brought to the type the operator wants.
fn take(e: &Evaluation, node: &Node, ty: &Type, side: &str) -> Outcome {
    let value = e.value(node)?;
    convert(&value, ty).map_err(|error| {
        e.fail(node, "Invalid operand", format!("Unsuitable value for {side} operand: {}.", error.describe()))
    })
}

pub(super) fn binary(e: &Evaluation, node: &Node, op: BinaryOp, left: &Node, right: &Node) -> Outcome {
    let ty = match op {
        BinaryOp::Equal | BinaryOp::NotEqual => Type::Dynamic,
        BinaryOp::And | BinaryOp::Or => Type::Bool,
        _ => Type::Number,
    };
    let (a, b) = match (take(e, left, &ty, "left"), take(e, right, &ty, "right")) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            return Err(problems);
        }
        (Err(problems), _) | (_, Err(problems)) => return Err(problems),
    };
    let marks = a.marks().union(b.marks());
    if matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) {
        let marks = if marks.is_empty() { deep(&a).union(deep(&b)) } else { marks };
        let out = match equal(&a, &b) {
            Some(same) => Value::from(same == (op == BinaryOp::Equal)),
            None => Value::unknown(Type::Bool).not_null(),
        };
        return Ok(out.with_marks(marks));
    }
    if a.is_null() || b.is_null() {
        return Err(null(e, node));
    }
    let out = match (a.as_number(), b.as_number(), a.as_bool(), b.as_bool()) {
        (Some(a), Some(b), _, _) => numbers(op, a, b)
            .ok_or_else(|| e.fail(node, "Operation failed", "Error during operation: division by zero."))?,
        (_, _, Some(a), Some(b)) => Value::from(if op == BinaryOp::And { a && b } else { a || b }),
        _ if matches!(op, BinaryOp::And | BinaryOp::Or) => return Ok(Value::unknown(Type::Bool).not_null()),
        _ => match ranges(op, &a, &b) {
            Some(answer) => answer.into(),
            None => Value::unknown(op.result()).not_null(),
        },
    };
    Ok(out.with_marks(marks))
}

/// What a comparison says of numbers that are not both known, if it is certain: all of one range lies below the other.
fn ranges(op: BinaryOp, a: &Value, b: &Value) -> Option<bool> {
    let below = |a: &Value, b: &Value| Some(a.range().1? < b.range().0?);
    let (less, greater) = match op {
        BinaryOp::Less | BinaryOp::LessEqual => (true, false),
        BinaryOp::Greater | BinaryOp::GreaterEqual => (false, true),
        _ => return None,
    };
    match (below(a, b), below(b, a)) {
        (Some(true), _) => Some(less),
        (_, Some(true)) => Some(greater),
        _ => None,
    }
}

fn deep(value: &Value) -> Marks {
    value.marks_deep()
}

fn numbers(op: BinaryOp, a: &Number, b: &Number) -> Option<Value> {
    Some(match op {
        BinaryOp::Add => a.add(b).into(),
        BinaryOp::Subtract => a.sub(b).into(),
        BinaryOp::Multiply => a.mul(b).into(),
        BinaryOp::Divide => a.div(b)?.into(),
        BinaryOp::Modulo => a.rem(b).unwrap_or_else(|| a.clone()).into(),
        BinaryOp::Less => (a < b).into(),
        BinaryOp::LessEqual => (a <= b).into(),
        BinaryOp::Greater => (a > b).into(),
        BinaryOp::GreaterEqual => (a >= b).into(),
        BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::And | BinaryOp::Or => return None,
    })
}
