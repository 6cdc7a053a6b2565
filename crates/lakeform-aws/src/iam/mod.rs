//! IAM: roles, policies, what joins them, instance profiles and identity providers.

#[cfg(feature = "iam")]
mod common;
#[cfg(feature = "iam")]
mod instance_profile;
#[cfg(feature = "iam")]
mod openid_connect_provider;
#[cfg(feature = "iam")]
mod openid_connect_provider_data;
#[cfg(feature = "iam")]
mod policy;
#[cfg(feature = "iam")]
mod policy_data;
mod policy_document;
#[cfg(feature = "iam")]
mod role;
#[cfg(feature = "iam")]
mod role_data;
#[cfg(feature = "iam")]
mod role_policy;
#[cfg(feature = "iam")]
mod role_policy_attachment;
#[cfg(feature = "iam")]
mod user_policy_attachment;

use lakeform_provider::{AnyDataSource, data_source};
#[cfg(feature = "iam")]
use lakeform_provider::{AnyResource, resource};

/// The resource types, one row each.
#[cfg(feature = "iam")]
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![
        resource::<instance_profile::InstanceProfile>(),
        resource::<openid_connect_provider::OpenIdConnectProvider>(),
        resource::<policy::Policy>(),
        resource::<role::Role>(),
        resource::<role_policy::RolePolicy>(),
        resource::<role_policy_attachment::RolePolicyAttachment>(),
        resource::<user_policy_attachment::UserPolicyAttachment>(),
    ]
}

/// The data sources, one row each. Policy documents need no call, and so no feature.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![
        #[cfg(feature = "iam")]
        data_source::<openid_connect_provider_data::OpenIdConnectProviderData>(),
        #[cfg(feature = "iam")]
        data_source::<policy_data::PolicyData>(),
        data_source::<policy_document::PolicyDocument>(),
        #[cfg(feature = "iam")]
        data_source::<role_data::RoleData>(),
    ]
}
