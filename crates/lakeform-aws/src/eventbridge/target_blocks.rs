//! What a target needs beyond its ARN, one block for each kind of target.

use std::collections::BTreeSet;

use aws_sdk_eventbridge::types::{
    AppSyncParameters, AssignPublicIp, AwsVpcConfiguration, BatchArrayProperties, BatchParameters, BatchRetryStrategy,
    CapacityProviderStrategyItem, DeadLetterConfig, EcsParameters, HttpParameters, InputTransformer as Transformer,
    KinesisParameters, LaunchType, NetworkConfiguration, PlacementConstraint, PlacementConstraintType,
    PlacementStrategy, PlacementStrategyType, PropagateTags, RedshiftDataParameters, RetryPolicy as Retries,
    RunCommandTarget, SageMakerPipelineParameter, SageMakerPipelineParameters, SqsParameters, Tag,
};
use lakeform_provider::{Model, Result};

use super::target::invalid;
use crate::{check::Part, tags::Tags};

/// For an AppSync API.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct AppSync {
    /// The GraphQL operation that is called.
    #[attr(optional)]
    graphql_operation: Option<String>,
}

/// For an AWS Batch job.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    /// How many jobs, 2 to 10000, where it is an array.
    #[attr(optional)]
    array_size: Option<i64>,
    /// How often a job is tried, 1 to 10.
    #[attr(optional)]
    job_attempts: Option<i64>,
    /// ARN or name of the job definition.
    #[attr(required)]
    job_definition: String,
    /// Name of the job.
    #[attr(required)]
    job_name: String,
}

/// Where events go that cannot be delivered.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct DeadLetters {
    /// ARN of the queue.
    #[attr(optional)]
    arn: Option<String>,
}

/// For an ECS task.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Ecs {
    /// Whether ECS adds tags of its own. Default: `false`.
    #[attr(optional, default = false)]
    enable_ecs_managed_tags: Option<bool>,
    /// Whether commands may be run in the task's containers. Default: `false`.
    #[attr(optional, default = false)]
    enable_execute_command: Option<bool>,
    /// Group of the task.
    #[attr(optional)]
    group: Option<String>,
    /// `EC2`, `FARGATE` or `EXTERNAL`.
    #[attr(optional)]
    launch_type: Option<String>,
    /// Version of Fargate.
    #[attr(optional)]
    platform_version: Option<String>,
    /// Whether the task gets the tags of its definition: `TASK_DEFINITION`.
    #[attr(optional)]
    propagate_tags: Option<String>,
    /// Tags of the task.
    #[attr(optional)]
    tags: Option<Tags>,
    /// How many tasks are started. Default: 1.
    #[attr(optional, default = 1)]
    task_count: Option<i64>,
    /// ARN of the task definition.
    #[attr(required)]
    task_definition_arn: String,
    /// Which capacity providers run the task.
    #[block(set)]
    capacity_provider_strategy: Vec<CapacityProvider>,
    /// The task's network, in the mode `awsvpc`.
    #[block(list, max = 1)]
    network_configuration: Vec<Network>,
    /// How instances are chosen.
    #[block(list, max = 5)]
    ordered_placement_strategy: Vec<Strategy>,
    /// Which instances may be chosen.
    #[block(set, max = 10)]
    placement_constraint: Vec<Constraint>,
}

/// A capacity provider of a task.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct CapacityProvider {
    /// How many tasks it runs at least.
    #[attr(optional)]
    base: Option<i64>,
    /// Its name.
    #[attr(required)]
    capacity_provider: String,
    /// Its share of the tasks.
    #[attr(optional)]
    weight: Option<i64>,
}

/// The network of a task.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Network {
    /// Whether the task gets a public address. Default: `false`.
    #[attr(optional, default = false)]
    assign_public_ip: Option<bool>,
    /// Security groups.
    #[attr(optional)]
    security_groups: Option<BTreeSet<String>>,
    /// Subnets.
    #[attr(required)]
    subnets: BTreeSet<String>,
}

/// How instances are chosen.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Strategy {
    /// What `spread` and `binpack` look at.
    #[attr(optional)]
    field: Option<String>,
    /// `random`, `spread` or `binpack`.
    #[attr(required, name = "type")]
    kind: String,
}

/// Which instances may be chosen.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Constraint {
    /// What `memberOf` asks for.
    #[attr(optional)]
    expression: Option<String>,
    /// `distinctInstance` or `memberOf`.
    #[attr(required, name = "type")]
    kind: String,
}

