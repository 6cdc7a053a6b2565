//! Looking for something that may be on its way.

use std::time::Duration;

use lakeform_core::Value;
use lakeform_provider::{ErrorKind, Result, Retry, Surroundings};

/// The pauses between looks for something that may be on its way.
const LOOKS: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(2)];

/// Looks again while nothing is found, or while looking fails for a passing reason.
pub(crate) async fn look<F: Future<Output = Result<Option<Value>>>>(
    with: Surroundings<'_>,
    mut find: impl FnMut() -> F,
) -> Result<Option<Value>> {
    let mut last = Ok(None);
    for pause in LOOKS {
        if (with.cancelled)() {
            break;
        }
        tokio::time::sleep(pause).await;
        last = find().await;
        match &last {
            Ok(Some(_)) => break,
            Err(e) if e.retry == Retry::Never && e.kind != ErrorKind::NotFound => break,
            _ => {}
        }
    }
    last
}
