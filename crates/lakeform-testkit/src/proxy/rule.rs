//! Which calls a proxy meets with what.

use std::time::Duration;

use crate::Gate;

use super::{Operation, operation::is_read};

/// What happens to a call.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// It is answered with an AWS error and not forwarded.
    Error { status: u16, code: String },
    /// It is answered with the protocol's own throttling error and not forwarded.
    Throttle,
    /// It is answered with the protocol's own refusal and not forwarded.
    Deny,
    /// It is answered with this and not forwarded.
    Answer { status: u16, content_type: String, body: String },
    /// The connection is cut before it is forwarded.
    CutBefore,
    /// It is forwarded, and the connection is cut instead of the answer.
    CutAfter,
    /// It is forwarded later.
    Slow(Duration),
    /// It is forwarded once the gate opens.
    Hold(Gate),
    /// It is forwarded, and once the gate opens the connection is cut instead of the answer.
    HoldAnswer(Gate),
}

impl Action {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Error { status, code } => format!("{status} {code}"),
            Self::Throttle => "throttled".into(),
            Self::Deny => "denied".into(),
            Self::Answer { status, .. } => format!("{status} answered"),
            Self::CutBefore => "cut before".into(),
            Self::CutAfter => "cut after".into(),
            Self::Slow(_) => "slow".into(),
            Self::Hold(_) => "held".into(),
            Self::HoldAnswer(_) => "answer held".into(),
        }
    }
}

/// Meets calls that match, with one thing that happens to them. Begins with the first match and, unless told otherwise,
/// meets it alone.
#[derive(Clone, Debug)]
pub struct Rule {
    pattern: String,
    only_changes: bool,
    at: Option<String>,
    skip: usize,
    every: usize,
    left: Option<usize>,
    seen: usize,
    pub(super) action: Action,
}

impl Rule {
    /// Calls of an operation: `s3:CreateBucket`, `s3:Get*`, `kms:*`, `*`. Answered with `500 InternalError` unless
    /// something else is named.
    pub fn on(pattern: impl Into<String>) -> Self {
        let action = Action::Error { status: 500, code: "InternalError".into() };
        Self {
            pattern: pattern.into(),
            only_changes: false,
            at: None,
            skip: 0,
            every: 1,
            left: Some(1),
            seen: 0,
            action,
        }
    }

    /// Calls of any operation that does more than read.
    pub fn on_changes() -> Self {
        Self { only_changes: true, ..Self::on("*") }
    }

    /// Only calls whose path and query (or body) hold this text.
    pub fn at(mut self, text: impl Into<String>) -> Self {
        self.at = Some(text.into());
        self
    }

    /// Lets this many matching calls pass first.
    pub fn skip(mut self, calls: usize) -> Self {
        self.skip = calls;
        self
    }

    /// Meets the `n`th matching call, counted from 1.
    pub fn nth(self, n: usize) -> Self {
        self.skip(n.saturating_sub(1))
    }

    /// Meets this many matching calls.
    pub fn times(mut self, times: usize) -> Self {
        self.left = Some(times);
        self
    }

    /// Meets every matching call.
    pub fn always(mut self) -> Self {
        self.left = None;
        self
    }

    /// Meets every `n`th matching call, for ever: with 3 the third, sixth, ...
    pub fn every(mut self, n: usize) -> Self {
        self.every = n.max(1);
        self.left = None;
        self
    }

    fn action(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Answers with an AWS error in the form that the service uses. Most services throttle with 400 and a name.
    pub fn error(self, status: u16, code: impl Into<String>) -> Self {
        self.action(Action::Error { status, code: code.into() })
    }

    /// Answers with the service's own throttling error: `SlowDown` (503) for S3, else `ThrottlingException` or
    /// `Throttling` (400).
    pub fn throttled(self) -> Self {
        self.action(Action::Throttle)
    }

    /// Answers with the service's own refusal: `AccessDenied` (403), or `AccessDeniedException` (400) where it speaks JSON.
    pub fn denied(self) -> Self {
        self.action(Action::Deny)
    }

    /// Answers with this, word for word.
    pub fn answer(self, status: u16, content_type: impl Into<String>, body: impl Into<String>) -> Self {
        self.action(Action::Answer { status, content_type: content_type.into(), body: body.into() })
    }

    /// Cuts the connection: nothing happens.
    pub fn cut_before(self) -> Self {
        self.action(Action::CutBefore)
    }

    /// Lets it happen and cuts the connection: the answer is lost.
    pub fn cut_after(self) -> Self {
        self.action(Action::CutAfter)
    }

    /// Makes it take longer.
    pub fn slow(self, by: Duration) -> Self {
        self.action(Action::Slow(by))
    }

    /// Holds it until the gate opens.
    pub fn held_by(self, gate: &Gate) -> Self {
        self.action(Action::Hold(gate.clone()))
    }

    /// Lets it happen, and holds the answer until the gate opens; then it is lost.
    pub fn answer_held_by(self, gate: &Gate) -> Self {
        self.action(Action::HoldAnswer(gate.clone()))
    }

    /// Whether it meets a call; counts it.
    pub(super) fn meets(&mut self, operation: &Operation, target: &str, body: &[u8]) -> bool {
        let text = operation.to_string();
        let here = |text: &str| target.contains(text) || String::from_utf8_lossy(body).contains(text);
        if !matches(&self.pattern, &text)
            || self.only_changes && is_read(&text)
            || self.at.as_deref().is_some_and(|at| !here(at))
            || self.left == Some(0)
        {
            return false;
        }
        self.seen += 1;
        if self.seen <= self.skip || !(self.seen - self.skip).is_multiple_of(self.every) {
            return false;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        true
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => {
            let Some(tail) = text.strip_prefix(head) else { return false };
            rest.is_empty() || (0..=tail.len()).any(|i| tail.is_char_boundary(i) && matches(rest, &tail[i..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Protocol, *};

    fn met(mut rule: Rule, calls: &[&str]) -> Vec<usize> {
        let operation = |call: &str| {
            let (service, name) = call.split_once(':').unwrap();
            Operation { service: service.into(), name: name.into(), protocol: Protocol::Json }
        };
        let numbered = calls.iter().enumerate();
        numbered.filter(|(_, c)| rule.meets(&operation(c), "/here", b"body")).map(|(i, _)| i + 1).collect()
    }

    #[test]
    fn rules_meet_the_calls_that_they_count() {
        let same = ["kms:CreateKey"; 7];
        assert_eq!(met(Rule::on("kms:*"), &same), [1]);
        assert_eq!(met(Rule::on("*").nth(3), &same), [3]);
        assert_eq!(met(Rule::on("kms:CreateKey").skip(1).times(2), &same), [2, 3]);
        assert_eq!(met(Rule::on("*").every(3), &same), [3, 6]);
        assert_eq!(met(Rule::on("*").always().at("here"), &same).len(), 7);
        assert_eq!(met(Rule::on("*").always().at("body"), &same).len(), 7);
        assert!(met(Rule::on("*").always().at("there"), &same).is_empty());
        let mixed = ["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:HeadBucket", "s3:DeleteBucket"];
        assert_eq!(met(Rule::on_changes().always(), &mixed), [2, 4]);
        assert_eq!(met(Rule::on("s3:*Policy").always(), &mixed), [1, 2]);
    }
}
