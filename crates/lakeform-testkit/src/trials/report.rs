//! What came out of the trials of a row.

use std::fmt;

use crate::emulator::Kind;

/// How a trial came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It was not tried, or need not hold.
    Skipped(String),
    /// It does not hold.
    Failed(String),
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// `settles`, `change tags`, `create-only name`, `import`, `vanished`, `throttled`, `failing`, `denied`, `deleted twice`
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
}

/// What came out of the trials of a row. Displays as a line per trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The type.
    pub ty: String,
    /// The emulator.
    pub emulator: Kind,
    /// Each trial.
    pub trials: Vec<Trial>,
}

impl Report {
    /// The trials that do not hold.
    pub fn failures(&self) -> Vec<&Trial> {
        self.trials.iter().filter(|t| matches!(t.outcome, Outcome::Failed(_))).collect()
    }

    /// How a trial came out.
    pub fn outcome(&self, trial: &str) -> Option<&Outcome> {
        self.trials.iter().find(|t| t.name == trial).map(|t| &t.outcome)
    }

    /// Stops the test where a trial does not hold.
    ///
    /// # Panics
    /// When one does not.
    pub fn assert_passed(&self) {
        assert!(self.failures().is_empty(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}", self.ty, self.emulator)?;
        for Trial { name, outcome } in &self.trials {
            match outcome {
                Outcome::Passed => writeln!(f, "  ok    {name}")?,
                Outcome::Skipped(why) => writeln!(f, "  skip  {name}: {why}")?,
                Outcome::Failed(why) => writeln!(f, "  FAIL  {name}: {}", why.trim().replace('\n', "\n        "))?,
            }
        }
        Ok(())
    }
}
