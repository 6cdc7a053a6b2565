//! Takes out of texts what differs from run to run, so that they can be compared with snapshots.

use std::path::Path;

use regex::Regex;

/// Pattern and replacement of what always differs. Order matters: a time holds what looks like other things.
const FILTERS: &[(&str, &str)] = &[
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d| UTC)?", "[time]"),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "[uuid]"),
    (r"\b((?:127\.0\.0\.1|localhost|\[::1\]):)\d{2,5}\b", "${1}[port]"),
    (r"\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ns|µs|ms|s)\b", "[duration]"),
    (r"\b(pid|process) \d+\b", "${1} [pid]"),
];

/// Replaces what differs from run to run: times, UUIDs, ports of this machine, durations, process ids and any paths or
/// names that a test adds.
#[derive(Clone, Debug)]
pub struct Redactor {
    literals: Vec<(String, String)>,
    patterns: Vec<(Regex, String)>,
}

impl Default for Redactor {
    fn default() -> Self {
        let compile = |&(pattern, to): &(&str, &str)| match Regex::new(pattern) {
            Ok(regex) => (regex, to.to_owned()),
            Err(e) => panic!("{e}"),
        };
        Self { literals: vec![], patterns: FILTERS.iter().map(compile).collect() }
    }
}

impl Redactor {
    /// Redacts what always differs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Redacts a folder or file too, before anything else.
    pub fn path(self, path: &Path, name: &str) -> Self {
        self.text(&path.display().to_string(), name)
    }

    /// Redacts a text too, before anything else: `account` becomes `[account]` for the name `account`.
    pub fn text(mut self, text: &str, name: &str) -> Self {
        self.literals.push((text.to_owned(), format!("[{name}]")));
        self.literals.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        self
    }

    /// Redacts whatever matches a regular expression.
    ///
    /// # Panics
    /// When it is none.
    pub fn pattern(mut self, pattern: &str, replacement: &str) -> Self {
        match Regex::new(pattern) {
            Ok(regex) => self.patterns.push((regex, replacement.to_owned())),
            Err(e) => panic!("{e}"),
        }
        self
    }

    /// The text without what differs.
    pub fn redact(&self, text: &str) -> String {
        let text = self.literals.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        self.patterns.iter().fold(text, |text, (regex, to)| regex.replace_all(&text, to).into_owned())
    }

    /// The same as pairs of pattern and replacement, for the `filters` of insta's settings.
    pub fn filters(&self) -> Vec<(String, String)> {
        let literals = self.literals.iter().map(|(from, to)| (regex::escape(from), to.clone()));
        literals.chain(self.patterns.iter().map(|(regex, to)| (regex.as_str().to_owned(), to.clone()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_taken_out() {
        let redactor = Redactor::new().path(Path::new("/tmp/x1"), "dir").path(Path::new("/tmp/x1/y"), "deep");
        let redact = |text: &str| redactor.redact(text);
        assert_eq!(
            redact("lock 67e55044-10b1-426f-9247-bb680e5fe0c8 since 2026-01-02T03:04:05.1234Z (process 77)"),
            "lock [uuid] since [time] (process [pid])"
        );
        assert_eq!(
            redact("http://127.0.0.1:4566/a done after 1m2s, 0.25s, 12ms"),
            "http://127.0.0.1:[port]/a done after [duration], [duration], [duration]"
        );
        assert_eq!(redact("/tmp/x1/a /tmp/x1/y/b"), "[dir]/a [deep]/b");
        assert_eq!(redact("aws_s3_bucket.b2s, 30 days, v1.11.4"), "aws_s3_bucket.b2s, 30 days, v1.11.4");
        assert_eq!(Redactor::new().text("123456789012", "account").redact("arn:123456789012:x"), "arn:[account]:x");
    }
}
