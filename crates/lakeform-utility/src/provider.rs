//! Providers that need no cloud. They differ in their name and their types alone.

use std::{path::PathBuf, sync::Arc};

use lakeform_core::{Schema, Value};
use lakeform_provider::{
    AnyDataSource, AnyResource, BoxFuture, Client, Configured, Provider, Provisioner, Result, data_source, resource,
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
    provisioners: Vec<Box<dyn Provisioner>>,
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
        let client = Arc::new(client);
        Self { name, source, schema: Schema::default(), resources, data_sources, provisioners: vec![], client }
    }

    /// Terraform's built-in provider.
    pub fn terraform() -> Self {
        Self::new("terraform", "terraform.io/builtin/terraform", Local, vec![resource::<Data>()], vec![])
    }

    /// Values that are made up once.
    pub fn random() -> Self {
        let resources = crate::random::resources();
        Self::new("random", "registry.terraform.io/hashicorp/random", Local, resources, vec![])
    }

    /// Terraform's archived `hashicorp/template`, without its data source, which needs the language.
    pub fn template() -> Self {
        Self::new("template", "registry.terraform.io/hashicorp/template", Local, vec![], vec![])
    }

    /// Keys.
    pub fn tls() -> Self {
        Self::new("tls", "registry.terraform.io/hashicorp/tls", Local, crate::tls::resources(), vec![])
    }

    /// Objects that do nothing.
    pub fn null() -> Self {
        let (resources, data_sources) = (crate::null::resources(), crate::null::data_sources());
        Self::new("null", "registry.terraform.io/hashicorp/null", Local, resources, data_sources)
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

    /// The same with a provisioner, which may need what this crate knows nothing of.
    pub fn with_provisioner(mut self, provisioner: Box<dyn Provisioner>) -> Self {
        self.provisioners.push(provisioner);
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

    fn provisioner(&self, name: &str) -> Option<&dyn Provisioner> {
        self.provisioners.iter().find(|p| p.name() == name).map(|p| &**p)
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
