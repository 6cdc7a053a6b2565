//! `aws_kinesis_firehose_delivery_stream`

mod bucket;
mod parts;
mod plan;
mod search;
mod service;
mod warehouse;

use std::time::Duration;

use aws_sdk_firehose::{
    error::BuildError,
    types::{
        AuthenticationConfiguration, DeliveryStreamDescription as Found, DeliveryStreamEncryptionConfigurationInput,
        DeliveryStreamEncryptionStatus as EncryptionStatus, DeliveryStreamStatus, DeliveryStreamType,
        DestinationDescription, FailureDescription, KinesisStreamSourceConfiguration, MskSourceConfiguration,
        MskSourceDescription, Tag,
    },
};
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_provider::{
    Change, Context, ErrorKind, Field, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait,
};

use self::{
    bucket::ExtendedS3,
    search::{Elasticsearch, OpenSearch, Serverless},
    service::{HttpEndpoint, Splunk},
    warehouse::{Iceberg, Redshift, Snowflake},
};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
    tags::{TagChanges, Tags, to_map},
    values::{built, chosen, fill, given, text},
};

/// A stream that delivers records to a destination.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct StreamModel {
    /// ARN of the stream.
    #[attr(optional, computed)]
    arn: Option<String>,
    /// Where records go: `extended_s3`, `redshift`, `elasticsearch`, `opensearch`, `opensearchserverless`, `splunk`,
    /// `http_endpoint`, `iceberg` or `snowflake`. The block of that destination is needed.
    #[attr(required, force_new)]
    destination: String,
    /// Id of the destination.
    #[attr(optional, computed)]
    destination_id: Option<String>,
    /// ARN of the stream.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the stream.
    #[attr(required, force_new)]
    name: String,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Version of the stream; each change of the destination makes a new one.
    #[attr(optional, computed)]
    version_id: Option<String>,
    /// The destination `elasticsearch`.
    #[block(list, max = 1)]
    elasticsearch_configuration: Vec<Elasticsearch>,
    /// The destination `extended_s3`.
    #[block(list, max = 1)]
    extended_s3_configuration: Vec<ExtendedS3>,
    /// The destination `http_endpoint`.
    #[block(list, max = 1)]
    http_endpoint_configuration: Vec<HttpEndpoint>,
    /// The destination `iceberg`.
    #[block(list, max = 1)]
    iceberg_configuration: Vec<Iceberg>,
    /// The Kinesis stream that records come from.
    #[block(list, max = 1, force_new)]
    kinesis_source_configuration: Vec<KinesisSource>,
    /// The MSK topic that records come from.
    #[block(list, max = 1, force_new)]
    msk_source_configuration: Vec<MskSource>,
    /// The destination `opensearch`.
    #[block(list, max = 1)]
    opensearch_configuration: Vec<OpenSearch>,
    /// The destination `opensearchserverless`.
    #[block(list, max = 1)]
    opensearchserverless_configuration: Vec<Serverless>,
    /// The destination `redshift`.
    #[block(list, max = 1)]
    redshift_configuration: Vec<Redshift>,
    /// How records are encrypted until they are delivered.
    #[block(list, max = 1, computed)]
    server_side_encryption: Vec<Encryption>,
    /// The destination `snowflake`.
    #[block(list, max = 1)]
    snowflake_configuration: Vec<Snowflake>,
    /// The destination `splunk`.
    #[block(list, max = 1)]
    splunk_configuration: Vec<Splunk>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
}

/// A Kinesis stream that records come from.
#[derive(Model, Clone, Debug, Default)]
struct KinesisSource {
    /// Its ARN.
    #[attr(required, force_new)]
    kinesis_stream_arn: String,
    /// ARN of the role that reads it.
    #[attr(required, force_new)]
    role_arn: String,
}

