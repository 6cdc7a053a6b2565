//! `aws_glue_job`

use aws_sdk_glue::types::{
    ConnectionsList, ExecutionClass, ExecutionProperty, Job as Found, JobCommand, JobUpdate, NotificationProperty,
    SourceControlAuthStrategy, SourceControlDetails, SourceControlProvider, WorkerType,
};
use lakeform_provider::{Change, Context, Field, FoundBy, Model, ResourceType, Result};

use super::{GONE, arn, read_tags, update_tags};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
    values::{chosen, fill, flag, given, given_list, given_map, given_number, list, map, number, text, to_i32},
};

/// A job: a script that Glue runs.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Job {
    /// ARN of the job.
    #[attr(computed)]
    arn: Option<String>,
    /// Names of connections that it uses.
    #[attr(optional)]
    connections: Option<Vec<String>>,
    /// Arguments that a run may change.
    #[attr(optional)]
    default_arguments: Option<Tags>,
    /// What the job is for.
    #[attr(optional)]
    description: Option<String>,
    /// `STANDARD` or `FLEX`
    #[attr(optional)]
    execution_class: Option<String>,
    /// Version of Glue: `4.0`
    #[attr(optional, computed)]
    glue_version: Option<String>,
    /// Name of the job.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether runs wait for a place.
    #[attr(optional)]
    job_run_queuing_enabled: Option<bool>,
    /// When streaming jobs may be restarted: `Sun:3`
    #[attr(optional)]
    maintenance_window: Option<String>,
    /// Data processing units. Excludes `number_of_workers` and `worker_type`.
    #[attr(optional, computed)]
    max_capacity: Option<f64>,
    /// How often a failed run is repeated, 0 to 10.
    #[attr(optional)]
    max_retries: Option<i64>,
    /// Name of the job.
    #[attr(required, force_new)]
    name: String,
    /// Arguments that no run may change.
    #[attr(optional)]
    non_overridable_arguments: Option<Tags>,
    /// How many workers there are.
    #[attr(optional, computed)]
    number_of_workers: Option<i64>,
    /// ARN of the role that it works as.
    #[attr(required)]
    role_arn: String,
    /// The security configuration that it works with.
    #[attr(optional)]
    security_configuration: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Minutes that a run may take.
    #[attr(optional, computed)]
    timeout: Option<i64>,
    /// Kind of worker: `G.1X`, ...
    #[attr(optional, computed)]
    worker_type: Option<String>,
    /// The script.
    #[block(list, min = 1, max = 1)]
    command: Vec<Command>,
    /// How it may be run.
    #[block(list, max = 1, computed)]
    execution_property: Vec<Execution>,
    /// When something is told of a run.
    #[block(list, max = 1, computed)]
    notification_property: Vec<Notification>,
    /// The repository that the script is kept in.
    #[block(list, max = 1)]
    source_control_details: Vec<SourceControl>,
}

/// A script.
#[derive(Model, Clone, Debug, Default)]
struct Command {
    /// Kind of job: `glueetl` (default), `gluestreaming`, `pythonshell` or `glueray`
    #[attr(optional, default = "glueetl")]
    name: Option<String>,
    /// Version of Python: `2`, `3` or `3.9`
    #[attr(optional, computed)]
    python_version: Option<String>,
    /// Version of Ray: `Ray2.4`
    #[attr(optional, computed)]
    runtime: Option<String>,
    /// Where the script is: `s3://...`
    #[attr(required)]
    script_location: String,
}

/// How a job may be run.
#[derive(Model, Clone, Debug, Default)]
struct Execution {
    /// How many runs there may be at a time. Default: 1.
    #[attr(optional, default = 1)]
    max_concurrent_runs: Option<i64>,
}

/// When something is told of a run.
#[derive(Model, Clone, Debug, Default)]
struct Notification {
    /// After how many minutes.
    #[attr(optional)]
    notify_delay_after: Option<i64>,
}

/// A repository.
#[derive(Model, Clone, Debug, Default)]
struct SourceControl {
    /// `PERSONAL_ACCESS_TOKEN` or `AWS_SECRETS_MANAGER`
    #[attr(optional)]
    auth_strategy: Option<String>,
    /// The token, or the ARN of the secret that holds it.
    #[attr(optional, sensitive)]
    auth_token: Option<String>,
    /// The branch.
    #[attr(optional)]
    branch: Option<String>,
    /// The folder in the repository.
    #[attr(optional)]
    folder: Option<String>,
    /// The commit that was last taken.
    #[attr(optional)]
    last_commit_id: Option<String>,
    /// The repository's owner.
    #[attr(optional)]
    owner: Option<String>,
    /// `GITHUB`, `GITLAB`, `BITBUCKET` or `AWS_CODE_COMMIT`
    #[attr(optional)]
    provider: Option<String>,
    /// Name of the repository.
    #[attr(optional)]
    repository: Option<String>,
}

