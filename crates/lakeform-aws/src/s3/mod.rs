//! S3: buckets, their sub-resources, and objects.

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

mod blocks;
mod bucket;
mod bucket_cors_configuration;
mod bucket_data;
mod bucket_intelligent_tiering_configuration;
mod bucket_lifecycle_configuration;
mod bucket_logging;
mod bucket_notification;
mod bucket_object_lock_configuration;
mod bucket_policy;
mod bucket_public_access_block;
mod bucket_replication_configuration;
mod bucket_server_side_encryption_configuration;
mod bucket_versioning;
mod common;
mod compatible;
mod object;
mod object_data;

pub(crate) use compatible::any_root;

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![
        resource::<bucket::Bucket>(),
        resource::<bucket_cors_configuration::BucketCors>(),
        resource::<bucket_intelligent_tiering_configuration::BucketIntelligentTiering>(),
        resource::<bucket_lifecycle_configuration::BucketLifecycle>(),
        resource::<bucket_logging::BucketLogging>(),
        resource::<bucket_notification::BucketNotification>(),
        resource::<bucket_object_lock_configuration::BucketObjectLock>(),
        resource::<bucket_policy::BucketPolicy>(),
        resource::<bucket_public_access_block::BucketPublicAccessBlock>(),
        resource::<bucket_replication_configuration::BucketReplication>(),
        resource::<bucket_server_side_encryption_configuration::BucketEncryption>(),
        resource::<bucket_versioning::BucketVersioning>(),
        resource::<object::Object>(),
    ]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<bucket_data::BucketData>(), data_source::<object_data::ObjectData>()]
}
