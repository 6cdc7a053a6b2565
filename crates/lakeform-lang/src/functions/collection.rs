//! Lists, maps, tuples and objects.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Kind, Marks, Number, Type, Value, convert, unify};
use unicode_segmentation::UnicodeSegmentation;

use super::{
    Context, Fault, Function, Returns, any, function, list, number,
    numeric::whole,
    signature::Ty,
    string::{string, strings},
    text, typed,
};
use crate::eval::equal;

pub(super) const TABLE: &[Function] = &[
    function("alltrue", &[typed("list", Ty::ListOfBool)], Returns::Bool, |_, args| truth(args, true)),
    function("anytrue", &[typed("list", Ty::ListOfBool)], Returns::Bool, |_, args| truth(args, false)),
    function(
        "chunklist",
        &[list("list").marked(), number("size")],
        Returns::By(|args| Ok(Type::list(args[0].ty()))),
        chunk_list,
    ),
    function("coalesce", &[], Returns::Any, coalesce).rest(any("vals").nullable().unknown()),
    function("coalescelist", &[], Returns::Any, coalesce_list).rest(any("vals").nullable().unknown()).null(),
    function("compact", &[typed("list", Ty::ListOfString).deep()], Returns::ListOfString, |_, args| {
        Ok(strings(args[0].children().filter_map(Value::as_str).filter(|s| !s.is_empty())))
    }),
    function("concat", &[], Returns::Any, concat).rest(any("seqs").unknown().marked()),
    function("contains", &[any("list"), any("value")], Returns::Bool, contains),
    function("distinct", &[list("list").deep()], Returns::First, distinct),
    function("element", &[any("list").unknown().marked(), number("index")], Returns::By(element_type), element).null(),
    function("flatten", &[any("list").unknown().marked()], Returns::Any, flatten),
    function("index", &[any("list"), any("value")], Returns::Number, index),
    function("keys", &[any("inputMap").unknown().marked()], Returns::Any, keys),
    function("length", &[any("value").unknown().marked()], Returns::Number, length),
    function("lookup", &[any("inputMap").unknown().marked(), text("key").marked()], Returns::By(lookup_type), lookup)
        .null()
        .rest(any("default").nullable().unknown().marked()),
    function(
        "matchkeys",
        &[list("values").deep(), list("keys"), list("searchset")],
        Returns::By(match_keys_type),
        match_keys,
    ),
    function("merge", &[], Returns::Any, merge).rest(any("maps").nullable().unknown().marked()),
    function("one", &[any("list").unknown().marked()], Returns::Any, one).null(),
    function("range", &[], Returns::ListOfNumber, range).rest(number("params")),
    function("reverse", &[any("list").marked()], Returns::By(|args| reversed_type(&args[0].ty())), reverse),
    function(
        "slice",
        &[any("list").marked(), number("start_index"), number("end_index")],
        Returns::By(|args| Ok(part(&args[0].ty(), args)?.0)),
        slice,
    ),
    function("sort", &[typed("list", Ty::ListOfString).unknown()], Returns::ListOfString, sort),
    function("sum", &[any("list")], Returns::Number, sum),
    function("transpose", &[typed("values", Ty::MapOfListOfString).deep()], Returns::MapOfListOfString, transpose),
    function("values", &[any("mapping").marked()], Returns::By(values_type), values),
    function(
        "zipmap",
        &[typed("keys", Ty::ListOfString).deep().marked(), any("values").marked()],
        Returns::By(zip_map_type),
        zip_map,
    ),
];

fn reversed_type(ty: &Type) -> Result<Type, Fault> {
    Ok(match ty {
        Type::List(t) | Type::Set(t) => Type::List(t.clone()),
        Type::Tuple(ts) => Type::tuple(ts.iter().rev().cloned()),
        ty => {
            return Err(Fault::arg(0, format!("can only reverse list or tuple values, not {}", ty.friendly_name())));
        }
    })
}

/// The type of an element while its number is not known.
fn element_type(args: &[Value]) -> Result<Type, Fault> {
    match args[0].ty() {
        Type::List(t) => Ok((*t).clone()),
        Type::Tuple(_) | Type::Dynamic => Ok(Type::Dynamic),
        ty => Err(format!("cannot read elements from {}", ty.friendly_name()).into()),
    }
}

