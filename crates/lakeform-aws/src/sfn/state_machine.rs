//! `aws_sfn_state_machine`

use std::time::Duration;

use aws_sdk_sfn::{
    operation::describe_state_machine::DescribeStateMachineOutput,
    types::{
        CloudWatchLogsLogGroup, EncryptionConfiguration, EncryptionType, LogDestination, LogLevel,
        LoggingConfiguration, StateMachineType, Tag, TracingConfiguration,
    },
};
use aws_smithy_types::{DateTime, date_time::Format};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming,
    propagation::settle,
    tags::{TagChanges, Tags, to_map},
};

/// A state machine of Step Functions.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct MachineModel {
    /// ARN of the state machine.
    #[attr(computed)]
    arn: Option<String>,
    /// When it was created.
    #[attr(computed)]
    creation_date: Option<String>,
    /// The states, in the Amazon States Language.
    #[attr(required, json)]
    definition: String,
    /// Description of its version.
    #[attr(computed)]
    description: Option<String>,
    /// ARN of the state machine.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the state machine. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Whether each change makes a version. Default: `false`.
    #[attr(optional, default = false)]
    publish: Option<bool>,
    /// What changes with each change.
    #[attr(computed)]
    revision_id: Option<String>,
    /// Role that the state machine works with.
    #[attr(required)]
    role_arn: String,
    /// ARN of the newest version.
    #[attr(computed)]
    state_machine_version_arn: Option<String>,
    /// `ACTIVE` or `DELETING`.
    #[attr(computed)]
    status: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// `STANDARD` or `EXPRESS`. Default: `STANDARD`.
    #[attr(optional, force_new, name = "type", default = "STANDARD")]
    kind: Option<String>,
    /// Description of the version.
    #[attr(computed)]
    version_description: Option<String>,
    /// How definition, inputs and outputs are encrypted.
    #[block(list, max = 1, computed)]
    encryption_configuration: Vec<Encryption>,
    /// What is written to CloudWatch Logs.
    #[block(list, max = 1, computed)]
    logging_configuration: Vec<Logging>,
    /// Whether X-Ray traces executions.
    #[block(list, max = 1, computed)]
    tracing_configuration: Vec<Tracing>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
}

/// How a state machine is encrypted.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Encryption {
    /// Seconds that a data key is used again before KMS is asked, 60 to 900.
    #[attr(optional)]
    kms_data_key_reuse_period_seconds: Option<i64>,
    /// KMS key: its id, ARN or alias.
    #[attr(optional)]
    kms_key_id: Option<String>,
    /// `AWS_OWNED_KEY` or `CUSTOMER_MANAGED_KMS_KEY`.
    #[attr(optional, name = "type")]
    kind: Option<String>,
}

/// What is logged of executions.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Logging {
    /// Whether inputs, outputs and other data are logged.
    #[attr(optional)]
    include_execution_data: Option<bool>,
    /// Which events are logged: `ALL`, `ERROR`, `FATAL` or `OFF`.
    #[attr(optional)]
    level: Option<String>,
    /// ARN of the log group, with `:*` at its end.
    #[attr(optional)]
    log_destination: Option<String>,
}

/// Tracing by X-Ray.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Tracing {
    /// Whether executions are traced.
    #[attr(optional)]
    enabled: Option<bool>,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Timeouts {
    /// Limit for creating. Default: `5m`.
    #[attr(optional)]
    create: Option<String>,
    /// Limit for deleting. Default: `5m`.
    #[attr(optional)]
    delete: Option<String>,
    /// Limit for changing. Default: `1m`.
    #[attr(optional)]
    update: Option<String>,
}

/// `aws_sfn_state_machine`
pub(crate) struct StateMachine;

/// What says that there is no such state machine.
const GONE: &[&str] = &["StateMachineDoesNotExist", "ResourceNotFound"];
/// How long a state machine may take to be made or to go.
const LIMIT: Duration = Duration::from_secs(300);
/// How long AWS may take to learn of roles and changes.
const PROPAGATION: Duration = Duration::from_secs(60);

