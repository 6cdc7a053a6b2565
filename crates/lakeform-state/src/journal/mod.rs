//! The journal: between two writes of the state, the truth about what was begun and what became of it.
//!
//! Before each operation that changes something its [`Intent`] is durable, after it its [`Outcome`] follows. What a run that
//! was cut off left behind is [read](Recovery::read) into the state: outcomes as they are, open intents as objects that are
//! to be looked up.

mod entry;
mod local;
mod memory;
mod recovery;

pub use entry::{Edit, Entry, Intent, Origin, Outcome, RunInfo, Verb};
pub use local::LocalJournal;
pub use memory::MemoryJournal;
pub use recovery::{Open, Recovery};

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BoxFuture, OperationError, StoreError};

/// Entries that became durable together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The run that wrote it: sorts after every earlier run.
    pub run: String,
    /// Counts the pages of a run from 1.
    pub seq: u64,
    /// When it was written: seconds since 1970, 0 if nobody knows.
    #[serde(default)]
    pub at: i64,
    /// What was begun and what became of it, in this order.
    pub entries: Vec<Entry>,
}

impl Page {
    /// The JSON form, on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Where the journal of one state is kept.
///
/// One run at a time writes it: the one that holds the lock of the state. It clears what an earlier run left before it begins
/// its own.
pub trait Journal: Send + Sync + fmt::Debug {
    /// How many pages may be added at the same time. Those of a run that was cut off may then have gaps: what was to be in
    /// them never began.
    fn at_once(&self) -> usize {
        1
    }

    /// Adds a page. It is durable once this returns.
    ///
    /// # Errors
    /// When that is not certain; the same page may then be added again. [`StoreError::Fenced`] when the run has lost its lock, or
    /// another wrote a page in this place.
    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Every page, in the order of their numbers. A page that was being added when its run was cut off is none.
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>>;

    /// Takes away the pages of a run up to and including `seq`; the state holds all that they say. Pages that are not there
    /// are no error.
    ///
    /// # Errors
    /// When a call fails.
    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The place as a user would name it.
    fn describe(&self) -> String;
}

/// The error of a page that cannot be read.
pub fn damaged(place: &str, at: &str, why: &str) -> StoreError {
    OperationError {
        operation: format!("read the journal {place}"),
        cause: format!("{at} is damaged: {why}"),
        help: Some(
            "it says what a run that was cut off had begun: look at it, compare the cloud with the state, and take it away once \
             nothing is missing"
                .to_owned(),
        ),
        transient: false,
    }
    .into()
}
