//! A provider with invented resource types and a cloud in memory.
//!
//! [`FakeProvider`] serves `fake_bucket`, `fake_database`, `fake_table`, `fake_thing`, `fake_ticket`, the data sources
//! `fake_lookup` and `fake_pure`, and the ephemeral resource `fake_token`: between them every kind of attribute and block that
//! a schema can have, and every way to find an object whose creation is in doubt. All clones of one [`FakeCloud`] are the same cloud: a test keeps one to look at objects and calls, to change and delete objects behind
//! lakeform's back, and to put [`Fault`]s in the way.

mod call;
mod client;
mod cloud;
mod fault;
mod lookup;
mod object;
mod provider;
mod types;

#[cfg(test)]
mod tests;

pub use call::{Call, Op, Outcome};
pub use client::FakeClient;
pub use cloud::FakeCloud;
pub use fault::{Effect, Fault};
pub use lookup::{Lookup, Pure, Token};
pub use object::FakeObject;
pub use provider::{DefaultTags, FakeProvider, ProviderConfig, SOURCE};
pub use types::{
    Bucket, Choice, Column, Database, Grant, Index, Storage, Table, Thing, Ticket, Tier, Timeouts, same_ignoring_case,
};