fn values_type(args: &[Value]) -> Result<Type, Fault> {
    match args[0].ty() {
        Type::Map(t) => Ok(Type::List(t)),
        Type::Object(ts) => Ok(Type::tuple(ts.values().cloned())),
        _ => Err("values() requires a map as the first argument".into()),
    }
}

fn zip_map_type(args: &[Value]) -> Result<Type, Fault> {
    match args[1].ty() {
        Type::List(t) => Ok(Type::Map(t)),
        Type::Tuple(_) if !args[0].is_wholly_known() => Ok(Type::Dynamic),
        Type::Tuple(ts) => {
            let keys = items(&args[0]).unwrap_or_default();
            same_number(keys.len(), ts.len())?;
            Ok(Type::object(keys.iter().filter_map(Value::as_str).zip(ts.iter().cloned())))
        }
        _ => Err("values argument must be a list or tuple value".into()),
    }
}

fn match_keys_type(args: &[Value]) -> Result<Type, Fault> {
    if unify(&[args[1].ty(), args[2].ty()]).is_none() {
        return Err("keys and searchset must be of the same type".into());
    }
    match (args.iter().all(Value::is_known), args[0].as_slice(), args[1].as_slice()) {
        (true, Some(values), Some(keys)) if values.len() != keys.len() => {
            Err("length of keys and values should be equal".into())
        }
        _ => Ok(args[0].ty()),
    }
}

/// The type of what is looked up while the key is not known.
fn lookup_type(args: &[Value]) -> Result<Type, Fault> {
    if args.len() > 3 {
        return Err(format!("lookup() takes two or three arguments, got {}", args.len()).into());
    }
    match args[0].ty() {
        Type::Map(t) => match args.get(2).map(|default| convert(default, &t)) {
            Some(Err(_)) => Err(Fault::arg(2, "the default value must have the same type as the map elements")),
            _ => Ok((*t).clone()),
        },
        Type::Object(_) | Type::Dynamic => Ok(Type::Dynamic),
        _ => Err(Fault::arg(0, "lookup() requires a map as the first argument")),
    }
}

fn same_number(keys: usize, values: usize) -> Result<(), Fault> {
    if keys == values {
        return Ok(());
    }
    Err(format!("number of keys ({keys}) does not match number of values ({values})").into())
}

/// The elements of a list, set or tuple, which the call has made sure are known.
fn items(value: &Value) -> Option<&[Value]> {
    value.as_slice()
}

fn truth(args: &[Value], all: bool) -> Result<Value, Fault> {
    let mut unknown = false;
    for v in args[0].children() {
        match v.as_bool() {
            Some(b) if b != all => return Ok((!all).into()),
            // Null counts as false.
            None if v.is_null() && all => return Ok(false.into()),
            None if !v.is_known() => unknown = true,
            _ => {}
        }
    }
    Ok(if unknown { Value::unknown(Type::Bool) } else { all.into() })
}

fn chunk_list(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let size = whole(args, 1)?;
    let size = usize::try_from(size).map_err(|_| Fault::from("the size argument must be positive"))?;
    let (ty, vs) = match args[0].kind() {
        Kind::List(t, vs) => (t.clone(), vs),
        _ => return Err("a list is required".into()),
    };
    let chunks: Vec<Value> = match size {
        0 if vs.is_empty() => vec![],
        0 => vec![args[0].clone().unmarked()],
        size => vs.chunks(size).map(|c| Value::list(ty.clone(), c.to_vec())).collect(),
    };
    Ok(Value::list(Type::list(ty), chunks).with_marks(args[0].marks()))
}

fn coalesce(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let mismatch = || Fault::from("all arguments must have the same type");
    if args.is_empty() {
        return Err(mismatch());
    }
    let ty = unify(&args.iter().map(Value::ty).collect::<Vec<_>>()).ok_or_else(mismatch)?;
    for arg in args {
        match arg.kind() {
            Kind::Null(_) => {}
            Kind::String(s) if s.is_empty() => {}
            Kind::Unknown(..) => return Ok(Value::unknown(ty)),
            _ => {
                // One that does not convert after all is passed over, as in Terraform.
                if let Ok(value) = convert(arg, &ty)
                    && value.as_str() != Some("")
                {
                    return Ok(value);
                }
            }
        }
    }
    Err("no non-null, non-empty-string arguments".into())
}

