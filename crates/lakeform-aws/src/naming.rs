//! Names that lakeform makes up where the stack gives a prefix or nothing.

#[cfg(any(feature = "sns", feature = "sqs"))]
use lakeform_core::{Path, Value};
#[cfg(any(feature = "sns", feature = "sqs"))]
use lakeform_provider::{Change, ProviderError, Result};

/// How many characters a made-up name has beyond its prefix.
pub(crate) const MADE_UP: usize = 26;

/// A name that nothing else has: the prefix and 26 characters of the intent's token, as long as what Terraform appends.
pub(crate) fn unique(prefix: &str, token: &str) -> String {
    format!("{prefix}{}", token.get(..MADE_UP).unwrap_or(token))
}

/// The name of a new object: what the stack says, else one made up from its prefix, or from Terraform's own without one.
/// `suffix` is what each such name must end with.
pub(crate) fn choose(name: Option<&str>, prefix: Option<&str>, suffix: &str, token: &str) -> String {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    given(name).unwrap_or_else(|| unique(&given(prefix).unwrap_or_else(|| "terraform-".to_owned()), token) + suffix)
}

/// The prefix that Terraform finds in a name that it made up (`x-20261120144211908500000001`), else an empty text.
pub(crate) fn prefix_of(name: &str) -> String {
    let Some(at) = name.len().checked_sub(MADE_UP).filter(|at| name.is_char_boundary(*at)) else {
        return String::new();
    };
    let (prefix, suffix) = name.split_at(at);
    let made_up = suffix.chars().all(|c| c.is_ascii_hexdigit());
    if made_up && !prefix.is_empty() { prefix.to_owned() } else { String::new() }
}

/// What the name of a FIFO queue or topic ends with.
#[cfg(any(feature = "sns", feature = "sqs"))]
pub(crate) const FIFO: &str = ".fifo";

/// Refuses names of a queue or topic (`what`) that the API does not take, whose limit is `longest` characters.
///
/// # Errors
/// With the argument, `name` or `name_prefix`.
#[cfg(any(feature = "sns", feature = "sqs"))]
pub(crate) fn check_fifo(change: &Change<'_>, what: &str, longest: usize) -> Result<()> {
    let fifo = change.config.get(&format!("fifo_{what}")).and_then(Value::as_bool) == Some(true);
    for name in ["name", "name_prefix"] {
        let Some(text) = change.config.get(name).and_then(Value::as_str) else { continue };
        let rest = if fifo && name == "name" { text.strip_suffix(FIFO) } else { Some(text) };
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if rest.is_none_or(|rest| rest.is_empty() || !rest.chars().all(good)) || text.len() > longest {
            let end = if fifo { format!(", and `{FIFO}` at the end of a FIFO {what}'s name") } else { String::new() };
            return Err(ProviderError::invalid(format!(
                "{name} is {text:?}; expected are letters, digits, `_` and `-`, {longest} at most{end}"
            ))
            .attribute(Path::attr(name)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_name_shows_its_prefix() {
        assert_eq!(prefix_of("alias/p-20261120144211908500000001"), "alias/p-");
        let token = "0123456789abcdef0123456789abcdef";
        assert_eq!(unique("x-", token), "x-0123456789abcdef0123456789");
        assert_eq!(prefix_of(&unique("x-", token)), "x-");
        assert_eq!(choose(Some("n"), Some("p-"), ".fifo", token), "n");
        let made = choose(None, Some("p-"), ".fifo", token);
        assert_eq!(prefix_of(made.strip_suffix(".fifo").unwrap()), "p-");
        assert_eq!(prefix_of(&choose(Some(""), None, "", token)), "terraform-");
        for other in ["", "alias/x", "20261120144211908500000001", "alias/this-is-a-long-and-chosen-name"] {
            assert_eq!(prefix_of(other), "", "{other}");
        }
    }
}