/// The input with what creating and changing take alike.
macro_rules! described {
    ($input:expr, $object:expr) => {{
        let connections = given_list($object.connections.as_deref());
        let execution = $object.execution_property.first().map(|execution| {
            let runs = to_i32(execution.max_concurrent_runs.unwrap_or(1));
            ExecutionProperty::builder().max_concurrent_runs(runs).build()
        });
        let notification = $object.notification_property.first().map(|notification| {
            let after = given_number(notification.notify_delay_after);
            NotificationProperty::builder().set_notify_delay_after(after).build()
        });
        $input
            .set_command($object.command.first().map(Command::to_api))
            .set_connections(connections.map(|all| ConnectionsList::builder().set_connections(Some(all)).build()))
            .set_default_arguments(given_map(&$object.default_arguments))
            .set_description(given(&$object.description))
            .set_execution_class(chosen(&$object.execution_class))
            .set_execution_property(execution)
            .set_glue_version(given(&$object.glue_version))
            .set_job_run_queuing_enabled($object.job_run_queuing_enabled)
            .set_maintenance_window(given(&$object.maintenance_window))
            .set_max_retries(given_number($object.max_retries))
            .set_non_overridable_arguments(given_map(&$object.non_overridable_arguments))
            .set_notification_property(notification)
            .set_number_of_workers(given_number($object.number_of_workers))
            .role(&$object.role_arn)
            .set_security_configuration(given(&$object.security_configuration))
            .set_source_control_details($object.source_control_details.first().map(SourceControl::to_api))
            .set_timeout(given_number($object.timeout))
            .set_worker_type(chosen(&$object.worker_type))
    }};
}

impl ResourceType for Job {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_glue_job";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=usize::MAX)?;
        check::one_of(change, "execution_class", ExecutionClass::values())?;
        check::between(change, "max_retries", 0..=10)?;
        check::between(change, "number_of_workers", 1..=i64::MAX)?;
        check::between(change, "timeout", 1..=i64::MAX)?;
        check::one_of(change, "worker_type", WorkerType::values())?;
        check::not_both(change, "max_capacity", "number_of_workers")?;
        check::not_both(change, "max_capacity", "worker_type")?;
        check::arn(change, "role_arn")?;
        check::one_of(change, "command.python_version", &["2", "3", "3.9"])?;
        check::each(change, "command.runtime", |value| match value.as_str() {
            Some(runtime) if !runtime.eq_ignore_ascii_case("Ray2.4") => {
                Err(format!("is {runtime:?}; expected is Ray2.4"))
            }
            _ => Ok(()),
        })?;
        check::between(change, "execution_property.max_concurrent_runs", 1..=i64::MAX)?;
        check::between(change, "notification_property.notify_delay_after", 1..=i64::MAX)?;
        let source = "source_control_details";
        check::one_of(change, &format!("{source}.auth_strategy"), SourceControlAuthStrategy::values())?;
        check::one_of(change, &format!("{source}.provider"), SourceControlProvider::values())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let arn = arn(cx, &format!("job/{name}")).await?;
        let (live, tags) = tokio::join!(find(cx, &name), read_tags(cx, &arn));
        let Some(live) = live? else { return Ok(None) };
        object.arn = Some(arn);
        object.take(live);
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let call = cx.client.glue().create_job().name(&object.name).set_tags(given_map(&object.tags_all));
        let call = described!(call, object).set_max_capacity(object.max_capacity.filter(|units| *units != 0.0));
        let create = || async { call.clone().send().await.during("glue:CreateJob") };
        settle(cx, create).await?;
        object.id = Some(object.name.clone());
        object.arn = Some(arn(cx, &format!("job/{}", object.name)).await?);
        if let Some(live) = find(cx, &object.name).await? {
            fill(object, |object| object.take(live));
        }
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let name = prior.id.clone().unwrap_or_default();
        if object.differs(prior) {
            // Workers and capacity exclude each other, but the API tells both.
            let capacity = object.max_capacity.filter(|units| *units != 0.0);
            let capacity = capacity.filter(|_| given_number(object.number_of_workers).is_none());
            let input = described!(JobUpdate::builder(), object).set_max_capacity(capacity).build();
            let call = cx.client.glue().update_job().job_name(&name).job_update(input);
            settle(cx, || async { call.clone().send().await.during("glue:UpdateJob") }).await?;
            if object.is_open()
                && let Some(live) = find(cx, &name).await?
            {
                fill(object, |object| object.take(live));
            }
        }
        let arn = prior.arn.clone().unwrap_or_default();
        update_tags(cx, &arn, prior.tags_all.as_ref(), object.tags_all.as_ref()).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let call = cx.client.glue().delete_job().set_job_name(object.id.clone());
        let gone = settle(cx, || async { call.clone().send().await.during("glue:DeleteJob") }).await;
        gone.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { id: Some(id.to_owned()), name: id.to_owned(), ..Self::default() })
    }
}