/// For an API.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Http {
    /// Headers.
    #[attr(optional)]
    header_parameters: Option<Tags>,
    /// What stands for the `*` of the path, in order.
    #[attr(optional)]
    path_parameter_values: Option<Vec<String>>,
    /// The query.
    #[attr(optional)]
    query_string_parameters: Option<Tags>,
}

/// What the target gets, made of parts of the event.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct InputTransformer {
    /// Names for parts of the event, by JSONPath; 100 at most.
    #[attr(optional)]
    input_paths: Option<Tags>,
    /// Text in which `<name>` stands for the part of that name.
    #[attr(required)]
    input_template: String,
}

/// For a Kinesis stream.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Kinesis {
    /// JSONPath of the partition key.
    #[attr(optional)]
    partition_key_path: Option<String>,
}

/// For a Redshift cluster.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Redshift {
    /// Name of the database.
    #[attr(required)]
    database: String,
    /// User of the database.
    #[attr(optional)]
    db_user: Option<String>,
    /// Secret with the user's password.
    #[attr(optional)]
    secrets_manager_arn: Option<String>,
    /// The statement.
    #[attr(optional)]
    sql: Option<String>,
    /// Name of the statement.
    #[attr(optional)]
    statement_name: Option<String>,
    /// Whether an event tells of the statement's end.
    #[attr(optional)]
    with_event: Option<bool>,
}

/// How often and how long delivery is tried.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct RetryPolicy {
    /// Seconds after which an event is given up, 60 to 86400. Default: 86400.
    #[attr(optional)]
    maximum_event_age_in_seconds: Option<i64>,
    /// How often delivery is tried again, 0 to 185. Default, in a block: 0.
    #[attr(optional)]
    maximum_retry_attempts: Option<i64>,
}

/// Which instances run a command.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct RunCommand {
    /// `InstanceIds`, or `tag:` and the key of a tag.
    #[attr(required)]
    key: String,
    /// Instances, or values of the tag; 50 at most.
    #[attr(required)]
    values: Vec<String>,
}

/// For a SageMaker pipeline.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct SageMakerPipeline {
    /// Parameters of the pipeline.
    #[block(set, max = 200)]
    pipeline_parameter_list: Vec<PipelineParameter>,
}

/// A parameter of a SageMaker pipeline.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct PipelineParameter {
    /// Its name.
    #[attr(required)]
    name: String,
    /// Its value.
    #[attr(required)]
    value: String,
}

/// For a FIFO queue.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Sqs {
    /// Message group of the events.
    #[attr(optional)]
    message_group_id: Option<String>,
}

/// Refuses what the API does not take.
///
/// # Errors
/// With the place of the first such attribute.
pub(super) fn check_blocks(whole: &Part<'_>) -> Result<()> {
    for part in whole.blocks("appsync_target") {
        part.length("graphql_operation", 1..=1_048_576)?;
    }
    for part in whole.blocks("batch_target") {
        part.between("array_size", 2..=10_000)?;
        part.between("job_attempts", 1..=10)?;
    }
    for part in whole.blocks("dead_letter_config") {
        part.arn("arn")?;
    }
    for part in whole.blocks("ecs_target") {
        part.length("group", 1..=255)?;
        part.one_of("launch_type", LaunchType::values())?;
        part.length("platform_version", 0..=1600)?;
        part.one_of("propagate_tags", PropagateTags::values())?;
        part.between("task_count", 1..=i64::from(i32::MAX))?;
        part.arn("task_definition_arn")?;
        for part in part.blocks("capacity_provider_strategy") {
            part.between("base", 0..=100_000)?;
            part.between("weight", 0..=1000)?;
        }
        for part in part.blocks("ordered_placement_strategy") {
            part.length("field", 0..=255)?;
            part.one_of("type", PlacementStrategyType::values())?;
        }
        for part in part.blocks("placement_constraint") {
            part.one_of("type", PlacementConstraintType::values())?;
        }
    }
    for part in whole.blocks("http_target") {
        for name in ["header_parameters", "query_string_parameters"] {
            let all = part.given(name).and_then(|v| v.as_mapping()).into_iter().flatten();
            for (key, value) in all {
                if key.is_empty() || key.len() > 512 || value.as_str().is_some_and(|v| v.len() > 512) {
                    return Err(part.wrong(name, format!("{name} has a name or value of more than 512 characters")));
                }
            }
        }
    }
    for part in whole.blocks("input_transformer") {
        part.length("input_template", 1..=8192)?;
        let paths = part.given("input_paths").and_then(|v| v.as_mapping());
        if paths.is_some_and(|paths| paths.len() > 100) {
            return Err(part.wrong("input_paths", "input_paths has more than 100 paths".into()));
        }
        if paths.is_some_and(|paths| paths.keys().any(|key| key.starts_with("AWS"))) {
            return Err(part.wrong("input_paths", "names in input_paths must not begin with AWS".into()));
        }
    }
    for part in whole.blocks("kinesis_target") {
        part.length("partition_key_path", 1..=256)?;
    }
    for part in whole.blocks("redshift_target") {
        part.length("database", 1..=64)?;
        part.length("db_user", 1..=128)?;
        part.arn("secrets_manager_arn")?;
        part.length("sql", 1..=100_000)?;
        part.length("statement_name", 1..=500)?;
    }
    for part in whole.blocks("retry_policy") {
        part.between("maximum_event_age_in_seconds", 0..=86_400)?;
        part.between("maximum_retry_attempts", 0..=185)?;
    }
    for part in whole.blocks("run_command_targets") {
        part.length("key", 1..=128)?;
        if part.given("values").and_then(|v| v.as_slice()).is_some_and(|values| values.len() > 50) {
            return Err(part.wrong("values", "values has more than 50 elements".into()));
        }
    }
    Ok(())
}

