//! The destinations `elasticsearch`, `opensearch` and `opensearchserverless`.

use aws_sdk_firehose::{
    error::BuildError,
    types::{
        AmazonOpenSearchServerlessDestinationConfiguration, AmazonOpenSearchServerlessDestinationDescription,
        AmazonOpenSearchServerlessDestinationUpdate, AmazonopensearchserviceDestinationConfiguration,
        AmazonopensearchserviceDestinationDescription, AmazonopensearchserviceDestinationUpdate, DocumentIdOptions,
        ElasticsearchDestinationConfiguration, ElasticsearchDestinationDescription, ElasticsearchDestinationUpdate,
    },
};
use lakeform_provider::Model;

use super::parts::{Bucket, Destination, Logging, MEGABYTE, Processing, Vpc, hints, retries};
use crate::values::{chosen, given, number, text};

/// A domain of Elasticsearch.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Elasticsearch {
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to, 1 to 100. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// Endpoint of the domain's cluster. Excludes `domain_arn`.
    #[attr(optional)]
    cluster_endpoint: Option<String>,
    /// ARN of the domain.
    #[attr(optional)]
    domain_arn: Option<String>,
    /// Name of the index.
    #[attr(required)]
    index_name: String,
    /// How often there is a new index: `NoRotation`, `OneHour`, `OneDay` (default), `OneWeek` or `OneMonth`
    #[attr(optional, default = "OneDay")]
    index_rotation_period: Option<String>,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 300.
    #[attr(optional, default = 300)]
    retry_duration: Option<i64>,
    /// ARN of the role that delivers.
    #[attr(required)]
    role_arn: String,
    /// What is kept in S3: `FailedDocumentsOnly` (default) or `AllDocuments`
    #[attr(optional, force_new, default = "FailedDocumentsOnly")]
    s3_backup_mode: Option<String>,
    /// Name of the type.
    #[attr(optional)]
    type_name: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
    /// The network that the domain is reached by.
    #[block(list, max = 1, force_new)]
    vpc_config: Vec<Vpc>,
}

/// A domain of OpenSearch.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct OpenSearch {
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to, 1 to 100. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// Endpoint of the domain's cluster. Excludes `domain_arn`.
    #[attr(optional)]
    cluster_endpoint: Option<String>,
    /// ARN of the domain.
    #[attr(optional)]
    domain_arn: Option<String>,
    /// Name of the index.
    #[attr(required)]
    index_name: String,
    /// How often there is a new index: `NoRotation`, `OneHour`, `OneDay` (default), `OneWeek` or `OneMonth`
    #[attr(optional, default = "OneDay")]
    index_rotation_period: Option<String>,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 300.
    #[attr(optional, default = 300)]
    retry_duration: Option<i64>,
    /// ARN of the role that delivers.
    #[attr(required)]
    role_arn: String,
    /// What is kept in S3: `FailedDocumentsOnly` (default) or `AllDocuments`
    #[attr(optional, force_new, default = "FailedDocumentsOnly")]
    s3_backup_mode: Option<String>,
    /// Name of the type.
    #[attr(optional)]
    type_name: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// Who gives ids to documents.
    #[block(list, max = 1)]
    document_id_options: Vec<DocumentId>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
    /// The network that the domain is reached by.
    #[block(list, max = 1, force_new)]
    vpc_config: Vec<Vpc>,
}

/// Who gives ids to documents.
#[derive(Model, Clone, Debug, Default)]
struct DocumentId {
    /// `FIREHOSE_DEFAULT` or `NO_DOCUMENT_ID`
    #[attr(required)]
    default_document_id_format: String,
}

/// A collection of OpenSearch Serverless.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Serverless {
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to, 1 to 100. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// Endpoint of the collection.
    #[attr(required)]
    collection_endpoint: String,
    /// Name of the index.
    #[attr(required)]
    index_name: String,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 300.
    #[attr(optional, default = 300)]
    retry_duration: Option<i64>,
    /// ARN of the role that delivers.
    #[attr(required)]
    role_arn: String,
    /// What is kept in S3: `FailedDocumentsOnly` (default) or `AllDocuments`
    #[attr(optional, force_new, default = "FailedDocumentsOnly")]
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
    /// The network that the collection is reached by.
    #[block(list, max = 1, force_new)]
    vpc_config: Vec<Vpc>,
}

/// The input with what all three take, to create and to change.
macro_rules! described {
    ($input:expr, $of:expr, $hints:ident, $retries:ident) => {
        $input
            .buffering_hints(hints!($hints, $of))
            .set_cloud_watch_logging_options(Logging::to_api(&$of.cloudwatch_logging_options))
            .index_name(&$of.index_name)
            .processing_configuration(Processing::to_api(&$of.processing_configuration, MEGABYTE, &$of.role_arn)?)
            .retry_options(retries!($retries, $of))
            .role_arn(&$of.role_arn)
    };
}

/// The input with what domains take beyond that.
macro_rules! domain {
    ($input:expr, $of:expr) => {
        $input
            .set_cluster_endpoint(given(&$of.cluster_endpoint))
            .set_domain_arn(given(&$of.domain_arn))
            .set_index_rotation_period(chosen(&$of.index_rotation_period))
            .set_type_name(text($of.type_name.as_ref()))
    };
}

/// The input with what only creating takes.
macro_rules! created {
    ($input:expr, $of:expr) => {
        $input
            .set_s3_backup_mode(chosen(&$of.s3_backup_mode))
            .set_s3_configuration($of.s3_configuration.first().map(Bucket::to_api).transpose()?)
            .set_vpc_configuration(Vpc::to_api(&$of.vpc_config)?)
    };
}

