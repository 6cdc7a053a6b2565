//! Types of values, as in Terraform's language.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// The type of a [`Value`](crate::Value). Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// Not known yet, or any type (`any`; cty's dynamic pseudo-type).
    Dynamic,
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(T)`
    List(Arc<Type>),
    /// `set(T)`
    Set(Arc<Type>),
    /// `map(T)`
    Map(Arc<Type>),
    /// `tuple([T, ...])`
    Tuple(Arc<[Type]>),
    /// `object({name = T, ...})`
    Object(Arc<BTreeMap<Arc<str>, Type>>),
}

impl Type {
    /// `list(element)`
    pub fn list(element: Type) -> Self {
        Self::List(Arc::new(element))
    }

    /// `set(element)`
    pub fn set(element: Type) -> Self {
        Self::Set(Arc::new(element))
    }

    /// `map(element)`
    pub fn map(element: Type) -> Self {
        Self::Map(Arc::new(element))
    }

    /// `object({...})`
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Type)>) -> Self {
        Self::Object(Arc::new(attributes.into_iter().map(|(k, t)| (k.into(), t)).collect()))
    }

    /// `tuple([...])`
    pub fn tuple(elements: impl IntoIterator<Item = Type>) -> Self {
        Self::Tuple(elements.into_iter().collect())
    }

    /// Whether the type is bool, number or string.
    pub fn is_primitive(&self) -> bool {
        matches!(self, Self::Bool | Self::Number | Self::String)
    }

    /// Whether [`Type::Dynamic`] occurs nowhere in it.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Dynamic => false,
            Self::Bool | Self::Number | Self::String => true,
            Self::List(t) | Self::Set(t) | Self::Map(t) => t.is_wholly_known(),
            Self::Tuple(ts) => ts.iter().all(Self::is_wholly_known),
            Self::Object(ts) => ts.values().all(Self::is_wholly_known),
        }
    }

    /// The type in the JSON form of state files and provider schemas: `"string"`, `["list", "string"]`,
    /// `["object", {"a": "bool"}]`.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Dynamic => json!("dynamic"),
            Self::Bool => json!("bool"),
            Self::Number => json!("number"),
            Self::String => json!("string"),
            Self::List(t) => json!(["list", t.to_json()]),
            Self::Set(t) => json!(["set", t.to_json()]),
            Self::Map(t) => json!(["map", t.to_json()]),
            Self::Tuple(ts) => json!(["tuple", ts.iter().map(Self::to_json).collect::<Vec<_>>()]),
            Self::Object(ts) => {
                let fields: serde_json::Map<_, _> = ts.iter().map(|(k, t)| (k.to_string(), t.to_json())).collect();
                json!(["object", fields])
            }
        }
    }

    /// Reads what [`Type::to_json`] writes; `None` if it is no type.
    pub fn from_json(json: &serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::String(name) => Some(match name.as_str() {
                "dynamic" => Self::Dynamic,
                "bool" => Self::Bool,
                "number" => Self::Number,
                "string" => Self::String,
                _ => return None,
            }),
            serde_json::Value::Array(parts) => {
                let inner = parts.get(1)?;
                Some(match parts.first()?.as_str()? {
                    "list" => Self::list(Self::from_json(inner)?),
                    "set" => Self::set(Self::from_json(inner)?),
                    "map" => Self::map(Self::from_json(inner)?),
                    "tuple" => Self::Tuple(inner.as_array()?.iter().map(Self::from_json).collect::<Option<_>>()?),
                    "object" => Self::Object(Arc::new(
                        inner
                            .as_object()?
                            .iter()
                            .map(|(k, v)| Some((Arc::from(k.as_str()), Self::from_json(v)?)))
                            .collect::<Option<_>>()?,
                    )),
                    _ => return None,
                })
            }
            _ => None,
        }
    }

    /// The short name that Terraform's messages use: "string", "list of string", "object".
    pub fn friendly_name(&self) -> String {
        match self {
            Self::Dynamic => "dynamic".into(),
            Self::Bool => "bool".into(),
            Self::Number => "number".into(),
            Self::String => "string".into(),
            Self::List(t) => format!("list of {}", t.friendly_name()),
            Self::Set(t) => format!("set of {}", t.friendly_name()),
            Self::Map(t) => format!("map of {}", t.friendly_name()),
            Self::Tuple(_) => "tuple".into(),
            Self::Object(_) => "object".into(),
        }
    }
}

/// Terraform's type expression: `list(string)`, `object({a=bool})`.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dynamic => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(t) => write!(f, "list({t})"),
            Self::Set(t) => write!(f, "set({t})"),
            Self::Map(t) => write!(f, "map({t})"),
            Self::Tuple(ts) => {
                f.write_str("tuple([")?;
                for (i, t) in ts.iter().enumerate() {
                    write!(f, "{}{t}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Self::Object(ts) => {
                f.write_str("object({")?;
                for (i, (k, t)) in ts.iter().enumerate() {
                    write!(f, "{}{k}={t}", if i > 0 { ", " } else { "" })?;
                }
                f.write_str("})")
            }
        }
    }
}
