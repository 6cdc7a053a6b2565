//! The functions of the language: those of Terraform 1.11, by the same names and with the same behaviour.
//!
//! Functions of providers are among them: they depend on nothing but their arguments.
//!
//! Each file holds one family and ends in a table of it; a function that is added to a table is known to the parser, the
//! evaluator and every suggestion.

mod call;
mod collection;
mod control;
mod conversion;
mod csv;
mod datetime;
mod encoding;
mod filesystem;
mod format;
mod go;
mod hash;
mod json;
mod network;
mod numeric;
mod provider;
mod rsa;
mod sets;
mod signature;
mod string;
mod yaml;

pub(crate) use call::{Context, call};
pub(crate) use go::quote;
pub(crate) use json::encode as json_encode;
pub(crate) use signature::Function;
use signature::{Fault, Returns, Run, any, function, list, number, set, string as text, typed};

const TABLES: [&[Function]; 12] = [
    collection::TABLE,
    control::TABLE,
    conversion::TABLE,
    datetime::TABLE,
    encoding::TABLE,
    filesystem::TABLE,
    format::TABLE,
    hash::TABLE,
    network::TABLE,
    numeric::TABLE,
    sets::TABLE,
    string::TABLE,
];

/// The name of every function that is no provider's.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().flatten().map(|f| f.name)
}

/// The name of every provider's function: `provider::aws::arn_parse`
pub(crate) fn provider_names() -> impl Iterator<Item = &'static str> {
    provider::TABLE.iter().map(|f| f.name)
}

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    TABLES.into_iter().chain([provider::TABLE]).flatten().find(|f| f.name == name)
}
