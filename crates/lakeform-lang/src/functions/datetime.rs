//! Dates and times.

use jiff::{Timestamp, Zoned, civil::Weekday, tz::TimeZone};
use lakeform_core::{Type, Value};

use super::{Context, Fault, Function, Returns, function, go::quote, string::string, text};

pub(super) const TABLE: &[Function] = &[
    function("formatdate", &[text("format"), text("time")], Returns::String, format_date),
    function("plantimestamp", &[], Returns::String, |c, _| Ok(moment(c.environment().plan_time))),
    function("timeadd", &[text("timestamp"), text("duration")], Returns::String, time_add).null(),
    function("timecmp", &[text("timestamp_a"), text("timestamp_b")], Returns::Number, |_, args| {
        let order = parse(args, 0)?.timestamp().cmp(&parse(args, 1)?.timestamp());
        Ok(Value::from(order as i64))
    }),
    function("timestamp", &[], Returns::String, |c, _| Ok(moment(c.environment().now))),
];

/// A moment in UTC, to the second.
fn moment(at: Option<Timestamp>) -> Value {
    match at {
        None => Value::unknown(Type::String),
        Some(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
    }
}

/// RFC 3339, as strict as Go reads it.
fn parse(args: &[Value], index: usize) -> Result<Zoned, Fault> {
    let text = string(args, index);
    let wrong = |why: &str| Fault::arg(index, format!("not a valid RFC3339 timestamp: {why}"));
    let bytes = text.as_bytes();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(part(0..4)) {
        return Err(wrong(&format!("cannot use {} as year", quote(text))));
    }
    if bytes.get(10) != Some(&b'T') {
        let missing = if text.len() <= 10 {
            "missing required time introducer 'T'"
        } else {
            "the date must be followed by 'T' and a time"
        };
        return Err(wrong(missing));
    }
    let zone = text.get(19..).unwrap_or_default();
    let zone = zone.strip_prefix('.').map_or(zone, |z| z.trim_start_matches(|c: char| c.is_ascii_digit()));
    let offset = match zone {
        "Z" => 0,
        _ => {
            let sign = match zone.get(..1) {
                Some("+") => 1,
                Some("-") => -1,
                _ => return Err(wrong("missing UTC offset")),
            };
            let (h, m) = zone[1..]
                .split_once(':')
                .filter(|(h, m)| h.len() == 2 && m.len() == 2)
                .ok_or_else(|| wrong("the UTC offset must be like +01:00"))?;
            let number = |s: &str| s.parse::<i32>().map_err(|_| wrong("the UTC offset must be like +01:00"));
            sign * (number(h)? * 3600 + number(m)? * 60)
        }
    };
    let at: Timestamp = text.parse().map_err(|_| wrong(&format!("{} is no date and time", quote(text))))?;
    let offset = jiff::tz::Offset::from_seconds(offset).map_err(|_| wrong("the UTC offset is too large"))?;
    Ok(at.to_zoned(TimeZone::fixed(offset)))
}

fn rfc3339(at: &Zoned) -> String {
    let offset = at.offset().seconds();
    let zone = if offset == 0 { "Z".to_owned() } else { zone(offset, ":") };
    format!("{}{zone}", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

fn zone(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

fn time_add(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let at = parse(args, 0)?;
    let text = string(args, 1);
    let nanos = duration(text).ok_or_else(|| format!("time: invalid duration {}", quote(text)))?;
    let moved = at.timestamp().as_nanosecond() + nanos;
    let moved =
        Timestamp::from_nanosecond(moved).map_err(|_| Fault::from("the result is no date that can be written"))?;
    Ok(rfc3339(&moved.to_zoned(at.time_zone().clone())).into())
}

/// Go's durations, in nanoseconds: `1h15m30.5s`.
fn duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let unit_end =
            rest[number_end..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |i| number_end + i);
        let (number, unit) = (&rest[..number_end], &rest[number_end..unit_end]);
        let scale: i128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty())
            || whole.len() > 18
            || fraction.len() > 18
            || fraction.contains('.')
        {
            return None;
        }
        let digits = |s: &str| if s.is_empty() { Some(0) } else { s.parse::<i128>().ok() };
        total += digits(whole)? * scale + digits(fraction)? * scale / 10_i128.pow(fraction.len() as u32);
        rest = &rest[unit_end..];
    }
    (total <= i64::MAX.into()).then_some(sign * total)
}

fn format_date(_: &Context, args: &[Value]) -> Result<Value, Fault> {
    let at = parse(args, 1)?;
    let mut out = String::new();
    let mut rest = string(args, 0);
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (text, after) = literal(&rest[1..])?;
            out.push_str(&text);
            rest = after;
            continue;
        }
        let end = rest.find(|c| c != first).unwrap_or(rest.len());
        let (verb, after) = rest.split_at(end);
        rest = after;
        if first.is_ascii_alphabetic() { out.push_str(&field(&at, verb)?) } else { out.push_str(verb) }
    }
    Ok(out.into())
}

