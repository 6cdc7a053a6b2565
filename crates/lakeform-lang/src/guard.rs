//! `[guard]`: what a run of a stack may not do.

use lakeform_core::{Diagnostic, Diagnostics, Span, Type, Value, convert};

use crate::{
    Expr, Reference, Scope,
    freeze::{Freeze, FreezeText},
};

/// `[guard]` as it is written; expressions over variables and locals are allowed.
#[derive(Clone, Debug)]
pub struct GuardBlock {
    pub(crate) max_destroy: Option<Expr>,
    pub(crate) max_replace: Option<Expr>,
    pub(crate) protect: Vec<Expr>,
    pub(crate) freeze: Vec<FreezeBlock>,
    /// Where it is.
    pub span: Span,
}

/// One of `freeze` as it is written.
#[derive(Clone, Debug)]
pub(crate) struct FreezeBlock {
    pub days: Vec<Expr>,
    pub from: Option<Expr>,
    pub to: Option<Expr>,
    pub timezone: Option<Expr>,
    pub reason: Option<Expr>,
    /// Whether it has arguments that do not exist: what seems to be missing may be among them.
    pub misspelt: bool,
    pub span: Span,
}

/// What a run may not do. The default forbids nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guard {
    /// How many objects may be gone after a run.
    pub max_destroy: Option<u64>,
    /// How many objects may be replaced by a run.
    pub max_replace: Option<u64>,
    /// Patterns of addresses whose objects are neither deleted nor replaced.
    pub protect: Vec<String>,
    /// When nothing is changed.
    pub freeze: Vec<Freeze>,
}

impl GuardBlock {
    /// Every reference of it.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let windows = self.freeze.iter().flat_map(|f| f.days.iter().chain(&f.from).chain(&f.to).chain(&f.timezone));
        let reasons = self.freeze.iter().filter_map(|f| f.reason.as_ref());
        let own = self.max_destroy.iter().chain(&self.max_replace).chain(&self.protect);
        own.chain(windows).chain(reasons).flat_map(Expr::references)
    }

    /// What it says.
    ///
    /// # Errors
    /// Every value that is wrong or not known, with its place.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Guard, Diagnostics> {
        let mut reader = Reader { scope, problems: Diagnostics::new(), lenient: false };
        let guard = reader.guard(self);
        if reader.problems.is_empty() { Ok(guard) } else { Err(reader.problems) }
    }

    /// What is wrong with it, as far as its values are known.
    pub(crate) fn problems(&self, scope: &dyn Scope) -> Diagnostics {
        let mut reader = Reader { scope, problems: Diagnostics::new(), lenient: true };
        reader.guard(self);
        reader.problems
    }
}

/// Evaluates the parts of a block and gathers what is wrong with them.
struct Reader<'a> {
    scope: &'a dyn Scope,
    problems: Diagnostics,
    /// Whether what is not known may be left out.
    lenient: bool,
}

impl Reader<'_> {
    fn guard(&mut self, block: &GuardBlock) -> Guard {
        Guard {
            max_destroy: self.limit(block.max_destroy.as_ref(), "max_destroy"),
            max_replace: self.limit(block.max_replace.as_ref(), "max_replace"),
            protect: block.protect.iter().flat_map(|expr| self.patterns(expr)).collect(),
            freeze: block.freeze.iter().filter_map(|freeze| self.freeze(freeze)).collect(),
        }
    }

    fn error(&mut self, span: &Span, summary: impl Into<String>, detail: impl Into<String>) {
        self.problems.push(Diagnostic::error(summary).detail(detail).span(span.clone()));
    }

    /// A value that is known and not null.
    fn value(&mut self, expr: &Expr, what: &str) -> Option<Value> {
        match expr.evaluate(self.scope) {
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
            Ok(value) if value.is_wholly_known() => {
                let value = value.unmarked_deep();
                (!value.is_null()).then_some(value)
            }
            Ok(_) => {
                if !self.lenient {
                    let detail = "It must be known before anything is planned.";
                    self.error(expr.span(), format!("The value of `{what}` is not known"), detail);
                }
                None
            }
        }
    }

    fn limit(&mut self, expr: Option<&Expr>, name: &str) -> Option<u64> {
        let expr = expr?;
        let value = self.value(expr, name)?;
        let number = convert(&value, &Type::Number).ok().and_then(|n| n.as_i64()).and_then(|n| u64::try_from(n).ok());
        if number.is_none() {
            self.error(expr.span(), format!("Invalid `{name}`"), "It must be a whole number, 0 or more.");
        }
        number
    }

    fn text(&mut self, expr: Option<&Expr>, name: &str) -> Option<String> {
        let expr = expr?;
        let value = self.value(expr, name)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.error(expr.span(), format!("Invalid `{name}`"), "It must be a string.");
        }
        text
    }

    /// The strings of an expression that is one string or a list of them.
    fn texts(&mut self, expr: &Expr, name: &str) -> Vec<String> {
        let Some(value) = self.value(expr, name) else { return Vec::new() };
        let one = [value];
        let values = one[0].as_slice().unwrap_or(&one);
        let texts: Option<Vec<String>> = values.iter().map(|v| Some(v.as_str()?.to_owned())).collect();
        texts.unwrap_or_else(|| {
            self.error(expr.span(), format!("Invalid `{name}`"), "It must be a string or a list of strings.");
            Vec::new()
        })
    }

    fn patterns(&mut self, expr: &Expr) -> Vec<String> {
        let patterns = self.texts(expr, "protect");
        for pattern in &patterns {
            if !looks_like_addresses(pattern) {
                let detail = format!(
                    "\"{pattern}\" matches no address. Addresses are like `aws_dynamodb_table.orders`, \
                     `aws_s3_bucket.raw[\"a\"]` and `module.lake`; a `*` stands for any text."
                );
                self.error(expr.span(), "Invalid pattern in `protect`", detail);
            }
        }
        patterns
    }

    fn freeze(&mut self, block: &FreezeBlock) -> Option<Freeze> {
        let before = self.problems.0.len();
        let text = FreezeText {
            days: block.days.iter().flat_map(|expr| self.texts(expr, "days")).collect(),
            from: self.text(block.from.as_ref(), "from"),
            to: self.text(block.to.as_ref(), "to"),
            timezone: self.text(block.timezone.as_ref(), "timezone"),
            reason: self.text(block.reason.as_ref(), "reason"),
        };
        let known = |given: &Option<Expr>, text: &Option<String>| given.is_none() || text.is_some();
        let all =
            known(&block.from, &text.from) && known(&block.to, &text.to) && known(&block.timezone, &text.timezone);
        if self.problems.0.len() > before || !all && self.lenient {
            return None;
        }
        let days = !block.days.is_empty();
        if days && text.days.is_empty() && self.lenient {
            return None;
        }
        match text.parse() {
            Ok(freeze) => Some(freeze),
            Err(problems) => {
                for (name, detail) in problems {
                    let at = match name {
                        "days" => block.days.first(),
                        "from" => block.from.as_ref(),
                        "to" => block.to.as_ref(),
                        "timezone" => block.timezone.as_ref(),
                        _ => None,
                    };
                    if at.is_none() && block.misspelt {
                        continue;
                    }
                    let span = at.map_or_else(|| block.span.clone(), |expr| expr.span().clone());
                    self.error(&span, format!("Invalid `{name}` in `freeze`"), detail);
                }
                None
            }
        }
    }
}