fn coalesce_list(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.is_empty() {
        return Err("at least one argument is required".into());
    }
    let is_list = |v: &Value| matches!(v.ty(), Type::List(_) | Type::Tuple(_));
    if args.iter().take_while(|v| v.is_known()).any(|v| !is_list(v)) {
        return Err("coalescelist arguments must be lists or tuples".into());
    }
    for arg in args {
        match arg.kind() {
            Kind::Unknown(..) => return Ok(Value::unknown(Type::Dynamic)),
            Kind::List(_, vs) | Kind::Tuple(vs) if !vs.is_empty() => return Ok(arg.clone()),
            _ => {}
        }
    }
    Err("no non-null arguments".into())
}

fn concat(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.is_empty() {
        return Err("at least one argument is required".into());
    }
    if args.iter().any(|v| matches!(v.kind(), Kind::Unknown(Type::Dynamic, _))) {
        return Ok(Value::unknown(Type::Dynamic));
    }
    let mut marks = Marks::NONE;
    let mut all = Vec::new();
    let mut lists = Vec::new();
    let mut known = true;
    for (i, arg) in args.iter().enumerate() {
        marks = marks.union(arg.marks());
        match arg.kind() {
            Kind::List(t, vs) => {
                lists.push(t.clone());
                all.extend(vs.iter().cloned());
            }
            Kind::Tuple(vs) => all.extend(vs.iter().cloned()),
            Kind::Unknown(Type::List(t), _) => {
                lists.push((**t).clone());
                known = false;
            }
            Kind::Unknown(Type::Tuple(ts), _) => all.extend(ts.iter().map(|t| Value::unknown(t.clone()))),
            // What comes behind a list of unknown length is not looked at.
            _ if !known => {}
            _ => {
                return Err(Fault::arg(
                    i,
                    format!("all arguments must be lists or tuples; got {}", arg.ty().friendly_name()),
                ));
            }
        }
    }
    // Lists of types that agree give a list; a tuple among them gives a tuple.
    let element = (lists.len() == args.len()).then(|| unify(&lists)).flatten();
    // A null in a list of nothing but nulls is of the type that the others are of.
    lists.retain(|t| *t != Type::Dynamic);
    lists.dedup();
    let element = element.map(|t| if let (Type::Dynamic, [only]) = (&t, lists.as_slice()) { only.clone() } else { t });
    let value = match element {
        Some(t) if known => {
            let vs = all
                .iter()
                .map(|v| convert(v, &t).map_err(|e| Fault::from(e.describe())))
                .collect::<Result<Vec<_>, _>>()?;
            Value::list(t, vs)
        }
        None if known => Value::tuple(all),
        // Terraform drops the marks of what it cannot put together yet.
        Some(t) => return Ok(Value::unknown(Type::list(t))),
        None => return Ok(Value::unknown(Type::Dynamic)),
    };
    Ok(value.with_marks(marks))
}

fn contains(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let vs = items(&args[0]).ok_or("argument must be list, tuple, or set")?;
    let mut unknown = false;
    for v in vs {
        match equal(&args[1], v) {
            Some(true) => return Ok(true.into()),
            Some(false) => {}
            None => unknown = true,
        }
    }
    Ok(if unknown { Value::unknown(Type::Bool) } else { false.into() })
}

fn distinct(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let Kind::List(ty, vs) = args[0].kind() else { return Err("a list is required".into()) };
    let mut seen = std::collections::BTreeSet::new();
    let out = vs.iter().filter(|v| seen.insert(*v)).cloned().collect();
    Ok(Value::list(ty.clone(), out))
}

