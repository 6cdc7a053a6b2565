//! `aws_s3_bucket`
//!
//! The deprecated inline attributes (`acl`, `versioning`, `lifecycle_rule`, ...) are managed when the stack sets them, and
//! neither read nor changed when it does not: a type of their own does that.

use std::{collections::BTreeMap, future::Future};

use aws_sdk_s3::types::{BucketCannedAcl, BucketLocationConstraint, CreateBucketConfiguration, Tag, Tagging};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, Field, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use super::{
    bucket_policy,
    common::{
        BUSY, BUSY_CODE, NO_BUCKET, after_creation, given, name_prefix, normal_json, one_of, plan_normal_json,
        refuse_together, same_essence,
    },
};
use crate::{
    AwsClient,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
    tags::{Tags, to_map},
};

mod acl;
pub(crate) mod empty;
pub(crate) mod endpoints;
mod lifecycle;
mod replication;
mod settings;
mod website;

/// A bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Bucket {
    /// `Enabled` or `Suspended`: transfers by way of CloudFront's edges.
    #[attr(optional, computed, deprecated)]
    acceleration_status: Option<String>,
    /// Canned ACL: `private`, `public-read`, `log-delivery-write`, ... Use `aws_s3_bucket_acl` instead.
    #[attr(optional, computed, deprecated)]
    acl: Option<String>,
    /// ARN of the bucket.
    #[attr(computed)]
    arn: Option<String>,
    /// Name of the bucket. Default: a generated one.
    #[attr(optional, computed, force_new)]
    bucket: Option<String>,
    /// `BUCKET.s3.amazonaws.com`
    #[attr(computed)]
    bucket_domain_name: Option<String>,
    /// What a generated name begins with.
    #[attr(optional, computed, force_new)]
    bucket_prefix: Option<String>,
    /// `BUCKET.s3.REGION.amazonaws.com`
    #[attr(computed)]
    bucket_regional_domain_name: Option<String>,
    /// Delete all objects, locked ones too, when the bucket is to be deleted. They cannot be recovered.
    #[attr(optional, default = false)]
    force_destroy: bool,
    /// Route 53 hosted zone of the region's website endpoints.
    #[attr(computed)]
    hosted_zone_id: Option<String>,
    /// Name of the bucket.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether objects can be locked.
    #[attr(optional, computed, force_new)]
    object_lock_enabled: Option<bool>,
    /// Bucket policy. Use `aws_s3_bucket_policy` instead.
    #[attr(optional, computed, deprecated, json, same = policy::same)]
    policy: Option<String>,
    /// Region of the bucket.
    #[attr(computed)]
    region: Option<String>,
    /// Who pays for requests: `BucketOwner` or `Requester`
    #[attr(optional, computed, deprecated)]
    request_payer: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Domain of the website.
    #[attr(computed, deprecated)]
    website_domain: Option<String>,
    /// Address of the website.
    #[attr(computed, deprecated)]
    website_endpoint: Option<String>,
    /// What browsers may do on behalf of other sites. Use `aws_s3_bucket_cors_configuration` instead.
    #[block(list, computed)]
    cors_rule: Vec<settings::CorsRule>,
    /// Who may do what. Use `aws_s3_bucket_acl` instead.
    #[block(set, computed)]
    grant: Vec<acl::Grant>,
    /// What becomes of objects as they age. Use `aws_s3_bucket_lifecycle_configuration` instead.
    #[block(list, computed)]
    lifecycle_rule: Vec<lifecycle::LifecycleRule>,
    /// Where S3 writes the access log. Use `aws_s3_bucket_logging` instead.
    #[block(list, max = 1, computed)]
    logging: Vec<settings::Logging>,
    /// How objects are locked. Use `aws_s3_bucket_object_lock_configuration` instead.
    #[block(list, max = 1, computed)]
    object_lock_configuration: Vec<settings::ObjectLock>,
    /// Where objects are copied to. Use `aws_s3_bucket_replication_configuration` instead.
    #[block(list, max = 1, computed)]
    replication_configuration: Vec<replication::Replication>,
    /// How S3 encrypts. Use `aws_s3_bucket_server_side_encryption_configuration` instead.
    #[block(list, max = 1, computed)]
    server_side_encryption_configuration: Vec<settings::Encryption>,
    /// How long operations may take.
    #[block(single)]
    timeouts: Option<Timeouts>,
    /// Whether all versions of objects are kept. Use `aws_s3_bucket_versioning` instead.
    #[block(list, max = 1, computed)]
    versioning: Vec<settings::Versioning>,
    /// The bucket as a website. Use `aws_s3_bucket_website_configuration` instead.
    #[block(list, max = 1, computed)]
    website: Vec<website::Website>,
}