/// A text that says something.
fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

/// A number as the API takes it; none where it is absent or 0.
fn count(number: Option<i64>) -> Option<i32> {
    number.and_then(|n| i32::try_from(n).ok()).filter(|n| *n != 0)
}

/// What a map holds, as the SDK takes it.
fn pairs(map: &Option<Tags>) -> Option<std::collections::HashMap<String, String>> {
    map.as_ref().filter(|map| !map.is_empty()).map(|map| map.clone().into_iter().collect())
}

impl AppSync {
    pub(super) fn parameters(&self) -> AppSyncParameters {
        AppSyncParameters::builder().set_graph_ql_operation(given(&self.graphql_operation)).build()
    }
}

impl From<&AppSyncParameters> for AppSync {
    fn from(live: &AppSyncParameters) -> Self {
        Self { graphql_operation: live.graph_ql_operation.clone() }
    }
}

impl Batch {
    pub(super) fn parameters(&self) -> Result<BatchParameters> {
        let array = count(self.array_size).map(|size| BatchArrayProperties::builder().size(size).build());
        let retries = count(self.job_attempts).map(|n| BatchRetryStrategy::builder().attempts(n).build());
        let all = BatchParameters::builder().job_definition(&self.job_definition).job_name(&self.job_name);
        all.set_array_properties(array).set_retry_strategy(retries).build().map_err(invalid)
    }
}

impl From<&BatchParameters> for Batch {
    fn from(live: &BatchParameters) -> Self {
        Self {
            array_size: live.array_properties().map(|array| array.size().into()),
            job_attempts: live.retry_strategy().map(|retries| retries.attempts().into()),
            job_definition: live.job_definition.clone(),
            job_name: live.job_name.clone(),
        }
    }
}

impl DeadLetters {
    pub(super) fn parameters(&self) -> DeadLetterConfig {
        DeadLetterConfig::builder().set_arn(given(&self.arn)).build()
    }
}

impl From<&DeadLetterConfig> for DeadLetters {
    fn from(live: &DeadLetterConfig) -> Self {
        Self { arn: live.arn.clone() }
    }
}

