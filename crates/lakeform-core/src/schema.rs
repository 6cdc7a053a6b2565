//! Schemas of resource types, data sources and providers: the facts that drive validation, diff, plan and docs.

use std::{collections::BTreeMap, sync::Arc};

use indexmap::IndexMap;

use crate::{ConvertError, Kind, Path, Step, Type, Value, convert};

/// The schema of a resource type, a data source or a provider's configuration.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// The version stored beside each instance in state.
    pub version: u64,
    /// The attributes and nested blocks.
    pub block: Block,
}

/// Attributes and nested blocks, by name in the order of the reference page.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// What it is for, one paragraph.
    pub description: String,
    /// Plain attributes.
    pub attributes: IndexMap<Arc<str>, Attribute>,
    /// Nested blocks.
    pub blocks: IndexMap<Arc<str>, NestedBlock>,
}

/// Whether two values of an attribute mean the same to the API although they are spelled differently.
pub type Same = fn(&Value, &Value) -> bool;

/// One attribute of a block.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// What it is for.
    pub description: String,
    /// Must be set.
    pub required: bool,
    /// May be set.
    pub optional: bool,
    /// May be decided by the API.
    pub computed: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Sent to the API and stored nowhere.
    pub write_only: bool,
    /// Still works, better not used.
    pub deprecated: bool,
    /// A change replaces the object.
    pub force_new: bool,
    /// A string that holds a JSON document: a TOML table or array is accepted and encoded, and diffs go inside.
    pub json: bool,
    /// The value where the configuration sets none.
    pub default: Option<Value>,
    /// When a change of spelling is no change. JSON attributes compare by meaning without this.
    pub same: Option<Same>,
}

impl Attribute {
    /// An attribute of a type, with no flag set.
    pub fn new(ty: Type) -> Self {
        Self {
            ty,
            description: String::new(),
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            write_only: false,
            deprecated: false,
            force_new: false,
            json: false,
            default: None,
            same: None,
        }
    }

    /// Whether a configuration may set it.
    pub fn is_settable(&self) -> bool {
        self.required || self.optional
    }
}

/// How instances of a nested block are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// At most one, as an object or null.
    Single,
    /// Any number, in order.
    List,
    /// Any number, without order.
    Set,
    /// By key.
    Map,
}

/// A nested block type.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// How its instances are kept.
    pub nesting: Nesting,
    /// The least number of instances.
    pub min: usize,
    /// The largest number of instances; 0 means no limit.
    pub max: usize,
    /// A change of the number of instances replaces the object.
    pub force_new: bool,
    /// Where the configuration has none, the API decides (SDKv2's Optional + Computed block).
    pub computed: bool,
    /// Its attributes and blocks.
    pub block: Block,
}

impl NestedBlock {
    /// The type of the attribute that holds its instances in state.
    pub fn ty(&self) -> Type {
        let inner = self.block.ty();
        match self.nesting {
            Nesting::Single => inner,
            Nesting::List => Type::list(inner),
            Nesting::Set => Type::set(inner),
            Nesting::Map => Type::map(inner),
        }
    }

    /// The value where the configuration has no instance.
    pub fn absent(&self) -> Value {
        let inner = self.block.ty();
        match self.nesting {
            Nesting::Single => Value::null(inner),
            Nesting::List => Value::list(inner, vec![]),
            Nesting::Set => Value::set(inner, vec![]),
            Nesting::Map => Kind::Map(inner, Arc::default()).into(),
        }
    }
}

