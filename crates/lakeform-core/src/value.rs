//! Values of the language: null, unknown, primitive, collection and structural, with marks.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use crate::{Number, Path, Refinement, Step, Type, set_order};

/// What travels with a value through every expression: sensitive, ephemeral.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u8);

impl Marks {
    /// No mark.
    pub const NONE: Self = Self(0);
    /// Must not be shown.
    pub const SENSITIVE: Self = Self(1);
    /// Must not be stored.
    pub const EPHEMERAL: Self = Self(2);

    /// The marks of something that is declared to be sensitive, ephemeral, both or neither.
    pub fn of(sensitive: bool, ephemeral: bool) -> Self {
        let mut marks = Self::NONE;
        if sensitive {
            marks = marks.union(Self::SENSITIVE);
        }
        if ephemeral {
            marks = marks.union(Self::EPHEMERAL);
        }
        marks
    }

    /// Both sets of marks.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These marks less those of `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether every mark of `other` is set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether no mark is set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// What a [`Value`] is, without its marks. Clones share their contents.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Absent, with the type it would have.
    Null(Type),
    /// Known after apply, with as much of its type as is known, and with what else is known of it.
    Unknown(Type, Refinement),
    /// `true` or `false`
    Bool(bool),
    /// A number
    Number(Number),
    /// A string
    String(Arc<str>),
    /// A list: element type and elements.
    List(Type, Arc<Vec<Value>>),
    /// A set: element type and elements, sorted and without duplicates.
    Set(Type, Arc<Vec<Value>>),
    /// A tuple
    Tuple(Arc<Vec<Value>>),
    /// A map: element type and elements by key.
    Map(Type, Arc<BTreeMap<Arc<str>, Value>>),
    /// An object
    Object(Arc<BTreeMap<Arc<str>, Value>>),
}

/// A value of the language with its marks. Cloning is cheap: contents are shared.
///
/// Equality and order ignore marks: a change only in a mark is not a change (Terraform's rule).
#[derive(Clone, Debug)]
pub struct Value {
    kind: Kind,
    marks: Marks,
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind, marks: Marks::NONE }
    }
}

impl From<bool> for Value {
    fn from(v: bool) -> Self {
        Kind::Bool(v).into()
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Kind::String(v.into()).into()
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Kind::String(v.into()).into()
    }
}

impl From<Arc<str>> for Value {
    fn from(v: Arc<str>) -> Self {
        Kind::String(v).into()
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Kind::Number(v.into()).into()
    }
}

impl From<Number> for Value {
    fn from(v: Number) -> Self {
        Kind::Number(v).into()
    }
}

impl Value {
    /// Null of a type.
    pub fn null(ty: Type) -> Self {
        Kind::Null(ty).into()
    }

    /// A value that is known only after apply.
    pub fn unknown(ty: Type) -> Self {
        Kind::Unknown(ty, Refinement::default()).into()
    }

    /// A string
    pub fn string(v: impl Into<Arc<str>>) -> Self {
        Kind::String(v.into()).into()
    }

    /// A list of elements that all have type `element`.
    pub fn list(element: Type, elements: Vec<Value>) -> Self {
        Kind::List(element, Arc::new(elements)).into()
    }

    /// A set; sorts the elements and drops duplicates, but for unknown ones: they may turn out to differ. Marks of elements move
    /// to the set, as in Terraform.
    pub fn set(element: Type, elements: Vec<Value>) -> Self {
        let mut marks = Marks::NONE;
        let mut elements: Vec<Value> = elements
            .into_iter()
            .map(|v| {
                marks = marks.union(v.marks_deep());
                v.unmarked_deep()
            })
            .collect();
        set_order::sort(&mut elements);
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self { kind: Kind::Set(element, Arc::new(elements)), marks }
    }

    /// A tuple
    pub fn tuple(elements: Vec<Value>) -> Self {
        Kind::Tuple(Arc::new(elements)).into()
    }

    /// A map whose elements all have type `element`.
    pub fn map<K: Into<Arc<str>>>(element: Type, elements: impl IntoIterator<Item = (K, Value)>) -> Self {
        Kind::Map(element, Arc::new(elements.into_iter().map(|(k, v)| (k.into(), v)).collect())).into()
    }