/// The job, if it exists.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    let answer = cx.client.glue().get_job().job_name(name).send().await;
    Ok(answer.during("glue:GetJob").absent_ok(GONE)?.and_then(|answer| answer.job))
}

impl Command {
    fn to_api(&self) -> JobCommand {
        JobCommand::builder()
            .set_name(given(&self.name))
            .set_python_version(given(&self.python_version))
            .set_runtime(given(&self.runtime))
            .script_location(&self.script_location)
            .build()
    }
}

impl SourceControl {
    fn to_api(&self) -> SourceControlDetails {
        SourceControlDetails::builder()
            .set_auth_strategy(chosen(&self.auth_strategy))
            .set_auth_token(given(&self.auth_token))
            .set_branch(given(&self.branch))
            .set_folder(given(&self.folder))
            .set_last_commit_id(given(&self.last_commit_id))
            .set_owner(given(&self.owner))
            .set_provider(chosen(&self.provider))
            .set_repository(given(&self.repository))
            .build()
    }
}

impl Job {
    /// Whether more than tags differs.
    fn differs(&self, prior: &Self) -> bool {
        let bare = |object: &Self| Self { tags: None, tags_all: None, ..object.clone() }.into_value();
        bare(self) != bare(prior)
    }

    /// Whether something is left to the API.
    fn is_open(&self) -> bool {
        self.glue_version.is_none()
            || self.max_capacity.is_none()
            || self.number_of_workers.is_none()
            || self.timeout.is_none()
            || self.worker_type.is_none()
            || self.command.iter().any(|command| command.python_version.is_none() || command.runtime.is_none())
    }

    /// What the API says of the job.
    fn take(&mut self, live: Found) {
        let command = live.command.map(|command| Command {
            name: text(command.name),
            python_version: text(command.python_version),
            runtime: text(command.runtime),
            script_location: command.script_location.unwrap_or_default(),
        });
        self.command = command.into_iter().collect();
        let connections = live.connections.and_then(|all| all.connections).unwrap_or_default();
        self.connections = list(&connections, self.connections.as_ref());
        self.default_arguments = map(live.default_arguments.as_ref(), self.default_arguments.as_ref());
        self.description = text(live.description);
        self.execution_class = text(live.execution_class);
        let execution =
            live.execution_property.map(|e| Execution { max_concurrent_runs: number(Some(e.max_concurrent_runs)) });
        self.execution_property = execution.into_iter().collect();
        self.glue_version = text(live.glue_version);
        self.job_run_queuing_enabled = flag(live.job_run_queuing_enabled);
        self.maintenance_window = text(live.maintenance_window);
        self.max_capacity = Some(live.max_capacity.unwrap_or_default());
        self.max_retries = number(Some(live.max_retries));
        self.name = live.name.unwrap_or_default();
        self.non_overridable_arguments =
            map(live.non_overridable_arguments.as_ref(), self.non_overridable_arguments.as_ref());
        let notification =
            live.notification_property.map(|n| Notification { notify_delay_after: number(n.notify_delay_after) });
        self.notification_property = notification.into_iter().collect();
        self.number_of_workers = number(live.number_of_workers);
        self.role_arn = live.role.unwrap_or_default();
        self.security_configuration = text(live.security_configuration);
        let source = live.source_control_details.map(|source| SourceControl {
            auth_strategy: text(source.auth_strategy),
            auth_token: text(source.auth_token),
            branch: text(source.branch),
            folder: text(source.folder),
            last_commit_id: text(source.last_commit_id),
            owner: text(source.owner),
            provider: text(source.provider),
            repository: text(source.repository),
        });
        self.source_control_details = source.into_iter().collect();
        self.timeout = number(live.timeout);
        self.worker_type = text(live.worker_type);
    }
}
