//! What Go's standard library does with text, where it differs from Rust's.

/// `unicode.IsSpace`: Latin-1 has its own list.
pub(super) fn is_space(c: char) -> bool {
    match c {
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}' => true,
        c if c <= '\u{ff}' => false,
        c => c.is_whitespace(),
    }
}

/// Upper case by one character each: `ß` stays.
pub(super) fn upper(c: char) -> char {
    let mut up = c.to_uppercase();
    match (up.next(), up.next()) {
        (Some(only), None) => only,
        _ => c,
    }
}

/// Lower case by one character each.
pub(super) fn lower(c: char) -> char {
    let mut low = c.to_lowercase();
    match (low.next(), low.next()) {
        (Some(only), None) => only,
        // U+0130 has the one simple mapping that Rust does not give.
        _ if c == '\u{130}' => 'i',
        _ => c,
    }
}

/// `strings.Title`: the first letter of each word in upper case.
pub(super) fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        out.push(if is_separator(before) { upper(c) } else { c });
        before = c;
    }
    out
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        return !(c.is_ascii_alphanumeric() || c == '_');
    }
    if c.is_alphanumeric() { false } else { is_space(c) }
}

/// `strconv.Quote`
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x80 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// A text as an expression that gives it: braces after `$` and `%` begin nothing.
pub(super) fn quote_hcl(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => out.extend([c, c]),
            c if is_printable(c) => out.push(c),
            c if (c as u32) < 0x10000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

/// `strconv.IsPrint`: what is no control, format, private, surrogate or unassigned character, and no space but U+0020.
fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        c if c.is_control() => false,
        '\u{ad}' | '\u{fffe}' | '\u{ffff}' => false,
        c if c.is_whitespace() => false,
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e000}'..='\u{f8ff}' => false,
        c => (c as u32) < 0xe0000,
    }
}

/// A pattern as the regex crate wants it: for Go, a brace that begins no repetition is a brace.
pub(super) fn pattern(text: &str) -> String {
    let repetition = |rest: &str| {
        let mut numbers = rest.split_once('}').map_or("", |(inner, _)| inner).splitn(2, ',');
        let digits = |n: &str| n.bytes().all(|b| b.is_ascii_digit());
        numbers.next().is_some_and(|n| !n.is_empty() && digits(n)) && numbers.next().is_none_or(digits)
    };
    let mut out = String::with_capacity(text.len());
    // Behind a backslash; behind `\\p` or `\\x`, which have braces of their own.
    let (mut escaped, mut named) = (false, false);
    for (at, c) in text.char_indices() {
        if c == '{' && !escaped && !named && !repetition(&text[at + 1..]) {
            out.push('\\');
        }
        named = escaped && matches!(c, 'p' | 'P' | 'x');
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}