impl Ecs {
    pub(super) fn parameters(&self) -> Result<EcsParameters> {
        let tag = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build().map_err(invalid);
        let tags = self.tags.iter().flatten().map(tag).collect::<Result<Vec<_>>>()?;
        let provider = |item: &CapacityProvider| {
            CapacityProviderStrategyItem::builder()
                .capacity_provider(&item.capacity_provider)
                .set_base(count(item.base))
                .set_weight(count(item.weight))
                .build()
                .map_err(invalid)
        };
        let providers = self.capacity_provider_strategy.iter().map(provider).collect::<Result<Vec<_>>>()?;
        let constraints = self.placement_constraint.iter().map(|constraint| {
            let all = PlacementConstraint::builder().r#type(constraint.kind.as_str().into());
            all.set_expression(given(&constraint.expression)).build()
        });
        let strategies = self.ordered_placement_strategy.iter().map(|strategy| {
            let all = PlacementStrategy::builder().r#type(strategy.kind.as_str().into());
            all.set_field(given(&strategy.field)).build()
        });
        let (constraints, strategies): (Vec<_>, Vec<_>) = (constraints.collect(), strategies.collect());
        EcsParameters::builder()
            .enable_ecs_managed_tags(self.enable_ecs_managed_tags == Some(true))
            .enable_execute_command(self.enable_execute_command == Some(true))
            .set_group(given(&self.group))
            .set_launch_type(given(&self.launch_type).as_deref().map(LaunchType::from))
            .set_platform_version(given(&self.platform_version))
            .set_propagate_tags(given(&self.propagate_tags).as_deref().map(PropagateTags::from))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_task_count(count(self.task_count))
            .task_definition_arn(&self.task_definition_arn)
            .set_capacity_provider_strategy((!providers.is_empty()).then_some(providers))
            .set_network_configuration(self.network_configuration.first().map(Network::parameters).transpose()?)
            .set_placement_strategy((!strategies.is_empty()).then_some(strategies))
            .set_placement_constraints((!constraints.is_empty()).then_some(constraints))
            .build()
            .map_err(invalid)
    }
}