fn element(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let list = &args[0];
    let at = whole(args, 1).map_err(|_| {
        Fault::from("invalid index: value must be a whole number, between -9223372036854775808 and 9223372036854775807")
    })?;
    let empty = || Fault::from("cannot use element function with an empty list");
    // A negative number counts from the end; Terraform fails with one on a tuple.
    let place = |length: usize, tuple: bool| match at.checked_rem_euclid(length as i64) {
        None => Err(empty()),
        Some(_) if tuple && at < 0 => Err(Fault::from("cannot use element function with a negative index")),
        Some(at) => Ok(at as usize),
    };
    let found = match list.kind() {
        Kind::List(_, vs) => vs[place(vs.len(), false)?].clone(),
        Kind::Tuple(vs) => vs[place(vs.len(), true)?].clone(),
        Kind::Unknown(Type::List(t), _) => Value::unknown((**t).clone()),
        Kind::Unknown(Type::Tuple(ts), _) => Value::unknown(ts[place(ts.len(), true)?].clone()),
        Kind::Unknown(Type::Dynamic, _) => Value::unknown(Type::Dynamic),
        _ => return Err(format!("cannot read elements from {}", list.ty().friendly_name()).into()),
    };
    Ok(if list.is_known() { found.with_marks(list.marks()) } else { found })
}

fn flatten(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    /// Whether all lengths are known.
    fn walk(value: &Value, out: &mut Vec<Value>, marks: &mut Marks) -> bool {
        value.children().all(|v| match v.kind() {
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                *marks = marks.union(v.marks());
                walk(v, out, marks)
            }
            Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_) | Type::Dynamic, _) => false,
            _ => {
                out.push(v.clone());
                true
            }
        })
    }
    let mut marks = args[0].marks();
    match args[0].kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {}
        Kind::Unknown(..) => return Ok(Value::unknown(Type::Dynamic)),
        // Terraform looks at the type only of what is all known.
        Kind::Map(..) | Kind::Object(_) if !args[0].is_wholly_known() => {}
        _ => return Err("can only flatten lists, sets and tuples".into()),
    }
    let mut out = Vec::new();
    let known = walk(&args[0], &mut out, &mut marks);
    Ok(if known { Value::tuple(out) } else { Value::unknown(Type::Dynamic) }.with_marks(marks))
}

fn index(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let vs = match args[0].kind() {
        Kind::List(_, vs) | Kind::Tuple(vs) => vs,
        _ => return Err("argument must be a list or tuple".into()),
    };
    if vs.is_empty() {
        return Err("cannot search an empty list".into());
    }
    for (i, v) in vs.iter().enumerate() {
        match equal(v, &args[1]) {
            Some(true) => return Ok(Number::from(i).into()),
            Some(false) => {}
            None => return Ok(Value::unknown(Type::Number)),
        }
    }
    Err("item not found".into())
}

fn keys(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let map = &args[0];
    let texts = |names: &mut dyn Iterator<Item = &Arc<str>>| names.map(|k| Value::from(k.clone())).collect::<Vec<_>>();
    let out = match map.kind() {
        Kind::Map(_, vs) => Value::list(Type::String, texts(&mut vs.keys())),
        Kind::Object(vs) => Value::tuple(texts(&mut vs.keys())),
        Kind::Unknown(Type::Object(ts), _) => Value::tuple(texts(&mut ts.keys())),
        Kind::Unknown(Type::Map(_), _) => Value::unknown(Type::list(Type::String)),
        Kind::Unknown(Type::Dynamic, _) => Value::unknown(Type::Dynamic),
        _ => return Err(Fault::arg(0, "must have map or object type")),
    };
    Ok(out.with_marks(map.marks()))
}

fn length(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    let count = match value.kind() {
        Kind::String(s) => s.graphemes(true).count(),
        Kind::List(_, vs) | Kind::Tuple(vs) => vs.len(),
        // Unknown elements may turn out to be the same.
        Kind::Set(_, vs) if vs.len() <= 1 || vs.iter().all(Value::is_wholly_known) => vs.len(),
        Kind::Map(_, vs) | Kind::Object(vs) => vs.len(),
        Kind::Unknown(Type::Tuple(ts), _) => ts.len(),
        Kind::Unknown(Type::Object(ts), _) => ts.len(),
        Kind::Unknown(Type::String, _) => {
            let least = Number::from(value.prefix().graphemes(true).count());
            return Ok(Value::unknown(Type::Number).with_range(Some(least), None).with_marks(value.marks()));
        }
        Kind::Set(..) | Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Map(_), _) => {
            let (least, most) = value.length_range();
            let most = Number::from(most.min(i64::MAX as usize));
            let number = Value::unknown(Type::Number).with_range(Some(least.into()), Some(most));
            return Ok(number.not_null().with_marks(value.marks()));
        }
        Kind::Unknown(Type::Dynamic, _) => return Ok(Value::unknown(Type::Number).with_marks(value.marks())),
        _ => return Err("argument must be a string, a collection type, or a structural type".into()),
    };
    Ok(Value::from(Number::from(count)).with_marks(value.marks()))
}

