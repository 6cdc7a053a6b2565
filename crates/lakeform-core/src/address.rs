//! Addresses, written as Terraform writes them: `module.a["k"].aws_s3_bucket.raw[0]`.

use std::{fmt, str::FromStr, sync::Arc};

/// What tells instances of one resource or module call apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// A `count` index.
    Int(u64),
    /// A `for_each` key.
    String(Arc<str>),
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "[{n}]"),
            Self::String(s) => write!(f, "[{}]", quote(s)),
        }
    }
}

/// Quotes a key as Terraform does (HCL's quoted string): `${` and `%{` double their first character.
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => out.extend(['\\', c]),
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => {
                let code = u32::from(c);
                out.push_str(&if code < 0x10000 { format!("\\u{code:04x}") } else { format!("\\U{code:08x}") });
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads what [`quote`] writes from the beginning of `text`: the key and the number of bytes read.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut rest = text.char_indices().peekable();
    rest.next_if(|(_, c)| *c == '"')?;
    while let Some((i, c)) = rest.next() {
        match c {
            '"' => return Some((out, i + 1)),
            '\\' => out.push(match rest.next()?.1 {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                c @ ('"' | '\\' | '/') => c,
                c @ ('u' | 'U') => {
                    let width = if c == 'u' { 4 } else { 8 };
                    let digits: String = rest.by_ref().take(width).map(|(_, c)| c).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                _ => return None,
            }),
            '$' | '%' => {
                out.push(c);
                if text[i + 1..].starts_with(c) && text[i + 2..].starts_with('{') {
                    rest.next();
                }
            }
            c => out.push(c),
        }
    }
    None
}

/// What a resource block does with its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// `[resource.*]`: it is made, changed and deleted.
    Managed,
    /// `[data.*]`: it is only read.
    Data,
    /// `[ephemeral.*]`: it is had for the time of a run, and never stored.
    Ephemeral,
}

impl Mode {
    /// The section of a stack that such blocks are in: `resource`, `data`, `ephemeral`.
    pub fn section(self) -> &'static str {
        match self {
            Self::Managed => "resource",
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
        }
    }

    /// What addresses and references of such blocks begin with: nothing, `data.`, `ephemeral.`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Managed => "",
            Self::Data => "data.",
            Self::Ephemeral => "ephemeral.",
        }
    }

    /// Terraform's word for it in state, plans and messages: `managed`, `data`, `ephemeral`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Data => "data",
            Self::Ephemeral => "ephemeral",
        }
    }
}

/// A module in the configuration, without instance keys: the names of the calls from the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(pub Arc<[Arc<str>]>);

impl ModulePath {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// The module that `call` in this one leads to.
    pub fn child(&self, call: impl Into<Arc<str>>) -> Self {
        Self(self.0.iter().cloned().chain([call.into()]).collect())
    }

    /// The calling module and the name of the call; `None` for the root.
    pub fn parent(&self) -> Option<(Self, Arc<str>)> {
        let (last, rest) = self.0.split_last()?;
        Some((Self(rest.into()), last.clone()))
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

/// `module.a.module.b`; empty for the root.
impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.0.iter().enumerate() {
            write!(f, "{}module.{name}", if i > 0 { "." } else { "" })?;
        }
        Ok(())
    }
}

/// One instance of a module: each call with its key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleInstance(pub Arc<[(Arc<str>, Option<InstanceKey>)]>);

impl ModuleInstance {
    /// The root module.
    pub fn root() -> Self {
        Self::default()
    }

    /// The instance of the module that `call` leads to.
    pub fn child(&self, call: impl Into<Arc<str>>, key: Option<InstanceKey>) -> Self {
        Self(self.0.iter().cloned().chain([(call.into(), key)]).collect())
    }

    /// The calling instance; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, rest)| Self(rest.into()))
    }

    /// The same module without keys.
    pub fn path(&self) -> ModulePath {
        ModulePath(self.0.iter().map(|(name, _)| name.clone()).collect())
    }

    /// Whether this is the root module.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

/// `module.a["k"].module.b[0]`; empty for the root.
impl fmt::Display for ModuleInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, key)) in self.0.iter().enumerate() {
            write!(f, "{}module.{name}", if i > 0 { "." } else { "" })?;
            if let Some(key) = key {
                write!(f, "{key}")?;
            }
        }
        Ok(())
    }
}

macro_rules! resource_in {
    ($(#[$doc:meta])* $name:ident, $module:ty) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The module it is in.
            pub module: $module,
            /// Managed, data or ephemeral.
            pub mode: Mode,
            /// The type: `aws_s3_bucket`
            pub ty: Arc<str>,
            /// The name given in the stack.
            pub name: Arc<str>,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                if !self.module.is_root() {
                    write!(f, "{}.", self.module)?;
                }
                write!(f, "{}{}.{}", self.mode.prefix(), self.ty, self.name)
            }
        }
    };
}

resource_in!(
    /// A resource block in the configuration, without any instance key: what `dependencies` in state name.
    ConfigAddress,
    ModulePath
);
resource_in!(
    /// A resource in one instance of its module, without its own key.
    ResourceAddress,
    ModuleInstance
);

