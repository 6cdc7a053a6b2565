//! The contract of a resource type and a data source, and its erased form that the engine calls.
//!
//! A resource type is a typed struct with `#[derive(Model)]` (its schema) and an implementation of [`ResourceType`]. It
//! holds no logging, retry loop or sleep: waiting and repeating go through [`Context`], which the engine owns.

#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate self as lakeform_provider;

mod context;
mod erased;
mod error;
mod field;
mod permit;
mod plan;
mod provisioner;
mod resource;

pub use context::{Context, Poll, Wait};
pub use erased::{
    AnyDataSource, AnyResource, BoxFuture, Configured, Failure, Provider, Surroundings, data_source, resource,
};
pub use error::{ErrorKind, ProviderError, Result, Retry};
pub use field::{BlockField, Field, Model, list_to_set, list_to_set_type, read_field};
pub use lakeform_macros::Model;
pub use permit::{NotPermitted, Permit};
pub use plan::Change;
pub use provisioner::{Provisioner, Provisioning};
pub use resource::{Client, DataSource, FoundBy, ResourceType};
