//! State in S3: the store with compare-and-swap writes, the DynamoDB lock and digest items, the S3 lockfile, and the
//! making of bucket and table. Everything is laid out as Terraform's `s3` backend does, so that both can work on one estate.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bootstrap;
mod both;
mod config;
mod connect;
mod credentials;
mod dynamo;
mod error;
mod http;
mod lockfile;
mod objects;
mod runs;
mod store;
mod versions;

pub use bootstrap::{Bootstrapped, Outcome, Step, bootstrap};
pub use both::BothLocks;
pub use config::{AssumeRole, Endpoints, S3Backend, Secret, WebIdentity};
pub use connect::Connection;
pub use dynamo::DynamoLock;
pub use lockfile::LockFile;
pub use runs::S3Runs;
pub use store::S3Store;
