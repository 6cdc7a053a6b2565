//! The smaller inline settings of a bucket: versioning, logging, CORS, encryption, object lock, acceleration, payer.

use aws_sdk_s3::types::{
    AccelerateConfiguration, BucketAccelerateStatus, BucketLoggingStatus, BucketVersioningStatus, CorsConfiguration,
    CorsRule as ApiCorsRule, DefaultRetention as ApiRetention, LoggingEnabled, MfaDelete, MfaDeleteStatus,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule, Payer,
    RequestPaymentConfiguration, VersioningConfiguration,
};
use lakeform_provider::{Context, Model, ProviderError, Result};

use crate::{
    AwsClient,
    error::{Absent, During},
    s3::{
        bucket_server_side_encryption_configuration::{self as encryption, NO_ENCRYPTION},
        common::{given_number, to_i32},
    },
};

/// Whether the bucket keeps all versions of its objects.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Versioning {
    /// Keep all versions. Once on, it can only be suspended.
    #[attr(optional, default = false)]
    enabled: bool,
    /// Whether deleting a version needs an authentication device. Shown only: changing it needs the device.
    #[attr(optional, default = false)]
    mfa_delete: bool,
}

/// Where S3 writes the access log.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Logging {
    /// Bucket that receives the logs.
    #[attr(required)]
    target_bucket: String,
    /// What the keys of the logs begin with.
    #[attr(optional)]
    target_prefix: Option<String>,
}

/// What browsers may do on behalf of other sites.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct CorsRule {
    /// Headers that a preflight request may ask for.
    #[attr(optional)]
    allowed_headers: Option<Vec<String>>,
    /// `GET`, `PUT`, `POST`, `DELETE`, `HEAD`
    #[attr(required)]
    allowed_methods: Vec<String>,
    /// Sites.
    #[attr(required)]
    allowed_origins: Vec<String>,
    /// Headers of the answer that the site may see.
    #[attr(optional)]
    expose_headers: Option<Vec<String>>,
    /// For how long the browser may remember, in seconds.
    #[attr(optional)]
    max_age_seconds: Option<i64>,
}

/// How S3 encrypts new objects.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Encryption {
    /// The rule.
    #[block(list, min = 1, max = 1)]
    rule: Vec<EncryptionRule>,
}

/// The rule.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct EncryptionRule {
    /// Whether a bucket key saves calls to KMS.
    #[attr(optional)]
    bucket_key_enabled: Option<bool>,
    /// The encryption of objects that come without one of their own.
    #[block(list, min = 1, max = 1)]
    apply_server_side_encryption_by_default: Vec<encryption::ByDefault>,
}

/// Keeps objects from being deleted.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct ObjectLock {
    /// `Enabled`. Use the bucket's `object_lock_enabled` instead.
    #[attr(optional, deprecated, force_new)]
    pub(super) object_lock_enabled: Option<String>,
    /// The rule for new objects.
    #[block(list, max = 1)]
    pub(super) rule: Vec<LockRule>,
}

/// The rule for new objects.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct LockRule {
    /// For how long new objects are kept.
    #[block(list, min = 1, max = 1)]
    default_retention: Vec<Retention>,
}

/// For how long new objects are kept.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Retention {
    /// Days.
    #[attr(optional)]
    days: Option<i64>,
    /// `GOVERNANCE` or `COMPLIANCE`
    #[attr(required)]
    mode: String,
    /// Years.
    #[attr(optional)]
    years: Option<i64>,
}

fn incomplete(error: aws_sdk_s3::error::BuildError) -> ProviderError {
    ProviderError::invalid(error.to_string()).source(error)
}

pub(super) async fn put_versioning(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[Versioning]) -> Result<()> {
    let on = wanted.first().is_some_and(|v| v.enabled);
    let status = if on { BucketVersioningStatus::Enabled } else { BucketVersioningStatus::Suspended };
    let configuration = VersioningConfiguration::builder().status(status);
    // Says again what is so; saying anything else would need the device.
    let mfa = wanted.first().is_some_and(|v| v.mfa_delete).then_some(MfaDelete::Enabled);
    let call = cx.client.s3().put_bucket_versioning().bucket(bucket);
    let call = call.versioning_configuration(configuration.set_mfa_delete(mfa).build());
    call.send().await.during("s3:PutBucketVersioning")?;
    Ok(())
}