/// What was read, of what all three have: the fields of the model that `$more` does not name.
macro_rules! read {
    ($live:expr, $stored:expr, $($more:tt)*) => {{
        let role = $live.role_arn.unwrap_or_default();
        let logging = $stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = $stored.map(|to| to.processing_configuration.as_slice());
        let bucket = $stored.map(|to| to.s3_configuration.as_slice()).unwrap_or_default();
        let hints = $live.buffering_hints.as_ref();
        Self {
            buffering_interval: number(hints.and_then(|hints| hints.interval_in_seconds)),
            buffering_size: number(hints.and_then(|hints| hints.size_in_mbs)),
            index_name: $live.index_name.unwrap_or_default(),
            retry_duration: number($live.retry_options.and_then(|retry| retry.duration_in_seconds)),
            s3_backup_mode: text($live.s3_backup_mode),
            cloudwatch_logging_options: Logging::read($live.cloud_watch_logging_options, logging),
            processing_configuration: Processing::read($live.processing_configuration, steps, MEGABYTE, &role),
            s3_configuration: Bucket::read($live.s3_destination_description, bucket),
            vpc_config: Vpc::read($live.vpc_configuration_description),
            role_arn: role,
            $($more)*
        }
    }};
}

impl Elasticsearch {
    pub(super) fn to_api(&self) -> Result<ElasticsearchDestinationConfiguration, BuildError> {
        let input = ElasticsearchDestinationConfiguration::builder();
        let input = described!(input, self, ElasticsearchBufferingHints, ElasticsearchRetryOptions);
        created!(domain!(input, self), self).build()
    }

    pub(super) fn to_update(&self) -> Result<ElasticsearchDestinationUpdate, BuildError> {
        let input = ElasticsearchDestinationUpdate::builder();
        let input = described!(input, self, ElasticsearchBufferingHints, ElasticsearchRetryOptions);
        let bucket = self.s3_configuration.first().map(Bucket::to_update).transpose()?;
        Ok(domain!(input, self).set_s3_update(bucket).build())
    }
}

impl Destination<ElasticsearchDestinationDescription> for Elasticsearch {
    fn read(live: ElasticsearchDestinationDescription, stored: Option<&Self>) -> Self {
        read! {
            live, stored,
            cluster_endpoint: text(live.cluster_endpoint),
            domain_arn: text(live.domain_arn),
            index_rotation_period: text(live.index_rotation_period),
            type_name: text(live.type_name),
        }
    }
}

impl OpenSearch {
    fn ids(&self) -> Result<Option<DocumentIdOptions>, BuildError> {
        let ids = self.document_id_options.first().map(|ids| {
            let format = ids.default_document_id_format.as_str().into();
            DocumentIdOptions::builder().default_document_id_format(format).build()
        });
        ids.transpose()
    }

    pub(super) fn to_api(&self) -> Result<AmazonopensearchserviceDestinationConfiguration, BuildError> {
        let input = AmazonopensearchserviceDestinationConfiguration::builder().set_document_id_options(self.ids()?);
        let input = described!(input, self, AmazonopensearchserviceBufferingHints, AmazonopensearchserviceRetryOptions);
        created!(domain!(input, self), self).build()
    }

    pub(super) fn to_update(&self) -> Result<AmazonopensearchserviceDestinationUpdate, BuildError> {
        let input = AmazonopensearchserviceDestinationUpdate::builder().set_document_id_options(self.ids()?);
        let input = described!(input, self, AmazonopensearchserviceBufferingHints, AmazonopensearchserviceRetryOptions);
        let bucket = self.s3_configuration.first().map(Bucket::to_update).transpose()?;
        Ok(domain!(input, self).set_s3_update(bucket).build())
    }
}

impl Destination<AmazonopensearchserviceDestinationDescription> for OpenSearch {
    fn read(live: AmazonopensearchserviceDestinationDescription, stored: Option<&Self>) -> Self {
        let ids = live
            .document_id_options
            .map(|ids| DocumentId { default_document_id_format: ids.default_document_id_format.as_str().to_owned() });
        read! {
            live, stored,
            cluster_endpoint: text(live.cluster_endpoint),
            document_id_options: ids.into_iter().collect(),
            domain_arn: text(live.domain_arn),
            index_rotation_period: text(live.index_rotation_period),
            type_name: text(live.type_name),
        }
    }
}

impl Serverless {
    pub(super) fn to_api(&self) -> Result<AmazonOpenSearchServerlessDestinationConfiguration, BuildError> {
        let input = AmazonOpenSearchServerlessDestinationConfiguration::builder();
        let input = input.collection_endpoint(&self.collection_endpoint);
        let input =
            described!(input, self, AmazonOpenSearchServerlessBufferingHints, AmazonOpenSearchServerlessRetryOptions);
        created!(input, self).build()
    }

    pub(super) fn to_update(&self) -> Result<AmazonOpenSearchServerlessDestinationUpdate, BuildError> {
        let input = AmazonOpenSearchServerlessDestinationUpdate::builder();
        let input = input.collection_endpoint(&self.collection_endpoint);
        let input =
            described!(input, self, AmazonOpenSearchServerlessBufferingHints, AmazonOpenSearchServerlessRetryOptions);
        Ok(input.set_s3_update(self.s3_configuration.first().map(Bucket::to_update).transpose()?).build())
    }
}

impl Destination<AmazonOpenSearchServerlessDestinationDescription> for Serverless {
    fn read(live: AmazonOpenSearchServerlessDestinationDescription, stored: Option<&Self>) -> Self {
        read! { live, stored, collection_endpoint: live.collection_endpoint.unwrap_or_default(), }
    }
}