fn lookup(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    lookup_type(args)?;
    let (map, key, default) = (&args[0], string(args, 1), args.get(2));
    let mismatch = || Fault::arg(2, "the default value must have the same type as the map elements");
    let marks = map.marks().union(args[1].marks());
    let missing = |what: &str| Fault::arg(0, format!("the given {what} {key:?}"));
    let found = match map.kind() {
        Kind::Object(vs) => match (vs.get(key), default) {
            (Some(v), _) => v.clone(),
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(missing("object has no attribute")),
        },
        Kind::Map(ty, vs) => {
            let default = default.map(|d| convert(d, ty).map_err(|_| mismatch())).transpose()?;
            match (vs.get(key), default) {
                (Some(v), _) => v.clone(),
                (None, Some(default)) => default,
                (None, None) => return Err(format!("lookup failed to find key {key:?}").into()),
            }
        }
        Kind::Unknown(Type::Map(t), _) => {
            default.map(|d| convert(d, t).map_err(|_| mismatch())).transpose()?;
            Value::unknown((**t).clone())
        }
        Kind::Unknown(Type::Object(ts), _) => match (ts.get(key), default) {
            (Some(t), _) => Value::unknown(t.clone()),
            (None, Some(default)) => Value::unknown(default.ty()),
            (None, None) => return Err(missing("object has no attribute")),
        },
        Kind::Unknown(Type::Dynamic, _) => Value::unknown(Type::Dynamic),
        _ => return Err(Fault::arg(0, "lookup() requires a map as the first argument")),
    };
    Ok(found.with_marks(marks))
}

fn match_keys(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (Kind::List(ty, values), Some(keys), Some(wanted)) = (args[0].kind(), items(&args[1]), items(&args[2])) else {
        return Err("lists are required".into());
    };
    match_keys_type(args)?;
    let mut chosen = Vec::new();
    for (value, key) in values.iter().zip(keys) {
        for w in wanted {
            match equal(key, w) {
                Some(true) => {
                    chosen.push(value.clone());
                    break;
                }
                Some(false) => {}
                None => return Ok(Value::unknown(Type::list(ty.clone()))),
            }
        }
    }
    Ok(Value::list(ty.clone(), chosen))
}

fn merge(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let mut marks = Marks::NONE;
    let mut out: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let mut known = true;
    let mut map_type: Option<Option<Type>> = None;
    let mut waits = false;
    for arg in args {
        let this = match arg.kind() {
            Kind::Null(Type::Map(t)) => Some((**t).clone()),
            Kind::Null(Type::Object(_) | Type::Dynamic) => None,
            Kind::Map(t, vs) => {
                out.extend(vs.iter().map(|(k, v)| (k.clone(), v.clone())));
                Some(t.clone())
            }
            Kind::Object(vs) => {
                out.extend(vs.iter().map(|(k, v)| (k.clone(), v.clone())));
                None
            }
            Kind::Unknown(Type::Map(t), _) => {
                known = false;
                Some((**t).clone())
            }
            Kind::Unknown(Type::Object(ts), _) => {
                waits = true;
                out.extend(ts.iter().map(|(k, t)| (k.clone(), Value::unknown(t.clone()))));
                None
            }
            // What comes behind it is not looked at.
            Kind::Unknown(Type::Dynamic, _) => return Ok(Value::unknown(Type::Dynamic)),
            _ => return Err(format!("arguments must be maps or objects, got {:?}", arg.ty().friendly_name()).into()),
        };
        if !arg.is_null() {
            marks = marks.union(arg.marks());
        }
        map_type = Some(match map_type {
            None => this,
            Some(before) if before == this => before,
            Some(_) => None,
        });
    }
    let value = match (map_type.flatten(), known) {
        (Some(t), true) => Kind::Map(t, Arc::new(out)).into(),
        (Some(t), false) => Value::unknown(Type::map(t)),
        (None, true) => Kind::Object(Arc::new(out)).into(),
        (None, false) => Value::unknown(Type::Dynamic),
    };
    // Terraform waits for an argument that is not known, even where its attributes are, and drops its marks.
    Ok(if waits || !known { Value::unknown(value.ty()) } else { value.with_marks(marks) })
}

