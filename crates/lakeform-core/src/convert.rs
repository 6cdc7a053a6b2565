//! Conversion between types, by the rules of Terraform's language (cty's `convert` package).

use std::{collections::BTreeMap, sync::Arc};

use crate::{Kind, Number, Path, Step, Type, Value};

/// A value does not fit a type: where in the value, and what was wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConvertError {
    /// Where inside the value.
    pub path: Path,
    /// Terraform's phrase: "a number is required", "attribute \"x\" is required".
    pub message: String,
}

impl ConvertError {
    /// An error at the value itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self { path: Path::root(), message: message.into() }
    }

    /// The same error, seen from the value that holds this one at `step`.
    pub fn inside(mut self, step: Step) -> Self {
        self.path.0.insert(0, step);
        self
    }

    /// The message with its place in front, as Terraform writes it: `element 2: string required`.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        for step in &self.path.0 {
            out.push_str(&match step {
                Step::Index(i) => format!("element {i}: "),
                Step::Key(k) => format!("element {k:?}: "),
                Step::Attr(name) => format!("attribute {name:?}: "),
                Step::Element(_) => "element: ".to_owned(),
            });
        }
        out + &self.message
    }
}

/// Converts a value to a type. Marks and unknowns survive. A value that is of the type already is shared, not rebuilt.
///
/// # Errors
/// When Terraform would not convert it either: `"x"` to number, a list to a string, an object that lacks an attribute.
pub fn convert(value: &Value, ty: &Type) -> Result<Value, ConvertError> {
    Ok(change(value, ty)?.unwrap_or_else(|| value.clone()))
}

/// The converted value; `None` where it is of the type already.
fn change(value: &Value, ty: &Type) -> Result<Option<Value>, ConvertError> {
    let out = match (value.kind(), ty) {
        (_, Type::Dynamic)
        | (Kind::Bool(_), Type::Bool)
        | (Kind::Number(_), Type::Number)
        | (Kind::String(_), Type::String) => return Ok(None),
        (Kind::Null(from), _) => {
            if from == ty {
                return Ok(None);
            }
            Value::null(ty.clone())
        }
        (Kind::Unknown(from, _), _) => {
            if from == ty {
                return Ok(None);
            }
            fits(from, ty)?;
            still_known(value, Value::unknown(known_part(from, ty)))
        }
        (Kind::Bool(b), Type::String) => Value::string(if *b { "true" } else { "false" }),
        (Kind::Number(n), Type::String) => Value::string(n.to_string()),
        (Kind::String(s), Type::Number) => s.parse::<Number>().map_err(|e| ConvertError::new(e.to_string()))?.into(),
        (Kind::String(s), Type::Bool) => bool_from(s)?.into(),
        (Kind::List(t, vs) | Kind::Set(t, vs), Type::List(wanted) | Type::Set(wanted)) => {
            let same_kind =
                matches!((value.kind(), ty), (Kind::List(..), Type::List(_)) | (Kind::Set(..), Type::Set(_)));
            let same_elements = t == &**wanted || matches!(**wanted, Type::Dynamic);
            if vs.is_empty() {
                fits(t, wanted)?;
            }
            if same_kind && same_elements {
                return Ok(None);
            }
            if same_elements { sequence(ty, t.clone(), vs.to_vec()) } else { elements(vs, wanted, ty)? }
        }
        (Kind::Tuple(vs), Type::List(wanted) | Type::Set(wanted)) => elements(vs, wanted, ty)?,
        (Kind::Tuple(vs), Type::Tuple(ts)) => {
            if vs.len() != ts.len() {
                return Err(ConvertError::new("tuple required"));
            }
            let mut changed = false;
            let new = vs.iter().zip(ts.iter()).enumerate().map(|(i, (v, t))| {
                let new = change(v, t).map_err(|e| e.inside(Step::Index(i)))?;
                changed |= new.is_some();
                Ok(new.unwrap_or_else(|| v.clone()))
            });
            let new = new.collect::<Result<_, ConvertError>>()?;
            if !changed {
                return Ok(None);
            }
            Value::tuple(new)
        }
        (Kind::Map(t, _), Type::Map(wanted)) if t == &**wanted || matches!(**wanted, Type::Dynamic) => return Ok(None),
        (Kind::Map(t, vs), Type::Map(wanted)) if vs.is_empty() => {
            fits(t, wanted)?;
            mapping(vs, wanted)?
        }
        (Kind::Map(_, vs) | Kind::Object(vs), Type::Map(wanted)) => mapping(vs, wanted)?,
        (Kind::Map(_, vs) | Kind::Object(vs), Type::Object(ts)) => {
            missing(vs, ts)?;
            let mut changed = matches!(value.kind(), Kind::Map(..)) || vs.len() != ts.len();
            let new = ts.iter().filter_map(|(k, t)| Some((k, t, vs.get(k)?))).map(|(k, t, v)| {
                let new = change(v, t).map_err(|e| e.inside(Step::Attr(k.clone())))?;
                changed |= new.is_some();
                Ok((k.clone(), new.unwrap_or_else(|| v.clone())))
            });
            let new = new.collect::<Result<BTreeMap<Arc<str>, Value>, ConvertError>>()?;
            if !changed {
                return Ok(None);
            }
            Kind::Object(Arc::new(new)).into()
        }
        _ => return Err(required(ty)),
    };
    Ok(Some(out.with_marks(value.marks())))
}

