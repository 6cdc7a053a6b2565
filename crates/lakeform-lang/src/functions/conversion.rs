//! Types and marks.

use lakeform_core::{Kind, Marks, Type, Value, convert};

use super::{Context, Fault, Function, Returns, any, function, signature::Param};
use crate::functions::go::quote;

const V: Param = any("v").nullable().unknown().marked();

pub(super) const TABLE: &[Function] = &[
    function("ephemeralasnull", &[any("value").nullable().unknown().marked()], Returns::Any, |_, args| {
        Ok(without_ephemeral(&args[0]))
    })
    .null(),
    function("issensitive", &[any("value").nullable().unknown().marked()], Returns::Bool, is_sensitive).null(),
    function("nonsensitive", &[any("value").nullable().unknown().marked()], Returns::Any, |_, args| {
        let marks = args[0].marks().without(Marks::SENSITIVE);
        Ok(args[0].clone().unmarked().with_marks(marks))
    })
    .null(),
    function("sensitive", &[any("value").nullable().unknown().marked()], Returns::Any, |_, args| {
        Ok(args[0].clone().sensitive())
    })
    .null(),
    function("tobool", &[V], Returns::Bool, |_, args| to(args, &Type::Bool)).null(),
    function("tolist", &[V], Returns::Any, |_, args| to(args, &Type::list(Type::Dynamic))).null(),
    function("tomap", &[V], Returns::Any, |_, args| to(args, &Type::map(Type::Dynamic))).null(),
    function("tonumber", &[V], Returns::Number, |_, args| to(args, &Type::Number)).null(),
    function("toset", &[V], Returns::Any, |_, args| to(args, &Type::set(Type::Dynamic))).null(),
    function("tostring", &[V], Returns::String, |_, args| to(args, &Type::String)).null(),
];

fn to(args: &[Value], ty: &Type) -> Result<Value, Fault> {
    let value = &args[0];
    // Of the outcome of an unknown value nothing but the type that was asked for is known.
    let converted = convert(value, ty)
        .map(|v| if value.is_known() { v } else { Value::unknown(ty.clone()).with_marks(value.marks()) });
    converted.map_err(|_| {
        let from = value.ty().friendly_name();
        Fault::arg(
            0,
            match (value.kind(), ty) {
                (Kind::String(_), _) if value.is_sensitive() => {
                    format!("cannot convert this sensitive string to {}", ty.friendly_name())
                }
                (Kind::String(s), Type::Bool) => {
                    format!("cannot convert {} to bool; only the strings \"true\" or \"false\" are allowed", quote(s))
                }
                (Kind::String(s), Type::Number) => {
                    format!(
                        "cannot convert {} to number; given string must be a decimal representation of a number",
                        quote(s)
                    )
                }
                (_, Type::List(_)) => format!("cannot convert {from} to list of any single type"),
                (_, Type::Set(_)) => format!("cannot convert {from} to set of any single type"),
                (_, Type::Map(_)) => format!("cannot convert {from} to map of any single type"),
                _ => format!("cannot convert {from} to {}", ty.friendly_name()),
            },
        )
    })
}

fn is_sensitive(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    // An unknown value without the mark may get it when it is known.
    if args[0].is_sensitive() || args[0].is_known() {
        return Ok(args[0].is_sensitive().into());
    }
    Ok(Value::unknown(Type::Bool))
}

fn without_ephemeral(value: &Value) -> Value {
    if value.marks().contains(Marks::EPHEMERAL) {
        return Value::null(value.ty()).with_marks(value.marks().without(Marks::EPHEMERAL));
    }
    if !value.marks_deep().contains(Marks::EPHEMERAL) {
        return value.clone();
    }
    value.clone().map_children(|v| without_ephemeral(&v))
}
