//! The nested blocks of a function.

use std::collections::{BTreeMap, BTreeSet};

use lakeform_provider::Model;

/// Where events go that could not be dealt with.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct DeadLetter {
    /// ARN of an SQS queue or an SNS topic.
    #[attr(required)]
    pub(in crate::lambda) target_arn: String,
}

/// Environment variables.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct EnvironmentModel {
    /// The variables by name.
    #[attr(optional)]
    pub(in crate::lambda) variables: Option<BTreeMap<String, String>>,
}

/// The folder `/tmp`.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct EphemeralStorageModel {
    /// Size in MB, 512 to 10240.
    #[attr(optional, computed)]
    pub(in crate::lambda) size: Option<i64>,
}

/// An EFS file system.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct FileSystem {
    /// ARN of the access point.
    #[attr(required)]
    pub(in crate::lambda) arn: String,
    /// Where the function finds it: a path that begins with `/mnt/`.
    #[attr(required)]
    pub(in crate::lambda) local_mount_path: String,
}

/// What a container image is started with.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct Image {
    /// Parameters.
    #[attr(optional)]
    pub(in crate::lambda) command: Option<Vec<String>>,
    /// Entry point.
    #[attr(optional)]
    pub(in crate::lambda) entry_point: Option<Vec<String>>,
    /// Working directory.
    #[attr(optional)]
    pub(in crate::lambda) working_directory: Option<String>,
}

/// Where and how the function logs.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct Logging {
    /// From which level on the application logs: `TRACE`, `DEBUG`, `INFO`, `WARN`, `ERROR` or `FATAL`. For `JSON` alone.
    #[attr(optional)]
    pub(in crate::lambda) application_log_level: Option<String>,
    /// `Text` or `JSON`
    #[attr(required)]
    pub(in crate::lambda) log_format: String,
    /// Log group.
    #[attr(optional, computed)]
    pub(in crate::lambda) log_group: Option<String>,
    /// From which level on Lambda logs: `DEBUG`, `INFO` or `WARN`. For `JSON` alone.
    #[attr(optional)]
    pub(in crate::lambda) system_log_level: Option<String>,
}

/// Snapshots of a started function.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct SnapStartModel {
    /// `PublishedVersions` or `None`
    #[attr(required)]
    pub(in crate::lambda) apply_on: String,
    /// `On` or `Off`
    #[attr(computed)]
    pub(in crate::lambda) optimization_status: Option<String>,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default)]
pub(in crate::lambda) struct Timeouts {
    /// Limit for creating. Default: `10m`.
    #[attr(optional)]
    pub(in crate::lambda) create: Option<String>,
    /// Limit for deleting. Default: `10m`.
    #[attr(optional)]
    pub(in crate::lambda) delete: Option<String>,
    /// Limit for changing. Default: `10m`.
    #[attr(optional)]
    pub(in crate::lambda) update: Option<String>,
}

/// Tracing with X-Ray.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct Tracing {
    /// `Active` or `PassThrough`
    #[attr(required)]
    pub(in crate::lambda) mode: String,
}

/// The VPC that the function reaches into.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(in crate::lambda) struct Vpc {
    /// Whether IPv6 is used in subnets that have both. Default: `false`.
    #[attr(optional, default = false)]
    pub(in crate::lambda) ipv6_allowed_for_dual_stack: Option<bool>,
    /// Security groups.
    #[attr(required)]
    pub(in crate::lambda) security_group_ids: BTreeSet<String>,
    /// Subnets.
    #[attr(required)]
    pub(in crate::lambda) subnet_ids: BTreeSet<String>,
    /// The VPC of the subnets.
    #[attr(computed)]
    pub(in crate::lambda) vpc_id: Option<String>,
}