impl Block {
    /// The object type of a value of this block: every attribute and every nested block.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(k, a)| (k.clone(), a.ty.clone()));
        let blocks = self.blocks.iter().map(|(k, b)| (k.clone(), b.ty()));
        Type::object(attributes.chain(blocks))
    }

    /// A value with every attribute null and no nested block.
    pub fn empty(&self) -> Value {
        let attributes = self.attributes.iter().map(|(k, a)| (k.clone(), Value::null(a.ty.clone())));
        let blocks = self.blocks.iter().map(|(k, b)| (k.clone(), b.absent()));
        Value::object(attributes.chain(blocks))
    }

    /// Brings a value to the block's type: attributes converted, missing ones null, a single object taken as a list of
    /// one where the block repeats. Unknown names are not reported here: the loader has done so.
    ///
    /// # Errors
    /// All attributes that do not fit, each with its path.
    pub fn coerce(&self, value: &Value) -> Result<Value, Vec<ConvertError>> {
        let mut errors = Vec::new();
        let out = self.coerce_at(value, &Path::root(), &mut errors);
        if errors.is_empty() { Ok(out) } else { Err(errors) }
    }

    fn coerce_at(&self, value: &Value, at: &Path, errors: &mut Vec<ConvertError>) -> Value {
        if value.is_null() {
            return Value::null(self.ty()).with_marks(value.marks());
        }
        if !value.is_known() {
            return Value::unknown(self.ty()).with_marks(value.marks());
        }
        let empty = BTreeMap::new();
        let given = value.as_mapping().unwrap_or_else(|| {
            errors.push(ConvertError { path: at.clone(), message: "an object is required".into() });
            &empty
        });
        let mut out = BTreeMap::new();
        for (name, attribute) in &self.attributes {
            let path = || at.with(Step::Attr(name.clone()));
            let v = match given.get(name) {
                None => Value::null(attribute.ty.clone()),
                Some(v) => convert(&fill(v, &attribute.ty), &attribute.ty).unwrap_or_else(|mut e| {
                    e.path = Path(path().0.into_iter().chain(e.path.0).collect());
                    errors.push(e);
                    Value::null(attribute.ty.clone())
                }),
            };
            out.insert(name.clone(), v);
        }
        for (name, nested) in &self.blocks {
            let v = match given.get(name) {
                None => nested.absent(),
                Some(v) => nested.coerce_at(v, &at.with(Step::Attr(name.clone())), errors),
            };
            out.insert(name.clone(), v);
        }
        Value::from(Kind::Object(Arc::new(out))).with_marks(value.marks())
    }
}

impl NestedBlock {
    fn coerce_at(&self, value: &Value, at: &Path, errors: &mut Vec<ConvertError>) -> Value {
        let marks = value.marks();
        if !value.is_known() {
            return Value::unknown(self.ty()).with_marks(marks);
        }
        if value.is_null() {
            return self.absent();
        }
        let inner = self.block.ty();
        let out = match (self.nesting, value.kind()) {
            (Nesting::Single, Kind::Object(_) | Kind::Map(..)) => self.block.coerce_at(value, at, errors),
            (Nesting::Single, Kind::Tuple(vs) | Kind::List(_, vs)) if vs.len() <= 1 => match vs.first() {
                Some(v) => self.block.coerce_at(v, at, errors),
                None => self.absent(),
            },
            (Nesting::List | Nesting::Set, kind) => {
                let one = [value.clone()];
                let vs: &[Value] = match kind {
                    Kind::Tuple(vs) | Kind::List(_, vs) | Kind::Set(_, vs) => vs,
                    _ => &one,
                };
                let vs = vs
                    .iter()
                    .enumerate()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(i, v)| self.block.coerce_at(v, &at.with(Step::Index(i)), errors))
                    .collect();
                if self.nesting == Nesting::List { Value::list(inner, vs) } else { Value::set(inner, vs) }
            }
            (Nesting::Map, Kind::Object(vs) | Kind::Map(_, vs)) => {
                let vs: Vec<_> = vs
                    .iter()
                    .map(|(k, v)| (k.clone(), self.block.coerce_at(v, &at.with(Step::Key(k.clone())), errors)))
                    .collect();
                Value::map(inner, vs)
            }
            _ => {
                errors.push(ConvertError { path: at.clone(), message: "a block is required".into() });
                self.absent()
            }
        };
        out.with_marks(marks)
    }
}

/// Gives objects inside an attribute the attributes that they lack, as null (Terraform's "attributes as blocks").
fn fill(value: &Value, ty: &Type) -> Value {
    let marks = value.marks();
    match (value.kind(), ty) {
        (Kind::Object(vs), Type::Object(ts)) => {
            let missing =
                ts.iter().filter(|(k, _)| !vs.contains_key(*k)).map(|(k, t)| (k.clone(), Value::null(t.clone())));
            let given = vs.iter().map(|(k, v)| (k.clone(), ts.get(k).map_or_else(|| v.clone(), |t| fill(v, t))));
            Value::object(given.chain(missing).collect::<Vec<_>>()).with_marks(marks)
        }
        (Kind::Object(_), Type::List(t) | Type::Set(t)) if matches!(**t, Type::Object(_)) => {
            Value::tuple(vec![fill(value, t)])
        }
        (Kind::Tuple(_) | Kind::List(..) | Kind::Set(..), Type::List(t) | Type::Set(t)) if !t.is_primitive() => {
            Value::tuple(value.children().map(|v| fill(v, t)).collect()).with_marks(marks)
        }
        _ => value.clone(),
    }
}
