//! What destinations have in common.

use std::collections::BTreeSet;

use aws_sdk_firehose::{
    error::BuildError,
    types::{
        BufferingHints, CloudWatchLoggingOptions, EncryptionConfiguration, KmsEncryptionConfig, NoEncryptionConfig,
        ProcessingConfiguration, Processor as ApiProcessor, ProcessorParameter, ProcessorParameterName, ProcessorType,
        S3DestinationConfiguration, S3DestinationDescription, S3DestinationUpdate, SecretsManagerConfiguration,
        VpcConfiguration, VpcConfigurationDescription,
    },
};
use lakeform_provider::Model;

use crate::values::{chosen, given, number, text, to_i32};

/// A destination's block, which can be read.
pub(super) trait Destination<Live>: Sized {
    /// What the API says of it. `stored` is the block as it was: secrets are never told.
    fn read(live: Live, stored: Option<&Self>) -> Self;
}

/// A bucket that gets records, or those that cannot be delivered.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Bucket {
    /// ARN of the bucket.
    #[attr(required)]
    bucket_arn: String,
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// `UNCOMPRESSED` (default), `GZIP`, `ZIP`, `Snappy` or `HADOOP_SNAPPY`
    #[attr(optional, default = "UNCOMPRESSED")]
    compression_format: Option<String>,
    /// What the keys of records begin with that cannot be delivered.
    #[attr(optional)]
    error_output_prefix: Option<String>,
    /// ARN of the KMS key that encrypts objects.
    #[attr(optional)]
    kms_key_arn: Option<String>,
    /// What keys begin with.
    #[attr(optional)]
    prefix: Option<String>,
    /// ARN of the role that writes objects.
    #[attr(required)]
    role_arn: String,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
}

/// Where errors are logged.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Logging {
    /// Whether they are. Default: `false`.
    #[attr(optional, default = false)]
    enabled: Option<bool>,
    /// Name of the log group.
    #[attr(optional)]
    log_group_name: Option<String>,
    /// Name of the log stream.
    #[attr(optional)]
    log_stream_name: Option<String>,
}

/// What is done with records before they are delivered.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Processing {
    /// Whether it is done.
    #[attr(optional)]
    enabled: Option<bool>,
    /// The steps.
    #[block(list)]
    processors: Vec<Processor>,
}

/// A step.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Processor {
    /// Kind of step: `Lambda`, `MetadataExtraction`, `RecordDeAggregation`, `AppendDelimiterToRecord`, `Decompression` or
    /// `CloudWatchLogProcessing`
    #[attr(name = "type", required)]
    kind: String,
    /// What the step is told. What has its default value is not stored.
    #[block(set)]
    parameters: Vec<Parameter>,
}

/// What a step is told.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Parameter {
    /// `LambdaArn`, `NumberOfRetries`, ...
    #[attr(required)]
    parameter_name: String,
    /// Its value.
    #[attr(required)]
    parameter_value: String,
}

/// A secret with what a destination asks for.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Secrets {
    /// Whether it is used.
    #[attr(optional, computed, force_new)]
    enabled: Option<bool>,
    /// ARN of the role that reads it.
    #[attr(optional)]
    role_arn: Option<String>,
    /// ARN of the secret.
    #[attr(optional)]
    secret_arn: Option<String>,
}

/// The network that a destination is reached by.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Vpc {
    /// ARN of the role that makes network interfaces.
    #[attr(required, force_new)]
    role_arn: String,
    /// Ids of security groups.
    #[attr(required, force_new)]
    security_group_ids: BTreeSet<String>,
    /// Ids of subnets.
    #[attr(required, force_new)]
    subnet_ids: BTreeSet<String>,
    /// Id of the VPC.
    #[attr(computed)]
    vpc_id: Option<String>,
}

/// Interval and size of a destination's buffer, in its own type.
macro_rules! hints {
    ($type:ident, $of:expr) => {
        aws_sdk_firehose::types::$type::builder()
            .set_interval_in_seconds($of.buffering_interval.map($crate::values::to_i32))
            .set_size_in_mbs($of.buffering_size.map($crate::values::to_i32))
            .build()
    };
}
pub(super) use hints;

/// How long a destination tries again, in its own type.
macro_rules! retries {
    ($type:ident, $of:expr) => {
        aws_sdk_firehose::types::$type::builder()
            .set_duration_in_seconds($of.retry_duration.map($crate::values::to_i32))
            .build()
    };
}
pub(super) use retries;

/// Encryption of objects: with the key, or none.
pub(super) fn encryption(key: &Option<String>) -> Result<EncryptionConfiguration, BuildError> {
    let encryption = EncryptionConfiguration::builder();
    Ok(match given(key) {
        Some(key) => {
            encryption.kms_encryption_config(KmsEncryptionConfig::builder().awskms_key_arn(key).build()?).build()
        }
        None => encryption.no_encryption_config(NoEncryptionConfig::NoEncryption).build(),
    })
}

/// The key of [`encryption`].
pub(super) fn key(live: Option<EncryptionConfiguration>) -> Option<String> {
    text(live.and_then(|encryption| encryption.kms_encryption_config).map(|kms| kms.awskms_key_arn))
}

