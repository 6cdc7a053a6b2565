//! `condition ? a : b`

use lakeform_core::{Kind, Type, Value, convert, unify};

use super::{Evaluation, evaluation::Outcome};
use crate::syntax::Node;

impl Evaluation<'_> {
    /// Both branches are evaluated, because both decide the type of the result; only the taken one may fail.
    pub(super) fn conditional(&self, node: &Node, [condition, yes, no]: &[Node; 3]) -> Outcome {
        let (first, second) = (self.value(yes), self.value(no));
        let (a, b) = (branch(&first), branch(&second));
        let ty = common(&a, &b).ok_or_else(|| {
            let detail = format!(
                "The true and false result expressions must have consistent types. {}.",
                mismatch(&a.ty(), &b.ty())
            );
            self.fail(node, "Inconsistent conditional result types", detail)
        })?;
        let test = self.value(condition)?;
        // The branch that is not taken lends its marks too: whoever sees the result learns which one it was.
        let marks = test.marks().union(a.marks()).union(b.marks());
        if test.is_null() {
            let detail = "The condition value is null. Conditions must either be true or false.";
            return Err(self.fail(condition, "Null condition", detail));
        }
        let test = convert(&test, &Type::Bool).map_err(|_| {
            self.fail(condition, "Incorrect condition type", "The condition expression must be of type bool.")
        })?;
        let Some(truth) = test.as_bool() else {
            return Ok(Value::unknown(ty.unwrap_or_else(|| a.ty())).with_marks(marks));
        };
        let (taken, side, name) = if truth { (first?, yes, "true") } else { (second?, no, "false") };
        let taken = match ty {
            None => taken,
            Some(ty) => convert(&taken, &ty).map_err(|e| {
                let detail = format!("The {name} result value has the wrong type: {}.", e.describe());
                self.fail(side, "Inconsistent conditional result types", detail)
            })?,
        };
        Ok(taken.with_marks(marks))
    }
}

fn branch(result: &Outcome) -> Value {
    result.as_ref().map_or_else(|_| Value::unknown(Type::Dynamic), Value::clone)
}

/// The type of the result: outer `None` where there is none, inner `None` where both are of it already.
#[expect(clippy::option_option, reason = "two answers of different meaning, used once")]
fn common(a: &Value, b: &Value) -> Option<Option<Type>> {
    let same = match (a.kind(), b.kind()) {
        (Kind::Bool(_), Kind::Bool(_)) | (Kind::Number(_), Kind::Number(_)) | (Kind::String(_), Kind::String(_)) => {
            true
        }
        (Kind::List(t, _), Kind::List(u, _))
        | (Kind::Set(t, _), Kind::Set(u, _))
        | (Kind::Map(t, _), Kind::Map(u, _)) => t == u,
        _ => false,
    };
    if same {
        return Some(None);
    }
    let plain_null = |v: &Value| matches!(v.kind(), Kind::Null(Type::Dynamic));
    let (t, u) = (a.ty(), b.ty());
    Some(Some(match () {
        () if plain_null(a) => u,
        () if plain_null(b) => t,
        () if t == Type::Dynamic || u == Type::Dynamic => Type::Dynamic,
        () if t == u => t,
        () => unify(&[t, u])?,
    }))
}

/// In what two types differ, in Terraform's words.
fn mismatch(yes: &Type, no: &Type) -> String {
    match (yes, no) {
        (Type::Object(a), Type::Object(b)) => {
            for (name, t) in a.iter() {
                match b.get(name) {
                    None => {
                        return format!(
                            "The 'true' value includes object attribute {name:?}, which is absent in the 'false' value"
                        );
                    }
                    Some(u) if t != u => {
                        return format!("Type mismatch for object attribute {name:?}: {}", mismatch(t, u));
                    }
                    Some(_) => {}
                }
            }
            if let Some(name) = b.keys().find(|k| !a.contains_key(*k)) {
                return format!(
                    "The 'false' value includes object attribute {name:?}, which is absent in the 'true' value"
                );
            }
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() != b.len() => {
            return format!("The 'true' tuple has length {}, but the 'false' tuple has length {}", a.len(), b.len());
        }
        (Type::Tuple(a), Type::Tuple(b)) => {
            if let Some((i, (t, u))) = a.iter().zip(b.iter()).enumerate().find(|(_, (t, u))| t != u) {
                return format!("Type mismatch for tuple element {i}: {}", mismatch(t, u));
            }
        }
        _ => {}
    }
    let (a, b) = (yes.friendly_name(), no.friendly_name());
    if a == b {
        return "At least one deeply-nested attribute or element is not compatible across both the 'true' and the 'false' value".into();
    }
    format!("The 'true' value is {a}, but the 'false' value is {b}")
}
