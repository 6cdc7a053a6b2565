//! The rules that every state keeps. They are checked before each write.

use std::{collections::HashSet, fmt};

use lakeform_core::ConfigAddress;

use crate::{AttributesError, State, model::storable};

/// The integrity rules by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// 1: addresses are unique. The model cannot hold two; reading refuses them.
    UniqueAddresses = 1,
    /// 2: an instance has at most one current object. The model cannot hold two; reading refuses them.
    OneCurrent = 2,
    /// 3: a dependency names a resource that exists or existed in this run.
    Dependencies = 3,
    /// 4: the serial grows by one when the content changed.
    Serial = 4,
    /// 5: the lineage never changes.
    Lineage = 5,
    /// 6: no unknown value is stored.
    NoUnknown = 6,
    /// 7: no ephemeral value is stored.
    NoEphemeral = 7,
}

/// A state breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// What breaks it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "integrity rule {}: {}", self.rule as u8, self.what)
    }
}

impl std::error::Error for Violation {}

impl State {
    /// Every violation of the rules that concern one state alone. `seen` says which resources existed in this run, besides
    /// those in the state.
    pub fn check(&self, seen: &HashSet<ConfigAddress>) -> Vec<Violation> {
        let mut out = Vec::new();
        if self.lineage.is_empty() {
            out.push(Violation { rule: Rule::Lineage, what: "the state has no lineage".into() });
        }
        for (name, output) in &self.outputs {
            let (rule, e) = match storable(&output.value) {
                Ok(()) => continue,
                Err(e @ AttributesError::Unknown(_)) => (Rule::NoUnknown, e),
                Err(e @ AttributesError::Ephemeral(_)) => (Rule::NoEphemeral, e),
            };
            out.push(Violation { rule, what: format!("output `{name}`: {e}") });
        }
        let here: HashSet<ConfigAddress> = self.resources.keys().map(|address| address.config()).collect();
        for (address, resource) in &self.resources {
            for (key, instance) in &resource.instances {
                for object in instance.current.iter().chain(instance.deposed.values()) {
                    for dependency in &object.dependencies {
                        if !here.contains(dependency) && !seen.contains(dependency) {
                            let what = format!(
                                "{} depends on {dependency}, which is in no state of this run",
                                address.instance(key.clone())
                            );
                            out.push(Violation { rule: Rule::Dependencies, what });
                        }
                    }
                }
            }
        }
        out
    }

    /// Adds every resource that this state names, as such or as a dependency, to `seen`.
    pub fn note_seen(&self, seen: &mut HashSet<ConfigAddress>) {
        for (address, resource) in &self.resources {
            seen.insert(address.config());
            for instance in resource.instances.values() {
                for object in instance.current.iter().chain(instance.deposed.values()) {
                    for dependency in &object.dependencies {
                        if !seen.contains(dependency) {
                            seen.insert(dependency.clone());
                        }
                    }
                }
            }
        }
    }
}
