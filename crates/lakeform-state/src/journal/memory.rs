//! A journal in memory, for tests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{BoxFuture, StoreError};

use super::{Journal, Page};

/// A journal in memory. Clones are the same journal.
#[derive(Clone, Debug, Default)]
pub struct MemoryJournal(Arc<Mutex<Vec<Page>>>);

impl MemoryJournal {
    fn pages(&self) -> MutexGuard<'_, Vec<Page>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for MemoryJournal {
    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.pages().push(page.clone());
            Ok(())
        })
    }

    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>> {
        Box::pin(async move {
            let mut pages = self.pages().clone();
            pages.sort_by(|a, b| (&a.run, a.seq).cmp(&(&b.run, b.seq)));
            Ok(pages)
        })
    }

    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            self.pages().retain(|p| p.run != run || p.seq > seq);
            Ok(())
        })
    }

    fn describe(&self) -> String {
        "memory".to_owned()
    }
}
