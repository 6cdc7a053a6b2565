//! The destinations `http_endpoint` and `splunk`.

use aws_sdk_firehose::{
    error::BuildError,
    types::{
        HttpEndpointCommonAttribute, HttpEndpointConfiguration, HttpEndpointDestinationConfiguration,
        HttpEndpointDestinationDescription, HttpEndpointDestinationUpdate, HttpEndpointRequestConfiguration,
        SplunkDestinationConfiguration, SplunkDestinationDescription, SplunkDestinationUpdate,
    },
};
use lakeform_provider::Model;

use super::parts::{Bucket, Destination, Logging, MEGABYTE, Processing, Secrets, hints, retries, small};
use crate::values::{chosen, given, number, text};

/// An HTTP endpoint.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct HttpEndpoint {
    /// The key that is sent along.
    #[attr(optional, sensitive)]
    access_key: Option<String>,
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to, 1 to 100. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// Name of the endpoint.
    #[attr(optional)]
    name: Option<String>,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 300.
    #[attr(optional, default = 300)]
    retry_duration: Option<i64>,
    /// ARN of the role that keeps records.
    #[attr(optional)]
    role_arn: Option<String>,
    /// What is kept in S3: `FailedDataOnly` (default) or `AllData`
    #[attr(optional, default = "FailedDataOnly")]
    s3_backup_mode: Option<String>,
    /// The endpoint: `https://...`
    #[attr(required)]
    url: String,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// What requests look like.
    #[block(list, max = 1, computed)]
    request_configuration: Vec<Request>,
    /// Where records are kept.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
    /// The secret with the key.
    #[block(list, max = 1, computed)]
    secrets_manager_configuration: Vec<Secrets>,
}

/// What requests look like.
#[derive(Model, Clone, Debug, Default)]
struct Request {
    /// How their content is compressed: `NONE` (default) or `GZIP`
    #[attr(optional, default = "NONE")]
    content_encoding: Option<String>,
    /// What is sent along with each.
    #[block(list)]
    common_attributes: Vec<CommonAttribute>,
}

/// What is sent along with each request.
#[derive(Model, Clone, Debug, Default)]
struct CommonAttribute {
    /// Its name.
    #[attr(required)]
    name: String,
    /// Its value.
    #[attr(required)]
    value: String,
}

/// Splunk.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Splunk {
    /// Seconds that records are gathered, 0 to 60. Default: 60.
    #[attr(optional, default = 60)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to, 1 to 5. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// Seconds that Splunk may take to acknowledge, 180 to 600. Default: 180.
    #[attr(optional, default = 180)]
    hec_acknowledgment_timeout: Option<i64>,
    /// Splunk's HTTP Event Collector.
    #[attr(required)]
    hec_endpoint: String,
    /// `Raw` (default) or `Event`
    #[attr(optional, default = "Raw")]
    hec_endpoint_type: Option<String>,
    /// The collector's token.
    #[attr(optional)]
    hec_token: Option<String>,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 3600.
    #[attr(optional, default = 3600)]
    retry_duration: Option<i64>,
    /// What is kept in S3: `FailedEventsOnly` (default) or `AllEvents`
    #[attr(optional, default = "FailedEventsOnly")]
    s3_backup_mode: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
    /// The secret with the token.
    #[block(list, max = 1, computed)]
    secrets_manager_configuration: Vec<Secrets>,
}

/// The input with what an HTTP endpoint takes, to create and to change.
macro_rules! http {
    ($input:expr, $of:expr) => {
        $input
            .endpoint_configuration($of.endpoint()?)
            .buffering_hints(hints!(HttpEndpointBufferingHints, $of))
            .set_cloud_watch_logging_options(Logging::to_api(&$of.cloudwatch_logging_options))
            .processing_configuration(Processing::to_api(&$of.processing_configuration, MEGABYTE, $of.role())?)
            .set_request_configuration($of.request_configuration.first().map(Request::to_api).transpose()?)
            .retry_options(retries!(HttpEndpointRetryOptions, $of))
            .set_role_arn(given(&$of.role_arn))
            .set_s3_backup_mode(chosen(&$of.s3_backup_mode))
            .set_secrets_manager_configuration(Secrets::to_api(&$of.secrets_manager_configuration)?)
    };
}

/// The buffer of steps for Splunk.
const QUARTER: &str = "0.25";

/// The input with what Splunk takes, to create and to change.
macro_rules! splunk {
    ($input:expr, $of:expr) => {
        $input
            .buffering_hints(hints!(SplunkBufferingHints, $of))
            .set_cloud_watch_logging_options(Logging::to_api(&$of.cloudwatch_logging_options))
            .set_hec_acknowledgment_timeout_in_seconds(small($of.hec_acknowledgment_timeout))
            .hec_endpoint(&$of.hec_endpoint)
            .set_hec_endpoint_type(chosen(&$of.hec_endpoint_type))
            .set_hec_token(given(&$of.hec_token))
            .processing_configuration(Processing::to_api(&$of.processing_configuration, QUARTER, "")?)
            .retry_options(retries!(SplunkRetryOptions, $of))
            .set_s3_backup_mode(chosen(&$of.s3_backup_mode))
            .set_secrets_manager_configuration(Secrets::to_api(&$of.secrets_manager_configuration)?)
    };
}