fn one(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let list = &args[0];
    let wrong = || Fault::arg(0, "must be a list, set, or tuple value with either zero or one elements");
    let found = match list.kind() {
        // Unknown elements of a set may turn out to be one.
        Kind::Set(t, _) if list.length_range().0 != list.length_range().1 => Value::unknown(t.clone()),
        Kind::List(t, vs) | Kind::Set(t, vs) => match vs.as_slice() {
            [] => Value::null(t.clone()),
            [only] => only.clone(),
            _ => return Err(wrong()),
        },
        Kind::Tuple(vs) => match vs.as_slice() {
            [] => Value::null(Type::Dynamic),
            [only] => only.clone(),
            _ => return Err(wrong()),
        },
        Kind::Unknown(Type::List(t) | Type::Set(t), _) => Value::unknown((**t).clone()),
        Kind::Unknown(Type::Tuple(ts), _) => match &**ts {
            [] => Value::unknown(Type::Dynamic),
            [only] => Value::unknown(only.clone()),
            _ => return Err(wrong()),
        },
        Kind::Unknown(Type::Dynamic, _) => Value::unknown(Type::Dynamic),
        _ => return Err(wrong()),
    };
    Ok(found.with_marks(list.marks()))
}

fn range(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    const LIMIT: usize = 1024;
    let zero = Number::from(0_i64);
    let given: Vec<&Number> = args.iter().filter_map(Value::as_number).collect();
    let (start, end, step) = match given.as_slice() {
        [end] => (zero.clone(), (*end).clone(), None),
        [start, end] => ((*start).clone(), (*end).clone(), None),
        [start, end, step] => ((*start).clone(), (*end).clone(), Some((*step).clone())),
        _ => return Err("must have one, two, or three arguments".into()),
    };
    let down = end < start;
    let step = step.unwrap_or_else(|| Number::from(if down { -1_i64 } else { 1 }));
    if down && step > zero {
        return Err(Fault::arg(2, "end must be greater than start when step is positive"));
    }
    if !down && step < zero {
        return Err(Fault::arg(2, "end must be less than start when step is negative"));
    }
    let mut out = Vec::new();
    let mut at = start;
    while if down { at > end } else { at < end } {
        if out.len() >= LIMIT {
            let why = "more than 1024 values were generated; either decrease the difference between start and end or use a smaller step";
            return Err(why.into());
        }
        out.push(at.clone().into());
        at = at.add(&step);
    }
    Ok(Value::list(Type::Number, out))
}

fn reverse(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    let out = match value.kind() {
        Kind::List(t, vs) | Kind::Set(t, vs) => Value::list(t.clone(), vs.iter().rev().cloned().collect()),
        Kind::Tuple(vs) => Value::tuple(vs.iter().rev().cloned().collect()),
        _ => return Err(reversed_type(&value.ty()).err().unwrap_or_else(|| "a list is required".into())),
    };
    Ok(out.with_marks(value.marks()))
}

fn slice(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    let (_, range) = part(&value.ty(), args)?;
    let out = match value.kind() {
        Kind::List(t, vs) => {
            let range = within(range, vs.len())?;
            Value::list(t.clone(), vs[range].to_vec())
        }
        _ => {
            let vs = items(value).unwrap_or_default();
            Value::tuple(vs[within(range, vs.len())?].to_vec())
        }
    };
    Ok(out.with_marks(value.marks()))
}

/// The type of a slice of something of a type, and the bounds as far as they are known.
fn part(ty: &Type, args: &[Value]) -> Result<(Type, [Option<i64>; 2]), Fault> {
    let bounds = [1, 2].map(|i| args[i].is_known().then(|| whole(args, i)).transpose());
    match ty {
        Type::List(_) => {
            let [start, end] = bounds;
            let bounds = [start?, end?];
            within(bounds, usize::MAX)?;
            Ok((ty.clone(), bounds))
        }
        Type::Tuple(ts) => {
            let [start, end] = bounds;
            let bounds = [start?, end?];
            let range = within(bounds, ts.len())?;
            let known = bounds.iter().all(Option::is_some);
            Ok((if known { Type::tuple(ts[range].iter().cloned()) } else { Type::Dynamic }, bounds))
        }
        Type::Set(_) => Err(Fault::arg(
            0,
            "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important",
        )),
        _ => Err(Fault::arg(0, "must be a list or tuple value")),
    }
}

