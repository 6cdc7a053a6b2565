//! Who may write a state.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{BoxFuture, Lease, OperationError};

/// How long a lock's record is valid, in lakeform's own fields of it, which Terraform ignores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Term {
    /// When the lease runs out unless it is renewed, by the clock of the service that keeps the record: seconds since 1970.
    pub expires: u64,
    /// Grows each time that the lock goes from a run to the next without having been given back.
    pub fence: u64,
}

impl Term {
    /// When the lease runs out, in RFC 3339.
    pub fn until(&self) -> String {
        let at = i64::try_from(self.expires).ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        at.map_or_else(|| self.expires.to_string(), |at| at.to_string())
    }
}

/// Who holds a lock and what for, in Terraform's words and shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    /// A UUID, made for each time a lock is taken.
    #[serde(rename = "ID")]
    pub id: String,
    /// `OperationTypeApply`, `OperationTypePlan`, ...
    pub operation: String,
    /// Anything else worth knowing.
    pub info: String,
    /// `user@host`
    pub who: String,
    /// The version of the program that holds it.
    pub version: String,
    /// When it was taken: RFC 3339, UTC.
    pub created: String,
    /// The state: `bucket/key` or a file's path. Locks fill it in.
    pub path: String,
    /// Until when it is held; `None` if until it is given back, as by Terraform.
    #[serde(flatten)]
    pub term: Option<Term>,
}

impl LockInfo {
    /// What a run says of itself. `who` is `user@host`, `created` the time in RFC 3339: the caller knows both.
    pub fn new(
        operation: impl Into<String>,
        who: impl Into<String>,
        version: impl Into<String>,
        created: impl Into<String>,
    ) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            operation: operation.into(),
            info: String::new(),
            who: who.into(),
            version: version.into(),
            created: created.into(),
            path: String::new(),
            term: None,
        }
    }

    /// The JSON form, on one line.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `lock 9f0e... held by ann@build for OperationTypeApply since 2026-01-02T03:04:05Z (version 1.11.4)`
impl fmt::Display for LockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &str| if text.is_empty() { "(not recorded)".to_owned() } else { text.to_owned() };
        write!(
            f,
            "lock {} held by {} for {} since {}",
            self.id,
            or(&self.who),
            or(&self.operation),
            or(&self.created)
        )?;
        if !self.version.is_empty() {
            write!(f, " (version {})", self.version)?;
        }
        if let Some(term) = &self.term {
            write!(f, ", on a lease until {}", term.until())?;
        }
        if !self.info.is_empty() {
            write!(f, ": {}", self.info)?;
        }
        Ok(())
    }
}

/// A lock that was taken.
#[derive(Clone, Debug, Default)]
pub struct Acquired {
    /// How long it may be worked under.
    pub lease: Lease,
    /// The holder whose lease had run out, if it was taken over from one. It may not know: what is fenced off by the lock
    /// must be written once before anything else.
    pub taken_over: Option<LockInfo>,
}

/// A lock that one run at a time can hold. A fresh [`LockInfo::id`] per acquisition tells holders apart.
pub trait StateLock: Send + Sync + fmt::Debug {
    /// Takes the lock, without waiting: a free one, or one whose holder's lease has run out.
    ///
    /// # Errors
    /// [`LockError::Held`] when someone has it.
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>>;

    /// Makes the lock last for another lease from now on. Nothing to do where leases do not run out.
    ///
    /// # Errors
    /// [`LockError::NotHeld`] or [`LockError::IdMismatch`] when it is no longer the caller's.
    fn renew<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        let _ = id;
        Box::pin(async { Ok(()) })
    }

    /// Gives back a lock under which nothing was done. One that was taken over becomes its old holder's again, whose lease
    /// has run out: the next one to take it has to know.
    ///
    /// # Errors
    /// As [`StateLock::release`].
    fn undo<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        self.release(id)
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// [`LockError::NotHeld`] or [`LockError::IdMismatch`] when it is not (or no longer) the caller's.
    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>>;

    /// Who has it; `None` when it is free.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>>;

    /// Takes the lock away from whoever holds it under `id` (`lakeform force-unlock ID`).
    ///
    /// # Errors
    /// [`LockError::NotHeld`] or [`LockError::IdMismatch`] when no such lock is there.
    fn force_release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        self.release(id)
    }

    /// The place as a user would name it.
    fn describe(&self) -> String;
}

/// A lock could not be taken, asked about or given back.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LockError {
    /// Someone has it.
    #[error("{}", held(place, holder.as_deref()))]
    Held {
        /// The lock's place.
        place: String,
        /// Who, if that could be read.
        holder: Option<Box<LockInfo>>,
    },
    /// There is no lock to give back.
    #[error(
        "{place}: lock {id} is not there: it was given back already, or someone took it away with `lakeform force-unlock`"
    )]
    NotHeld {
        /// The lock's place.
        place: String,
        /// The id that was to be released.
        id: String,
    },
    /// The lock has another id.
    #[error("{place}: the lock to release is {id}, but another one is there: {}", holder_text(holder.as_deref()))]
    IdMismatch {
        /// The lock's place.
        place: String,
        /// The id that was to be released.
        id: String,
        /// Who holds the lock that is there.
        holder: Option<Box<LockInfo>>,
    },
    /// A process that is alive has it, so it cannot be taken away.
    #[error("{place}: {holder} is held by a process that is alive on this machine; end that process instead")]
    Alive {
        /// The lock's place.
        place: String,
        /// Who.
        holder: Box<LockInfo>,
    },
    /// A call failed.
    #[error(transparent)]
    Operation(#[from] OperationError),
}

fn holder_text(holder: Option<&LockInfo>) -> String {
    holder.map_or_else(|| "its holder could not be read".to_owned(), ToString::to_string)
}

fn held(place: &str, holder: Option<&LockInfo>) -> String {
    let id = holder.map_or("ID", |h| h.id.as_str());
    let or = if holder.is_some_and(|h| h.term.is_some()) {
        " (its lease runs out by itself unless it is renewed)"
    } else {
        ""
    };
    format!(
        "{place} is locked: {}. Wait for it with `--lock-timeout 5m`{or}; if its run is surely dead, free it with \
         `lakeform force-unlock {id}`",
        holder_text(holder)
    )
}

/// Takes a lock, waiting up to `timeout` for whoever holds it: at once, then after 0.1 s, 0.2 s, ... at most 2 s apart, each
/// pause cut at random so that those who wait do not all ask at one instant. `on_wait` hears of the holder before each pause.
///
/// # Errors
/// [`LockError::Held`] when the time is up; any other failure at once.
pub async fn acquire_with_timeout(
    lock: &dyn StateLock,
    info: &LockInfo,
    timeout: Duration,
    mut on_wait: impl FnMut(&LockError) + Send,
) -> Result<Acquired, LockError> {
    let mut deadline = None;
    let mut pause = Duration::from_millis(100);
    loop {
        match lock.acquire(info).await {
            Err(held @ LockError::Held { .. }) => {
                // Counted from the first refusal: however long that took, a wait that was asked for is a wait.
                let now = tokio::time::Instant::now();
                let left = deadline.get_or_insert(now + timeout).saturating_duration_since(now);
                if left.is_zero() {
                    return Err(held);
                }
                on_wait(&held);
                tokio::time::sleep(pause.mul_f64(random()).min(left)).await;
                pause = (pause * 2).min(Duration::from_secs(2));
            }
            done => return done,
        }
    }
}

/// Anything between 0.25 and 1.
fn random() -> f64 {
    0.25 + 0.75 * f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0
}