/// How long operations may take: `20m`
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Timeouts {
    /// Default: 20 minutes.
    #[attr(optional)]
    create: Option<String>,
    /// Default: 60 minutes.
    #[attr(optional)]
    delete: Option<String>,
    /// Default: 20 minutes.
    #[attr(optional)]
    read: Option<String>,
    /// Default: 20 minutes.
    #[attr(optional)]
    update: Option<String>,
}

const CANNED: &[&str] =
    &["private", "public-read", "public-read-write", "aws-exec-read", "authenticated-read", "log-delivery-write"];

impl Bucket {
    fn chosen_name(&self, token: &str) -> String {
        naming::choose(self.bucket.as_deref(), self.bucket_prefix.as_deref(), "", token)
    }

    fn name(&self) -> String {
        given(&self.bucket).or_else(|| given(&self.id)).unwrap_or_default()
    }

    fn wants_object_lock(&self) -> bool {
        let inline = self.object_lock_configuration.first().and_then(|lock| lock.object_lock_enabled.as_deref());
        self.object_lock_enabled == Some(true) || inline == Some("Enabled")
    }

    /// Fills in what name and region decide.
    fn describe(&mut self, name: &str, region: &str) {
        self.id = Some(name.to_owned());
        self.bucket = Some(name.to_owned());
        self.bucket_prefix.get_or_insert_with(|| name_prefix(name).to_owned());
        self.region = Some(region.to_owned());
        self.arn = Some(endpoints::arn(name, region));
        self.bucket_domain_name = Some(endpoints::domain_name(name, region));
        self.bucket_regional_domain_name = Some(endpoints::regional_domain_name(name, region));
        self.hosted_zone_id = Some(endpoints::hosted_zone_id(region).unwrap_or_default().to_owned());
        if !self.website.is_empty() {
            self.website_domain = Some(endpoints::website_domain(region));
            self.website_endpoint = Some(endpoints::website_endpoint(name, region));
        }
    }

