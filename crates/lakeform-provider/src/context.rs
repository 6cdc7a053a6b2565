//! What surrounds a call: clients, cancellation, waiting and repeating.

use std::{future::Future, time::Duration};

use lakeform_core::Value;

use crate::{ErrorKind, ProviderError, Result};

/// What a resource type needs while it works on one instance.
pub struct Context<'a, C> {
    /// The configured provider.
    pub client: &'a C,
    /// What the stack says of the instance, while it does (unknown values possible); `None` for orphans and imports.
    pub config: Option<&'a Value>,
    /// The time allowed for the operation (from `timeouts`), where the stack sets one.
    pub timeout: Option<Duration>,
    /// Whether the run was cancelled for good: waits end at once.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// 32 hexadecimal digits, made with the intent to create and kept in the journal with it: the same when the create is
    /// repeated and when it is looked for after a crash, another one for each new object. Made-up names and client tokens
    /// come from it. Empty where nothing is created.
    pub token: &'a str,
}

/// What one look at the object shows.
#[derive(Debug)]
pub enum Poll<T> {
    /// It is as awaited.
    Ready(T),
    /// Not yet.
    Pending,
}

/// How often to look, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    /// What is awaited, for the error: "table to become ACTIVE".
    pub what: &'static str,
    /// The first pause.
    pub first: Duration,
    /// The longest pause; each is double the last.
    pub longest: Duration,
    /// All time allowed, unless the stack's `timeouts` says otherwise.
    pub budget: Duration,
}

impl Wait {
    /// Looks after 0.2 s, then ever more seldom up to every 5 s.
    pub fn new(what: &'static str, budget: Duration) -> Self {
        Self { what, first: Duration::from_millis(200), longest: Duration::from_secs(5), budget }
    }
}

impl<C> std::fmt::Debug for Context<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl<C> Context<'_, C> {
    /// Whether the stack sets an attribute or block (to any non-null, non-empty value). Without a configuration, `stored`
    /// decides: reads then keep to what state holds.
    pub fn sets(&self, name: &str, stored: bool) -> bool {
        match self.config {
            None => stored,
            Some(config) => config.get(name).is_some_and(|v| {
                !v.is_null()
                    && v.as_slice().is_none_or(|vs| !vs.is_empty())
                    && v.as_mapping().is_none_or(|vs| !vs.is_empty())
            }),
        }
    }

    /// Looks again and again until the object is as awaited.
    ///
    /// # Errors
    /// What `look` fails with, [`ErrorKind::Timeout`] when the time runs out, [`ErrorKind::Cancelled`].
    pub async fn wait<T, F: Future<Output = Result<Poll<T>>>>(
        &self,
        wait: Wait,
        mut look: impl FnMut() -> F,
    ) -> Result<T> {
        let mut left = self.timeout.unwrap_or(wait.budget);
        let mut pause = wait.first;
        loop {
            if let Poll::Ready(value) = look().await? {
                return Ok(value);
            }
            if (self.cancelled)() {
                return Err(ProviderError::new(
                    ErrorKind::Cancelled,
                    format!("cancelled while waiting for the {}", wait.what),
                ));
            }
            if left.is_zero() {
                return Err(ProviderError::new(
                    ErrorKind::Timeout,
                    format!("gave up waiting for the {} after {:?}", wait.what, self.timeout.unwrap_or(wait.budget)),
                )
                .hint("raise it with `timeouts` on the resource, then apply again"));
            }
            let now = pause.min(left);
            tokio::time::sleep(now).await;
            left -= now;
            pause = (pause * 2).min(wait.longest);
        }
    }

    /// Makes a call again while it fails in a way that is expected to pass (eventual consistency), up to a budget.
    ///
    /// # Errors
    /// The last failure.
    pub async fn retry<T, F: Future<Output = Result<T>>>(
        &self,
        wait: Wait,
        passing: impl Fn(&ProviderError) -> bool,
        mut call: impl FnMut() -> F,
    ) -> Result<T> {
        let mut left = wait.budget;
        let mut pause = wait.first;
        loop {
            match call().await {
                Err(e) if passing(&e) && !left.is_zero() && !(self.cancelled)() => {
                    let now = pause.min(left);
                    tokio::time::sleep(now).await;
                    left -= now;
                    pause = (pause * 2).min(wait.longest);
                }
                done => return done,
            }
        }
    }
}
