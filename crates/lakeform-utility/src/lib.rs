//! Types that need no cloud: `terraform_data`, which is built into Terraform itself, and the providers `archive`, `null`, `random`
//! and `tls`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod archive;
mod data;
mod local_exec;
mod null;
mod provider;
mod random;
mod tls;

pub use local_exec::LocalExec;
pub use provider::LocalProvider;
