//! `aws_cloudwatch_event_target`

use aws_sdk_eventbridge::types::{RunCommandParameters, Target};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{
    DEFAULT_BUS, GONE, bus, check_names, split,
    target_blocks::{
        AppSync, Batch, DeadLetters, Ecs, Http, InputTransformer, Kinesis, Redshift, RetryPolicy, RunCommand,
        SageMakerPipeline, Sqs, check_blocks,
    },
    with_bus,
};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming,
    propagation::settle,
};

/// What a rule calls.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct TargetModel {
    /// ARN of what is called.
    #[attr(required)]
    arn: String,
    /// Name or ARN of the event bus. Default: `default`.
    #[attr(optional, force_new, default = "default")]
    event_bus_name: Option<String>,
    /// Whether the target of a rule that an AWS service manages may be removed. Default: `false`.
    #[attr(optional, default = false)]
    force_destroy: Option<bool>,
    /// `RULE-TARGET`, or `BUS-RULE-TARGET` on another bus than the default one.
    #[attr(optional, computed)]
    id: Option<String>,
    /// JSON that the target gets in place of the event.
    #[attr(optional)]
    input: Option<String>,
    /// JSONPath of the part of the event that the target gets.
    #[attr(optional)]
    input_path: Option<String>,
    /// Role that calls the target.
    #[attr(optional)]
    role_arn: Option<String>,
    /// Name of the rule.
    #[attr(required, force_new)]
    rule: String,
    /// Name of the target within its rule. Without it one is made up.
    #[attr(optional, computed, force_new)]
    target_id: Option<String>,
    /// For an AppSync API.
    #[block(list, max = 1)]
    appsync_target: Vec<AppSync>,
    /// For an AWS Batch job.
    #[block(list, max = 1)]
    batch_target: Vec<Batch>,
    /// Where events go that cannot be delivered.
    #[block(list, max = 1)]
    dead_letter_config: Vec<DeadLetters>,
    /// For an ECS task.
    #[block(list, max = 1)]
    ecs_target: Vec<Ecs>,
    /// For an API: API Gateway, or an API destination.
    #[block(list, max = 1)]
    http_target: Vec<Http>,
    /// What the target gets, made of parts of the event.
    #[block(list, max = 1)]
    input_transformer: Vec<InputTransformer>,
    /// For a Kinesis stream.
    #[block(list, max = 1)]
    kinesis_target: Vec<Kinesis>,
    /// For a Redshift cluster.
    #[block(list, max = 1)]
    redshift_target: Vec<Redshift>,
    /// How often and how long delivery is tried.
    #[block(list, max = 1)]
    retry_policy: Vec<RetryPolicy>,
    /// For a command of Systems Manager: which instances run it.
    #[block(list, max = 5)]
    run_command_targets: Vec<RunCommand>,
    /// For a SageMaker pipeline.
    #[block(list, max = 1)]
    sagemaker_pipeline_target: Vec<SageMakerPipeline>,
    /// For a FIFO queue.
    #[block(list, max = 1)]
    sqs_target: Vec<Sqs>,
}

/// `aws_cloudwatch_event_target`
pub(crate) struct EventTarget;