/// An MSK topic that records come from.
#[derive(Model, Clone, Debug, Default)]
struct MskSource {
    /// ARN of its cluster.
    #[attr(required, force_new)]
    msk_cluster_arn: String,
    /// The moment to read from on: `2026-01-31T12:00:00Z`
    #[attr(optional, force_new)]
    read_from_timestamp: Option<String>,
    /// Its name.
    #[attr(required, force_new)]
    topic_name: String,
    /// How the cluster is reached.
    #[block(list, min = 1, max = 1, force_new)]
    authentication_configuration: Vec<MskAuthentication>,
}

/// How an MSK cluster is reached.
#[derive(Model, Clone, Debug, Default)]
struct MskAuthentication {
    /// `PUBLIC` or `PRIVATE`
    #[attr(required, force_new)]
    connectivity: String,
    /// ARN of the role that reads the topic.
    #[attr(required, force_new)]
    role_arn: String,
}

/// How records are encrypted until they are delivered.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Encryption {
    /// Whether they are. Default: `false`.
    #[attr(optional, default = false)]
    enabled: Option<bool>,
    /// ARN of the key, under `CUSTOMER_MANAGED_CMK`.
    #[attr(optional)]
    key_arn: Option<String>,
    /// `AWS_OWNED_CMK` (default) or `CUSTOMER_MANAGED_CMK`
    #[attr(optional, default = "AWS_OWNED_CMK")]
    key_type: Option<String>,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default)]
struct Timeouts {
    /// Limit for creating. Default: `30m`.
    #[attr(optional)]
    create: Option<String>,
    /// Limit for deleting. Default: `30m`.
    #[attr(optional)]
    delete: Option<String>,
    /// Limit for changing. Default: `10m`.
    #[attr(optional)]
    update: Option<String>,
}

/// `aws_kinesis_firehose_delivery_stream`
pub(crate) struct DeliveryStream;

/// The code that says that there is no such stream.
const GONE: &[&str] = &["ResourceNotFoundException"];
const MINUTE: u64 = 60;
const CREATE: Duration = Duration::from_secs(30 * MINUTE);
const UPDATE: Duration = Duration::from_secs(10 * MINUTE);
const DELETE: Duration = Duration::from_secs(30 * MINUTE);