    /// An object
    pub fn object<K: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (K, Value)>) -> Self {
        Kind::Object(Arc::new(attributes.into_iter().map(|(k, v)| (k.into(), v)).collect())).into()
    }

    /// What the value is, without its marks.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// The value's kind by value.
    pub fn into_kind(self) -> Kind {
        self.kind
    }

    /// The marks of the value itself (not of its elements).
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// The union of the marks of the value and of everything in it.
    pub fn marks_deep(&self) -> Marks {
        // By kind, for most values have no children, and this is asked of every value of every instance.
        match &self.kind {
            Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => {
                vs.iter().fold(self.marks, |marks, child| marks.union(child.marks_deep()))
            }
            Kind::Map(_, vs) | Kind::Object(vs) => {
                vs.values().fold(self.marks, |marks, child| marks.union(child.marks_deep()))
            }
            _ => self.marks,
        }
    }

    /// The value with these marks added.
    pub fn with_marks(mut self, marks: Marks) -> Self {
        self.marks = self.marks.union(marks);
        self
    }

    /// The value without marks of its own (elements keep theirs).
    pub fn unmarked(mut self) -> Self {
        self.marks = Marks::NONE;
        self
    }

    /// The value without any mark, at any depth.
    pub fn unmarked_deep(self) -> Self {
        if self.marks_deep().is_empty() {
            return self;
        }
        self.map_children(|v| v.unmarked_deep()).unmarked()
    }

    /// The value marked sensitive.
    pub fn sensitive(self) -> Self {
        self.with_marks(Marks::SENSITIVE)
    }

    /// Whether the value itself is marked sensitive.
    pub fn is_sensitive(&self) -> bool {
        self.marks.contains(Marks::SENSITIVE)
    }

    /// Whether the value or anything in it must not be stored.
    pub fn is_ephemeral(&self) -> bool {
        self.marks_deep().contains(Marks::EPHEMERAL)
    }

    /// Whether the value is null (of any type). An unknown value is not null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null(_))
    }

    /// Whether the value itself is known (its elements may not be).
    pub fn is_known(&self) -> bool {
        !matches!(self.kind, Kind::Unknown(..))
    }

    /// Whether the value and everything in it is known.
    pub fn is_wholly_known(&self) -> bool {
        match &self.kind {
            Kind::Unknown(..) => false,
            Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => vs.iter().all(Value::is_wholly_known),
            Kind::Map(_, vs) | Kind::Object(vs) => vs.values().all(Value::is_wholly_known),
            _ => true,
        }
    }

    /// The text, if this is a known string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value, if this is a known bool.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.kind {
            Kind::Number(n) => Some(n),
            _ => None,
        }
    }

    /// The number as an integer, if it is one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number().and_then(Number::to_i64)
    }

    /// The elements of a list, set or tuple.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match &self.kind {
            Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => Some(vs),
            _ => None,
        }
    }

    /// The elements of a map or object, by key.
    pub fn as_mapping(&self) -> Option<&BTreeMap<Arc<str>, Value>> {
        match &self.kind {
            Kind::Map(_, vs) | Kind::Object(vs) => Some(vs),
            _ => None,
        }
    }

    /// An attribute of an object or an element of a map. Does not add this value's marks.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_mapping()?.get(name)
    }

    /// Sets an attribute of an object (or element of a map) in place; nothing happens on any other kind.
    pub fn set_attr(&mut self, name: impl Into<Arc<str>>, value: Value) {
        if let Kind::Map(_, vs) | Kind::Object(vs) = &mut self.kind {
            Arc::make_mut(vs).insert(name.into(), value);
        }
    }

    /// The value at a path; `None` where the path leads nowhere.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(self, |v, step| match step {
            Step::Attr(name) | Step::Key(name) => v.get(name),
            Step::Index(i) => v.as_slice()?.get(*i),
            Step::Element(element) => v.as_slice()?.iter().find(|e| *e == element),
        })
    }

    /// The value with `change` applied to what is at `path`; unchanged where the path leads nowhere.
    pub fn update_at(&self, path: &[Step], change: &mut dyn FnMut(Value) -> Value) -> Value {
        let Some((step, rest)) = path.split_first() else { return change(self.clone()) };
        let mut out = self.clone();
        match (&mut out.kind, step) {
            (Kind::Map(_, vs) | Kind::Object(vs), Step::Attr(name) | Step::Key(name)) => {
                if let Some(v) = vs.get(name) {
                    let new = v.update_at(rest, change);
                    Arc::make_mut(vs).insert(name.clone(), new);
                }
            }
            (Kind::List(_, vs) | Kind::Tuple(vs), Step::Index(i)) => {
                if let Some(v) = vs.get(*i) {
                    let new = v.update_at(rest, change);
                    Arc::make_mut(vs)[*i] = new;
                }
            }
            _ => {}
        }
        out
    }

    /// The paths of all values that bear a mark in `marks`: one that does comes before those inside of it.
    pub fn marked_paths(&self, marks: Marks) -> Vec<Path> {
        fn walk(v: &Value, at: &Path, marks: Marks, out: &mut Vec<Path>) {
            if v.marks.contains(marks) {
                out.push(at.clone());
            }
            match &v.kind {
                Kind::List(_, vs) | Kind::Tuple(vs) => {
                    for (i, v) in vs.iter().enumerate() {
                        walk(v, &at.with(Step::Index(i)), marks, out);
                    }
                }
                Kind::Map(_, vs) => {
                    for (k, v) in vs.iter() {
                        walk(v, &at.with(Step::Key(k.clone())), marks, out);
                    }
                }
                Kind::Object(vs) => {
                    for (k, v) in vs.iter() {
                        walk(v, &at.with(Step::Attr(k.clone())), marks, out);
                    }
                }
                _ => {}
            }
        }
        let mut out = Vec::new();
        if self.marks_deep().contains(marks) {
            walk(self, &Path::root(), marks, &mut out);
        }
        out
    }

    /// The direct elements of a collection or structure.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Value> + '_> {
        match &self.kind {
            Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => Box::new(vs.iter()),
            Kind::Map(_, vs) | Kind::Object(vs) => Box::new(vs.values()),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The value with each direct element replaced by `f` of it. Element types stay as they are.
    pub fn map_children(self, mut f: impl FnMut(Value) -> Value) -> Value {
        let marks = self.marks;
        let kind = match self.kind {
            Kind::List(t, vs) => Kind::List(t, Arc::new(vs.iter().cloned().map(f).collect())),
            Kind::Set(t, vs) => return Value::set(t, vs.iter().cloned().map(f).collect()).with_marks(marks),
            Kind::Tuple(vs) => Kind::Tuple(Arc::new(vs.iter().cloned().map(f).collect())),
            Kind::Map(t, vs) => Kind::Map(t, Arc::new(vs.iter().map(|(k, v)| (k.clone(), f(v.clone()))).collect())),
            Kind::Object(vs) => Kind::Object(Arc::new(vs.iter().map(|(k, v)| (k.clone(), f(v.clone()))).collect())),
            other => other,
        };
        Value { kind, marks }
    }

    /// The value's type.
    pub fn ty(&self) -> Type {
        match &self.kind {
            Kind::Null(t) | Kind::Unknown(t, _) => t.clone(),
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::String(_) => Type::String,
            Kind::List(t, _) => Type::list(t.clone()),
            Kind::Set(t, _) => Type::set(t.clone()),
            Kind::Map(t, _) => Type::map(t.clone()),
            Kind::Tuple(vs) => Type::tuple(vs.iter().map(Value::ty)),
            Kind::Object(vs) => Type::object(vs.iter().map(|(k, v)| (k.clone(), v.ty()))),
        }
    }

    fn rank(&self) -> u8 {
        match &self.kind {
            Kind::Null(_) => 0,
            Kind::Bool(_) => 1,
            Kind::Number(_) => 2,
            Kind::String(_) => 3,
            Kind::List(..) => 4,
            Kind::Set(..) => 5,
            Kind::Tuple(_) => 6,
            Kind::Map(..) => 7,
            Kind::Object(_) => 8,
            Kind::Unknown(..) => 9,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Value {}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    /// A total order: by kind, then by contents. Two nulls are equal whatever their types; two unknowns by type.
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.kind, &other.kind) {
            (Kind::Unknown(a, _), Kind::Unknown(b, _)) => a.cmp(b),
            (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
            (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
            (Kind::String(a), Kind::String(b)) => a.cmp(b),
            (Kind::List(_, a), Kind::List(_, b))
            | (Kind::Set(_, a), Kind::Set(_, b))
            | (Kind::Tuple(a), Kind::Tuple(b)) => {
                if Arc::ptr_eq(a, b) {
                    Ordering::Equal
                } else {
                    a.cmp(b)
                }
            }
            (Kind::Map(_, a), Kind::Map(_, b)) | (Kind::Object(a), Kind::Object(b)) => {
                if Arc::ptr_eq(a, b) {
                    Ordering::Equal
                } else {
                    a.cmp(b)
                }
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}