impl ResourceType for EventTarget {
    type Client = AwsClient;
    type Model = TargetModel;
    const NAME: &'static str = "aws_cloudwatch_event_target";
    const IDENTITY: &'static [&'static str] = &["event_bus_name", "rule", "target_id"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let whole = check::Part::whole(change);
        check_names(change, &["rule"])?;
        whole.spelled("target_id", 1..=64, "._-")?;
        for name in ["arn", "role_arn"] {
            whole.arn(name)?;
        }
        for (a, b) in [("input", "input_path"), ("input", "input_transformer"), ("input_path", "input_transformer")] {
            whole.not_both(a, b)?;
        }
        whole.length("input", 0..=8192)?;
        whole.length("input_path", 0..=256)?;
        if whole.text("input").is_some_and(|text| serde_json::from_str::<serde_json::Value>(text).is_err()) {
            return Err(whole.wrong("input", "input is no JSON".into()));
        }
        check_blocks(&whole)?;
        // Terraform cannot take this block away.
        let block = "sagemaker_pipeline_target";
        if change.config.get(block).and_then(Value::as_slice).is_some_and(<[_]>::is_empty)
            && let Some(before) = change.prior.and_then(|p| p.get(block)).cloned()
        {
            change.set(block, before);
        }
        Ok(())
    }

    fn upgrade(_from: u64, stored: Value) -> Option<Value> {
        Some(with_bus(stored))
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: TargetModel) -> Result<Option<TargetModel>> {
        let wanted = object.target_id.clone().unwrap_or_default();
        let mut next = None;
        loop {
            let call = cx.client.eventbridge().list_targets_by_rule().rule(&object.rule);
            let call = call.event_bus_name(bus(&object.event_bus_name)).limit(100).set_next_token(next);
            let answer = call.send().await.during("events:ListTargetsByRule").absent_ok(GONE)?;
            let Some(answer) = answer else { return Ok(None) };
            if let Some(target) = answer.targets().iter().find(|target| target.id() == wanted) {
                object.take(target);
                return Ok(Some(object));
            }
            next = answer.next_token;
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut TargetModel) -> Result<()> {
        object.name_target(cx);
        object.put(cx).await?;
        object.id = Some(object.name());
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.name_target(cx);
        planned.id = Some(planned.name());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &TargetModel, object: &mut TargetModel) -> Result<()> {
        let same = TargetModel { force_destroy: prior.force_destroy, ..object.clone() } == *prior;
        if same { Ok(()) } else { object.put(cx).await }
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &TargetModel) -> Result<()> {
        let call = cx.client.eventbridge().remove_targets().rule(&object.rule);
        let call =
            call.event_bus_name(bus(&object.event_bus_name)).set_ids(object.target_id.clone().map(|id| vec![id]));
        let call = call.force(object.force_destroy == Some(true));
        let answer = settle(cx, || async {
            let answer = call.clone().send().await.during("events:RemoveTargets")?;
            let failed = answer.failed_entries().iter().map(|entry| (entry.error_code(), entry.error_message()));
            all_done("events:RemoveTargets", failed)
        });
        answer.await.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<TargetModel> {
        let (rest, target) = id.rsplit_once('/').unwrap_or_default();
        let (bus, rule) = split(rest, "RULE").ok().filter(|_| !target.is_empty()).ok_or_else(|| {
            ProviderError::invalid(format!("{id:?} is not of the form RULE/TARGET or BUS/RULE/TARGET"))
        })?;
        let mut object = TargetModel {
            event_bus_name: Some(bus.to_owned()),
            rule: rule.to_owned(),
            target_id: Some(target.to_owned()),
            force_destroy: Some(false),
            ..TargetModel::default()
        };
        object.id = Some(object.name());
        Ok(object)
    }
}

impl TargetModel {
    /// Makes a name up where the stack gives none.
    fn name_target(&mut self, cx: &Context<'_, AwsClient>) {
        if self.target_id.as_deref().is_none_or(str::is_empty) {
            self.target_id = Some(naming::unique("terraform-", cx.token));
        }
    }

    /// The identifier in state.
    fn name(&self) -> String {
        let (bus, target) = (bus(&self.event_bus_name), self.target_id.as_deref().unwrap_or_default());
        if bus == DEFAULT_BUS { format!("{}-{target}", self.rule) } else { format!("{bus}-{}-{target}", self.rule) }
    }

    /// Adds the target, or sets all of it.
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let call = cx.client.eventbridge().put_targets().rule(&self.rule);
        let call = call.event_bus_name(bus(&self.event_bus_name)).targets(self.target()?);
        settle(cx, || async {
            let answer = call.clone().send().await.during("events:PutTargets")?;
            let failed = answer.failed_entries().iter().map(|entry| (entry.error_code(), entry.error_message()));
            all_done("events:PutTargets", failed)
        })
        .await
    }

    /// The target in the API's words.
    fn target(&self) -> Result<Target> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let commands = self.run_command_targets.iter().map(RunCommand::target).collect::<Result<Vec<_>>>()?;
        let run_command = match commands.is_empty() {
            true => None,
            false => {
                Some(RunCommandParameters::builder().set_run_command_targets(Some(commands)).build().map_err(invalid)?)
            }
        };
        let target = Target::builder()
            .set_id(self.target_id.clone())
            .arn(&self.arn)
            .set_role_arn(given(&self.role_arn))
            .set_input(given(&self.input))
            .set_input_path(given(&self.input_path))
            .set_app_sync_parameters(self.appsync_target.first().map(AppSync::parameters))
            .set_batch_parameters(self.batch_target.first().map(Batch::parameters).transpose()?)
            .set_dead_letter_config(self.dead_letter_config.first().map(DeadLetters::parameters))
            .set_ecs_parameters(self.ecs_target.first().map(Ecs::parameters).transpose()?)
            .set_http_parameters(self.http_target.first().map(Http::parameters))
            .set_input_transformer(self.input_transformer.first().map(InputTransformer::parameters).transpose()?)
            .set_kinesis_parameters(self.kinesis_target.first().map(Kinesis::parameters).transpose()?)
            .set_redshift_data_parameters(self.redshift_target.first().map(Redshift::parameters).transpose()?)
            .set_retry_policy(self.retry_policy.first().map(RetryPolicy::parameters))
            .set_run_command_parameters(run_command)
            .set_sage_maker_pipeline_parameters(
                self.sagemaker_pipeline_target.first().map(SageMakerPipeline::parameters).transpose()?,
            )
            .set_sqs_parameters(self.sqs_target.first().map(Sqs::parameters));
        target.build().map_err(invalid)
    }

    /// What the API says of the target.
    fn take(&mut self, live: &Target) {
        self.arn = live.arn.clone();
        self.role_arn = live.role_arn.clone();
        self.input = live.input.clone();
        self.input_path = live.input_path.clone();
        self.appsync_target = live.app_sync_parameters().map(AppSync::from).into_iter().collect();
        self.batch_target = live.batch_parameters().map(Batch::from).into_iter().collect();
        self.dead_letter_config = live.dead_letter_config().map(DeadLetters::from).into_iter().collect();
        self.ecs_target = live.ecs_parameters().map(Ecs::from).into_iter().collect();
        self.http_target = live.http_parameters().map(Http::from).into_iter().collect();
        self.input_transformer = live.input_transformer().map(InputTransformer::from).into_iter().collect();
        self.kinesis_target = live.kinesis_parameters().map(Kinesis::from).into_iter().collect();
        self.redshift_target = live.redshift_data_parameters().map(Redshift::from).into_iter().collect();
        self.retry_policy = live.retry_policy().map(RetryPolicy::from).into_iter().collect();
        let commands = live.run_command_parameters().map(RunCommandParameters::run_command_targets);
        self.run_command_targets = commands.into_iter().flatten().map(RunCommand::from).collect();
        self.sagemaker_pipeline_target =
            live.sage_maker_pipeline_parameters().map(SageMakerPipeline::from).into_iter().collect();
        self.sqs_target = live.sqs_parameters().map(Sqs::from).into_iter().collect();
    }
}

/// What the SDK finds missing in a request.
pub(super) fn invalid(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::invalid(error.to_string())
}

/// The error of a call that worked but for its only entry.
fn all_done<'a>(
    operation: &'static str,
    failed: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>,
) -> Result<()> {
    match failed.into_iter().next() {
        None => Ok(()),
        Some((code, message)) => Err(ProviderError::new(ErrorKind::Invalid, message.unwrap_or("the target failed"))
            .operation(operation)
            .code(code.unwrap_or("FailedEntry"))
            .attribute(Path::attr("arn"))),
    }
}