fn bool_from(s: &str) -> Result<bool, ConvertError> {
    match s {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        "True" | "TRUE" => Err(ConvertError::new("a bool is required; to convert from string, use lowercase \"true\"")),
        "False" | "FALSE" => {
            Err(ConvertError::new("a bool is required; to convert from string, use lowercase \"false\""))
        }
        _ => Err(ConvertError::new("a bool is required")),
    }
}

/// A list or set, as `ty` says.
fn sequence(ty: &Type, element: Type, vs: Vec<Value>) -> Value {
    if matches!(ty, Type::Set(_)) { Value::set(element, vs) } else { Value::list(element, vs) }
}

fn elements(vs: &[Value], wanted: &Type, ty: &Type) -> Result<Value, ConvertError> {
    let noun = if matches!(ty, Type::Set(_)) { "set" } else { "list" };
    let mixed = || ConvertError::new(format!("all {noun} elements must have the same type"));
    let element = match wanted {
        Type::Dynamic => common_type(vs).ok_or_else(mixed)?,
        wanted => wanted.clone(),
    };
    let each = |vs: &[Value], t: &Type| {
        vs.iter()
            .enumerate()
            .map(|(i, v)| convert(v, t).map_err(|e| e.inside(Step::Index(i))))
            .collect::<Result<Vec<_>, _>>()
    };
    let new = each(vs, &element)?;
    if element.is_wholly_known() || new.is_empty() {
        return Ok(sequence(ty, element, new));
    }
    // `list(object({a=any}))`: what stands for `any` must still be one type in all elements.
    let element = common_type(&new).filter(|t| of_one_type(t, new.iter())).ok_or_else(mixed)?;
    let new = each(&new, &element)?;
    Ok(sequence(ty, element, new))
}

fn mapping(vs: &BTreeMap<Arc<str>, Value>, wanted: &Type) -> Result<Value, ConvertError> {
    let mixed = || ConvertError::new("all map elements must have the same type");
    let element = match wanted {
        Type::Dynamic => unify_all(vs.values().map(Value::ty)).ok_or_else(mixed)?,
        wanted => wanted.clone(),
    };
    let each = |vs: &BTreeMap<Arc<str>, Value>, t: &Type| {
        vs.iter()
            .map(|(k, v)| Ok((k.clone(), convert(v, t).map_err(|e| e.inside(Step::Key(k.clone())))?)))
            .collect::<Result<BTreeMap<_, _>, ConvertError>>()
    };
    let new = each(vs, &element)?;
    if element.is_wholly_known() || new.is_empty() {
        return Ok(Kind::Map(element, Arc::new(new)).into());
    }
    // Unlike in a list, what is null or unknown here is of the type that the others are of.
    let element = match unify_all(new.values().map(Value::ty)).ok_or_else(mixed)? {
        Type::Dynamic => {
            let mut types: Vec<Type> = new.values().map(Value::ty).filter(|t| *t != Type::Dynamic).collect();
            types.dedup();
            if types.len() > 1 {
                return Err(mixed());
            }
            types.pop().unwrap_or(Type::Dynamic)
        }
        element => element,
    };
    Ok(Kind::Map(element.clone(), Arc::new(each(&new, &element)?)).into())
}

