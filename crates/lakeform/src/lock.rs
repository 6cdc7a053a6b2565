//! Holding the lock while something is done, and giving it back whatever happens.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
    time::Duration,
};

use futures::FutureExt;
use lakeform_engine::{Cancel, Level};
use lakeform_state::{Acquired, Lease, LockError, LockInfo, OperationError, StateLock};
use tokio::{task::JoinHandle, time::Instant};

use crate::Error;

/// The first pause before a renewal that failed is tried again; each is double the last.
const PAUSE: Duration = Duration::from_millis(100);

/// What is worth telling about the lock while work goes on.
#[derive(Clone, Copy, Debug)]
pub enum LockNotice<'a> {
    /// Someone has it, and this run waits. Told once.
    Waiting(&'a LockError),
    /// It was taken over from this run, whose lease had run out.
    TakenOver(&'a LockInfo),
    /// It is no longer this run's: someone else took it, or it could not be renewed in time. The run starts nothing new and
    /// writes no state.
    Lost(&'a LockError),
    /// The work failed, and the lock could not be given back either.
    NotReleased(&'a LockError),
    /// The work is done, and its record could not be written.
    NotRecorded(&'a OperationError),
}

/// Does `work` under the lock, which is renewed meanwhile. It is given back when the work is done, fails or panics; the work
/// is never cut off, but without the lock its calls are refused.
pub(crate) async fn under<T, E: From<Error>>(
    lock: &Arc<dyn StateLock>,
    info: &LockInfo,
    timeout: Duration,
    notice: &dyn Fn(LockNotice<'_>),
    cancel: &Cancel,
    work: impl AsyncFnOnce(&Acquired) -> Result<T, E>,
) -> Result<T, E> {
    let acquired = take(&**lock, info, timeout, notice, cancel).await?;
    if let Some(before) = &acquired.taken_over {
        notice(LockNotice::TakenOver(before));
    }
    let mut renewal =
        Renewal(tokio::spawn(renew(lock.clone(), info.id.clone(), acquired.lease.clone(), cancel.clone())));
    let mut work = std::pin::pin!(AssertUnwindSafe(work(&acquired)).catch_unwind());
    let done = tokio::select! {
        done = &mut work => done,
        lost = &mut renewal.0 => {
            if let Ok(error) = &lost {
                notice(LockNotice::Lost(error));
            }
            work.await
        }
    };
    drop(renewal);
    let lost = acquired.lease.check().is_err();
    let released = lock.release(&info.id).await;
    let done = done.unwrap_or_else(|panic| resume_unwind(panic));
    match (done, released) {
        (done, Ok(())) => done,
        // It was told already why.
        (done, Err(_)) if lost => done,
        (Ok(_), Err(error)) => Err(Error::Unlock(error).into()),
        (Err(e), Err(error)) => {
            notice(LockNotice::NotReleased(&error));
            Err(e)
        }
    }
}

/// A task that renews the lock. It ends with this: a renewal that is under way is cut off, and does nothing to a lock that was
/// given back.
struct Renewal(JoinHandle<LockError>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Renews the lock at a third of its lease. What fails is tried again as long as the lease lasts. Ends when the lock is lost,
/// with the reason, once the run is told to stop.
async fn renew(lock: Arc<dyn StateLock>, id: String, lease: Lease, cancel: Cancel) -> LockError {
    let why = keep(&*lock, &id, &lease).await;
    lease.lose();
    if cancel.level() == Level::Run {
        cancel.escalate();
    }
    why
}

async fn keep(lock: &dyn StateLock, id: &str, lease: &Lease) -> LockError {
    let Some(length) = lease.length() else { return std::future::pending().await };
    let mut failed: Option<LockError> = None;
    let mut pause = length / 3;
    loop {
        tokio::time::sleep(pause.min(lease.left().unwrap_or(pause))).await;
        if lease.check().is_err() {
            return failed.unwrap_or_else(|| late(lock, "the machine slept, or the run was held up"));
        }
        let from = lease.moment();
        // An answer that does not come must not use up the time in which another attempt may succeed.
        let attempt = tokio::time::timeout(length / 4, lock.renew(id)).await;
        match attempt.unwrap_or_else(|_| Err(late(lock, "no answer in time"))) {
            Ok(()) => {
                lease.extend(from);
                failed = None;
                pause = length / 3;
            }
            Err(gone @ (LockError::NotHeld { .. } | LockError::IdMismatch { .. })) => return gone,
            Err(e) => {
                pause = if failed.is_some() { (pause * 2).min(length / 6) } else { PAUSE };
                failed = Some(e);
            }
        }
    }
}

fn late(lock: &dyn StateLock, cause: &str) -> LockError {
    let operation = format!("renew the lock of {}", lock.describe());
    OperationError { operation, cause: cause.to_owned(), help: None, transient: true }.into()
}

/// Takes the lock, waiting for whoever holds it. Only the waiting can be interrupted, never a call: an answer that nobody
/// hears would leave the lock behind.
async fn take(
    lock: &dyn StateLock,
    info: &LockInfo,
    timeout: Duration,
    notice: &dyn Fn(LockNotice<'_>),
    cancel: &Cancel,
) -> Result<Acquired, Error> {
    let mut told = false;
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(100);
    loop {
        match lock.acquire(info).await {
            Ok(acquired) => return Ok(acquired),
            Err(held @ LockError::Held { .. }) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(Error::Lock(held));
                }
                if !std::mem::replace(&mut told, true) {
                    notice(LockNotice::Waiting(&held));
                }
                tokio::select! {
                    () = tokio::time::sleep(pause.min(left)) => {}
                    () = cancel.reached(Level::Finish) => return Err(Error::Interrupted),
                }
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            Err(e) => return Err(Error::Lock(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use lakeform_state::MemoryLock;
    use lakeform_testkit::store::{FlakyLock, LockFault};

    use super::*;

    const LEASE: Duration = Duration::from_millis(600);

    /// Works for some time under a lock, and tells how that went: what was noticed, whether the lease lasted.
    async fn work(lock: &FlakyLock, time: Duration, cancel: &Cancel) -> (Result<bool, Error>, Vec<String>) {
        let notices = Mutex::new(Vec::new());
        let notice = |notice: LockNotice<'_>| {
            notices.lock().unwrap().push(match notice {
                LockNotice::Lost(e) => format!("lost: {e}"),
                LockNotice::TakenOver(before) => format!("taken over from {}", before.who),
                other => format!("{other:?}"),
            });
        };
        let lock: Arc<dyn StateLock> = Arc::new(lock.clone());
        let info = LockInfo::new("OperationTypeApply", "ann@build", "", "");
        let done = under(&lock, &info, Duration::ZERO, &notice, cancel, async |acquired| {
            tokio::time::sleep(time).await;
            Ok::<_, Error>(acquired.lease.check().is_ok())
        });
        let done = done.await;
        (done, notices.into_inner().unwrap())
    }

    #[tokio::test]
    async fn the_lock_is_renewed_while_the_work_goes_on_and_failures_are_outlasted() {
        let (lock, cancel) = (FlakyLock::new(MemoryLock::with_lease(LEASE)), Cancel::new());
        lock.fail_renewals([LockFault::Pass, LockFault::Transient, LockFault::Denied]);
        let (lasted, notices) = work(&lock, LEASE * 3, &cancel).await;
        assert!(lasted.unwrap() && notices.is_empty(), "{notices:?}");
        assert!(lock.renewals() >= 6, "{} renewals", lock.renewals());
        assert_eq!((cancel.level(), lock.holder().await.unwrap()), (Level::Run, None));
    }

    #[tokio::test]
    async fn whoever_is_robbed_of_the_lock_stops_and_hears_of_it_once() {
        let (lock, cancel) = (FlakyLock::new(MemoryLock::with_lease(LEASE)), Cancel::new());
        lock.fail_renewals([LockFault::Stolen]);
        let (lasted, notices) = work(&lock, LEASE, &cancel).await;
        assert!(!lasted.unwrap());
        assert!(matches!(&notices[..], [one] if one.contains("is not there")), "{notices:?}");
        assert_eq!(cancel.level(), Level::Finish);
    }

    #[tokio::test]
    async fn a_lock_that_cannot_be_renewed_in_time_is_lost() {
        let (lock, cancel) = (FlakyLock::new(MemoryLock::with_lease(LEASE)), Cancel::new());
        lock.fail_renewals(vec![LockFault::Transient; 50]);
        let (lasted, notices) = work(&lock, LEASE * 2, &cancel).await;
        assert!(!lasted.unwrap());
        assert!(matches!(&notices[..], [one] if one.starts_with("lost: renew lock: ")), "{notices:?}");
        assert_eq!(lock.holder().await.unwrap(), None, "what nobody else took is given back");
    }

    #[tokio::test]
    async fn a_takeover_is_told() {
        let lock = FlakyLock::new(MemoryLock::with_lease(LEASE));
        lock.acquire(&LockInfo::new("OperationTypeApply", "dead@build", "", "")).await.unwrap();
        let (refused, _) = work(&lock, Duration::ZERO, &Cancel::new()).await;
        assert!(matches!(refused, Err(Error::Lock(LockError::Held { .. }))));
        tokio::time::sleep(LEASE).await;
        let (lasted, notices) = work(&lock, Duration::ZERO, &Cancel::new()).await;
        assert!(lasted.unwrap());
        assert_eq!(notices, ["taken over from dead@build"]);
    }
}
