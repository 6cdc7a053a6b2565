//! `condition ? a : b`

use lakeform_core::{Kind, Marks, Type, Value, convert, unify};

use super::{Evaluation, elements, evaluation::Outcome};
use crate::syntax::{Node, NodeKind, UnaryOp};

impl Evaluation<'_> {
    /// Both branches are evaluated, because both decide the type of the result; only the taken one may fail.
    pub(super) fn conditional(&self, node: &Node, [condition, yes, no]: &[Node; 3]) -> Outcome {
        let (first, second) = (self.value(yes), self.value(no));
        let (a, b) = (self.branch(yes, &first), self.branch(no, &second));
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
        if !test.is_known() {
            return Ok(either(ty.unwrap_or_else(|| a.ty()), &a, &b).with_marks(marks));
        }
        let test = convert(&test, &Type::Bool).map_err(|_| {
            self.fail(condition, "Incorrect condition type", "The condition expression must be of type bool.")
        })?;
        let truth = test.as_bool().unwrap_or_default();
        let (taken, side, name) = if truth { (first?, yes, "true") } else { (second?, no, "false") };
        let taken = match ty {
            None => taken,
            Some(ty) if mixed(&taken, &ty) => {
                let noun = if matches!(ty, Type::Map(_)) { "map" } else { "list" };
                let detail = format!(
                    "The {name} result value has the wrong type: element types must all match for conversion to {noun}."
                );
                return Err(self.fail(side, "Inconsistent conditional result types", detail));
            }
            Some(ty) => convert(&taken, &ty).map_err(|e| {
                let detail = format!("The {name} result value has the wrong type: {}.", e.describe());
                self.fail(side, "Inconsistent conditional result types", detail)
            })?,
        };
        Ok(taken.with_marks(marks))
    }

    /// The value of a branch; if it has none, what is known of it all the same.
    fn branch(&self, node: &Node, result: &Outcome) -> Value {
        result.as_ref().map_or_else(|_| self.outline(node), Value::clone)
    }

    /// What Terraform holds an expression that fails to be, where it goes on: the type that its operator gives, a tuple or an
    /// object with what does not fail in it.
    fn outline(&self, node: &Node) -> Value {
        let or_outline = |n: &Node| self.value(n).unwrap_or_else(|_| self.outline(n));
        match &node.kind {
            NodeKind::Unary(UnaryOp::Negate, _) => Value::unknown(Type::Number),
            NodeKind::Unary(UnaryOp::Not, _) => Value::unknown(Type::Bool),
            NodeKind::Binary(op, ..) => Value::unknown(op.result()),
            NodeKind::Template(parts) => {
                let values = parts.iter().filter_map(|part| self.value(part).ok()).filter(|v| !v.is_null());
                let marks = values.map(|v| v.marks());
                Value::unknown(Type::String).with_marks(marks.fold(Marks::NONE, Marks::union))
            }
            NodeKind::Join(_) => Value::unknown(Type::String),
            NodeKind::Tuple(items) => Value::tuple(items.iter().map(or_outline).collect()),
            NodeKind::Object(items) => {
                let entry = |(key, value): &(Node, Node)| match convert(&self.value(key).ok()?, &Type::String)
                    .ok()?
                    .into_kind()
                {
                    Kind::String(key) => Some((key, or_outline(value))),
                    _ => None,
                };
                let entries: Option<Vec<_>> = items.iter().map(entry).collect();
                entries.map_or_else(|| Value::unknown(Type::Dynamic), Value::object)
            }
            NodeKind::Conditional(parts) => {
                let [condition, yes, no] = &**parts;
                let (a, b) = (or_outline(yes), or_outline(no));
                match (common(&a, &b), self.value(condition).map(|test| test.as_bool())) {
                    (None, _) => Value::unknown(Type::Dynamic),
                    (_, Ok(Some(truth))) => {
                        if truth {
                            a
                        } else {
                            b
                        }
                    }
                    (Some(ty), _) => Value::unknown(ty.unwrap_or_else(|| a.ty())),
                }
            }
            NodeKind::For(each) if each.key.is_none() && each.condition.is_none() => match self.value(&each.collection)
            {
                Ok(over) if elements(&over).is_some() => {
                    Value::tuple(vec![Value::unknown(Type::Dynamic); over.length_range().0])
                }
                _ => Value::unknown(Type::Dynamic),
            },
            NodeKind::Splat(splat) => match self.value(&splat.source) {
                Ok(source) => match source.ty() {
                    Type::List(_) | Type::Set(_) => Value::unknown(Type::list(Type::Dynamic)),
                    Type::Tuple(ts) => Value::unknown(Type::tuple(ts.iter().map(|_| Type::Dynamic))),
                    _ if !source.may_be_null() => Value::unknown(Type::tuple([Type::Dynamic])),
                    _ => Value::unknown(Type::Dynamic),
                },
                Err(_) => Value::unknown(Type::Dynamic),
            },
            _ => Value::unknown(Type::Dynamic),
        }
    }
}

/// Whether a tuple or object has elements of several types that are not primitive, where a collection of anything is wanted:
/// conversion functions bring those together, a conditional does not.
fn mixed(value: &Value, ty: &Type) -> bool {
    let any = matches!(ty, Type::List(t) | Type::Set(t) | Type::Map(t) if **t == Type::Dynamic);
    let mut types: Vec<Type> = value.children().map(Value::ty).filter(|t| *t != Type::Dynamic).collect();
    types.dedup();
    any && types.len() > 1 && !types.iter().all(Type::is_primitive)
}

/// One of two values, it is not known which: what is true of both is known (the rules of HCL's `ConditionalExpr`).
fn either(ty: Type, a: &Value, b: &Value) -> Value {
    if a.is_null() && b.is_null() {
        return Value::null(ty);
    }
    let out = Value::unknown(ty);
    if a.is_null() || b.is_null() {
        return out;
    }
    let same_type = a.ty() == b.ty();
    match (a.range(), b.range(), a.length_range(), b.length_range()) {
        ((_, Some(high)), (Some(low), most), _, _) if high <= low => {
            out.with_range(a.range().0.cloned(), most.cloned()).not_null()
        }
        ((Some(low), most), (_, Some(high)), _, _) if low > high => {
            out.with_range(b.range().0.cloned(), most.cloned()).not_null()
        }
        (_, _, (m, n), (o, p)) if same_type && m == n && o == p && a.is_known() && b.is_known() => {
            out.with_length(m.min(o), m.max(o)).not_null()
        }
        _ if a.may_be_null() || b.may_be_null() => out,
        _ => out.not_null(),
    }
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
