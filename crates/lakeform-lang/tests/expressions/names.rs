//! The named values that expressions use: variables with and without a value, and a resource that is not there yet.

use std::collections::BTreeMap;

use lakeform_core::{Diagnostic, Span, Type, Value};
use lakeform_lang::{Environment, Scope, Subject, load_str};

/// The configuration that both tools read: the one beside the recorded expressions. A variable without a value is unknown.
pub(super) const CONFIGURATION: &str = include_str!("../fixtures/console/main.tf.json");

fn as_toml(json: &serde_json::Value) -> toml::Value {
    match json {
        serde_json::Value::Object(entries) => {
            entries.iter().map(|(k, v)| (k.clone(), as_toml(v))).collect::<toml::Table>().into()
        }
        serde_json::Value::Array(items) => items.iter().map(as_toml).collect::<Vec<_>>().into(),
        serde_json::Value::Bool(b) => (*b).into(),
        serde_json::Value::String(s) => s.as_str().into(),
        number => number.as_i64().unwrap().into(),
    }
}

/// The values of the names, as they are while planning.
pub(super) struct Names {
    values: BTreeMap<String, Value>,
    environment: Environment,
}

impl Names {
    pub(super) fn new(environment: Environment) -> Self {
        let json: serde_json::Value = serde_json::from_str(CONFIGURATION).unwrap();
        let (stack, _) = load_str("names.toml", &toml::to_string(&as_toml(&json)).unwrap()).unwrap();
        let mut values = BTreeMap::new();
        for (name, variable) in &stack.root.variables {
            let unknown = || Value::unknown(variable.ty.ty().clone());
            let value = variable.prepare(Some(variable.default.clone().unwrap_or_else(unknown)));
            values.insert(format!("var.{name}"), value.unwrap());
        }
        let x = Value::object([
            ("id", Value::unknown(Type::String).not_null()),
            ("input", Value::from("q")),
            ("output", Value::unknown(Type::String)),
            ("triggers_replace", Value::null(Type::Dynamic)),
        ]);
        values.insert("terraform_data.x".into(), x);
        Self { values, environment }
    }
}

#[allow(dead_code, reason = "the recorded expressions need no other values")]
impl Names {
    /// The same names, with some value in place of each unknown one.
    pub(super) fn known(mut self) -> Self {
        self.values.values_mut().for_each(|value| *value = known(value));
        self
    }
}

/// What is part of every text that [`Names::with_other_secrets`] puts in.
#[allow(dead_code, reason = "the recorded expressions need no other values")]
pub(super) const SECRET: &str = "swordfish";

#[allow(dead_code, reason = "the recorded expressions need no other values")]
impl Names {
    /// The same names, with another value in place of each sensitive one.
    pub(super) fn with_other_secrets(mut self) -> Self {
        self.values.values_mut().for_each(|value| *value = other(value, false));
        self
    }
}

#[allow(dead_code, reason = "the recorded expressions need no other values")]
fn other(value: &Value, secret: bool) -> Value {
    let secret = secret || value.is_sensitive();
    let changed: Value = match (value.as_str(), value.as_number(), value.as_bool()) {
        (Some(text), ..) if secret => format!("{text}{SECRET}").into(),
        (_, Some(number), _) if secret => number.add(&1_i64.into()).into(),
        (.., Some(truth)) if secret => (!truth).into(),
        _ => return value.clone().map_children(|v| other(&v, secret)),
    };
    changed.with_marks(value.marks())
}

fn known(value: &Value) -> Value {
    let of = |ty: &Type| known(&Value::unknown(ty.clone()));
    let known = match (value.is_known(), value.ty()) {
        (true, _) => return value.clone().map_children(|v| known(&v)),
        (_, Type::Bool) => true.into(),
        (_, Type::Number) => 7.into(),
        (_, Type::String | Type::Dynamic) => "zz".into(),
        (_, Type::List(t)) => Value::list((*t).clone(), vec![of(&t)]),
        (_, Type::Set(t)) => Value::set((*t).clone(), vec![of(&t)]),
        (_, Type::Map(t)) => Value::map((*t).clone(), [("a", of(&t))]),
        (_, Type::Tuple(ts)) => Value::tuple(ts.iter().map(of).collect()),
        (_, Type::Object(ts)) => Value::object(ts.iter().map(|(k, t)| (k.clone(), of(t)))),
    };
    known.with_marks(value.marks())
}

impl Scope for Names {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        let missing = || Diagnostic::error(format!("no {subject}")).span(span.clone());
        self.values.get(&subject.to_string()).cloned().ok_or_else(missing)
    }

    fn environment(&self) -> &Environment {
        &self.environment
    }
}
