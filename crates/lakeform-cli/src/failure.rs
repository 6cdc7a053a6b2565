//! The one place where errors become words, hints and exit codes.

use std::{fmt, io, sync::Arc};

use lakeform::{
    Error, PlanFileError,
    core::{Diagnostic, Diagnostics, Severity},
    state::{LockError, LockInfo, OperationError, PersistError, StoreError},
};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, ThemeCharacters, ThemeStyles};

use crate::{Exit, view::style::Style};

/// Why a command ends without having done its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library says why.
    Library(Box<Error>),
    /// The arguments do not make sense together.
    Usage {
        /// What is wrong.
        summary: String,
        /// What would be right.
        help: Option<String>,
    },
    /// Reading or writing something failed.
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A question was asked and nobody is there.
    NoAnswer,
    /// Somebody said no.
    Declined {
        /// `Apply cancelled.`
        what: &'static str,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(Box::new(error))
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Error::Stack(diagnostics).into()
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Error::from(diagnostic).into()
    }
}

impl Failure {
    /// A mistake in the arguments.
    pub(crate) fn usage(summary: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { summary: summary.into(), help: Some(help.into()) }
    }

    /// The exit code. Exhaustive on purpose, though they all fail alike.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Library(_) | Self::Usage { .. } | Self::Io { .. } | Self::NoAnswer | Self::Declined { .. } => {
                Exit::Failed
            }
        }
    }

    /// The problems to tell, with what to do next.
    pub(crate) fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Library(error) => library(error),
            Self::Usage { summary, help } => vec![with_help(Diagnostic::error(summary), help.as_deref())],
            Self::Io { what, source } => {
                vec![Diagnostic::error(format!("Failed to {what}")).detail(source.to_string())]
            }
            Self::NoAnswer => vec![
                Diagnostic::error("An answer is needed, and standard input has ended")
                    .help("approve beforehand with --auto-approve, give variables with --var"),
            ],
            Self::Declined { what } => vec![Diagnostic::error(*what)],
        }
    }
}

