//! `aws_kms_alias`

use std::time::Duration;

use aws_sdk_kms::types::AliasListEntry;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming,
    propagation::settle,
};

/// A name for a KMS key.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct AliasModel {
    /// ARN of the alias.
    #[attr(computed)]
    arn: Option<String>,
    /// The alias's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name, beginning with `alias/`. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with; itself beginning with `alias/`.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// ARN of the key.
    #[attr(computed)]
    target_key_arn: Option<String>,
    /// The key: its id or ARN.
    #[attr(required, same = same_key)]
    target_key_id: String,
}

/// `aws_kms_alias`
pub(crate) struct Alias;

/// The key's id: what follows `key/` in its ARN.
pub(super) fn key_id(id_or_arn: &str) -> &str {
    id_or_arn.rsplit_once(":key/").map_or(id_or_arn, |(_, id)| id)
}

/// An ARN and the id in it name the same key.
fn same_key(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) if a.starts_with("arn:") && b.starts_with("arn:") => a == b,
        (Some(a), Some(b)) => key_id(a) == key_id(b),
        _ => a == b,
    }
}

impl ResourceType for Alias {
    type Client = AwsClient;
    type Model = AliasModel;
    const NAME: &'static str = "aws_kms_alias";
    const IDENTITY: &'static [&'static str] = &["name"];
    const TIED_TO: &'static [&'static str] = &["target_key_id"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::not_both(change, "name", "name_prefix")?;
        for name in ["name", "name_prefix"] {
            let Some(text) = change.config.get(name).and_then(Value::as_str) else { continue };
            let rest = text.strip_prefix("alias/");
            let chars = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-');
            let fits = rest.is_some_and(|rest| (!rest.is_empty() || name == "name_prefix") && rest.chars().all(chars));
            if !fits || text.len() > 256 {
                return Err(ProviderError::invalid(format!(
                    "{name} is {text:?}; expected is `alias/` and letters, digits, `/`, `_` and `-`, 256 characters at most"
                ))
                .attribute(Path::attr(name)));
            }
            if rest.is_some_and(|rest| rest.starts_with("aws/")) {
                return Err(ProviderError::invalid("names that begin with `alias/aws/` belong to AWS")
                    .attribute(Path::attr(name)));
            }
        }
        if !change.is_create() && change.changes("target_key_id") {
            let same = match (change.prior.and_then(|p| p.get("target_key_id")), change.planned("target_key_id")) {
                (Some(before), Some(after)) => same_key(before, after),
                _ => false,
            };
            if !same {
                change.set_unknown("target_key_arn");
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: AliasModel) -> Result<Option<AliasModel>> {
        let Some(name) = object.id.clone().or_else(|| object.name.clone()) else { return Ok(None) };
        let Some(alias) = find(cx.client.kms(), &name, Some(&object.target_key_id)).await? else { return Ok(None) };
        object.take(&name, &alias);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut AliasModel) -> Result<()> {
        let kms = cx.client.kms();
        let name = name(object, cx.token);
        let target = object.target_key_id.clone();
        let wait = Wait::new("key to be known everywhere", Duration::from_secs(60));
        settle(cx, || async {
            kms.create_alias().alias_name(&name).target_key_id(&target).send().await.during("kms:CreateAlias")
        })
        .await?;
        object.id = Some(name.clone());
        object.name_prefix = Some(object.name_prefix.take().unwrap_or_else(|| naming::prefix_of(&name)));
        object.name = Some(name.clone());
        match key_arn_parts(&target) {
            // The key's ARN says everything; its id needs one look for the account.
            Some((scope, key)) => {
                object.arn = Some(format!("{scope}{name}"));
                object.target_key_arn = Some(format!("{scope}key/{key}"));
            }
            None => {
                let look = || async {
                    let found = find(kms, &name, Some(&target)).await?;
                    found.ok_or_else(|| {
                        ProviderError::new(lakeform_provider::ErrorKind::NotFound, "the new alias does not show yet")
                            .operation("kms:ListAliases")
                    })
                };
                let alias = cx.retry(wait, ProviderError::is_not_found, look).await?;
                object.take(&name, &alias);
            }
        }
        Ok(())
    }

    /// Among the aliases of the key: one that points elsewhere was not made for it.
    async fn find(cx: &Context<'_, AwsClient>, mut planned: AliasModel) -> Result<Option<AliasModel>> {
        let (name, key) = (name(&planned, cx.token), planned.target_key_id.clone());
        if key.is_empty() {
            return Ok(None);
        }
        let Some(alias) = list_of(cx.client.kms(), &name, &key).await? else { return Ok(None) };
        planned.take(&name, &alias);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &AliasModel, object: &mut AliasModel) -> Result<()> {
        if key_id(&prior.target_key_id) != key_id(&object.target_key_id) {
            let call =
                cx.client.kms().update_alias().set_alias_name(object.id.clone()).target_key_id(&object.target_key_id);
            call.send().await.during("kms:UpdateAlias")?;
        }
        if let Some(scope) = object.arn.as_deref().and_then(|arn| arn.find(":alias/").map(|at| &arn[..=at])) {
            object.target_key_arn = Some(format!("{scope}key/{}", key_id(&object.target_key_id)));
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &AliasModel) -> Result<()> {
        let call = cx.client.kms().delete_alias().set_alias_name(object.id.clone());
        call.send().await.during("kms:DeleteAlias").absent_ok(&["NotFoundException"]).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<AliasModel> {
        if !id.starts_with("alias/") {
            return Err(ProviderError::invalid(format!(
                "an alias is imported by its name, `alias/...`, not by {id:?}"
            )));
        }
        Ok(AliasModel { id: Some(id.to_owned()), ..AliasModel::default() })
    }
}

/// The chosen name, else one that is made up.
fn name(object: &AliasModel, token: &str) -> String {
    match (&object.name, &object.name_prefix) {
        (Some(name), _) if !name.is_empty() => name.clone(),
        (_, Some(prefix)) if !prefix.is_empty() => naming::unique(prefix, token),
        _ => naming::unique("alias/", token),
    }
}

impl AliasModel {
    fn take(&mut self, name: &str, alias: &AliasListEntry) {
        let target = alias.target_key_id().unwrap_or_default();
        self.id = Some(name.to_owned());
        self.name = Some(name.to_owned());
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(name));
        self.arn = alias.alias_arn.clone();
        self.target_key_arn = alias.alias_arn().map(|arn| target_arn(arn, target));
        if key_id(&self.target_key_id) != target {
            self.target_key_id = target.to_owned();
        }
    }
}

/// The ARN of the key that an alias points to: key and alias are of one account and region.
pub(super) fn target_arn(alias_arn: &str, key_id: &str) -> String {
    let scope = alias_arn.find(":alias/").map_or(alias_arn, |at| &alias_arn[..at]);
    format!("{scope}:key/{key_id}")
}

/// `arn:aws:kms:REGION:ACCOUNT:` and the key's id.
fn key_arn_parts(arn: &str) -> Option<(&str, &str)> {
    let at = arn.find(":key/")?;
    arn.starts_with("arn:").then(|| (&arn[..=at], &arn[at + ":key/".len()..]))
}

/// The alias, looked for among those of `key` first: that answer is small. It may have been pointed elsewhere meanwhile.
pub(super) async fn find(kms: &aws_sdk_kms::Client, name: &str, key: Option<&str>) -> Result<Option<AliasListEntry>> {
    if let Some(key) = key.filter(|key| !key.is_empty()) {
        let found = list_of(kms, name, key).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    list(kms, name, None).await
}

/// The alias, if it is one of that key.
async fn list_of(kms: &aws_sdk_kms::Client, name: &str, key: &str) -> Result<Option<AliasListEntry>> {
    Ok(list(kms, name, Some(key)).await.absent_ok(&["NotFoundException", "InvalidArnException"])?.flatten())
}

async fn list(kms: &aws_sdk_kms::Client, name: &str, key: Option<&str>) -> Result<Option<AliasListEntry>> {
    let mut pages = kms.list_aliases().set_key_id(key.map(str::to_owned)).into_paginator().items().send();
    while let Some(alias) = pages.next().await {
        let alias = alias.during("kms:ListAliases")?;
        if alias.alias_name() == Some(name) {
            return Ok(Some(alias));
        }
    }
    Ok(None)
}