/// Whether a pattern can match an address at all: a type and a name, or a module.
fn looks_like_addresses(pattern: &str) -> bool {
    let dotted = pattern.contains('.') || pattern.contains('*');
    dotted && !pattern.contains("**") && !pattern.chars().any(char::is_control) && pattern.trim() == pattern
}

/// Whether a pattern covers an address: the whole of it, or an instance's resource, or a module around it. A `*` stands for
/// any text.
pub fn pattern_covers(pattern: &str, address: &str) -> bool {
    let inside = |end: usize| matches!(address.as_bytes().get(end), None | Some(b'.' | b'['));
    // Where the pattern may have come to after each character of the address.
    let pattern: Vec<char> = pattern.chars().collect();
    let mut at = vec![false; pattern.len() + 1];
    at[0] = true;
    let skip_stars = |at: &mut [bool]| {
        for i in 0..pattern.len() {
            at[i + 1] |= at[i] && pattern[i] == '*';
        }
    };
    skip_stars(&mut at);
    for (start, c) in address.char_indices() {
        let mut next = vec![false; pattern.len() + 1];
        for (i, p) in pattern.iter().enumerate().filter(|(i, _)| at[*i]) {
            match p {
                '*' => next[i] = true,
                p if *p == c => next[i + 1] = true,
                _ => {}
            }
        }
        skip_stars(&mut next);
        at = next;
        if at[pattern.len()] && inside(start + c.len_utf8()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_addresses_and_what_is_inside_of_them() {
        for (pattern, address, wanted) in [
            ("aws_dynamodb_table.*", "aws_dynamodb_table.orders", true),
            ("aws_dynamodb_table.*", "aws_dynamodb_table.orders[\"a\"]", true),
            ("aws_dynamodb_table.*", "module.a.aws_dynamodb_table.orders", false),
            ("*.aws_dynamodb_table.*", "module.a[\"x\"].aws_dynamodb_table.orders", true),
            ("*aws_dynamodb_table.*", "aws_dynamodb_table.orders", true),
            ("aws_s3_bucket.raw", "aws_s3_bucket.raw[0]", true),
            ("aws_s3_bucket.raw", "aws_s3_bucket.raw_copy", false),
            ("aws_s3_bucket.raw[0]", "aws_s3_bucket.raw[10]", false),
            ("aws_s3_bucket.raw[\"*-prod\"]", "aws_s3_bucket.raw[\"eu-prod\"]", true),
            ("aws_s3_bucket.raw[\"*-prod\"]", "aws_s3_bucket.raw[\"eu-test\"]", false),
            ("module.lake", "module.lake[\"a\"].module.b.aws_s3_bucket.raw", true),
            ("module.lake", "module.lakehouse.aws_s3_bucket.raw", false),
            ("module.*.aws_kms_key.main", "module.a.module.b.aws_kms_key.main", true),
            ("aws_*.main", "aws_kms_key.main", true),
            ("aws_*.main", "aws_kms_key.other", false),
            ("*", "anything.at_all", true),
        ] {
            assert_eq!(pattern_covers(pattern, address), wanted, "{pattern} {address}");
        }
    }

    #[test]
    fn what_cannot_match_is_told() {
        for wrong in ["", "orders", " aws_s3_bucket.raw", "aws_s3_bucket.**", "a\n.b"] {
            assert!(!looks_like_addresses(wrong), "{wrong:?}");
        }
        for right in ["*", "aws_s3_bucket.*", "module.lake", "*_table.orders"] {
            assert!(looks_like_addresses(right), "{right}");
        }
    }
}
