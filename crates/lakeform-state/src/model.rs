//! The state as everyone handles it.

use std::collections::BTreeMap;

use lakeform_core::{
    ConfigAddress, ConvertError, InstanceAddress, InstanceKey, Marks, Path, ResourceAddress, Step, Type, Value, json,
};

use crate::raw::RawJson;

/// Fields that lakeform does not know, in the order they were read; they are written back after the known ones.
pub type Extra = Vec<(String, RawJson)>;

/// A whole state.
#[derive(Clone, Debug)]
pub struct State {
    /// Grows by one with every write that changes the content; 0 for a state that was never written.
    pub serial: u64,
    /// A UUID made with the state; never changes.
    pub lineage: String,
    /// The version that wrote the file that was read. Writing always names [`crate::TERRAFORM_VERSION`].
    pub terraform_version: String,
    /// Outputs of the root module.
    pub outputs: BTreeMap<String, OutputState>,
    /// Resources by address.
    pub resources: BTreeMap<ResourceAddress, ResourceState>,
    /// Results of checks, in Terraform's form; `None` is written as null.
    pub check_results: Option<RawJson>,
    /// Unknown top-level fields.
    pub extra: Extra,
}

/// An output of the root module.
#[derive(Clone, Debug)]
pub struct OutputState {
    /// The value; its own type is stored with it.
    pub value: Value,
    /// Whether it is declared sensitive.
    pub sensitive: bool,
}

/// A resource with its instances.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceState {
    /// `provider["registry.terraform.io/hashicorp/aws"]`, kept as it stands. See [`State::set_current`].
    pub provider: String,
    /// Its instances by key; `None` is the key of a resource without `count` and `for_each`.
    pub instances: BTreeMap<Option<InstanceKey>, InstanceState>,
    /// Unknown fields.
    pub extra: Extra,
}

/// The objects of one resource instance.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceState {
    /// The object that the configuration speaks of.
    pub current: Option<ObjectState>,
    /// Objects that were replaced and still await their deletion, by their key of 8 hex digits.
    pub deposed: BTreeMap<String, ObjectState>,
}

impl InstanceState {
    /// Whether no object is left.
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.deposed.is_empty()
    }
}

/// One remote object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectState {
    /// To be replaced by the next plan: its creation failed half-way, or someone asked for it.
    pub tainted: bool,
    /// The version of the resource type's schema that the attributes are in.
    pub schema_version: u64,
    /// The attributes, unparsed.
    pub attributes: Attributes,
    /// Where in the attributes sensitive values are.
    pub sensitive_attributes: Vec<Path>,
    /// The provider's own data, base64.
    pub private: Option<String>,
    /// The resources that must be there as long as this object is.
    pub dependencies: Vec<ConfigAddress>,
    /// Whether a replacement is created before this object is deleted.
    pub create_before_destroy: bool,
    /// Unknown fields (`identity` of later Terraform versions, for instance).
    pub extra: Extra,
}

/// The attributes of an object as JSON text, parsed when asked for. A clone shares the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes(pub(crate) Option<RawJson>);

/// A value cannot be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributesError {
    /// Integrity rule 6.
    #[error("`{0}` is not known yet and cannot be stored in the state")]
    Unknown(Path),
    /// Integrity rule 7.
    #[error("`{0}` is ephemeral and must not be stored in the state")]
    Ephemeral(Path),
}

impl Attributes {
    /// The stored form of a value of a type.
    ///
    /// Sensitive marks are dropped: callers keep their paths in [`ObjectState::sensitive_attributes`].
    ///
    /// # Errors
    /// When a part of the value is unknown or ephemeral.
    pub fn from_value(value: &Value, ty: &Type) -> Result<Self, AttributesError> {
        storable(value)?;
        Ok(Self(Some(RawJson::from(&json::to_json(value, ty)))))
    }

