//! JSON that is carried as text: shared, unparsed until someone asks, and written in the layout of Go's `encoding/json`.

use std::{fmt, sync::Arc};

/// One JSON value as text. A clone shares the text; values of a loaded state are slices of the one file that was read.
#[derive(Clone)]
pub struct RawJson {
    whole: Arc<String>,
    start: usize,
    end: usize,
}

impl RawJson {
    /// The text of `part`, which must be a slice of `whole`; copied if it is not.
    pub(crate) fn slice(whole: &Arc<String>, part: &str) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let end = start.wrapping_add(part.len());
        if whole.get(start..end).is_some_and(|text| std::ptr::eq(text, part)) {
            Self { whole: whole.clone(), start, end }
        } else {
            Self::from_text(part.to_owned())
        }
    }

    /// Text that is known to be JSON.
    pub(crate) fn from_text(text: String) -> Self {
        Self { start: 0, end: text.len(), whole: Arc::new(text) }
    }

    /// The JSON text, with whatever white space it was read with.
    pub fn text(&self) -> &str {
        self.whole.get(self.start..self.end).unwrap_or_default()
    }

    /// The value, parsed.
    ///
    /// # Errors
    /// When the nesting is deeper than serde_json reads (128 levels).
    pub fn parse(&self) -> Result<serde_json::Value, serde_json::Error> {
        serde_json::from_str(self.text())
    }

    /// The text without white space between its tokens.
    pub fn compact(&self) -> String {
        let mut layout = Layout::compact();
        layout.push(self.text());
        layout.finish()
    }
}

impl From<&serde_json::Value> for RawJson {
    fn from(value: &serde_json::Value) -> Self {
        Self::from_text(value.to_string())
    }
}

impl PartialEq for RawJson {
    /// The same JSON: layout, escapes and the order of an object's fields aside.
    fn eq(&self, other: &Self) -> bool {
        let same_place = Arc::ptr_eq(&self.whole, &other.whole) && (self.start, self.end) == (other.start, other.end);
        same_place
            || self.text() == other.text()
            || self.compact() == other.compact()
            || matches!((self.parse(), other.parse()), (Ok(a), Ok(b)) if a == b)
    }
}

impl Eq for RawJson {}

impl fmt::Debug for RawJson {
    /// Only the size: attributes may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawJson({} bytes)", self.end - self.start)
    }
}

/// Lays JSON text out as Go's `json.MarshalIndent(v, "", "  ")` does: two spaces, `<`, `>` and `&` escaped in strings.
/// The text comes in pieces; a piece may end anywhere outside a string.
pub(crate) struct Layout {
    out: String,
    depth: usize,
    indent: bool,
    just_opened: bool,
}

impl Layout {
    pub(crate) fn indented(capacity: usize) -> Self {
        Self { out: String::with_capacity(capacity), depth: 0, indent: true, just_opened: false }
    }

    pub(crate) fn compact() -> Self {
        Self { out: String::new(), depth: 0, indent: false, just_opened: false }
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn newline(&mut self) {
        const SPACES: &str = "                                                                ";
        if self.indent {
            self.out.push('\n');
            let mut left = self.depth * 2;
            while left > 0 {
                let n = left.min(SPACES.len());
                self.out.push_str(&SPACES[..n]);
                left -= n;
            }
        }
    }

    fn begin_value(&mut self) {
        if std::mem::take(&mut self.just_opened) {
            self.newline();
        }
    }

    /// Appends a piece of JSON.
    pub(crate) fn push(&mut self, json: &str) {
        let bytes = json.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            match bytes[i] {
                b' ' | b'\t' | b'\r' | b'\n' => i += 1,
                b'"' => {
                    self.begin_value();
                    let end = string_end(bytes, i);
                    self.string(&json[i..end]);
                    i = end;
                }
                open @ (b'{' | b'[') => {
                    self.begin_value();
                    self.out.push(char::from(open));
                    self.depth += 1;
                    self.just_opened = true;
                    i += 1;
                }
                close @ (b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if !std::mem::take(&mut self.just_opened) {
                        self.newline();
                    }
                    self.out.push(char::from(close));
                    i += 1;
                }
                b',' => {
                    self.out.push(',');
                    self.newline();
                    i += 1;
                }
                b':' => {
                    self.out.push_str(if self.indent { ": " } else { ":" });
                    i += 1;
                }
                _ => {
                    self.begin_value();
                    let rest = &json[i..];
                    let end = rest
                        .find([' ', '\t', '\r', '\n', '"', '{', '[', '}', ']', ',', ':'])
                        .map_or(bytes.len(), |n| i + n);
                    self.out.push_str(&json[i..end]);
                    i = end;
                }
            }
        }
    }

    /// Appends a string value, quoted and escaped.
    pub(crate) fn push_str(&mut self, text: &str) {
        if text.bytes().all(|b| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\' | b'<' | b'>' | b'&')) {
            self.begin_value();
            self.out.push('"');
            self.out.push_str(text);
            self.out.push('"');
        } else {
            self.push(&serde_json::Value::from(text).to_string());
        }
    }

    fn string(&mut self, quoted: &str) {
        let bytes = quoted.as_bytes();
        let mut done = 0;
        let mut i = 0;
        while i < bytes.len() {
            let (escape, width) = match bytes[i] {
                b'<' => ("\\u003c", 1),
                b'>' => ("\\u003e", 1),
                b'&' => ("\\u0026", 1),
                0xE2 if bytes.get(i + 1) == Some(&0x80) && bytes.get(i + 2) == Some(&0xA8) => ("\\u2028", 3),
                0xE2 if bytes.get(i + 1) == Some(&0x80) && bytes.get(i + 2) == Some(&0xA9) => ("\\u2029", 3),
                _ => {
                    i += 1;
                    continue;
                }
            };
            self.out.push_str(&quoted[done..i]);
            self.out.push_str(escape);
            i += width;
            done = i;
        }
        self.out.push_str(&quoted[done..]);
    }
}

/// The index after the closing quote of the string that begins at `start`.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut i = start + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}
