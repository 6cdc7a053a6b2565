//! Whether a run may still write.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

/// What gives the time of day.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A run's right to change things, as long as it has the lock: asked before each call that changes something and before
/// each write of the state. Clones are the same lease.
///
/// It ends a tenth of its length before the lock's record runs out, by whichever of two clocks is ahead: the one that never
/// goes back, and the time of day, which unlike the first goes on while the machine sleeps. Once it has ended it stays so.
#[derive(Clone, Default)]
pub struct Lease(Arc<Inner>);

#[derive(Default)]
struct Inner {
    lost: AtomicBool,
    term: Option<Term>,
}

struct Term {
    length: Duration,
    clock: Option<Clock>,
    from: Mutex<Moment>,
}

/// An instant, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    at: Instant,
    day: Option<SystemTime>,
}

impl Moment {
    /// Now, by the machine's steady clock and the time of day where `clock` gives it.
    pub fn now(clock: Option<&Clock>) -> Self {
        Self { at: Instant::now(), day: clock.map(|clock| clock()) }
    }
}

/// The lock is no longer this run's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this run no longer has the lock of the state, so it stops before its next call")]
pub struct LeaseLost;

impl Term {
    fn from(&self) -> MutexGuard<'_, Moment> {
        self.from.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time in which the run may work.
    fn usable(&self) -> Duration {
        self.length * 9 / 10
    }

    fn left(&self) -> Duration {
        let (from, now) = (*self.from(), Moment::now(self.clock.as_ref()));
        let day = from.day.zip(now.day).and_then(|(from, now)| now.duration_since(from).ok());
        self.usable().saturating_sub(now.at.duration_since(from.at).max(day.unwrap_or_default()))
    }
}

impl Lease {
    /// A lease that lasts as long as the process: of a lock that the OS keeps, or of a run without a lock.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// A lease that ends unless it is extended. `from` is the moment before the lock was asked for.
    pub fn limited(length: Duration, from: Moment, clock: Option<Clock>) -> Self {
        let term = Some(Term { length, clock, from: Mutex::new(from) });
        Self(Arc::new(Inner { lost: AtomicBool::new(false), term }))
    }

    /// How long it lasts without being extended; `None` if for ever.
    pub fn length(&self) -> Option<Duration> {
        self.0.term.as_ref().map(|term| term.length)
    }

    /// How long it lasts from now on; `None` if for ever.
    pub fn left(&self) -> Option<Duration> {
        let term = self.0.term.as_ref()?;
        Some(if self.0.lost.load(Ordering::SeqCst) { Duration::ZERO } else { term.left() })
    }

    /// This moment, to extend the lease from once a renewal that is sent now has succeeded.
    pub fn moment(&self) -> Moment {
        Moment::now(self.0.term.as_ref().and_then(|term| term.clock.as_ref()))
    }

    /// Lets it last its length from that moment on. One that is lost stays lost.
    pub fn extend(&self, from: Moment) {
        if let (Ok(()), Some(term)) = (self.check(), &self.0.term) {
            *term.from() = from;
        }
    }

    /// Whether the run may still write.
    ///
    /// # Errors
    /// [`LeaseLost`] from the moment on at which someone else may have the lock.
    pub fn check(&self) -> Result<(), LeaseLost> {
        if self.left().is_some_and(|left| left.is_zero()) {
            self.lose();
        }
        if self.0.lost.load(Ordering::SeqCst) { Err(LeaseLost) } else { Ok(()) }
    }

    /// Ends it.
    pub fn lose(&self) {
        self.0.lost.store(true, Ordering::SeqCst);
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("length", &self.length()).field("left", &self.left()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn a_lease_ends_by_the_steady_clock_before_the_record_does() {
        let lease = Lease::limited(Duration::from_millis(200), Moment::now(None), None);
        assert_eq!(lease.check(), Ok(()));
        let begun = lease.moment();
        std::thread::sleep(Duration::from_millis(100));
        lease.extend(begun);
        assert!(lease.left().is_some_and(|left| left < Duration::from_millis(85)));
        std::thread::sleep(Duration::from_millis(90));
        assert_eq!(lease.check(), Err(LeaseLost));
        lease.extend(lease.moment());
        assert_eq!(lease.check(), Err(LeaseLost), "what is lost stays lost");
    }

    #[test]
    fn a_lease_ends_when_the_machine_slept_through_it() {
        let hours = Arc::new(AtomicU64::new(1));
        let read = hours.clone();
        let clock: Clock =
            Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * read.load(Ordering::SeqCst)));
        let lease = Lease::limited(Duration::from_secs(60), Moment::now(Some(&clock)), Some(clock));
        let same = lease.clone();
        hours.store(0, Ordering::SeqCst);
        assert_eq!(same.check(), Ok(()), "a clock that was put back ends nothing");
        hours.store(2, Ordering::SeqCst);
        assert_eq!(same.check(), Err(LeaseLost));
        hours.store(1, Ordering::SeqCst);
        assert_eq!(lease.check(), Err(LeaseLost));
        assert_eq!((Lease::unlimited().check(), Lease::unlimited().left()), (Ok(()), None));
    }
}
