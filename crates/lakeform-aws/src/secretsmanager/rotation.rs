//! `aws_secretsmanager_secret_rotation`

use aws_sdk_secretsmanager::{operation::describe_secret::DescribeSecretOutput, types::RotationRulesType};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{expect, find, unless_deleted};
use crate::{
    AwsClient,
    error::During,
    propagation::settle,
    stored::{given, text},
};

/// How a secret is rotated: when, and by which function.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RotationModel {
    /// ARN of the secret.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether the secret is rotated at once, and not only in its next window. Default: `true`.
    #[attr(optional, default = true)]
    rotate_immediately: Option<bool>,
    /// Whether the secret is rotated.
    #[attr(computed)]
    rotation_enabled: Option<bool>,
    /// ARN of the function that rotates it; not for secrets that AWS manages.
    #[attr(optional)]
    rotation_lambda_arn: Option<String>,
    /// ARN of the secret.
    #[attr(required, force_new)]
    secret_id: String,
    /// When it is rotated.
    #[block(list, min = 1, max = 1)]
    rotation_rules: Vec<Rules>,
}

/// When a secret is rotated.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Rules {
    /// Days between two rotations, 1 to 1000; this or `schedule_expression` is set.
    #[attr(optional)]
    automatically_after_days: Option<i64>,
    /// Length of the window in hours: `3h`
    #[attr(optional)]
    duration: Option<String>,
    /// `cron(...)` or `rate(...)`
    #[attr(optional)]
    schedule_expression: Option<String>,
}

/// `aws_secretsmanager_secret_rotation`
pub(crate) struct Rotation;

impl ResourceType for Rotation {
    type Client = AwsClient;
    type Model = RotationModel;
    const NAME: &'static str = "aws_secretsmanager_secret_rotation";
    const IDENTITY: &'static [&'static str] = &["secret_id"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let wrong = |message: String| Err(ProviderError::invalid(message).attribute(Path::attr("rotation_rules")));
        let rules = change.config.get("rotation_rules").and_then(Value::as_slice).unwrap_or_default();
        let Some(rules) = rules.first() else { return Ok(()) };
        let set = |name: &str| rules.get(name).is_some_and(|v| !v.is_null());
        if set("automatically_after_days") == set("schedule_expression") {
            return wrong("one of automatically_after_days and schedule_expression is expected".into());
        }
        match rules.get("automatically_after_days").and_then(Value::as_i64) {
            Some(days) if !(1..=1000).contains(&days) => {
                wrong(format!("automatically_after_days is {days}; expected is 1 to 1000"))
            }
            _ => Ok(()),
        }
    }

    fn upgrade(_from: u64, mut stored: Value) -> Option<Value> {
        if stored.get("rotate_immediately").is_none_or(Value::is_null) {
            stored.set_attr("rotate_immediately", true.into());
        }
        Some(stored)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: RotationModel) -> Result<Option<RotationModel>> {
        let Some(id) = object.id.clone() else { return Ok(None) };
        let Some(live) = find(cx, &id).await? else { return Ok(None) };
        let on = live.rotation_enabled == Some(true);
        object.rotation_lambda_arn = text(live.rotation_lambda_arn().filter(|_| on));
        object.rotation_rules = live.rotation_rules().filter(|_| on).map(Rules::from).into_iter().collect();
        object.take(&live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut RotationModel) -> Result<()> {
        object.rotate(cx).await
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let live = find(cx, &planned.secret_id).await?;
        let Some(live) = live.filter(|live| live.rotation_enabled == Some(true)) else { return Ok(None) };
        planned.id = live.arn;
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &RotationModel, object: &mut RotationModel) -> Result<()> {
        let arn = |of: &RotationModel| given(&of.rotation_lambda_arn);
        if prior.rotation_rules != object.rotation_rules || arn(prior) != arn(object) {
            object.rotate(cx).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &RotationModel) -> Result<()> {
        let answer = cx.client.secretsmanager().cancel_rotate_secret().set_secret_id(object.id.clone()).send().await;
        unless_deleted(answer.during("secretsmanager:CancelRotateSecret")).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<RotationModel> {
        let (id, rotate_immediately) = (Some(id.to_owned()), Some(true));
        Ok(RotationModel { id, rotate_immediately, ..RotationModel::default() })
    }
}

impl RotationModel {
    /// Switches rotation on as the object says. The secret may hear of its function's permission a little late.
    async fn rotate(&mut self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let call = || async {
            let call = cx.client.secretsmanager().rotate_secret().secret_id(&self.secret_id);
            let call = call.rotate_immediately(self.rotate_immediately != Some(false));
            let call = call.set_rotation_rules(self.rotation_rules.first().map(Rules::sent));
            let call = call.set_rotation_lambda_arn(given(&self.rotation_lambda_arn));
            let call = call.set_client_request_token((!cx.token.is_empty()).then(|| cx.token.to_owned()));
            call.send().await.during("secretsmanager:RotateSecret")
        };
        self.id = settle(cx, call).await?.arn;
        self.take(&expect(cx, self.id.as_deref().unwrap_or(&self.secret_id)).await?);
        Ok(())
    }

    /// What the API decides.
    fn take(&mut self, live: &DescribeSecretOutput) {
        self.id = live.arn.clone();
        self.rotation_enabled = Some(live.rotation_enabled == Some(true));
        if self.secret_id.is_empty() {
            self.secret_id = live.arn.clone().unwrap_or_default();
        }
    }
}

impl Rules {
    fn sent(&self) -> RotationRulesType {
        RotationRulesType::builder()
            .set_automatically_after_days(self.automatically_after_days.filter(|days| *days != 0))
            .set_duration(given(&self.duration))
            .set_schedule_expression(given(&self.schedule_expression))
            .build()
    }
}

impl From<&RotationRulesType> for Rules {
    fn from(live: &RotationRulesType) -> Self {
        let schedule = live.schedule_expression().filter(|text| !text.is_empty());
        Self {
            // Beside a schedule AWS works it out.
            automatically_after_days: Some(live.automatically_after_days.filter(|_| schedule.is_none()).unwrap_or(0)),
            duration: text(live.duration()),
            schedule_expression: text(schedule),
        }
    }
}
