//! Tokens to text.

use super::token::Token;

pub(super) fn lay_out(tokens: &[Token]) -> String {
    let mut writer = Writer { tokens, at: 0, out: String::new() };
    writer.document();
    writer.out
}

struct Writer<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    out: String,
}

impl<'t> Writer<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn document(&mut self) {
        let mut blank = false;
        while let Some(token) = self.peek() {
            if token == Token::Newline {
                self.at += 1;
                let empty_line = self.at < 2 || matches!(self.tokens.get(self.at - 2), Some(Token::Newline));
                blank |= empty_line;
                continue;
            }
            if (blank || self.is_header_ahead()) && !self.out.is_empty() && !self.out.ends_with("\n\n") {
                // A comment right above a header belongs to it.
                if blank || !self.after_own_comment() {
                    self.out.push('\n');
                }
            }
            blank = false;
            match token {
                Token::Comment(text) => {
                    self.at += 1;
                    self.out.push_str(text);
                }
                Token::Open(_) => self.header(),
                _ => self.pair(0),
            }
            if let Some(Token::Comment(text)) = self.peek() {
                self.at += 1;
                self.out.push(' ');
                self.out.push_str(text);
            }
            self.out.push('\n');
            if self.peek() == Some(Token::Newline) {
                self.at += 1;
            }
        }
    }

    /// Whether the next line is a header, or a comment of one with nothing but comments between.
    fn is_header_ahead(&self) -> bool {
        let mut rest = self.tokens[self.at..].iter();
        loop {
            match rest.next() {
                Some(Token::Comment(_)) => {
                    if rest.next() != Some(&Token::Newline) {
                        return false;
                    }
                }
                Some(Token::Open('[')) => return true,
                _ => return false,
            }
        }
    }

    /// Whether the line before is a comment that stands alone.
    fn after_own_comment(&self) -> bool {
        self.out.trim_end_matches('\n').rsplit('\n').next().is_some_and(|line| line.starts_with('#'))
    }

    fn header(&mut self) {
        while let Some(token) = self.peek() {
            match token {
                Token::Open(c) | Token::Close(c) => self.out.push(c),
                Token::Text(text) => self.out.push_str(text),
                Token::Dot => self.out.push('.'),
                _ => break,
            }
            self.at += 1;
        }
    }

    /// `key = value`
    fn pair(&mut self, depth: usize) {
        while let Some(token) = self.peek() {
            match token {
                Token::Text(text) => self.out.push_str(text),
                Token::Dot => self.out.push('.'),
                _ => break,
            }
            self.at += 1;
        }
        if self.peek() == Some(Token::Equals) {
            self.at += 1;
            self.out.push_str(" = ");
            self.before_value(depth);
            self.value(depth);
        }
    }

    /// In a table that goes over several lines, the value may stand on a later one than its key, below comments.
    fn before_value(&mut self, depth: usize) {
        while let Some(token @ (Token::Newline | Token::Comment(_))) = self.peek() {
            self.at += 1;
            if let Token::Comment(text) = token {
                self.out.push_str(text);
                self.line(depth + 1);
            }
        }
    }

    fn value(&mut self, depth: usize) {
        match self.next() {
            Some(Token::Text(text)) => self.out.push_str(text),
            Some(Token::Open(open)) => {
                if self.spans_lines() {
                    self.lines(open, depth);
                } else {
                    self.one_line(open, depth);
                }
            }
            _ => {}
        }
    }

    /// Whether the group that has just been opened goes over several lines.
    fn spans_lines(&self) -> bool {
        let mut depth = 1_usize;
        for token in &self.tokens[self.at..] {
            match token {
                Token::Open(_) => depth += 1,
                Token::Close(_) => depth -= 1,
                Token::Newline | Token::Comment(_) => return true,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        false
    }

    fn element(&mut self, open: char, depth: usize) {
        if open == '{' { self.pair(depth) } else { self.value(depth) }
    }

    fn one_line(&mut self, open: char, depth: usize) {
        self.out.push(open);
        let mut first = true;
        while let Some(token) = self.peek() {
            match token {
                Token::Close(close) => {
                    self.at += 1;
                    if open == '{' && !first {
                        self.out.push(' ');
                    }
                    self.out.push(close);
                    return;
                }
                Token::Comma => self.at += 1,
                _ => {
                    self.out.push_str(match (first, open) {
                        (true, '{') => " ",
                        (true, _) => "",
                        (false, _) => ", ",
                    });
                    first = false;
                    self.element(open, depth);
                }
            }
        }
    }

    fn line(&mut self, depth: usize) {
        self.out.push('\n');
        self.out.push_str(&"  ".repeat(depth));
    }

    fn lines(&mut self, open: char, depth: usize) {
        self.out.push(open);
        let inner = depth + 1;
        let mut newlines = 0;
        // Where a comma after the last element goes, if it has none yet.
        let mut element_end = None;
        let mut anything = false;
        let mut fresh_line = false;
        while let Some(token) = self.peek() {
            match token {
                Token::Newline => {
                    self.at += 1;
                    newlines += 1;
                }
                Token::Comma => {
                    self.at += 1;
                    if let Some(end) = element_end.take() {
                        self.out.insert(end, ',');
                    }
                }
                Token::Comment(text) => {
                    self.at += 1;
                    if newlines == 0 {
                        self.out.push(' ');
                    } else {
                        if newlines > 1 && anything {
                            self.out.push('\n');
                        }
                        self.line(inner);
                    }
                    self.out.push_str(text);
                    newlines = 0;
                    fresh_line = true;
                    anything = true;
                    // The newline that ends the comment is written with what follows.
                    if self.peek() == Some(Token::Newline) {
                        self.at += 1;
                        newlines = 1;
                    }
                }
                Token::Close(close) => {
                    self.at += 1;
                    if let Some(end) = element_end.filter(|_| open == '[') {
                        self.out.insert(end, ',');
                    }
                    self.line(depth);
                    self.out.push(close);
                    return;
                }
                _ => {
                    if newlines > 1 && anything {
                        self.out.push('\n');
                    }
                    if newlines > 0 || !anything || fresh_line {
                        self.line(inner);
                    } else {
                        self.out.push(' ');
                    }
                    (newlines, fresh_line, anything) = (0, false, true);
                    self.element(open, inner);
                    element_end = Some(self.out.len());
                }
            }
        }
    }
}
