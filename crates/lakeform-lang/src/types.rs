//! Type constraints: types with optional attributes and their defaults.

use std::{collections::BTreeMap, fmt, sync::Arc};

use hcl_edit::{
    Span as _,
    expr::{Expression, FuncCall, Object, ObjectKey},
};
use lakeform_core::{ConvertError, Kind, Span, Step, Type, Value, convert};

use crate::{expr::parse_in, syntax::Offsets};

/// The `type` of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeConstraint {
    ty: Type,
    shape: Shape,
}

/// Where there are defaults.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// Nothing optional inside.
    Plain,
    /// `list(T)`, `set(T)`, `map(T)`
    Elements(Arc<Shape>),
    Tuple(Arc<[Shape]>),
    Object(Arc<BTreeMap<Arc<str>, Field>>),
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    ty: Type,
    optional: bool,
    default: Option<Value>,
    shape: Shape,
}

impl Default for TypeConstraint {
    /// `any`
    fn default() -> Self {
        Self { ty: Type::Dynamic, shape: Shape::Plain }
    }
}

impl From<Type> for TypeConstraint {
    fn from(ty: Type) -> Self {
        Self { ty, shape: Shape::Plain }
    }
}

impl fmt::Display for TypeConstraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ty.fmt(f)
    }
}

impl TypeConstraint {
    /// The type without its defaults.
    pub fn ty(&self) -> &Type {
        &self.ty
    }

    /// The value with the defaults of optional attributes filled in, and converted to the type.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn apply(&self, value: Value) -> Result<Value, ConvertError> {
        let filled = if matches!(self.shape, Shape::Plain) { value } else { self.shape.fill(&value)? };
        convert(&filled, &self.ty)
    }

    /// Reads a type expression: `map(object({ a = string, b = optional(number, 3) }))`.
    ///
    /// # Errors
    /// What is wrong, and where in the text.
    pub(crate) fn parse(text: &str) -> Result<Self, (std::ops::Range<usize>, String)> {
        let e = hcl_edit::parser::parse_expr(text.trim()).map_err(|e| (0..text.len(), e.message().to_owned()))?;
        let (ty, shape) = parse(&e)?;
        Ok(Self { ty, shape })
    }

    /// Reads the type at `span`, which is the TOML string `text`.
    pub(crate) fn parse_at(text: &str, span: &Span) -> Result<Self, lakeform_core::Diagnostic> {
        let offsets = Offsets::of_string(&span.source.text, &span.range, text);
        Self::parse(text).map_err(|(range, message)| {
            let at = Span { source: span.source.clone(), range: offsets.range(&range) };
            lakeform_core::Diagnostic::error("Invalid type specification").detail(message).span(at)
        })
    }
}

impl Shape {
    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    fn fill(&self, value: &Value) -> Result<Value, ConvertError> {
        let inside = |v: &Value, shape: &Self, step: Step| shape.fill(v).map_err(|e| e.inside(step));
        let out: Value = match (self, value.kind()) {
            (Self::Elements(shape), Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs)) => {
                let vs = vs.iter().enumerate().map(|(i, v)| inside(v, shape, Step::Index(i)));
                Value::tuple(vs.collect::<Result<_, _>>()?)
            }
            (Self::Elements(shape), Kind::Map(_, vs) | Kind::Object(vs)) => {
                let vs = vs.iter().map(|(k, v)| Ok((k.clone(), inside(v, shape, Step::Key(k.clone()))?)));
                Value::object(vs.collect::<Result<Vec<_>, ConvertError>>()?)
            }
            (Self::Tuple(shapes), Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs))
                if vs.len() == shapes.len() =>
            {
                let vs = vs.iter().zip(shapes.iter()).enumerate().map(|(i, (v, s))| inside(v, s, Step::Index(i)));
                Value::tuple(vs.collect::<Result<_, _>>()?)
            }
            (Self::Object(fields), Kind::Map(_, vs) | Kind::Object(vs)) => {
                let mut out: BTreeMap<Arc<str>, Value> = BTreeMap::new();
                for (name, field) in fields.iter() {
                    let given = vs.get(name).filter(|v| !(v.is_null() && field.default.is_some()));
                    let value = match (given, &field.default) {
                        (Some(v), _) => inside(v, &field.shape, Step::Attr(name.clone()))?,
                        (None, Some(default)) => default.clone(),
                        (None, None) if field.optional => Value::null(field.ty.clone()),
                        // Missing and required: the conversion says so.
                        (None, None) => continue,
                    };
                    out.insert(name.clone(), value);
                }
                Kind::Object(Arc::new(out)).into()
            }
            _ => return Ok(value.clone()),
        };
        Ok(out.with_marks(value.marks()))
    }
}

