//! `aws_athena_workgroup`

use aws_sdk_athena::{
    error::BuildError,
    types::{
        AclConfiguration, EncryptionConfiguration, EncryptionOption, EngineVersion, ResultConfiguration,
        ResultConfigurationUpdates, S3AclOption, Tag, WorkGroup as Found, WorkGroupConfiguration,
        WorkGroupConfigurationUpdates, WorkGroupState,
    },
};
use lakeform_provider::{Change, Context, Field, FoundBy, Model, ProviderError, ResourceType, Result};

use crate::{
    AwsClient, check,
    error::During,
    tags::{TagChanges, Tags, to_map},
    values::{built, chosen, fill, flag, given, number, text},
};

/// A workgroup: who runs queries together, where results go and what they may cost.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Workgroup {
    /// ARN of the workgroup.
    #[attr(computed)]
    arn: Option<String>,
    /// What the workgroup is for.
    #[attr(optional)]
    description: Option<String>,
    /// Whether it is deleted together with its named queries and the like. Default: `false`.
    #[attr(optional, default = false)]
    force_destroy: Option<bool>,
    /// Name of the workgroup.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the workgroup.
    #[attr(required, force_new)]
    name: String,
    /// `ENABLED` (default) or `DISABLED`
    #[attr(optional, default = "ENABLED")]
    state: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// How its queries are run.
    #[block(list, max = 1, computed)]
    configuration: Vec<Configuration>,
}

/// How queries are run.
#[derive(Model, Clone, Debug, Default)]
struct Configuration {
    /// Bytes that a query may read, 10485760 or more; 0: any number.
    #[attr(optional)]
    bytes_scanned_cutoff_per_query: Option<i64>,
    /// Whether this configuration goes before that of a client. Default: `true`.
    #[attr(optional, default = true)]
    enforce_workgroup_configuration: Option<bool>,
    /// ARN of the role that a workgroup of Apache Spark works as.
    #[attr(optional)]
    execution_role: Option<String>,
    /// Whether CloudWatch gets metrics. Default: `true`.
    #[attr(optional, default = true)]
    publish_cloudwatch_metrics_enabled: Option<bool>,
    /// Whether buckets may be read whose requester pays. Default: `false`.
    #[attr(optional, default = false)]
    requester_pays_enabled: Option<bool>,
    /// The engine.
    #[block(list, max = 1, computed)]
    engine_version: Vec<Engine>,
    /// Where results go.
    #[block(list, max = 1, computed)]
    result_configuration: Vec<Results>,
}

/// The engine.
#[derive(Model, Clone, Debug, Default)]
struct Engine {
    /// The version in use.
    #[attr(computed)]
    effective_engine_version: Option<String>,
    /// The version to use. Default: `AUTO`.
    #[attr(optional, default = "AUTO")]
    selected_engine_version: Option<String>,
}

/// Where results go.
#[derive(Model, Clone, Debug, Default)]
struct Results {
    /// The account that owns the bucket.
    #[attr(optional)]
    expected_bucket_owner: Option<String>,
    /// The place: `s3://...`
    #[attr(optional)]
    output_location: Option<String>,
    /// Who else may read them.
    #[block(list, max = 1, computed)]
    acl_configuration: Vec<Acl>,
    /// How they are encrypted.
    #[block(list, max = 1, computed)]
    encryption_configuration: Vec<Encryption>,
}

/// Who else may read results.
#[derive(Model, Clone, Debug, Default)]
struct Acl {
    /// `BUCKET_OWNER_FULL_CONTROL`
    #[attr(required)]
    s3_acl_option: String,
}

/// How results are encrypted.
#[derive(Model, Clone, Debug, Default)]
struct Encryption {
    /// `SSE_S3`, `SSE_KMS` or `CSE_KMS`
    #[attr(optional)]
    encryption_option: Option<String>,
    /// ARN of the KMS key.
    #[attr(optional)]
    kms_key_arn: Option<String>,
}

/// The least number of bytes that a limit can be.
const LEAST_CUTOFF: i64 = 10_485_760;

/// Whether there is no such workgroup: Athena has no code of its own for that.
fn is_gone(e: &ProviderError) -> bool {
    e.has_code("InvalidRequestException") && e.message.contains("not found")
}

