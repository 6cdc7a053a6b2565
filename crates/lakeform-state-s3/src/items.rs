//! Items of the lock table: Terraform's digest, and whatever a run may only write while it has the lock.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError},
    types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem},
};
use lakeform_state::{LockInfo, OperationError, StoreError, Term};
use tokio::time::sleep;

use crate::{
    Connection,
    error::{Call, code, failed},
};

pub(crate) const ID: &str = "LockID";
const INFO: &str = "Info";
const EXPIRES: &str = "Expires";
const FENCE: &str = "Fence";
const DIGEST: &str = "Digest";

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

/// Pauses between attempts that met another transaction on the same item, in milliseconds.
const PAUSES: [u64; 7] = [20, 50, 100, 200, 400, 800, 1600];

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// The lock's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) info: LockInfo,
    /// `Info` as it is there: another program may write the same in other words.
    text: String,
}

impl Record {
    /// A record that is to be written.
    pub(crate) fn new(info: LockInfo) -> Self {
        let text = LockInfo { term: None, ..info.clone() }.to_json();
        Self { info, text }
    }

    /// What an item says.
    pub(crate) fn read(item: &Item) -> Self {
        let number = |name: &str| item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
        let term = number(EXPIRES).zip(number(FENCE)).map(|(expires, fence)| Term { expires, fence });
        let text = item.get(INFO).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
        Self { info: LockInfo { term, ..read_info(&text) }, text }
    }

    /// The same under the fence of a later holder: its own can no longer renew it.
    pub(crate) fn fenced(mut self, by: &LockInfo) -> Self {
        self.info.term = by.term.zip(self.info.term).map(|(by, own)| Term { fence: by.fence, ..own });
        self
    }

    /// The text of `Info`.
    pub(crate) fn text(&self) -> AttributeValue {
        text(&self.text)
    }
}

/// What must be there for the lock's item to be written.
pub(crate) enum There<'a> {
    Nothing,
    /// Exactly this.
    Record(&'a Record),
    /// The record of the one who writes, to no later time than the new one.
    Mine,
}

/// How a write of the lock's item ended that did not fail altogether.
pub(crate) enum Written {
    Done,
    /// Something else is there; `None` if nothing.
    Refused(Option<Box<Record>>),
}

/// Who a lock says has it. Text that is not Terraform's JSON is shown as it is.
pub(crate) fn read_info(text: &str) -> LockInfo {
    serde_json::from_str(text).unwrap_or_else(|_| LockInfo { info: text.to_owned(), ..LockInfo::default() })
}

impl Connection {
    /// The key of the digest's item.
    pub(crate) fn digest_id(&self) -> String {
        format!("{}-md5", self.backend.lock_path())
    }

    /// An item; `None` where it is absent.
    pub(crate) async fn item(&self, table: &str, id: &str) -> Result<Option<Item>, OperationError> {
        let object = format!("table {table}, item {id}");
        let call = Call { name: "GetItem", service: "dynamodb", object: &object };
        let get = self.dynamodb.get_item().table_name(table).key(ID, text(id)).consistent_read(true);
        Ok(get.send().await.map_err(|e| failed(&call, &e))?.item)
    }

    /// The MD5 that the table has for the state, in hex.
    pub(crate) async fn digest(&self, table: &str) -> Result<Option<String>, OperationError> {
        let item = self.item(table, &self.digest_id()).await?;
        let digest = item.as_ref().and_then(|item| item.get(DIGEST)).and_then(|v| v.as_s().ok());
        Ok(digest.filter(|text| text.len() == 32).map(|text| text.to_ascii_lowercase()))
    }

    /// Records the MD5 of the state.
    pub(crate) async fn put_digest(&self, table: &str, digest: &str) -> Result<(), StoreError> {
        let item = Item::from([(ID.to_owned(), text(self.digest_id())), (DIGEST.to_owned(), text(digest))]);
        self.put_fenced(table, vec![item]).await
    }

    /// Writes items only if the lock's item in the same table is still this run's, all of them or none: up to 99. The lock
    /// is renewed by it. A run that took no such lock just writes.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the lock is gone, and whatever the call fails with.
    pub async fn put_fenced(&self, table: &str, items: Vec<Item>) -> Result<(), StoreError> {
        let Some(hold) = self.holds().item.clone() else {
            for item in items {
                self.put_item(table, item).await?;
            }
            return Ok(());
        };
        let mut mine = Record::new(hold.info);
        let object = format!("table {table}, item {}", items.first().map(id_of).unwrap_or_default());
        let call = Call { name: "PutItem", service: "dynamodb", object: &object };
        let mut pauses = PAUSES.into_iter();
        loop {
            mine.info.term = mine.info.term.map(|term| self.renewed(&self.dynamodb_time, term));
            // The lock's item is put and not merely checked: that needs no other rights than Terraform's.
            let (item, condition, values) = self.lock_item(&mine, &There::Mine);
            let lock = Put::builder()
                .table_name(table)
                .set_item(Some(item))
                .condition_expression(condition)
                .set_expression_attribute_values(Some(values));
            let others = items.iter().map(|item| Put::builder().table_name(table).set_item(Some(item.clone())));
            let mut transaction = self.dynamodb.transact_write_items();
            for put in std::iter::once(lock).chain(others) {
                let put = put.build().map_err(|e| OperationError {
                    operation: format!("PutItem {object}"),
                    cause: e.to_string(),
                    help: None,
                    transient: false,
                })?;
                transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
            }
            let Err(error) = transaction.send().await else { return Ok(()) };
            match collision(&error) {
                Some(Collision::Lock) => {
                    match self.item(table, &self.backend.lock_path()).await?.as_ref().map(Record::read) {
                        // Renewed meanwhile to a later time.
                        Some(there) if is_same(&there.info, &mine.info) => mine.info.term = there.info.term,
                        _ => return Err(StoreError::Fenced { place: self.backend.describe() }),
                    }
                }
                Some(Collision::Busy) => {}
                None => return Err(failed(&call, &error).into()),
            }
            match pauses.next() {
                Some(pause) => sleep(Duration::from_millis(pause)).await,
                None => return Err(failed(&call, &error).into()),
            }
        }
    }

