//! What a run tells while it goes on.

use std::time::Duration;

use lakeform_core::{Diagnostic, InstanceAddress};

use crate::Plan;

/// One call to a provider, as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Reading the live object.
    Refresh,
    /// Reading a data source.
    Read,
    /// Opening an ephemeral resource.
    Open,
    /// Creating
    Create,
    /// Changing in place.
    Update,
    /// Deleting
    Delete,
}

/// Something that happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An operation begins.
    Started {
        /// On what.
        address: &'a InstanceAddress,
        /// Which object, if it is deposed.
        deposed: Option<&'a str>,
        /// What is done.
        operation: Operation,
        /// The object's `id`, if it has one already.
        id: Option<&'a str>,
    },
    /// An operation is done.
    Finished {
        /// On what.
        address: &'a InstanceAddress,
        /// Which object, if it is deposed.
        deposed: Option<&'a str>,
        /// What was done.
        operation: Operation,
        /// The object's `id`, if it has one.
        id: Option<&'a str>,
        /// How long it took.
        elapsed: Duration,
    },
    /// An operation failed.
    Failed {
        /// On what.
        address: &'a InstanceAddress,
        /// What was tried.
        operation: Operation,
        /// Why.
        diagnostic: &'a Diagnostic,
        /// How long it took.
        elapsed: Duration,
    },
    /// A provisioner begins.
    ProvisioningStarted {
        /// Beside what.
        address: &'a InstanceAddress,
        /// `local-exec`
        provisioner: &'a str,
    },
    /// A provisioner says something.
    Provisioning {
        /// Beside what.
        address: &'a InstanceAddress,
        /// `local-exec`
        provisioner: &'a str,
        /// One line.
        output: &'a str,
    },
    /// A provisioner is done.
    ProvisioningFinished {
        /// Beside what.
        address: &'a InstanceAddress,
        /// `local-exec`
        provisioner: &'a str,
        /// Whether it failed.
        failed: bool,
    },
    /// An operation was not tried because something it depends on failed, or the run was stopped.
    Skipped {
        /// What was left out.
        address: &'a InstanceAddress,
    },
    /// Something failed, and what the run did is undone from here on.
    RollingBack {
        /// How many instances that concerns.
        objects: usize,
    },
    /// The plan is made.
    Planned(&'a Plan),
    /// The state was written.
    Saved {
        /// Its serial.
        serial: u64,
    },
}

/// Receives events. Called from the run itself: must not block.
pub trait Events: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Ignores every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl Events for NoEvents {
    fn event(&self, _: Event<'_>) {}
}

impl<F: Fn(Event<'_>) + Send + Sync> Events for F {
    fn event(&self, event: Event<'_>) {
        self(event);
    }
}
