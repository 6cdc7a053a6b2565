//! Stopping a run.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// How far a run is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Go on.
    Run,
    /// Start nothing new; finish what is in flight (the first INT or TERM).
    Finish,
    /// Stop waiting too (the second one).
    Abandon,
}

/// A token to stop a run with. Clones are the same token.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    level: Arc<AtomicU8>,
    woken: Arc<tokio::sync::Notify>,
}

impl Cancel {
    /// A token that lets the run go on.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the run, or escalates: the first call lets operations in flight finish, the second does not.
    pub fn escalate(&self) -> Level {
        let before = self.level.load(Ordering::SeqCst);
        self.level.store((before + 1).min(2), Ordering::SeqCst);
        self.woken.notify_waiters();
        self.level()
    }

    /// How far the run is told to stop.
    pub fn level(&self) -> Level {
        match self.level.load(Ordering::SeqCst) {
            0 => Level::Run,
            1 => Level::Finish,
            _ => Level::Abandon,
        }
    }

    /// Returns once the run is told to stop at least this far.
    pub async fn reached(&self, level: Level) {
        loop {
            let woken = self.woken.notified();
            if self.level() >= level {
                return;
            }
            woken.await;
        }
    }
}
