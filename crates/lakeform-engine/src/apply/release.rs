//! What only the search for an object needs, such as a tag, goes once the journal or the state knows the object.

use futures::{StreamExt, stream::FuturesUnordered};
use lakeform_core::{InstanceAddress, Value};
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
    pub(super) async fn release(self) {
        let Self { resource, client, object } = &self;
        let with = Surroundings { client, config: None, timeout: None, cancelled: &|| false, token: "" };
        let _ = resource.release(with, object).await;
    }
}

impl<'a> Run<'a> {
    /// Takes from objects what only the search for them needs, as soon as the journal knows them. A failure harms nobody.
    pub(super) async fn release(&self) {
        let (mut releasing, mut known) = (FuturesUnordered::new(), 0);
        loop {
            tokio::select! {
                more = self.recorder.more_than(known) => match more {
                    Some(more) => {
                        known = more;
                        let is_known = |(_, number): &mut (InstanceAddress, u64)| *number <= known;
                        let made: Vec<_> = self.tally().tagged.extract_if(.., is_known).collect();
                        releasing.extend(made.iter().filter_map(|(a, _)| self.tagged(a)).map(Tagged::release));
                    }
                    None => break,
                },
                Some(()) = releasing.next() => {}
            }
        }
        while let Some(()) = releasing.next().await {}
    }

    /// The objects that this run created so and has not released, and those of the one before it that was cut off.
    pub(super) fn still_tagged(&self) -> Vec<Tagged<'a>> {
        let made = std::mem::take(&mut self.tally().tagged);
        made.iter().map(|(address, _)| address).chain(&self.plan.created).filter_map(|a| self.tagged(a)).collect()
    }

    fn tagged(&self, address: &InstanceAddress) -> Option<Tagged<'a>> {
        let (_, resource) = self.evaluator.providers.resource(&address.resource.ty)?;
        if resource.found_by() != FoundBy::Tag {
            return None;
        }
        let node = self.graph.by_address.get(&address.config())?;
        let object = self.evaluator.read_state(|s| s.current(address).cloned())?;
        let object = decode(resource, &object).ok()?.unmarked_deep();
        Some(Tagged { resource, client: self.evaluator.client(*node)?, object })
    }
}
