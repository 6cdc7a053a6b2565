//! Two locks as one, for an estate on its way from the one kind to the other.

use std::sync::Arc;

use lakeform_state::{Acquired, BoxFuture, LockError, LockInfo, StateLock};

/// A lock that is held when both of its parts are: the table's item and the lockfile.
#[derive(Clone, Debug)]
pub struct BothLocks {
    first: Arc<dyn StateLock>,
    second: Arc<dyn StateLock>,
}

impl BothLocks {
    /// Both of these.
    pub fn new(first: Arc<dyn StateLock>, second: Arc<dyn StateLock>) -> Self {
        Self { first, second }
    }
}

impl StateLock for BothLocks {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>> {
        Box::pin(async move {
            // The first part is asked for first, so its lease is the shorter one.
            let Acquired { lease, taken_over } = self.first.acquire(info).await?;
            match self.second.acquire(info).await {
                Ok(second) => Ok(Acquired { lease, taken_over: taken_over.or(second.taken_over) }),
                Err(e) => {
                    // Whoever has the second part alone will let go of it; the first must be free meanwhile.
                    if let Err(e) = self.first.undo(&info.id).await {
                        tracing::warn!("the first of two locks could not be given back: {e}");
                    }
                    Err(e)
                }
            }
        })
    }

    fn renew<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            self.first.renew(id).await?;
            self.second.renew(id).await
        })
    }

    /// Gives back both; a part that is not there is reported once the other is free.
    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            let second = self.second.release(id).await;
            let first = self.first.release(id).await;
            second.and(first)
        })
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        Box::pin(async move {
            match self.first.holder().await? {
                Some(holder) => Ok(Some(holder)),
                None => self.second.holder().await,
            }
        })
    }

    /// Frees the parts that are held under this id; one of the two suffices.
    fn force_release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(async move {
            let second = self.second.force_release(id).await;
            let first = self.first.force_release(id).await;
            match (first, second) {
                (Ok(()), Ok(()) | Err(LockError::NotHeld { .. })) | (Err(LockError::NotHeld { .. }), Ok(())) => Ok(()),
                (Err(LockError::NotHeld { .. }), Err(e)) | (Ok(()), Err(e)) | (Err(e), _) => Err(e),
            }
        })
    }

    fn describe(&self) -> String {
        self.first.describe()
    }
}
