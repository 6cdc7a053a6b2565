//! Types that need no cloud: `terraform_data`, which is built into Terraform itself, and `archive_file`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod archive;
mod data;
mod provider;

pub use provider::LocalProvider;
