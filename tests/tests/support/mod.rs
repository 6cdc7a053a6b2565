//! What the tests share.

pub(crate) mod cli;
pub(crate) mod world;