impl From<&EcsParameters> for Ecs {
    fn from(live: &EcsParameters) -> Self {
        let tags: Tags = live.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
        let tags: Tags = tags.into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect();
        let providers = live.capacity_provider_strategy().iter().map(|item| CapacityProvider {
            base: Some(item.base().into()),
            capacity_provider: item.capacity_provider.clone(),
            weight: Some(item.weight().into()),
        });
        let constraints = live.placement_constraints().iter().map(|constraint| Constraint {
            expression: constraint.expression.clone(),
            kind: constraint.r#type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        });
        let strategies = live.placement_strategy().iter().map(|strategy| Strategy {
            field: strategy.field.clone(),
            kind: strategy.r#type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        });
        let network = live.network_configuration().and_then(NetworkConfiguration::awsvpc_configuration);
        Self {
            enable_ecs_managed_tags: Some(live.enable_ecs_managed_tags()),
            enable_execute_command: Some(live.enable_execute_command()),
            group: live.group.clone(),
            launch_type: live.launch_type().map(|t| t.as_str().to_owned()),
            platform_version: live.platform_version.clone(),
            propagate_tags: live.propagate_tags().map(|t| t.as_str().to_owned()),
            tags: Some(tags),
            task_count: Some(live.task_count().unwrap_or(1).into()),
            task_definition_arn: live.task_definition_arn.clone(),
            capacity_provider_strategy: providers.collect(),
            network_configuration: network.map(Network::from).into_iter().collect(),
            ordered_placement_strategy: strategies.collect(),
            placement_constraint: constraints.collect(),
        }
    }
}

impl Network {
    fn parameters(&self) -> Result<NetworkConfiguration> {
        let public = self.assign_public_ip == Some(true);
        let groups = self.security_groups.clone().filter(|groups| !groups.is_empty());
        let vpc = AwsVpcConfiguration::builder()
            .assign_public_ip(if public { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled })
            .set_security_groups(groups.map(|groups| groups.into_iter().collect()))
            .set_subnets(Some(self.subnets.iter().cloned().collect()))
            .build()
            .map_err(invalid)?;
        Ok(NetworkConfiguration::builder().awsvpc_configuration(vpc).build())
    }
}

impl From<&AwsVpcConfiguration> for Network {
    fn from(live: &AwsVpcConfiguration) -> Self {
        Self {
            assign_public_ip: Some(live.assign_public_ip() == Some(&AssignPublicIp::Enabled)),
            security_groups: Some(live.security_groups().iter().cloned().collect()),
            subnets: live.subnets().iter().cloned().collect(),
        }
    }
}

impl Http {
    pub(super) fn parameters(&self) -> HttpParameters {
        let path = self.path_parameter_values.clone().filter(|values| !values.is_empty());
        HttpParameters::builder()
            .set_header_parameters(pairs(&self.header_parameters))
            .set_path_parameter_values(path)
            .set_query_string_parameters(pairs(&self.query_string_parameters))
            .build()
    }
}

impl From<&HttpParameters> for Http {
    fn from(live: &HttpParameters) -> Self {
        Self {
            header_parameters: live.header_parameters.clone().map(|map| map.into_iter().collect()),
            path_parameter_values: live.path_parameter_values.clone(),
            query_string_parameters: live.query_string_parameters.clone().map(|map| map.into_iter().collect()),
        }
    }
}

impl InputTransformer {
    pub(super) fn parameters(&self) -> Result<Transformer> {
        let all = Transformer::builder().set_input_paths_map(pairs(&self.input_paths));
        all.input_template(&self.input_template).build().map_err(invalid)
    }
}

impl From<&Transformer> for InputTransformer {
    fn from(live: &Transformer) -> Self {
        Self {
            input_paths: live.input_paths_map.clone().map(|map| map.into_iter().collect()),
            input_template: live.input_template.clone(),
        }
    }
}

impl Kinesis {
    pub(super) fn parameters(&self) -> Result<KinesisParameters> {
        let path = self.partition_key_path.clone().unwrap_or_default();
        KinesisParameters::builder().partition_key_path(path).build().map_err(invalid)
    }
}

impl From<&KinesisParameters> for Kinesis {
    fn from(live: &KinesisParameters) -> Self {
        Self { partition_key_path: Some(live.partition_key_path.clone()) }
    }
}

impl Redshift {
    pub(super) fn parameters(&self) -> Result<RedshiftDataParameters> {
        RedshiftDataParameters::builder()
            .database(&self.database)
            .set_db_user(given(&self.db_user))
            .set_secret_manager_arn(given(&self.secrets_manager_arn))
            .set_sql(given(&self.sql))
            .set_statement_name(given(&self.statement_name))
            .with_event(self.with_event == Some(true))
            .build()
            .map_err(invalid)
    }
}

impl From<&RedshiftDataParameters> for Redshift {
    fn from(live: &RedshiftDataParameters) -> Self {
        Self {
            database: live.database.clone(),
            db_user: live.db_user.clone(),
            secrets_manager_arn: live.secret_manager_arn.clone(),
            sql: live.sql.clone(),
            statement_name: live.statement_name.clone(),
            with_event: Some(live.with_event()),
        }
    }
}

impl RetryPolicy {
    /// An absent number of attempts means none, as with Terraform; AWS takes no age below a minute.
    pub(super) fn parameters(&self) -> Retries {
        let attempts = self.maximum_retry_attempts.and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
        let age = count(self.maximum_event_age_in_seconds);
        Retries::builder().set_maximum_event_age_in_seconds(age).maximum_retry_attempts(attempts).build()
    }
}

impl From<&Retries> for RetryPolicy {
    fn from(live: &Retries) -> Self {
        Self {
            maximum_event_age_in_seconds: live.maximum_event_age_in_seconds().map(i64::from),
            maximum_retry_attempts: live.maximum_retry_attempts().map(i64::from),
        }
    }
}

impl RunCommand {
    pub(super) fn target(&self) -> Result<RunCommandTarget> {
        RunCommandTarget::builder().key(&self.key).set_values(Some(self.values.clone())).build().map_err(invalid)
    }
}

impl From<&RunCommandTarget> for RunCommand {
    fn from(live: &RunCommandTarget) -> Self {
        Self { key: live.key.clone(), values: live.values.clone() }
    }
}

impl SageMakerPipeline {
    pub(super) fn parameters(&self) -> Result<SageMakerPipelineParameters> {
        let parameter = |p: &PipelineParameter| {
            SageMakerPipelineParameter::builder().name(&p.name).value(&p.value).build().map_err(invalid)
        };
        let all = self.pipeline_parameter_list.iter().map(parameter).collect::<Result<Vec<_>>>()?;
        let all = (!all.is_empty()).then_some(all);
        Ok(SageMakerPipelineParameters::builder().set_pipeline_parameter_list(all).build())
    }
}

impl From<&SageMakerPipelineParameters> for SageMakerPipeline {
    fn from(live: &SageMakerPipelineParameters) -> Self {
        let parameter =
            |p: &SageMakerPipelineParameter| PipelineParameter { name: p.name.clone(), value: p.value.clone() };
        Self { pipeline_parameter_list: live.pipeline_parameter_list().iter().map(parameter).collect() }
    }
}

impl Sqs {
    pub(super) fn parameters(&self) -> SqsParameters {
        SqsParameters::builder().set_message_group_id(given(&self.message_group_id)).build()
    }
}

impl From<&SqsParameters> for Sqs {
    fn from(live: &SqsParameters) -> Self {
        Self { message_group_id: live.message_group_id.clone() }
    }
}
