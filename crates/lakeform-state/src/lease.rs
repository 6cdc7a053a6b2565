//! Whether a run may still write.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A run's right to change things, as long as it has the lock: asked before each call that changes something and before
/// each write of the state. Clones are the same lease.
#[derive(Clone, Debug, Default)]
pub struct Lease(Arc<AtomicBool>);

/// The lock is no longer this run's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this run no longer has the lock of the state, so it stops before its next call")]
pub struct LeaseLost;

impl Lease {
    /// A lease that lasts as long as the process: of a lock that the OS keeps, or of a run without a lock.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Whether the run may still write.
    ///
    /// # Errors
    /// [`LeaseLost`] from the moment on at which someone else may have the lock.
    pub fn check(&self) -> Result<(), LeaseLost> {
        if self.0.load(Ordering::SeqCst) { Err(LeaseLost) } else { Ok(()) }
    }

    /// Ends it.
    pub fn lose(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
