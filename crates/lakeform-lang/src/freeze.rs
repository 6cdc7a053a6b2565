//! `freeze` of `[guard]`: when nothing is changed.

use std::fmt;

use jiff::{
    Timestamp, ToSpan, Zoned,
    civil::{DateTime, Time, Weekday},
    tz::TimeZone,
};

/// A time in which nothing is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Freeze {
    when: When,
    timezone: TimeZone,
    /// Why, for whoever is turned away.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum When {
    /// On days of each week; `None` is the end of the day.
    Weekly { days: Vec<Weekday>, from: Time, to: Option<Time> },
    /// Once.
    Once { from: Timestamp, to: Timestamp },
}

/// The parts of a window as text.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreezeText {
    pub days: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub timezone: Option<String>,
    pub reason: Option<String>,
}

const DAYS: [(&str, &str, Weekday); 7] = [
    ("mon", "monday", Weekday::Monday),
    ("tue", "tuesday", Weekday::Tuesday),
    ("wed", "wednesday", Weekday::Wednesday),
    ("thu", "thursday", Weekday::Thursday),
    ("fri", "friday", Weekday::Friday),
    ("sat", "saturday", Weekday::Saturday),
    ("sun", "sunday", Weekday::Sunday),
];

/// An end of a window.
enum End {
    Clock(Time),
    Midnight,
    Instant(Timestamp),
}

type Problem = (&'static str, String);

impl FreezeText {
    /// The window.
    ///
    /// # Errors
    /// Every part that is wrong, with why.
    pub(crate) fn parse(&self) -> Result<Freeze, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut keep = |name, text: Result<_, String>| text.map_err(|why| problems.push((name, why))).ok();
        let timezone = match &self.timezone {
            None => Some(TimeZone::UTC),
            Some(name) => keep(
                "timezone",
                TimeZone::get(name).map_err(|_| format!("\"{name}\" is no time zone; `Europe/Berlin` and `UTC` are.")),
            ),
        };
        let zone = timezone.clone().unwrap_or(TimeZone::UTC);
        let mut end = |name: &'static str, text: &Option<String>| match text {
            None => Some(None),
            Some(text) => match end(text, &zone) {
                Ok(end) => Some(Some(end)),
                Err(why) => {
                    problems.push((name, why));
                    None
                }
            },
        };
        let (from, to) = (end("from", &self.from), end("to", &self.to));
        let mut days = Vec::new();
        for text in &self.days {
            match day(text) {
                Some(day) => days.push(day),
                None => problems.push(("days", format!("\"{text}\" is no day; `mon`, `tue`, ... `sun` are."))),
            }
        }
        let (Some(from), Some(to), Some(timezone)) = (from, to, timezone) else { return Err(problems) };
        let when = match (from, to) {
            (Some(End::Instant(from)), Some(End::Instant(to))) => {
                if !self.days.is_empty() {
                    let why = "Days belong to times of day; `from` and `to` are dates here.";
                    problems.push(("days", why.to_owned()));
                }
                if from >= to {
                    problems.push(("to", "It must be later than `from`.".to_owned()));
                }
                When::Once { from, to }
            }
            (Some(End::Instant(_)), _) => {
                problems.push(("to", "It must be a date as `from` is.".to_owned()));
                return Err(problems);
            }
            (_, Some(End::Instant(_))) => {
                problems.push(("from", "It must be a date as `to` is.".to_owned()));
                return Err(problems);
            }
            (from, to) => {
                let clock = |end: Option<End>| match end {
                    Some(End::Clock(time)) => Some(time),
                    _ => None,
                };
                if matches!(from, Some(End::Midnight)) {
                    problems.push(("from", "24:00 can only be an end.".to_owned()));
                }
                if from.is_none() && to.is_none() && self.days.is_empty() {
                    problems.push(("from", "A window has `days`, or `from` and `to`.".to_owned()));
                }
                let to = clock(to).filter(|to| *to != Time::midnight());
                When::Weekly { days, from: clock(from).unwrap_or_default(), to }
            }
        };
        if problems.is_empty() { Ok(Freeze { when, timezone, reason: self.reason.clone() }) } else { Err(problems) }
    }
}

fn day(text: &str) -> Option<Weekday> {
    let lower = text.to_lowercase();
    DAYS.iter().find(|(short, long, _)| lower == *short || lower == *long).map(|(.., day)| *day)
}

fn end(text: &str, zone: &TimeZone) -> Result<End, String> {
    if text == "24:00" {
        return Ok(End::Midnight);
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(End::Instant(instant));
    }
    let short = text.len() <= "16:00:00".len();
    if let (true, Ok(time)) = (short, text.parse::<Time>()) {
        return Ok(End::Clock(time));
    }
    let at = text.parse::<DateTime>().ok().and_then(|date| zone.to_timestamp(date).ok());
    at.map(End::Instant).ok_or_else(|| {
        format!("\"{text}\" is neither a time of day nor a date; `16:00`, `2026-12-20` and `2026-12-20T00:00:00Z` are.")
    })
}

impl Freeze {
    /// The end of the window that a moment lies in; `None` where it lies in none.
    pub fn until(&self, now: Timestamp) -> Option<Zoned> {
        match &self.when {
            When::Once { from, to } => (*from <= now && now < *to).then(|| to.to_zoned(self.timezone.clone())),
            When::Weekly { days, from, to } => {
                let today = now.to_zoned(self.timezone.clone()).date();
                // A window that ends on the next day may have begun yesterday.
                [today.yesterday().ok(), Some(today)].into_iter().flatten().find_map(|date| {
                    if !days.is_empty() && !days.contains(&date.weekday()) {
                        return None;
                    }
                    let last = if to.is_some_and(|to| to > *from) { date } else { date.checked_add(1.day()).ok()? };
                    let begin = self.timezone.to_zoned(date.to_datetime(*from)).ok()?;
                    let end = self.timezone.to_zoned(last.to_datetime(to.unwrap_or_default())).ok()?;
                    (begin.timestamp() <= now && now < end.timestamp()).then_some(end)
                })
            }
        }
    }
}