impl ResourceType for DeliveryStream {
    type Client = AwsClient;
    type Model = StreamModel;
    const NAME: &'static str = "aws_kinesis_firehose_delivery_stream";
    const IDENTITY: &'static [&'static str] = &["name"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan::plan(change)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: StreamModel) -> Result<Option<StreamModel>> {
        let (live, tags) = tokio::join!(find(cx, &object.name), read_tags(cx, &object.name));
        let Some(live) = live? else { return Ok(None) };
        object.take(live);
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut StreamModel) -> Result<()> {
        let tags = object.tags_all.iter().flatten().map(|tag| built(to_tag(tag))).collect::<Result<Vec<_>>>()?;
        let call = cx.client.firehose().create_delivery_stream().delivery_stream_name(&object.name);
        let call = call.set_tags((!tags.is_empty()).then_some(tags));
        let kinesis = object.kinesis_source_configuration.first().map(KinesisSource::to_api);
        let msk = object.msk_source_configuration.first().map(MskSource::to_api);
        let call = match (kinesis, msk) {
            (Some(source), _) => call
                .delivery_stream_type(DeliveryStreamType::KinesisStreamAsSource)
                .kinesis_stream_source_configuration(built(source)?),
            (_, Some(source)) => {
                call.delivery_stream_type(DeliveryStreamType::MskAsSource).msk_source_configuration(built(source)?)
            }
            _ => call.delivery_stream_type(DeliveryStreamType::DirectPut),
        };
        let call = match object.destination.as_str() {
            "elasticsearch" => call.set_elasticsearch_destination_configuration(
                object.elasticsearch_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "http_endpoint" => call.set_http_endpoint_destination_configuration(
                object.http_endpoint_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "iceberg" => call.set_iceberg_destination_configuration(
                object.iceberg_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "opensearch" => call.set_amazonopensearchservice_destination_configuration(
                object.opensearch_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "opensearchserverless" => call.set_amazon_open_search_serverless_destination_configuration(
                object.opensearchserverless_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "redshift" => call.set_redshift_destination_configuration(
                object.redshift_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "snowflake" => call.set_snowflake_destination_configuration(
                object.snowflake_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            "splunk" => call.set_splunk_destination_configuration(
                object.splunk_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
            _ => call.set_extended_s3_destination_configuration(
                object.extended_s3_configuration.first().map(|to| built(to.to_api())).transpose()?,
            ),
        };
        let create = || async { Box::pin(call.clone().send()).await.during("firehose:CreateDeliveryStream") };
        let answer = Box::pin(settle(cx, create)).await?;
        object.id = answer.delivery_stream_arn;
        let mut live = active(cx, &object.name).await?;
        if object.is_encrypted() {
            live = object.encrypt(cx, CREATE).await?;
        }
        fill(object, |object| object.take(live));
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        if find(cx, &planned.name).await?.is_none() {
            return Ok(None);
        }
        planned.id = Some(at_rest(cx, &planned.name).await?.delivery_stream_arn);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &StreamModel, object: &mut StreamModel) -> Result<()> {
        let mut live = None;
        if object.destinations() != prior.destinations() {
            Box::pin(object.update_destination(cx, prior)).await?;
            live = find(cx, &object.name).await?;
        }
        if object.server_side_encryption != prior.server_side_encryption {
            live = match (object.is_encrypted(), prior.is_encrypted()) {
                (true, _) => Some(object.encrypt(cx, UPDATE).await?),
                (false, true) => Some(object.decrypt(cx).await?),
                (false, false) => live,
            };
        }
        if let Some(live) = live {
            fill(object, |object| object.take(live));
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        let firehose = cx.client.firehose();
        if !tags.remove.is_empty() {
            let call = firehose.untag_delivery_stream().delivery_stream_name(&object.name);
            call.set_tag_keys(Some(tags.remove)).send().await.during("firehose:UntagDeliveryStream")?;
        }
        if !tags.set.is_empty() {
            let set = tags.set.iter().map(|tag| built(to_tag(tag))).collect::<Result<_>>()?;
            let call = firehose.tag_delivery_stream().delivery_stream_name(&object.name).set_tags(Some(set));
            call.send().await.during("firehose:TagDeliveryStream")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &StreamModel) -> Result<()> {
        let call = cx.client.firehose().delete_delivery_stream().delivery_stream_name(&object.name);
        if call.send().await.during("firehose:DeleteDeliveryStream").absent_ok(GONE)?.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("delivery stream to be deleted", DELETE), || async {
            match find(cx, &object.name).await? {
                None => Ok(Poll::Ready(())),
                Some(live) if live.delivery_stream_status == DeliveryStreamStatus::DeletingFailed => {
                    Err(failed("the stream could not be deleted", live.failure_description.as_ref()))
                }
                Some(_) => Ok(Poll::Pending),
            }
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<StreamModel> {
        match id.rsplit_once(":deliverystream/") {
            Some((arn, name)) if arn.starts_with("arn:") && !name.is_empty() && !name.contains('/') => {
                Ok(StreamModel { id: Some(id.to_owned()), name: name.to_owned(), ..StreamModel::default() })
            }
            _ => Err(ProviderError::invalid(format!("a delivery stream is imported by its ARN, not by {id:?}"))),
        }
    }
}

fn to_tag((key, value): (&String, &String)) -> Result<Tag, BuildError> {
    Tag::builder().key(key).value(value).build()
}

/// An error that Firehose tells of a stream, not of a call.
fn failed(what: &str, why: Option<&FailureDescription>) -> ProviderError {
    let why = why.map(|why| format!(": {}: {}", why.r#type.as_str(), why.details)).unwrap_or_default();
    ProviderError::new(ErrorKind::Other, format!("{what}{why}")).operation("firehose:DescribeDeliveryStream")
}

/// The stream, if it exists.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    let answer = cx.client.firehose().describe_delivery_stream().delivery_stream_name(name).send().await;
    Ok(answer.during("firehose:DescribeDeliveryStream").absent_ok(GONE)?.and_then(|a| a.delivery_stream_description))
}

/// The stream once it can be used.
async fn active(cx: &Context<'_, AwsClient>, name: &str) -> Result<Found> {
    cx.wait(Wait::new("delivery stream to become ACTIVE", CREATE), || async {
        match find(cx, name).await? {
            Some(live) if live.delivery_stream_status == DeliveryStreamStatus::Active => Ok(Poll::Ready(live)),
            Some(live) if live.delivery_stream_status == DeliveryStreamStatus::CreatingFailed => {
                Err(failed("the stream could not be made", live.failure_description.as_ref()))
            }
            _ => Ok(Poll::Pending),
        }
    })
    .await
}

/// The stream once it is made and its encryption does not change any more.
async fn at_rest(cx: &Context<'_, AwsClient>, name: &str) -> Result<Found> {
    let live = active(cx, name).await?;
    let encryption = live.delivery_stream_encryption_configuration.as_ref();
    match encryption.and_then(|encryption| encryption.status.as_ref()) {
        Some(EncryptionStatus::Enabling) => encrypted(cx, name, EncryptionStatus::Enabled, CREATE).await,
        _ => Ok(live),
    }
}

/// The stream once its encryption is as wanted.
async fn encrypted(
    cx: &Context<'_, AwsClient>,
    name: &str,
    wanted: EncryptionStatus,
    budget: Duration,
) -> Result<Found> {
    cx.wait(Wait::new("encryption of the delivery stream to change", budget), || async {
        let Some(live) = find(cx, name).await? else { return Ok(Poll::Pending) };
        let encryption = live.delivery_stream_encryption_configuration.as_ref();
        match encryption.and_then(|encryption| encryption.status.as_ref()) {
            Some(status) if *status == wanted => Ok(Poll::Ready(live)),
            Some(EncryptionStatus::EnablingFailed | EncryptionStatus::DisablingFailed) => {
                let why = encryption.and_then(|encryption| encryption.failure_description.as_ref());
                Err(failed("the stream's encryption could not be changed", why))
            }
            _ => Ok(Poll::Pending),
        }
    })
    .await
}

/// The tags of the stream; none where it is gone.
async fn read_tags(cx: &Context<'_, AwsClient>, name: &str) -> Result<Tags> {
    let mut all = Tags::new();
    loop {
        let call = cx.client.firehose().list_tags_for_delivery_stream().delivery_stream_name(name);
        let call = call.set_exclusive_start_tag_key(all.last_key_value().map(|(key, _)| key.clone()));
        let answer = call.send().await.during("firehose:ListTagsForDeliveryStream").absent_ok(GONE)?;
        let Some(page) = answer else { return Ok(all) };
        let before = all.len();
        all.extend(to_map(page.tags.iter().map(|tag| (tag.key(), tag.value().unwrap_or_default()))));
        if !page.has_more_tags || all.len() == before {
            return Ok(all);
        }
    }
}

impl KinesisSource {
    fn to_api(&self) -> Result<KinesisStreamSourceConfiguration, BuildError> {
        let source = KinesisStreamSourceConfiguration::builder().kinesis_stream_arn(&self.kinesis_stream_arn);
        source.role_arn(&self.role_arn).build()
    }
}

impl MskSource {
    fn to_api(&self) -> Result<MskSourceConfiguration, BuildError> {
        let authentication = self.authentication_configuration.first().map(|authentication| {
            let connectivity = authentication.connectivity.as_str().into();
            AuthenticationConfiguration::builder().connectivity(connectivity).role_arn(&authentication.role_arn).build()
        });
        let moment = given(&self.read_from_timestamp);
        MskSourceConfiguration::builder()
            .msk_cluster_arn(&self.msk_cluster_arn)
            .topic_name(&self.topic_name)
            .set_authentication_configuration(authentication.transpose()?)
            .set_read_from_timestamp(moment.as_deref().and_then(plan::moment))
            .build()
    }

    fn from_api(live: MskSourceDescription) -> Self {
        let authentication = live.authentication_configuration.map(|authentication| MskAuthentication {
            connectivity: authentication.connectivity.as_str().to_owned(),
            role_arn: authentication.role_arn,
        });
        let moment = live.read_from_timestamp.map(|at| DateTime::from_secs(at.secs()).fmt(Format::DateTime));
        Self {
            msk_cluster_arn: live.msk_cluster_arn.unwrap_or_default(),
            read_from_timestamp: text(moment.and_then(Result::ok)),
            topic_name: live.topic_name.unwrap_or_default(),
            authentication_configuration: authentication.into_iter().collect(),
        }
    }
}

impl StreamModel {
    fn is_encrypted(&self) -> bool {
        self.server_side_encryption.first().is_some_and(|encryption| encryption.enabled == Some(true))
    }

    /// All destinations, to compare them.
    fn destinations(&self) -> lakeform_core::Value {
        let bare = Self { name: self.name.clone(), ..Self::default() };
        let with = Self {
            elasticsearch_configuration: self.elasticsearch_configuration.clone(),
            extended_s3_configuration: self.extended_s3_configuration.clone(),
            http_endpoint_configuration: self.http_endpoint_configuration.clone(),
            iceberg_configuration: self.iceberg_configuration.clone(),
            opensearch_configuration: self.opensearch_configuration.clone(),
            opensearchserverless_configuration: self.opensearchserverless_configuration.clone(),
            redshift_configuration: self.redshift_configuration.clone(),
            snowflake_configuration: self.snowflake_configuration.clone(),
            splunk_configuration: self.splunk_configuration.clone(),
            ..bare
        };
        with.into_value()
    }

    async fn update_destination(&self, cx: &Context<'_, AwsClient>, prior: &Self) -> Result<()> {
        let call = cx.client.firehose().update_destination().delivery_stream_name(&self.name);
        let call = call.set_current_delivery_stream_version_id(prior.version_id.clone());
        let call = call.set_destination_id(prior.destination_id.clone());
        let call = match self.destination.as_str() {
            "elasticsearch" => call.set_elasticsearch_destination_update(
                self.elasticsearch_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "http_endpoint" => call.set_http_endpoint_destination_update(
                self.http_endpoint_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "iceberg" => call.set_iceberg_destination_update(
                self.iceberg_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "opensearch" => call.set_amazonopensearchservice_destination_update(
                self.opensearch_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "opensearchserverless" => call.set_amazon_open_search_serverless_destination_update(
                self.opensearchserverless_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "redshift" => call.set_redshift_destination_update(
                self.redshift_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "snowflake" => call.set_snowflake_destination_update(
                self.snowflake_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            "splunk" => call.set_splunk_destination_update(
                self.splunk_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
            _ => call.set_extended_s3_destination_update(
                self.extended_s3_configuration.first().map(|to| built(to.to_update())).transpose()?,
            ),
        };
        settle(cx, || async { Box::pin(call.clone().send()).await.during("firehose:UpdateDestination") })
            .await
            .map(drop)
    }

    /// Encrypts with the key that the stack names.
    async fn encrypt(&self, cx: &Context<'_, AwsClient>, budget: Duration) -> Result<Found> {
        let encryption = self.server_side_encryption.first();
        let input = DeliveryStreamEncryptionConfigurationInput::builder()
            .set_key_arn(encryption.and_then(|encryption| given(&encryption.key_arn)))
            .set_key_type(encryption.and_then(|encryption| chosen(&encryption.key_type)))
            .build();
        let call = cx.client.firehose().start_delivery_stream_encryption().delivery_stream_name(&self.name);
        let call = call.delivery_stream_encryption_configuration_input(built(input)?);
        call.send().await.during("firehose:StartDeliveryStreamEncryption")?;
        encrypted(cx, &self.name, EncryptionStatus::Enabled, budget).await
    }

    /// Ends encryption.
    async fn decrypt(&self, cx: &Context<'_, AwsClient>) -> Result<Found> {
        let call = cx.client.firehose().stop_delivery_stream_encryption().delivery_stream_name(&self.name);
        call.send().await.during("firehose:StopDeliveryStreamEncryption")?;
        encrypted(cx, &self.name, EncryptionStatus::Disabled, UPDATE).await
    }

    /// What the API says of the stream.
    fn take(&mut self, live: Found) {
        self.arn = Some(live.delivery_stream_arn);
        self.name = live.delivery_stream_name;
        self.version_id = Some(live.version_id);
        let (kinesis, msk) = live
            .source
            .map_or((None, None), |source| (source.kinesis_stream_source_description, source.msk_source_description));
        let kinesis = kinesis.map(|source| KinesisSource {
            kinesis_stream_arn: source.kinesis_stream_arn.unwrap_or_default(),
            role_arn: source.role_arn.unwrap_or_default(),
        });
        self.kinesis_source_configuration = kinesis.into_iter().collect();
        self.msk_source_configuration = msk.map(MskSource::from_api).into_iter().collect();
        let stored = self.server_side_encryption.pop().filter(|encryption| encryption.enabled == Some(false));
        let encryption = live.delivery_stream_encryption_configuration;
        let encryption = encryption.filter(|encryption| encryption.status == Some(EncryptionStatus::Enabled));
        let encryption = match encryption {
            Some(encryption) => Encryption {
                enabled: Some(true),
                key_arn: text(encryption.key_arn),
                key_type: text(encryption.key_type),
            },
            None => stored.unwrap_or_else(|| Encryption {
                enabled: Some(false),
                key_arn: text(None::<&str>),
                key_type: Some("AWS_OWNED_CMK".to_owned()),
            }),
        };
        self.server_side_encryption = vec![encryption];
        if let Some(destination) = live.destinations.into_iter().next() {
            self.take_destination(destination);
        }
    }

    fn take_destination(&mut self, live: DestinationDescription) {
        /// The one block of a destination, read anew, and the name of the destination.
        macro_rules! read {
            ($name:literal, $field:ident, $live:expr) => {{
                let stored = self.$field.pop();
                self.$field = vec![parts::Destination::read($live, stored.as_ref())];
                $name
            }};
        }
        self.destination_id = Some(live.destination_id);
        let name = if let Some(live) = live.elasticsearch_destination_description {
            read!("elasticsearch", elasticsearch_configuration, live)
        } else if let Some(live) = live.http_endpoint_destination_description {
            read!("http_endpoint", http_endpoint_configuration, live)
        } else if let Some(live) = live.iceberg_destination_description {
            read!("iceberg", iceberg_configuration, live)
        } else if let Some(live) = live.amazonopensearchservice_destination_description {
            read!("opensearch", opensearch_configuration, live)
        } else if let Some(live) = live.amazon_open_search_serverless_destination_description {
            read!("opensearchserverless", opensearchserverless_configuration, live)
        } else if let Some(live) = live.redshift_destination_description {
            read!("redshift", redshift_configuration, live)
        } else if let Some(live) = live.snowflake_destination_description {
            read!("snowflake", snowflake_configuration, live)
        } else if let Some(live) = live.splunk_destination_description {
            read!("splunk", splunk_configuration, live)
        } else if let Some(live) = live.extended_s3_destination_description {
            read!("extended_s3", extended_s3_configuration, live)
        } else {
            return;
        };
        self.destination = name.to_owned();
    }
}