impl Request {
    fn to_api(&self) -> Result<HttpEndpointRequestConfiguration, BuildError> {
        let all = self.common_attributes.iter().map(|attribute| {
            let builder = HttpEndpointCommonAttribute::builder().attribute_name(&attribute.name);
            builder.attribute_value(&attribute.value).build()
        });
        let all = all.collect::<Result<Vec<_>, _>>()?;
        let request = HttpEndpointRequestConfiguration::builder();
        Ok(request.set_content_encoding(chosen(&self.content_encoding)).set_common_attributes(Some(all)).build())
    }

    fn read(live: HttpEndpointRequestConfiguration) -> Self {
        let all = live.common_attributes.unwrap_or_default().into_iter();
        let all = all.map(|live| CommonAttribute { name: live.attribute_name, value: live.attribute_value });
        Self { content_encoding: text(live.content_encoding), common_attributes: all.collect() }
    }
}

impl HttpEndpoint {
    fn role(&self) -> &str {
        self.role_arn.as_deref().unwrap_or_default()
    }

    fn endpoint(&self) -> Result<HttpEndpointConfiguration, BuildError> {
        let endpoint = HttpEndpointConfiguration::builder().url(&self.url).set_name(given(&self.name));
        endpoint.set_access_key(given(&self.access_key)).build()
    }

    pub(super) fn to_api(&self) -> Result<HttpEndpointDestinationConfiguration, BuildError> {
        let bucket = self.s3_configuration.first().map(Bucket::to_api).transpose()?;
        Ok(http!(HttpEndpointDestinationConfiguration::builder(), self).set_s3_configuration(bucket).build())
    }

    pub(super) fn to_update(&self) -> Result<HttpEndpointDestinationUpdate, BuildError> {
        let bucket = self.s3_configuration.first().map(Bucket::to_update).transpose()?;
        Ok(http!(HttpEndpointDestinationUpdate::builder(), self).set_s3_update(bucket).build())
    }
}

impl Destination<HttpEndpointDestinationDescription> for HttpEndpoint {
    fn read(live: HttpEndpointDestinationDescription, stored: Option<&Self>) -> Self {
        let (url, name) = live.endpoint_configuration.map_or((None, None), |endpoint| (endpoint.url, endpoint.name));
        let hints = live.buffering_hints.as_ref();
        let role = live.role_arn.unwrap_or_default();
        let logging = stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = stored.map(|to| to.processing_configuration.as_slice());
        let bucket = stored.map(|to| to.s3_configuration.as_slice()).unwrap_or_default();
        Self {
            access_key: stored.and_then(|to| to.access_key.clone()),
            buffering_interval: number(hints.and_then(|hints| hints.interval_in_seconds)),
            buffering_size: number(hints.and_then(|hints| hints.size_in_mbs)),
            name: text(name),
            retry_duration: number(live.retry_options.and_then(|retry| retry.duration_in_seconds)),
            s3_backup_mode: text(live.s3_backup_mode),
            url: url.unwrap_or_default(),
            cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            processing_configuration: Processing::read(live.processing_configuration, steps, MEGABYTE, &role),
            request_configuration: live.request_configuration.map(Request::read).into_iter().collect(),
            s3_configuration: Bucket::read(live.s3_destination_description, bucket),
            secrets_manager_configuration: Secrets::read(live.secrets_manager_configuration),
            role_arn: Some(role),
        }
    }
}

impl Splunk {
    pub(super) fn to_api(&self) -> Result<SplunkDestinationConfiguration, BuildError> {
        let bucket = self.s3_configuration.first().map(Bucket::to_api).transpose()?;
        splunk!(SplunkDestinationConfiguration::builder(), self).set_s3_configuration(bucket).build()
    }

    pub(super) fn to_update(&self) -> Result<SplunkDestinationUpdate, BuildError> {
        let bucket = self.s3_configuration.first().map(Bucket::to_update).transpose()?;
        Ok(splunk!(SplunkDestinationUpdate::builder(), self).set_s3_update(bucket).build())
    }
}

impl Destination<SplunkDestinationDescription> for Splunk {
    fn read(live: SplunkDestinationDescription, stored: Option<&Self>) -> Self {
        let hints = live.buffering_hints.as_ref();
        let logging = stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = stored.map(|to| to.processing_configuration.as_slice());
        let bucket = stored.map(|to| to.s3_configuration.as_slice()).unwrap_or_default();
        Self {
            buffering_interval: number(hints.and_then(|hints| hints.interval_in_seconds)),
            buffering_size: number(hints.and_then(|hints| hints.size_in_mbs)),
            hec_acknowledgment_timeout: number(live.hec_acknowledgment_timeout_in_seconds),
            hec_endpoint: live.hec_endpoint.unwrap_or_default(),
            hec_endpoint_type: text(live.hec_endpoint_type),
            hec_token: text(live.hec_token),
            retry_duration: number(live.retry_options.and_then(|retry| retry.duration_in_seconds)),
            s3_backup_mode: text(live.s3_backup_mode),
            cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            processing_configuration: Processing::read(live.processing_configuration, steps, QUARTER, ""),
            s3_configuration: Bucket::read(live.s3_destination_description, bucket),
            secrets_manager_configuration: Secrets::read(live.secrets_manager_configuration),
        }
    }
}
