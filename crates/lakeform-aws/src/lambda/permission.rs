//! `aws_lambda_permission`

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_sdk_lambda::types::FunctionUrlAuthType;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};
use serde_json::Value as Json;

use super::common::{GONE, check_function_name, given, parts};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming, propagation,
};

/// Leave to call a function: a statement of its policy.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PermissionModel {
    /// What may be done: `lambda:InvokeFunction`, ...
    #[attr(required, force_new)]
    action: String,
    /// Token that an Alexa skill shows.
    #[attr(optional, force_new)]
    event_source_token: Option<String>,
    /// Name or ARN of the function.
    #[attr(required, force_new)]
    function_name: String,
    /// How a function URL knows its callers: `AWS_IAM` or `NONE`
    #[attr(optional, force_new)]
    function_url_auth_type: Option<String>,
    /// Id of the statement.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Who may do it: a service such as `events.amazonaws.com`, an account, the ARN of a principal, or `*`.
    #[attr(required, force_new)]
    principal: String,
    /// Organisation whose members alone may do it.
    #[attr(optional, force_new)]
    principal_org_id: Option<String>,
    /// Version or alias of the function.
    #[attr(optional, force_new)]
    qualifier: Option<String>,
    /// Account that the source must belong to.
    #[attr(optional, force_new)]
    source_account: Option<String>,
    /// ARN of the source.
    #[attr(optional, force_new)]
    source_arn: Option<String>,
    /// Id of the statement. Without it one is made up.
    #[attr(optional, computed, force_new)]
    statement_id: Option<String>,
    /// What a made-up id begins with.
    #[attr(optional, computed, force_new)]
    statement_id_prefix: Option<String>,
}

/// `aws_lambda_permission`
pub(crate) struct Permission;

/// How long a change of a policy may take to show.
const LIMIT: Duration = Duration::from_secs(300);