type Problem = (std::ops::Range<usize>, String);

fn problem<T>(e: &Expression, message: impl Into<String>) -> Result<T, Problem> {
    Err((e.span().unwrap_or_default(), message.into()))
}

fn parse(e: &Expression) -> Result<(Type, Shape), Problem> {
    match e {
        Expression::Parenthesis(inner) => parse(inner.inner()),
        Expression::Variable(name) => match name.as_str() {
            "string" => Ok((Type::String, Shape::Plain)),
            "number" => Ok((Type::Number, Shape::Plain)),
            "bool" => Ok((Type::Bool, Shape::Plain)),
            "any" => Ok((Type::Dynamic, Shape::Plain)),
            "list" | "set" | "map" => problem(
                e,
                format!("The {} type constructor requires one argument specifying the element type.", name.as_str()),
            ),
            "object" => problem(
                e,
                "The object type constructor requires one argument specifying the attribute types and values as a map.",
            ),
            "tuple" => {
                problem(e, "The tuple type constructor requires one argument specifying the element types as a list.")
            }
            other => {
                let known = ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple"];
                let hint =
                    crate::suggest::nearest(other, known).map(|k| format!(" Did you mean `{k}`?")).unwrap_or_default();
                problem(e, format!("The keyword \"{other}\" is not a valid type specification.{hint}"))
            }
        },
        Expression::FuncCall(call) => constructor(e, call),
        _ => problem(
            e,
            "A type specification is either a primitive type keyword (bool, number, string), or a complex type constructor call, like list(string).",
        ),
    }
}

fn constructor(e: &Expression, call: &FuncCall) -> Result<(Type, Shape), Problem> {
    let name = call.name.name.as_str();
    let args: Vec<&Expression> = call.args.iter().collect();
    match (name, args.as_slice()) {
        ("list" | "set" | "map", [element]) => {
            let (ty, shape) = parse(element)?;
            let shape = if shape.is_plain() { shape } else { Shape::Elements(Arc::new(shape)) };
            Ok((
                match name {
                    "list" => Type::list(ty),
                    "set" => Type::set(ty),
                    _ => Type::map(ty),
                },
                shape,
            ))
        }
        ("tuple", [Expression::Array(elements)]) => {
            let parts = elements.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
            let (types, shapes): (Vec<Type>, Vec<Shape>) = parts.into_iter().unzip();
            let shape = if shapes.iter().all(Shape::is_plain) { Shape::Plain } else { Shape::Tuple(shapes.into()) };
            Ok((Type::tuple(types), shape))
        }
        ("object", [Expression::Object(attributes)]) => object(attributes),
        ("optional", _) => {
            problem(e, "The keyword \"optional\" is only valid as a modifier of an object attribute's type.")
        }
        ("list" | "set" | "map", _) => {
            problem(e, format!("The {name} type constructor requires one argument specifying the element type."))
        }
        ("object", _) => problem(
            e,
            "The object type constructor requires one argument specifying the attribute types and values as a map.",
        ),
        ("tuple", _) => {
            problem(e, "The tuple type constructor requires one argument specifying the element types as a list.")
        }
        _ => {
            let near = crate::suggest::nearest(name, ["list", "set", "map", "object", "tuple", "optional"]);
            let hint = near.map(|k| format!(" Did you mean `{k}`?")).unwrap_or_default();
            problem(e, format!("The keyword \"{name}\" is not a valid type constructor.{hint}"))
        }
    }
}

fn object(attributes: &Object) -> Result<(Type, Shape), Problem> {
    let mut types = BTreeMap::new();
    let mut fields = BTreeMap::new();
    let mut plain = true;
    for (key, value) in attributes.iter() {
        let name: Arc<str> = match key {
            ObjectKey::Ident(name) => name.as_str().into(),
            ObjectKey::Expression(Expression::String(name)) => name.as_str().into(),
            ObjectKey::Expression(e) => return problem(e, "Object attribute names must be plain names."),
        };
        let field = field(value.expr())?;
        plain &= !field.optional && field.shape.is_plain();
        types.insert(name.clone(), field.ty.clone());
        fields.insert(name, field);
    }
    let shape = if plain { Shape::Plain } else { Shape::Object(Arc::new(fields)) };
    Ok((Type::Object(Arc::new(types)), shape))
}