impl ResourceType for StateMachine {
    type Client = AwsClient;
    type Model = MachineModel;
    const NAME: &'static str = "aws_sfn_state_machine";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let whole = check::Part::whole(change);
        whole.not_both("name", "name_prefix")?;
        whole.spelled("name", 1..=80, "-_")?;
        whole.spelled("name_prefix", 1..=80 - naming::MADE_UP, "-_")?;
        whole.arn("role_arn")?;
        whole.one_of("type", StateMachineType::values())?;
        check_definition(&whole)?;
        for part in whole.blocks("encryption_configuration") {
            part.between("kms_data_key_reuse_period_seconds", 60..=900)?;
            part.one_of("type", EncryptionType::values())?;
        }
        for part in whole.blocks("logging_configuration") {
            part.one_of("level", LogLevel::values())?;
        }
        let changes = SETTINGS.iter().any(|name| change.changes(name));
        if !change.is_create() && changes {
            change.set_unknown("revision_id");
            change.set_unknown("description");
            if change.planned("publish").and_then(|v| v.as_bool()) != Some(false) {
                change.set_unknown("state_machine_version_arn");
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: MachineModel) -> Result<Option<MachineModel>> {
        let Some(arn) = object.id.clone() else { return Ok(None) };
        let sfn = cx.client.sfn();
        let tags = async {
            let answer = sfn.list_tags_for_resource().resource_arn(&arn).send().await;
            answer.during("states:ListTagsForResource").absent_ok(GONE)
        };
        let versions = async {
            // The newest comes first.
            let answer = sfn.list_state_machine_versions().state_machine_arn(&arn).send().await;
            answer.during("states:ListStateMachineVersions").absent_ok(GONE)
        };
        let (live, tags, versions) = tokio::join!(find(cx, &arn), tags, versions);
        let (Some(live), Some(tags), Some(versions)) = (live?, tags?, versions?) else { return Ok(None) };
        object.take(&live);
        let newest = versions.state_machine_versions().first();
        object.state_machine_version_arn = newest.map(|version| version.state_machine_version_arn().to_owned());
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let tags = to_map(tags.tags().iter().map(|tag| (text(tag.key()), text(tag.value()))));
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut MachineModel) -> Result<()> {
        let name = naming::choose(object.name.as_deref(), object.name_prefix.as_deref(), "", cx.token);
        let call = cx.client.sfn().create_state_machine().name(name).definition(&object.definition);
        let call = call
            .role_arn(&object.role_arn)
            .publish(object.publish == Some(true))
            .set_type(object.kind.as_deref().map(StateMachineType::from))
            .set_tags(Some(sdk_tags(object.tags_all.iter().flatten())))
            .set_encryption_configuration(object.encryption_configuration.first().map(Encryption::sdk).transpose()?)
            .set_logging_configuration(object.logging_configuration.first().map(Logging::sdk))
            .set_tracing_configuration(object.tracing_configuration.first().map(Tracing::sdk));
        let create = || async { call.clone().send().await.during("states:CreateStateMachine") };
        let answer = settle(cx, create).await?;
        let arn = answer.state_machine_arn;
        object.id = Some(arn.clone());
        object.state_machine_version_arn = answer.state_machine_version_arn;
        let live = cx.wait(Wait::new("state machine to be known everywhere", PROPAGATION), || async {
            Ok(find(cx, &arn).await?.map_or(Poll::Pending, Poll::Ready))
        });
        object.fill(&live.await?);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = naming::choose(planned.name.as_deref(), planned.name_prefix.as_deref(), "", cx.token);
        planned.id = Some(cx.client.arn("states", cx.client.region(), &format!("stateMachine:{name}")).await?);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &MachineModel, object: &mut MachineModel) -> Result<()> {
        let sfn = cx.client.sfn();
        let arn = prior.id.clone().unwrap_or_default();
        if object.settings() != prior.settings() {
            // One of definition and role must be there.
            let publish = object.publish == Some(true);
            let mut call = sfn.update_state_machine().state_machine_arn(&arn).definition(&object.definition);
            call = call.role_arn(&object.role_arn).publish(publish);
            if object.encryption_configuration != prior.encryption_configuration {
                let encryption = object.encryption_configuration.first().map(Encryption::sdk).transpose()?;
                call = call.set_encryption_configuration(encryption);
            }
            if object.logging_configuration != prior.logging_configuration {
                call = call.set_logging_configuration(object.logging_configuration.first().map(Logging::sdk));
            }
            if object.tracing_configuration != prior.tracing_configuration {
                call = call.set_tracing_configuration(object.tracing_configuration.first().map(Tracing::sdk));
            }
            let update = || async { call.clone().send().await.during("states:UpdateStateMachine") };
            let answer = settle(cx, update).await?;
            if publish {
                object.state_machine_version_arn = answer.state_machine_version_arn;
            }
            let live = cx.wait(Wait::new("state machine to show its new settings", PROPAGATION), || async {
                Ok(match find(cx, &arn).await? {
                    Some(live) if object.is_shown_by(&live) => Poll::Ready(live),
                    _ => Poll::Pending,
                })
            });
            object.fill(&live.await?);
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = sfn.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("states:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = sfn.tag_resource().resource_arn(&arn).set_tags(Some(sdk_tags(&tags.set)));
            call.send().await.during("states:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &MachineModel) -> Result<()> {
        let arn = object.id.clone().unwrap_or_default();
        let answer = cx.client.sfn().delete_state_machine().state_machine_arn(&arn).send().await;
        if answer.during("states:DeleteStateMachine").absent_ok(GONE)?.is_none() {
            return Ok(());
        }
        // Running executions are stopped first.
        cx.wait(Wait::new("state machine to be deleted", LIMIT), || async {
            Ok(if find(cx, &arn).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<MachineModel> {
        if !check::is_arn(id) {
            return Err(ProviderError::invalid(format!("a state machine is imported by its ARN, not by {id:?}")));
        }
        Ok(MachineModel { id: Some(id.to_owned()), publish: Some(false), ..MachineModel::default() })
    }
}

/// What UpdateStateMachine sets.
const SETTINGS: &[&str] = &[
    "definition",
    "role_arn",
    "publish",
    "encryption_configuration",
    "logging_configuration",
    "tracing_configuration",
];

/// What can be seen of a definition without asking: whether it is a state machine at all.
fn check_definition(whole: &check::Part<'_>) -> Result<()> {
    let Some(text) = whole.text("definition") else { return Ok(()) };
    whole.length("definition", 0..=1024 * 1024)?;
    let wrong = |what: String| Err(whole.wrong("definition", what));
    match serde_json::from_str::<serde_json::Value>(text) {
        Err(e) => wrong(format!("definition is no JSON: line {}, column {}", e.line(), e.column())),
        Ok(json) => {
            let missing = match (json.get("StartAt"), json.get("States")) {
                (Some(start), Some(states)) if start.is_string() && states.is_object() => return Ok(()),
                (Some(start), _) if start.is_string() => "States",
                _ => "StartAt",
            };
            wrong(format!("definition has no {missing}"))
        }
    }
}

impl MachineModel {
    /// What UpdateStateMachine sets, and nothing else.
    fn settings(&self) -> Self {
        Self {
            definition: self.definition.clone(),
            role_arn: self.role_arn.clone(),
            publish: self.publish,
            encryption_configuration: self.encryption_configuration.clone(),
            logging_configuration: self.logging_configuration.clone(),
            tracing_configuration: self.tracing_configuration.clone(),
            ..Self::default()
        }
    }

    /// Whether the API shows what was set.
    fn is_shown_by(&self, live: &DescribeStateMachineOutput) -> bool {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        let logs = self.logging_configuration.first().is_none_or(|wanted| {
            live.logging_configuration().map(Logging::from).is_none_or(|shown| {
                shown.level == wanted.level
                    && shown.include_execution_data.unwrap_or(false) == wanted.include_execution_data.unwrap_or(false)
            })
        });
        let traces = self.tracing_configuration.first().is_none_or(|wanted| {
            live.tracing_configuration().is_none_or(|shown| shown.enabled() == wanted.enabled.unwrap_or(false))
        });
        json(live.definition()) == json(&self.definition) && live.role_arn() == self.role_arn && logs && traces
    }

    /// What only the API knows of a state machine that was made or changed.
    fn fill(&mut self, live: &DescribeStateMachineOutput) {
        let mut found = self.clone();
        found.take(live);
        let said = std::mem::replace(self, found);
        self.definition = said.definition;
        if !said.encryption_configuration.is_empty() {
            self.encryption_configuration = said.encryption_configuration;
        }
        if !said.logging_configuration.is_empty() {
            self.logging_configuration = said.logging_configuration;
        }
        if !said.tracing_configuration.is_empty() {
            self.tracing_configuration = said.tracing_configuration;
        }
    }

    /// What the API says of the state machine.
    fn take(&mut self, live: &DescribeStateMachineOutput) {
        let created = DateTime::from_secs(live.creation_date().secs());
        self.arn = Some(live.state_machine_arn.clone());
        self.creation_date = created.fmt(Format::DateTime).ok();
        self.definition = live.definition.clone();
        self.description = live.description.clone();
        self.encryption_configuration = live.encryption_configuration().map(Encryption::from).into_iter().collect();
        self.logging_configuration = live.logging_configuration().map(Logging::from).into_iter().collect();
        self.name = Some(live.name.clone());
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(&live.name));
        self.revision_id = live.revision_id.clone();
        self.role_arn = live.role_arn.clone();
        self.status = live.status().map(|status| status.as_str().to_owned());
        self.tracing_configuration = live.tracing_configuration().map(Tracing::from).into_iter().collect();
        self.kind = Some(live.r#type().as_str().to_owned());
    }
}

impl Encryption {
    fn sdk(&self) -> Result<EncryptionConfiguration> {
        let seconds = self.kms_data_key_reuse_period_seconds.and_then(|n| i32::try_from(n).ok()).filter(|n| *n != 0);
        EncryptionConfiguration::builder()
            .set_kms_data_key_reuse_period_seconds(seconds)
            .set_kms_key_id(self.kms_key_id.clone().filter(|id| !id.is_empty()))
            .set_type(self.kind.as_deref().filter(|kind| !kind.is_empty()).map(EncryptionType::from))
            .build()
            .map_err(|e| ProviderError::invalid(e.to_string()))
    }
}

impl From<&EncryptionConfiguration> for Encryption {
    fn from(live: &EncryptionConfiguration) -> Self {
        Self {
            kms_data_key_reuse_period_seconds: live.kms_data_key_reuse_period_seconds().map(i64::from),
            kms_key_id: live.kms_key_id.clone(),
            kind: Some(live.r#type().as_str().to_owned()),
        }
    }
}

impl Logging {
    fn sdk(&self) -> LoggingConfiguration {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let destination = given(&self.log_destination).map(|arn| {
            let group = CloudWatchLogsLogGroup::builder().log_group_arn(arn).build();
            vec![LogDestination::builder().cloud_watch_logs_log_group(group).build()]
        });
        LoggingConfiguration::builder()
            .include_execution_data(self.include_execution_data == Some(true))
            .set_level(given(&self.level).as_deref().map(LogLevel::from))
            .set_destinations(destination)
            .build()
    }
}

impl From<&LoggingConfiguration> for Logging {
    fn from(live: &LoggingConfiguration) -> Self {
        let group = live.destinations().first().and_then(LogDestination::cloud_watch_logs_log_group);
        Self {
            include_execution_data: Some(live.include_execution_data()),
            level: live.level().map(|level| level.as_str().to_owned()),
            log_destination: group.and_then(|group| group.log_group_arn.clone()),
        }
    }
}

impl Tracing {
    fn sdk(&self) -> TracingConfiguration {
        TracingConfiguration::builder().enabled(self.enabled == Some(true)).build()
    }
}

impl From<&TracingConfiguration> for Tracing {
    fn from(live: &TracingConfiguration) -> Self {
        Self { enabled: Some(live.enabled()) }
    }
}

/// The state machine; `None` without one.
async fn find(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<DescribeStateMachineOutput>> {
    let answer = cx.client.sfn().describe_state_machine().state_machine_arn(arn).send().await;
    answer.during("states:DescribeStateMachine").absent_ok(GONE)
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Tag> {
    tags.into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}
