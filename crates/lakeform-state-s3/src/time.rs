//! The time as a service has it, from the `Date` of its answers: machines whose clocks disagree agree on that one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef},
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{
    DateTime,
    config_bag::{ConfigBag, Storable, StoreReplace},
    date_time::Format,
};

/// A service's clock, as far as its last answer tells. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceClock(Arc<Mutex<Option<Reading>>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    /// What the answer says, since 1970, cut to the second.
    date: Duration,
    sent: Instant,
    heard: Instant,
}

impl ServiceClock {
    fn reading(&self) -> Option<Reading> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that it is at least, since 1970; `None` before any answer.
    pub(crate) fn earliest(&self) -> Option<Duration> {
        self.reading().map(|r| r.date + r.heard.elapsed())
    }

    /// The time that it is at most, since 1970; `None` before any answer.
    pub(crate) fn latest(&self) -> Option<Duration> {
        self.reading().map(|r| r.date + Duration::from_secs(1) + r.sent.elapsed())
    }

    /// The time that it was at most when the last call was sent, since 1970; `None` before any answer.
    pub(crate) fn when_sent(&self) -> Option<Duration> {
        self.reading().map(|r| r.date + Duration::from_secs(1))
    }

    /// What reads it off a client's answers.
    pub(crate) fn observer(&self) -> Observer {
        Observer(self.clone())
    }
}

/// Reads the clock off answers.
#[derive(Debug)]
pub(crate) struct Observer(ServiceClock);

#[derive(Clone, Copy, Debug)]
struct Sent(Instant);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "observer of the service's clock"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Sent(Instant::now()));
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, Format::HttpDate).ok());
        let date = date.and_then(|date| u64::try_from(date.secs()).ok()).map(Duration::from_secs);
        if let (Some(date), Some(Sent(sent))) = (date, cfg.load::<Sent>().copied()) {
            let reading = Reading { date, sent, heard: Instant::now() };
            *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
        }
        Ok(())
    }
}