impl ResourceType for Permission {
    type Client = AwsClient;
    type Model = PermissionModel;
    const NAME: &'static str = "aws_lambda_permission";
    const IDENTITY: &'static [&'static str] = &["function_name", "qualifier", "statement_id"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check_function_name(change)?;
        check::not_both(change, "statement_id", "statement_id_prefix")?;
        check::one_of(change, "function_url_auth_type", FunctionUrlAuthType::values())?;
        check::arn(change, "source_arn")?;
        let wrong = |name: &str, text: &str, expected: &str| {
            Err(ProviderError::invalid(format!("{name} is {text:?}; expected {expected}")).attribute(Path::attr(name)))
        };
        let text = |name: &str| change.config.get(name).and_then(Value::as_str);
        let word = |text: &str, more: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        if let Some(action) = text("action")
            && !action.strip_prefix("lambda:").is_some_and(|rest| rest == "*" || !rest.is_empty() && word(rest, ""))
        {
            return wrong("action", action, "is an action of Lambda such as lambda:InvokeFunction");
        }
        for name in ["statement_id", "statement_id_prefix"] {
            if let Some(id) = text(name).filter(|id| id.is_empty() || id.len() > 100 || !word(id, "-_")) {
                return wrong(name, id, "are letters, digits, `-` and `_`, 100 at most");
            }
        }
        if let Some(qualifier) = text("qualifier").filter(|q| q.is_empty() || q.len() > 128 || !word(q, "$-_")) {
            return wrong("qualifier", qualifier, "is a version or an alias");
        }
        if let Some(token) = text("event_source_token").filter(|t| t.is_empty() || t.len() > 256 || !word(t, "._-")) {
            return wrong("event_source_token", token, "are letters, digits, `.`, `-` and `_`, 256 at most");
        }
        match text("source_account").filter(|a| a.len() != 12 || !a.chars().all(|c| c.is_ascii_digit())) {
            Some(account) => wrong("source_account", account, "are the twelve digits of an account"),
            None => Ok(()),
        }
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: PermissionModel) -> Result<Option<PermissionModel>> {
        let Some(id) = object.id.clone() else { return Ok(None) };
        let Some(statement) = find(cx, &object, &id).await? else { return Ok(None) };
        object.take(&id, &statement);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut PermissionModel) -> Result<()> {
        let id = naming::choose(object.statement_id.as_deref(), object.statement_id_prefix.as_deref(), "", cx.token);
        let call = cx
            .client
            .lambda()
            .add_permission()
            .action(&object.action)
            .function_name(&object.function_name)
            .principal(&object.principal)
            .statement_id(&id)
            .set_event_source_token(given(&object.event_source_token))
            .set_function_url_auth_type(
                given(&object.function_url_auth_type).map(|t| FunctionUrlAuthType::from(t.as_str())),
            )
            .set_principal_org_id(given(&object.principal_org_id))
            .set_qualifier(given(&object.qualifier))
            .set_source_account(given(&object.source_account))
            .set_source_arn(given(&object.source_arn));
        // The function may be so new that not all of Lambda knows it.
        let passing = |e: &ProviderError| e.has_code(GONE[0]) || propagation::is_busy(e);
        let lock = lock(&object.function_name);
        {
            let _alone = lock.lock().await;
            let wait = Wait::new("function to be known everywhere", Duration::from_secs(60));
            cx.retry(wait, passing, || async { call.clone().send().await.during("lambda:AddPermission") }).await?;
        }
        object.id = Some(id.clone());
        let shown = &*object;
        let statement = cx
            .wait(Wait::new("permission to show", LIMIT), || async {
                Ok(find(cx, shown, &id).await?.map_or(Poll::Pending, Poll::Ready))
            })
            .await?;
        object.take(&id, &statement);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id =
            Some(naming::choose(planned.statement_id.as_deref(), planned.statement_id_prefix.as_deref(), "", cx.token));
        Ok(Some(planned))
    }

    async fn update(
        _cx: &Context<'_, AwsClient>,
        _prior: &PermissionModel,
        _object: &mut PermissionModel,
    ) -> Result<()> {
        // Every attribute that a stack can change replaces the permission.
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &PermissionModel) -> Result<()> {
        let id = object.id.clone().unwrap_or_default();
        let call = cx.client.lambda().remove_permission().function_name(&object.function_name).statement_id(&id);
        let call = call.set_qualifier(given(&object.qualifier));
        let lock = lock(&object.function_name);
        {
            let _alone = lock.lock().await;
            if call.send().await.during("lambda:RemovePermission").absent_ok(GONE)?.is_none() {
                return Ok(());
            }
        }
        cx.wait(Wait::new("permission to be gone", LIMIT), || async {
            Ok(if find(cx, object, &id).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<PermissionModel> {
        match id.split('/').collect::<Vec<_>>()[..] {
            [function, statement] if !function.is_empty() && !statement.is_empty() => Ok(PermissionModel {
                id: Some(statement.to_owned()),
                function_name: function.to_owned(),
                qualifier: parts(function).1.map(str::to_owned),
                ..PermissionModel::default()
            }),
            _ => Err(ProviderError::invalid(format!(
                "a permission is imported by `FUNCTION/STATEMENT` or `FUNCTION:QUALIFIER/STATEMENT`, not by {id:?}"
            ))),
        }
    }
}

impl PermissionModel {
    /// What the policy says.
    fn take(&mut self, id: &str, statement: &Json) {
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let function = text(&statement["Resource"]);
        let (name, qualifier) = parts(&function);
        self.id = Some(id.to_owned());
        self.action = text(&statement["Action"]);
        self.qualifier = Some(qualifier.unwrap_or_default().to_owned());
        // In the spelling of the stack: a name or an ARN, without the qualifier.
        self.function_name = match (self.function_name.starts_with("arn:"), qualifier) {
            (false, _) => name.to_owned(),
            (true, None) => function.clone(),
            (true, Some(q)) => function.strip_suffix(&format!(":{q}")).unwrap_or(&function).to_owned(),
        };
        let principal = match &statement["Principal"] {
            Json::Object(by) => by.get("AWS").or_else(|| by.get("Service")).map(&text).unwrap_or_default(),
            all => text(all),
        };
        // AWS spells an account as the ARN of its root user.
        let account = format!(":iam::{}:root", self.principal);
        if !principal.ends_with(&account) {
            self.principal = principal;
        }
        let condition = |operator: &str, key: &str| {
            let all = statement["Condition"][operator].as_object()?;
            all.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, value)| text(value))
        };
        self.event_source_token = condition("StringEquals", "lambda:EventSourceToken");
        self.function_url_auth_type = condition("StringEquals", "lambda:FunctionUrlAuthType");
        self.principal_org_id = condition("StringEquals", "aws:PrincipalOrgID");
        self.source_account = condition("StringEquals", "AWS:SourceAccount");
        self.source_arn = condition("ArnLike", "AWS:SourceArn");
        self.statement_id = Some(id.to_owned());
        self.statement_id_prefix = Some(naming::prefix_of(id));
    }
}

/// The statement in the function's policy; `None` without one.
async fn find(cx: &Context<'_, AwsClient>, object: &PermissionModel, id: &str) -> Result<Option<Json>> {
    let call = cx.client.lambda().get_policy().function_name(&object.function_name);
    let call = call.set_qualifier(given(&object.qualifier));
    let Some(answer) = call.send().await.during("lambda:GetPolicy").absent_ok(GONE)? else { return Ok(None) };
    let policy: Json = serde_json::from_str(answer.policy().unwrap_or_default()).map_err(|e| {
        ProviderError::new(ErrorKind::Other, "the policy is no JSON").operation("lambda:GetPolicy").source(e)
    })?;
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    Ok(statements.into_iter().find(|statement| statement["Sid"] == id))
}

/// Permissions of one function are changed one after the other: of several changes at once, Lambda loses some.
fn lock(function: &str) -> Arc<tokio::sync::Mutex<()>> {
    static LOCKS: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>> = Mutex::new(BTreeMap::new());
    let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(locks.entry(parts(function).0.to_owned()).or_default())
}
