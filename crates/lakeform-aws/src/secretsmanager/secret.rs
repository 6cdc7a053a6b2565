//! `aws_secretsmanager_secret`

use std::time::Duration;

use aws_sdk_secretsmanager::{
    operation::describe_secret::DescribeSecretOutput,
    types::{ReplicaRegionType, ReplicationStatusType, Tag},
};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use super::{GONE, expect, find, is_deleted, live_tags, policy_of, unless_deleted};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
    stored::{given, text, time},
    tags::{TagChanges, Tags},
};

/// A secret of Secrets Manager. Its value is an `aws_secretsmanager_secret_version`.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct SecretModel {
    /// ARN of the secret.
    #[attr(computed)]
    arn: Option<String>,
    /// What the secret is for.
    #[attr(optional)]
    description: Option<String>,
    /// Whether a replica takes the place of another secret of the same name in its region. Default: `false`.
    #[attr(optional, default = false)]
    force_overwrite_replica_secret: Option<bool>,
    /// ARN of the secret.
    #[attr(optional, computed)]
    id: Option<String>,
    /// KMS key that encrypts the secret: its id, ARN or alias. AWS's default: `alias/aws/secretsmanager`.
    #[attr(optional)]
    kms_key_id: Option<String>,
    /// Name of the secret. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// The policy of the secret.
    #[attr(optional, computed, json, same = policy::same)]
    policy: Option<String>,
    /// Days for which a deleted secret can be restored, 7 to 30; its name is not free before. 0 deletes at once.
    /// Default: 30.
    #[attr(optional, default = RECOVERY)]
    recovery_window_in_days: Option<i64>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Copies in other regions.
    #[block(set, computed)]
    replica: Vec<Replica>,
}

/// A copy in another region.
#[derive(Model, Clone, Debug, Default)]
struct Replica {
    /// KMS key of that region that encrypts the copy. AWS's default: `alias/aws/secretsmanager`.
    #[attr(optional, computed)]
    kms_key_id: Option<String>,
    /// When the copy was last read.
    #[attr(computed)]
    last_accessed_date: Option<String>,
    /// Region of the copy.
    #[attr(required)]
    region: String,
    /// `InProgress`, `InSync` or `Failed`.
    #[attr(computed)]
    status: Option<String>,
    /// Why it failed.
    #[attr(computed)]
    status_message: Option<String>,
}

/// `aws_secretsmanager_secret`
pub(crate) struct Secret;

/// AWS's default of `recovery_window_in_days`.
const RECOVERY: i64 = 30;
/// How long a change may take to be known everywhere, and the name of a deleted secret to be free.
const PROPAGATION: Duration = Duration::from_secs(120);

