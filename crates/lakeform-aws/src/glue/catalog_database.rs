//! `aws_glue_catalog_database`

use std::collections::BTreeSet;

use aws_sdk_glue::{
    error::BuildError,
    types::{
        DataLakePrincipal, Database as Found, DatabaseIdentifier, DatabaseInput, FederatedDatabase, Permission,
        PrincipalPermissions,
    },
};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{GONE, arn, catalog, read_tags, update_tags};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
    values::{built, fill, given, given_map, map, text},
};

/// A database of the data catalog.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct CatalogDatabase {
    /// ARN of the database.
    #[attr(computed)]
    arn: Option<String>,
    /// The catalog. Default: that of the account, whose id is its own.
    #[attr(optional, computed, force_new)]
    catalog_id: Option<String>,
    /// What the database is for.
    #[attr(optional)]
    description: Option<String>,
    /// The catalog and the name, as `CATALOG:NAME`.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Where its tables are: `s3://...`
    #[attr(optional, computed)]
    location_uri: Option<String>,
    /// Name of the database, without capital letters.
    #[attr(required, force_new)]
    name: String,
    /// Properties by name.
    #[attr(optional)]
    parameters: Option<Tags>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Who may do what with new tables.
    #[block(list, computed)]
    create_table_default_permission: Vec<DefaultPermission>,
    /// The database outside of the catalog that this one stands for.
    #[block(list, max = 1)]
    federated_database: Vec<Federated>,
    /// The database that this one is a link to.
    #[block(list, max = 1, force_new)]
    target_database: Vec<Target>,
}

/// What somebody may do with new tables.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct DefaultPermission {
    /// `ALL`, `SELECT`, `ALTER`, `DROP`, `DELETE`, `INSERT`, `CREATE_DATABASE`, `CREATE_TABLE` or `DATA_LOCATION_ACCESS`.
    #[attr(optional)]
    permissions: Option<BTreeSet<String>>,
    /// Who.
    #[block(list, max = 1)]
    principal: Vec<Principal>,
}

/// A principal of Lake Formation.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Principal {
    /// Its identifier: `IAM_ALLOWED_PRINCIPALS`
    #[attr(optional)]
    data_lake_principal_identifier: Option<String>,
}

/// A database outside of the catalog.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Federated {
    /// Name of the connection to it.
    #[attr(optional)]
    connection_name: Option<String>,
    /// What it is called there.
    #[attr(optional)]
    identifier: Option<String>,
}

/// Another database of a catalog.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Target {
    /// Its catalog.
    #[attr(required)]
    catalog_id: String,
    /// Its name.
    #[attr(required)]
    database_name: String,
    /// Its region.
    #[attr(optional)]
    region: Option<String>,
}

impl ResourceType for CatalogDatabase {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_glue_catalog_database";
    const IDENTITY: &'static [&'static str] = &["catalog_id", "name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=255)?;
        check_small_letters(change, "name")?;
        check::length(change, "description", 0..=2048)?;
        check::one_of(change, "create_table_default_permission.permissions", Permission::values())?;
        let principal = "create_table_default_permission.principal.data_lake_principal_identifier";
        check::length(change, principal, 1..=255)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let (catalog_id, name) = object.key()?;
        let arn = arn(cx, &format!("database/{name}")).await?;
        let (live, tags) = tokio::join!(find(cx, &catalog_id, &name), read_tags(cx, &arn));
        let Some(live) = live? else { return Ok(None) };
        object.arn = Some(arn);
        object.take(&catalog_id, live);
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let catalog_id = catalog(cx, object.catalog_id.as_deref()).await?;
        let input = built(object.to_api(&object.name))?;
        let tags = given_map(&object.tags_all);
        let call = cx.client.glue().create_database().catalog_id(&catalog_id).database_input(input).set_tags(tags);
        let create = || async { call.clone().send().await.during("glue:CreateDatabase") };
        settle(cx, create).await?;
        object.id = Some(format!("{catalog_id}:{}", object.name));
        object.arn = Some(arn(cx, &format!("database/{}", object.name)).await?);
        if let Some(live) = find(cx, &catalog_id, &object.name).await? {
            fill(object, |object| object.take(&catalog_id, live));
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let catalog_id = catalog(cx, planned.catalog_id.as_deref()).await?;
        planned.id = Some(format!("{catalog_id}:{}", planned.name));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let (catalog_id, name) = prior.key()?;
        let input = built(object.to_api(&name))?;
        if input != built(prior.to_api(&name))? {
            let call = cx.client.glue().update_database().catalog_id(&catalog_id).name(&name).database_input(input);
            settle(cx, || async { call.clone().send().await.during("glue:UpdateDatabase") }).await?;
        }
        let arn = prior.arn.clone().unwrap_or_default();
        update_tags(cx, &arn, prior.tags_all.as_ref(), object.tags_all.as_ref()).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let (catalog_id, name) = object.key()?;
        let call = cx.client.glue().delete_database().catalog_id(catalog_id).name(name);
        let gone = settle(cx, || async { call.clone().send().await.during("glue:DeleteDatabase") }).await;
        gone.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let object = Self { id: Some(id.to_owned()), ..Self::default() };
        object.key()?;
        Ok(object)
    }
}

