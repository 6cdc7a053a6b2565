//! Problems and warnings with their place in a document.

use std::{fmt, ops::Range, sync::Arc};

/// A document that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as a user would write it.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// A range of bytes in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The document.
    pub source: Arc<Source>,
    /// Byte offsets.
    pub range: Range<usize>,
}

impl Span {
    /// Line and column of the start, both from 1; columns count characters.
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.range.start).unwrap_or(&self.source.text);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The run goes on.
    Warning,
    /// The run cannot go on.
    Error,
}

/// One problem: what, where, and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// One short line: "Unknown attribute `buket` of aws_s3_bucket".
    pub summary: String,
    /// The whole story, if there is more to say.
    pub detail: Option<String>,
    /// What to do next: "did you mean `bucket`?".
    pub help: Option<String>,
    /// The object it concerns.
    pub address: Option<String>,
    /// Where in a document.
    pub span: Option<Span>,
}

impl Diagnostic {
    /// An error
    pub fn error(summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { severity: Severity::Error, summary, detail: None, help: None, address: None, span: None }
    }

    /// A warning
    pub fn warning(summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(summary) }
    }

    /// The same as a warning.
    pub fn into_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Adds the whole story.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do next.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds the object it concerns.
    pub fn address(mut self, address: impl fmt::Display) -> Self {
        self.address = Some(address.to_string());
        self
    }

    /// Adds the place in a document.
    pub fn span(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Adds the place in a document, if there is one.
    pub fn maybe_span(mut self, span: Option<Span>) -> Self {
        self.span = span.or(self.span);
        self
    }

    /// Whether it stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(span) = &self.span {
            let (line, column) = span.line_column();
            write!(f, "{}:{line}:{column}: ", span.source.path)?;
        }
        if let Some(address) = &self.address {
            write!(f, "{address}: ")?;
        }
        f.write_str(&self.summary)?;
        self.detail.iter().try_for_each(|d| write!(f, ": {d}"))
    }
}

/// All problems of a step, reported at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: Diagnostics) {
        self.0.extend(other.0);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Diagnostic::is_error)
    }

    /// Whether there are none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            write!(f, "{}{d}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
