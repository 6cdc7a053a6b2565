//! Who calls, and where: data sources that need STS, one call of S3, or nothing at all.

mod caller_identity;
#[cfg(feature = "s3")]
mod canonical_user_id;
mod partition;
mod region;

use lakeform_provider::{AnyDataSource, data_source};

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![
        data_source::<caller_identity::CallerIdentity>(),
        #[cfg(feature = "s3")]
        data_source::<canonical_user_id::CanonicalUserId>(),
        data_source::<partition::PartitionData>(),
        data_source::<region::RegionData>(),
    ]
}