    async fn send_create(&self, cx: &Context<'_, AwsClient>, name: &str) -> Result<()> {
        let region = cx.client.region();
        let location = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
        });
        let call = cx.client.s3().create_bucket().bucket(name).set_create_bucket_configuration(location);
        let call = call
            .set_acl(given(&self.acl).map(|acl| BucketCannedAcl::from(acl.as_str())))
            .set_object_lock_enabled_for_bucket(self.wants_object_lock().then_some(true));
        call.send().await.during("s3:CreateBucket")?;
        Ok(())
    }

    /// Creates the bucket, once another change of one of that name is over.
    async fn make(&self, cx: &Context<'_, AwsClient>, name: &str) -> Result<()> {
        let wait = Wait::new("bucket to be created", cx.timeout.unwrap_or(BUSY));
        let made = cx.retry(wait, |e| e.has_code(BUSY_CODE), || self.send_create(cx, name)).await;
        made.map_err(|e| if e.has_code(OWNED) { e.hint(import_hint(name)) } else { e })
    }

    async fn read_inline(&mut self, cx: &Context<'_, AwsClient>, bucket: &str) -> Result<()> {
        let sets = |name| cx.sets(name, false);
        let found = futures::join!(
            when(sets("acceleration_status"), || settings::read_acceleration(cx, bucket)),
            when(sets("cors_rule"), || settings::read_cors(cx, bucket)),
            when(sets("grant"), || acl::read(cx, bucket)),
            when(sets("lifecycle_rule"), || lifecycle::read(cx, bucket)),
            when(sets("logging"), || settings::read_logging(cx, bucket)),
            when(sets("object_lock_configuration"), || settings::read_object_lock(cx, bucket)),
            when(sets("policy"), || bucket_policy::get(cx, bucket)),
            when(sets("replication_configuration"), || replication::read(cx, bucket)),
            when(sets("request_payer"), || settings::read_payer(cx, bucket)),
            when(sets("server_side_encryption_configuration"), || settings::read_encryption(cx, bucket)),
            when(sets("versioning"), || settings::read_versioning(cx, bucket)),
            when(sets("website"), || website::read(cx, bucket)),
        );
        let (acceleration, cors, grants, rules, logging, lock, policy, replication, payer, encryption, versions, site) =
            found;
        take(&mut self.acceleration_status, acceleration?.map(Some));
        take(&mut self.cors_rule, cors?);
        take(&mut self.grant, grants?);
        take(&mut self.lifecycle_rule, rules?);
        take(&mut self.logging, logging?);
        take(&mut self.object_lock_configuration, lock?);
        take(&mut self.replication_configuration, replication?);
        take(&mut self.request_payer, payer?.map(Some));
        take(&mut self.server_side_encryption_configuration, encryption?);
        take(&mut self.versioning, versions?);
        take(&mut self.website, site?);
        take(&mut self.policy, policy?.map(|policy| Some(policy.unwrap_or_default())));
        Ok(())
    }

    /// Puts the inline attributes that differ from `prior`; on a new bucket, those that say something. The policy comes
    /// last: it may forbid the rest.
    async fn put_inline(&self, cx: &Context<'_, AwsClient>, bucket: &str, prior: Option<&Self>) -> Result<()> {
        let new = prior.is_none();
        if differs(prior.map(|p| &p.versioning), &self.versioning)
            && !(new && settings::versioning_is_off(&self.versioning))
        {
            after_creation(cx, || settings::put_versioning(cx, bucket, &self.versioning)).await?;
        }
        if differs(prior.map(|p| &p.server_side_encryption_configuration), &self.server_side_encryption_configuration) {
            let wanted = &self.server_side_encryption_configuration;
            after_creation(cx, || settings::put_encryption(cx, bucket, wanted)).await?;
        }
        if differs(prior.map(|p| &p.object_lock_configuration), &self.object_lock_configuration) {
            let wanted = &self.object_lock_configuration;
            after_creation(cx, || settings::put_object_lock(cx, bucket, wanted)).await?;
        }
        if differs(prior.map(|p| &p.lifecycle_rule), &self.lifecycle_rule) {
            after_creation(cx, || lifecycle::put(cx, bucket, &self.lifecycle_rule)).await?;
        }
        if differs(prior.map(|p| &p.cors_rule), &self.cors_rule) {
            after_creation(cx, || settings::put_cors(cx, bucket, &self.cors_rule)).await?;
        }
        if differs(prior.map(|p| &p.website), &self.website) {
            after_creation(cx, || website::put(cx, bucket, &self.website)).await?;
        }
        if differs(prior.map(|p| &p.logging), &self.logging) {
            after_creation(cx, || settings::put_logging(cx, bucket, &self.logging)).await?;
        }
        if differs(prior.map(|p| &p.replication_configuration), &self.replication_configuration) {
            after_creation(cx, || replication::put(cx, bucket, &self.replication_configuration)).await?;
        }
        if differs(prior.map(|p| &p.acceleration_status), &self.acceleration_status) {
            let status = given(&self.acceleration_status).unwrap_or_else(|| "Suspended".into());
            after_creation(cx, || settings::put_acceleration(cx, bucket, &status)).await?;
        }
        if differs(prior.map(|p| &p.request_payer), &self.request_payer) {
            let payer = given(&self.request_payer).unwrap_or_else(|| "BucketOwner".into());
            after_creation(cx, || settings::put_payer(cx, bucket, &payer)).await?;
        }
        if differs(prior.map(|p| &p.grant), &self.grant) {
            after_creation(cx, || acl::put(cx, bucket, &self.grant)).await?;
        }
        if let Some(prior) = prior
            && differs(Some(&prior.acl), &self.acl)
        {
            let canned = given(&self.acl).unwrap_or_else(|| "private".into());
            settle(cx, || acl::put_canned(cx, bucket, &canned)).await?;
        }
        if differs(prior.map(|p| &p.policy), &self.policy) {
            match given(&self.policy) {
                Some(policy) => after_creation(cx, || bucket_policy::put(cx, bucket, &policy)).await?,
                None => bucket_policy::delete(cx, bucket).await?,
            }
        }
        Ok(())
    }
}

