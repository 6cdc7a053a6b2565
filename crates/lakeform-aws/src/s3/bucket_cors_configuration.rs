//! `aws_s3_bucket_cors_configuration`

use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use lakeform_core::{Path, Type, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{
    blocks::{attr, blocks, default, each},
    common::{
        NO_BUCKET, after_creation, bucket_id, given, keep_set_spelling, parse_bucket_id, plan_same_essence, text,
        to_i32,
    },
};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// The code of a bucket without a configuration.
const NO_CORS: &str = "NoSuchCORSConfiguration";

/// The methods that a rule may allow.
const METHODS: &[&str] = &["GET", "PUT", "HEAD", "POST", "DELETE"];

/// Which web pages of other origins may use a bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketCors {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Account that must own the bucket.
    #[attr(optional, force_new)]
    expected_bucket_owner: Option<String>,
    /// `BUCKET`, or `BUCKET,EXPECTED_BUCKET_OWNER`
    #[attr(optional, computed)]
    id: Option<String>,
    /// The rules.
    #[block(set, min = 1, max = 100)]
    cors_rule: Vec<Rule>,
}

/// A rule: origins and what their pages may do.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Rule {
    /// Headers that a preflight request may ask for; `*` stands for any characters.
    #[attr(optional, set)]
    allowed_headers: Vec<String>,
    /// `GET`, `PUT`, `HEAD`, `POST`, `DELETE`
    #[attr(required, set)]
    allowed_methods: Vec<String>,
    /// Origins: `https://www.example.com`, with at most one `*`
    #[attr(required, set)]
    allowed_origins: Vec<String>,
    /// Headers of answers that scripts may read.
    #[attr(optional, set)]
    expose_headers: Vec<String>,
    /// Name of the rule, at most 255 characters.
    #[attr(optional)]
    id: Option<String>,
    /// Seconds for which a browser may keep the answer to a preflight request.
    #[attr(optional)]
    max_age_seconds: Option<i64>,
}

fn rule_to_api(rule: &Rule) -> Result<CorsRule> {
    let some = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
    CorsRule::builder()
        .set_id(given(&rule.id))
        .set_allowed_headers(some(&rule.allowed_headers))
        .set_allowed_methods(Some(rule.allowed_methods.clone()))
        .set_allowed_origins(Some(rule.allowed_origins.clone()))
        .set_expose_headers(some(&rule.expose_headers))
        .set_max_age_seconds(rule.max_age_seconds.map(to_i32))
        .build()
        .map_err(|e| ProviderError::invalid(e.to_string()).source(e))
}

fn rule_from_api(rule: CorsRule) -> Rule {
    Rule {
        allowed_headers: rule.allowed_headers.unwrap_or_default(),
        allowed_methods: rule.allowed_methods,
        allowed_origins: rule.allowed_origins,
        expose_headers: rule.expose_headers.unwrap_or_default(),
        id: text(rule.id.as_deref()),
        max_age_seconds: rule.max_age_seconds.map(i64::from),
    }
}

impl BucketCors {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let rules = self.cors_rule.iter().map(rule_to_api).collect::<Result<Vec<_>>>()?;
        let configuration = CorsConfiguration::builder().set_cors_rules(Some(rules)).build();
        let configuration = configuration.map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
        let call = cx.client.s3().put_bucket_cors().bucket(&self.bucket).cors_configuration(configuration);
        let call = call.set_expected_bucket_owner(given(&self.expected_bucket_owner));
        call.send().await.during("s3:PutBucketCors")?;
        Ok(())
    }

    fn complete(&mut self) {
        self.id = Some(bucket_id(&self.bucket, self.expected_bucket_owner.as_deref()));
        self.expected_bucket_owner.get_or_insert_default();
    }
}

impl ResourceType for BucketCors {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_cors_configuration";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        for (rule, at) in blocks(change.config, "cors_rule", &Path::root()) {
            for method in rule.get("allowed_methods").and_then(Value::as_slice).unwrap_or_default() {
                if let Some(method) = method.as_str().filter(|method| !METHODS.contains(method)) {
                    let message =
                        format!("{method:?} is no method of a CORS rule: expected are {}", METHODS.join(", "));
                    return Err(ProviderError::invalid(message).attribute(at.with(attr("allowed_methods"))));
                }
            }
        }
        // Elements of a set are compared as a whole, so what Terraform stores where nothing is set is planned.
        let none = Value::set(Type::String, vec![]);
        change.planned = each(change.planned.clone(), "cors_rule", |rule| {
            let rule = default(default(rule, "allowed_headers", none.clone()), "expose_headers", none.clone());
            default(rule, "id", "".into())
        });
        plan_same_essence(change, "cors_rule");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call = cx.client.s3().get_bucket_cors().bucket(&object.bucket);
        let answer = call.set_expected_bucket_owner(given(&object.expected_bucket_owner)).send().await;
        let found = answer.during("s3:GetBucketCors").absent_ok(&[NO_BUCKET, NO_CORS])?;
        let Some(found) = found else { return Ok(None) };
        let rules = found.cors_rules.unwrap_or_default().into_iter().map(rule_from_api).collect();
        object.cors_rule = keep_set_spelling(object.cors_rule, rules);
        object.complete();
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        after_creation(cx, || object.put(cx)).await?;
        object.complete();
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        settle(cx, || object.put(cx)).await?;
        object.complete();
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let delete = || async {
            let call = cx.client.s3().delete_bucket_cors().bucket(&object.bucket);
            let call = call.set_expected_bucket_owner(given(&object.expected_bucket_owner));
            call.send().await.during("s3:DeleteBucketCors")
        };
        settle(cx, delete).await.absent_ok(&[NO_BUCKET, NO_CORS])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let (bucket, expected_bucket_owner) = parse_bucket_id(id)?;
        Ok(Self { bucket, expected_bucket_owner, id: Some(id.to_owned()), ..Self::default() })
    }
}