/// Whether elements are of one type where their common type leaves something open.
fn of_one_type<'v>(common: &Type, mut vs: impl Iterator<Item = &'v Value>) -> bool {
    common.is_wholly_known() || vs.next().map(Value::ty).is_none_or(|first| vs.all(|v| v.ty() == first))
}

/// The type that all values convert to. Fast where they are all of one primitive type.
fn common_type(vs: &[Value]) -> Option<Type> {
    unify_all(vs.iter().map(Value::ty))
}

fn unify_all(types: impl Iterator<Item = Type>) -> Option<Type> {
    let mut distinct: Vec<Type> = Vec::new();
    for ty in types {
        if distinct.last() != Some(&ty) && !distinct.contains(&ty) {
            distinct.push(ty);
        }
    }
    unify(&distinct)
}

fn missing<V, T>(vs: &BTreeMap<Arc<str>, V>, ts: &BTreeMap<Arc<str>, T>) -> Result<(), ConvertError> {
    let names: Vec<String> = ts.keys().filter(|k| !vs.contains_key(*k)).map(|k| format!("{k:?}")).collect();
    let message = match names.as_slice() {
        [] => return Ok(()),
        [one] => format!("attribute {one} is required"),
        [one, two] => format!("attributes {one} and {two} are required"),
        [rest @ .., last] => format!("attributes {}, and {last} are required", rest.join(", ")),
    };
    Err(ConvertError::new(message))
}

/// "string required", with `any` spelled as Terraform's messages do.
fn required(ty: &Type) -> ConvertError {
    fn name(ty: &Type) -> String {
        let of = |kind: &str, t: &Type| match t {
            Type::Dynamic => format!("{kind} of any single type"),
            t => format!("{kind} of {}", name(t)),
        };
        match ty {
            Type::Dynamic => "any type".into(),
            Type::List(t) => of("list", t),
            Type::Set(t) => of("set", t),
            Type::Map(t) => of("map", t),
            ty => ty.friendly_name(),
        }
    }
    ConvertError::new(format!("{} required", name(ty)))
}

/// Whether a value of one type, not known yet, may turn out to convert to another.
fn fits(from: &Type, to: &Type) -> Result<(), ConvertError> {
    match (from, to) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => Ok(()),
        (a, b) if a == b => Ok(()),
        (Type::String, b) if b.is_primitive() => Ok(()),
        (a, Type::String) if a.is_primitive() => Ok(()),
        (Type::List(a) | Type::Set(a), Type::List(b) | Type::Set(b)) | (Type::Map(a), Type::Map(b)) => fits(a, b),
        (Type::Tuple(ts), Type::List(b) | Type::Set(b)) => {
            ts.iter().enumerate().try_for_each(|(i, a)| fits(a, b).map_err(|e| e.inside(Step::Index(i))))
        }
        (Type::Tuple(a), Type::Tuple(b)) if a.len() == b.len() => a
            .iter()
            .zip(b.iter())
            .enumerate()
            .try_for_each(|(i, (a, b))| fits(a, b).map_err(|e| e.inside(Step::Index(i)))),
        (Type::Object(ts), Type::Map(b)) => {
            ts.iter().try_for_each(|(k, a)| fits(a, b).map_err(|e| e.inside(Step::Key(k.clone()))))
        }
        (Type::Object(a), Type::Object(b)) => {
            missing(a, b)?;
            b.iter().try_for_each(|(k, b)| {
                a.get(k).map_or(Ok(()), |a| fits(a, b)).map_err(|e| e.inside(Step::Attr(k.clone())))
            })
        }
        (Type::Map(a), Type::Object(ts)) => ts.values().try_for_each(|b| fits(a, b)),
        _ => Err(required(to)),
    }
}

