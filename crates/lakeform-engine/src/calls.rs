//! Calls to providers: a bounded number at once, told about, and made again where that is safe.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use lakeform_core::{Diagnostic, InstanceAddress, Value};
use lakeform_provider::{Failure, NotPermitted, Permit, ProviderError, Retry};
use lakeform_state::Lease;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{Cancel, Event, Events, Operation, cancel::Level, secrets::translate_without};

/// How often a call is made again whose failure says that nothing happened. Providers that talk to an API have repeated
/// it in their own client before they say so.
const REPEATS: u32 = 4;

/// The first pause before a repetition; each is double the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// What a call is about.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) address: &'a InstanceAddress,
    pub(crate) deposed: Option<&'a str>,
    pub(crate) operation: Operation,
    pub(crate) id: Option<&'a str>,
    /// What goes into the call, with its marks: no error shows the sensitive parts.
    pub(crate) given: &'a [&'a Value],
}

/// A failure of a call.
pub(crate) trait CallError {
    /// A call that was not made.
    fn unmade(error: ProviderError) -> Self;
    fn error(&self) -> &ProviderError;
    /// Whether nothing at all happened, so that the same call may be sent again.
    fn may_repeat(&self) -> bool {
        self.error().retry == Retry::Safe
    }
}

impl CallError for ProviderError {
    fn unmade(error: ProviderError) -> Self {
        error
    }

    fn error(&self) -> &ProviderError {
        self
    }
}

impl CallError for Failure {
    fn unmade(error: ProviderError) -> Self {
        Self { error, partial: None }
    }

    fn error(&self) -> &ProviderError {
        &self.error
    }

    fn may_repeat(&self) -> bool {
        self.partial.is_none() && self.error.retry == Retry::Safe
    }
}

/// The `id` of an object.
pub(crate) fn id_of(value: &Value) -> Option<&str> {
    value.get("id").and_then(Value::as_str)
}

/// Makes calls.
pub(crate) struct Calls<'a> {
    events: &'a dyn Events,
    cancel: &'a Cancel,
    lease: Lease,
    slots: Semaphore,
}

impl<'a> Calls<'a> {
    /// At most `parallelism` calls at once (0 means 32), as long as the lease lasts.
    pub(crate) fn new(events: &'a dyn Events, cancel: &'a Cancel, lease: Lease, parallelism: usize) -> Self {
        Self { events, cancel, lease, slots: Semaphore::new(if parallelism == 0 { 32 } else { parallelism }) }
    }

    /// Whether the run may still do something.
    pub(crate) fn permitted(&self) -> Result<(), ProviderError> {
        self.lease.check().map_err(|_| NotPermitted.error())
    }

    /// What ends with the lease, for every call within an operation.
    fn permit(&self) -> Permit {
        let lease = self.lease.clone();
        Permit::new(move || lease.check().is_ok())
    }

    /// A free slot, for something that is no call but counts as one.
    pub(crate) async fn slot(&self) -> Option<SemaphorePermit<'_>> {
        self.slots.acquire().await.ok()
    }

    /// Makes one call in a free slot. `id` finds the object's identifier in the result.
    pub(crate) async fn make<T, E: CallError, F: Future<Output = Result<T, E>>>(
        &self,
        subject: Subject<'_>,
        mut call: impl FnMut() -> F,
        id: impl Fn(&T) -> Option<&str>,
    ) -> Result<T, (E, Diagnostic)> {
        let Subject { address, deposed, operation, .. } = subject;
        let _slot = self.slot().await;
        let start = Instant::now();
        self.events.event(Event::Started { address, deposed, operation, id: subject.id });
        let mut pause = FIRST_PAUSE;
        let mut left = REPEATS;
        loop {
            let made = match self.permitted() {
                Ok(()) => self.permit().around(call()).await,
                Err(e) => Err(E::unmade(e)),
            };
            match made {
                Ok(value) => {
                    let id = id(&value).or(subject.id);
                    self.events.event(Event::Finished { address, deposed, operation, id, elapsed: start.elapsed() });
                    return Ok(value);
                }
                Err(error) if error.may_repeat() && left > 0 && self.cancel.level() == Level::Run => {
                    left -= 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => {
                    let diagnostic = translate_without(error.error(), &address.to_string(), subject.given);
                    let elapsed = start.elapsed();
                    self.events.event(Event::Failed { address, operation, diagnostic: &diagnostic, elapsed });
                    return Err((error, diagnostic));
                }
            }
        }
    }
}
