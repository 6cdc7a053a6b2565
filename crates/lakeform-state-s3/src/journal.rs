//! The journal beside a state in S3: items of the lock table, or small objects where there is no table.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::batch_write_item::BatchWriteItemError,
    types::{DeleteRequest, WriteRequest},
};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::{StreamExt, TryStreamExt, stream};
use lakeform_state::{
    BoxFuture, OperationError, StoreError,
    journal::{Journal, Page},
};

use crate::{
    Connection,
    error::{Call, failed},
    items::{ID, Item, text},
    objects::{Expect, Put},
};

/// What holds a page, as JSON.
const PAGE: &str = "Page";

/// How many calls go out at once.
const AT_ONCE: usize = 16;

/// How many pages are written at once.
const PAGES: usize = 4;

/// The journal as items of the lock table. The first page of a run is in the item `bucket/key#journal`, the others in
/// `bucket/key#journal#RUN#SEQ`: so one look tells whether there is a journal, and which run's. The first is written in one
/// transaction with the lock; the others need none, since nobody reads those of a run whose first is gone, and whoever takes
/// the lock over puts one of its own in the place of the next.
#[derive(Clone, Debug)]
pub struct TableJournal {
    connection: Connection,
    table: String,
}

impl TableJournal {
    /// The journal of a backend's state in a table.
    pub fn new(connection: Connection, table: impl Into<String>) -> Self {
        Self { connection, table: table.into() }
    }

    fn head(&self) -> String {
        format!("{}#journal", self.connection.backend.lock_path())
    }

    fn item(&self, run: &str, seq: u64) -> String {
        if seq <= 1 { self.head() } else { format!("{}#{run}#{seq}", self.head()) }
    }

    async fn get(&self, id: &str) -> Result<Option<Page>, StoreError> {
        let item = self.connection.item(&self.table, id).await?;
        let json = item.as_ref().and_then(|item| item.get(PAGE)).and_then(|page| page.as_s().ok());
        json.map(|json| parse(json, &self.describe(), id)).transpose()
    }

    async fn append_now(&self, page: &Page) -> Result<(), StoreError> {
        let id = text(self.item(&page.run, page.seq));
        let item = Item::from([(ID.to_owned(), id), (PAGE.to_owned(), text(page.to_json()))]);
        match page.seq {
            ..=1 => self.connection.put_fenced(&self.table, vec![item]).await,
            _ => self.connection.put_new(&self.table, item).await,
        }
    }

    async fn read_now(&self) -> Result<Vec<Page>, StoreError> {
        let first = match self.get(&self.head()).await {
            Ok(Some(first)) => first,
            Ok(None) => return Ok(vec![]),
            // As with the digest: a reader may have no rights on the table. Who writes has taken the lock there.
            Err(StoreError::Operation(e)) if e.cause.starts_with("AccessDenied") => {
                tracing::warn!("the journal {} could not be read: {e}", self.describe());
                return Ok(vec![]);
            }
            Err(e) => return Err(e),
        };
        let run = first.run.clone();
        let (mut pages, mut next) = (vec![first], 2);
        loop {
            let ids = (next..next + AT_ONCE as u64).map(|seq| self.item(&run, seq));
            let found: Vec<Option<Page>> =
                stream::iter(ids).map(|id| async move { self.get(&id).await }).buffered(AT_ONCE).try_collect().await?;
            // One that failed, or was cut off beside others, leaves a gap.
            let end = found.iter().all(Option::is_none);
            pages.extend(found.into_iter().flatten());
            if end {
                return Ok(pages);
            }
            next += AT_ONCE as u64;
        }
    }

    /// The last page goes first: what is left after an interruption is a beginning.
    async fn clear_now(&self, run: &str, seq: u64) -> Result<(), OperationError> {
        let ids: Vec<String> = (1..=seq).rev().map(|seq| self.item(run, seq)).collect();
        // As many as DynamoDB takes in one call.
        for some in ids.chunks(25) {
            self.delete_all(some).await?;
        }
        Ok(())
    }

