//! `aws_kms_grant`

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kms::types::{GrantConstraints, GrantListEntry, GrantOperation};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
};

/// Leave to use a KMS key.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct GrantModel {
    /// Tokens of grants that may not be known everywhere yet.
    #[attr(optional, force_new)]
    grant_creation_tokens: Option<BTreeSet<String>>,
    /// Id of the grant.
    #[attr(computed)]
    grant_id: Option<String>,
    /// Token that lets the grant be used before it is known everywhere.
    #[attr(computed, sensitive)]
    grant_token: Option<String>,
    /// Who gets the leave: the ARN of a principal.
    #[attr(required, force_new)]
    grantee_principal: String,
    /// `KEY:GRANT`
    #[attr(optional, computed)]
    id: Option<String>,
    /// The key: its id or ARN.
    #[attr(required, force_new)]
    key_id: String,
    /// Name of the grant.
    #[attr(optional, force_new)]
    name: Option<String>,
    /// What the grantee may do: `Encrypt`, `Decrypt`, `GenerateDataKey`, ...
    #[attr(required, force_new)]
    operations: BTreeSet<String>,
    /// Whether to retire the grant instead of revoking it. Default: `false`.
    #[attr(optional, force_new, default = false)]
    retire_on_delete: Option<bool>,
    /// Who may retire the grant: the ARN of a principal.
    #[attr(optional, force_new)]
    retiring_principal: Option<String>,
    /// The encryption context that requests must have.
    #[block(set, force_new)]
    constraints: Vec<Constraint>,
}

/// An encryption context that requests must have.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Constraint {
    /// It must be exactly this.
    #[attr(optional, force_new)]
    encryption_context_equals: Option<BTreeMap<String, String>>,
    /// It must hold at least this.
    #[attr(optional, force_new)]
    encryption_context_subset: Option<BTreeMap<String, String>>,
}

/// `aws_kms_grant`
pub(crate) struct Grant;

impl ResourceType for Grant {
    type Client = AwsClient;
    type Model = GrantModel;
    const NAME: &'static str = "aws_kms_grant";
    const FOUND_BY: FoundBy = FoundBy::Parent;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=256)?;
        let operations = change.config.get("operations").and_then(Value::as_slice).unwrap_or_default();
        for operation in operations.iter().filter_map(Value::as_str) {
            if !GrantOperation::values().contains(&operation) {
                let all = GrantOperation::values().join(", ");
                return Err(ProviderError::invalid(format!(
                    "{operation:?} is no grant operation; expected is one of {all}"
                ))
                .attribute(Path::attr("operations")));
            }
        }
        let constraints = change.config.get("constraints").and_then(Value::as_slice).unwrap_or_default();
        let set = |c: &Value, name: &str| {
            c.get(name).is_some_and(|v| !v.is_null() && v.as_mapping().is_none_or(|m| !m.is_empty()))
        };
        let both = |c: &Value| set(c, "encryption_context_equals") && set(c, "encryption_context_subset");
        if constraints.len() > 1 || constraints.iter().any(both) {
            return Err(ProviderError::invalid(
                "encryption_context_equals and encryption_context_subset exclude each other",
            )
            .attribute(Path::attr("constraints")));
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: GrantModel) -> Result<Option<GrantModel>> {
        let Some((key, grant)) = object.id.as_deref().and_then(split) else { return Ok(None) };
        let (key, grant) = (key.to_owned(), grant.to_owned());
        let Some(found) = find(cx.client.kms(), &key, &grant).await? else { return Ok(None) };
        object.take(&key, found);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut GrantModel) -> Result<()> {
        let kms = cx.client.kms();
        let operations: Vec<GrantOperation> = object.operations.iter().map(|o| o.as_str().into()).collect();
        let tokens = object.grant_creation_tokens.as_ref().map(|t| t.iter().cloned().collect::<Vec<_>>());
        let constraints = object.constraints.first().map(|c| {
            let map = |m: &Option<BTreeMap<String, String>>| m.clone().map(|m| m.into_iter().collect());
            GrantConstraints::builder()
                .set_encryption_context_equals(map(&c.encryption_context_equals))
                .set_encryption_context_subset(map(&c.encryption_context_subset))
                .build()
        });
        let answer = settle(cx, || async {
            kms.create_grant()
                .key_id(&object.key_id)
                .grantee_principal(&object.grantee_principal)
                .set_operations(Some(operations.clone()))
                .set_constraints(constraints.clone())
                .set_grant_tokens(tokens.clone())
                .set_name(object.name.clone())
                .set_retiring_principal(object.retiring_principal.clone())
                .send()
                .await
                .during("kms:CreateGrant")
        })
        .await?;
        object.id = Some(format!("{}:{}", object.key_id, answer.grant_id().unwrap_or_default()));
        object.grant_id = answer.grant_id;
        object.grant_token = answer.grant_token;
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let Some(grant) = planned.newest_like(cx.client.kms()).await? else { return Ok(None) };
        planned.id = Some(format!("{}:{}", planned.key_id, grant.grant_id.unwrap_or_default()));
        Ok(Some(planned))
    }

    async fn update(_cx: &Context<'_, AwsClient>, _prior: &GrantModel, _object: &mut GrantModel) -> Result<()> {
        // Every attribute that a stack can change replaces the grant.
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &GrantModel) -> Result<()> {
        let kms = cx.client.kms();
        let Some((key, grant)) = object.id.as_deref().and_then(split) else { return Ok(()) };
        let done = if object.retire_on_delete == Some(true) {
            kms.retire_grant()
                .key_id(full_key(cx, key).await?)
                .grant_id(grant)
                .send()
                .await
                .during("kms:RetireGrant")
                .map(drop)
        } else {
            kms.revoke_grant().key_id(key).grant_id(grant).send().await.during("kms:RevokeGrant").map(drop)
        };
        done.absent_ok(&["NotFoundException", "InvalidGrantIdException"]).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<GrantModel> {
        match split(id) {
            Some((key, _)) => {
                Ok(GrantModel { id: Some(id.to_owned()), key_id: key.to_owned(), ..GrantModel::default() })
            }
            None => Err(ProviderError::invalid(format!("a grant is imported by `KEY:GRANT`, not by {id:?}"))),
        }
    }
}