fn with_help(diagnostic: Diagnostic, help: Option<&str>) -> Diagnostic {
    match help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

fn library(error: &Error) -> Vec<Diagnostic> {
    match error {
        Error::Stack(diagnostics) if diagnostics.is_empty() => {
            vec![Diagnostic::error("The stack cannot be used").help("this is a bug in lakeform: report it")]
        }
        Error::Stack(diagnostics) => diagnostics.0.clone(),
        Error::Backend(e) => vec![operation("The backend cannot be used", e)],
        Error::Store(e) => vec![store(e)],
        Error::Cipher(e) => vec![Diagnostic::error("The file cannot be decrypted").detail(e.to_string())],
        Error::Lock(e) => vec![lock("Error acquiring the state lock", e)],
        Error::Unlock(e) => vec![not_released(e)],
        Error::Save { cause, rescued } => vec![save(cause, rescued.as_ref().map(|f| f.display().to_string()))],
        Error::PlanFile(e) => vec![plan_file(e)],
        Error::File { path, source } => {
            vec![Diagnostic::error(format!("{} cannot be read or written", path.display())).detail(source.to_string())]
        }
        Error::Push(why) => {
            vec![Diagnostic::error("The state was not stored").detail(why.clone()).help(
                "compare it with `lakeform state pull`; --force stores it nevertheless, and what is there is lost",
            )]
        }
        Error::Interrupted => vec![Diagnostic::error("Interrupted").detail("nothing was changed")],
    }
}

fn operation(summary: &str, e: &OperationError) -> Diagnostic {
    let out = Diagnostic::error(summary).detail(format!("{}: {}", e.operation, e.cause));
    with_help(out, e.help.as_deref())
}

fn store(e: &StoreError) -> Diagnostic {
    match e {
        StoreError::Moved { place } => Diagnostic::error("The state was changed by someone else")
            .detail(format!("{place} is not what this run read, so its write was refused"))
            .help("see who holds the lock with `lakeform lock status`, then run the command again"),
        StoreError::Fenced { place } => Diagnostic::error("The run lost its lock")
            .detail(format!("{place} was not written: another run may be at work"))
            .help("see who holds the lock with `lakeform lock status`, then run the command again"),
        StoreError::Format { place, source } => {
            Diagnostic::error("The state cannot be read").detail(format!("{place}: {source}"))
        }
        StoreError::Encryption { place, source } => {
            Diagnostic::error("The state cannot be decrypted").detail(format!("{place}: {source}"))
        }
        StoreError::Digest { .. } => Diagnostic::error("The state does not match its digest").detail(e.to_string()),
        StoreError::Operation(e) => operation("The state cannot be reached", e),
    }
}

fn lock(summary: &str, e: &LockError) -> Diagnostic {
    let out = Diagnostic::error(summary);
    match e {
        LockError::Held { place, holder } => {
            let id = holder.as_ref().map_or("ID", |h| h.id.as_str());
            let info = holder.as_ref().map(|h| format!("\n{}", lock_info(h))).unwrap_or_default();
            let term = holder.as_ref().and_then(|h| h.term);
            let until = term.map(|t| format!(", until {} unless that run renews it", t.until())).unwrap_or_default();
            out.detail(format!("{place} is locked{until}{info}")).help(format!(
                "wait for it with --lock-timeout 5m; if that run is dead, release it with `lakeform force-unlock STACK {id}`"
            ))
        }
        LockError::NotHeld { place, id } => {
            out.detail(format!("{place}: lock {id} is not there")).help("someone released it, or it was never taken")
        }
        LockError::IdMismatch { place, id, holder } => {
            let info = holder.as_ref().map(|h| format!("\n{}", lock_info(h))).unwrap_or_default();
            out.detail(format!("{place}: the lock is not {id}, but another one{info}"))
                .help("`lakeform lock status` shows who holds it")
        }
        LockError::Alive { place, holder } => out
            .detail(format!("{place} is held by a process of this machine that is alive\n{}", lock_info(holder)))
            .help("end that process instead"),
        LockError::Operation(e) => with_help(out.detail(format!("{}: {}", e.operation, e.cause)), e.help.as_deref()),
    }
}

/// The lock stays behind.
pub(crate) fn not_released(e: &LockError) -> Diagnostic {
    lock("Error releasing the state lock", e)
}

/// What was done is in the state, and not in the history.
pub(crate) fn not_recorded(e: &OperationError) -> Diagnostic {
    operation("The run could not be recorded", e).into_warning()
}

/// The lock went to someone else while the run was at work.
pub(crate) fn lost(e: &LockError) -> Diagnostic {
    let out = Diagnostic::error("The run lost its lock")
        .help("what it was calling is finished; nothing else is started, and the state is not written any more");
    match e {
        LockError::IdMismatch { place, holder: Some(holder), .. } => {
            out.detail(format!("{place} has another holder now\n{}", lock_info(holder)))
        }
        LockError::NotHeld { place, .. } => {
            out.detail(format!("{place} is not locked any more: someone used `lakeform force-unlock`"))
        }
        other => out.detail(format!("it could not be renewed in time: {other}")),
    }
}

/// Terraform's block of lines about a lock, with what lakeform adds to it.
pub(crate) fn lock_info(info: &LockInfo) -> String {
    let term = info.term.map(|t| format!("\n  Expires:   {}\n  Fence:     {}", t.until(), t.fence)).unwrap_or_default();
    format!(
        "Lock Info:\n  ID:        {}\n  Path:      {}\n  Operation: {}\n  Who:       {}\n  Version:   {}\n  \
         Created:   {}\n  Info:      {}{term}",
        info.id, info.path, info.operation, info.who, info.version, info.created, info.info
    )
}

fn save(cause: &PersistError, rescued: Option<String>) -> Diagnostic {
    let lost = cause.lost_lock();
    let detail = match cause {
        PersistError::Lease(e) => e.to_string(),
        PersistError::Integrity(violations) => {
            violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        }
        PersistError::Store(e) => e.to_string(),
    };
    let out = Diagnostic::error("The state could not be saved").detail(detail);
    match rescued {
        Some(file) if lost => out.help(format!(
            "it was written to {file}. Another run may have changed the state since: see `lakeform lock status STACK`, then run \
             the command again"
        )),
        Some(file) => out.help(format!(
            "it was written to {file}. Store it with `lakeform state push STACK {file}` before anything else"
        )),
        None => out.help("nothing was stored; what was changed in the state is not"),
    }
}

fn plan_file(e: &PlanFileError) -> Diagnostic {
    let help = match e {
        PlanFileError::Variables(_) | PlanFileError::EphemeralMissing(_) => {
            "give them again: --var NAME=VALUE, --var-file FILE, or the environment variables TF_VAR_NAME"
        }
        PlanFileError::EphemeralGiven(_) => "leave them out, or make a new plan with them",
        _ => "make a new plan with `lakeform plan --out FILE`, then apply that one",
    };
    Diagnostic::error("The plan file cannot be applied").detail(e.to_string()).help(help)
}

/// One problem as people read it: its place in the document, underlined, and what to do next.
pub(crate) fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "Error:",
        Severity::Warning => "Warning:",
    };
    let theme = GraphicalTheme {
        characters: ThemeCharacters { error: word.into(), warning: word.into(), ..ThemeCharacters::unicode() },
        styles: if style.color { ThemeStyles::ansi() } else { ThemeStyles::none() },
    };
    let handler = GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_links(false);
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = handler.render_report(&mut out, &Shown::of(diagnostic));
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.push('\n');
    out
}

/// A diagnostic as miette wants it.
#[derive(Debug)]
struct Shown {
    message: String,
    detail: Option<Detail>,
    help: Option<String>,
    severity: miette::Severity,
    source: Option<NamedSource<Arc<str>>>,
    label: Option<LabeledSpan>,
}

/// The story behind a problem, shown below it.
#[derive(Debug)]
struct Detail(String);

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Detail {}

impl Shown {
    fn of(diagnostic: &Diagnostic) -> Self {
        let message = match &diagnostic.address {
            Some(address) if !diagnostic.summary.contains(&**address) => format!("{address}: {}", diagnostic.summary),
            _ => diagnostic.summary.clone(),
        };
        let span = diagnostic.span.as_ref();
        Self {
            message,
            detail: diagnostic.detail.clone().map(Detail),
            help: diagnostic.help.clone(),
            severity: match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            },
            source: span.map(|s| NamedSource::new(&s.source.path, Arc::from(s.source.text.as_str()))),
            label: span.map(|s| LabeledSpan::new_with_span(None, one_line(&s.source.text, s.range.clone()))),
        }
    }
}

/// At most the rest of the line that a range begins on: a whole block underlined says less than its first line.
fn one_line(text: &str, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = range.start.min(text.len());
    let end = range.end.min(text.len()).max(start);
    let line = text.get(start..end).and_then(|part| part.find('\n')).map_or(end, |n| start + n);
    start..line
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.detail.as_ref().map(|d| d as _)
    }
}

impl miette::Diagnostic for Shown {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as _)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.source.as_ref().map(|s| s as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|label| Box::new(std::iter::once(label)) as _)
    }
}