    /// Writes an item where there is none. One that is there already with the same content is its own: an answer was lost.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when there is another, and whatever the call fails with.
    pub(crate) async fn put_new(&self, table: &str, item: Item) -> Result<(), StoreError> {
        let id = id_of(&item);
        let object = format!("table {table}, item {id}");
        let call = Call { name: "PutItem", service: "dynamodb", object: &object };
        let put = self.dynamodb.put_item().table_name(table).set_item(Some(item.clone()));
        let Err(error) = put.condition_expression("attribute_not_exists(LockID)").send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) if self.item(table, &id).await? == Some(item) => {
                Ok(())
            }
            Some(PutItemError::ConditionalCheckFailedException(_)) => {
                Err(StoreError::Fenced { place: self.backend.describe() })
            }
            _ => Err(failed(&call, &error).into()),
        }
    }

    async fn put_item(&self, table: &str, item: Item) -> Result<(), OperationError> {
        let object = format!("table {table}, item {}", id_of(&item));
        let call = Call { name: "PutItem", service: "dynamodb", object: &object };
        self.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await.map_err(|e| failed(&call, &e))?;
        Ok(())
    }

    /// Writes the lock's item if what is there is what is expected.
    pub(crate) async fn put_lock(
        &self,
        table: &str,
        record: &Record,
        there: &There<'_>,
    ) -> Result<Written, OperationError> {
        let id = self.backend.lock_path();
        let object = format!("table {table}, item {id}");
        let call = Call { name: "PutItem", service: "dynamodb", object: &object };
        let (item, condition, values) = self.lock_item(record, there);
        let values = Some(values).filter(|values| !values.is_empty());
        let mut pauses = PAUSES.into_iter();
        loop {
            let put = self
                .dynamodb
                .put_item()
                .table_name(table)
                .set_item(Some(item.clone()))
                .condition_expression(&condition)
                .set_expression_attribute_values(values.clone())
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let Err(error) = put.send().await else { return Ok(Written::Done) };
            match (error.as_service_error(), pauses.next()) {
                (Some(PutItemError::ConditionalCheckFailedException(refused)), _) => {
                    return Ok(Written::Refused(match refused.item() {
                        Some(item) => Some(Box::new(Record::read(item))),
                        None => self.item(table, &id).await?.as_ref().map(Record::read).map(Box::new),
                    }));
                }
                (Some(PutItemError::TransactionConflictException(_)), Some(pause)) => {
                    sleep(Duration::from_millis(pause)).await;
                }
                _ => return Err(failed(&call, &error)),
            }
        }
    }

    /// The lock's item, the condition for writing it, and the condition's values.
    fn lock_item(&self, record: &Record, there: &There<'_>) -> (Item, String, Item) {
        let mut item = Item::from([(ID.to_owned(), text(self.backend.lock_path())), (INFO.to_owned(), record.text())]);
        if let Some(term) = record.info.term {
            item.extend([(EXPIRES.to_owned(), number(term.expires)), (FENCE.to_owned(), number(term.fence))]);
        }
        let (before, order) = match there {
            There::Nothing => return (item, "attribute_not_exists(LockID)".to_owned(), Item::new()),
            There::Record(before) => (*before, "="),
            There::Mine => (record, "<="),
        };
        let mut values = Item::from([(":info".to_owned(), before.text())]);
        let mut condition = "Info = :info AND ".to_owned();
        match before.info.term {
            Some(term) => {
                condition += &format!("Fence = :fence AND Expires {order} :expires");
                let terms = [(":fence", term.fence), (":expires", term.expires)];
                values.extend(terms.map(|(name, value)| (name.to_owned(), number(value))));
            }
            None => condition += "attribute_not_exists(Expires)",
        }
        (item, condition, values)
    }
}

/// Whether two records are the same holder's, of the same time that it took the lock.
pub(crate) fn is_same(a: &LockInfo, b: &LockInfo) -> bool {
    a.id == b.id && a.term.map(|term| term.fence) == b.term.map(|term| term.fence)
}

fn id_of(item: &Item) -> String {
    item.get(ID).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default()
}

/// What a transaction ran into.
enum Collision {
    /// The lock's item is not as expected.
    Lock,
    /// Another write of the same item at the same instant.
    Busy,
}

fn collision(error: &SdkError<TransactWriteItemsError>) -> Option<Collision> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return (code(error) == Some("TransactionInProgressException")).then_some(Collision::Busy);
    };
    let reasons = cancelled.cancellation_reasons();
    let is = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
    match reasons.first() {
        Some(lock) if lock.code() == Some("ConditionalCheckFailed") => Some(Collision::Lock),
        _ if is("TransactionConflict") => Some(Collision::Busy),
        _ => None,
    }
}
