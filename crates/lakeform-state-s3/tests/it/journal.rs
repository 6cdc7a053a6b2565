//! The journal in S3 and DynamoDB.

use crate::{harness, journals};

#[tokio::test(flavor = "multi_thread")]
async fn in_the_lock_table_it_keeps_the_contract() {
    let connection = harness::made("journal-table", true, false).await;
    journals::journal(|| connection.journal()).await;
    let left = harness::bare().dynamodb.scan().table_name("locks-journal-table").send().await.unwrap();
    assert_eq!(left.count(), 0, "{:?}", left.items);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_table_it_is_beside_the_state_and_keeps_the_contract() {
    let connection = harness::made("journal-alone", false, true).await;
    journals::journal(|| connection.journal()).await;
    let left = harness::bare().s3.list_objects_v2().bucket("lakeform-journal-alone").send().await.unwrap();
    assert_eq!(left.key_count(), Some(0), "{:?}", left.contents);
}
