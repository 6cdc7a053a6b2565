//! Faults that a test puts in the way of calls.

use std::time::Duration;

use lakeform_core::Value;
use lakeform_provider::{ErrorKind, ProviderError, Retry};

use crate::Gate;

use super::Op;

/// What happens to a call instead of, or beside, what was asked.
#[derive(Clone, Debug)]
pub enum Effect {
    /// It fails before anything happens.
    Fail(ErrorKind, Retry),
    /// It happens, and a later step of the same operation fails: the type knows the object (a half-made create).
    FailAfter(ErrorKind, Retry),
    /// It happens, and the answer never arrives: unreachable, outcome unknown, and the type learns no `id`.
    LostResponse,
    /// The answer has another value of an attribute than was asked for.
    Answer {
        /// The attribute.
        attribute: String,
        /// What the answer says instead.
        value: Value,
    },
    /// Reading finds nothing although the object exists (eventual consistency).
    Absent,
    /// It is held in flight, before anything happens, until the gate opens.
    Hold(Gate),
    /// It takes this long (tokio's clock) before anything happens.
    Slow(Duration),
    /// A created `fake_database` is not ready for this many looks.
    Pending(u32),
}

/// Which calls an [`Effect`] meets, and how often.
///
/// ```
/// use lakeform_provider::ErrorKind;
/// use lakeform_testkit::fake::{FakeCloud, Fault, Op};
///
/// let cloud = FakeCloud::new();
/// cloud.inject(Fault::on(Op::Create).of("fake_bucket").named("raw").throttled(3));
/// cloud.inject(Fault::on(Op::Read).always().fails(ErrorKind::Denied));
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    op: Option<Op>,
    ty: Option<String>,
    name: Option<String>,
    skip: u32,
    left: Option<u32>,
    effect: Effect,
}

impl Fault {
    fn new(op: Option<Op>) -> Self {
        let effect = Effect::Fail(ErrorKind::Other, Retry::Never);
        Self { op, ty: None, name: None, skip: 0, left: Some(1), effect }
    }

    /// Meets the next call of this kind, on any object; which fails for good unless another effect is named.
    pub fn on(op: Op) -> Self {
        Self::new(Some(op))
    }

    /// Meets the next call of any kind.
    pub fn on_any() -> Self {
        Self::new(None)
    }

    /// Only objects of this type.
    pub fn of(mut self, ty: impl Into<String>) -> Self {
        self.ty = Some(ty.into());
        self
    }

    /// Only the object with this `name` (or `id`, where it has no name).
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Lets this many matching calls pass first.
    pub fn after(mut self, calls: u32) -> Self {
        self.skip = calls;
        self
    }

    /// Meets this many calls; once is the default.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Meets every matching call.
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// What happens.
    pub fn effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// The call fails with this kind of error, never to be repeated.
    pub fn fails(self, kind: ErrorKind) -> Self {
        self.effect(Effect::Fail(kind, Retry::Never))
    }

    /// The call fails with this kind of error and verdict.
    pub fn fails_with(self, kind: ErrorKind, retry: Retry) -> Self {
        self.effect(Effect::Fail(kind, retry))
    }

    /// The object is made or changed, then the operation fails.
    pub fn fails_after(self, kind: ErrorKind) -> Self {
        self.effect(Effect::FailAfter(kind, Retry::Never))
    }

    /// The next `times` calls are throttled: nothing happens, and they may be sent again.
    pub fn throttled(self, times: u32) -> Self {
        self.times(times).effect(Effect::Fail(ErrorKind::Throttled, Retry::Safe))
    }

    /// It happens, but its caller never hears of it.
    pub fn loses_response(self) -> Self {
        self.effect(Effect::LostResponse)
    }

    /// The answer says something else than was asked for.
    pub fn answers(self, attribute: impl Into<String>, value: impl Into<Value>) -> Self {
        self.effect(Effect::Answer { attribute: attribute.into(), value: value.into() })
    }

    /// The call is held until the gate opens.
    pub fn held_by(self, gate: &Gate) -> Self {
        self.effect(Effect::Hold(gate.clone()))
    }

    /// The call takes this long.
    pub fn slow(self, time: Duration) -> Self {
        self.effect(Effect::Slow(time))
    }

    /// Whether it meets this call; counts it if so.
    pub(super) fn meets(&mut self, op: Op, ty: &str, name: &str) -> Option<Effect> {
        let fits = self.op.is_none_or(|o| o == op)
            && self.ty.as_deref().is_none_or(|t| t == ty)
            && self.name.as_deref().is_none_or(|n| n == name);
        if !fits || self.left == Some(0) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        Some(self.effect.clone())
    }
}

/// The error of a fault, in the API's words.
pub(super) fn error(kind: ErrorKind, retry: Retry, operation: String) -> ProviderError {
    let (code, message) = match kind {
        ErrorKind::NotFound => ("NotFound", "the object does not exist"),
        ErrorKind::AlreadyExists => ("AlreadyExists", "an object of that name exists"),
        ErrorKind::Denied => ("AccessDenied", "you may not do that"),
        ErrorKind::Credentials => ("ExpiredToken", "the token has expired"),
        ErrorKind::Throttled => ("Throttling", "rate exceeded"),
        ErrorKind::Invalid => ("ValidationError", "the input is not valid"),
        ErrorKind::Conflict => ("Conflict", "something else is using the object"),
        ErrorKind::Unreachable => ("", "the connection was reset"),
        ErrorKind::Timeout => ("", "it took too long"),
        ErrorKind::Cancelled => ("", "cancelled"),
        ErrorKind::Other => ("InternalError", "something went wrong"),
    };
    let error = ProviderError::new(kind, message).operation(operation).retry(retry);
    if code.is_empty() { error } else { error.code(code) }
}