impl ResourceType for Workgroup {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_athena_workgroup";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=128)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        check::each(change, "name", |value| match value.as_str() {
            Some(name) if !name.chars().all(allowed) => {
                Err(format!("is {name:?}; expected are letters, digits and the characters . _ -"))
            }
            _ => Ok(()),
        })?;
        check::length(change, "description", 0..=1024)?;
        check::one_of(change, "state", WorkGroupState::values())?;
        check::each(change, "configuration.bytes_scanned_cutoff_per_query", |value| match value.as_i64() {
            Some(bytes) if bytes != 0 && bytes < LEAST_CUTOFF => {
                Err(format!("is {bytes}; expected is {LEAST_CUTOFF} or more, or 0"))
            }
            _ => Ok(()),
        })?;
        check::arn(change, "configuration.execution_role")?;
        let results = "configuration.result_configuration";
        check::one_of(change, &format!("{results}.acl_configuration.s3_acl_option"), S3AclOption::values())?;
        let encryption = format!("{results}.encryption_configuration");
        check::one_of(change, &format!("{encryption}.encryption_option"), EncryptionOption::values())?;
        check::arn(change, &format!("{encryption}.kms_key_arn"))
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let arn = arn(cx, &name).await?;
        let (live, tags) = tokio::join!(find(cx, &name), read_tags(cx, &arn));
        let Some(live) = live? else { return Ok(None) };
        object.arn = Some(arn);
        object.take(live);
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let configuration = object.configuration.first().map(Configuration::to_api).transpose();
        let tags = object.tags_all.iter().flatten().map(tag).collect::<Vec<_>>();
        let call = cx.client.athena().create_work_group().name(&object.name);
        let call = call
            .set_configuration(built(configuration)?)
            .set_description(given(&object.description))
            .set_tags((!tags.is_empty()).then_some(tags));
        call.send().await.during("athena:CreateWorkGroup")?;
        object.id = Some(object.name.clone());
        object.arn = Some(arn(cx, &object.name).await?);
        if object.state.as_deref() == Some("DISABLED") {
            let call = cx.client.athena().update_work_group().work_group(&object.name).state(WorkGroupState::Disabled);
            call.send().await.during("athena:UpdateWorkGroup")?;
        }
        if let Some(live) = find(cx, &object.name).await? {
            fill(object, |object| object.take(live));
        }
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let name = prior.id.clone().unwrap_or_default();
        let configured = |object: &Self| object.configuration.clone().into_value();
        let changed = configured(prior) != configured(object);
        let described = given(&prior.description) != given(&object.description);
        if changed || described || prior.state != object.state {
            let configuration = object.configuration.first().filter(|_| changed);
            let configuration = built(configuration.map(Configuration::to_updates).transpose())?;
            let call = cx.client.athena().update_work_group().work_group(&name);
            let call = call
                .set_configuration_updates(configuration)
                .set_description(text(object.description.as_ref()).filter(|_| described))
                .set_state(chosen(&object.state).filter(|_| prior.state != object.state));
            call.send().await.during("athena:UpdateWorkGroup")?;
            if let Some(live) = find(cx, &name).await? {
                fill(object, |object| object.take(live));
            }
        }
        let arn = prior.arn.clone().unwrap_or_default();
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = cx.client.athena().untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.remove));
            call.send().await.during("athena:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let set = tags.set.iter().map(tag).collect();
            let call = cx.client.athena().tag_resource().resource_arn(&arn).set_tags(Some(set));
            call.send().await.during("athena:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let call = cx.client.athena().delete_work_group().set_work_group(object.id.clone());
        let call = call.recursive_delete_option(object.force_destroy.unwrap_or_default());
        match call.send().await.during("athena:DeleteWorkGroup") {
            Err(e) if is_gone(&e) => Ok(()),
            done => done.map(drop),
        }
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { id: Some(id.to_owned()), name: id.to_owned(), force_destroy: Some(false), ..Self::default() })
    }
}

fn tag((key, value): (&String, &String)) -> Tag {
    Tag::builder().key(key).value(value).build()
}

async fn arn(cx: &Context<'_, AwsClient>, name: &str) -> Result<String> {
    let (partition, region) = (cx.client.partition().id, cx.client.region());
    Ok(format!("arn:{partition}:athena:{region}:{}:workgroup/{name}", cx.client.account_id().await?))
}

/// The workgroup, if it exists.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    match cx.client.athena().get_work_group().work_group(name).send().await.during("athena:GetWorkGroup") {
        Err(e) if is_gone(&e) => Ok(None),
        answer => Ok(answer?.work_group),
    }
}

/// The tags of the workgroup; none where it is gone.
async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Tags> {
    let tags = cx.client.athena().list_tags_for_resource().resource_arn(arn).into_paginator().items().send();
    match tags.collect::<Result<Vec<_>, _>>().await.during("athena:ListTagsForResource") {
        Err(e) if is_gone(&e) || e.has_code("ResourceNotFoundException") => Ok(Tags::new()),
        tags => Ok(to_map(tags?.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))),
    }
}

impl Configuration {
    fn to_api(&self) -> Result<WorkGroupConfiguration, BuildError> {
        Ok(WorkGroupConfiguration::builder()
            .set_bytes_scanned_cutoff_per_query(self.cutoff())
            .set_enforce_work_group_configuration(self.enforce_workgroup_configuration)
            .set_engine_version(self.engine())
            .set_execution_role(given(&self.execution_role))
            .set_publish_cloud_watch_metrics_enabled(self.publish_cloudwatch_metrics_enabled)
            .set_requester_pays_enabled(self.requester_pays_enabled)
            .set_result_configuration(self.result_configuration.first().map(Results::to_api).transpose()?)
            .build())
    }