/// Bounds that lie within a length, and in order.
fn within([start, end]: [Option<i64>; 2], length: usize) -> Result<std::ops::Range<usize>, Fault> {
    let index = |n: i64, arg: usize, noun: &str| {
        let n = usize::try_from(n).map_err(|_| Fault::arg(arg, format!("{noun} index must not be less than zero")))?;
        if n > length {
            return Err(Fault::arg(arg, format!("{noun} index must not be greater than the length of the list")));
        }
        Ok(n)
    };
    let (start, end) = (
        start.map(|n| index(n, 1, "start")).transpose()?.unwrap_or(0),
        end.map(|n| index(n, 2, "end")).transpose()?.unwrap_or(length),
    );
    if start > end {
        return Err(Fault::arg(1, "start index must not be greater than end index"));
    }
    Ok(start..end)
}

fn sort(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if !args[0].is_wholly_known() {
        let (min, max) = args[0].length_range();
        return Ok(Value::unknown(Type::list(Type::String)).with_length(min, max));
    }
    let mut texts = Vec::new();
    for (i, v) in args[0].children().enumerate() {
        texts.push(
            v.as_str().ok_or_else(|| {
                Fault::from(format!("given list element {i} is null; a null string cannot be sorted"))
            })?,
        );
    }
    texts.sort_unstable();
    Ok(strings(texts))
}

fn sum(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let vs = items(&args[0]).ok_or_else(|| Fault::arg(0, "cannot sum noniterable"))?;
    if vs.is_empty() {
        return Err(Fault::arg(0, "cannot sum an empty list"));
    }
    if !args[0].is_wholly_known() {
        return Ok(Value::unknown(Type::Number));
    }
    // The sum of negative zeros is one.
    let mut total = Number::from(0_i64).neg();
    for v in vs {
        let n = convert(v, &Type::Number).ok().filter(|n| !n.is_null());
        let n = n.as_ref().and_then(Value::as_number);
        total = total.add(n.ok_or_else(|| Fault::arg(0, "argument must be list, set, or tuple of number values"))?);
    }
    Ok(total.into())
}

fn transpose(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let mut out: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, list) in args[0].as_mapping().into_iter().flatten() {
        if list.is_null() {
            return Err("input must not contain null list".into());
        }
        for item in list.children() {
            let Kind::String(name) = item.kind() else {
                return Err(Fault::arg(0, "input must not contain null elements"));
            };
            out.entry(name.clone()).or_default().push(key.clone().into());
        }
    }
    Ok(Value::map(Type::list(Type::String), out.into_iter().map(|(k, vs)| (k, Value::list(Type::String, vs)))))
}

fn values(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    let out = match value.kind() {
        Kind::Map(t, vs) => Value::list(t.clone(), vs.values().cloned().collect()),
        Kind::Object(vs) => Value::tuple(vs.values().cloned().collect()),
        _ => return Err("values() requires a map as the first argument".into()),
    };
    Ok(out.with_marks(value.marks()))
}

fn zip_map(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (Some(keys), Some(vs), true) = (items(&args[0]), items(&args[1]), !matches!(args[1].kind(), Kind::Set(..)))
    else {
        return Err("values argument must be a list or tuple value".into());
    };
    same_number(keys.len(), vs.len())?;
    if let Some(i) = keys.iter().position(Value::is_null) {
        return Err(format!("keys list has null value at index {i}").into());
    }
    let pairs: BTreeMap<Arc<str>, Value> = keys
        .iter()
        .zip(vs)
        .filter_map(|(k, v)| if let Kind::String(k) = k.kind() { Some((k.clone(), v.clone())) } else { None })
        .collect();
    let out: Value = match args[1].kind() {
        Kind::List(t, _) => Kind::Map(t.clone(), Arc::new(pairs)).into(),
        _ => Kind::Object(Arc::new(pairs)).into(),
    };
    Ok(out.with_marks(args[1].marks()).with_marks(args[0].marks_deep()))
}
