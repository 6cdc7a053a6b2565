//! The lock as an item in DynamoDB.

use aws_sdk_dynamodb::{
    config::{Builder, retry::RetryConfig},
    operation::delete_item::{DeleteItemError, builders::DeleteItemFluentBuilder},
};
use lakeform_state::{Acquired, BoxFuture, LockError, LockInfo, Moment, OperationError, StateLock};

use crate::{
    Connection,
    error::{Call, failed},
    hold::Hold,
    items::{ID, Record, There, Written, is_same, text},
};

/// How often a lock is looked at again that changes while it is being taken or renewed.
const ATTEMPTS: usize = 5;

/// The lock as an item in DynamoDB, by Terraform's protocol: `LockID` is `bucket/key`, `Info` says who has it. Beside them,
/// `Expires` and `Fence` make it a lease; Terraform ignores both.
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

    /// Who the item says has it, if there is one.
    async fn there(&self) -> Result<Option<Record>, OperationError> {
        Ok(self.connection.item(&self.table, &self.id()).await?.as_ref().map(Record::read))
    }

    async fn acquire_now(&self, info: &LockInfo) -> Result<Acquired, LockError> {
        let connection = &self.connection;
        let time = &connection.dynamodb_time;
        // Without the service's time the first write would count from the machine's, which may be hours off.
        let mut there = if time.latest().is_none() { self.there().await? } else { None };
        let mut taken_over = None;
        for _ in 0..ATTEMPTS {
            match &there {
                None => taken_over = None,
                // A first attempt whose answer was lost got through.
                Some(there) if there.info.id == info.id => {}
                Some(there) if connection.has_run_out(time, &there.info) => taken_over = Some(there.clone()),
                Some(_) => break,
            }
            let before = there.as_ref().and_then(|there| there.info.term);
            let from = connection.moment();
            let mine = LockInfo { path: self.id(), term: connection.term(time, before), ..info.clone() };
            let expected = there.as_ref().map_or(There::Nothing, There::Record);
            match connection.put_lock(&self.table, &Record::new(mine.clone()), &expected).await? {
                Written::Done => return self.acquired(mine, from, taken_over).await,
                Written::Refused(other) => there = other.map(|record| *record),
            }
        }
        Err(LockError::Held { place: self.describe(), holder: there.map(|there| Box::new(there.info)) })
    }

    async fn acquired(
        &self,
        mine: LockInfo,
        mut from: Moment,
        taken_over: Option<Record>,
    ) -> Result<Acquired, LockError> {
        let connection = &self.connection;
        let hold = Hold { info: mine.clone(), before: taken_over.clone(), etag: String::new() };
        connection.holds().item = Some(hold);
        if connection.too_short(&connection.dynamodb_time, &mine) {
            from = connection.moment();
            self.renew_now(&mine.id).await?;
        }
        Ok(Acquired { lease: connection.lease(&mine, from), taken_over: taken_over.map(|before| before.info) })
    }

    /// What this run holds under an id.
    fn mine(&self, id: &str) -> Option<Hold> {
        self.connection.holds().item.clone().filter(|hold| hold.info.id == id)
    }

    async fn renew_now(&self, id: &str) -> Result<(), LockError> {
        let connection = &self.connection;
        let time = &connection.dynamodb_time;
        let Some(hold) = self.mine(id) else { return Err(self.not_mine(id, self.there().await?)) };
        let mut mine = Record::new(hold.info);
        if mine.info.term.is_none() {
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            mine.info.term = mine.info.term.map(|term| connection.renewed(time, term));
            match connection.put_lock(&self.table, &mine, &There::Mine).await? {
                Written::Done if connection.too_short(time, &mine.info) => {}
                Written::Done => break,
                // Renewed to a later time, beside a write of the digest.
                Written::Refused(Some(there)) if is_same(&there.info, &mine.info) => mine.info.term = there.info.term,
                Written::Refused(there) => return Err(self.not_mine(id, there.map(|record| *record))),
            }
        }
        if let Some(hold) = connection.holds().item.as_mut().filter(|hold| hold.info.id == id) {
            hold.info.term = mine.info.term;
        }
        Ok(())
    }

    async fn release_now(&self, id: &str) -> Result<(), LockError> {
        let object = format!("table {}, item {}", self.table, self.id());
        let call = Call { name: "DeleteItem", service: "dynamodb", object: &object };
        let mut tried = false;
        if let Some(hold) = self.mine(id) {
            // What is this run's own it need not read first. Sent once, so that a refusal says that it is gone.
            let once = Builder::new().retry_config(RetryConfig::disabled());
            let delete = self.delete(&Record::new(hold.info)).customize().config_override(once);
            match delete.send().await.as_ref().map_err(|e| e.as_service_error()) {
                Ok(_) => {
                    self.forget(id);
                    return Ok(());
                }
                Err(Some(DeleteItemError::ConditionalCheckFailedException(_))) => {}
                Err(_) => tried = true,
            }
        }
        let there = match self.there().await? {
            Some(there) if there.info.id == id => there,
            // The answer was lost.
            None if tried => {
                self.forget(id);
                return Ok(());
            }
            other => return Err(self.not_mine(id, other)),
        };
        let mut left = ATTEMPTS;
        loop {
            let Err(error) = self.delete(&there).send().await else { break };
            match error.as_service_error() {
                // It was ours a moment ago and is not any more: a first attempt whose answer was lost, or someone forced it.
                // Ours is gone either way, and whatever is there now is not ours to remove.
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => break,
                Some(DeleteItemError::TransactionConflictException(_)) if left > 0 => {
                    left -= 1;
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
                _ => return Err(failed(&call, &error).into()),
            }
        }
        self.forget(id);
        Ok(())
    }

    /// Deletes the item if it is a holder's.
    fn delete(&self, of: &Record) -> DeleteItemFluentBuilder {
        let delete = self.connection.dynamodb.delete_item().table_name(&self.table).key(ID, text(self.id()));
        delete.condition_expression("Info = :info").expression_attribute_values(":info", of.text())
    }

    /// Nothing is held any more.
    fn forget(&self, id: &str) {
        self.connection.holds().item.take_if(|hold| hold.info.id == id);
    }

    async fn undo_now(&self, id: &str) -> Result<(), LockError> {
        let Some(Hold { info: mine, before: Some(before), .. }) = self.mine(id) else {
            return self.release_now(id).await;
        };
        let before = before.fenced(&mine);
        let expected = Record::new(mine);
        if let Written::Refused(there) =
            self.connection.put_lock(&self.table, &before, &There::Record(&expected)).await?
        {
            return Err(self.not_mine(id, there.map(|record| *record)));
        }
        self.forget(id);
        Ok(())
    }

    fn not_mine(&self, id: &str, there: Option<Record>) -> LockError {
        let (place, id) = (self.describe(), id.to_owned());
        match there {
            None => LockError::NotHeld { place, id },
            Some(there) => LockError::IdMismatch { place, id, holder: Some(Box::new(there.info)) },
        }
    }
}

impl StateLock for DynamoLock {
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
        format!("{} (lock table {})", self.connection.backend.describe(), self.table)
    }
}