/// The two numbers of a buffer.
pub(super) fn buffer(live: Option<BufferingHints>) -> (Option<i64>, Option<i64>) {
    live.map_or((None, None), |hints| (number(hints.interval_in_seconds), number(hints.size_in_mbs)))
}

impl Bucket {
    pub(super) fn to_api(&self) -> Result<S3DestinationConfiguration, BuildError> {
        S3DestinationConfiguration::builder()
            .bucket_arn(&self.bucket_arn)
            .buffering_hints(hints!(BufferingHints, self))
            .set_cloud_watch_logging_options(Logging::to_api(&self.cloudwatch_logging_options))
            .set_compression_format(chosen(&self.compression_format))
            .encryption_configuration(encryption(&self.kms_key_arn)?)
            .set_error_output_prefix(given(&self.error_output_prefix))
            .set_prefix(text(self.prefix.as_ref()))
            .role_arn(&self.role_arn)
            .build()
    }

    pub(super) fn to_update(&self) -> Result<S3DestinationUpdate, BuildError> {
        Ok(S3DestinationUpdate::builder()
            .bucket_arn(&self.bucket_arn)
            .buffering_hints(hints!(BufferingHints, self))
            .set_cloud_watch_logging_options(Logging::to_api(&self.cloudwatch_logging_options))
            .set_compression_format(chosen(&self.compression_format))
            .encryption_configuration(encryption(&self.kms_key_arn)?)
            .set_error_output_prefix(text(self.error_output_prefix.as_ref()))
            .set_prefix(text(self.prefix.as_ref()))
            .role_arn(&self.role_arn)
            .build())
    }

    /// What the API says of a bucket, if there is one.
    pub(super) fn read(live: Option<S3DestinationDescription>, stored: &[Self]) -> Vec<Self> {
        let stored = stored.first();
        let bucket = live.map(|live| {
            let (buffering_interval, buffering_size) = buffer(live.buffering_hints);
            let logging = stored.map(|bucket| bucket.cloudwatch_logging_options.as_slice());
            Self {
                bucket_arn: live.bucket_arn,
                buffering_interval,
                buffering_size,
                compression_format: text(Some(live.compression_format)),
                error_output_prefix: text(live.error_output_prefix),
                kms_key_arn: key(live.encryption_configuration),
                prefix: text(live.prefix),
                role_arn: live.role_arn,
                cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            }
        });
        bucket.into_iter().collect()
    }
}

impl Logging {
    pub(super) fn to_api(blocks: &[Self]) -> Option<CloudWatchLoggingOptions> {
        let logging = blocks.first()?;
        let options = CloudWatchLoggingOptions::builder().enabled(logging.enabled.unwrap_or_default());
        let options = options.set_log_group_name(text(logging.log_group_name.as_ref()));
        Some(options.set_log_stream_name(text(logging.log_stream_name.as_ref())).build())
    }

    pub(super) fn read(live: Option<CloudWatchLoggingOptions>, stored: Option<&[Self]>) -> Vec<Self> {
        // What is switched off has no names any more.
        let stored = stored.and_then(<[Self]>::first);
        let logging = live.map(|live| Self {
            enabled: Some(live.enabled.unwrap_or_default()),
            log_group_name: text(live.log_group_name.or(stored.and_then(|logging| logging.log_group_name.clone()))),
            log_stream_name: text(live.log_stream_name.or(stored.and_then(|logging| logging.log_stream_name.clone()))),
        });
        logging.into_iter().collect()
    }
}

/// What a step is told anyway, of a destination whose buffer has `megabytes`: see AWS's "Data transformation" of Firehose.
fn defaults(kind: &str, megabytes: &str, role: &str) -> Vec<Parameter> {
    let parameter = |name: ProcessorParameterName, value: &str| Parameter {
        parameter_name: name.as_str().to_owned(),
        parameter_value: value.to_owned(),
    };
    if kind != ProcessorType::Lambda.as_str() {
        return vec![];
    }
    let mut all = vec![
        parameter(ProcessorParameterName::LambdaNumberOfRetries, "3"),
        parameter(ProcessorParameterName::BufferSizeInMb, megabytes),
        parameter(ProcessorParameterName::BufferIntervalInSeconds, "60"),
    ];
    if !role.is_empty() {
        all.push(parameter(ProcessorParameterName::RoleArn, role));
    }
    all
}

/// The default buffer of steps for most destinations.
pub(super) const MEGABYTE: &str = "1";

impl Processing {
    /// Steps, with what they are told anyway. Without a block there is no step.
    pub(super) fn to_api(blocks: &[Self], megabytes: &str, role: &str) -> Result<ProcessingConfiguration, BuildError> {
        let step = |processor: &Processor| {
            let mut all = processor.parameters.clone();
            for default in defaults(&processor.kind, megabytes, role) {
                if !all.iter().any(|parameter| parameter.parameter_name == default.parameter_name) {
                    all.push(default);
                }
            }
            let all = all.iter().map(|parameter| {
                let name = parameter.parameter_name.as_str().into();
                ProcessorParameter::builder().parameter_name(name).parameter_value(&parameter.parameter_value).build()
            });
            let all = all.collect::<Result<_, _>>()?;
            ApiProcessor::builder().r#type(processor.kind.as_str().into()).set_parameters(Some(all)).build()
        };
        let processing = blocks.first();
        let steps = processing.map(|processing| processing.processors.as_slice()).unwrap_or_default();
        Ok(ProcessingConfiguration::builder()
            .enabled(processing.and_then(|processing| processing.enabled).unwrap_or_default())
            .set_processors(Some(steps.iter().map(step).collect::<Result<_, _>>()?))
            .build())
    }

