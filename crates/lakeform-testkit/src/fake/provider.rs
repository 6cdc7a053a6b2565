//! The provider.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Schema, Value};
use lakeform_provider::{
    AnyDataSource, AnyResource, BoxFuture, Configured, ErrorKind, Field, Model, Provider, ProviderError, Result,
    data_source, resource,
};

use super::{Bucket, Database, FakeClient, FakeCloud, Lookup, Pure, Table, Thing, Ticket, Token, object::FakeType};

/// The provider's address in state.
pub const SOURCE: &str = "registry.terraform.io/lakeform/fake";

/// Tags that every object with tags gets.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct DefaultTags {
    /// The tags.
    #[attr(optional)]
    pub tags: Option<BTreeMap<String, String>>,
}

/// `[provider.fake]`
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct ProviderConfig {
    /// Where objects are made; `test-1` where none is given. `nowhere` is refused. While its value is unknown, nothing
    /// can be created or changed.
    #[attr(optional)]
    pub region: Option<String>,
    /// A secret that does nothing.
    #[attr(optional, sensitive)]
    pub key: Option<String>,
    /// Tags that every object with tags gets.
    #[block(list, max = 1)]
    pub default_tags: Vec<DefaultTags>,
}

/// The provider `fake`.
pub struct FakeProvider {
    cloud: FakeCloud,
    schema: Schema,
    resources: Vec<Box<dyn AnyResource>>,
    data_sources: Vec<Box<dyn AnyDataSource>>,
    ephemeral_resources: Vec<Box<dyn AnyDataSource>>,
}

impl FakeProvider {
    /// A provider of the objects in a cloud.
    pub fn new(cloud: &FakeCloud) -> Self {
        Self {
            cloud: cloud.clone(),
            schema: Schema { version: 0, block: ProviderConfig::block() },
            resources: vec![
                resource::<FakeType<Bucket>>(),
                resource::<FakeType<Database>>(),
                resource::<FakeType<Table>>(),
                resource::<FakeType<Thing>>(),
                resource::<FakeType<Ticket>>(),
            ],
            data_sources: vec![data_source::<Lookup>(), data_source::<Pure>()],
            ephemeral_resources: vec![data_source::<Token>()],
        }
    }

    /// The client of a provider without configuration, for calling types directly.
    pub fn client(&self) -> Configured {
        let region = Some("test-1".to_owned());
        Arc::new(FakeClient { cloud: self.cloud.clone(), region, default_tags: BTreeMap::new() })
    }

    /// The cloud that it talks to.
    pub fn cloud(&self) -> &FakeCloud {
        &self.cloud
    }
}

impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn source(&self) -> &'static str {
        SOURCE
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

    fn ephemeral_resource(&self, name: &str) -> Option<&dyn AnyDataSource> {
        self.ephemeral_resources.iter().find(|e| e.name() == name).map(|e| &**e)
    }

    fn ephemeral_resource_names(&self) -> Vec<&'static str> {
        self.ephemeral_resources.iter().map(|e| e.name()).collect()
    }

    fn resource_names(&self) -> Vec<&'static str> {
        self.resources.iter().map(|r| r.name()).collect()
    }

    fn data_source_names(&self) -> Vec<&'static str> {
        self.data_sources.iter().map(|d| d.name()).collect()
    }

    fn configure<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Configured>> {
        Box::pin(async move {
            let unknown = config.get("region").is_some_and(|v| !v.is_known());
            let config = ProviderConfig::from_value(config);
            if config.region.as_deref() == Some("nowhere") {
                let error = ProviderError::new(ErrorKind::Credentials, "there is no region `nowhere`");
                return Err(error.hint("leave `region` out, or set it to any other name"));
            }
            let region = (!unknown).then(|| config.region.unwrap_or_else(|| "test-1".into()));
            let default_tags = config.default_tags.into_iter().next().and_then(|d| d.tags).unwrap_or_default();
            let client = FakeClient { cloud: self.cloud.clone(), region, default_tags };
            Ok(Arc::new(client) as Configured)
        })
    }
}
