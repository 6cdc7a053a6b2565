//! What a run holds, and until when: the rules of leases, the same for both kinds of lock.

use std::{
    sync::{MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use lakeform_state::{Clock, Lease, LockInfo, Moment, Term};

use crate::{Connection, items::Record, time::ServiceClock};

/// How long past its end a lease is left alone: for holders and services whose clocks differ a little.
const GRACE: Duration = Duration::from_secs(2);

/// By how much a lease may turn out shorter than it should be before it is renewed at once.
const SLACK: Duration = Duration::from_secs(2);

/// A part of the lock that this run holds.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    /// What is written there.
    pub(crate) info: LockInfo,
    /// What was there, if it was taken over.
    pub(crate) before: Option<Record>,
    /// The ETag of the lockfile.
    pub(crate) etag: String,
}

/// The parts of the lock that this run holds. Kept when they are lost, as whoever lost them must not pass for a run
/// without a lock.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    pub(crate) item: Option<Hold>,
    pub(crate) file: Option<Hold>,
    /// A record whose lease seems to have run out, and since when it has not changed: for services that tell no time.
    watched: Option<(LockInfo, Instant)>,
}

impl Connection {
    pub(crate) fn holds(&self) -> MutexGuard<'_, Holds> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a part of the lock was taken from a run that may have stopped in the middle of a write.
    pub(crate) fn took_over(&self) -> bool {
        let holds = self.holds();
        [&holds.item, &holds.file].into_iter().flatten().any(|hold| hold.before.is_some())
    }

    /// Before anything is sent.
    pub(crate) fn moment(&self) -> Moment {
        Moment::now(self.clock.as_ref())
    }

    fn own_time(clock: &Clock) -> Duration {
        clock().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }

    /// The term of a record that is written now: by the service's clock, or the machine's where the service tells none.
    /// `None` without either: the lock then lasts until it is given back.
    pub(crate) fn term(&self, time: &ServiceClock, before: Option<Term>) -> Option<Term> {
        let now = time.latest().or_else(|| self.clock.as_ref().map(Self::own_time))?;
        let expires = (now + self.backend.lease()).as_secs() + 1;
        let millis = u64::try_from(now.as_millis()).unwrap_or_default();
        Some(Term { expires, fence: before.map_or(millis, |term| millis.max(term.fence + 1)) })
    }

    /// The term of one's own record that is renewed now.
    pub(crate) fn renewed(&self, time: &ServiceClock, term: Term) -> Term {
        let expires = self.term(time, None).map_or(term.expires, |new| new.expires.max(term.expires));
        Term { expires, ..term }
    }

    /// The lease of a record that was asked for at a moment.
    pub(crate) fn lease(&self, info: &LockInfo, from: Moment) -> Lease {
        match info.term {
            Some(_) => Lease::limited(self.backend.lease(), from, self.clock.clone()),
            None => Lease::unlimited(),
        }
    }

    /// Whether a record that was just written ends sooner than it should: the answer showed that it was counted from a wrong
    /// time.
    pub(crate) fn too_short(&self, time: &ServiceClock, info: &LockInfo) -> bool {
        let (Some(term), Some(sent)) = (info.term, time.when_sent()) else { return false };
        Duration::from_secs(term.expires) + SLACK < sent + self.backend.lease()
    }

    /// Whether the holder's lease has run out: by the service's clock. One that tells no time leaves the machine's, which
    /// may be wrong; the record must then have stood unchanged for a whole lease besides.
    pub(crate) fn has_run_out(&self, time: &ServiceClock, holder: &LockInfo) -> bool {
        let Some(term) = holder.term else { return false };
        let end = Duration::from_secs(term.expires) + GRACE;
        if let Some(now) = time.earliest() {
            return now >= end;
        }
        if self.clock.as_ref().is_none_or(|clock| Self::own_time(clock) < end) {
            return false;
        }
        let mut holds = self.holds();
        match &holds.watched {
            Some((seen, since)) if seen == holder => since.elapsed() >= self.backend.lease() + GRACE,
            _ => {
                holds.watched = Some((holder.clone(), Instant::now()));
                false
            }
        }
    }
}
