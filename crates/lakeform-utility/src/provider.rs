//! Providers that need no cloud. They differ in their name and their types alone.

use std::{path::PathBuf, sync::Arc};

use lakeform_core::{Schema, Value};
use lakeform_provider::{
    AnyDataSource, AnyResource, BoxFuture, Client, Configured, Provider, Result, data_source, resource,
};

use crate::{
    archive::{ArchiveFile, Files},
    data::Data,
};

/// What such types are handed: nothing.
#[derive(Debug)]
pub(crate) struct Local;

impl Client for Local {}

/// A provider of types that need no cloud. Its block takes no arguments.
pub struct LocalProvider {
    name: &'static str,
    source: &'static str,
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnyDataSource>>,
    client: Configured,
}

impl LocalProvider {
    /// A provider by its local name and the address that Terraform writes into state, with the types that it serves. Their
    /// client is `client`.
    fn new(
        name: &'static str,
        source: &'static str,
        client: impl Client,
        resources: Vec<Box<dyn AnyResource>>,
        data_sources: Vec<Box<dyn AnyDataSource>>,
    ) -> Self {
        Self { name, source, schema: Schema::default(), resources, data_sources, client: Arc::new(client) }
    }

    /// Terraform's built-in provider.
    pub fn terraform() -> Self {
        Self::new("terraform", "terraform.io/builtin/terraform", Local, vec![resource::<Data>()], vec![])
    }

    /// Terraform's `hashicorp/archive`. Relative paths start from `directory`.
    pub fn archive(directory: impl Into<PathBuf>) -> Self {
        let files = Files { directory: directory.into() };
        let types = vec![data_source::<ArchiveFile>()];
        Self::new("archive", "registry.terraform.io/hashicorp/archive", files, vec![], types)
    }

    /// The same with one more data source: `terraform_remote_state` needs backends, which this crate knows nothing of.
    pub fn with_data_source(mut self, source: Box<dyn AnyDataSource>) -> Self {
        self.data_sources.push(source);
        self
    }
}

impl Provider for LocalProvider {
    fn name(&self) -> &'static str {
        self.name
    }

    fn source(&self) -> &'static str {
        self.source
    }

    fn config_schema(&self) -> &Schema {
        &self.schema
    }

    fn resource(&self, name: &str) -> Option<&dyn AnyResource> {
        self.resources.iter().find(|r| r.name() == name).map(|r| &**r)
    }

    fn data_source(&self, name: &str) -> Option<&dyn AnyDataSource> {
        self.data_sources.iter().find(|d| d.name() == name).map(|d| &**d)
    }

    fn resource_names(&self) -> Vec<&'static str> {
        self.resources.iter().map(|r| r.name()).collect()
    }

    fn data_source_names(&self) -> Vec<&'static str> {
        self.data_sources.iter().map(|d| d.name()).collect()
    }

    fn configure<'a>(&'a self, _: &'a Value) -> BoxFuture<'a, Result<Configured>> {
        Box::pin(async { Ok(self.client.clone()) })
    }
}