impl ResourceAddress {
    /// One instance of it.
    pub fn instance(&self, key: Option<InstanceKey>) -> InstanceAddress {
        InstanceAddress { resource: self.clone(), key }
    }

    /// The block in the configuration that it comes from.
    pub fn config(&self) -> ConfigAddress {
        ConfigAddress { module: self.module.path(), mode: self.mode, ty: self.ty.clone(), name: self.name.clone() }
    }
}

/// One instance of a resource: what a plan acts on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceAddress {
    /// The resource.
    pub resource: ResourceAddress,
    /// Its key, if it has `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

impl InstanceAddress {
    /// The block in the configuration that it comes from.
    pub fn config(&self) -> ConfigAddress {
        self.resource.config()
    }
}

impl fmt::Display for InstanceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.resource)?;
        self.key.iter().try_for_each(|key| write!(f, "{key}"))
    }
}

/// The text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no resource address: {reason}")]
pub struct ParseAddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A name with an optional key, as between two dots.
type Part = (Arc<str>, Option<InstanceKey>);

/// Splits `a.b["x.y"].c[0]` at the dots outside brackets.
fn parts(text: &str) -> Result<Vec<Part>, ParseAddressError> {
    let fail = |reason| ParseAddressError { text: text.to_owned(), reason };
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        let valid = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !valid {
            return Err(fail("a name must begin with a letter and hold letters, digits, `_` and `-`"));
        }
        rest = &rest[end..];
        let mut key = None;
        if let Some(inner) = rest.strip_prefix('[') {
            if inner.starts_with('"') {
                let (text, read) = unquote(inner).ok_or_else(|| fail("a key in brackets is not closed"))?;
                rest = &inner[read..];
                key = Some(InstanceKey::String(text.into()));
            } else {
                let close = inner.find(']').ok_or_else(|| fail("a bracket is not closed"))?;
                let index =
                    inner[..close].parse().map_err(|_| fail("a key in brackets is a number or a quoted string"))?;
                rest = &inner[close..];
                key = Some(InstanceKey::Int(index));
            }
            rest = rest.strip_prefix(']').ok_or_else(|| fail("a bracket is not closed"))?;
        }
        out.push((name.into(), key));
        if rest.is_empty() {
            return Ok(out);
        }
        rest = rest.strip_prefix('.').ok_or_else(|| fail("a dot is expected after a key"))?;
    }
}

fn module_parts(all: &[Part]) -> (ModuleInstance, &[Part]) {
    let mut module = ModuleInstance::root();
    let mut rest = all;
    while let [(word, None), (name, key), more @ ..] = rest
        && &**word == "module"
    {
        module = module.child(name.clone(), key.clone());
        rest = more;
    }
    (module, rest)
}

impl FromStr for ModuleInstance {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let all = parts(text)?;
        match module_parts(&all) {
            (module, []) => Ok(module),
            _ => Err(ParseAddressError { text: text.to_owned(), reason: "a module address is expected" }),
        }
    }
}

impl FromStr for InstanceAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let all = parts(text)?;
        let (module, rest) = module_parts(&all);
        let (mode, rest) = match rest {
            [(word, None), rest @ ..] if &**word == Mode::Data.section() => (Mode::Data, rest),
            [(word, None), rest @ ..] if &**word == Mode::Ephemeral.section() => (Mode::Ephemeral, rest),
            rest => (Mode::Managed, rest),
        };
        match rest {
            [(ty, None), (name, key)] => {
                Ok(ResourceAddress { module, mode, ty: ty.clone(), name: name.clone() }.instance(key.clone()))
            }
            _ => Err(ParseAddressError { text: text.to_owned(), reason: "TYPE.NAME is expected, after any module" }),
        }
    }
}

impl FromStr for ConfigAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        Ok(text.parse::<InstanceAddress>()?.config())
    }
}

/// What `--target` and `--exclude` name: a module, a resource with all its instances, or one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Everything in a module instance; without keys: in all of its instances.
    Module(ModuleInstance),
    /// A resource (all instances when `key` is absent) or one instance.
    Resource(InstanceAddress),
}

impl FromStr for Target {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        text.parse().map(Self::Module).or_else(|_| text.parse().map(Self::Resource))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Module(m) => m.fmt(f),
            Self::Resource(r) => r.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_parse() {
        for text in [
            "aws_s3_bucket.raw",
            "aws_s3_bucket.raw[0]",
            // As Terraform 1.11.4 writes them.
            "module.m[\"$${x}\"].a.b[\"%%{if}\\nü$x\"]",
            "module.a.ephemeral.random_password.p[0]",
            "module.a[\"k.l\"].module.b.data.aws_region.current[\"x\\\"y\"]",
        ] {
            assert_eq!(text.parse::<InstanceAddress>().unwrap().to_string(), text);
        }
        assert!("aws_s3_bucket".parse::<InstanceAddress>().is_err());
        assert!(matches!("module.a".parse(), Ok(Target::Module(_))));
    }
}
