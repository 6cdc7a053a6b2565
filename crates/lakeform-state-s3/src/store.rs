//! The state as an object in S3.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sdk_s3::primitives::SdkBody;
use lakeform_state::{BoxFuture, StateStore, StateVersion, StoreError, Stored, Version};
use tokio::time::{Instant, sleep};

use crate::{
    Connection,
    objects::{Expect, Object, Put, md5_hex},
};

/// How long reading waits for object and digest to agree; Terraform waits as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state in `bucket`/`key`. Every write is conditional on the ETag that was read, so that a run that lost its lock
/// cannot overwrite another's state. With a lock table, the object's MD5 is kept in Terraform's digest item. That comes after
/// the object, which has in its metadata which digest it replaces: whoever reads it and finds that digest still there knows that
/// the run which wrote the object was cut off.
#[derive(Clone, Debug)]
pub struct S3Store {
    connection: Connection,
    patience: Duration,
    /// The digests that the table may have.
    digests: Arc<Mutex<Vec<String>>>,
}

impl S3Store {
    /// The store of a backend.
    pub fn new(connection: Connection) -> Self {
        Self { connection, patience: PATIENCE, digests: Arc::default() }
    }

    /// The same store with another time to wait for object and digest to agree, instead of Terraform's 10 s.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn key(&self) -> &str {
        &self.connection.backend.key
    }

    fn digests(&self) -> MutexGuard<'_, Vec<String>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read_now(&self) -> Result<Option<Stored>, StoreError> {
        let object = self.read_verified().await?;
        Ok(object.map(|Object { bytes, etag, .. }| Stored { bytes, version: Version(etag), stale: false }))
    }

    /// The object, once it agrees with its digest.
    async fn read_verified(&self) -> Result<Option<Object>, StoreError> {
        let Some(table) = &self.connection.backend.dynamodb_table else {
            return Ok(self.connection.get(self.key()).await?);
        };
        let deadline = Instant::now() + self.patience;
        let mut first = true;
        loop {
            let (object, digest) = match first {
                true => futures::join!(self.connection.get(self.key()), self.connection.digest(table)),
                false => (self.connection.get(self.key()).await, self.connection.digest(table).await),
            };
            let object = object?;
            let expected = match digest {
                Ok(Some(expected)) => expected,
                Ok(None) => return Ok(object),
                Err(e) => {
                    // Terraform goes on without: a reader may have no rights on the table.
                    tracing::warn!("the digest of {} could not be read: {e}", self.describe());
                    return Ok(object);
                }
            };
            let actual = object.as_ref().map(|object| md5_hex(&object.bytes)).unwrap_or_default();
            *self.digests() = vec![expected.clone()];
            if actual == expected {
                return Ok(object);
            }
            let replaced = object.as_ref().is_some_and(|object| object.replaces.split(' ').any(|one| one == expected));
            if replaced || self.connection.took_over() {
                // The run before stopped between object and digest.
                tracing::warn!(
                    "{} does not match its digest, which the last run did not get to write",
                    self.describe()
                );
                if replaced && self.connection.holds().item.is_some() {
                    self.put_digest(table, actual).await?;
                }
                return Ok(object);
            }
            if std::mem::take(&mut first) {
                // A write may have come in between.
                continue;
            }
            if Instant::now() >= deadline {
                return Err(StoreError::Digest {
                    place: self.describe(),
                    table: table.clone(),
                    item: self.connection.digest_id(),
                    expected,
                    actual,
                });
            }
            sleep(Duration::from_secs(2).min(self.patience)).await;
        }
    }

    async fn put_digest(&self, table: &str, digest: String) -> Result<(), StoreError> {
        // Until it is known that it arrived, the table may have either.
        self.digests().push(digest.clone());
        self.connection.put_digest(table, &digest).await?;
        *self.digests() = vec![digest];
        Ok(())
    }

    async fn write_now(&self, bytes: Vec<u8>, expected: Option<Version>) -> Result<Version, StoreError> {
        let digest = md5_hex(&bytes);
        let body = SdkBody::from(bytes);
        let expect = expected.as_ref().map_or(Expect::Nothing, |version| Expect::Etag(&version.0));
        let replaces = self.digests().join(" ");
        let mut pause = Duration::from_millis(50);
        let etag = loop {
            match self.connection.put_over(self.key(), &body, &expect, &replaces).await? {
                Put::Done(etag) => break etag,
                // A first attempt whose answer was lost may have got through, here or within the SDK's own retries.
                Put::Refused => match self.connection.get(self.key()).await? {
                    Some(there) if md5_hex(&there.bytes) == digest => break there.etag,
                    _ => return Err(StoreError::Moved { place: self.describe() }),
                },
                Put::Conflict if pause < Duration::from_secs(4) => {
                    sleep(pause).await;
                    pause *= 2;
                }
                Put::Conflict => return Err(StoreError::Moved { place: self.describe() }),
            }
        };
        if let Some(table) = &self.connection.backend.dynamodb_table {
            self.put_digest(table, digest).await?;
        }
        Ok(Version(etag))
    }
}

impl StateStore for S3Store {
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(self.read_now())
    }

    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>> {
        Box::pin(self.write_now(bytes, expected))
    }

    fn describe(&self) -> String {
        self.connection.backend.describe()
    }

    fn versions(&self, limit: usize) -> BoxFuture<'_, Result<Vec<StateVersion>, StoreError>> {
        Box::pin(async move { Ok(self.connection.versions(self.key(), limit).await?) })
    }

    fn read_version<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move {
            let version = (id != "current").then_some(id);
            Ok(self.connection.get_version(self.key(), version).await?.map(|object| object.bytes))
        })
    }
}