/// Whether a new bucket, which has no versioning, is as wanted.
pub(super) fn versioning_is_off(wanted: &[Versioning]) -> bool {
    wanted.iter().all(|v| !v.enabled && !v.mfa_delete)
}

pub(super) async fn read_versioning(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<Versioning>> {
    let answer = cx.client.s3().get_bucket_versioning().bucket(bucket).send().await;
    let found = answer.during("s3:GetBucketVersioning")?;
    Ok(vec![Versioning {
        enabled: found.status == Some(BucketVersioningStatus::Enabled),
        mfa_delete: found.mfa_delete == Some(MfaDeleteStatus::Enabled),
    }])
}

pub(super) async fn put_logging(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[Logging]) -> Result<()> {
    let logging = wanted.first().map(|logging| {
        LoggingEnabled::builder()
            .target_bucket(&logging.target_bucket)
            .target_prefix(logging.target_prefix.clone().unwrap_or_default())
            .build()
            .map_err(incomplete)
    });
    let status = BucketLoggingStatus::builder().set_logging_enabled(logging.transpose()?).build();
    let call = cx.client.s3().put_bucket_logging().bucket(bucket).bucket_logging_status(status);
    call.send().await.during("s3:PutBucketLogging")?;
    Ok(())
}

pub(super) async fn read_logging(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<Logging>> {
    let found = cx.client.s3().get_bucket_logging().bucket(bucket).send().await.during("s3:GetBucketLogging")?;
    let logging = |l: LoggingEnabled| Logging { target_bucket: l.target_bucket, target_prefix: Some(l.target_prefix) };
    Ok(found.logging_enabled.map(logging).into_iter().collect())
}

pub(super) async fn put_cors(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[CorsRule]) -> Result<()> {
    if wanted.is_empty() {
        cx.client.s3().delete_bucket_cors().bucket(bucket).send().await.during("s3:DeleteBucketCors")?;
        return Ok(());
    }
    let rule = |rule: &CorsRule| {
        ApiCorsRule::builder()
            .set_allowed_headers(rule.allowed_headers.clone())
            .set_allowed_methods(Some(rule.allowed_methods.clone()))
            .set_allowed_origins(Some(rule.allowed_origins.clone()))
            .set_expose_headers(rule.expose_headers.clone())
            .set_max_age_seconds(rule.max_age_seconds.map(to_i32))
            .build()
    };
    let rules = wanted.iter().map(rule).collect::<Result<Vec<_>, _>>().map_err(incomplete)?;
    let configuration = CorsConfiguration::builder().set_cors_rules(Some(rules)).build().map_err(incomplete)?;
    let call = cx.client.s3().put_bucket_cors().bucket(bucket).cors_configuration(configuration);
    call.send().await.during("s3:PutBucketCors")?;
    Ok(())
}

pub(super) async fn read_cors(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<CorsRule>> {
    let answer = cx.client.s3().get_bucket_cors().bucket(bucket).send().await.during("s3:GetBucketCors");
    let found = answer.absent_ok(&["NoSuchCORSConfiguration"])?;
    let rule = |rule: ApiCorsRule| CorsRule {
        allowed_headers: rule.allowed_headers,
        allowed_methods: rule.allowed_methods,
        allowed_origins: rule.allowed_origins,
        expose_headers: rule.expose_headers,
        max_age_seconds: Some(rule.max_age_seconds.unwrap_or_default().into()),
    };
    Ok(found.and_then(|f| f.cors_rules).unwrap_or_default().into_iter().map(rule).collect())
}

pub(super) async fn put_encryption(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[Encryption]) -> Result<()> {
    let Some(wanted) = wanted.first() else {
        let call = cx.client.s3().delete_bucket_encryption().bucket(bucket);
        call.send().await.during("s3:DeleteBucketEncryption").absent_ok(&[NO_ENCRYPTION])?;
        return Ok(());
    };
    let rule = |r: &EncryptionRule| encryption::Rule {
        bucket_key_enabled: r.bucket_key_enabled,
        apply_server_side_encryption_by_default: r.apply_server_side_encryption_by_default.clone(),
    };
    let rules: Vec<_> = wanted.rule.iter().map(rule).collect();
    let call = cx.client.s3().put_bucket_encryption().bucket(bucket);
    let call = call.server_side_encryption_configuration(encryption::to_api(&rules)?);
    call.send().await.during("s3:PutBucketEncryption")?;
    Ok(())
}

pub(super) async fn read_encryption(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<Encryption>> {
    let answer = cx.client.s3().get_bucket_encryption().bucket(bucket).send().await;
    let found = answer.during("s3:GetBucketEncryption").absent_ok(&[NO_ENCRYPTION])?;
    let rule = |r: encryption::Rule| EncryptionRule {
        bucket_key_enabled: r.bucket_key_enabled,
        apply_server_side_encryption_by_default: r.apply_server_side_encryption_by_default,
    };
    let configuration = found.and_then(|f| f.server_side_encryption_configuration);
    let rules: Vec<_> = encryption::from_api(configuration).into_iter().map(rule).collect();
    Ok(if rules.is_empty() { vec![] } else { vec![Encryption { rule: rules }] })
}

pub(super) async fn put_object_lock(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[ObjectLock]) -> Result<()> {
    let retention = wanted.iter().flat_map(|w| &w.rule).flat_map(|r| &r.default_retention).next().map(|r| {
        ApiRetention::builder()
            .mode(ObjectLockRetentionMode::from(r.mode.as_str()))
            .set_days(given_number(r.days))
            .set_years(given_number(r.years))
            .build()
    });
    let rule = retention.map(|retention| ObjectLockRule::builder().default_retention(retention).build());
    let configuration = ObjectLockConfiguration::builder();
    let configuration = configuration.object_lock_enabled(ObjectLockEnabled::Enabled).set_rule(rule).build();
    let call = cx.client.s3().put_object_lock_configuration().bucket(bucket);
    let call = call.object_lock_configuration(configuration);
    call.send().await.during("s3:PutObjectLockConfiguration")?;
    Ok(())
}

pub(super) async fn read_object_lock(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<ObjectLock>> {
    let answer = cx.client.s3().get_object_lock_configuration().bucket(bucket).send().await;
    let found = answer.during("s3:GetObjectLockConfiguration").absent_ok(&["ObjectLockConfigurationNotFoundError"])?;
    let Some(found) = found.and_then(|f| f.object_lock_configuration) else { return Ok(vec![]) };
    let retention = |r: ApiRetention| Retention {
        days: Some(r.days.unwrap_or_default().into()),
        mode: r.mode.map(|m| m.as_str().to_owned()).unwrap_or_default(),
        years: Some(r.years.unwrap_or_default().into()),
    };
    let rule =
        |r: ObjectLockRule| LockRule { default_retention: r.default_retention.map(retention).into_iter().collect() };
    Ok(vec![ObjectLock {
        object_lock_enabled: found.object_lock_enabled.map(|e| e.as_str().to_owned()),
        rule: found.rule.map(rule).into_iter().collect(),
    }])
}

pub(super) async fn put_acceleration(cx: &Context<'_, AwsClient>, bucket: &str, status: &str) -> Result<()> {
    let configuration = AccelerateConfiguration::builder().status(BucketAccelerateStatus::from(status)).build();
    let call = cx.client.s3().put_bucket_accelerate_configuration().bucket(bucket);
    let call = call.accelerate_configuration(configuration);
    call.send().await.during("s3:PutBucketAccelerateConfiguration")?;
    Ok(())
}

pub(super) async fn read_acceleration(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<String> {
    let answer = cx.client.s3().get_bucket_accelerate_configuration().bucket(bucket).send().await;
    let found = answer.during("s3:GetBucketAccelerateConfiguration")?;
    Ok(found.status.map(|s| s.as_str().to_owned()).unwrap_or_default())
}

pub(super) async fn put_payer(cx: &Context<'_, AwsClient>, bucket: &str, payer: &str) -> Result<()> {
    let configuration = RequestPaymentConfiguration::builder().payer(Payer::from(payer)).build().map_err(incomplete)?;
    let call = cx.client.s3().put_bucket_request_payment().bucket(bucket);
    let call = call.request_payment_configuration(configuration);
    call.send().await.during("s3:PutBucketRequestPayment")?;
    Ok(())
}

pub(super) async fn read_payer(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<String> {
    let answer = cx.client.s3().get_bucket_request_payment().bucket(bucket).send().await;
    let found = answer.during("s3:GetBucketRequestPayment")?;
    Ok(found.payer.map(|p| p.as_str().to_owned()).unwrap_or_default())
}
