//! Reading a state file: one pass over the text; attributes stay text.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use lakeform_core::{ConfigAddress, InstanceKey, Mode, ModuleInstance, ResourceAddress, Type, json};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    Attributes, Extra, InstanceState, ObjectState, OutputState, ResourceState, Rule, State, Violation, cipher, paths,
    raw::RawJson,
};

/// What was read is no state that lakeform can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// No JSON, or not of a state's shape.
    #[error("this is no state file: {0}")]
    Syntax(String),
    /// It is encrypted.
    #[error(
        "the state is encrypted with {0}, and the stack's backend has no `encryption`: set it as it was when the state was \
         written"
    )]
    Encrypted(String),
    /// A later format.
    #[error(
        "the state has format version {0}, which is newer than 4, the latest one that this lakeform knows; \
         use a newer lakeform"
    )]
    Newer(u64),
    /// An earlier format.
    #[error(
        "the state has format version {0}; lakeform reads version 4, which Terraform 0.12 and later write: run \
         `terraform apply` with Terraform 1.x once to upgrade it"
    )]
    Older(u64),
    /// A field is missing or has no meaning.
    #[error("{at}: {what}")]
    Invalid {
        /// Where in the state: an address, or a field.
        at: String,
        /// What is wrong.
        what: String,
    },
    /// The state contradicts itself.
    #[error("{0}")]
    Integrity(Violation),
}

/// A string that is copied only where it has escapes (serde copies a bare `Cow` always).
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A JSON object with known fields, each of which may be absent or null, and the rest as text. Written by a macro, for
/// serde's `flatten` copies everything and cannot carry raw text.
macro_rules! record {
    ($name:ident { $($field:ident $(= $key:literal)?: $ty:ty),* $(,)? }) => {
        struct $name<'a> {
            $($field: Option<$ty>,)*
            extra: Vec<(String, &'a RawValue)>,
        }

        impl<'de: 'a, 'a> Deserialize<'de> for $name<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Fields;

                impl<'de> Visitor<'de> for Fields {
                    type Value = $name<'de>;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name<'de>, A::Error> {
                        let mut out = $name { $($field: None,)* extra: Vec::new() };
                        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                            match &*key {
                                $(name!($field $($key)?) => out.$field = map.next_value()?,)*
                                _ => out.extra.push((key.into_owned(), map.next_value()?)),
                            }
                        }
                        Ok(out)
                    }
                }

                deserializer.deserialize_map(Fields)
            }
        }
    };
}

/// A field's name in the file: its own, or the given one where Rust forbids it.
macro_rules! name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

record!(File {
    version: u64,
    terraform_version: String,
    serial: u64,
    lineage: String,
    outputs: BTreeMap<String, Output>,
    resources: Vec<Resource<'a>>,
    check_results: &'a RawValue,
});

record!(Resource {
    module: String,
    mode: String,
    ty = "type": String,
    name: String,
    each: String,
    provider: String,
    instances: Vec<Instance<'a>>,
});

record!(Instance {
    index_key: &'a RawValue,
    status: String,
    deposed: String,
    schema_version: u64,
    attributes: &'a RawValue,
    sensitive_attributes: &'a RawValue,
    private: String,
    dependencies: Vec<Text<'a>>,
    create_before_destroy: bool,
});

#[derive(Deserialize)]
struct Output {
    value: serde_json::Value,
    r#type: serde_json::Value,
    #[serde(default)]
    sensitive: bool,
}

/// Only the version, whatever else is there.
#[derive(Deserialize)]
struct VersionOnly {
    version: Option<serde_json::Number>,
}

