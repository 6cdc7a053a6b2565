//! The AWS provider: resource types and data sources, one folder per service and one file per type.
//!
//! [`AwsProvider`] serves them by name. Around them: [`AwsClient`] (SDK clients, region, account), error translation,
//! tags, and the equivalence of IAM policies. A type's own file holds only what is special to it.

#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(any(feature = "sqs", feature = "sns"))]
mod attributes;
mod check;
mod client;
mod config;
mod credentials;
mod error;
mod http;
mod naming;
mod partition;
mod permitted;
pub mod policy;
mod propagation;
mod provider;
mod retry;
mod stored;
mod tags;
#[cfg(any(feature = "glue", feature = "athena", feature = "firehose", feature = "budgets"))]
mod values;

#[cfg(feature = "athena")]
mod athena;
#[cfg(feature = "budgets")]
mod budgets;
#[cfg(feature = "cloudtrail")]
mod cloudtrail;
#[cfg(feature = "cloudwatch")]
mod cloudwatch;
#[cfg(feature = "cloudwatchlogs")]
mod cloudwatchlogs;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "ecr")]
mod ecr;
#[cfg(feature = "eventbridge")]
mod eventbridge;
#[cfg(feature = "firehose")]
mod firehose;
#[cfg(feature = "glue")]
mod glue;
mod iam;
#[cfg(feature = "kms")]
mod kms;
#[cfg(feature = "lambda")]
mod lambda;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "secretsmanager")]
mod secretsmanager;
#[cfg(feature = "sfn")]
mod sfn;
#[cfg(feature = "sns")]
mod sns;
#[cfg(feature = "sqs")]
mod sqs;
#[cfg(feature = "ssm")]
mod ssm;
#[cfg(feature = "sts")]
mod sts;
#[cfg(feature = "xray")]
mod xray;

pub use client::AwsClient;
pub use provider::AwsProvider;
pub use tags::TagRules;
