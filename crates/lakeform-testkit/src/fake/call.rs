//! What was asked of the cloud, and when.

use std::fmt;

use lakeform_provider::ErrorKind;

/// What is asked of the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Reading an object.
    Read,
    /// Creating one.
    Create,
    /// Changing one.
    Update,
    /// Deleting one.
    Delete,
    /// Looking whether one is ready yet, after creating it.
    Poll,
    /// Reading by a data source.
    Lookup,
    /// Looking whether an object was created.
    Find,
}

impl Op {
    /// Whether the call changes the cloud.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Poll => "poll",
            Self::Lookup => "lookup",
            Self::Find => "find",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a call came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Ok,
    /// It failed, or so its caller was told.
    Failed(ErrorKind),
    /// Its caller gave up while it was running.
    Dropped,
}

/// One call. Displays as `create fake_bucket raw`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What was asked.
    pub op: Op,
    /// The type.
    pub ty: &'static str,
    /// The object's `name`, or its `id` where it has none.
    pub name: String,
    /// When it began: starts and ends of all calls are counted through, from 0.
    pub started: usize,
    /// When it ended, on the same count; `None` while it runs.
    pub ended: Option<usize>,
    /// How it came out; `None` while it runs.
    pub outcome: Option<Outcome>,
}

impl Call {
    /// Whether it was over before the other one began.
    pub fn is_before(&self, other: &Call) -> bool {
        self.ended.is_some_and(|end| end < other.started)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.op, self.ty, self.name)
    }
}
