//! The providers a run can use.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Block, Mode, Schema};
use lakeform_provider::{AnyDataSource, AnyResource, Provider, Provisioner};

/// Every provider by its local name. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Providers(Arc<BTreeMap<&'static str, Arc<dyn Provider>>>);

impl Providers {
    /// These providers.
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        Self(Arc::new(providers.into_iter().map(|p| (p.name(), p)).collect()))
    }

    /// Each provider.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.values()
    }

    /// A provider by its local name.
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(name)
    }

    /// The provider whose address state holds: `registry.terraform.io/hashicorp/aws`.
    pub fn by_source(&self, source: &str) -> Option<&Arc<dyn Provider>> {
        self.iter().find(|p| p.source() == source)
    }

    /// A resource type, and the provider that serves it.
    pub fn resource(&self, ty: &str) -> Option<(&Arc<dyn Provider>, &dyn AnyResource)> {
        self.serving(ty, |p| p.resource(ty))
    }

    /// A data source, and the provider that serves it.
    pub fn data_source(&self, ty: &str) -> Option<(&Arc<dyn Provider>, &dyn AnyDataSource)> {
        self.serving(ty, |p| p.data_source(ty))
    }

    /// An ephemeral resource type, and the provider that serves it.
    pub fn ephemeral_resource(&self, ty: &str) -> Option<(&Arc<dyn Provider>, &dyn AnyDataSource)> {
        self.serving(ty, |p| p.ephemeral_resource(ty))
    }

    /// A kind of provisioner.
    pub fn provisioner(&self, kind: &str) -> Option<&dyn Provisioner> {
        self.iter().find_map(|p| p.provisioner(kind))
    }

    /// Looks first at the provider that the type's name begins with, then at the others (`terraform_data`).
    fn serving<'a, T: ?Sized>(
        &'a self,
        ty: &str,
        find: impl Fn(&'a dyn Provider) -> Option<&'a T>,
    ) -> Option<(&'a Arc<dyn Provider>, &'a T)> {
        let likely = self.0.get(ty.split('_').next().unwrap_or_default());
        likely.into_iter().chain(self.iter()).find_map(|p| Some((p, find(&**p)?)))
    }
}

impl std::fmt::Debug for Providers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What the language needs to validate a stack.
impl lakeform_lang::Schemas for Providers {
    fn resource(&self, mode: Mode, ty: &str) -> Option<&Schema> {
        match mode {
            Mode::Managed => self.resource(ty).map(|(_, t)| t.schema()),
            Mode::Data => self.data_source(ty).map(|(_, t)| t.schema()),
            Mode::Ephemeral => self.ephemeral_resource(ty).map(|(_, t)| t.schema()),
        }
    }

    fn takes_over(&self, ty: &str, from: &str) -> bool {
        self.resource(ty).is_some_and(|(_, resource)| resource.takes_over(from))
    }

    fn provider(&self, name: &str) -> Option<&Schema> {
        self.get(name).map(|p| p.config_schema())
    }

    fn provisioner(&self, kind: &str) -> Option<&Block> {
        self.provisioner(kind).map(|p| p.schema())
    }

    fn providers(&self) -> Vec<&str> {
        self.0.keys().copied().collect()
    }

    fn names(&self, mode: Mode) -> Vec<&str> {
        let each = |p: &Arc<dyn Provider>| match mode {
            Mode::Managed => p.resource_names(),
            Mode::Data => p.data_source_names(),
            Mode::Ephemeral => p.ephemeral_resource_names(),
        };
        self.iter().flat_map(each).collect()
    }
}
