//! `aws_glue_crawler`

mod targets;

use std::time::Duration;

use aws_sdk_glue::types::{
    Crawler as Found, CrawlerLineageSettings, DeleteBehavior, JdbcMetadataEntry, LakeFormationConfiguration,
    LineageConfiguration, RecrawlBehavior, RecrawlPolicy, SchemaChangePolicy, UpdateBehavior,
};
use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use self::targets::{Catalog, Delta, DynamoDb, Jdbc, Lake, MongoDb, S3};
use super::{GONE, arn, read_tags, update_tags};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    policy,
    propagation::settle,
    tags::Tags,
    values::{chosen, fill, given, given_list, given_map, list, text},
};

/// A crawler: finds out what tables there are in stored data.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Crawler {
    /// ARN of the crawler.
    #[attr(computed)]
    arn: Option<String>,
    /// Names of own classifiers, tried before those of Glue.
    #[attr(optional)]
    classifiers: Option<Vec<String>>,
    /// How it works: a JSON document.
    #[attr(optional, json)]
    configuration: Option<String>,
    /// The database that gets the tables.
    #[attr(required, force_new)]
    database_name: String,
    /// What the crawler is for.
    #[attr(optional)]
    description: Option<String>,
    /// Name of the crawler.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the crawler.
    #[attr(required, force_new)]
    name: String,
    /// Role that it works as: a name or an ARN.
    #[attr(required, same = same_role)]
    role: String,
    /// When it runs: `cron(15 12 * * ? *)`
    #[attr(optional)]
    schedule: Option<String>,
    /// The security configuration that it works with.
    #[attr(optional)]
    security_configuration: Option<String>,
    /// What the names of tables begin with.
    #[attr(optional)]
    table_prefix: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Tables of the catalog to look at.
    #[block(list)]
    catalog_target: Vec<Catalog>,
    /// Delta tables to look at.
    #[block(list)]
    delta_target: Vec<Delta>,
    /// DynamoDB tables to look at.
    #[block(list)]
    dynamodb_target: Vec<DynamoDb>,
    /// Hudi tables to look at.
    #[block(list)]
    hudi_target: Vec<Lake>,
    /// Iceberg tables to look at.
    #[block(list)]
    iceberg_target: Vec<Lake>,
    /// Databases to look at.
    #[block(list)]
    jdbc_target: Vec<Jdbc>,
    /// Whether Lake Formation says what it may read.
    #[block(list, max = 1, computed)]
    lake_formation_configuration: Vec<LakeFormation>,
    /// Whether it keeps track of where data comes from.
    #[block(list, max = 1, computed)]
    lineage_configuration: Vec<Lineage>,
    /// MongoDB collections to look at.
    #[block(list)]
    mongodb_target: Vec<MongoDb>,
    /// What it looks at when it runs again.
    #[block(list, max = 1, computed)]
    recrawl_policy: Vec<Recrawl>,
    /// Places in S3 to look at.
    #[block(list)]
    s3_target: Vec<S3>,
    /// What it does when tables change.
    #[block(list, max = 1, computed)]
    schema_change_policy: Vec<SchemaChange>,
}

/// Whether Lake Formation says what may be read.
#[derive(Model, Clone, Debug, Default)]
struct LakeFormation {
    /// The account whose data it is.
    #[attr(optional, computed)]
    account_id: Option<String>,
    /// Whether it does.
    #[attr(optional)]
    use_lake_formation_credentials: Option<bool>,
}

/// Whether it keeps track of where data comes from.
#[derive(Model, Clone, Debug, Default)]
struct Lineage {
    /// `ENABLE` or `DISABLE` (default)
    #[attr(optional, default = "DISABLE")]
    crawler_lineage_settings: Option<String>,
}

/// What it looks at when it runs again.
#[derive(Model, Clone, Debug, Default)]
struct Recrawl {
    /// `CRAWL_EVERYTHING` (default), `CRAWL_NEW_FOLDERS_ONLY` or `CRAWL_EVENT_MODE`
    #[attr(optional, default = "CRAWL_EVERYTHING")]
    recrawl_behavior: Option<String>,
}

/// What it does when tables change.
#[derive(Model, Clone, Debug, Default)]
struct SchemaChange {
    /// With tables that are gone: `LOG`, `DELETE_FROM_DATABASE` or `DEPRECATE_IN_DATABASE` (default)
    #[attr(optional, default = "DEPRECATE_IN_DATABASE")]
    delete_behavior: Option<String>,
    /// With tables that differ: `LOG` or `UPDATE_IN_DATABASE` (default)
    #[attr(optional, default = "UPDATE_IN_DATABASE")]
    update_behavior: Option<String>,
}

