//! Saving the state while the run goes on.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use crate::{Event, Events, evaluate::Evaluator};

use super::{Save, journal::Recorder};

/// How often the state is written where a journal has what it lacks.
const WITH_JOURNAL: Duration = Duration::from_secs(5);

/// Writes the state after operations: at once where writing is quick, else so that writing takes at most a quarter of the
/// time of a long run; every few seconds where there is a journal.
pub(super) struct Saver<'a> {
    save: &'a dyn Save,
    changed: AtomicBool,
    closed: AtomicBool,
    wake: Notify,
    stopped: &'a AtomicBool,
    recorder: &'a Recorder<'a>,
    /// The serial of the state that was written last.
    serial: AtomicU64,
}

impl<'a> Saver<'a> {
    pub(super) fn new(save: &'a dyn Save, stopped: &'a AtomicBool, recorder: &'a Recorder<'a>, serial: u64) -> Self {
        let (changed, closed) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { save, changed, closed, wake: Notify::new(), stopped, recorder, serial: AtomicU64::new(serial) }
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
            if self.save.has_journal() && self.rests(WITH_JOURNAL).await {
                return;
            }
            let start = Instant::now();
            self.recorder.snapshot(self.serial.load(Ordering::SeqCst) + 1);
            let snapshot = evaluator.read_state(Clone::clone);
            match self.save.save(&snapshot).await {
                Ok(serial) => {
                    self.serial.store(serial, Ordering::SeqCst);
                    events.event(Event::Saved { serial });
                }
                Err(_) => {
                    self.stopped.store(true, Ordering::SeqCst);
                    return;
                }
            }
            let pause = start.elapsed() * 3;
            if pause > Duration::from_millis(50) {
                if self.rests(pause).await {
                    return;
                }
                self.wake.notify_one();
            }
        }
    }

    /// Pauses. Whether it is closed meanwhile.
    async fn rests(&self, pause: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = self.until_closed() => true,
        }
    }

    async fn until_closed(&self) {
        while !self.closed.load(Ordering::SeqCst) {
            self.wake.notified().await;
        }
    }
}