impl ResourceType for Secret {
    type Client = AwsClient;
    type Model = SecretModel;
    const NAME: &'static str = "aws_secretsmanager_secret";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::not_both(change, "name", "name_prefix")?;
        check::length(change, "name", 1..=512)?;
        check::length(change, "name_prefix", 1..=512 - naming::MADE_UP)?;
        for name in ["name", "name_prefix"] {
            let text = change.config.get(name).and_then(Value::as_str).unwrap_or_default();
            if !text.chars().all(|c| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c)) {
                let expected = "expected are letters, digits and the characters / _ + = . @ -";
                return Err(
                    ProviderError::invalid(format!("{name} is {text:?}; {expected}")).attribute(Path::attr(name))
                );
            }
        }
        let days = change.config.get("recovery_window_in_days").and_then(Value::as_i64).unwrap_or(RECOVERY);
        if days != 0 && !(7..=30).contains(&days) {
            let message = format!("recovery_window_in_days is {days}; expected is 0, or 7 to 30");
            return Err(ProviderError::invalid(message).attribute(Path::attr("recovery_window_in_days")));
        }
        policy::plan_normal(change, "policy");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: SecretModel) -> Result<Option<SecretModel>> {
        let Some(id) = object.id.clone() else { return Ok(None) };
        let (live, policy) = tokio::join!(find(cx, &id), policy_of(cx, &id));
        let Some(live) = live? else { return Ok(None) };
        object.policy = Some(policy::stored(object.policy.as_deref(), &policy?));
        object.description = text(live.description());
        object.kms_key_id = text(live.kms_key_id());
        let tags = cx.client.tags().read(cx, live_tags(&live), object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.take(&live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut SecretModel) -> Result<()> {
        let name = naming::choose(object.name.as_deref(), object.name_prefix.as_deref(), "", cx.token);
        let replicas: Vec<_> = object.replica.iter().map(Replica::sent).collect();
        let tags = object.tags_all.as_ref().map(sdk_tags).filter(|tags| !tags.is_empty());
        let call = || async {
            cx.client
                .secretsmanager()
                .create_secret()
                .name(&name)
                .set_description(given(&object.description))
                .set_kms_key_id(given(&object.kms_key_id))
                .set_tags(tags.clone())
                .set_add_replica_regions((!replicas.is_empty()).then(|| replicas.clone()))
                .set_force_overwrite_replica_secret(object.force_overwrite_replica_secret.filter(|force| *force))
                .send()
                .await
                .during("secretsmanager:CreateSecret")
        };
        let made = cx.retry(Wait::new("name of a deleted secret to be free", PROPAGATION), is_deleted, call).await;
        let made = made.map_err(|e| if is_deleted(&e) { e.hint(HELD) } else { e })?;
        object.id = made.arn.clone();
        let id = made.arn.unwrap_or(name);
        let wait = Wait::new("secret to be known everywhere", PROPAGATION);
        let live = cx.retry(wait, ProviderError::is_not_found, || expect(cx, &id)).await?;
        match object.policy() {
            Some(policy) => put_policy(cx, &id, policy).await?,
            None => object.policy = Some(object.policy.take().unwrap_or_default()),
        }
        object.take(&live);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = naming::choose(planned.name.as_deref(), planned.name_prefix.as_deref(), "", cx.token);
        let Some(live) = find(cx, &name).await? else { return Ok(None) };
        planned.id = live.arn;
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &SecretModel, object: &mut SecretModel) -> Result<()> {
        let secrets = cx.client.secretsmanager();
        let id = prior.id.clone().unwrap_or_default();
        object.change_replicas(cx, prior, &id).await?;
        let texts = |of: &SecretModel| [&of.description, &of.kms_key_id].map(given);
        if texts(prior) != texts(object) {
            let [description, key] = texts(object);
            // An empty text takes either back.
            let key = (given(&prior.kms_key_id) != key).then(|| key.unwrap_or_default());
            let call = secrets.update_secret().secret_id(&id).description(description.unwrap_or_default());
            call.set_kms_key_id(key).send().await.during("secretsmanager:UpdateSecret")?;
        }
        match (prior.policy(), object.policy()) {
            (before, Some(now)) if before != Some(now) => put_policy(cx, &id, now).await?,
            (Some(_), None) => {
                let answer = secrets.delete_resource_policy().secret_id(&id).send().await;
                answer.during("secretsmanager:DeleteResourcePolicy")?;
            }
            _ => {}
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = secrets.untag_resource().secret_id(&id).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("secretsmanager:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = secrets.tag_resource().secret_id(&id).set_tags(Some(sdk_tags(&tags.set)));
            call.send().await.during("secretsmanager:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &SecretModel) -> Result<()> {
        let id = object.id.clone().unwrap_or_default();
        remove_replicas(cx, &id, object.replica.iter().map(|replica| replica.region.clone()).collect()).await?;
        let days = object.recovery_window_in_days.unwrap_or(RECOVERY);
        let call = cx.client.secretsmanager().delete_secret().secret_id(&id);
        let call = match days {
            0 => call.force_delete_without_recovery(true),
            days => call.recovery_window_in_days(days),
        };
        unless_deleted(call.send().await.during("secretsmanager:DeleteSecret")).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<SecretModel> {
        Ok(SecretModel {
            id: Some(id.to_owned()),
            force_overwrite_replica_secret: Some(false),
            recovery_window_in_days: Some(RECOVERY),
            ..SecretModel::default()
        })
    }
}

/// What to do about a name that a deleted secret holds.
const HELD: &str = "a deleted secret keeps its name until its recovery window is over: restore it and import it, \
                    delete it for good, or choose another name; `recovery_window_in_days = 0` frees the name at once";

impl SecretModel {
    /// The policy, if it says anything.
    fn policy(&self) -> Option<&str> {
        self.policy.as_deref().filter(|policy| !matches!(policy.trim(), "" | "{}"))
    }

    /// What the API decides.
    fn take(&mut self, live: &DescribeSecretOutput) {
        let name = live.name().unwrap_or_default();
        self.arn = live.arn.clone();
        self.id = live.arn.clone();
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(name));
        self.name = Some(name.to_owned());
        self.replica = live.replication_status().iter().map(Replica::from).collect();
    }

    async fn change_replicas(&mut self, cx: &Context<'_, AwsClient>, prior: &Self, id: &str) -> Result<()> {
        let without = |all: &[Replica], others: &[Replica]| -> Vec<Replica> {
            all.iter().filter(|replica| !others.iter().any(|other| replica.is(other))).cloned().collect()
        };
        let gone = without(&prior.replica, &self.replica);
        let new = without(&self.replica, &prior.replica);
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        remove_replicas(cx, id, gone.into_iter().map(|replica| replica.region).collect()).await?;
        if !new.is_empty() {
            let call = cx.client.secretsmanager().replicate_secret_to_regions().secret_id(id);
            let call = call.set_add_replica_regions(Some(new.iter().map(Replica::sent).collect()));
            let call = call.force_overwrite_replica_secret(self.force_overwrite_replica_secret == Some(true));
            call.send().await.during("secretsmanager:ReplicateSecretToRegions")?;
        }
        self.take(&expect(cx, id).await?);
        Ok(())
    }
}

impl Replica {
    /// Whether both are the same copy: the same region and key.
    fn is(&self, other: &Self) -> bool {
        self.region == other.region && given(&self.kms_key_id) == given(&other.kms_key_id)
    }

    fn sent(&self) -> ReplicaRegionType {
        ReplicaRegionType::builder().region(&self.region).set_kms_key_id(given(&self.kms_key_id)).build()
    }
}

impl From<&ReplicationStatusType> for Replica {
    fn from(live: &ReplicationStatusType) -> Self {
        Self {
            kms_key_id: text(live.kms_key_id()),
            last_accessed_date: text(time(live.last_accessed_date())),
            region: live.region.clone().unwrap_or_default(),
            status: text(live.status().map(|status| status.as_str())),
            status_message: text(live.status_message()),
        }
    }
}

async fn remove_replicas(cx: &Context<'_, AwsClient>, id: &str, regions: Vec<String>) -> Result<()> {
    if regions.is_empty() {
        return Ok(());
    }
    let call = cx.client.secretsmanager().remove_regions_from_replication().secret_id(id);
    let answer = call.set_remove_replica_regions(Some(regions)).send().await;
    answer.during("secretsmanager:RemoveRegionsFromReplication").absent_ok(GONE).map(drop)
}

/// Sets the policy of a secret. A principal that this run has just made may take a while to be heard of.
async fn put_policy(cx: &Context<'_, AwsClient>, id: &str, policy: &str) -> Result<()> {
    let call = || async {
        let call = cx.client.secretsmanager().put_resource_policy().secret_id(id).resource_policy(policy);
        call.send().await.during("secretsmanager:PutResourcePolicy")
    };
    settle(cx, call).await.map(drop)
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