/// The converted unknown value `new` with what is known of `old` that conversion does not touch: that it is not null, and
/// how many elements it has, some of which may become one in a set (cty's `prepareUnknownResult`).
fn still_known(old: &Value, new: Value) -> Value {
    let new = if old.may_be_null() { new } else { new.not_null() };
    let (min, max) = old.length_range();
    match new.kind() {
        Kind::Unknown(Type::Set(_), _) => new.with_length(min.min(1), max),
        _ => new.with_length(min, max),
    }
}

/// The type that an unknown value has after conversion: `any` in the target is what the source says there.
fn known_part(from: &Type, to: &Type) -> Type {
    match (from, to) {
        (from, Type::Dynamic) => from.clone(),
        (Type::List(a) | Type::Set(a), Type::List(b)) => Type::list(known_part(a, b)),
        (Type::List(a) | Type::Set(a), Type::Set(b)) => Type::set(known_part(a, b)),
        (Type::Map(a), Type::Map(b)) => Type::map(known_part(a, b)),
        (Type::Tuple(ts), Type::List(b) | Type::Set(b)) if matches!(**b, Type::Dynamic) => {
            let element = unify(ts).unwrap_or(Type::Dynamic);
            if matches!(to, Type::Set(_)) { Type::set(element) } else { Type::list(element) }
        }
        (Type::Object(ts), Type::Map(b)) if matches!(**b, Type::Dynamic) => {
            Type::map(unify_all(ts.values().cloned()).unwrap_or(Type::Dynamic))
        }
        _ => to.clone(),
    }
}

/// The one type that all of `types` convert to; `None` where there is none. No types at all unify to [`Type::Dynamic`],
/// and [`Type::Dynamic`] among others (the type of a plain `null`) gives way to them.
///
/// Where there is none but the type of one is not known, that one decides: cty puts off the question.
pub fn unify(types: &[Type]) -> Option<Type> {
    let has = |wanted: fn(&Type) -> bool| types.iter().any(wanted);
    unify_known(types).or_else(|| {
        let hopeless = has(|t| matches!(t, Type::Object(_))) && has(|t| matches!(t, Type::Tuple(_)));
        (has(|t| matches!(t, Type::Dynamic)) && !hopeless).then_some(Type::Dynamic)
    })
}

fn unify_known(types: &[Type]) -> Option<Type> {
    let mut known: Vec<&Type> = types.iter().filter(|t| !matches!(t, Type::Dynamic)).collect();
    known.dedup();
    let Some(first) = known.first().copied() else { return Some(Type::Dynamic) };
    let open = types.contains(&Type::Dynamic);
    if known.iter().all(|t| *t == first) && (!open || first.is_primitive()) {
        return Some(first.clone());
    }
    if known.iter().all(|t| t.is_primitive()) {
        return known.iter().any(|t| matches!(t, Type::String)).then_some(Type::String);
    }
    let all = |wanted: fn(&&Type) -> bool| known.iter().all(wanted);
    let kin = all(|t| matches!(t, Type::Object(_) | Type::Map(_)))
        || all(|t| matches!(t, Type::Tuple(_) | Type::List(_)))
        || all(|t| matches!(t, Type::Set(_)));
    if open && kin {
        // What one of them will be decides about all, unless they are primitive (cty's `unifyAllAsDynamic`).
        return None;
    }
    let first = match first {
        _ if open || !kin => None,
        Type::Object(_) | Type::Map(_) => unify_mappings(&known),
        _ => unify_sequences(&known),
    };
    first.or_else(|| one_of(&known))
}

