//! What every journal must do. Run for each implementation, here and in `lakeform-state-s3`.

use std::sync::Arc;

use lakeform_state::journal::{Entry, Intent, Journal, Page, RunInfo, Verb};

/// A page with one intent.
pub fn page(run: &str, seq: u64) -> Page {
    let intent = Intent {
        op: seq,
        address: format!("aws_sqs_queue.q[{seq}]").parse().unwrap(),
        verb: Verb::Delete,
        provider: crate::contract::PROVIDER.into(),
        id: Some("https://sqs/<q>".into()),
        deposed: None,
        token: String::new(),
        inputs: String::new(),
        object: None,
        changes: vec![],
        unknown: Default::default(),
    };
    let mut entries = vec![Entry::Intent(Box::new(intent))];
    if seq == 1 {
        entries.insert(0, Entry::Run(RunInfo { who: run.into(), ..RunInfo::default() }));
    }
    Page { run: run.into(), seq, at: 7, entries }
}

/// The contract of a journal. `open` gives another client of the same place, which is empty at first.
pub async fn journal<F: Fn() -> Arc<dyn Journal>>(open: F) {
    let (a, b) = (open(), open());
    assert!(a.read().await.unwrap().is_empty());
    a.clear("never", 3).await.unwrap();

    // More than one call to DynamoDB takes.
    let all: Vec<Page> = (1..=40).map(|seq| page("0000000000001-00000001", seq)).collect();
    for page in &all {
        a.append(page).await.unwrap();
    }
    assert_eq!(b.read().await.unwrap(), all, "another run sees them, in their order");

    b.clear("0000000000001-00000001", 40).await.unwrap();
    assert!(open().read().await.unwrap().is_empty());

    // The next run begins its own.
    let next = page("0000000000002-00000002", 1);
    b.append(&next).await.unwrap();
    assert_eq!(open().read().await.unwrap(), [next]);
    b.clear("0000000000002-00000002", 1).await.unwrap();
    assert!(open().read().await.unwrap().is_empty());

    // One that was cut off, or failed, while others were written beside it leaves a gap.
    let last = if b.at_once() > 1 { vec![1, 4, 2, 40] } else { vec![1, 2, 4, 40] };
    for seq in last {
        b.append(&page("0000000000003-00000003", seq)).await.unwrap();
    }
    let found: Vec<u64> = open().read().await.unwrap().iter().map(|page| page.seq).collect();
    assert!(found == [1, 2, 4] || found == [1, 2, 4, 40], "no run is as far ahead as that: {found:?}");
    b.clear("0000000000003-00000003", 40).await.unwrap();
    assert!(open().read().await.unwrap().is_empty());
}