fn field(e: &Expression) -> Result<Field, Problem> {
    let Expression::FuncCall(call) = e else {
        let (ty, shape) = parse(e)?;
        return Ok(Field { ty, optional: false, default: None, shape });
    };
    if call.name.name.as_str() != "optional" {
        let (ty, shape) = parse(e)?;
        return Ok(Field { ty, optional: false, default: None, shape });
    }
    let args: Vec<&Expression> = call.args.iter().collect();
    let (inner, default) = match args.as_slice() {
        [inner] => (inner, None),
        [inner, default] => (inner, Some(default)),
        _ => {
            return problem(
                e,
                "Optional attribute modifier requires the attribute type, and may have a default value.",
            );
        }
    };
    let (ty, shape) = parse(inner)?;
    let default = match default {
        None => None,
        Some(written) => {
            let value = constant(written)?;
            let constraint = TypeConstraint { ty: ty.clone(), shape: shape.clone() };
            match constraint.apply(value) {
                Ok(v) => Some(v),
                Err(error) => {
                    return problem(
                        written,
                        format!(
                            "This default value is not compatible with the attribute's type constraint: {}.",
                            error.describe()
                        ),
                    );
                }
            }
        }
    };
    Ok(Field { ty, optional: true, default, shape })
}

/// The value of an expression that refers to nothing.
fn constant(e: &Expression) -> Result<Value, Problem> {
    let wrong =
        || (e.span().unwrap_or_default(), "The default value of an optional attribute must be constant.".to_owned());
    let text = e.to_string();
    let source = Arc::new(lakeform_core::Source { path: String::new(), text: text.clone() });
    let parsed = parse_in(&source, 0..text.len(), &text, &Offsets::plain(0)).map_err(|_| wrong())?;
    if !parsed.references().is_empty() {
        return Err(wrong());
    }
    parsed.evaluate(&Nothing::default()).map_err(|_| wrong())
}

/// A scope in which there is nothing.
#[derive(Default)]
struct Nothing(crate::Environment);

impl crate::Scope for Nothing {
    fn resolve(&self, subject: &crate::Subject, span: &Span) -> Result<Value, lakeform_core::Diagnostic> {
        Err(lakeform_core::Diagnostic::error(format!("{subject} may not be used here")).span(span.clone()))
    }

    fn environment(&self) -> &crate::Environment {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use lakeform_core::Path;

    use super::*;

    fn ty(text: &str) -> TypeConstraint {
        TypeConstraint::parse(text).unwrap()
    }

    #[test]
    fn types_parse_and_print() {
        for text in [
            "string",
            "list(number)",
            "map(set(bool))",
            "any",
            "object({a=string, b=list(any)})",
            "tuple([string, number])",
        ] {
            assert_eq!(ty(text).to_string(), text);
        }
        assert!(TypeConstraint::parse("strng").unwrap_err().1.contains("Did you mean `string`?"));
        for text in
            ["list", "list()", "object", "optional(string)", "${string}", "object({a=optional(number, \"x\")})", ""]
        {
            assert!(TypeConstraint::parse(text).is_err(), "{text}");
        }
    }

    /// Terraform 1.11.4: `variable "v" { type = ... }` given these values.
    #[test]
    fn defaults_fill_in_what_is_missing_or_null() {
        let t = ty(
            "list(object({ a = string, b = optional(number, 3), c = optional(object({ d = optional(string, \"x\") }), {}), e = optional(bool) }))",
        );
        let given = Value::tuple(vec![Value::object([("a", Value::from(1)), ("b", Value::null(Type::Dynamic))])]);
        let out = t.apply(given).unwrap();
        let first = &out.as_slice().unwrap()[0];
        assert_eq!(first.get("a").unwrap(), &Value::from("1"));
        assert_eq!(first.get("b").unwrap(), &Value::from(3));
        assert_eq!(first.get("c").unwrap().get("d").unwrap(), &Value::from("x"));
        assert!(first.get("e").unwrap().is_null());
        let error = t.apply(Value::tuple(vec![Value::object([("b", Value::from(1))])])).unwrap_err();
        assert_eq!(error.describe(), "element 0: attribute \"a\" is required");
        assert_eq!(error.path, Path(vec![Step::Index(0)]));
    }
}