/// `KEY:GRANT`, where the key may be an ARN.
fn split(id: &str) -> Option<(&str, &str)> {
    id.rsplit_once(':').filter(|(key, grant)| !key.is_empty() && !grant.is_empty())
}

/// RetireGrant takes nothing but the key's ARN.
async fn full_key(cx: &Context<'_, AwsClient>, key: &str) -> Result<String> {
    if key.starts_with("arn:") {
        return Ok(key.to_owned());
    }
    let (partition, region) = (cx.client.partition().id, cx.client.region());
    Ok(format!("arn:{partition}:kms:{region}:{}:key/{key}", cx.client.account_id().await?))
}

async fn find(kms: &aws_sdk_kms::Client, key: &str, grant: &str) -> Result<Option<GrantListEntry>> {
    let mut pages = kms.list_grants().key_id(key).grant_id(grant).into_paginator().items().send();
    while let Some(entry) = pages.next().await {
        let Some(entry) =
            entry.during("kms:ListGrants").absent_ok(&["NotFoundException", "InvalidGrantIdException"])?
        else {
            return Ok(None);
        };
        if entry.grant_id() == Some(grant) {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}

/// A service's leave is named apart; a deleted principal shows as an internal id, which says nothing new.
fn principal(arn: Option<String>, service: Option<String>) -> Option<String> {
    arn.or(service).filter(|p| p.contains(':') || p.contains('.') || p.contains('/'))
}

/// The encryption context that the API says requests must have.
fn constraints(live: Option<GrantConstraints>) -> Vec<Constraint> {
    let map = |m: Option<std::collections::HashMap<String, String>>| {
        m.filter(|m| !m.is_empty()).map(|m| m.into_iter().collect::<BTreeMap<_, _>>())
    };
    let constraint = live.map(|c| Constraint {
        encryption_context_equals: map(c.encryption_context_equals),
        encryption_context_subset: map(c.encryption_context_subset),
    });
    constraint.filter(|c| *c != Constraint::default()).into_iter().collect()
}

impl GrantModel {
    /// The newest of the key's grants that say just what this one says. There may be several: only a name tells them apart.
    async fn newest_like(&self, kms: &aws_sdk_kms::Client) -> Result<Option<GrantListEntry>> {
        let pages = kms.list_grants().key_id(&self.key_id).into_paginator().items().send();
        let all: Result<Vec<_>, _> = pages.collect().await;
        let all = all.during("kms:ListGrants").absent_ok(&["NotFoundException"])?.unwrap_or_default();
        Ok(all.into_iter().filter(|live| self.is_like(live)).max_by_key(|live| live.creation_date))
    }

    fn is_like(&self, live: &GrantListEntry) -> bool {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let set = |m: &Option<BTreeMap<String, String>>| m.clone().filter(|m| !m.is_empty());
        let wanted = self.constraints.iter().map(|c| Constraint {
            encryption_context_equals: set(&c.encryption_context_equals),
            encryption_context_subset: set(&c.encryption_context_subset),
        });
        let wanted: Vec<_> = wanted.filter(|c| *c != Constraint::default()).collect();
        let operations: BTreeSet<_> = live.operations().iter().map(|o| o.as_str().to_owned()).collect();
        let grantee = principal(live.grantee_principal.clone(), live.grantee_service_principal.clone());
        let retiring = principal(live.retiring_principal.clone(), live.retiring_service_principal.clone());
        grantee.as_ref() == Some(&self.grantee_principal)
            && operations == self.operations
            && given(&live.name) == given(&self.name)
            && retiring == given(&self.retiring_principal)
            && constraints(live.constraints.clone()) == wanted
    }

    fn take(&mut self, key: &str, live: GrantListEntry) {
        self.key_id = key.to_owned();
        self.operations = live.operations().iter().map(|o| o.as_str().to_owned()).collect();
        self.grant_id = live.grant_id;
        self.name = live.name.filter(|n| !n.is_empty()).or(self.name.take());
        if let Some(grantee) = principal(live.grantee_principal, live.grantee_service_principal) {
            self.grantee_principal = grantee;
        }
        if let Some(retiring) = principal(live.retiring_principal, live.retiring_service_principal) {
            self.retiring_principal = Some(retiring);
        }
        self.retire_on_delete.get_or_insert(false);
        self.constraints = constraints(live.constraints);
    }
}
