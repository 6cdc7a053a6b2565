//! Stores and locks that fail on demand, a clock that stands still, and the redactor for snapshots.

mod clock;
mod flaky;
mod redact;

pub use clock::FixedClock;
pub use flaky::{FlakyLock, FlakyStore, LockFault, StoreFault};
pub use redact::Redactor;