/// You own a bucket of that name.
const OWNED: &str = "BucketAlreadyOwnedByYou";

fn import_hint(name: &str) -> String {
    format!("import it (its identifier is {name}), or choose another name")
}

/// Does it, if it is wanted. A call takes tens of kilobytes, so there is none of it before.
async fn when<T, F: Future<Output = Result<T>>>(wanted: bool, call: impl FnOnce() -> F) -> Result<Option<T>> {
    if wanted { Box::pin(call()).await.map(Some) } else { Ok(None) }
}

fn take<T>(field: &mut T, found: Option<T>) {
    if let Some(found) = found {
        *field = found;
    }
}

/// Whether what is wanted differs from what is stored; nothing is stored of a new bucket.
fn differs<F: Field + Clone>(prior: Option<&F>, wanted: &F) -> bool {
    let prior = prior.map_or_else(|| Value::null(F::ty()), |prior| prior.clone().into_value());
    !same_essence(&prior, &wanted.clone().into_value())
}

/// In us-east-1, S3 says yes to a bucket that the account already has, and resets its ACL: so it must be asked before.
async fn refuse_existing(cx: &Context<'_, AwsClient>, name: &str) -> Result<()> {
    match cx.client.s3().head_bucket().bucket(name).send().await.during("s3:HeadBucket") {
        Ok(_) => Err(ProviderError::new(ErrorKind::AlreadyExists, "the account has a bucket of that name already")
            .operation("s3:CreateBucket")
            .code(OWNED)
            .hint(import_hint(name))
            .attribute(Path::attr("bucket"))),
        // Whatever else is wrong, the next call says it better.
        Err(_) => Ok(()),
    }
}

/// Whether S3 answered by pointing to another region: with a bare redirect.
fn is_elsewhere(e: &ProviderError) -> bool {
    e.kind == ErrorKind::Credentials && e.code.is_none()
}

