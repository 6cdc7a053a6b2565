//! Changes to a state, one object at a time.

use std::collections::BTreeMap;

use lakeform_core::InstanceAddress;

use crate::{InstanceState, ObjectState, ResourceState, State};

/// A random key for a deposed object: 8 hex digits.
pub fn new_deposed_key() -> String {
    let mut key = uuid::Uuid::new_v4().simple().to_string();
    key.truncate(8);
    key
}

impl State {
    /// One instance, made if it is absent. `provider` is the address that a new resource gets
    /// (`provider["registry.terraform.io/hashicorp/aws"]`); one that is there keeps its own.
    pub fn instance_mut(&mut self, address: &InstanceAddress, provider: &str) -> &mut InstanceState {
        self.resources
            .entry(address.resource.clone())
            .or_insert_with(|| ResourceState {
                provider: provider.to_owned(),
                instances: BTreeMap::new(),
                extra: Vec::new(),
            })
            .instances
            .entry(address.key.clone())
            .or_default()
    }

    /// Puts a whole instance in, and gives back the one that was there. An empty one removes it.
    pub fn insert(
        &mut self,
        address: &InstanceAddress,
        provider: &str,
        instance: InstanceState,
    ) -> Option<InstanceState> {
        if instance.is_empty() {
            return self.remove(address);
        }
        let old = std::mem::replace(self.instance_mut(address, provider), instance);
        (!old.is_empty()).then_some(old)
    }

    /// Takes a whole instance out, deposed objects included; a resource without instances goes too.
    pub fn remove(&mut self, address: &InstanceAddress) -> Option<InstanceState> {
        let old = self.resources.get_mut(&address.resource)?.instances.remove(&address.key);
        self.prune(address);
        old
    }

    /// Sets the current object of an instance, and gives back the one that was there.
    pub fn set_current(
        &mut self,
        address: &InstanceAddress,
        provider: &str,
        object: ObjectState,
    ) -> Option<ObjectState> {
        self.instance_mut(address, provider).current.replace(object)
    }

    /// Takes the current object of an instance out.
    pub fn remove_current(&mut self, address: &InstanceAddress) -> Option<ObjectState> {
        let old = self.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?.current.take();
        self.prune(address);
        old
    }

    /// Makes the current object a deposed one and gives the key it got; `None` where there is no current object.
    pub fn depose(&mut self, address: &InstanceAddress) -> Option<String> {
        let instance = self.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?;
        let object = instance.current.take()?;
        let mut key = new_deposed_key();
        while instance.deposed.contains_key(&key) {
            key = new_deposed_key();
        }
        instance.deposed.insert(key.clone(), object);
        Some(key)
    }

    /// Makes a deposed object the current one again, unless there is a current one. Whether it did.
    pub fn restore_deposed(&mut self, address: &InstanceAddress, key: &str) -> bool {
        let instance = self.resources.get_mut(&address.resource).and_then(|r| r.instances.get_mut(&address.key));
        match instance {
            Some(instance) if instance.current.is_none() => {
                instance.current = instance.deposed.remove(key);
                instance.current.is_some()
            }
            _ => false,
        }
    }

    /// Takes a deposed object out.
    pub fn remove_deposed(&mut self, address: &InstanceAddress, key: &str) -> Option<ObjectState> {
        let old = self.resources.get_mut(&address.resource)?.instances.get_mut(&address.key)?.deposed.remove(key);
        self.prune(address);
        old
    }

    /// Moves an instance to another address, deposed objects included. Whether it did: not when the source is absent or
    /// the target taken.
    pub fn rename(&mut self, from: &InstanceAddress, to: &InstanceAddress) -> bool {
        if self.get(from).is_none() || self.get(to).is_some() {
            return false;
        }
        let provider = self.resources.get(&from.resource).map(|r| r.provider.clone()).unwrap_or_default();
        match self.remove(from) {
            Some(instance) => {
                self.insert(to, &provider, instance);
                true
            }
            None => false,
        }
    }

    fn prune(&mut self, address: &InstanceAddress) {
        if let Some(resource) = self.resources.get_mut(&address.resource) {
            if resource.instances.get(&address.key).is_some_and(InstanceState::is_empty) {
                resource.instances.remove(&address.key);
            }
            if resource.instances.is_empty() {
                self.resources.remove(&address.resource);
            }
        }
    }
}
