//! What the journal says.

use std::collections::BTreeMap;

use lakeform_core::InstanceAddress;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::ObjectState;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// A run begins to change things.
    Run(RunInfo),
    /// An operation is about to begin.
    Intent(Box<Intent>),
    /// An operation is over.
    Outcome(Outcome),
    /// The state is about to be written once more, as it is, to fence off the run whose lock was taken over: what the one
    /// serial lacks the other lacks too.
    Fenced {
        /// The serial before.
        from: u64,
        /// The serial afterwards.
        to: u64,
    },
}

/// Whose journal it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// `user@host`
    pub who: String,
    /// When it began: RFC 3339, UTC.
    pub created: String,
    /// The lineage of its state.
    pub lineage: String,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Makes a new object.
    Create,
    /// Changes one in place.
    Update,
    /// Deletes one.
    Delete,
}

/// An operation that is about to begin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Its number in the run.
    pub op: u64,
    /// The instance.
    #[serde(with = "text")]
    pub address: InstanceAddress,
    /// What is done.
    pub verb: Verb,
    /// The provider as state names it.
    pub provider: String,
    /// The `id` of the object that is changed or deleted; of the one that a replacement set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The key of the deposed object that is deleted, or of the one that a replacement set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    /// What a creation is found by, with the names that it makes up; empty for the others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// A digest of what the operation was given (SHA-256, hex), without secrets.
    pub inputs: String,
    /// The object that a creation is to make, as it would be stored: without secrets, and null where nobody knows yet.
    #[serde(default, with = "object", skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectState>,
    /// The attributes that an update changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// The arguments (of the first level) of a creation that is announced before they are known, with what they come from: null in
    /// the object. The same operation's intent follows once they are known, as the operation begins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, Origin>,
}

/// The attribute of another object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Whose.
    #[serde(with = "text")]
    pub address: InstanceAddress,
    /// Which one (of the first level).
    pub attribute: String,
}

/// An operation is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The operation's number in the run.
    pub op: u64,
    /// A state of a higher serial has it already.
    pub serial: u64,
    /// The instance.
    #[serde(with = "text")]
    pub address: InstanceAddress,
    /// What it does to the state, in order.
    pub edits: Vec<Edit>,
    /// Why it failed, if it did: the kind of error, no text of the API's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A change of the objects that state holds of an instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// The current object is set aside under a key.
    Depose {
        /// 8 hex digits.
        key: String,
    },
    /// The object that was set aside is the current one again.
    Promote {
        /// Its key.
        key: String,
    },
    /// This is the current object.
    Set {
        /// The provider as state names it.
        provider: String,
        /// The object, without secrets.
        #[serde(with = "whole_object")]
        object: ObjectState,
        /// Attributes (of the first level) that are or hold secrets, and are null in the object therefore.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        withheld: Vec<String>,
    },
    /// The current object is gone, or the deposed one of this key.
    Remove {
        /// The key of a deposed one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
}

/// Addresses as text.
mod text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(address: &InstanceAddress, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(address)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<InstanceAddress, D::Error> {
        String::deserialize(from)?.parse().map_err(|e| D::Error::custom(format!("{e}")))
    }
}

/// Objects as the state file has them.
mod whole_object {
    use super::*;

    pub(super) fn serialize<S: Serializer>(object: &ObjectState, out: S) -> Result<S::Ok, S::Error> {
        object.to_json().serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectState, D::Error> {
        ObjectState::from_json(&serde_json::Value::deserialize(from)?).map_err(|e| D::Error::custom(format!("{e}")))
    }
}

/// Objects that may be absent.
mod object {
    use super::*;

    pub(super) fn serialize<S: Serializer>(object: &Option<ObjectState>, out: S) -> Result<S::Ok, S::Error> {
        object.as_ref().map(ObjectState::to_json).serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ObjectState>, D::Error> {
        let json = Option::<serde_json::Value>::deserialize(from)?;
        json.map(|json| ObjectState::from_json(&json)).transpose().map_err(|e| D::Error::custom(format!("{e}")))
    }
}