impl State {
    /// Reads a state file.
    ///
    /// # Errors
    /// When it is no JSON, of another format version, incomplete, or names an instance twice.
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, FormatError> {
        let text = String::from_utf8(bytes.into()).map_err(|e| FormatError::Syntax(e.utf8_error().to_string()))?;
        let whole = Arc::new(text);
        match serde_json::from_str::<File<'_>>(&whole) {
            Ok(file) if file.version == Some(4) => Reader { whole: &whole, addresses: HashMap::new() }.state(file),
            // A later format may have another shape altogether: what counts then is its version, not the shape.
            other => Err(refusal(&whole, other.err())),
        }
    }
}

impl ObjectState {
    /// Reads one object as it stands in a state file.
    ///
    /// # Errors
    /// When it has not the shape of one.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, FormatError> {
        let whole = Arc::new(json.to_string());
        let instance = serde_json::from_str(&whole).map_err(|e| FormatError::Syntax(e.to_string()))?;
        let nowhere = ResourceAddress {
            module: ModuleInstance::root(),
            mode: Mode::Managed,
            ty: "object".into(),
            name: "alone".into(),
        };
        let (.., object) = Reader { whole: &whole, addresses: HashMap::new() }.object(&nowhere, instance)?;
        Ok(object)
    }
}

fn refusal(text: &str, error: Option<serde_json::Error>) -> FormatError {
    if let Some(with) = cipher::sealed_with(text.as_bytes()) {
        return FormatError::Encrypted(with);
    }
    let version = serde_json::from_str::<VersionOnly>(text).ok().and_then(|v| v.version).and_then(|n| n.as_u64());
    match (version, error) {
        (Some(newer), _) if newer > 4 => FormatError::Newer(newer),
        (Some(older), _) if older < 4 => FormatError::Older(older),
        (_, Some(e)) => FormatError::Syntax(e.to_string()),
        (_, None) => FormatError::Syntax("it has no `version`".into()),
    }
}

struct Reader<'w> {
    whole: &'w Arc<String>,
    /// Each address once: dependencies repeat the same few addresses many times over.
    addresses: HashMap<String, ConfigAddress>,
}

fn invalid(at: impl ToString, what: impl Into<String>) -> FormatError {
    FormatError::Invalid { at: at.to_string(), what: what.into() }
}

