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
        Returns::By(|args| Type::list(args[0].ty())),
        chunk_list,
    ),
    function("coalesce", &[], Returns::Any, coalesce).rest(any("vals").nullable().unknown()),
    function("coalescelist", &[], Returns::Any, coalesce_list).rest(any("vals").nullable().unknown()),
    function("compact", &[typed("list", Ty::ListOfString).deep()], Returns::ListOfString, |_, args| {
        Ok(strings(args[0].children().filter_map(Value::as_str).filter(|s| !s.is_empty())))
    }),
    function("concat", &[], Returns::Any, concat).rest(any("seqs").unknown().marked()),
    function("contains", &[any("list"), any("value")], Returns::Bool, contains),
    function("distinct", &[list("list").deep()], Returns::First, distinct),
    function("element", &[any("list").unknown().marked(), number("index")], Returns::Any, element),
    function("flatten", &[any("list").unknown().marked()], Returns::Any, flatten),
    function("index", &[any("list").deep(), any("value").deep()], Returns::Number, index),
    function("keys", &[any("inputMap").unknown().marked()], Returns::Any, keys),
    function("length", &[any("value").unknown().marked()], Returns::Number, length),
    function("lookup", &[any("inputMap").unknown().marked(), text("key").marked()], Returns::Any, lookup)
        .rest(any("default").unknown().marked()),
    function(
        "matchkeys",
        &[list("values").deep(), list("keys").deep(), list("searchset").deep()],
        Returns::First,
        match_keys,
    ),
    function("merge", &[], Returns::Any, merge).rest(any("maps").nullable().unknown().marked()),
    function("one", &[any("list").unknown().marked()], Returns::Any, one),
    function("range", &[], Returns::ListOfNumber, range).rest(number("params")),
    function("reverse", &[any("list").marked()], Returns::By(|args| sequence_type(&args[0].ty())), reverse),
    function("slice", &[any("list").marked(), number("start_index"), number("end_index")], Returns::Any, slice),
    function("sort", &[typed("list", Ty::ListOfString).deep()], Returns::ListOfString, sort),
    function("sum", &[any("list").deep()], Returns::Number, sum),
    function("transpose", &[typed("values", Ty::MapOfListOfString).deep()], Returns::Any, transpose),
    function("values", &[any("mapping").marked()], Returns::Any, values),
    function("zipmap", &[typed("keys", Ty::ListOfString).deep(), any("values").marked()], Returns::Any, zip_map),
];

