//! Holding the lock while something is done, and giving it back whatever happens.

use std::{
    panic::{AssertUnwindSafe, resume_unwind},
    time::Duration,
};

use futures::FutureExt;
use lakeform_engine::{Cancel, Level};
use lakeform_state::{LockError, LockInfo, OperationError, StateLock};
use tokio::time::Instant;

use crate::Error;

/// What is worth telling about the lock while work goes on.
#[derive(Clone, Copy, Debug)]
pub enum LockNotice<'a> {
    /// Someone has it, and this run waits. Told once.
    Waiting(&'a LockError),
    /// The work failed, and the lock could not be given back either.
    NotReleased(&'a LockError),
    /// The work is done, and its record could not be written.
    NotRecorded(&'a OperationError),
}

/// Does `work` under the lock. The lock is given back when the work is done, fails or panics; the work is never cut off.
pub(crate) async fn under<T, E: From<Error>>(
    lock: &dyn StateLock,
    info: &LockInfo,
    timeout: Duration,
    notice: &dyn Fn(LockNotice<'_>),
    cancel: &Cancel,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    take(lock, info, timeout, notice, cancel).await?;
    let done = AssertUnwindSafe(work).catch_unwind().await;
    let released = lock.release(&info.id).await;
    let done = done.unwrap_or_else(|panic| resume_unwind(panic));
    match (done, released) {
        (done, Ok(())) => done,
        (Ok(_), Err(error)) => Err(Error::Unlock(error).into()),
        (Err(e), Err(error)) => {
            notice(LockNotice::NotReleased(&error));
            Err(e)
        }
    }
}

/// Takes the lock, waiting for whoever holds it. Only the waiting can be interrupted, never a call: an answer that nobody
/// hears would leave the lock behind.
async fn take(
    lock: &dyn StateLock,
    info: &LockInfo,
    timeout: Duration,
    notice: &dyn Fn(LockNotice<'_>),
    cancel: &Cancel,
) -> Result<(), Error> {
    let mut told = false;
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(100);
    loop {
        match lock.acquire(info).await {
            Ok(()) => return Ok(()),
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