    /// The attributes as a value of `ty`. Attributes that the type lacks are left out, missing ones are null.
    ///
    /// # Errors
    /// When they do not fit the type.
    pub fn value(&self, ty: &Type) -> Result<Value, ConvertError> {
        json::from_json(&self.json()?, ty)
    }

    /// The attributes as JSON; null where the object has none.
    ///
    /// # Errors
    /// When they are nested deeper than 128 levels.
    pub fn json(&self) -> Result<serde_json::Value, ConvertError> {
        match &self.0 {
            Some(raw) => raw.parse().map_err(|e| ConvertError { path: Path::root(), message: e.to_string() }),
            None => Ok(serde_json::Value::Null),
        }
    }

    /// The JSON text; `None` where the object has no attributes.
    pub fn text(&self) -> Option<&str> {
        self.0.as_ref().map(RawJson::text)
    }
}

impl From<&serde_json::Value> for Attributes {
    fn from(value: &serde_json::Value) -> Self {
        Self(Some(RawJson::from(value)))
    }
}

/// Whether a value may be stored: wholly known, nothing ephemeral.
pub(crate) fn storable(value: &Value) -> Result<(), AttributesError> {
    if let Some(path) = value.marked_paths(Marks::EPHEMERAL).into_iter().next() {
        return Err(AttributesError::Ephemeral(path));
    }
    if value.is_wholly_known() { Ok(()) } else { Err(AttributesError::Unknown(unknown_path(value, &Path::root()))) }
}

/// The path of the first unknown part.
fn unknown_path(value: &Value, at: &Path) -> Path {
    let child = match value.as_mapping() {
        Some(map) => {
            map.iter().find(|(_, v)| !v.is_wholly_known()).map(|(name, v)| (Step::Attr(name.clone()), v.clone()))
        }
        None => value.as_slice().and_then(|vs| {
            vs.iter().enumerate().find(|(_, v)| !v.is_wholly_known()).map(|(i, v)| (Step::Index(i), v.clone()))
        }),
    };
    match child {
        Some((step, v)) => unknown_path(&v, &at.with(step)),
        None => at.clone(),
    }
}

impl PartialEq for OutputState {
    /// Type included: a string that becomes a number is a change.
    fn eq(&self, other: &Self) -> bool {
        self.sensitive == other.sensitive && self.value == other.value && self.value.ty() == other.value.ty()
    }
}

impl State {
    /// An empty state that was never written.
    pub fn new(lineage: impl Into<String>) -> Self {
        Self {
            serial: 0,
            lineage: lineage.into(),
            terraform_version: crate::TERRAFORM_VERSION.to_owned(),
            outputs: BTreeMap::new(),
            resources: BTreeMap::new(),
            check_results: None,
            extra: Vec::new(),
        }
    }

    /// Whether it holds neither a resource nor an output.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.outputs.is_empty()
    }

    /// Whether both say the same; serial, lineage and the version that wrote them aside.
    pub fn content_equals(&self, other: &Self) -> bool {
        self.outputs == other.outputs
            && self.resources == other.resources
            && self.check_results == other.check_results
            && self.extra == other.extra
    }

    /// Every instance with its address, in the order of the addresses.
    pub fn iter(&self) -> impl Iterator<Item = (InstanceAddress, &InstanceState)> {
        self.resources.iter().flat_map(|(address, resource)| {
            resource.instances.iter().map(|(key, instance)| (address.instance(key.clone()), instance))
        })
    }

    /// One instance.
    pub fn get(&self, address: &InstanceAddress) -> Option<&InstanceState> {
        self.resources.get(&address.resource)?.instances.get(&address.key)
    }

    /// The current object of one instance.
    pub fn current(&self, address: &InstanceAddress) -> Option<&ObjectState> {
        self.get(address)?.current.as_ref()
    }

    /// The current object of one instance, to be changed.
    pub fn current_mut(&mut self, address: &InstanceAddress) -> Option<&mut ObjectState> {
        self.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?.current.as_mut()
    }
}