/// What stands between single quotes, where two of them are one, and what follows.
fn literal(mut rest: &str) -> Result<(String, &str), Fault> {
    let mut out = String::new();
    loop {
        let end = rest.find('\'').ok_or_else(|| Fault::arg(0, "unterminated literal '"))?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok((out, rest)),
        }
    }
}

fn field(at: &Zoned, verb: &str) -> Result<String, Fault> {
    let wrong = |why: &str| Fault::arg(0, format!("invalid date format verb {verb:?}{why}"));
    let twelve = match at.hour() % 12 {
        0 => 12,
        h => h,
    };
    let offset = at.offset().seconds();
    Ok(match verb {
        "YYYY" => format!("{:04}", at.year()),
        "YY" => format!("{:02}", at.year().rem_euclid(100)),
        "M" => at.month().to_string(),
        "MM" => format!("{:02}", at.month()),
        "MMM" => at.strftime("%b").to_string(),
        "MMMM" => at.strftime("%B").to_string(),
        "D" => at.day().to_string(),
        "DD" => format!("{:02}", at.day()),
        "EEE" => weekday(at.weekday())[..3].to_owned(),
        "EEEE" => weekday(at.weekday()).to_owned(),
        "h" => at.hour().to_string(),
        "hh" => format!("{:02}", at.hour()),
        "H" => twelve.to_string(),
        "HH" => format!("{twelve:02}"),
        "AA" => if at.hour() < 12 { "AM" } else { "PM" }.to_owned(),
        "aa" => if at.hour() < 12 { "am" } else { "pm" }.to_owned(),
        "m" => at.minute().to_string(),
        "mm" => format!("{:02}", at.minute()),
        "s" => at.second().to_string(),
        "ss" => format!("{:02}", at.second()),
        "Z" => {
            if offset == 0 {
                "Z".to_owned()
            } else {
                zone(offset, ":")
            }
        }
        "ZZZ" => {
            if offset == 0 {
                "UTC".to_owned()
            } else {
                zone(offset, "")
            }
        }
        "ZZZZ" => zone(offset, ""),
        "ZZZZZ" => zone(offset, ":"),
        _ => {
            return Err(match verb.as_bytes().first() {
                Some(b'Y') => wrong(": year must either be \"YY\" or \"YYYY\""),
                Some(b'M') => wrong(": month must be \"M\", \"MM\", \"MMM\", or \"MMMM\""),
                Some(b'D') => wrong(": day of month must either be \"D\" or \"DD\""),
                Some(b'E') => wrong(": day of week must either be \"EEE\" or \"EEEE\""),
                Some(b'h' | b'H') => wrong(": 24-hour must either be \"h\" or \"hh\", and 12-hour \"H\" or \"HH\""),
                Some(b'A') => wrong(": must be \"AA\""),
                Some(b'a') => wrong(": must be \"aa\""),
                Some(b'm') => wrong(": minute must either be \"m\" or \"mm\""),
                Some(b's') => wrong(": second must either be \"s\" or \"ss\""),
                Some(b'Z') => wrong(": timezone must be Z, ZZZ, ZZZZ, or ZZZZZ"),
                _ => wrong(""),
            });
        }
    })
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
