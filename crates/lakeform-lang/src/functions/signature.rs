//! What a function takes and gives.

use lakeform_core::{Kind, Type, Value};

use super::Context;

/// Why a function cannot give a value.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The argument that is to blame.
    pub arg: Option<usize>,
    pub message: String,
}

impl Fault {
    pub fn arg(index: usize, message: impl Into<String>) -> Self {
        Self { arg: Some(index), message: message.into() }
    }
}

impl<T: Into<String>> From<T> for Fault {
    fn from(message: T) -> Self {
        Self { arg: None, message: message.into() }
    }
}

/// The type an argument is brought to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ty {
    Any,
    Number,
    String,
    ListOfBool,
    ListOfString,
    ListOfAny,
    SetOfAny,
    MapOfListOfString,
}

impl Ty {
    pub fn get(self) -> Type {
        match self {
            Self::Any => Type::Dynamic,
            Self::Number => Type::Number,
            Self::String => Type::String,
            Self::ListOfBool => Type::list(Type::Bool),
            Self::ListOfString => Type::list(Type::String),
            Self::ListOfAny => Type::list(Type::Dynamic),
            Self::SetOfAny => Type::set(Type::Dynamic),
            Self::MapOfListOfString => Type::map(Type::list(Type::String)),
        }
    }
}

/// What a function does with an argument that is not wholly known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// An unknown argument makes the result unknown; unknown elements are the function's business.
    Outer,
    /// Anything unknown in it makes the result unknown.
    Deep,
    /// It is all the function's business.
    Handled,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub name: &'static str,
    pub ty: Ty,
    /// Null is a value for it.
    pub null: bool,
    pub unknown: Unknown,
    /// The function takes care of marks; otherwise they are taken off, at all depths, and put on the result.
    pub marks: bool,
}

impl Param {
    pub const fn nullable(self) -> Self {
        Self { null: true, ..self }
    }
    pub const fn deep(self) -> Self {
        Self { unknown: Unknown::Deep, ..self }
    }
    pub const fn unknown(self) -> Self {
        Self { unknown: Unknown::Handled, ..self }
    }
    pub const fn marked(self) -> Self {
        Self { marks: true, ..self }
    }

    fn gives_up_on(&self, value: &Value) -> bool {
        matches!((self.ty, value.kind()), (Ty::Any, Kind::Unknown(Type::Dynamic, _)))
            && self.unknown != Unknown::Handled
            && !self.null
    }
}

pub(crate) const fn typed(name: &'static str, ty: Ty) -> Param {
    Param { name, ty, null: false, unknown: Unknown::Outer, marks: false }
}

pub(crate) const fn any(name: &'static str) -> Param {
    typed(name, Ty::Any)
}

pub(crate) const fn number(name: &'static str) -> Param {
    typed(name, Ty::Number)
}

pub(crate) const fn string(name: &'static str) -> Param {
    typed(name, Ty::String)
}

pub(crate) const fn list(name: &'static str) -> Param {
    typed(name, Ty::ListOfAny)
}

pub(crate) const fn set(name: &'static str) -> Param {
    typed(name, Ty::SetOfAny)
}

/// The type of a result that is not known yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Returns {
    Any,
    Bool,
    Number,
    String,
    ListOfNumber,
    ListOfString,
    SetOfString,
    MapOfListOfString,
    /// What the first argument is of.
    First,
    /// What it depends on the arguments, known or not; an error if they do not fit whatever else they turn out to be.
    By(fn(&[Value]) -> Result<Type, Fault>),
}

/// How a function is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Run {
    Values(fn(&Context, &[Value]) -> Result<Value, Fault>),
    /// `try`
    Try,
    /// `can`
    Can,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Function {
    pub name: &'static str,
    pub params: &'static [Param],
    pub rest: Option<Param>,
    pub returns: Returns,
    /// The result can be null: it is an argument or a part of one. Otherwise it is known not to be, even while it is unknown.
    pub null: bool,
    pub run: Run,
}

pub(crate) const fn function(
    name: &'static str,
    params: &'static [Param],
    returns: Returns,
    run: fn(&Context, &[Value]) -> Result<Value, Fault>,
) -> Function {
    Function { name, params, rest: None, returns, null: false, run: Run::Values(run) }
}

impl Function {
    /// With any number of further arguments.
    pub const fn rest(self, param: Param) -> Self {
        Self { rest: Some(param), ..self }
    }

    /// With results that can be null.
    pub const fn null(self) -> Self {
        Self { null: true, ..self }
    }

    /// The parameter of an argument; `None` where there are too many.
    pub fn param(&self, index: usize) -> Option<&Param> {
        self.params.get(index).or(self.rest.as_ref())
    }

    /// What is wrong with a call with so many arguments, in Terraform's words.
    pub fn arity_problem(&self, given: usize, expand: bool) -> Option<(&'static str, String)> {
        let (name, wanted) = (self.name, self.params.len());
        if given < wanted && !expand {
            let qualifier = if self.rest.is_some() { " at least" } else { "" };
            let missing = self.params[given].name;
            let detail = format!(
                "Function \"{name}\" expects{qualifier} {wanted} argument(s). Missing value for \"{missing}\"."
            );
            return Some(("Not enough function arguments", detail));
        }
        if given > wanted + usize::from(expand) && self.rest.is_none() {
            return Some((
                "Too many function arguments",
                format!("Function \"{name}\" expects only {wanted} argument(s)."),
            ));
        }
        None
    }

    /// The result where the arguments are not known enough.
    pub fn unknown_result(&self, args: &[Value]) -> Result<Value, Fault> {
        // Cty gives up on the type where an argument could be of any type and any type will do.
        if args.iter().enumerate().any(|(i, v)| self.param(i).is_some_and(|p| p.gives_up_on(v))) {
            return Ok(Value::unknown(Type::Dynamic));
        }
        let value = Value::unknown(match self.returns {
            Returns::Any => Type::Dynamic,
            Returns::Bool => Type::Bool,
            Returns::Number => Type::Number,
            Returns::String => Type::String,
            Returns::ListOfNumber => Type::list(Type::Number),
            Returns::ListOfString => Type::list(Type::String),
            Returns::SetOfString => Type::set(Type::String),
            Returns::MapOfListOfString => Type::map(Type::list(Type::String)),
            Returns::First => args.first().map_or(Type::Dynamic, Value::ty),
            Returns::By(f) => f(args)?,
        });
        Ok(if self.null { value } else { value.not_null() })
    }
}
