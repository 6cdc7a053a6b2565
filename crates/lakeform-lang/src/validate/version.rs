//! `required_version`: a constraint like `>= 0.1, < 2`.

use lakeform_core::{Diagnostic, Diagnostics};

use crate::Stack;

type Version = [u64; 3];

/// Reports a constraint that is none, or that this version does not fulfil.
pub(super) fn check(stack: &Stack, out: &mut Diagnostics) {
    let Some((constraint, span)) = &stack.required_version else { return };
    let ours = env!("CARGO_PKG_VERSION");
    let problem = match fulfils(constraint, version(ours).map_or([0; 3], |(v, _)| v)) {
        Some(true) => return,
        Some(false) => Diagnostic::error("Unsupported lakeform version")
            .detail(format!("The stack wants {constraint}, and this is lakeform {ours}.")),
        None => Diagnostic::error("Invalid version constraint")
            .detail(format!("`{constraint}` is none; `>= 0.1, < 2.0` would be one."))
            .help("the operators are =, !=, >, >=, <, <= and ~>"),
    };
    out.push(problem.span(span.clone()));
}

/// A version and how many of its parts are written.
fn version(text: &str) -> Option<(Version, usize)> {
    let mut out = [0; 3];
    let mut parts = 0;
    for part in text.split('.') {
        *out.get_mut(parts)? = part.parse().ok()?;
        parts += 1;
    }
    Some((out, parts))
}

/// Whether a version fulfils a constraint; `None` if that is no constraint.
fn fulfils(constraint: &str, ours: Version) -> Option<bool> {
    let mut all = true;
    for one in constraint.split(',') {
        let one = one.trim();
        let split = one.find(|c: char| c.is_ascii_digit())?;
        let (operator, text) = one.split_at(split);
        let (wanted, parts) = version(text)?;
        all &= match operator.trim() {
            "" | "=" => ours == wanted,
            "!=" => ours != wanted,
            ">" => ours > wanted,
            ">=" => ours >= wanted,
            "<" => ours < wanted,
            "<=" => ours <= wanted,
            // All but the last written part stay.
            "~>" => ours >= wanted && ours[..parts.saturating_sub(1)] == wanted[..parts.saturating_sub(1)],
            _ => return None,
        };
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::fulfils;

    #[test]
    fn constraints_are_those_of_terraform() {
        let ours = [1, 4, 2];
        for (constraint, wanted) in [
            (">= 1.0, < 2", Some(true)),
            ("~> 1.4", Some(true)),
            ("~> 1.4.0", Some(true)),
            ("~> 1.3.0", Some(false)),
            ("1.4.2", Some(true)),
            ("!= 1.4.2", Some(false)),
            ("> 2", Some(false)),
            ("newest", None),
            (">= x", None),
            ("", None),
        ] {
            assert_eq!(fulfils(constraint, ours), wanted, "{constraint}");
        }
    }
}
