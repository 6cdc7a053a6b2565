//! The lock as an object beside the state: `<key>.tflock`, as with Terraform's `use_lockfile`.

use std::time::Duration;

use aws_sdk_s3::primitives::SdkBody;
use lakeform_state::{Acquired, BoxFuture, LockError, LockInfo, OperationError, StateLock};

use crate::{
    Connection,
    hold::Hold,
    items::{Record, is_same, read_info},
    objects::{Expect, Put},
};

/// Pauses before the lock is looked at again that changes while it is being taken, renewed or given back, in
/// milliseconds.
const PAUSES: [u64; 5] = [0, 50, 100, 200, 400];

/// The lock as an object in S3 that only one can create. Its JSON is Terraform's with `Expires` and `Fence`, which make it
/// a lease; Terraform ignores both.
#[derive(Clone, Debug)]
pub struct LockFile {
    connection: Connection,
    key: String,
}

/// The lockfile as it is.
struct There {
    info: LockInfo,
    etag: String,
}

impl LockFile {
    /// The lock of a backend's state.
    pub fn new(connection: Connection) -> Self {
        let key = format!("{}.tflock", connection.backend.key);
        Self { connection, key }
    }

    async fn there(&self) -> Result<Option<There>, OperationError> {
        let object = self.connection.get(&self.key).await?;
        let read = |bytes: &[u8]| read_info(&String::from_utf8_lossy(bytes));
        Ok(object.map(|object| There { info: read(&object.bytes), etag: object.etag }))
    }

    /// Writes the lockfile if what is there is what is expected. Gives its ETag, or `None` if it was not.
    async fn put(&self, info: &LockInfo, etag: Option<&str>) -> Result<Option<String>, OperationError> {
        let expect = etag.map_or(Expect::Nothing, Expect::Etag);
        match self.connection.put(&self.key, &SdkBody::from(info.to_json()), &expect).await? {
            Put::Done(etag) => Ok(Some(etag)),
            Put::Refused | Put::Conflict => Ok(None),
        }
    }

    async fn acquire_now(&self, info: &LockInfo) -> Result<Acquired, LockError> {
        let connection = &self.connection;
        let time = &connection.s3_time;
        // Without the service's time the first write would count from the machine's, which may be hours off.
        let mut there = if time.latest().is_none() { self.there().await? } else { None };
        let mut taken_over: Option<LockInfo> = None;
        for pause in PAUSES {
            match &there {
                None => {
                    taken_over = None;
                    // For a lock that was given back between our write and our look at it, and for two writes at one instant.
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                // A first attempt whose answer was lost got through.
                Some(there) if there.info.id == info.id => {}
                Some(there) if connection.has_run_out(time, &there.info) => taken_over = Some(there.info.clone()),
                Some(_) => break,
            }
            let before = there.as_ref().and_then(|there| there.info.term);
            let mut from = connection.moment();
            let path = connection.backend.lock_path();
            let mine = LockInfo { path, term: connection.term(time, before), ..info.clone() };
            if let Some(etag) = self.put(&mine, there.as_ref().map(|there| &*there.etag)).await? {
                let before = taken_over.clone().map(Record::new);
                connection.holds().file = Some(Hold { info: mine.clone(), before, etag });
                if connection.too_short(time, &mine) {
                    from = connection.moment();
                    self.renew_now(&mine.id).await?;
                }
                return Ok(Acquired { lease: connection.lease(&mine, from), taken_over });
            }
            there = self.there().await?;
        }
        Err(LockError::Held { place: self.describe(), holder: there.map(|there| Box::new(there.info)) })
    }

    /// What this run holds under an id.
    fn mine(&self, id: &str) -> Option<Hold> {
        self.connection.holds().file.clone().filter(|hold| hold.info.id == id)
    }

    async fn renew_now(&self, id: &str) -> Result<(), LockError> {
        let connection = &self.connection;
        let time = &connection.s3_time;
        let Some(Hold { info: mut mine, mut etag, .. }) = self.mine(id) else {
            return Err(self.not_mine(id, self.there().await?));
        };
        for pause in PAUSES {
            let Some(term) = mine.term else { return Ok(()) };
            tokio::time::sleep(Duration::from_millis(pause)).await;
            mine.term = Some(connection.renewed(time, term));
            match self.put(&mine, Some(&etag)).await? {
                Some(new) => {
                    etag = new;
                    if let Some(hold) = connection.holds().file.as_mut().filter(|hold| hold.info.id == id) {
                        (hold.info.term, hold.etag) = (mine.term, etag.clone());
                    }
                    if !connection.too_short(time, &mine) {
                        return Ok(());
                    }
                }
                // Its ETag changes with each renewal, one whose answer was lost included.
                None => match self.there().await? {
                    Some(there) if is_same(&there.info, &mine) => etag = there.etag,
                    other => return Err(self.not_mine(id, other)),
                },
            }
        }
        Err(self.busy("PutObject"))
    }

    async fn release_now(&self, id: &str) -> Result<(), LockError> {
        let mut deleted = false;
        for pause in PAUSES {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match self.there().await? {
                Some(there) if there.info.id == id => {
                    // Refused where it is another object by now: someone else's, or ours, renewed at this instant.
                    deleted = true;
                    if !self.connection.delete(&self.key, &there.etag).await? {
                        continue;
                    }
                }
                _ if deleted => {}
                other => return Err(self.not_mine(id, other)),
            }
            self.connection.holds().file.take_if(|hold| hold.info.id == id);
            return Ok(());
        }
        Err(self.busy("DeleteObject"))
    }

    async fn undo_now(&self, id: &str) -> Result<(), LockError> {
        let Some(Hold { info: mine, before: Some(before), etag }) = self.mine(id) else {
            return self.release_now(id).await;
        };
        if self.put(&before.fenced(&mine).info, Some(&etag)).await?.is_none() {
            return Err(self.not_mine(id, self.there().await?));
        }
        self.connection.holds().file.take_if(|hold| hold.info.id == id);
        Ok(())
    }

    fn not_mine(&self, id: &str, there: Option<There>) -> LockError {
        let (place, id) = (self.describe(), id.to_owned());
        match there {
            None => LockError::NotHeld { place, id },
            Some(there) => LockError::IdMismatch { place, id, holder: Some(Box::new(there.info)) },
        }
    }

    fn busy(&self, call: &str) -> LockError {
        let operation = format!("{call} s3://{}/{}", self.connection.backend.bucket, self.key);
        let cause = "someone else writes the lockfile at the same time, again and again".to_owned();
        OperationError { operation, cause, help: None, transient: true }.into()
    }
}

impl StateLock for LockFile {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>> {
        Box::pin(self.acquire_now(info))
    }

    fn renew<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.renew_now(id))
    }

    fn undo<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.undo_now(id))
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.release_now(id))
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        Box::pin(async move { Ok(self.there().await?.map(|there| there.info)) })
    }

    fn describe(&self) -> String {
        format!("{} (lockfile {})", self.connection.backend.describe(), self.key)
    }
}
