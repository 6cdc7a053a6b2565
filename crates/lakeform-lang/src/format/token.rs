//! The tokens of a well-formed document.

/// A token with its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Newline,
    /// With its `#`, without white space at its end.
    Comment(&'t str),
    /// A key, a value, a part of one: anything that stands as it is.
    Text(&'t str),
    Dot,
    Equals,
    Comma,
    /// `[` or `{`
    Open(char),
    /// `]` or `}`
    Close(char),
}

pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Dots separate the parts of a key; in a value they are part of it.
    let mut key = true;
    let mut open = Vec::new();
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            ' ' | '\t' | '\r' => {
                rest = &rest[1..];
                continue;
            }
            '\n' => (Token::Newline, 1),
            '#' => {
                let end = rest.find('\n').unwrap_or(rest.len());
                (Token::Comment(rest[..end].trim_end()), end)
            }
            '=' => (Token::Equals, 1),
            ',' => (Token::Comma, 1),
            '.' if key => (Token::Dot, 1),
            '[' | '{' => (Token::Open(c), 1),
            ']' | '}' => (Token::Close(c), 1),
            '"' | '\'' => {
                let end = string_end(rest);
                (Token::Text(&rest[..end]), end)
            }
            _ => {
                let stops = |c: char| {
                    matches!(c, ' ' | '\t' | '\r' | '\n' | '#' | '=' | ',' | '[' | ']' | '{' | '}') || key && c == '.'
                };
                let mut end = rest.find(stops).unwrap_or(rest.len());
                // A date may have a space before its time.
                if !key
                    && end == 10
                    && rest[..end].matches('-').count() == 2
                    && rest[end..].starts_with(' ')
                    && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit())
                {
                    end += 1 + rest[end + 1..].find(stops).unwrap_or(rest.len() - end - 1);
                }
                (Token::Text(&rest[..end]), end)
            }
        };
        match token {
            Token::Equals => key = false,
            Token::Open(c) => {
                // A header is a bracket where a key could be.
                open.push((c, key && c == '['));
                key = c == '{' || key;
            }
            Token::Close(_) => key = open.pop().is_some_and(|(_, header)| header),
            Token::Comma => key = open.last().is_some_and(|(c, _)| *c == '{'),
            Token::Newline if open.is_empty() => key = true,
            _ => {}
        }
        out.push(token);
        rest = &rest[length..];
    }
    out
}

/// Where a string that the text begins with ends.
fn string_end(text: &str) -> usize {
    let quote = &text[..1];
    let triple = quote.repeat(3);
    let escapes = quote == "\"";
    let (open, close) = if text.starts_with(&triple) { (3, triple.as_str()) } else { (1, quote) };
    let mut at = open;
    while let Some(next) = text[at..].chars().next() {
        if escapes && next == '\\' {
            at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
        } else if text[at..].starts_with(close) {
            at += close.len();
            // Up to two more quotes belong to the text of a string in triple quotes.
            while open == 3 && text[at..].starts_with(quote) {
                at += 1;
            }
            return at;
        } else {
            at += next.len_utf8();
        }
    }
    text.len()
}
