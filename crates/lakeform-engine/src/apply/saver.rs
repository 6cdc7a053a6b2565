//! Saving the state while the run goes on.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{Event, Events, evaluate::Evaluator};

use super::Save;

/// Writes the state after operations: at once where writing is quick, else so that writing takes at most a quarter of the
/// time of a long run.
pub(super) struct Saver<'a> {
    save: &'a dyn Save,
    changed: AtomicBool,
    closed: AtomicBool,
    wake: Notify,
    stopped: &'a AtomicBool,
}

impl<'a> Saver<'a> {
    pub(super) fn new(save: &'a dyn Save, stopped: &'a AtomicBool) -> Self {
        Self { save, changed: AtomicBool::new(false), closed: AtomicBool::new(false), wake: Notify::new(), stopped }
    }

    /// The state has changed.
    pub(super) fn touch(&self) {
        self.changed.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// No operation follows; the last save is the caller's.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Saves until closed. After a failed save nothing new is started (the caller's last save reports it).
    pub(super) async fn run(&self, evaluator: &Evaluator<'_>, events: &dyn Events) {
        loop {
            self.wake.notified().await;
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            if !self.changed.swap(false, Ordering::SeqCst) {
                continue;
            }
            let start = Instant::now();
            let snapshot = evaluator.read_state(Clone::clone);
            match self.save.save(&snapshot).await {
                Ok(serial) => events.event(Event::Saved { serial }),
                Err(_) => {
                    self.stopped.store(true, Ordering::SeqCst);
                    return;
                }
            }
            let pause = start.elapsed() * 3;
            if pause > Duration::from_millis(50) {
                tokio::select! {
                    () = tokio::time::sleep(pause) => self.wake.notify_one(),
                    () = self.until_closed() => return,
                }
            }
        }
    }

    async fn until_closed(&self) {
        while !self.closed.load(Ordering::SeqCst) {
            self.wake.notified().await;
        }
    }
}