/// A list among the types, else a set, that all others convert to.
fn one_of(types: &[&Type]) -> Option<Type> {
    let lists = types.iter().filter(|t| matches!(t, Type::List(_)));
    let mut candidates = lists.chain(types.iter().filter(|t| matches!(t, Type::Set(_))));
    let becomes = |t: &Type, wanted: &Type| match (t, wanted) {
        (Type::Tuple(ts), Type::List(of) | Type::Set(of)) if **of == Type::Dynamic => unify_known(ts).is_some(),
        _ => fits(t, wanted).is_ok(),
    };
    candidates.find(|wanted| types.iter().all(|t| becomes(t, wanted))).map(|t| (*t).clone())
}

/// Objects with the same attributes give an object; anything else gives a map of all that is in them.
fn unify_mappings(types: &[&Type]) -> Option<Type> {
    if let Some(objects) =
        types.iter().map(|t| if let Type::Object(ts) = t { Some(ts) } else { None }).collect::<Option<Vec<_>>>()
        && let Some(first) = objects.first()
        && objects.iter().all(|ts| ts.keys().eq(first.keys()))
    {
        let attribute = |k: &Arc<str>| unify_all(objects.iter().filter_map(|ts| ts.get(k).cloned()));
        let attributes = first.keys().map(|k| Some((k.clone(), attribute(k)?))).collect::<Option<BTreeMap<_, _>>>()?;
        return Some(Type::Object(Arc::new(attributes)));
    }
    let inner = types.iter().flat_map(|t| match t {
        Type::Object(ts) => ts.values().cloned().collect(),
        Type::Map(t) => vec![(**t).clone()],
        _ => vec![],
    });
    let inner = unify_all(inner)?;
    if inner != Type::Dynamic {
        return Some(Type::map(inner));
    }
    // Where all of them together are put off, each by itself must not be, and what maps hold must be of a kind.
    let alone = |t: &&Type| match t {
        Type::Object(ts) => unify_known(&ts.values().cloned().collect::<Vec<_>>()),
        Type::Map(t) => Some((**t).clone()),
        _ => None,
    };
    let mut each = types.iter().map(alone).collect::<Option<Vec<_>>>()?;
    each.retain(|t| *t != Type::Dynamic);
    let hopeless = types.iter().any(|t| matches!(t, Type::Map(_))) && unify_known(&each).is_none();
    (!hopeless).then(|| Type::map(inner))
}

