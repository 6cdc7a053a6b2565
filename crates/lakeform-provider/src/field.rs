//! How Rust types stand for attributes and nested blocks.

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::{Block, Kind, Number, Type, Value};

/// A struct whose fields are the attributes and nested blocks of a schema. Derived with `#[derive(Model)]`.
pub trait Model: Field + Clone + Send + Sync + 'static {
    /// The schema that the struct describes.
    fn block() -> Block;
}

/// A Rust type that holds the value of an attribute or of nested blocks.
///
/// Reading is total: null, unknown and ill-typed values give the type's empty value (`None`, `""`, `[]`). Types check
/// happens before, where the schema is known.
pub trait Field: Sized {
    /// The attribute's type.
    fn ty() -> Type;
    /// Reads it.
    fn from_value(value: &Value) -> Self;
    /// Writes it; `None` becomes null.
    fn into_value(self) -> Value;
}

/// A field that holds nested blocks: `Vec<M>`, `Option<M>` or `BTreeMap<String, M>`.
pub trait BlockField {
    /// The schema of one block.
    fn block() -> Block;
}

impl<M: Model> BlockField for Vec<M> {
    fn block() -> Block {
        M::block()
    }
}

impl<M: Model> BlockField for Option<M> {
    fn block() -> Block {
        M::block()
    }
}

impl<M: Model> BlockField for BTreeMap<String, M> {
    fn block() -> Block {
        M::block()
    }
}

/// Reads one attribute of an object.
pub fn read_field<F: Field>(object: &Value, name: &str) -> F {
    match object.get(name) {
        Some(value) => F::from_value(value),
        None => F::from_value(&Value::null(Type::Dynamic)),
    }
}

/// The set of a list's elements; other values as they are.
pub fn list_to_set(value: Value) -> Value {
    match value.into_kind() {
        Kind::List(t, vs) => Value::set(t, vs.to_vec()),
        Kind::Null(Type::List(t)) => Value::null(Type::Set(t)),
        kind => kind.into(),
    }
}

/// `set(T)` for `list(T)`; other types as they are.
pub fn list_to_set_type(ty: Type) -> Type {
    match ty {
        Type::List(t) => Type::Set(t),
        other => other,
    }
}

impl Field for String {
    fn ty() -> Type {
        Type::String
    }

    fn from_value(value: &Value) -> Self {
        value.as_str().unwrap_or_default().to_owned()
    }

    fn into_value(self) -> Value {
        self.into()
    }
}

impl Field for bool {
    fn ty() -> Type {
        Type::Bool
    }

    fn from_value(value: &Value) -> Self {
        value.as_bool().unwrap_or_default()
    }

    fn into_value(self) -> Value {
        self.into()
    }
}

impl Field for i64 {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Self {
        value.as_i64().unwrap_or_default()
    }

    fn into_value(self) -> Value {
        self.into()
    }
}

/// A number that an API keeps with 64 bits. It is written as the shortest decimal that means it: 0.05, not what the bits
/// come to.
impl Field for f64 {
    fn ty() -> Type {
        Type::Number
    }

    fn from_value(value: &Value) -> Self {
        value.as_number().map(Number::to_f64).unwrap_or_default()
    }

    fn into_value(self) -> Value {
        self.to_string().parse::<Number>().map_or_else(|_| Value::null(Type::Number), Value::from)
    }
}

/// An attribute of any type (`any`).
impl Field for Value {
    fn ty() -> Type {
        Type::Dynamic
    }

    fn from_value(value: &Value) -> Self {
        value.clone()
    }

    fn into_value(self) -> Value {
        self
    }
}

impl<F: Field> Field for Option<F> {
    fn ty() -> Type {
        F::ty()
    }

    fn from_value(value: &Value) -> Self {
        (!value.is_null() && value.is_known()).then(|| F::from_value(value))
    }

    fn into_value(self) -> Value {
        self.map_or_else(|| Value::null(F::ty()), F::into_value)
    }
}

impl<F: Field> Field for Vec<F> {
    fn ty() -> Type {
        Type::list(F::ty())
    }

    fn from_value(value: &Value) -> Self {
        value.as_slice().unwrap_or_default().iter().map(F::from_value).collect()
    }

    fn into_value(self) -> Value {
        Value::list(F::ty(), self.into_iter().map(F::into_value).collect())
    }
}

impl<F: Field + Ord> Field for BTreeSet<F> {
    fn ty() -> Type {
        Type::set(F::ty())
    }

    fn from_value(value: &Value) -> Self {
        value.as_slice().unwrap_or_default().iter().map(F::from_value).collect()
    }

    fn into_value(self) -> Value {
        Value::set(F::ty(), self.into_iter().map(F::into_value).collect())
    }
}

impl<F: Field> Field for BTreeMap<String, F> {
    fn ty() -> Type {
        Type::map(F::ty())
    }

    fn from_value(value: &Value) -> Self {
        let empty = BTreeMap::new();
        value.as_mapping().unwrap_or(&empty).iter().map(|(k, v)| (k.to_string(), F::from_value(v))).collect()
    }

    fn into_value(self) -> Value {
        Value::map(F::ty(), self.into_iter().map(|(k, v)| (k, v.into_value())))
    }
}
