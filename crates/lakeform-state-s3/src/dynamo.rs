//! Terraform's items in the lock table: the lock and the digest.

use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, put_item::PutItemError},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use lakeform_state::{BoxFuture, LockError, LockInfo, OperationError, StateLock};

use crate::{
    Connection,
    error::{Call, failed},
};

pub(crate) const ID: &str = "LockID";
const INFO: &str = "Info";
const DIGEST: &str = "Digest";

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

impl Connection {
    /// The key of the digest's item.
    pub(crate) fn digest_id(&self) -> String {
        format!("{}-md5", self.backend.lock_path())
    }

    /// One text attribute of one item; `None` where the item or the attribute is absent.
    pub(crate) async fn attribute(&self, table: &str, id: &str, name: &str) -> Result<Option<String>, OperationError> {
        let object = format!("table {table}, item {id}");
        let call = Call { name: "GetItem", service: "dynamodb", object: &object };
        let get = self.dynamodb.get_item().table_name(table).key(ID, text(id)).consistent_read(true);
        let item = get.send().await.map_err(|e| failed(&call, &e))?.item;
        Ok(item.and_then(|mut item| item.remove(name)).and_then(|value| value.as_s().ok().cloned()))
    }

    /// The MD5 that the table has for the state, in hex.
    pub(crate) async fn digest(&self, table: &str) -> Result<Option<String>, OperationError> {
        let digest = self.attribute(table, &self.digest_id(), DIGEST).await?;
        Ok(digest.filter(|text| text.len() == 32).map(|text| text.to_ascii_lowercase()))
    }

    /// Records the MD5 of the state.
    pub(crate) async fn put_digest(&self, table: &str, digest: &str) -> Result<(), OperationError> {
        let id = self.digest_id();
        let object = format!("table {table}, item {id}");
        let call = Call { name: "PutItem", service: "dynamodb", object: &object };
        let put = self.dynamodb.put_item().table_name(table).item(ID, text(&id)).item(DIGEST, text(digest));
        put.send().await.map_err(|e| failed(&call, &e))?;
        Ok(())
    }
}

/// The lock as an item in DynamoDB, by Terraform's protocol: `LockID` is `bucket/key`, `Info` says who has it.
#[derive(Clone, Debug)]
pub struct DynamoLock {
    connection: Connection,
    table: String,
}

impl DynamoLock {
    /// The lock of a backend's state in a table.
    pub fn new(connection: Connection, table: impl Into<String>) -> Self {
        Self { connection, table: table.into() }
    }

    fn id(&self) -> String {
        self.connection.backend.lock_path()
    }

    fn object(&self) -> String {
        format!("table {}, item {}", self.table, self.id())
    }

    /// What the item says, if there is one.
    async fn info(&self) -> Result<Option<String>, OperationError> {
        self.connection.attribute(&self.table, &self.id(), INFO).await
    }

    async fn acquire_now(&self, info: &LockInfo) -> Result<(), LockError> {
        let object = self.object();
        let call = Call { name: "PutItem", service: "dynamodb", object: &object };
        let mine = LockInfo { path: self.id(), ..info.clone() };
        let put = self
            .connection
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .item(ID, text(self.id()))
            .item(INFO, text(mine.to_json()))
            .condition_expression("attribute_not_exists(LockID)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let error = match put.send().await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let there = match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => {
                refused.item().and_then(|item| item.get(INFO)).and_then(|v| v.as_s().ok().cloned())
            }
            _ => return Err(failed(&call, &error).into()),
        };
        let there = match there {
            Some(there) => Some(there),
            None => self.info().await?,
        };
        let holder = there.as_deref().map(read_info);
        // A first attempt whose answer was lost may have got through.
        if holder.as_ref().is_some_and(|holder| holder.id == info.id) {
            return Ok(());
        }
        Err(LockError::Held { place: self.describe(), holder: holder.map(Box::new) })
    }

    async fn release_now(&self, id: &str) -> Result<(), LockError> {
        let object = self.object();
        let call = Call { name: "DeleteItem", service: "dynamodb", object: &object };
        let Some(there) = self.info().await? else {
            return Err(LockError::NotHeld { place: self.describe(), id: id.to_owned() });
        };
        if read_info(&there).id != id {
            return Err(self.mismatch(id, &there));
        }
        let delete = self
            .connection
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .key(ID, text(self.id()))
            .condition_expression("Info = :info")
            .expression_attribute_values(":info", text(there));
        match delete.send().await {
            Ok(_) => Ok(()),
            // It was ours a moment ago and is not any more: a first attempt whose answer was lost, or someone forced it. Ours
            // is gone either way, and whatever is there now is not ours to remove.
            Err(e) if matches!(e.as_service_error(), Some(DeleteItemError::ConditionalCheckFailedException(_))) => {
                Ok(())
            }
            Err(e) => Err(failed(&call, &e).into()),
        }
    }

    fn mismatch(&self, id: &str, there: &str) -> LockError {
        let holder = Some(Box::new(read_info(there)));
        LockError::IdMismatch { place: self.describe(), id: id.to_owned(), holder }
    }
}

impl StateLock for DynamoLock {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.acquire_now(info))
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        Box::pin(self.release_now(id))
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        Box::pin(async move { Ok(self.info().await?.as_deref().map(read_info)) })
    }

    fn describe(&self) -> String {
        format!("{} (lock table {})", self.connection.backend.describe(), self.table)
    }
}

/// Who a lock says has it. Text that is not Terraform's JSON is shown as it is.
pub(crate) fn read_info(text: &str) -> LockInfo {
    serde_json::from_str(text).unwrap_or_else(|_| LockInfo { info: text.to_owned(), ..LockInfo::default() })
}
