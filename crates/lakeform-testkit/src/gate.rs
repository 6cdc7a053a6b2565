//! Holds an operation in flight until a test lets it go on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::watch;

/// A gate that begins closed: whoever comes to it waits until a test opens it. Clones are the same gate. Works across
/// threads and runtimes.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    open: watch::Sender<bool>,
    /// How many came to it since it was made.
    arrived: watch::Sender<usize>,
}

/// Opens a gate when it goes out of scope, so that a test that fails does not wait for whom it holds.
#[derive(Debug)]
#[must_use = "the gate opens when this is dropped"]
pub struct Opens(Gate);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(Inner { open: watch::Sender::new(false), arrived: watch::Sender::new(0) }))
    }

    /// Lets through everyone who waits or comes later.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }

    /// Opens when what this returns is dropped, if nobody opens it before.
    pub fn opens_in_the_end(&self) -> Opens {
        Opens(self.clone())
    }

    /// Holds those who come from now on.
    pub fn close(&self) {
        self.0.open.send_replace(false);
    }

    /// Comes to the gate and waits until it is open.
    pub async fn pass(&self) {
        self.0.arrived.send_modify(|n| *n += 1);
        let mut open = self.0.open.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = open.wait_for(|open| *open).await;
    }

    /// How many came to it so far, whether they still wait or not.
    pub fn arrived(&self) -> usize {
        *self.0.arrived.borrow()
    }

    /// Returns once at least `count` came to it.
    pub async fn reached(&self, count: usize) {
        let mut arrived = self.0.arrived.subscribe();
        let _ = arrived.wait_for(|n| *n >= count).await;
    }

    /// Waits on this thread until at least `count` came to it; false when `timeout` is over first.
    pub fn reached_blocking(&self, count: usize, timeout: Duration) -> bool {
        let start = Instant::now();
        while self.arrived() < count {
            if start.elapsed() > timeout {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_gate_holds_and_an_open_one_does_not() {
        let gate = Gate::new();
        let held = tokio::spawn({
            let gate = gate.clone();
            async move { gate.pass().await }
        });
        gate.reached(1).await;
        tokio::task::yield_now().await;
        assert!(!held.is_finished());
        gate.open();
        held.await.unwrap();
        gate.pass().await;
        assert_eq!(gate.arrived(), 2);
    }
}
