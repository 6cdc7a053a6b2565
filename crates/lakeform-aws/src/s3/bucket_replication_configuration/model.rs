//! The attributes of `aws_s3_bucket_replication_configuration`.

use std::collections::BTreeMap;

use lakeform_provider::Model;

/// Which objects of a bucket S3 copies to which other buckets.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketReplication {
    /// Name of the source bucket. It needs versioning.
    #[attr(required, force_new)]
    pub(crate) bucket: String,
    /// Name of the source bucket.
    #[attr(optional, computed)]
    pub(crate) id: Option<String>,
    /// ARN of the role by which S3 reads and writes.
    #[attr(required)]
    pub(crate) role: String,
    /// A token from AWS Support that allows replication of a bucket with object lock.
    #[attr(optional, sensitive)]
    pub(crate) token: Option<String>,
    /// The rules.
    #[block(list, min = 1, max = 1000)]
    pub(crate) rule: Vec<Rule>,
}

/// A rule. With `filter` it is one of the current version (V2), without it one of the old version (V1).
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Rule {
    /// Name of the rule, at most 255 characters. Default: one that nobody else has.
    #[attr(optional, computed)]
    pub(crate) id: Option<String>,
    /// Prefix of the objects' keys, in a rule of version V1. Use `filter` instead.
    #[attr(optional, deprecated)]
    pub(crate) prefix: Option<String>,
    /// Among rules with the same destination that apply to an object, the one with the highest number wins.
    #[attr(optional)]
    pub(crate) priority: Option<i64>,
    /// `Enabled` or `Disabled`
    #[attr(required)]
    pub(crate) status: String,
    /// Whether delete markers are copied. Needed with `filter`.
    #[block(list, max = 1)]
    pub(crate) delete_marker_replication: Vec<Status>,
    /// Where the copies go.
    #[block(list, min = 1, max = 1)]
    pub(crate) destination: Vec<Destination>,
    /// Whether objects are copied that were there before the rule.
    #[block(list, max = 1)]
    pub(crate) existing_object_replication: Vec<Status>,
    /// Which objects. One without content names all.
    #[block(list, max = 1)]
    pub(crate) filter: Vec<Filter>,
    /// Objects that are copied only on demand.
    #[block(list, max = 1)]
    pub(crate) source_selection_criteria: Vec<SourceSelection>,
}

/// Whether something is done.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Status {
    /// `Enabled` or `Disabled`
    #[attr(required)]
    pub(crate) status: String,
}

/// Where the copies go.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Destination {
    /// Account that owns the bucket; needed to change the owner of the copies.
    #[attr(optional)]
    pub(crate) account: Option<String>,
    /// ARN of the bucket.
    #[attr(required)]
    pub(crate) bucket: String,
    /// Storage class of the copies. Default: that of the object.
    #[attr(optional)]
    pub(crate) storage_class: Option<String>,
    /// Who owns the copies.
    #[block(list, max = 1)]
    pub(crate) access_control_translation: Vec<Translation>,
    /// How the copies of KMS-encrypted objects are encrypted.
    #[block(list, max = 1)]
    pub(crate) encryption_configuration: Vec<Encryption>,
    /// Metrics and events of the replication.
    #[block(list, max = 1)]
    pub(crate) metrics: Vec<Metrics>,
    /// Replication Time Control: copies within a promised time.
    #[block(list, max = 1)]
    pub(crate) replication_time: Vec<ReplicationTime>,
}

/// Who owns the copies.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Translation {
    /// `Destination`
    #[attr(required)]
    pub(crate) owner: String,
}

/// How the copies of KMS-encrypted objects are encrypted.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Encryption {
    /// ARN of the KMS key in the destination's region.
    #[attr(required)]
    pub(crate) replica_kms_key_id: String,
}

/// Metrics and events of the replication.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Metrics {
    /// `Enabled` or `Disabled`
    #[attr(required)]
    pub(crate) status: String,
    /// After what time an event says that a copy is late.
    #[block(list, max = 1)]
    pub(crate) event_threshold: Vec<Minutes>,
}

/// A time.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Minutes {
    /// Minutes. S3 knows only 15.
    #[attr(required)]
    pub(crate) minutes: i64,
}

/// Replication Time Control: copies within a promised time.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct ReplicationTime {
    /// `Enabled` or `Disabled`
    #[attr(required)]
    pub(crate) status: String,
    /// The promised time.
    #[block(list, min = 1, max = 1)]
    pub(crate) time: Vec<Minutes>,
}

/// Which objects: one of its arguments, or `and` with several.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Objects whose keys begin so.
    #[attr(optional)]
    pub(crate) prefix: Option<String>,
    /// Objects to which all of this applies.
    #[block(list, max = 1)]
    pub(crate) and: Vec<And>,
    /// Objects with this tag.
    #[block(list, max = 1)]
    pub(crate) tag: Vec<Tag>,
}

/// Objects to which all of this applies.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct And {
    /// Objects whose keys begin so.
    #[attr(optional)]
    pub(crate) prefix: Option<String>,
    /// Objects with all these tags.
    #[attr(optional)]
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

/// A tag of an object.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Tag {
    /// The tag's key.
    #[attr(required)]
    pub(crate) key: String,
    /// The tag's value.
    #[attr(required)]
    pub(crate) value: String,
}

/// Objects that are copied only on demand.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct SourceSelection {
    /// Objects that are copies themselves.
    #[block(list, max = 1)]
    pub(crate) replica_modifications: Vec<Status>,
    /// Objects that are encrypted with KMS.
    #[block(list, max = 1)]
    pub(crate) sse_kms_encrypted_objects: Vec<Status>,
}
