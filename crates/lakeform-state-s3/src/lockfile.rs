//! The lock as an object beside the state: `<key>.tflock`, as with Terraform's `use_lockfile`.

use std::time::Duration;

use aws_sdk_s3::primitives::SdkBody;
use lakeform_state::{BoxFuture, LockError, LockInfo, OperationError, StateLock};

use crate::{
    Connection,
    dynamo::read_info,
    objects::{Expect, Object, Put},
};

/// The lock as an object in S3 that only one can create.
#[derive(Clone, Debug)]
pub struct LockFile {
    connection: Connection,
    key: String,
}

impl LockFile {
    /// The lock of a backend's state.
    pub fn new(connection: Connection) -> Self {
        let key = format!("{}.tflock", connection.backend.key);
        Self { connection, key }
    }

    async fn there(&self) -> Result<Option<(LockInfo, Object)>, OperationError> {
        let object = self.connection.get(&self.key).await?;
        Ok(object.map(|object| (read_info(&String::from_utf8_lossy(&object.bytes)), object)))
    }

    async fn acquire_now(&self, info: &LockInfo) -> Result<(), LockError> {
        let mine = LockInfo { path: self.connection.backend.lock_path(), ..info.clone() };
        let body = SdkBody::from(mine.to_json());
        // Twice for a lock that was given back between our write and our look at it, and for two writes at one instant.
        for pause in [Duration::from_millis(50), Duration::from_millis(100), Duration::ZERO] {
            match self.connection.put(&self.key, &body, &Expect::Nothing).await? {
                Put::Done(_) => return Ok(()),
                Put::Refused | Put::Conflict => {}
            }
            match self.there().await? {
                // A first attempt whose answer was lost may have got through.
                Some((holder, _)) if holder.id == info.id => return Ok(()),
                Some((holder, _)) => {
                    return Err(LockError::Held { place: self.describe(), holder: Some(Box::new(holder)) });
                }
                None => tokio::time::sleep(pause).await,
            }
        }
        Err(LockError::Held { place: self.describe(), holder: None })
    }

    async fn release_now(&self, id: &str) -> Result<(), LockError> {
        let Some((holder, object)) = self.there().await? else {
            return Err(LockError::NotHeld { place: self.describe(), id: id.to_owned() });
        };
        if holder.id != id {
            return Err(self.mismatch(id, holder));
        }
        // Where it is another object by now, ours is gone: by a first attempt whose answer was lost, or by force.
        self.connection.delete(&self.key, &object.etag).await?;
        Ok(())
    }

    fn mismatch(&self, id: &str, holder: LockInfo) -> LockError {
        LockError::IdMismatch { place: self.describe(), id: id.to_owned(), holder: Some(Box::new(holder)) }
    }
}

impl StateLock for LockFile {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.acquire_now(info))
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.release_now(id))
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        Box::pin(async move { Ok(self.there().await?.map(|(holder, _)| holder)) })
    }

    fn describe(&self) -> String {
        format!("{} (lockfile {})", self.connection.backend.describe(), self.key)
    }
}
