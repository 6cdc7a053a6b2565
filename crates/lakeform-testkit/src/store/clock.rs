//! A clock that stands still.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

/// A clock that only moves when a test says so. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<Mutex<Timestamp>>);

impl Default for FixedClock {
    /// 2026-01-02T03:04:05Z
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Timestamp::constant(1_767_323_045, 0))))
    }
}

impl FixedClock {
    /// A clock that shows 2026-01-02T03:04:05Z.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clock that shows a time in RFC 3339.
    ///
    /// # Panics
    /// When the text is no time.
    pub fn at(time: &str) -> Self {
        match time.parse() {
            Ok(time) => Self(Arc::new(Mutex::new(time))),
            Err(e) => panic!("{time}: {e}"),
        }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it shows, as the standard library has it.
    pub fn system_time(&self) -> SystemTime {
        self.now().into()
    }

    /// What it shows, in RFC 3339 and UTC: `2026-01-02T03:04:05Z`.
    pub fn rfc3339(&self) -> String {
        self.now().to_string()
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told() {
        let clock = FixedClock::new();
        assert_eq!(clock.rfc3339(), "2026-01-02T03:04:05Z");
        clock.clone().advance(Duration::from_secs(60));
        assert_eq!(clock.rfc3339(), "2026-01-02T03:05:05Z");
        assert_eq!(clock.system_time(), FixedClock::at("2026-01-02T04:05:05+01:00").system_time());
    }
}
