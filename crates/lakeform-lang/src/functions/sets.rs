//! Sets.

use std::collections::BTreeSet;

use lakeform_core::{Kind, Marks, Type, Value, convert, unify};

use super::{Context, Fault, Function, Returns, any, function, set};

pub(super) const TABLE: &[Function] = &[
    function("setintersection", &[set("first_set").deep()], Returns::By(union_type), |_, args| {
        combine(args, |a, b| a.intersection(&b).cloned().collect())
    })
    .rest(set("other_sets").deep()),
    function("setproduct", &[], Returns::By(product_type), product).rest(any("sets").marked().unknown()),
    function("setsubtract", &[set("a").deep(), set("b").deep()], Returns::By(union_type), |_, args| {
        combine(args, |a, b| a.difference(&b).cloned().collect())
    }),
    function("setunion", &[set("first_set")], Returns::By(union_type), |_, args| {
        combine(args, |a, b| a.union(&b).cloned().collect())
    })
    .rest(set("other_sets")),
];

type Members = BTreeSet<Value>;

/// Sets of one element type that all have; what is of any type says nothing about it.
fn union_type(args: &[Value]) -> Result<Type, Fault> {
    let types: Vec<Type> = args
        .iter()
        .filter_map(|v| match v.ty() {
            Type::Set(t) if *t == Type::Dynamic && v.as_slice().is_some_and(<[_]>::is_empty) => None,
            Type::Set(t) => Some((*t).clone()),
            _ => None,
        })
        .collect();
    // Where the type of one decides that is not known yet, all must wait for it.
    let open = types.iter().all(|t| *t == Type::Dynamic) || !args.iter().all(Value::is_known);
    unify(&types)
        .filter(|t| open || *t != Type::Dynamic)
        .map(Type::set)
        .ok_or_else(|| "given sets must all have compatible element types".into())
}

/// Folds sets that are brought to one element type.
fn combine(args: &[Value], f: impl Fn(Members, Members) -> Members) -> Result<Value, Fault> {
    let ty = union_type(args)?;
    let mut out: Option<Members> = None;
    for arg in args {
        let members = convert(arg, &ty).map_err(|e| Fault::from(e.describe()))?.children().cloned().collect();
        out = Some(match out {
            None => members,
            Some(before) => f(before, members),
        });
    }
    convert(&Value::tuple(out.unwrap_or_default().into_iter().collect()), &ty).map_err(|e| Fault::from(e.describe()))
}

/// The type of a product: of sets a set, else a list, of tuples.
fn product_type(args: &[Value]) -> Result<Type, Fault> {
    if args.len() < 2 {
        return Err("at least two arguments are required".into());
    }
    let mut sets = false;
    let mut types = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        types.push(match arg.ty() {
            Type::List(t) => (*t).clone(),
            Type::Set(t) => {
                sets = true;
                (*t).clone()
            }
            Type::Tuple(ts) => unify(&ts).ok_or_else(|| Fault::arg(i, "all elements must be of the same type"))?,
            _ => return Err(Fault::arg(i, "a set or a list is required")),
        });
    }
    let row = Type::tuple(types);
    Ok(if sets { Type::set(row) } else { Type::list(row) })
}

/// A product of what is not all known: as many rows as the lengths allow.
fn unknown_product(args: &[Value], ty: Type) -> Value {
    let lengths = || args.iter().map(Value::length_range);
    let least = usize::from(lengths().all(|(least, _)| least > 0));
    let bounded = lengths().all(|(_, most)| most < usize::MAX);
    let most =
        lengths().try_fold(1_usize, |n, (_, most)| n.checked_mul(most)).filter(|_| bounded).unwrap_or(usize::MAX);
    Value::unknown(ty).with_length(least, most)
}

/// The largest product that is written out.
const LARGEST_PRODUCT: usize = 1_000_000;

fn product(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let marks = args.iter().fold(Marks::NONE, |marks, arg| marks.union(arg.marks()));
    if args.iter().any(|v| v.ty() == Type::Dynamic) {
        return Ok(Value::unknown(Type::Dynamic));
    }
    let ty = product_type(args)?;
    let sets = matches!(ty, Type::Set(_));
    if !args.iter().all(Value::is_known) {
        return Ok(unknown_product(args, ty).not_null().with_marks(marks));
    }
    let has_unknown_length = |v: &Value| matches!(v.length_range(), (least, most) if least != most);
    if args.iter().any(has_unknown_length) {
        return Ok(Value::unknown(ty).with_marks(marks));
    }
    let mut columns: Vec<(Type, Vec<Value>)> = Vec::new();
    for (i, arg) in args.iter().enumerate() {
        let (ty, vs) = match arg.kind() {
            Kind::List(t, vs) | Kind::Set(t, vs) => (t.clone(), vs.to_vec()),
            Kind::Tuple(_) => match convert(arg, &Type::list(Type::Dynamic)).map(Value::into_kind) {
                Ok(Kind::List(t, vs)) => (t, vs.to_vec()),
                _ => return Err(Fault::arg(i, "all elements must be of the same type")),
            },
            _ => return Err(Fault::arg(i, "a set or a list is required")),
        };
        columns.push((ty, vs));
    }
    let total = columns.iter().try_fold(1_usize, |n, (_, vs)| n.checked_mul(vs.len())).unwrap_or(usize::MAX);
    if total > LARGEST_PRODUCT {
        return Err(format!("the product has more than {LARGEST_PRODUCT} elements").into());
    }
    let element = Type::tuple(columns.iter().map(|(t, _)| t.clone()));
    let rows = (0..total).map(|mut at| {
        let mut row: Vec<Value> = columns
            .iter()
            .rev()
            .map(|(_, vs)| {
                let v = vs[at % vs.len()].clone();
                at /= vs.len();
                v
            })
            .collect();
        row.reverse();
        Value::tuple(row)
    });
    let rows = rows.collect();
    Ok(if sets { Value::set(element, rows) } else { Value::list(element, rows) }.with_marks(marks))
}
