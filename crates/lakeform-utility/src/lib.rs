//! Types that need no cloud: `terraform_data`, which is built into Terraform itself.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod data;
mod provider;

pub use provider::LocalProvider;
