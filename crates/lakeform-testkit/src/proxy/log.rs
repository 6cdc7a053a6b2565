//! What went through a proxy.

use std::{fmt, time::Duration};

use super::operation::is_read;

/// One call. Displays as `PUT /bucket?policy s3:PutBucketPolicy 200`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// `s3:PutBucketPolicy`
    pub operation: String,
    /// The access key that signed the request; empty if none did.
    pub caller: String,
    /// `PUT`
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent; empty if there was none.
    pub query: String,
    /// The body of the request.
    pub body: Vec<u8>,
    /// The status that the caller got; `None` while it waits, or if the connection was cut.
    pub status: Option<u16>,
    /// The status that the emulator answered with, whether or not the caller heard of it; `None` where it was not asked.
    pub answered: Option<u16>,
    /// What was done to the call, if anything: `503 SlowDown`, `cut after`.
    pub fault: Option<String>,
    /// When it came, from the start of the proxy.
    pub started: Duration,
    /// When its answer was ready, from the start of the proxy; `None` while it waits.
    pub ended: Option<Duration>,
}

impl Exchange {
    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        is_read(&self.operation)
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, method, path, query, .. } = self;
        write!(f, "{method} {path}{}{query} {operation}", if query.is_empty() { "" } else { "?" })?;
        match (self.status, self.ended) {
            (Some(status), _) => write!(f, " {status}")?,
            (None, Some(_)) => f.write_str(" cut")?,
            (None, None) => f.write_str(" waits")?,
        }
        self.fault.iter().try_for_each(|fault| write!(f, " ({fault})"))
    }
}
