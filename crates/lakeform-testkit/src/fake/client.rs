//! What the configured provider hands to its types.

use std::collections::BTreeMap;

use lakeform_core::{Kind, Type, Value};
use lakeform_provider::{Change, Client, ErrorKind, ProviderError, Result};

use super::FakeCloud;

/// A configured fake provider.
#[derive(Clone, Debug)]
pub struct FakeClient {
    /// The cloud that it talks to.
    pub cloud: FakeCloud,
    /// `region`; `None` while its value is not known.
    pub region: Option<String>,
    /// `default_tags`
    pub default_tags: BTreeMap<String, String>,
}

impl FakeClient {
    /// The region.
    ///
    /// # Errors
    /// When it is not known yet: the provider's configuration depends on something that is not applied.
    pub fn region(&self) -> Result<&str> {
        let missing = || ProviderError::new(ErrorKind::Credentials, "the provider's region is not known yet");
        self.region.as_deref().ok_or_else(missing)
    }
}

impl Client for FakeClient {
    /// Sets `tags_all` to `default_tags` under `tags`, as the AWS provider does: unknown as a whole while any tag is
    /// unknown, and tags set to null left out.
    fn plan(&self, change: &mut Change<'_>) -> Result<()> {
        if change.planned("tags_all").is_none() {
            return Ok(());
        }
        let tags = change.config.get("tags").cloned().unwrap_or_else(|| Value::null(Type::map(Type::String)));
        if !tags.is_wholly_known() {
            change.set_unknown("tags_all");
            return Ok(());
        }
        let mut all: BTreeMap<_, Value> =
            self.default_tags.iter().map(|(k, v)| (k.as_str().into(), v.as_str().into())).collect();
        if let Kind::Map(_, own) = tags.kind() {
            all.extend(own.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), v.clone())));
        }
        change.set("tags_all", Value::map(Type::String, all));
        Ok(())
    }
}
