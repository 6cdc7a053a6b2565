//! `data.aws_s3_bucket`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::bucket::endpoints;
use crate::{
    AwsClient,
    error::{Absent, During},
};

/// A bucket of any account that lets itself be looked at.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketDataModel {
    /// ARN of the bucket.
    #[attr(computed)]
    arn: Option<String>,
    /// Name of the bucket.
    #[attr(required)]
    bucket: String,
    /// Domain name: `BUCKET.s3.amazonaws.com`
    #[attr(computed)]
    bucket_domain_name: Option<String>,
    /// Domain name in the bucket's region: `BUCKET.s3.eu-central-1.amazonaws.com`
    #[attr(computed)]
    bucket_regional_domain_name: Option<String>,
    /// Route 53 hosted zone of the region's website endpoints.
    #[attr(computed)]
    hosted_zone_id: Option<String>,
    /// Name of the bucket.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Region of the bucket.
    #[attr(computed)]
    region: Option<String>,
    /// Domain of the website endpoint, where the bucket is a website.
    #[attr(computed)]
    website_domain: Option<String>,
    /// Website endpoint, where the bucket is a website.
    #[attr(computed)]
    website_endpoint: Option<String>,
}

/// `data.aws_s3_bucket`
pub(crate) struct BucketData;

impl DataSource for BucketData {
    type Client = AwsClient;
    type Model = BucketDataModel;
    const NAME: &'static str = "aws_s3_bucket";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut BucketDataModel) -> Result<()> {
        let bucket = object.bucket.as_str();
        let s3 = cx.client.s3();
        let (region, site) = tokio::join!(region_of(cx, bucket), is_website(s3, bucket));
        let region = region?;
        // The bucket may be in another region, and only that one answers for it.
        let site =
            if region == cx.client.region() { site? } else { is_website(&cx.client.s3_in(&region), bucket).await? };
        object.id = Some(bucket.to_owned());
        object.arn = Some(endpoints::arn(bucket, &region));
        object.bucket_domain_name = Some(endpoints::domain_name(bucket, &region));
        object.bucket_regional_domain_name = Some(endpoints::regional_domain_name(bucket, &region));
        object.hosted_zone_id = Some(endpoints::hosted_zone_id(&region).unwrap_or_default().to_owned());
        object.website_domain = site.then(|| endpoints::website_domain(&region));
        object.website_endpoint = site.then(|| endpoints::website_endpoint(bucket, &region));
        object.region = Some(region);
        Ok(())
    }
}

/// The bucket's region: S3 names it in its answer, and when it sends the caller elsewhere too.
async fn region_of(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<String> {
    let answer = cx.client.s3().head_bucket().bucket(bucket).send().await;
    let elsewhere = answer.as_ref().err().and_then(|e| e.raw_response()).filter(|raw| raw.status().as_u16() == 301);
    if let Some(region) = elsewhere.and_then(|raw| raw.headers().get("x-amz-bucket-region")) {
        return Ok(region.to_owned());
    }
    let answer = answer.during("s3:HeadBucket").map_err(|e| {
        if e.kind != ErrorKind::NotFound {
            return e;
        }
        ProviderError { message: format!("there is no bucket {bucket:?}"), ..e }
    })?;
    Ok(answer.bucket_region.unwrap_or_else(|| cx.client.region().to_owned()))
}

async fn is_website(s3: &aws_sdk_s3::Client, bucket: &str) -> Result<bool> {
    let answer = s3.get_bucket_website().bucket(bucket).send().await.during("s3:GetBucketWebsite");
    Ok(answer.absent_ok(&["NoSuchWebsiteConfiguration"])?.is_some())
}
