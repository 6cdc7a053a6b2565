//! What only the search for an object needs, such as a tag, goes once the state knows the object.

use lakeform_core::Value;
use lakeform_provider::{AnyResource, Configured, FoundBy, Surroundings};

use crate::stored::decode;

use super::operate::Run;

/// An object that was created with something that it is found by.
pub(super) struct Tagged<'a> {
    resource: &'a dyn AnyResource,
    client: Configured,
    object: Value,
}

impl Tagged<'_> {
    /// Takes it away.
    pub(super) async fn release(&self) {
        let Self { resource, client, object } = self;
        let with = Surroundings { client, config: None, timeout: None, cancelled: &|| false, token: "" };
        let _ = resource.release(with, object).await;
    }
}

impl<'a> Run<'a> {
    /// The objects that this run, or the one before it that was cut off, created so.
    pub(super) fn tagged(&self) -> Vec<Tagged<'a>> {
        let made = std::mem::take(&mut self.tally().tagged);
        let all = made.iter().chain(&self.plan.created);
        let found = all.filter_map(|address| {
            let (_, resource) = self.evaluator.providers.resource(&address.resource.ty)?;
            if resource.found_by() != FoundBy::Tag {
                return None;
            }
            let node = self.graph.by_address.get(&address.config())?;
            let object = self.evaluator.read_state(|s| s.current(address).cloned())?;
            let object = decode(resource, &object).ok()?.unmarked_deep();
            Some(Tagged { resource, client: self.evaluator.client(*node)?, object })
        });
        found.collect()
    }
}
