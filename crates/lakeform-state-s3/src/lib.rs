//! State in S3: the store with compare-and-swap writes, the DynamoDB lock and digest items, the S3 lockfile, and the
//! making of bucket and table. Everything is laid out as Terraform's `s3` backend does, so that both can work on one estate.
//! And the KMS keys that states are encrypted with before they are stored.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bootstrap;
mod both;
mod config;
mod connect;
mod credentials;
mod dynamo;
mod error;
mod hold;
mod http;
mod items;
mod journal;
mod kms;
mod lockfile;
mod objects;
mod runs;
mod store;
mod time;
mod versions;

pub use bootstrap::{Bootstrapped, Outcome, Step, bootstrap};
pub use both::BothLocks;
pub use config::{AssumeRole, Endpoints, S3Backend, Secret, WebIdentity};
pub use connect::Connection;
pub use dynamo::DynamoLock;
pub use items::Item;
pub use journal::{ObjectJournal, TableJournal};
pub use kms::{KmsKey, KmsSettings};
pub use lockfile::LockFile;
pub use runs::S3Runs;
pub use store::S3Store;
