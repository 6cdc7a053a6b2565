//! `aws_cloudwatch_dashboard`

use lakeform_provider::{Change, Context, FoundBy, Model, ResourceType, Result};

use super::GONE;
use crate::{
    AwsClient, check,
    error::{Absent, During},
    policy,
};

/// A dashboard.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Dashboard {
    /// ARN of the dashboard.
    #[attr(computed)]
    dashboard_arn: Option<String>,
    /// What is shown: the dashboard's JSON.
    #[attr(required, json)]
    dashboard_body: String,
    /// Name of the dashboard.
    #[attr(required, force_new)]
    dashboard_name: String,
    /// Name of the dashboard.
    #[attr(optional, computed)]
    id: Option<String>,
}

impl ResourceType for Dashboard {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_cloudwatch_dashboard";
    const IDENTITY: &'static [&'static str] = &["dashboard_name"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let whole = check::Part::whole(change);
        whole.spelled("dashboard_name", 1..=255, "_-")?;
        let body = whole.text("dashboard_body");
        if body.is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_err()) {
            return Err(whole.wrong("dashboard_body", "dashboard_body is no JSON".into()));
        }
        policy::plan_normal(change, "dashboard_body");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let name = object.id.clone().unwrap_or_default();
        let answer = cx.client.cloudwatch().get_dashboard().dashboard_name(&name).send().await;
        let Some(live) = answer.during("cloudwatch:GetDashboard").absent_ok(GONE)? else { return Ok(None) };
        object.dashboard_arn = live.dashboard_arn;
        object.dashboard_body = live.dashboard_body.unwrap_or_default();
        object.dashboard_name = name;
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        object.put(cx).await?;
        object.id = Some(object.dashboard_name.clone());
        let answer = cx.client.cloudwatch().get_dashboard().dashboard_name(&object.dashboard_name).send().await;
        object.dashboard_arn = answer.during("cloudwatch:GetDashboard")?.dashboard_arn;
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.dashboard_name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        object.put(cx).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let call = cx.client.cloudwatch().delete_dashboards().dashboard_names(&object.dashboard_name);
        call.send().await.during("cloudwatch:DeleteDashboards").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { id: Some(id.to_owned()), dashboard_name: id.to_owned(), ..Self::default() })
    }
}

impl Dashboard {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let call = cx.client.cloudwatch().put_dashboard().dashboard_name(&self.dashboard_name);
        call.dashboard_body(&self.dashboard_body).send().await.during("cloudwatch:PutDashboard").map(drop)
    }
}
