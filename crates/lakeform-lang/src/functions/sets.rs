//! Sets.

use std::collections::BTreeSet;

use lakeform_core::{Kind, Marks, Type, Value, convert, unify};

use super::{Context, Fault, Function, Returns, any, function, set};

pub(super) const TABLE: &[Function] = &[
    function("setintersection", &[set("first_set").deep()], Returns::First, |_, args| {
        combine(args, |a, b| a.intersection(&b).cloned().collect())
    })
    .rest(set("other_sets").deep()),
    function("setproduct", &[], Returns::Any, product).rest(any("sets").marked()),
    function("setsubtract", &[set("a").deep(), set("b").deep()], Returns::First, |_, args| {
        combine(args, |a, b| a.difference(&b).cloned().collect())
    }),
    function("setunion", &[set("first_set").deep()], Returns::First, |_, args| {
        combine(args, |a, b| a.union(&b).cloned().collect())
    })
    .rest(set("other_sets").deep()),
];

type Members = BTreeSet<Value>;

/// Folds sets that are brought to one element type.
fn combine(args: &[Value], f: impl Fn(Members, Members) -> Members) -> Result<Value, Fault> {
    let types: Vec<Type> = args
        .iter()
        .filter(|v| v.as_slice().is_some_and(|vs| !vs.is_empty()))
        .map(|v| if let Kind::Set(t, _) = v.kind() { t.clone() } else { Type::Dynamic })
        .collect();
    let ty = unify(&types).ok_or("given sets must all have compatible element types")?;
    let mut out: Option<Members> = None;
    for arg in args {
        let members =
            convert(arg, &Type::set(ty.clone())).map_err(|e| Fault::from(e.describe()))?.children().cloned().collect();
        out = Some(match out {
            None => members,
            Some(before) => f(before, members),
        });
    }
    Ok(Value::set(ty, out.unwrap_or_default().into_iter().collect()))
}

/// The largest product that is written out.
const LARGEST_PRODUCT: usize = 1_000_000;

fn product(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.len() < 2 {
        return Err("at least two arguments are required".into());
    }
    let mut marks = Marks::NONE;
    let mut columns: Vec<(Type, Vec<Value>)> = Vec::new();
    let mut sets = true;
    for (i, arg) in args.iter().enumerate() {
        marks = marks.union(arg.marks());
        sets &= matches!(arg.kind(), Kind::Set(..));
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