    fn to_updates(&self) -> Result<WorkGroupConfigurationUpdates, BuildError> {
        let cutoff = self.cutoff();
        Ok(WorkGroupConfigurationUpdates::builder()
            .set_remove_bytes_scanned_cutoff_per_query(cutoff.is_none().then_some(true))
            .set_bytes_scanned_cutoff_per_query(cutoff)
            .set_enforce_work_group_configuration(self.enforce_workgroup_configuration)
            .set_engine_version(self.engine())
            .set_execution_role(given(&self.execution_role))
            .set_publish_cloud_watch_metrics_enabled(self.publish_cloudwatch_metrics_enabled)
            .set_requester_pays_enabled(self.requester_pays_enabled)
            .set_result_configuration_updates(self.result_configuration.first().map(Results::to_updates).transpose()?)
            .build())
    }

    fn cutoff(&self) -> Option<i64> {
        self.bytes_scanned_cutoff_per_query.filter(|bytes| *bytes > 0)
    }

    fn engine(&self) -> Option<EngineVersion> {
        let version = given(&self.engine_version.first()?.selected_engine_version);
        Some(EngineVersion::builder().set_selected_engine_version(version).build())
    }
}

impl Results {
    fn to_api(&self) -> Result<ResultConfiguration, BuildError> {
        Ok(ResultConfiguration::builder()
            .set_acl_configuration(self.acl()?)
            .set_encryption_configuration(self.encryption()?)
            .set_expected_bucket_owner(given(&self.expected_bucket_owner))
            .set_output_location(given(&self.output_location))
            .build())
    }

    /// What is not there is taken away.
    fn to_updates(&self) -> Result<ResultConfigurationUpdates, BuildError> {
        let (acl, encryption) = (self.acl()?, self.encryption()?);
        let (owner, location) = (given(&self.expected_bucket_owner), given(&self.output_location));
        Ok(ResultConfigurationUpdates::builder()
            .set_remove_acl_configuration(acl.is_none().then_some(true))
            .set_acl_configuration(acl)
            .set_remove_encryption_configuration(encryption.is_none().then_some(true))
            .set_encryption_configuration(encryption)
            .set_remove_expected_bucket_owner(owner.is_none().then_some(true))
            .set_expected_bucket_owner(owner)
            .set_remove_output_location(location.is_none().then_some(true))
            .set_output_location(location)
            .build())
    }

    fn acl(&self) -> Result<Option<AclConfiguration>, BuildError> {
        let acl = self.acl_configuration.first();
        acl.map(|acl| AclConfiguration::builder().s3_acl_option(acl.s3_acl_option.as_str().into()).build()).transpose()
    }

    fn encryption(&self) -> Result<Option<EncryptionConfiguration>, BuildError> {
        let told = |e: &&Encryption| given(&e.encryption_option).is_some() || given(&e.kms_key_arn).is_some();
        let encryption = self.encryption_configuration.first().filter(told).map(|encryption| {
            EncryptionConfiguration::builder()
                .set_encryption_option(chosen(&encryption.encryption_option))
                .set_kms_key(given(&encryption.kms_key_arn))
                .build()
        });
        encryption.transpose()
    }
}

impl Workgroup {
    /// What the API says of the workgroup.
    fn take(&mut self, live: Found) {
        self.description = text(live.description);
        self.name = live.name;
        self.state = text(live.state);
        let stored = self.configuration.pop();
        let configuration = live.configuration.map(|live| Configuration {
            bytes_scanned_cutoff_per_query: number(live.bytes_scanned_cutoff_per_query),
            enforce_workgroup_configuration: flag(live.enforce_work_group_configuration),
            execution_role: text(live.execution_role),
            publish_cloudwatch_metrics_enabled: flag(live.publish_cloud_watch_metrics_enabled),
            requester_pays_enabled: flag(live.requester_pays_enabled),
            engine_version: live
                .engine_version
                .map(|engine| Engine {
                    effective_engine_version: text(engine.effective_engine_version),
                    selected_engine_version: text(engine.selected_engine_version),
                })
                .into_iter()
                .collect(),
            result_configuration: live
                .result_configuration
                .map(|results| Results::from_api(results, stored.as_ref()))
                .into_iter()
                .collect(),
        });
        self.configuration = configuration.into_iter().collect();
    }
}

impl Results {
    fn from_api(live: ResultConfiguration, stored: Option<&Configuration>) -> Self {
        let acl = live.acl_configuration.map(|acl| Acl { s3_acl_option: acl.s3_acl_option.as_str().to_owned() });
        let encryption = live.encryption_configuration.map(|encryption| Encryption {
            encryption_option: text(Some(encryption.encryption_option)),
            kms_key_arn: text(encryption.kms_key),
        });
        // A block that says nothing is none to the API.
        let empty = stored.and_then(|stored| stored.result_configuration.first()?.encryption_configuration.first());
        let empty = empty.filter(|e| given(&e.encryption_option).is_none() && given(&e.kms_key_arn).is_none());
        Self {
            expected_bucket_owner: text(live.expected_bucket_owner),
            output_location: text(live.output_location),
            acl_configuration: acl.into_iter().collect(),
            encryption_configuration: encryption.or(empty.cloned()).into_iter().collect(),
        }
    }
}