    pub(super) fn read(
        live: Option<ProcessingConfiguration>,
        stored: Option<&[Self]>,
        megabytes: &str,
        role: &str,
    ) -> Vec<Self> {
        let stored = stored.and_then(<[Self]>::first).map(|processing| processing.processors.as_slice());
        let stored = stored.unwrap_or_default();
        let processing = live.map(|live| {
            let steps = live.processors.unwrap_or_default().into_iter().enumerate().map(|(i, live)| {
                let kind = live.r#type.as_str().to_owned();
                let defaults = defaults(&kind, megabytes, role);
                let all = live.parameters.unwrap_or_default().into_iter().map(|parameter| Parameter {
                    parameter_name: parameter.parameter_name.as_str().to_owned(),
                    parameter_value: parameter.parameter_value,
                });
                let told = |parameter: &Parameter| stored.get(i).is_some_and(|s| s.parameters.contains(parameter));
                let all = all.filter(|parameter| !defaults.contains(parameter) || told(parameter));
                Processor { parameters: all.collect(), kind }
            });
            Self { enabled: Some(live.enabled.unwrap_or_default()), processors: steps.collect() }
        });
        processing.into_iter().collect()
    }
}

impl Secrets {
    pub(super) fn to_api(blocks: &[Self]) -> Result<Option<SecretsManagerConfiguration>, BuildError> {
        let secret = blocks.first().map(|secret| {
            SecretsManagerConfiguration::builder()
                .enabled(secret.enabled.unwrap_or_default())
                .set_role_arn(given(&secret.role_arn))
                .set_secret_arn(given(&secret.secret_arn))
                .build()
        });
        secret.transpose()
    }

    pub(super) fn read(live: Option<SecretsManagerConfiguration>) -> Vec<Self> {
        let secret = live.map(|live| Self {
            enabled: Some(live.enabled),
            role_arn: text(live.role_arn),
            secret_arn: text(live.secret_arn),
        });
        secret.into_iter().collect()
    }
}

impl Vpc {
    pub(super) fn to_api(blocks: &[Self]) -> Result<Option<VpcConfiguration>, BuildError> {
        let vpc = blocks.first().map(|vpc| {
            VpcConfiguration::builder()
                .role_arn(&vpc.role_arn)
                .set_security_group_ids(Some(vpc.security_group_ids.iter().cloned().collect()))
                .set_subnet_ids(Some(vpc.subnet_ids.iter().cloned().collect()))
                .build()
        });
        vpc.transpose()
    }

    pub(super) fn read(live: Option<VpcConfigurationDescription>) -> Vec<Self> {
        let vpc = live.map(|live| Self {
            role_arn: live.role_arn,
            security_group_ids: live.security_group_ids.into_iter().collect(),
            subnet_ids: live.subnet_ids.into_iter().collect(),
            vpc_id: Some(live.vpc_id),
        });
        vpc.into_iter().collect()
    }
}

/// A number of 32 bits from one that may be absent.
pub(super) fn small(number: Option<i64>) -> Option<i32> {
    number.map(to_i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(parameters: &[(&str, &str)]) -> Processing {
        let parameters = parameters.iter().map(|(name, value)| Parameter {
            parameter_name: (*name).to_owned(),
            parameter_value: (*value).to_owned(),
        });
        let processor = Processor { kind: "Lambda".to_owned(), parameters: parameters.collect() };
        Processing { enabled: Some(true), processors: vec![processor] }
    }

    #[test]
    fn what_a_step_is_told_anyway_is_sent_and_not_stored() {
        let stack = vec![step(&[("LambdaArn", "arn"), ("NumberOfRetries", "5")])];
        let sent = Processing::to_api(&stack, MEGABYTE, "role").unwrap();
        assert_eq!(sent.processors()[0].parameters().len(), 5);
        let read = Processing::read(Some(sent), Some(&stack), MEGABYTE, "role");
        assert_eq!(read[0].processors[0].parameters, stack[0].processors[0].parameters);
    }

    #[test]
    fn what_a_stack_says_stays_although_it_is_the_default() {
        let stack = vec![step(&[("NumberOfRetries", "3")])];
        let sent = Processing::to_api(&stack, MEGABYTE, "").unwrap();
        let read = Processing::read(Some(sent.clone()), Some(&stack), MEGABYTE, "");
        assert_eq!(read[0].processors[0].parameters, stack[0].processors[0].parameters);
        assert!(Processing::read(Some(sent), None, MEGABYTE, "")[0].processors[0].parameters.is_empty());
    }
}
