//! The attributes of `aws_s3_bucket_lifecycle_configuration`.
//!
//! Terraform stores some of what is not set as null and some as a zero value; the `default`s here and
//! [`fill`](super::plan::fill) follow it to the letter, because the state is shared.

use std::collections::BTreeMap;

use lakeform_provider::Model;

/// What `transition_default_minimum_object_size` is where nothing is said: AWS's own default since September 2024.
pub(crate) const DEFAULT_MINIMUM_SIZE: &str = "all_storage_classes_128K";

/// When S3 moves the objects of a bucket to cheaper storage and when it deletes them.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketLifecycle {
    /// Name of the bucket.
    #[attr(required, force_new)]
    pub(crate) bucket: String,
    /// Account that must own the bucket.
    #[attr(optional, computed, force_new)]
    pub(crate) expected_bucket_owner: Option<String>,
    /// `BUCKET`, or `BUCKET,EXPECTED_BUCKET_OWNER`
    #[attr(computed, deprecated)]
    pub(crate) id: Option<String>,
    /// The least size of objects that transitions move: `all_storage_classes_128K`, or `varies_by_storage_class` (to
    /// Glacier storage classes, objects of any size). A size in a rule's filter goes before it.
    #[attr(optional, computed, default = DEFAULT_MINIMUM_SIZE)]
    pub(crate) transition_default_minimum_object_size: Option<String>,
    /// The rules.
    #[block(list)]
    pub(crate) rule: Vec<Rule>,
    /// How long to wait until S3 shows the configuration that it was given.
    #[block(single)]
    pub(crate) timeouts: Option<Timeouts>,
}

/// How long to wait until S3 shows the configuration that it was given.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Timeouts {
    /// After a create: `30s`, `5m`. Default: 3 minutes.
    #[attr(optional)]
    pub(crate) create: Option<String>,
    /// After an update. Default: 3 minutes.
    #[attr(optional)]
    pub(crate) update: Option<String>,
}

/// A rule: which objects, and what happens to them.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Rule {
    /// Name of the rule, at most 255 characters.
    #[attr(required)]
    pub(crate) id: String,
    /// Prefix of the objects' keys. Use `filter` instead.
    #[attr(optional, computed, deprecated, default = "")]
    pub(crate) prefix: Option<String>,
    /// `Enabled` or `Disabled`
    #[attr(required)]
    pub(crate) status: String,
    /// What happens to multipart uploads that nobody completes.
    #[block(list)]
    pub(crate) abort_incomplete_multipart_upload: Vec<AbortUpload>,
    /// When objects expire.
    #[block(list)]
    pub(crate) expiration: Vec<Expiration>,
    /// Which objects. One without content names all.
    #[block(list)]
    pub(crate) filter: Vec<Filter>,
    /// When noncurrent versions of objects are deleted.
    #[block(list)]
    pub(crate) noncurrent_version_expiration: Vec<NoncurrentExpiration>,
    /// When noncurrent versions of objects go to another storage class.
    #[block(set)]
    pub(crate) noncurrent_version_transition: Vec<NoncurrentTransition>,
    /// When objects go to another storage class.
    #[block(set)]
    pub(crate) transition: Vec<Transition>,
}

/// What happens to multipart uploads that nobody completes.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct AbortUpload {
    /// Days after the start of an upload until S3 aborts it.
    #[attr(optional)]
    pub(crate) days_after_initiation: Option<i64>,
}

/// When objects expire.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Expiration {
    /// On that date, midnight UTC: `2030-01-01T00:00:00Z`
    #[attr(optional)]
    pub(crate) date: Option<String>,
    /// So many days after their creation.
    #[attr(optional, computed, default = 0_i64)]
    pub(crate) days: Option<i64>,
    /// Whether delete markers that have no noncurrent versions left are deleted. Excludes `date` and `days`.
    #[attr(optional, computed, default = false)]
    pub(crate) expired_object_delete_marker: Option<bool>,
}

/// Which objects a rule is about: one of its arguments, or `and` with several.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Objects larger than so many bytes.
    #[attr(optional, computed)]
    pub(crate) object_size_greater_than: Option<i64>,
    /// Objects smaller than so many bytes.
    #[attr(optional, computed)]
    pub(crate) object_size_less_than: Option<i64>,
    /// Objects whose keys begin so.
    #[attr(optional, computed)]
    pub(crate) prefix: Option<String>,
    /// Objects to which all of this applies.
    #[block(list)]
    pub(crate) and: Vec<And>,
    /// Objects with this tag.
    #[block(list)]
    pub(crate) tag: Vec<Tag>,
}

/// Objects to which all of this applies.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct And {
    /// Objects larger than so many bytes.
    #[attr(optional, computed, default = 0_i64)]
    pub(crate) object_size_greater_than: Option<i64>,
    /// Objects smaller than so many bytes.
    #[attr(optional, computed, default = 0_i64)]
    pub(crate) object_size_less_than: Option<i64>,
    /// Objects whose keys begin so.
    #[attr(optional, computed, default = "")]
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

/// When noncurrent versions of objects are deleted.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct NoncurrentExpiration {
    /// How many of the newest noncurrent versions stay in any case.
    #[attr(optional, computed)]
    pub(crate) newer_noncurrent_versions: Option<i64>,
    /// Days after a version became noncurrent.
    #[attr(required)]
    pub(crate) noncurrent_days: i64,
}

/// When noncurrent versions of objects go to another storage class.
#[derive(Model, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NoncurrentTransition {
    /// How many of the newest noncurrent versions stay in any case.
    #[attr(optional, computed)]
    pub(crate) newer_noncurrent_versions: Option<i64>,
    /// Days after a version became noncurrent.
    #[attr(required)]
    pub(crate) noncurrent_days: i64,
    /// `STANDARD_IA`, `ONEZONE_IA`, `INTELLIGENT_TIERING`, `GLACIER_IR`, `GLACIER` or `DEEP_ARCHIVE`
    #[attr(required)]
    pub(crate) storage_class: String,
}

/// When objects go to another storage class.
#[derive(Model, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Transition {
    /// On that date, midnight UTC: `2030-01-01T00:00:00Z`
    #[attr(optional)]
    pub(crate) date: Option<String>,
    /// So many days after their creation. Default: 0, unless `date` is set.
    #[attr(optional, computed)]
    pub(crate) days: Option<i64>,
    /// `STANDARD_IA`, `ONEZONE_IA`, `INTELLIGENT_TIERING`, `GLACIER_IR`, `GLACIER` or `DEEP_ARCHIVE`
    #[attr(required)]
    pub(crate) storage_class: String,
}