impl Reader<'_> {
    fn raw(&self, raw: &RawValue) -> RawJson {
        RawJson::slice(self.whole, raw.get())
    }

    fn extra(&self, extra: Vec<(String, &RawValue)>) -> Extra {
        extra.into_iter().map(|(name, raw)| (name, self.raw(raw))).collect()
    }

    fn state(&mut self, file: File<'_>) -> Result<State, FormatError> {
        let mut state = State::new(file.lineage.unwrap_or_default());
        state.serial = file.serial.unwrap_or_default();
        state.terraform_version = file.terraform_version.unwrap_or_default();
        state.check_results = file.check_results.map(|raw| self.raw(raw));
        state.extra = self.extra(file.extra);
        for (name, output) in file.outputs.unwrap_or_default() {
            let at = format!("output `{name}`");
            let ty = Type::from_json(&output.r#type).ok_or_else(|| invalid(&at, "its `type` is none"))?;
            let value = json::from_json(&output.value, &ty).map_err(|e| invalid(&at, e.to_string()))?;
            state.outputs.insert(name, OutputState { value, sensitive: output.sensitive });
        }
        for (i, resource) in file.resources.unwrap_or_default().into_iter().enumerate() {
            self.resource(&mut state, i, resource)?;
        }
        Ok(state)
    }

    fn resource(&mut self, state: &mut State, i: usize, resource: Resource<'_>) -> Result<(), FormatError> {
        let at = || format!("resources[{i}]");
        let module = resource.module.unwrap_or_default();
        let address = ResourceAddress {
            module: module.parse::<ModuleInstance>().map_err(|e| invalid(at(), e.to_string()))?,
            mode: match resource.mode.as_deref() {
                Some("managed") => Mode::Managed,
                Some("data") => Mode::Data,
                other => return Err(invalid(at(), format!("`mode` is {other:?}, not `managed` or `data`"))),
            },
            ty: resource.ty.ok_or_else(|| invalid(at(), "`type` is missing"))?.into(),
            name: resource.name.ok_or_else(|| invalid(at(), "`name` is missing"))?.into(),
        };
        let provider = resource.provider.ok_or_else(|| invalid(&address, "`provider` is missing"))?;
        let extra = self.extra(resource.extra);
        let mut instances = BTreeMap::<Option<InstanceKey>, InstanceState>::new();
        for instance in resource.instances.unwrap_or_default() {
            let (key, deposed, object) = self.object(&address, instance)?;
            let place = instances.entry(key.clone()).or_default();
            let taken = match &deposed {
                None => place.current.replace(object).is_some(),
                Some(deposed) => place.deposed.insert(deposed.clone(), object).is_some(),
            };
            if taken {
                let deposed = deposed.map(|key| format!(" (deposed object {key})")).unwrap_or_default();
                let what = format!("{}{deposed} is in the state twice", address.instance(key));
                return Err(FormatError::Integrity(Violation { rule: Rule::OneCurrent, what }));
            }
        }
        if state.resources.contains_key(&address) {
            let what = format!("{address} is in the state twice");
            return Err(FormatError::Integrity(Violation { rule: Rule::UniqueAddresses, what }));
        }
        state.resources.insert(address, ResourceState { provider, instances, extra });
        Ok(())
    }

    fn object(
        &mut self,
        address: &ResourceAddress,
        instance: Instance<'_>,
    ) -> Result<(Option<InstanceKey>, Option<String>, ObjectState), FormatError> {
        let key = match instance.index_key.map(|raw| serde_json::from_str::<serde_json::Value>(raw.get())) {
            None => None,
            Some(Ok(serde_json::Value::String(text))) => Some(InstanceKey::String(text.into())),
            Some(Ok(serde_json::Value::Number(n))) => Some(InstanceKey::Int(
                n.as_u64().ok_or_else(|| invalid(address, format!("`index_key` {n} is no whole number")))?,
            )),
            Some(_) => return Err(invalid(address, "`index_key` is neither a number nor a string")),
        };
        let at = || address.instance(key.clone());
        let tainted = match instance.status.as_deref() {
            None | Some("") => false,
            Some("tainted") => true,
            Some(other) => return Err(invalid(at(), format!("`status` is `{other}`, not `tainted`"))),
        };
        let sensitive_attributes = match instance.sensitive_attributes {
            None => Vec::new(),
            Some(raw) => serde_json::from_str::<Vec<serde_json::Value>>(raw.get())
                .ok()
                .and_then(|all| all.iter().map(paths::from_json).collect::<Option<Vec<_>>>())
                .ok_or_else(|| invalid(at(), "`sensitive_attributes` are no paths"))?,
        };
        let dependencies = instance
            .dependencies
            .unwrap_or_default()
            .iter()
            .map(|Text(text)| self.config_address(text).map_err(|e| invalid(at(), e)))
            .collect::<Result<_, _>>()?;
        let object = ObjectState {
            tainted,
            schema_version: instance.schema_version.unwrap_or_default(),
            attributes: Attributes(instance.attributes.map(|raw| self.raw(raw))),
            sensitive_attributes,
            private: instance.private,
            dependencies,
            create_before_destroy: instance.create_before_destroy.unwrap_or_default(),
            extra: self.extra(instance.extra),
        };
        Ok((key, instance.deposed.filter(|text| !text.is_empty()), object))
    }

    fn config_address(&mut self, text: &str) -> Result<ConfigAddress, String> {
        if let Some(known) = self.addresses.get(text) {
            return Ok(known.clone());
        }
        let address: ConfigAddress = text.parse().map_err(|e| format!("`dependencies`: {e}"))?;
        self.addresses.insert(text.to_owned(), address.clone());
        Ok(address)
    }
}
