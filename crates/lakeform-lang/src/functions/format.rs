//! `format` and `formatlist`: Go's verbs over the language's values.

use lakeform_core::{Kind, Number, Type, Value, convert};
use unicode_segmentation::UnicodeSegmentation;

use super::{Context, Fault, Function, Returns, any, function, json, text};
use crate::syntax::text_value;

pub(super) const TABLE: &[Function] = &[
    function("format", &[text("format")], Returns::String, format).rest(any("args").nullable().unknown()),
    function("formatlist", &[text("format")], Returns::ListOfString, format_list)
        .rest(any("args").nullable().unknown()),
];

/// One `%` sequence.
#[derive(Debug, Default)]
struct Verb {
    /// As written.
    raw: String,
    at: usize,
    sharp: bool,
    zero: bool,
    space: bool,
    plus: bool,
    minus: bool,
    argument: Option<usize>,
    width: Option<usize>,
    precision: Option<usize>,
    letter: char,
}

/// The widest field that is taken seriously.
const WIDEST: usize = 1_000_000;

enum Piece {
    Text(String),
    Verb(Verb),
}

fn parse(format: &str) -> Result<Vec<Piece>, Fault> {
    let mut pieces = Vec::new();
    let mut rest = format.char_indices().peekable();
    let mut literal = String::new();
    while let Some((at, c)) = rest.next() {
        if c != '%' {
            literal.push(c);
            continue;
        }
        let mut verb = Verb { at, ..Verb::default() };
        let mut number: Option<usize> = None;
        let mut in_precision = false;
        loop {
            let Some((here, c)) = rest.next() else {
                return Err(format!("invalid format string starting at offset {}", format.len()).into());
            };
            match c {
                '%' if here == at + 1 => {
                    literal.push('%');
                    break;
                }
                '#' => verb.sharp = true,
                '0' if number.is_none() && !in_precision => verb.zero = true,
                ' ' => verb.space = true,
                '+' => verb.plus = true,
                '-' => verb.minus = true,
                '[' => {
                    let mut index = 0_usize;
                    while let Some((_, d)) = rest.next_if(|(_, d)| d.is_ascii_digit()) {
                        index = index.saturating_mul(10).saturating_add(d as usize - '0' as usize);
                    }
                    if rest.next_if(|(_, c)| *c == ']').is_none() || index == 0 {
                        return Err(format!("invalid format string starting at offset {at}").into());
                    }
                    verb.argument = Some(index - 1);
                }
                '0'..='9' => {
                    let n =
                        number.unwrap_or(0).saturating_mul(10).saturating_add(c as usize - '0' as usize).min(WIDEST);
                    number = Some(n);
                    if in_precision { verb.precision = number } else { verb.width = number }
                }
                '.' if !in_precision => {
                    in_precision = true;
                    number = None;
                    verb.precision = Some(0);
                }
                c if c.is_ascii_alphabetic() => {
                    verb.letter = c;
                    verb.raw = format[at..here + 1].to_owned();
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Verb(verb));
                    break;
                }
                c => return Err(format!("unrecognized format character '{c}' at offset {here}").into()),
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

fn format(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    // Cty waits for the type of a null that has none, too.
    if args.iter().any(|v| v.ty() == Type::Dynamic) {
        return Ok(Value::unknown(Type::Dynamic));
    }
    if !args.iter().all(Value::is_wholly_known) {
        let first = args[0].as_str().and_then(|format| format.split_once('%')).map_or("", |(first, _)| first);
        return Ok(Value::unknown(Type::String).with_prefix(first));
    }
    Ok(text_value(&apply(args[0].as_str().unwrap_or_default(), &args[1..])?))
}

fn apply(format: &str, args: &[Value]) -> Result<String, Fault> {
    let mut out = String::new();
    let (mut next, mut used, mut explicit) = (0, 0, false);
    for piece in parse(format)? {
        let verb = match piece {
            Piece::Text(text) => {
                out.push_str(&text);
                continue;
            }
            Piece::Verb(verb) => verb,
        };
        explicit |= verb.argument.is_some();
        let index = verb.argument.unwrap_or(next);
        next = index + 1;
        used = used.max(next);
        let Some(arg) = args.get(index) else {
            let message = format!(
                "not enough arguments for {:?} at {}: need index {} but have {} total",
                verb.raw,
                verb.at,
                index + 1,
                args.len()
            );
            return Err(message.into());
        };
        let text = verb.apply(arg)?;
        out.push_str(&text);
    }
    if used < args.len() && !explicit {
        let message = if used == 0 {
            "too many arguments; no verbs in format string".to_owned()
        } else {
            format!("too many arguments; only {used} used by format string")
        };
        return Err(Fault::arg(used + 1, message));
    }
    Ok(out)
}

impl Verb {
    fn apply(&self, arg: &Value) -> Result<String, Fault> {
        if !matches!(
            self.letter,
            'v' | 't' | 'b' | 'd' | 'o' | 'x' | 'X' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 's' | 'q'
        ) {
            return Err(
                format!("unsupported format verb {:?} in {:?} at offset {}", self.letter, self.raw, self.at).into()
            );
        }
        if self.letter != 'v' && arg.is_null() {
            return Err(
                format!("unsupported value for {:?} at {}: null value cannot be formatted", self.raw, self.at).into()
            );
        }
        let wrong =
            |message: String| Fault::from(format!("unsupported value for {:?} at {}: {message}", self.raw, self.at));
        let to = |ty: Type| convert(arg, &ty).map_err(|e| wrong(e.describe()));
        match self.letter {
            'v' => Ok(self.pad(&self.as_is(arg))),
            't' => Ok(if to(Type::Bool)?.as_bool() == Some(true) { "true" } else { "false" }.to_owned()),
            's' | 'q' => {
                let value = to(Type::String)?;
                let text = value.as_str().unwrap_or_default();
                let text = match self.precision {
                    Some(n) => text.graphemes(true).take(n).collect(),
                    None => text.to_owned(),
                };
                Ok(self.pad(&if self.letter == 'q' { json::quote(&text) } else { text }))
            }
            letter => {
                let value = to(Type::Number)?;
                let number = value.as_number().ok_or_else(|| wrong("a number is required".into()))?;
                if matches!(letter, 'b' | 'd' | 'o' | 'x' | 'X') {
                    if !number.is_whole() {
                        return Err(wrong("an integer is required".into()));
                    }
                    Ok(self.integer(number))
                } else {
                    Ok(self.float(number))
                }
            }
        }
    }

    /// `%v`: text as it is, numbers as short as can be, everything else as JSON.
    fn as_is(&self, arg: &Value) -> String {
        match arg.kind() {
            Kind::String(s) if !self.sharp => s.to_string(),
            Kind::Number(n) if !self.sharp => shortest(n),
            _ => json::encode(arg),
        }
    }

    fn pad(&self, text: &str) -> String {
        let Some(missing) = self.width.and_then(|w| w.checked_sub(text.graphemes(true).count())) else {
            return text.to_owned();
        };
        if self.minus { format!("{text}{}", " ".repeat(missing)) } else { format!("{}{text}", " ".repeat(missing)) }
    }

    /// Sign, prefix, digits: zeros go between prefix and digits, blanks in front or behind.
    fn pad_number(&self, negative: bool, prefix: &str, digits: &str, zeros: bool) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let length = sign.len() + prefix.len() + digits.len();
        let missing = self.width.unwrap_or(0).saturating_sub(length);
        if self.minus {
            format!("{sign}{prefix}{digits}{}", " ".repeat(missing))
        } else if zeros {
            format!("{sign}{prefix}{}{digits}", "0".repeat(missing))
        } else {
            format!("{}{sign}{prefix}{digits}", " ".repeat(missing))
        }
    }

    fn integer(&self, number: &Number) -> String {
        let (base, prefix) = match self.letter {
            'b' => (2, "0b"),
            'o' => (8, "0"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let text = number.to_radix(base);
        let negative = text.starts_with('-');
        let mut digits = text.trim_start_matches('-').to_owned();
        if self.letter == 'X' {
            digits = digits.to_uppercase();
        }
        if let Some(n) = self.precision {
            digits = format!("{}{digits}", "0".repeat(n.saturating_sub(digits.len())));
        }
        self.pad_number(negative, if self.sharp { prefix } else { "" }, &digits, self.zero && self.precision.is_none())
    }

    fn float(&self, number: &Number) -> String {
        let text = number.to_string();
        let negative = text.starts_with('-');
        let decimal = Decimal::of(text.trim_start_matches('-'));
        let digits = match self.letter {
            'e' | 'E' => {
                decimal.round_to(1 + self.precision.unwrap_or(6) as isize).exponent(self.precision.unwrap_or(6))
            }
            'f' | 'F' => {
                let places = self.precision.unwrap_or(6);
                decimal.round_to(decimal.point + places as isize).fixed(places)
            }
            _ => match self.precision {
                None => decimal.general(None),
                Some(n) => {
                    let n = n.max(1);
                    decimal.round_to(n as isize).general(Some(n))
                }
            },
        };
        let digits = if self.letter.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
        self.pad_number(negative, "", &digits, self.zero)
    }
}

/// A number as Go's `%g` writes it, with as many digits as tell it from its neighbours.
fn shortest(number: &Number) -> String {
    let text = number.to_string();
    let plain = text.trim_start_matches('-');
    format!("{}{}", if plain.len() < text.len() { "-" } else { "" }, Decimal::of(plain).general(None))
}

/// `0.DIGITS * 10^point`
#[derive(Clone, Debug)]
struct Decimal {
    digits: Vec<u8>,
    point: isize,
}

impl Decimal {
    /// Of plain decimal notation without sign.
    fn of(text: &str) -> Self {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let lead = all.iter().take_while(|d| **d == b'0').count();
        let mut digits = all[lead..].to_vec();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        let point = if digits.is_empty() { 0 } else { whole.len() as isize - lead as isize };
        Self { digits, point }
    }

    /// With at most so many digits; a half goes to the even neighbour.
    fn round_to(&self, keep: isize) -> Self {
        if keep < 0 {
            return Self { digits: vec![], point: 0 };
        }
        let keep = keep as usize;
        if keep >= self.digits.len() {
            return self.clone();
        }
        let (head, tail) = self.digits.split_at(keep);
        let up = match tail {
            [b'5'] => head.last().is_some_and(|d| (d - b'0') % 2 == 1),
            [first, ..] => *first >= b'5',
            [] => false,
        };
        let mut digits = head.to_vec();
        let mut point = self.point;
        if up {
            while digits.last() == Some(&b'9') {
                digits.pop();
            }
            match digits.last_mut() {
                Some(last) => *last += 1,
                None => {
                    digits.push(b'1');
                    point += 1;
                }
            }
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        if digits.is_empty() {
            point = 0;
        }
        Self { digits, point }
    }

    fn digit(&self, i: isize) -> char {
        usize::try_from(i).ok().and_then(|i| self.digits.get(i)).map_or('0', |d| char::from(*d))
    }

    fn fixed(&self, places: usize) -> String {
        let mut out = String::new();
        if self.point <= 0 {
            out.push('0');
        }
        out.extend((0..self.point).map(|i| self.digit(i)));
        if places > 0 {
            out.push('.');
            out.extend((0..places as isize).map(|i| self.digit(self.point + i)));
        }
        out
    }

    fn exponent(&self, places: usize) -> String {
        let mut out = String::from(self.digit(0));
        if places > 0 {
            out.push('.');
            out.extend((1..=places as isize).map(|i| self.digit(i)));
        }
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        out + &format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
    }

    /// Go's `%g`: an exponent where the number is very small, or larger than its precision (6 where none is given).
    fn general(&self, precision: Option<usize>) -> String {
        let count = self.digits.len();
        let limit = match precision {
            None => 6,
            Some(n) if n > count && count as isize >= self.point => count,
            Some(n) => n,
        };
        let exponent = if count == 0 { 0 } else { self.point - 1 };
        if exponent < -4 || exponent >= limit.max(1) as isize {
            return self.exponent(count.saturating_sub(1));
        }
        self.fixed(usize::try_from(count as isize - self.point).unwrap_or(0))
    }
}

fn format_list(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    if args.iter().any(|v| v.ty() == Type::Dynamic) {
        return Ok(Value::unknown(Type::Dynamic));
    }
    let format = args[0].as_str().unwrap_or_default();
    let rest = &args[1..];
    let mut length: Option<(usize, usize)> = None;
    for (i, arg) in rest.iter().enumerate() {
        if matches!(arg.kind(), Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_), _)) {
            return Ok(Value::unknown(Type::list(Type::String)));
        }
        let Some(items) = arg.as_slice() else { continue };
        match length {
            Some((_, n)) if n == items.len() => {}
            Some((first, n)) => {
                return Err(Fault::arg(
                    i + 1,
                    format!(
                        "argument {} has length {}, which is inconsistent with argument {} of length {n}",
                        i + 1,
                        items.len(),
                        first + 1
                    ),
                ));
            }
            None => length = Some((i, items.len())),
        }
    }
    let mut out = Vec::new();
    for at in 0..length.map_or(1, |(_, n)| n) {
        let row: Vec<Value> =
            rest.iter().map(|v| v.as_slice().and_then(|vs| vs.get(at)).unwrap_or(v).clone()).collect();
        if !row.iter().all(Value::is_wholly_known) {
            out.push(Value::unknown(Type::String).not_null());
            continue;
        }
        let text = apply(format, &row).map_err(|fault| match fault.arg {
            Some(_) => fault,
            None => Fault::from(format!("error on format iteration {at}: {}", fault.message)),
        })?;
        out.push(text_value(&text));
    }
    Ok(Value::list(Type::String, out))
}
