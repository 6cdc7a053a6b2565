//! `aws_kms_key`

use std::time::Duration;

use aws_sdk_kms::types::{KeyMetadata, KeySpec, KeyState, KeyUsageType, OriginType, Tag};
use futures::{StreamExt as _, stream};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    policy,
    propagation::settle,
    tags::{INTENT, TagChanges, Tags},
};

/// A KMS key.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct KeyModel {
    /// ARN of the key.
    #[attr(computed)]
    arn: Option<String>,
    /// Accept a policy that takes the right to change it from the caller. Default: `false`.
    #[attr(optional, default = false)]
    bypass_policy_lockout_safety_check: Option<bool>,
    /// Custom key store (AWS CloudHSM, or an external one together with `xks_key_id`) that holds the key.
    #[attr(optional, force_new)]
    custom_key_store_id: Option<String>,
    /// Kind of key: `SYMMETRIC_DEFAULT` (default), `RSA_2048`, `ECC_NIST_P256`, `HMAC_256`, ...
    #[attr(optional, force_new, default = "SYMMETRIC_DEFAULT")]
    customer_master_key_spec: Option<String>,
    /// Days between the order to delete the key and its end, 7 to 30. AWS's default: 30.
    #[attr(optional)]
    deletion_window_in_days: Option<i64>,
    /// What the key is for.
    #[attr(optional, computed)]
    description: Option<String>,
    /// Whether AWS makes new key material once in a while. Default: `false`.
    #[attr(optional, default = false)]
    enable_key_rotation: Option<bool>,
    /// Id of the key.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether the key can be used. Default: `true`.
    #[attr(optional, default = true)]
    is_enabled: Option<bool>,
    /// Id of the key.
    #[attr(computed)]
    key_id: Option<String>,
    /// `ENCRYPT_DECRYPT` (default), `SIGN_VERIFY`, `GENERATE_VERIFY_MAC` or `KEY_AGREEMENT`.
    #[attr(optional, force_new, default = "ENCRYPT_DECRYPT")]
    key_usage: Option<String>,
    /// Whether the key can be replicated into other regions.
    #[attr(optional, computed, force_new)]
    multi_region: Option<bool>,
    /// Key policy. Where the stack sets none, AWS gives the account full access.
    #[attr(optional, computed, json, same = policy::same)]
    policy: Option<String>,
    /// Days between rotations, 90 to 2560. AWS's default: 365.
    #[attr(optional, computed)]
    rotation_period_in_days: Option<i64>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Id of the external key, in an external key store.
    #[attr(optional, force_new)]
    xks_key_id: Option<String>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default)]
struct Timeouts {
    /// Limit for creating. Default: `2m`.
    #[attr(optional)]
    create: Option<String>,
}

/// `aws_kms_key`
pub(crate) struct Key;

/// AWS's default where rotation is enabled without a period (EnableKeyRotation).
const DEFAULT_ROTATION: i64 = 365;
/// How long a new principal may be unknown to KMS, and a new key to the region.
const PROPAGATION: Wait = Wait {
    what: "change to be known everywhere",
    first: Duration::from_millis(200),
    longest: Duration::from_secs(5),
    budget: Duration::from_secs(60),
};
const GONE: &[&str] = &["NotFoundException"];
/// The only name that a key policy can have.
const POLICY: &str = "default";

