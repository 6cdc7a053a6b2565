//! Whether calls may still be sent.

use std::{fmt, sync::Arc};

use crate::{ErrorKind, ProviderError};

tokio::task_local! {
    static PERMIT: Permit;
}

/// A run's permit to send calls: around an operation, and asked by whatever sends its calls before each of them. So an
/// operation of many calls stops in the middle when the run may no longer change anything.
#[derive(Clone)]
pub struct Permit(Arc<dyn Fn() -> bool + Send + Sync>);

/// A call was not sent, as its run may no longer change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sent: this run no longer has the lock of the state")]
pub struct NotPermitted;

impl Permit {
    /// A permit that lasts as long as this says so.
    pub fn new(lasts: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(lasts))
    }

    /// Does some work under this permit.
    pub async fn around<F: Future>(self, work: F) -> F::Output {
        PERMIT.scope(self, work).await
    }

    /// Whether the work that asks may send a call. What is under no permit may.
    ///
    /// # Errors
    /// [`NotPermitted`] once the permit has ended.
    pub fn check() -> std::result::Result<(), NotPermitted> {
        match PERMIT.try_with(|permit| (permit.0)()) {
            Ok(false) => Err(NotPermitted),
            _ => Ok(()),
        }
    }
}

impl NotPermitted {
    /// The failure of a call that is not to be repeated. It was not sent, though earlier ones of its operation may have been.
    pub fn error(self) -> ProviderError {
        ProviderError::new(ErrorKind::Cancelled, self.to_string())
            .hint("see who has the lock with `lakeform lock status`, then run it again to go on")
            .source(self)
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&(self.0)()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_permit_is_asked_at_each_call_and_concerns_only_what_it_is_around() {
        let lasts = Arc::new(AtomicBool::new(true));
        let read = lasts.clone();
        let permit = Permit::new(move || read.load(Ordering::SeqCst));
        let work = async {
            assert_eq!(Permit::check(), Ok(()));
            lasts.store(false, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Permit::check()
        };
        assert_eq!(permit.around(work).await, Err(NotPermitted));
        assert_eq!(Permit::check(), Ok(()));
    }
}