/// `list(T)` of a set, everything else as it is.
fn sequence_type(ty: &Type) -> Type {
    match ty {
        Type::Set(t) => Type::List(t.clone()),
        ty => ty.clone(),
    }
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
            Kind::Unknown(_) => return Ok(Value::unknown(ty)),
            _ => {
                let value = convert(arg, &ty).map_err(|e| Fault::from(e.describe()))?;
                if value.as_str() != Some("") {
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
    for arg in args {
        match arg.kind() {
            Kind::Unknown(_) => return Ok(Value::unknown(Type::Dynamic)),
            Kind::List(_, vs) | Kind::Tuple(vs) if vs.is_empty() => {}
            Kind::List(..) | Kind::Tuple(_) => return Ok(arg.clone()),
            Kind::Null(Type::List(_) | Type::Tuple(_)) => {}
            _ => return Err("coalescelist arguments must be lists or tuples".into()),
        }
    }
    Err("no non-null arguments".into())
}

fn concat(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.is_empty() {
        return Err("at least one argument is required".into());
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
            Kind::Unknown(Type::List(t)) => {
                lists.push((**t).clone());
                known = false;
            }
            Kind::Unknown(Type::Tuple(ts)) => all.extend(ts.iter().map(|t| Value::unknown(t.clone()))),
            Kind::Unknown(Type::Dynamic) => known = false,
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
    let value = match element {
        Some(t) if known => {
            let vs = all
                .iter()
                .map(|v| convert(v, &t).map_err(|e| Fault::from(e.describe())))
                .collect::<Result<Vec<_>, _>>()?;
            Value::list(t, vs)
        }
        Some(t) => Value::unknown(Type::list(t)),
        None if known => Value::tuple(all),
        None => Value::unknown(Type::Dynamic),
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
    let at = usize::try_from(at).map_err(|_| Fault::from("cannot use element function with a negative index"))?;
    let empty = || Fault::from("cannot use element function with an empty list");
    let found = match list.kind() {
        Kind::List(_, vs) | Kind::Tuple(vs) => vs[at.checked_rem(vs.len()).ok_or_else(empty)?].clone(),
        Kind::Unknown(Type::List(t)) => Value::unknown((**t).clone()),
        Kind::Unknown(Type::Tuple(ts)) => Value::unknown(ts[at.checked_rem(ts.len()).ok_or_else(empty)?].clone()),
        Kind::Unknown(Type::Dynamic) => Value::unknown(Type::Dynamic),
        _ => return Err(format!("cannot read elements from {}", list.ty().friendly_name()).into()),
    };
    Ok(found.with_marks(list.marks()))
}

fn flatten(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    /// Whether all lengths are known.
    fn walk(value: &Value, out: &mut Vec<Value>, marks: &mut Marks) -> bool {
        value.children().all(|v| match v.kind() {
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                *marks = marks.union(v.marks());
                walk(v, out, marks)
            }
            Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Dynamic) => false,
            Kind::Unknown(Type::Tuple(ts)) => {
                out.extend(ts.iter().map(|t| Value::unknown(t.clone())));
                true
            }
            _ => {
                out.push(v.clone());
                true
            }
        })
    }
    let mut marks = args[0].marks();
    match args[0].kind() {
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {}
        Kind::Unknown(Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
            return Ok(Value::unknown(Type::Dynamic).with_marks(marks));
        }
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
    let found = vs.iter().position(|v| equal(v, &args[1]) == Some(true)).ok_or("item not found")?;
    Ok(Number::from(found).into())
}

fn keys(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let map = &args[0];
    let texts = |names: &mut dyn Iterator<Item = &Arc<str>>| names.map(|k| Value::from(k.clone())).collect::<Vec<_>>();
    let out = match map.kind() {
        Kind::Map(_, vs) => Value::list(Type::String, texts(&mut vs.keys())),
        Kind::Object(vs) => Value::tuple(texts(&mut vs.keys())),
        Kind::Unknown(Type::Object(ts)) => Value::tuple(texts(&mut ts.keys())),
        Kind::Unknown(Type::Map(_)) => Value::unknown(Type::list(Type::String)),
        Kind::Unknown(Type::Dynamic) => Value::unknown(Type::Dynamic),
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
        Kind::Unknown(Type::Tuple(ts)) => ts.len(),
        Kind::Unknown(Type::Object(ts)) => ts.len(),
        Kind::Set(..) | Kind::Unknown(Type::String | Type::Dynamic | Type::List(_) | Type::Set(_) | Type::Map(_)) => {
            return Ok(Value::unknown(Type::Number).with_marks(value.marks()));
        }
        _ => return Err("argument must be a string, a collection type, or a structural type".into()),
    };
    Ok(Value::from(Number::from(count)).with_marks(value.marks()))
}

fn lookup(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.len() > 3 {
        return Err(format!("lookup() takes two or three arguments, got {}", args.len()).into());
    }
    let (map, key, default) = (&args[0], string(args, 1), args.get(2));
    let marks = map.marks().union(args[1].marks());
    let missing = |what: &str| Fault::arg(0, format!("the given {what} {key:?}"));
    let found = match map.kind() {
        Kind::Object(vs) => match (vs.get(key), default) {
            (Some(v), _) => v.clone(),
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(missing("object has no attribute")),
        },
        Kind::Map(ty, vs) => {
            let default = default
                .map(|d| {
                    convert(d, ty)
                        .map_err(|_| Fault::arg(2, "the default value must have the same type as the map elements"))
                })
                .transpose()?;
            match (vs.get(key), default) {
                (Some(v), _) => v.clone(),
                (None, Some(default)) => default,
                (None, None) => return Err(format!("lookup failed to find key {key:?}").into()),
            }
        }
        Kind::Unknown(Type::Map(t)) => Value::unknown((**t).clone()),
        Kind::Unknown(Type::Object(ts)) => match (ts.get(key), default) {
            (Some(t), _) => Value::unknown(t.clone()),
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(missing("object has no attribute")),
        },
        Kind::Unknown(Type::Dynamic) => Value::unknown(Type::Dynamic),
        _ => return Err(Fault::arg(0, "lookup() requires a map as the first argument")),
    };
    Ok(found.with_marks(marks))
}

fn match_keys(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (Kind::List(ty, values), Some(keys), Some(wanted)) = (args[0].kind(), items(&args[1]), items(&args[2])) else {
        return Err("lists are required".into());
    };
    if values.len() != keys.len() {
        return Err("length of keys and values should be equal".into());
    }
    let chosen = values.iter().zip(keys).filter(|(_, k)| wanted.iter().any(|w| equal(k, w) == Some(true)));
    Ok(Value::list(ty.clone(), chosen.map(|(v, _)| v.clone()).collect()))
}

fn merge(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let mut marks = Marks::NONE;
    let mut out: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let mut known = true;
    let mut map_type: Option<Option<Type>> = None;
    for arg in args {
        marks = marks.union(arg.marks());
        let this = match arg.kind() {
            Kind::Null(Type::Map(_) | Type::Object(_) | Type::Dynamic) => continue,
            Kind::Map(t, vs) => {
                out.extend(vs.iter().map(|(k, v)| (k.clone(), v.clone())));
                Some(t.clone())
            }
            Kind::Object(vs) => {
                out.extend(vs.iter().map(|(k, v)| (k.clone(), v.clone())));
                None
            }
            Kind::Unknown(Type::Map(t)) => {
                known = false;
                Some((**t).clone())
            }
            Kind::Unknown(Type::Object(ts)) => {
                out.extend(ts.iter().map(|(k, t)| (k.clone(), Value::unknown(t.clone()))));
                None
            }
            Kind::Unknown(Type::Dynamic) => {
                known = false;
                None
            }
            _ => return Err(format!("arguments must be maps or objects, got {:?}", arg.ty().friendly_name()).into()),
        };
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
    Ok(value.with_marks(marks))
}

fn one(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let list = &args[0];
    let wrong = || Fault::arg(0, "must be a list, set, or tuple value with either zero or one elements");
    let found = match list.kind() {
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
        Kind::Unknown(Type::List(t) | Type::Set(t)) => Value::unknown((**t).clone()),
        Kind::Unknown(Type::Tuple(ts)) => match &**ts {
            [] => Value::null(Type::Dynamic),
            [only] => Value::unknown(only.clone()),
            _ => return Err(wrong()),
        },
        Kind::Unknown(Type::Dynamic) => Value::unknown(Type::Dynamic),
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
        _ => {
            return Err(Fault::arg(
                0,
                format!("can only reverse list or tuple values, not {}", value.ty().friendly_name()),
            ));
        }
    };
    Ok(out.with_marks(value.marks()))
}

fn slice(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let value = &args[0];
    let vs = match value.kind() {
        Kind::List(_, vs) | Kind::Tuple(vs) => vs,
        Kind::Set(..) => {
            return Err(Fault::arg(
                0,
                "cannot slice a set, because its elements do not have indices; explicitly convert to a list if the ordering of the result is not important",
            ));
        }
        _ => return Err(Fault::arg(0, "must be a list or tuple value")),
    };
    let (start, end) = (whole(args, 1)?, whole(args, 2)?);
    let index = |n: i64, arg: usize, noun: &str| {
        let n = usize::try_from(n).map_err(|_| Fault::arg(arg, format!("{noun} index must not be less than zero")))?;
        if n > vs.len() {
            return Err(Fault::arg(arg, format!("{noun} index must not be greater than the length of the list")));
        }
        Ok(n)
    };
    let (start, end) = (index(start, 1, "start")?, index(end, 2, "end")?);
    if start > end {
        return Err(Fault::arg(1, "start index must not be greater than end index"));
    }
    let part = vs[start..end].to_vec();
    let out = match value.kind() {
        Kind::List(t, _) => Value::list(t.clone(), part),
        _ => Value::tuple(part),
    };
    Ok(out.with_marks(value.marks()))
}

fn sort(_: &Context, args: &[Value]) -> Result<Value, Fault> {
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
    let (Some(keys), Some(vs)) = (items(&args[0]), items(&args[1])) else {
        return Err(Fault::arg(1, "values must be a list or tuple value"));
    };
    if keys.len() != vs.len() {
        return Err(format!("number of keys ({}) does not match number of values ({})", keys.len(), vs.len()).into());
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
    Ok(out.with_marks(args[1].marks()))
}