/// All kinds of targets, one of which is needed.
const TARGETS: [&str; 8] = [
    "catalog_target",
    "delta_target",
    "dynamodb_target",
    "hudi_target",
    "iceberg_target",
    "jdbc_target",
    "mongodb_target",
    "s3_target",
];

/// The role's name, without the ARN around it: what Glue tells.
fn role_name(role: &str) -> &str {
    role.strip_prefix("arn:").and_then(|arn| arn.split_once(":role/")).map_or(role, |(_, name)| name)
}

/// Whether two values name the same role.
fn same_role(a: &Value, b: &Value) -> bool {
    matches!((a.as_str(), b.as_str()), (Some(a), Some(b)) if role_name(a) == role_name(b))
}

/// Calls again while the crawler is at work: it cannot be changed or deleted before.
async fn at_rest<T, F: Future<Output = Result<T>>>(cx: &Context<'_, AwsClient>, call: impl Fn() -> F) -> Result<T> {
    let running = |e: &ProviderError| {
        ["CrawlerRunningException", "CrawlerStoppingException", "SchedulerTransitioningException"]
            .into_iter()
            .any(|code| e.has_code(code))
    };
    let wait =
        Wait { longest: Duration::from_secs(30), ..Wait::new("crawler to be at rest", Duration::from_secs(1800)) };
    cx.retry(wait, running, || settle(cx, &call)).await
}

/// The call with what creating and changing take alike.
macro_rules! described {
    ($call:expr, $object:expr) => {{
        let lake = $object.lake_formation_configuration.first().map(|lake| {
            LakeFormationConfiguration::builder()
                .set_account_id(text(lake.account_id.as_ref()))
                .use_lake_formation_credentials(lake.use_lake_formation_credentials.unwrap_or_default())
                .build()
        });
        let lineage = $object.lineage_configuration.first().map(|lineage| {
            let settings = chosen(&lineage.crawler_lineage_settings);
            LineageConfiguration::builder().set_crawler_lineage_settings(settings).build()
        });
        let recrawl = $object
            .recrawl_policy
            .first()
            .map(|policy| RecrawlPolicy::builder().set_recrawl_behavior(chosen(&policy.recrawl_behavior)).build());
        let change = $object.schema_change_policy.first().map(|policy| {
            let change = SchemaChangePolicy::builder().set_delete_behavior(chosen(&policy.delete_behavior));
            change.set_update_behavior(chosen(&policy.update_behavior)).build()
        });
        $call
            .set_classifiers(given_list($object.classifiers.as_deref()))
            .set_crawler_security_configuration(given(&$object.security_configuration))
            .database_name(&$object.database_name)
            .set_description(given(&$object.description))
            .set_lake_formation_configuration(lake)
            .set_lineage_configuration(lineage)
            .set_recrawl_policy(recrawl)
            .role(&$object.role)
            .set_schema_change_policy(change)
            .targets($object.targets()?)
    }};
}