/// Refuses capital letters: the catalog knows none.
///
/// # Errors
/// When there is one.
pub(super) fn check_small_letters(change: &Change<'_>, name: &str) -> Result<()> {
    check::each(change, name, |value| match value.as_str() {
        Some(text) if text.contains(|c: char| c.is_ascii_uppercase()) => {
            Err(format!("is {text:?}; capital letters cannot be used"))
        }
        _ => Ok(()),
    })
}

/// The database, if it exists.
async fn find(cx: &Context<'_, AwsClient>, catalog_id: &str, name: &str) -> Result<Option<Found>> {
    let answer = cx.client.glue().get_database().catalog_id(catalog_id).name(name).send().await;
    Ok(answer.during("glue:GetDatabase").absent_ok(GONE)?.and_then(|answer| answer.database))
}

impl CatalogDatabase {
    /// Catalog and name, from the identifier.
    fn key(&self) -> Result<(String, String)> {
        let id = self.id.as_deref().unwrap_or_default();
        match id.split(':').collect::<Vec<_>>()[..] {
            [catalog, name] if !catalog.is_empty() && !name.is_empty() => Ok((catalog.to_owned(), name.to_owned())),
            _ => Err(ProviderError::invalid(format!("{id:?} is no identifier: CATALOG_ID:DATABASE is expected"))),
        }
    }

    fn to_api(&self, name: &str) -> Result<DatabaseInput, BuildError> {
        let permissions = self.create_table_default_permission.iter().map(|p| {
            let who = p.principal.first().map(|principal| {
                let identifier = given(&principal.data_lake_principal_identifier);
                DataLakePrincipal::builder().set_data_lake_principal_identifier(identifier).build()
            });
            let what = p.permissions.iter().flatten().map(|p| Permission::from(p.as_str())).collect();
            PrincipalPermissions::builder().set_principal(who).set_permissions(Some(what)).build()
        });
        let permissions: Vec<_> = permissions.collect();
        let federated = self.federated_database.first().map(|f| {
            let database = FederatedDatabase::builder().set_connection_name(given(&f.connection_name));
            database.set_identifier(given(&f.identifier)).build()
        });
        let target = self.target_database.first().map(|t| {
            let database = DatabaseIdentifier::builder().catalog_id(&t.catalog_id).database_name(&t.database_name);
            database.set_region(given(&t.region)).build()
        });
        DatabaseInput::builder()
            .name(name)
            .set_description(given(&self.description))
            .set_location_uri(given(&self.location_uri))
            .set_parameters(given_map(&self.parameters))
            .set_create_table_default_permissions((!permissions.is_empty()).then_some(permissions))
            .set_federated_database(federated)
            .set_target_database(target)
            .build()
    }

    /// What the API says of the database.
    fn take(&mut self, catalog_id: &str, live: Found) {
        self.catalog_id = Some(live.catalog_id.unwrap_or_else(|| catalog_id.to_owned()));
        self.description = text(live.description);
        self.location_uri = text(live.location_uri);
        self.name = live.name;
        self.parameters = map(live.parameters.as_ref(), self.parameters.as_ref());
        let permissions = live.create_table_default_permissions.unwrap_or_default().into_iter();
        self.create_table_default_permission = permissions
            .map(|p| DefaultPermission {
                permissions: Some(p.permissions().iter().map(|p| p.as_str().to_owned()).collect()),
                principal: p
                    .principal
                    .map(|p| Principal { data_lake_principal_identifier: text(p.data_lake_principal_identifier) })
                    .into_iter()
                    .collect(),
            })
            .collect();
        let federated = live
            .federated_database
            .map(|f| Federated { connection_name: text(f.connection_name), identifier: text(f.identifier) });
        self.federated_database = federated.into_iter().collect();
        let target = live.target_database.map(|t| Target {
            catalog_id: t.catalog_id.unwrap_or_default(),
            database_name: t.database_name.unwrap_or_default(),
            region: text(t.region),
        });
        self.target_database = target.into_iter().collect();
    }
}
