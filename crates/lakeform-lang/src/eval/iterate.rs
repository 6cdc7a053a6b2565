//! `for` and splats.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Kind, Marks, Number, Type, Value, convert, unify};

use super::{Evaluation, Frame, evaluation::Outcome};
use crate::syntax::{For, ITEM, Node, Splat};

/// What a `for` gathers.
enum Gathered {
    Tuple(Vec<Value>),
    Object(BTreeMap<Arc<str>, Value>),
    Groups(BTreeMap<Arc<str>, Vec<Value>>),
}

/// The keys and elements of anything that can be iterated; `None` where the value cannot be.
pub(crate) fn elements(value: &Value) -> Option<Box<dyn Iterator<Item = (Value, &Value)> + '_>> {
    Some(match value.kind() {
        Kind::List(_, vs) | Kind::Tuple(vs) => {
            Box::new(vs.iter().enumerate().map(|(i, v)| (Value::from(Number::from(i)), v)))
        }
        Kind::Set(_, vs) => Box::new(vs.iter().map(|v| (v.clone(), v))),
        Kind::Map(_, vs) | Kind::Object(vs) => Box::new(vs.iter().map(|(k, v)| (Value::from(k.clone()), v))),
        _ => return None,
    })
}

impl Evaluation<'_> {
    pub(super) fn repetition(&self, each: &For) -> Outcome {
        let collection = self.value(&each.collection)?;
        let mut marks = collection.marks();
        match collection.kind() {
            Kind::Null(_) => {
                let detail = "A null value cannot be used as the collection in a 'for' expression.";
                return Err(self.fail(&each.collection, "Iteration over null value", detail));
            }
            Kind::Unknown(t, _) if !t.is_primitive() => {
                if *t != Type::Dynamic {
                    self.try_condition(each)?;
                }
                return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
            }
            _ if collection.length_range().1 == 0 => self.try_condition(each)?,
            _ => {}
        }
        let Some(items) = elements(&collection) else {
            let detail = format!(
                "A value of type {} cannot be used as the collection in a 'for' expression.",
                collection.ty().friendly_name()
            );
            return Err(self.fail(&each.collection, "Iteration over non-iterable value", detail));
        };
        let mut out = match (&each.key, each.group) {
            (None, _) => Gathered::Tuple(Vec::new()),
            (Some(_), false) => Gathered::Object(BTreeMap::new()),
            (Some(_), true) => Gathered::Groups(BTreeMap::new()),
        };
        let mut known = true;
        for (key, value) in items {
            let outer = Frame { name: each.key_name.as_deref().unwrap_or_default(), value: &key, up: self.frame };
            let up = if each.key_name.is_some() { Some(&outer) } else { self.frame };
            let frame = Frame { name: &each.value_name, value, up };
            match self.with(&frame).element(each, &mut marks, &mut out, known)? {
                Some(()) => {}
                None => known = false,
            }
        }
        let value = match out {
            _ if !known => Value::unknown(Type::Dynamic),
            Gathered::Tuple(vs) => Value::tuple(vs),
            Gathered::Object(vs) => Kind::Object(Arc::new(vs)).into(),
            Gathered::Groups(vs) => Value::object(vs.into_iter().map(|(k, vs)| (k, Value::tuple(vs)))),
        };
        Ok(value.with_marks(marks))
    }

    /// A condition that would fail for every element fails without any, too.
    fn try_condition(&self, each: &For) -> Result<(), lakeform_core::Diagnostics> {
        let Some(condition) = &each.condition else { return Ok(()) };
        let any = Value::unknown(Type::Dynamic);
        let outer = Frame { name: each.key_name.as_deref().unwrap_or_default(), value: &any, up: self.frame };
        let up = if each.key_name.is_some() { Some(&outer) } else { self.frame };
        let frame = Frame { name: &each.value_name, value: &any, up };
        self.with(&frame).condition(condition, true, &mut Marks::default()).map(drop)
    }

    /// Adds one element; `None` where its condition or key is not known yet. Once one is not (`known` is false), Terraform does
    /// not mind conditions and keys that will not do.
    fn element(
        &self,
        each: &For,
        marks: &mut Marks,
        out: &mut Gathered,
        known: bool,
    ) -> Result<Option<()>, lakeform_core::Diagnostics> {
        if let Some(condition) = &each.condition {
            match self.condition(condition, known, marks)? {
                None => return Ok(None),
                Some(false) => return Ok(Some(())),
                Some(true) => {}
            }
        }
        let Some(key_node) = &each.key else {
            if let Gathered::Tuple(vs) = out {
                vs.push(self.value(&each.value)?);
            }
            return Ok(Some(()));
        };
        let key = self.value(key_node)?;
        *marks = marks.union(key.marks());
        if key.is_null() && known {
            let detail = "Key expression in 'for' expression must not produce a null value.";
            return Err(self.fail(key_node, "Invalid object key", detail));
        }
        let key = match convert(&key, &Type::String) {
            Ok(key) => key,
            Err(_) if !known => return Ok(None),
            Err(e) => {
                let detail = format!("The key expression produced an invalid result: {}.", e.describe());
                return Err(self.fail(key_node, "Invalid object key", detail));
            }
        };
        let Kind::String(name) = key.kind() else { return Ok(None) };
        let value = self.value(&each.value)?;
        match out {
            Gathered::Groups(vs) => vs.entry(name.clone()).or_default().push(value),
            Gathered::Object(vs) => {
                if vs.insert(name.clone(), value).is_some() {
                    let shown = if key.is_sensitive() { "(sensitive value)".to_owned() } else { format!("{name:?}") };
                    let detail = format!(
                        "Two different items produced the key {shown} in this 'for' expression. If duplicates are expected, use the ellipsis (...) after the value expression to enable grouping by key."
                    );
                    return Err(self.fail(key_node, "Duplicate object key", detail));
                }
            }
            Gathered::Tuple(_) => {}
        }
        Ok(Some(()))
    }

    /// Whether an element is taken; `None` where that is not known yet.
    fn condition(
        &self,
        condition: &Node,
        known: bool,
        marks: &mut Marks,
    ) -> Result<Option<bool>, lakeform_core::Diagnostics> {
        let test = self.value(condition)?;
        *marks = marks.union(test.marks());
        if test.is_null() && known {
            let detail = "The value of the 'if' clause must not be null.";
            return Err(self.fail(condition, "Invalid 'for' condition", detail));
        }
        match convert(&test, &Type::Bool) {
            Ok(test) => Ok(test.as_bool()),
            Err(_) if !known => Ok(None),
            Err(e) => {
                let detail = format!("The 'if' clause value is invalid: {}.", e.describe());
                Err(self.fail(condition, "Invalid 'for' condition", detail))
            }
        }
    }

    pub(super) fn splat(&self, splat: &Splat) -> Outcome {
        let source = self.value(&splat.source)?;
        let marks = source.marks();
        let each = |value: &Value| self.with(&Frame { name: ITEM, value, up: self.frame }).value(&splat.each);
        let of_type = |ty: &Type| each(&Value::unknown(ty.clone())).map(|v| v.ty());
        let out = match source.kind() {
            Kind::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let detail = "Splat expressions (with the * symbol) cannot be applied to null sequences.";
                return Err(self.fail(&splat.source, "Splat of null value", detail));
            }
            Kind::Null(_) => Value::tuple(vec![]),
            Kind::Unknown(Type::List(t) | Type::Set(t), _) => {
                let (min, max) = source.length_range();
                Value::unknown(Type::list(of_type(t)?)).not_null().with_length(min, max)
            }
            Kind::Unknown(Type::Tuple(ts), _) => {
                Value::unknown(Type::tuple(ts.iter().map(of_type).collect::<Result<Vec<_>, _>>()?)).not_null()
            }
            // It may turn out to be null, and then there is no element.
            Kind::Unknown(..) if source.may_be_null() => {
                each(&source)?;
                Value::unknown(Type::Dynamic)
            }
            Kind::Tuple(vs) => Value::tuple(vs.iter().map(each).collect::<Result<_, _>>()?),
            Kind::List(t, vs) | Kind::Set(t, vs) => {
                let vs = vs.iter().map(each).collect::<Result<Vec<_>, _>>()?;
                if vs.is_empty() { Value::list(of_type(t)?, vs) } else { list(vs) }
            }
            _ => return Ok(Value::tuple(vec![each(&source.clone().unmarked())?]).with_marks(marks)),
        };
        Ok(out.with_marks(marks))
    }
}

/// A list of values that are of one type but for what is null or unknown in them.
fn list(vs: Vec<Value>) -> Value {
    let mut types: Vec<Type> = vs.iter().map(Value::ty).collect();
    types.dedup();
    let ty = unify(&types).unwrap_or(Type::Dynamic);
    let vs = vs.into_iter().map(|v| convert(&v, &ty).unwrap_or(v)).collect();
    Value::list(ty, vs)
}