impl fmt::Display for Freeze {
    /// As a user would say it: `fri, sat 16:00 to 08:00 (Europe/Berlin)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.when {
            When::Once { from, to } => write!(f, "{from} to {to}")?,
            When::Weekly { days, from, to } => {
                let names = DAYS.iter().filter(|(.., day)| days.contains(day)).map(|(short, ..)| *short);
                let names = names.collect::<Vec<_>>().join(", ");
                let names = if names.is_empty() { "every day" } else { &names };
                let clock = |time: &Time| time.strftime("%H:%M").to_string();
                let to = to.as_ref().map_or_else(|| "24:00".to_owned(), clock);
                let zone = self.timezone.iana_name().unwrap_or("UTC");
                write!(f, "{names} {} to {to} ({zone})", clock(from))?;
            }
        }
        self.reason.iter().try_for_each(|reason| write!(f, ": {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(days: &[&str], from: &str, to: &str, timezone: &str) -> Result<Freeze, Vec<Problem>> {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let days = days.iter().map(|d| (*d).to_owned()).collect();
        FreezeText { days, from: some(from), to: some(to), timezone: some(timezone), reason: None }.parse()
    }

    #[test]
    fn windows_hold_on_their_days_and_times() {
        let weekend: &[&str] = &["fri", "sat"];
        for (days, from, to, zone, now, until) in [
            // 2026-01-02 is a Friday; Berlin is an hour ahead of UTC in winter.
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-01-02T14:59:59Z", None),
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-01-02T15:00:00Z", Some("2026-01-03T08:00:00+01:00")),
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-01-03T06:59:59Z", Some("2026-01-03T08:00:00+01:00")),
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-01-03T07:00:00Z", None),
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-01-04T06:00:00Z", Some("2026-01-04T08:00:00+01:00")),
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-01-05T06:00:00Z", None),
            // Summer: two hours ahead.
            (weekend, "16:00", "08:00", "Europe/Berlin", "2026-07-03T14:00:00Z", Some("2026-07-04T08:00:00+02:00")),
            (&["sun"], "", "", "", "2026-01-04T00:00:00Z", Some("2026-01-05T00:00:00+00:00")),
            (&["sun"], "", "", "", "2026-01-05T00:00:00Z", None),
            (&["Friday"], "16:00", "24:00", "UTC", "2026-01-02T23:59:59Z", Some("2026-01-03T00:00:00+00:00")),
            (&[], "22:00", "06:00", "", "2026-01-06T03:00:00Z", Some("2026-01-06T06:00:00+00:00")),
            (&[], "22:00", "06:00", "", "2026-01-06T12:00:00Z", None),
            (&[], "2026-12-20T00:00:00Z", "2027-01-02T00:00:00Z", "", "2026-12-19T23:59:59Z", None),
            (
                &[],
                "2026-12-20T00:00:00Z",
                "2027-01-02T00:00:00Z",
                "",
                "2026-12-20T00:00:00Z",
                Some("2027-01-02T00:00:00+00:00"),
            ),
            (&[], "2026-12-20T00:00:00Z", "2027-01-02T00:00:00Z", "", "2027-01-02T00:00:00Z", None),
            (&[], "2026-12-20", "2027-01-02", "America/New_York", "2026-12-20T04:59:59Z", None),
            (
                &[],
                "2026-12-20",
                "2027-01-02",
                "America/New_York",
                "2026-12-20T05:00:00Z",
                Some("2027-01-02T00:00:00-05:00"),
            ),
        ] {
            let until_when = window(days, from, to, zone).unwrap().until(now.parse().unwrap());
            let shown = until_when.map(|z| z.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
            assert_eq!(shown.as_deref(), until, "{days:?} {from} {to} {zone} at {now}");
        }
    }

    #[test]
    fn every_wrong_part_is_told() {
        for (days, from, to, zone, wanted) in [
            (&["fry"][..], "25:00", "noon", "Europe/Bärlin", "timezone from to days"),
            (&[], "", "", "", "from"),
            (&["mon"], "2026-12-20", "2026-12-21", "", "days"),
            (&[], "2026-12-20", "2026-12-20", "", "to"),
            (&[], "2026-12-20", "16:00", "", "to"),
            (&[], "16:00", "2026-12-20", "", "from"),
            (&[], "2026-12-20", "", "", "to"),
            (&["mon"], "24:00", "08:00", "", "from"),
        ] {
            let problems = window(days, from, to, zone).unwrap_err();
            assert_eq!(problems.iter().map(|p| p.0).collect::<Vec<_>>().join(" "), wanted, "{from} {to}");
        }
    }

    #[test]
    fn windows_are_told_as_they_are_written() {
        let weekly = window(&["sat", "fri"], "16:00", "08:00", "Europe/Berlin").unwrap();
        assert_eq!(weekly.to_string(), "fri, sat 16:00 to 08:00 (Europe/Berlin)");
        let once = Freeze { reason: Some("sale".into()), ..window(&[], "2026-12-20", "2026-12-21", "").unwrap() };
        assert_eq!(once.to_string(), "2026-12-20T00:00:00Z to 2026-12-21T00:00:00Z: sale");
    }
}
