//! The provider of types that need no cloud.

use std::sync::Arc;

use lakeform_core::{Schema, Value};
use lakeform_provider::{
    AnyDataSource, AnyResource, BoxFuture, Client, Configured, Provider, Provisioner, Result, resource,
};

use crate::data::Data;

/// What such types are handed: nothing.
#[derive(Debug)]
pub(crate) struct Local;

impl Client for Local {}

/// Terraform's built-in provider.
pub struct TerraformProvider {
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnyDataSource>>,
    provisioners: Vec<Box<dyn Provisioner>>,
}

impl TerraformProvider {
    /// The provider with all its types.
    pub fn new() -> Self {
        Self {
            schema: Schema::default(),
            resources: vec![resource::<Data>()],
            data_sources: vec![],
            provisioners: vec![],
        }
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

impl Default for TerraformProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl Provider for TerraformProvider {
    fn name(&self) -> &'static str {
        "terraform"
    }

    fn source(&self) -> &'static str {
        "terraform.io/builtin/terraform"
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
        Box::pin(async { Ok(Arc::new(Local) as Configured) })
    }
}
