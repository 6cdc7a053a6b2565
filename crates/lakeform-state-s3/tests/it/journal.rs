//! The journal in S3 and DynamoDB.

use lakeform_state::{StoreError, journal::Page};

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

/// Whoever takes the lock over puts a page in the place of the next one: the run before can no longer write it.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_written_once() {
    let connection = harness::made("journal-once", true, false).await;
    let journal = connection.journal();
    for seq in [1, 2] {
        journal.append(&journals::page("0000000000001-00000001", seq)).await.unwrap();
    }
    // The answer was lost.
    journal.append(&journals::page("0000000000001-00000001", 2)).await.unwrap();
    let other = Page { at: 8, ..journals::page("0000000000001-00000001", 2) };
    let refused = journal.append(&other).await.unwrap_err();
    assert!(matches!(refused, StoreError::Fenced { .. }), "{refused}");
    assert_eq!(journal.read().await.unwrap()[1].at, 7);
}