    async fn delete_all(&self, ids: &[String]) -> Result<(), OperationError> {
        let call = Call { name: "BatchWriteItem", service: "dynamodb", object: &format!("table {}", self.table) };
        let mut left: Vec<WriteRequest> = ids
            .iter()
            .filter_map(|id| {
                let delete = DeleteRequest::builder().key(ID, text(id)).build().ok()?;
                Some(WriteRequest::builder().delete_request(delete).build())
            })
            .collect();
        while !left.is_empty() {
            let write = self.connection.dynamodb.batch_write_item().request_items(&self.table, left);
            left = match write.send().await {
                Ok(done) => done.unprocessed_items.unwrap_or_else(HashMap::new).remove(&self.table).unwrap_or_default(),
                // Terraform's documentation names no right to it; that to delete single items it does.
                Err(e) if e.as_service_error().and_then(BatchWriteItemError::code) == Some("AccessDeniedException") => {
                    return stream::iter(ids).map(Ok).try_for_each_concurrent(AT_ONCE, |id| self.delete(id)).await;
                }
                Err(e) => return Err(failed(&call, &e)),
            };
        }
        Ok(())
    }

    async fn delete(&self, id: &str) -> Result<(), OperationError> {
        let object = format!("table {}, item {id}", self.table);
        let call = Call { name: "DeleteItem", service: "dynamodb", object: &object };
        let delete = self.connection.dynamodb.delete_item().table_name(&self.table).key(ID, text(id));
        delete.send().await.map_err(|e| failed(&call, &e))?;
        Ok(())
    }
}

impl Journal for TableJournal {
    fn at_once(&self) -> usize {
        PAGES
    }

    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.append_now(page))
    }

    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>> {
        Box::pin(self.read_now())
    }

    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.clear_now(run, seq).await?) })
    }

    fn describe(&self) -> String {
        format!("{} (table {})", self.head(), self.table)
    }
}

/// The journal as objects beside the state: `<key>.journal/RUN/SEQ`.
#[derive(Clone, Debug)]
pub struct ObjectJournal {
    connection: Connection,
}

impl ObjectJournal {
    /// The journal of a backend's state.
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    fn folder(&self) -> String {
        format!("{}.journal/", self.connection.backend.key)
    }

    fn key(&self, run: &str, seq: u64) -> String {
        format!("{}{run}/{seq:08}", self.folder())
    }

    async fn append_now(&self, page: &Page) -> Result<(), StoreError> {
        let (key, body) = (self.key(&page.run, page.seq), SdkBody::from(page.to_json()));
        match self.connection.put(&key, &body, &Expect::Anything).await? {
            Put::Done(_) => Ok(()),
            Put::Refused | Put::Conflict => Err(OperationError {
                operation: format!("PutObject s3://{}/{key}", self.connection.backend.bucket),
                cause: "another write to the same object was under way".to_owned(),
                help: None,
                transient: true,
            }
            .into()),
        }
    }

    async fn read_now(&self) -> Result<Vec<Page>, StoreError> {
        let keys = self.connection.list(&self.folder()).await?;
        let get = |key: String| async move {
            let Some(object) = self.connection.get(&key).await? else { return Ok(None) };
            parse(&String::from_utf8_lossy(&object.bytes), &self.describe(), &key).map(Some)
        };
        let pages: Vec<Option<Page>> = stream::iter(keys).map(get).buffered(AT_ONCE).try_collect().await?;
        Ok(pages.into_iter().flatten().collect())
    }

    async fn clear_now(&self, run: &str, seq: u64) -> Result<(), OperationError> {
        // The last page goes first: what is left after an interruption is a beginning.
        let keys = (1..=seq).rev().map(|seq| self.key(run, seq));
        stream::iter(keys)
            .map(|key| async move { self.connection.remove(&key).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

impl Journal for ObjectJournal {
    fn at_once(&self) -> usize {
        PAGES
    }

    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.append_now(page))
    }

    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>> {
        Box::pin(self.read_now())
    }

    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move { Ok(self.clear_now(run, seq).await?) })
    }

    fn describe(&self) -> String {
        format!("s3://{}/{}", self.connection.backend.bucket, self.folder())
    }
}

fn parse(json: &str, place: &str, at: &str) -> Result<Page, StoreError> {
    serde_json::from_str(json).map_err(|e| lakeform_state::journal::damaged(place, at, &e.to_string()))
}
