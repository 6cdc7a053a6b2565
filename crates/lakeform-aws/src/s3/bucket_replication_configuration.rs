//! `aws_s3_bucket_replication_configuration`

mod convert;
mod model;

use std::time::Duration;

use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, ProviderError, ResourceType, Result, Wait};

use self::convert::{complete, from_api, to_api};
use super::{
    blocks::{at_most_one_of, attr, blocks, has, in_stored_order, one_of},
    common::{NO_BUCKET, after_creation, given, unique_suffix},
};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

pub(crate) use model::BucketReplication;

/// The code of a bucket without a configuration.
const NO_REPLICATION: &str = "ReplicationConfigurationNotFoundError";

/// Statuses.
const STATUSES: &[&str] = &["Enabled", "Disabled"];

/// What S3 says while it has not heard yet that versioning was just switched on.
fn not_versioned_yet(error: &ProviderError) -> bool {
    error.has_code("InvalidRequest") && error.message.contains("Versioning must be 'Enabled' on the bucket")
}

impl BucketReplication {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let configuration = to_api(self).map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
        let call = cx.client.s3().put_bucket_replication().bucket(&self.bucket).set_token(given(&self.token));
        call.replication_configuration(configuration).send().await.during("s3:PutBucketReplication")?;
        Ok(())
    }

    /// Gives a name to each rule that has none, as S3 would, and says what Terraform stores where nothing is set.
    fn complete(&mut self) {
        self.id = Some(self.bucket.clone());
        for rule in &mut self.rule {
            if given(&rule.id).is_none() {
                rule.id = Some(format!("tf-s3-replication-{}", unique_suffix()));
            }
            complete(rule);
        }
    }
}

impl ResourceType for BucketReplication {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_replication_configuration";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        for (rule, at) in blocks(change.config, "rule", &Path::root()) {
            one_of(rule, "status", STATUSES, &at)?;
            at_most_one_of(rule, &["filter", "prefix"], &at)?;
            for (filter, at) in blocks(rule, "filter", &at) {
                at_most_one_of(filter, &["and", "prefix", "tag"], &at)
                    .map_err(|e| e.hint("put both into the filter's `and` block"))?;
            }
            if has(rule, "filter") && rule.get("delete_marker_replication").and_then(Value::as_slice) == Some(&[]) {
                return Err(ProviderError::invalid("a rule with `filter` needs `delete_marker_replication`")
                    .attribute(at.with(attr("delete_marker_replication"))));
            }
            for name in ["delete_marker_replication", "existing_object_replication"] {
                for (block, at) in blocks(rule, name, &at) {
                    one_of(block, "status", STATUSES, &at)?;
                }
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let answer = cx.client.s3().get_bucket_replication().bucket(&object.bucket).send().await;
        let found = answer.during("s3:GetBucketReplication").absent_ok(&[NO_BUCKET, NO_REPLICATION])?;
        let Some(found) = found.and_then(|found| found.replication_configuration) else { return Ok(None) };
        object.id = Some(object.bucket.clone());
        object.role = found.role;
        object.rule = in_stored_order(from_api(found.rules), &object.rule, |rule| rule.id.as_deref());
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let mut named = object.clone();
        named.complete();
        let wait = Wait::new("versioning of the bucket", Duration::from_secs(60));
        cx.retry(wait, not_versioned_yet, || after_creation(cx, || named.put(cx))).await?;
        *object = named;
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        object.complete();
        settle(cx, || object.put(cx)).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let delete = || async {
            let call = cx.client.s3().delete_bucket_replication().bucket(&object.bucket).send();
            call.await.during("s3:DeleteBucketReplication")
        };
        settle(cx, delete).await.absent_ok(&[NO_BUCKET, NO_REPLICATION])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        if id.is_empty() {
            return Err(ProviderError::invalid("the identifier is empty: BUCKET is expected"));
        }
        Ok(Self { bucket: id.to_owned(), id: Some(id.to_owned()), ..Self::default() })
    }
}