impl ResourceType for Key {
    type Client = AwsClient;
    type Model = KeyModel;
    const NAME: &'static str = "aws_kms_key";
    const FOUND_BY: FoundBy = FoundBy::Tag;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::one_of(change, "customer_master_key_spec", KeySpec::values())?;
        check::one_of(change, "key_usage", KeyUsageType::values())?;
        check::between(change, "deletion_window_in_days", 7..=30)?;
        check::between(change, "rotation_period_in_days", 90..=2560)?;
        check::length(change, "description", 0..=8192)?;
        check::needs(change, "rotation_period_in_days", "enable_key_rotation")?;
        check::needs(change, "xks_key_id", "custom_key_store_id")?;
        let period = change.config.get("rotation_period_in_days");
        let free = period.is_none_or(|v| v.is_null());
        if !change.is_create() && free && change.changes("enable_key_rotation") {
            change.set_unknown("rotation_period_in_days");
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: KeyModel) -> Result<Option<KeyModel>> {
        let kms = cx.client.kms();
        let Some(id) = object.id.clone() else { return Ok(None) };
        // Only symmetric keys with material from KMS rotate; for the others the question is an error.
        let rotates = object.customer_master_key_spec.as_deref().is_none_or(|s| s == "SYMMETRIC_DEFAULT")
            && object.custom_key_store_id.as_deref().is_none_or(str::is_empty);
        let rotation = async {
            if !rotates {
                return Ok(None);
            }
            let answer = kms.get_key_rotation_status().key_id(&id).send().await;
            answer.during("kms:GetKeyRotationStatus").absent_ok(&["NotFoundException", "UnsupportedOperationException"])
        };
        let (key, policy, rotation, tags) = tokio::join!(
            find(kms, &id),
            async {
                kms.get_key_policy()
                    .key_id(&id)
                    .policy_name(POLICY)
                    .send()
                    .await
                    .during("kms:GetKeyPolicy")
                    .absent_ok(GONE)
            },
            rotation,
            read_tags(kms, &id),
        );
        let Some(key) = key? else { return Ok(None) };
        object.take(&key);
        if let Some(live) = policy?.and_then(|p| p.policy) {
            object.policy = Some(policy::stored(object.policy.as_deref(), &live));
        }
        let rotation = rotation?;
        object.enable_key_rotation = Some(rotation.as_ref().is_some_and(|r| r.key_rotation_enabled));
        // Absent while rotation is off; the last one is kept, as AWS keeps it.
        let period = rotation.and_then(|r| r.rotation_period_in_days).map(i64::from);
        object.rotation_period_in_days = period.or(object.rotation_period_in_days).or(Some(0));
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.bypass_policy_lockout_safety_check.get_or_insert(false);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut KeyModel) -> Result<()> {
        let kms = cx.client.kms();
        let origin = match (&object.xks_key_id, &object.custom_key_store_id) {
            (Some(_), _) => Some(OriginType::ExternalKeyStore),
            (None, Some(_)) => Some(OriginType::AwsCloudhsm),
            (None, None) => None,
        };
        let new = &*object;
        let create = async |tags: Vec<Tag>| {
            settle(cx, || async {
                kms.create_key()
                    .set_bypass_policy_lockout_safety_check(new.bypass_policy_lockout_safety_check)
                    .set_custom_key_store_id(new.custom_key_store_id.clone())
                    .set_key_spec(new.customer_master_key_spec.as_deref().map(Into::into))
                    .set_description(new.description.clone())
                    .set_key_usage(new.key_usage.as_deref().map(Into::into))
                    .set_multi_region(new.multi_region)
                    .set_origin(origin.clone())
                    .set_policy(new.policy.clone())
                    .set_tags((!tags.is_empty()).then(|| tags.clone()))
                    .set_xks_key_id(new.xks_key_id.clone())
                    .send()
                    .await
                    .during("kms:CreateKey")
            })
            .await
        };
        let plain = sdk_tags(object.tags_all.iter().flatten())?;
        let mark = mark(cx.token).filter(|_| plain.len() < MOST_TAGS);
        let marked = plain.iter().cloned().chain(mark.clone()).collect();
        let answer = match create(marked).await {
            // Who may make keys may not be allowed to tag them.
            Err(e) if e.kind == ErrorKind::Denied && mark.is_some() => create(plain).await?,
            done => done?,
        };
        let Some(mut key) = answer.key_metadata else {
            return Err(ProviderError::invalid("the answer holds no key").operation("kms:CreateKey"));
        };
        let id = key.key_id().to_owned();
        object.id = Some(id.clone());
        if key.key_state() == Some(&KeyState::Creating) {
            key = made(cx, &id).await?;
        }
        let wanted = object.is_enabled;
        object.take(&key);
        let rotate = object.enable_key_rotation == Some(true);
        let (policy, rotation) = tokio::join!(
            async {
                match &object.policy {
                    Some(policy) => Ok(Some(policy.clone())),
                    None => {
                        soon(cx, || async {
                            let answer = kms
                                .get_key_policy()
                                .key_id(&id)
                                .policy_name(POLICY)
                                .send()
                                .await
                                .during("kms:GetKeyPolicy")?;
                            Ok(answer.policy.as_deref().map(policy::normal))
                        })
                        .await
                    }
                }
            },
            async { if rotate { set_rotation(cx, &id, true, object.rotation_period_in_days).await } else { Ok(()) } },
        );
        rotation?;
        object.policy = policy?;
        object.rotation_period_in_days.get_or_insert(if rotate { DEFAULT_ROTATION } else { 0 });
        if wanted == Some(false) {
            set_enabled(cx, &id, false).await?;
            object.is_enabled = Some(false);
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let Some(id) = marked(cx).await? else { return Ok(None) };
        made(cx, &id).await?;
        planned.id = Some(id);
        if planned.enable_key_rotation == Some(true) {
            planned.rotation_period_in_days = None;
        }
        Ok(Some(planned))
    }

    async fn release(cx: &Context<'_, AwsClient>, object: &KeyModel) -> Result<()> {
        let Some(id) = object.id.as_deref() else { return Ok(()) };
        let call = || async {
            cx.client.kms().untag_resource().key_id(id).tag_keys(INTENT).send().await.during("kms:UntagResource")
        };
        match soon(cx, call).await {
            // Then it was not marked, or the mark stays: nobody sees it, and nothing else has its token.
            Err(e) if e.kind == ErrorKind::Denied => Ok(()),
            done => done.map(drop),
        }
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &KeyModel, object: &mut KeyModel) -> Result<()> {
        let kms = cx.client.kms();
        let id = prior.id.clone().unwrap_or_default();
        let switch = prior.is_enabled != object.is_enabled;
        // A disabled key takes no changes: enable it first and disable it last.
        if switch && object.is_enabled == Some(true) {
            set_enabled(cx, &id, true).await?;
        }
        let rotate = object.enable_key_rotation == Some(true);
        let period_changes = rotate && prior.rotation_period_in_days != object.rotation_period_in_days;
        if prior.enable_key_rotation != object.enable_key_rotation || period_changes {
            set_rotation(cx, &id, rotate, object.rotation_period_in_days.filter(|d| *d > 0)).await?;
        }
        object.rotation_period_in_days.get_or_insert(if rotate { DEFAULT_ROTATION } else { 0 });
        if prior.description != object.description {
            let text = object.description.clone().unwrap_or_default();
            let call = kms.update_key_description().key_id(&id).description(text);
            call.send().await.during("kms:UpdateKeyDescription")?;
        }
        if let Some(policy) = object.policy.as_ref().filter(|p| prior.policy.as_ref() != Some(*p)) {
            let put = || async {
                kms.put_key_policy()
                    .key_id(&id)
                    .policy(policy)
                    .policy_name(POLICY)
                    .set_bypass_policy_lockout_safety_check(object.bypass_policy_lockout_safety_check)
                    .send()
                    .await
                    .during("kms:PutKeyPolicy")
            };
            settle(cx, put).await?;
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = kms.untag_resource().key_id(&id).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("kms:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = kms.tag_resource().key_id(&id).set_tags(Some(sdk_tags(&tags.set)?));
            call.send().await.during("kms:TagResource")?;
        }
        if switch && object.is_enabled == Some(false) {
            set_enabled(cx, &id, false).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &KeyModel) -> Result<()> {
        let days = object.deletion_window_in_days.and_then(|d| i32::try_from(d).ok());
        let call =
            cx.client.kms().schedule_key_deletion().set_key_id(object.id.clone()).set_pending_window_in_days(days);
        match call.send().await.during("kms:ScheduleKeyDeletion").absent_ok(GONE) {
            Err(e) if e.has_code("KMSInvalidStateException") && e.message.contains("pending") => Ok(()),
            done => done.map(drop),
        }
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<KeyModel> {
        Ok(KeyModel { id: Some(id.to_owned()), ..KeyModel::default() })
    }
}

impl KeyModel {
    /// What the API says of the key itself.
    fn take(&mut self, key: &KeyMetadata) {
        self.id = Some(key.key_id().to_owned());
        self.key_id = Some(key.key_id().to_owned());
        self.arn = key.arn.clone();
        self.description = Some(key.description.clone().unwrap_or_default());
        self.is_enabled = Some(key.enabled);
        self.key_usage = key.key_usage().map(|u| u.as_str().to_owned());
        self.customer_master_key_spec = key.key_spec().map(|s| s.as_str().to_owned());
        self.multi_region = Some(key.multi_region == Some(true));
        keep_absent(&mut self.custom_key_store_id, key.custom_key_store_id.clone());
        let external = key.xks_key_configuration().and_then(|x| x.id.clone());
        keep_absent(&mut self.xks_key_id, external);
    }
}

/// Stores what the API says; where it says nothing, absent stays absent and empty stays empty.
fn keep_absent(field: &mut Option<String>, live: Option<String>) {
    if live.is_some() || field.as_deref().is_some_and(|f| !f.is_empty()) {
        *field = live;
    }
}

/// The key, unless it is gone or about to be.
pub(super) async fn find(kms: &aws_sdk_kms::Client, id: &str) -> Result<Option<KeyMetadata>> {
    let answer = kms.describe_key().key_id(id).send().await.during("kms:DescribeKey").absent_ok(GONE)?;
    let key = answer.and_then(|a| a.key_metadata);
    let dying = [KeyState::PendingDeletion, KeyState::PendingReplicaDeletion];
    Ok(key.filter(|key| key.key_state().is_none_or(|state| !dying.contains(state))))
}

/// How many tags a key can have.
const MOST_TAGS: usize = 50;

/// How many keys are asked for their tags at the same time.
const ASKED: usize = 8;

/// The tag by which a key is found that nobody knows yet: CreateKey takes neither a name nor a client token.
fn mark(token: &str) -> Option<Tag> {
    if token.is_empty() { None } else { Tag::builder().tag_key(INTENT).tag_value(token).build().ok() }
}

/// The key that bears the mark. Each key must be asked; one that does not let itself be asked is somebody else's.
async fn marked(cx: &Context<'_, AwsClient>) -> Result<Option<String>> {
    let kms = cx.client.kms();
    let keys: Result<Vec<_>, _> = kms.list_keys().into_paginator().items().send().collect().await;
    let ids = keys.during("kms:ListKeys")?.into_iter().filter_map(|key| key.key_id);
    let look = |id: String| async move {
        match read_tags(kms, &id).await {
            Ok(tags) => Ok(tags.get(INTENT).is_some_and(|token| token == cx.token).then_some(id)),
            Err(e) if e.kind == ErrorKind::Denied => Ok(None),
            Err(e) => Err(e),
        }
    };
    let mut looks = stream::iter(ids).map(look).buffer_unordered(ASKED);
    while let Some(found) = looks.next().await {
        if let Some(id) = found?
            && find(kms, &id).await?.is_some()
        {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The key once it is made, which takes a while in a key store of one's own.
async fn made(cx: &Context<'_, AwsClient>, id: &str) -> Result<KeyMetadata> {
    cx.wait(Wait::new("key to be created", Duration::from_secs(120)), || async {
        Ok(match find(cx.client.kms(), id).await? {
            Some(key) if key.key_state() != Some(&KeyState::Creating) => Poll::Ready(key),
            _ => Poll::Pending,
        })
    })
    .await
}

async fn read_tags(kms: &aws_sdk_kms::Client, id: &str) -> Result<Tags> {
    let pages = kms.list_resource_tags().key_id(id).into_paginator().items().send();
    let tags: Result<Vec<Tag>, _> = pages.collect().await;
    let tags = tags.during("kms:ListResourceTags").absent_ok(GONE)?.unwrap_or_default();
    Ok(tags.into_iter().map(|t| (t.tag_key, t.tag_value)).collect())
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let build = |(k, v): (&String, &String)| Tag::builder().tag_key(k).tag_value(v).build();
    let tags = tags.into_iter().map(build).collect::<Result<_, _>>();
    tags.map_err(|e| ProviderError::invalid(e.to_string()))
}

/// Calls again while the region does not know the new key yet.
async fn soon<T, F: Future<Output = Result<T>>>(cx: &Context<'_, AwsClient>, call: impl FnMut() -> F) -> Result<T> {
    cx.retry(PROPAGATION, |e| e.has_code("NotFoundException"), call).await
}

async fn set_enabled(cx: &Context<'_, AwsClient>, id: &str, on: bool) -> Result<()> {
    let kms = cx.client.kms();
    soon(cx, || async {
        if on {
            kms.enable_key().key_id(id).send().await.during("kms:EnableKey").map(drop)
        } else {
            kms.disable_key().key_id(id).send().await.during("kms:DisableKey").map(drop)
        }
    })
    .await
}

async fn set_rotation(cx: &Context<'_, AwsClient>, id: &str, on: bool, days: Option<i64>) -> Result<()> {
    let kms = cx.client.kms();
    let days = days.and_then(|d| i32::try_from(d).ok());
    // A key that was just enabled may still count as disabled.
    let passing = |e: &ProviderError| e.has_code("NotFoundException") || (on && e.has_code("DisabledException"));
    cx.retry(PROPAGATION, passing, || async {
        if on {
            let call = kms.enable_key_rotation().key_id(id).set_rotation_period_in_days(days);
            call.send().await.during("kms:EnableKeyRotation").map(drop)
        } else {
            kms.disable_key_rotation().key_id(id).send().await.during("kms:DisableKeyRotation").map(drop)
        }
    })
    .await
}