/// Whether the account has a bucket of that name in the provider's region. Names are global: another account's bucket, and
/// one of another region, are not what was asked for here.
async fn is_own(cx: &Context<'_, AwsClient>, name: &str) -> Result<bool> {
    let account = cx.client.account_id().await?;
    let call = cx.client.s3().head_bucket().bucket(name);
    let call = call.set_expected_bucket_owner((!account.is_empty()).then(|| account.to_owned()));
    match call.send().await.during("s3:HeadBucket") {
        Ok(_) => Ok(true),
        Err(e) if e.is_not_found() || e.kind == ErrorKind::Denied || is_elsewhere(&e) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The tags of a bucket; `None` if there is no bucket.
async fn read_tags(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Option<Tags>> {
    match cx.client.s3().get_bucket_tagging().bucket(bucket).send().await.during("s3:GetBucketTagging") {
        Ok(found) => Ok(Some(to_map(found.tag_set.into_iter().map(|tag| (tag.key, tag.value))))),
        Err(e) if e.has_code("NoSuchTagSet") => Ok(Some(Tags::new())),
        Err(e) if e.has_code(NO_BUCKET) => Ok(None),
        Err(e) => Err(e),
    }
}

/// Replaces all tags of a bucket.
async fn put_tags(cx: &Context<'_, AwsClient>, bucket: &str, tags: &Tags) -> Result<()> {
    let s3 = cx.client.s3();
    if tags.is_empty() {
        let delete =
            || async { s3.delete_bucket_tagging().bucket(bucket).send().await.during("s3:DeleteBucketTagging") };
        return settle(cx, delete).await.map(drop);
    }
    let incomplete = |e: aws_sdk_s3::error::BuildError| ProviderError::invalid(e.to_string()).source(e);
    let all = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect::<Result<Vec<_>, _>>();
    let tagging = Tagging::builder().set_tag_set(Some(all.map_err(incomplete)?)).build().map_err(incomplete)?;
    let put = || async {
        s3.put_bucket_tagging().bucket(bucket).tagging(tagging.clone()).send().await.during("s3:PutBucketTagging")
    };
    after_creation(cx, put).await.map(drop)
}

/// Why a name is none, by "General purpose bucket naming rules" of the S3 User Guide.
fn wrong_name(name: &str) -> Option<&'static str> {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !(3..=63).contains(&name.len()) {
        Some("it must have 3 to 63 characters")
    } else if !name.chars().all(|c| edge(c) || c == '.' || c == '-') {
        Some("only lowercase letters, digits, dots and hyphens are allowed")
    } else if !name.starts_with(edge) || !name.ends_with(edge) {
        Some("it must begin and end with a letter or digit")
    } else if name.contains("..") {
        Some("two dots must not follow each other")
    } else if name.parse::<std::net::Ipv4Addr>().is_ok() {
        Some("it must not look like an IP address")
    } else {
        None
    }
}

/// Replaces each block of a kind in the plan, where that kind changes.
fn plan_each(change: &mut Change<'_>, kind: &str, adjust: impl Fn(&mut Value)) {
    if !change.changes(kind) {
        return;
    }
    let Some(blocks) = change.planned(kind).filter(|blocks| blocks.is_known()).cloned() else { return };
    let adjusted = blocks.map_children(|mut block| {
        adjust(&mut block);
        block
    });
    change.set(kind, adjusted);
}

/// Leaves the name of a lifecycle rule that has none to the apply.
fn plan_rule_id(rule: &mut Value) {
    let id = rule.get("id").filter(|id| id.is_null() || id.as_str() == Some("")).map(Value::ty);
    if let Some(ty) = id {
        rule.set_attr("id", Value::unknown(ty));
    }
}

/// Spells routing rules as Terraform stores them.
fn plan_routing_rules(website: &mut Value) {
    if let Some(rules) = website.get("routing_rules")
        && let Some(text) = rules.as_str().and_then(normal_json)
    {
        let rules = Value::from(text).with_marks(rules.marks());
        website.set_attr("routing_rules", rules);
    }
}

impl ResourceType for Bucket {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        refuse_together(change, "bucket", &["bucket_prefix"])?;
        refuse_together(change, "acl", &["grant"])?;
        refuse_together(change, "object_lock_enabled", &["object_lock_configuration"])?;
        one_of(change, "acl", CANNED)?;
        one_of(change, "acceleration_status", &["Enabled", "Suspended"])?;
        one_of(change, "request_payer", &["BucketOwner", "Requester"])?;
        if change.changes("bucket")
            && let Some(name) = change.config.get("bucket").and_then(Value::as_str)
            && let Some(why) = wrong_name(name)
        {
            return Err(
                ProviderError::invalid(format!("{name:?} is no bucket name: {why}")).attribute(Path::attr("bucket"))
            );
        }
        if let Some(prefix) = change.config.get("bucket_prefix").and_then(Value::as_str)
            && prefix.len() > 37
        {
            return Err(ProviderError::invalid(format!("{prefix:?} is too long: a prefix has at most 37 characters"))
                .attribute(Path::attr("bucket_prefix")));
        }
        plan_normal_json(change, "policy");
        plan_each(change, "lifecycle_rule", plan_rule_id);
        plan_each(change, "website", plan_routing_rules);
        if change.changes("website") {
            change.set_unknown("website_domain");
            change.set_unknown("website_endpoint");
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let bucket = object.name();
        let stored = given(&object.region);
        let adopted = stored.is_none();
        let region = || async {
            let answer = cx.client.s3().head_bucket().bucket(&bucket).send().await.during("s3:HeadBucket")?;
            Ok(answer.bucket_region.unwrap_or_else(|| cx.client.region().to_owned()))
        };
        let (tags, region, lock, inline) = futures::join!(
            read_tags(cx, &bucket),
            when(adopted, region),
            when(adopted, || settings::read_object_lock(cx, &bucket)),
            object.read_inline(cx, &bucket),
        );
        let Some(live) = tags? else { return Ok(None) };
        inline?;
        if let Some(lock) = lock? {
            object.object_lock_enabled = Some(!lock.is_empty());
        }
        let region = region?.or(stored).unwrap_or_default();
        object.describe(&bucket, &region);
        let tags = cx.client.tags().read(cx, live, object.tags.as_ref());
        object.tags = tags.tags;
        object.tags_all = tags.tags_all;
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let name = object.chosen_name(cx.token);
        if object.bucket.is_some() && cx.client.region() == "us-east-1" {
            refuse_existing(cx, &name).await?;
        }
        object.make(cx, &name).await?;
        object.object_lock_enabled = Some(object.wants_object_lock());
        object.describe(&name, cx.client.region());
        lifecycle::name_rules(&mut object.lifecycle_rule);
        if let Some(tags) = object.tags_all.as_ref().filter(|tags| !tags.is_empty()) {
            put_tags(cx, &name, tags).await?;
        }
        object.put_inline(cx, &name, None).await
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = planned.chosen_name(cx.token);
        if !is_own(cx, &name).await? {
            return Ok(None);
        }
        planned.bucket = Some(name);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let name = prior.name();
        lifecycle::name_rules(&mut object.lifecycle_rule);
        if differs(Some(&prior.tags_all), &object.tags_all) {
            // The call replaces all tags: those that are not lakeform's must be said again.
            let live = read_tags(cx, &name).await?.unwrap_or_default();
            let mut tags: BTreeMap<_, _> = live.into_iter().filter(|(key, _)| cx.client.tags().ignores(key)).collect();
            tags.extend(object.tags_all.clone().unwrap_or_default());
            put_tags(cx, &name, &tags).await?;
        }
        object.put_inline(cx, &name, Some(prior)).await?;
        let region = given(&object.region).unwrap_or_else(|| cx.client.region().to_owned());
        object.describe(&name, &region);
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let name = object.name();
        let delete = || async { cx.client.s3().delete_bucket().bucket(&name).send().await.during("s3:DeleteBucket") };
        match settle(cx, delete).await.absent_ok(&[NO_BUCKET]) {
            Err(e) if e.has_code("BucketNotEmpty") && object.force_destroy => {
                empty::empty_bucket(cx, &name, object.object_lock_enabled == Some(true)).await?;
                settle(cx, delete).await.absent_ok(&[NO_BUCKET])?;
                Ok(())
            }
            Err(e) if e.has_code("BucketNotEmpty") => Err(e.hint(
                "delete its objects and their old versions; or set `force_destroy = true`, apply, and destroy again: \
                 that deletes them all",
            )),
            done => done.map(drop),
        }
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        match wrong_name(id) {
            // Buckets of old may have names that no new one gets.
            Some(why) if id.is_empty() || id.contains('/') => {
                Err(ProviderError::invalid(format!("{id:?} is no bucket name: {why}")))
            }
            _ => Ok(Self { bucket: Some(id.to_owned()), id: Some(id.to_owned()), ..Self::default() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Examples from "General purpose bucket naming rules" of the S3 User Guide.
    #[test]
    fn bucket_names_follow_the_rules() {
        for name in ["amzn-s3-demo-bucket1-a1b2c3d4-5678-90ab-cdef-example11111", "my.example.s3.bucket", "abc"] {
            assert_eq!(wrong_name(name), None, "{name}");
        }
        for name in
            ["amzn_s3_demo_bucket", "AmznS3DemoBucket", "amzn-s3-demo-bucket-", "192.168.5.4", "a..b", "ab", ".ab"]
        {
            assert!(wrong_name(name).is_some(), "{name}");
        }
    }
}