impl ResourceType for Crawler {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_glue_crawler";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=255)?;
        check::length(change, "description", 0..=2048)?;
        check::length(change, "table_prefix", 0..=128)?;
        check::json(change, "configuration")?;
        check::at_least_one(change, "", &TARGETS)?;
        for name in ["catalog_target", "s3_target"] {
            check::arn(change, &format!("{name}.dlq_event_queue_arn"))?;
            check::arn(change, &format!("{name}.event_queue_arn"))?;
        }
        check::between(change, "s3_target.sample_size", 1..=249)?;
        check::each(change, "dynamodb_target.scan_rate", |value| match value.as_number().map(|n| n.to_f64()) {
            Some(rate) if !(0.1..=1.5).contains(&rate) => Err(format!("is {rate}; expected is 0.1 to 1.5")),
            _ => Ok(()),
        })?;
        for name in ["hudi_target", "iceberg_target"] {
            check::between(change, &format!("{name}.maximum_traversal_depth"), 1..=20)?;
        }
        check::one_of(change, "jdbc_target.enable_additional_metadata", JdbcMetadataEntry::values())?;
        let lineage = "lineage_configuration.crawler_lineage_settings";
        check::one_of(change, lineage, CrawlerLineageSettings::values())?;
        check::one_of(change, "recrawl_policy.recrawl_behavior", RecrawlBehavior::values())?;
        check::one_of(change, "schema_change_policy.delete_behavior", DeleteBehavior::values())?;
        check::one_of(change, "schema_change_policy.update_behavior", UpdateBehavior::values())?;
        policy::plan_normal(change, "configuration");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let arn = arn(cx, &format!("crawler/{name}")).await?;
        let (live, tags) = tokio::join!(find(cx, &name), read_tags(cx, &arn));
        let Some(live) = live? else { return Ok(None) };
        object.arn = Some(arn);
        object.take(live);
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let call = cx.client.glue().create_crawler().name(&object.name).set_tags(given_map(&object.tags_all));
        let call = described!(call, object)
            .set_configuration(given(&object.configuration))
            .set_schedule(given(&object.schedule))
            .set_table_prefix(given(&object.table_prefix));
        let create = || async { call.clone().send().await.during("glue:CreateCrawler") };
        settle(cx, create).await?;
        object.id = Some(object.name.clone());
        object.arn = Some(arn(cx, &format!("crawler/{}", object.name)).await?);
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
            let call = cx.client.glue().update_crawler().name(&name);
            // An empty text takes back what was there.
            let call = described!(call, object)
                .set_configuration(text(object.configuration.as_ref()))
                .set_schedule(text(object.schedule.as_ref()))
                .set_table_prefix(text(object.table_prefix.as_ref()));
            at_rest(cx, || async { call.clone().send().await.during("glue:UpdateCrawler") }).await?;
        }
        let arn = prior.arn.clone().unwrap_or_default();
        update_tags(cx, &arn, prior.tags_all.as_ref(), object.tags_all.as_ref()).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let call = cx.client.glue().delete_crawler().set_name(object.id.clone());
        let gone = at_rest(cx, || async { call.clone().send().await.during("glue:DeleteCrawler") }).await;
        gone.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { id: Some(id.to_owned()), name: id.to_owned(), ..Self::default() })
    }
}

/// The crawler, if it exists.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    let answer = cx.client.glue().get_crawler().name(name).send().await;
    Ok(answer.during("glue:GetCrawler").absent_ok(GONE)?.and_then(|answer| answer.crawler))
}

impl Crawler {
    /// Whether more than tags differs.
    fn differs(&self, prior: &Self) -> bool {
        use lakeform_provider::Field;
        let bare = |object: &Self| Self { tags: None, tags_all: None, ..object.clone() }.into_value();
        bare(self) != bare(prior)
    }

    /// What the API says of the crawler.
    fn take(&mut self, live: Found) {
        self.name = live.name.unwrap_or_default();
        self.classifiers = list(live.classifiers.as_deref().unwrap_or_default(), self.classifiers.as_ref());
        let configuration = live.configuration.unwrap_or_default();
        let stored = self.configuration.take().filter(|text| policy::normal(text) == policy::normal(&configuration));
        self.configuration = stored.or(Some(configuration));
        self.database_name = live.database_name.unwrap_or_default();
        self.description = text(live.description);
        self.role = live.role.unwrap_or_default();
        self.schedule = text(live.schedule.and_then(|schedule| schedule.schedule_expression));
        self.security_configuration = text(live.crawler_security_configuration);
        self.table_prefix = text(live.table_prefix);
        let lake = live.lake_formation_configuration.map(|lake| LakeFormation {
            account_id: text(lake.account_id),
            use_lake_formation_credentials: Some(lake.use_lake_formation_credentials.unwrap_or_default()),
        });
        self.lake_formation_configuration = lake.into_iter().collect();
        let lineage = live
            .lineage_configuration
            .map(|lineage| Lineage { crawler_lineage_settings: text(lineage.crawler_lineage_settings) });
        self.lineage_configuration = lineage.into_iter().collect();
        let recrawl = live.recrawl_policy.map(|policy| Recrawl { recrawl_behavior: text(policy.recrawl_behavior) });
        self.recrawl_policy = recrawl.into_iter().collect();
        let change = live.schema_change_policy.map(|policy| SchemaChange {
            delete_behavior: text(policy.delete_behavior),
            update_behavior: text(policy.update_behavior),
        });
        self.schema_change_policy = change.into_iter().collect();
        self.take_targets(live.targets.unwrap_or_else(|| aws_sdk_glue::types::CrawlerTargets::builder().build()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_the_same_by_its_name_and_by_its_arn() {
        let same = |a: &str, b: &str| same_role(&a.into(), &b.into());
        assert!(same("glue", "arn:aws:iam::123456789012:role/glue"));
        assert!(same("service-role/glue", "arn:aws-cn:iam::123456789012:role/service-role/glue"));
        assert!(!same("glue", "arn:aws:iam::123456789012:role/service-role/glue"));
        assert!(!same("glue", "gluey"));
    }
}