/// Tuples of one length give a tuple; a list makes a list of all, a set among tuples a set.
fn unify_sequences(types: &[&Type]) -> Option<Type> {
    if let Some(tuples) =
        types.iter().map(|t| if let Type::Tuple(ts) = t { Some(ts) } else { None }).collect::<Option<Vec<_>>>()
        && let Some(first) = tuples.first()
        && tuples.iter().all(|ts| ts.len() == first.len())
    {
        let element = |i: usize| unify_all(tuples.iter().filter_map(|ts| ts.get(i).cloned()));
        return Some(Type::tuple((0..first.len()).map(element).collect::<Option<Vec<_>>>()?));
    }
    let inner = types.iter().flat_map(|t| match t {
        Type::Tuple(ts) => ts.to_vec(),
        Type::List(t) | Type::Set(t) => vec![(**t).clone()],
        _ => vec![],
    });
    let element = unify_all(inner)?;
    let alone = |t: &Type| matches!(t, Type::Tuple(ts) if unify_known(ts).is_some());
    if element == Type::Dynamic
        && !types.iter().all(|t| alone(t) || matches!(t, Type::List(t) | Type::Set(t) if **t == Type::Dynamic))
    {
        return None;
    }
    let has = |wanted: fn(&Type) -> bool| types.iter().any(|t| wanted(t));
    let set = has(|t| matches!(t, Type::Set(_))) && !has(|t| matches!(t, Type::List(_)));
    Some(if set { Type::set(element) } else { Type::list(element) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primitives_convert_as_in_terraform() {
        assert_eq!(convert(&"5".into(), &Type::Number).unwrap(), Value::from(5));
        assert_eq!(convert(&true.into(), &Type::String).unwrap(), Value::from("true"));
        assert_eq!(convert(&"x".into(), &Type::Number).unwrap_err().message, "a number is required");
        assert_eq!(
            convert(&"TRUE".into(), &Type::Bool).unwrap_err().message,
            "a bool is required; to convert from string, use lowercase \"true\""
        );
        assert_eq!(convert(&Value::tuple(vec![]), &Type::String).unwrap_err().message, "string required");
        assert_eq!(convert(&1.into(), &Type::Bool).unwrap_err().message, "bool required");
    }

    #[test]
    fn errors_name_their_place() {
        let value = Value::tuple(vec!["a".into(), Value::tuple(vec![])]);
        assert_eq!(convert(&value, &Type::list(Type::String)).unwrap_err().describe(), "element 1: string required");
        let object = Type::object([("a", Type::String), ("b", Type::String), ("c", Type::String)]);
        let error = convert(&Value::object([("a", Value::from(1))]), &object).unwrap_err();
        assert_eq!(error.message, "attributes \"b\" and \"c\" are required");
        assert_eq!(
            convert(&1.into(), &Type::list(Type::Dynamic)).unwrap_err().message,
            "list of any single type required"
        );
    }

    #[test]
    fn a_tuple_becomes_a_list_of_the_unified_type() {
        let mixed = Value::tuple(vec![1.into(), "a".into()]);
        assert_eq!(
            convert(&mixed, &Type::list(Type::Dynamic)).unwrap(),
            Value::list(Type::String, vec!["1".into(), "a".into()])
        );
        let objects =
            Value::tuple(vec![Value::object([("a", Value::from(1))]), Value::object([("a", Value::from("x"))])]);
        let wanted = Type::list(Type::object([("a", Type::Dynamic)]));
        assert_eq!(convert(&objects, &wanted).unwrap().ty(), Type::list(Type::object([("a", Type::String)])));
    }

    #[test]
    fn marks_survive_conversion() {
        assert!(convert(&Value::from("5").sensitive(), &Type::Number).unwrap().is_sensitive());
    }

    #[test]
    fn what_fits_already_is_shared() {
        let list = Value::list(Type::String, vec!["a".into()]);
        let same = convert(&list, &Type::list(Type::String)).unwrap();
        let (Kind::List(_, a), Kind::List(_, b)) = (list.kind(), same.kind()) else { panic!("lists") };
        assert!(Arc::ptr_eq(a, b));
    }

    /// The answers of `terraform console` 1.11.4 to `true ? A : B`.
    #[test]
    fn types_unify_as_in_terraform() {
        let s = Type::String;
        let n = Type::Number;
        let object = |k: &str, t: &Type| Type::object([(k.to_owned(), t.clone())]);
        let cases = [
            (Type::set(s.clone()), Type::list(s.clone()), Some(Type::list(s.clone()))),
            (Type::set(s.clone()), Type::tuple([s.clone()]), Some(Type::set(s.clone()))),
            (Type::list(s.clone()), Type::list(n.clone()), Some(Type::list(s.clone()))),
            (Type::map(n.clone()), object("b", &s), Some(Type::map(s.clone()))),
            (object("a", &n), object("b", &s), Some(Type::map(s.clone()))),
            (object("a", &n), object("a", &s), Some(object("a", &s))),
            (object("a", &n), object("a", &Type::Bool), None),
            (Type::tuple([n.clone()]), Type::tuple([s.clone(), n.clone()]), Some(Type::list(s.clone()))),
            (Type::tuple([]), Type::object::<Arc<str>>([]), None),
            (n.clone(), Type::Bool, None),
            (Type::Dynamic, n.clone(), Some(n)),
        ];
        for (a, b, wanted) in cases {
            assert_eq!(unify(&[a.clone(), b.clone()]), wanted, "{a} and {b}");
        }
    }
}
