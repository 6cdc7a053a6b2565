//! The inline `acl` and `grant` of a bucket.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_s3::types::{AccessControlPolicy, BucketCannedAcl, Grant as ApiGrant, Grantee, Permission, Type};
use lakeform_provider::{Context, Model, ProviderError, Result};

use crate::{
    AwsClient,
    error::During,
    s3::common::{given, text},
};

/// What someone may do with the bucket.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Grant {
    /// Canonical user id, for `CanonicalUser`.
    #[attr(optional)]
    id: Option<String>,
    /// `FULL_CONTROL`, `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP`
    #[attr(required)]
    permissions: BTreeSet<String>,
    /// `CanonicalUser` or `Group`
    #[attr(required, name = "type")]
    kind: String,
    /// URI of a group, for `Group`.
    #[attr(optional)]
    uri: Option<String>,
}

/// Sets a canned ACL.
pub(super) async fn put_canned(cx: &Context<'_, AwsClient>, bucket: &str, acl: &str) -> Result<()> {
    let call = cx.client.s3().put_bucket_acl().bucket(bucket).acl(BucketCannedAcl::from(acl));
    call.send().await.during("s3:PutBucketAcl")?;
    Ok(())
}

/// Sets the grants. The API wants the owner along with them.
pub(super) async fn put(cx: &Context<'_, AwsClient>, bucket: &str, grants: &[Grant]) -> Result<()> {
    if grants.is_empty() {
        return put_canned(cx, bucket, "private").await;
    }
    let found = cx.client.s3().get_bucket_acl().bucket(bucket).send().await.during("s3:GetBucketAcl")?;
    let mut all = vec![];
    for grant in grants {
        let grantee = Grantee::builder()
            .r#type(Type::from(grant.kind.as_str()))
            .set_id(given(&grant.id))
            .set_uri(given(&grant.uri))
            .build()
            .map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
        for permission in &grant.permissions {
            let one = ApiGrant::builder().grantee(grantee.clone()).permission(Permission::from(permission.as_str()));
            all.push(one.build());
        }
    }
    let policy = AccessControlPolicy::builder().set_owner(found.owner).set_grants(Some(all)).build();
    let call = cx.client.s3().put_bucket_acl().bucket(bucket).access_control_policy(policy);
    call.send().await.during("s3:PutBucketAcl")?;
    Ok(())
}

/// Reads the grants, one per grantee.
pub(super) async fn read(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<Grant>> {
    let found = cx.client.s3().get_bucket_acl().bucket(bucket).send().await.during("s3:GetBucketAcl")?;
    let mut by_grantee: BTreeMap<(String, Option<String>, Option<String>), BTreeSet<String>> = BTreeMap::new();
    for grant in found.grants.unwrap_or_default() {
        if let (Some(grantee), Some(permission)) = (grant.grantee, grant.permission) {
            let key = (grantee.r#type.as_str().to_owned(), text(grantee.id.as_deref()), text(grantee.uri.as_deref()));
            by_grantee.entry(key).or_default().insert(permission.as_str().to_owned());
        }
    }
    Ok(by_grantee.into_iter().map(|((kind, id, uri), permissions)| Grant { id, permissions, kind, uri }).collect())
}
