//! `aws_ecr_lifecycle_policy`

use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Model, ResourceType, Result};
use serde_json::Value as Json;

use super::GONE;
use crate::{
    AwsClient,
    error::{Absent, During},
    policy,
};

/// Which images of a repository expire.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct LifecyclePolicy {
    /// Name of the repository.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The rules.
    #[attr(required, json, force_new, same = same)]
    policy: String,
    /// The account that the registry belongs to.
    #[attr(computed)]
    registry_id: Option<String>,
    /// Name of the repository.
    #[attr(required, force_new)]
    repository: String,
}

/// The codes that say: there is no policy, or no repository.
const ABSENT: &[&str] = &["LifecyclePolicyNotFoundException", GONE];

/// Whether two policies, as JSON text, hold the same rules: their order is that of their priorities, and lists of tags
/// have none.
fn same(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => same_text(a, b),
        _ => a == b,
    }
}

fn same_text(a: &str, b: &str) -> bool {
    a == b || matches!((canonical(a), canonical(b)), (Some(a), Some(b)) if a == b)
}

/// A policy with one spelling for each meaning.
fn canonical(text: &str) -> Option<Json> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    let mut policy: Json = serde_json::from_str(text).ok()?;
    let rules = policy.get_mut("rules").and_then(Json::as_array_mut);
    if let Some(rules) = rules {
        for selection in rules.iter_mut().filter_map(|rule| rule.get_mut("selection")?.as_object_mut()) {
            for name in ["tagPatternList", "tagPrefixList"] {
                if let Some(tags) = selection.get_mut(name).and_then(Json::as_array_mut) {
                    tags.sort_by_cached_key(Json::to_string);
                    if tags.is_empty() {
                        selection.remove(name);
                    }
                }
            }
        }
        rules.sort_by_key(|rule| rule.get("rulePriority").and_then(Json::as_i64).unwrap_or_default());
    }
    Some(policy)
}

impl ResourceType for LifecyclePolicy {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_ecr_lifecycle_policy";
    const IDENTITY: &'static [&'static str] = &["repository"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        policy::plan_normal(change, "policy");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let answer = cx.client.ecr().get_lifecycle_policy().set_repository_name(object.id.clone()).send().await;
        let Some(live) = answer.during("ecr:GetLifecyclePolicy").absent_ok(ABSENT)? else { return Ok(None) };
        let text = live.lifecycle_policy_text().unwrap_or_default();
        if !same_text(&object.policy, text) {
            object.policy = policy::normal(text);
        }
        object.registry_id = live.registry_id;
        object.repository = live.repository_name.unwrap_or(object.repository);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let call = cx.client.ecr().put_lifecycle_policy().repository_name(&object.repository);
        let answer = call.lifecycle_policy_text(&object.policy).send().await.during("ecr:PutLifecyclePolicy")?;
        object.id = Some(object.repository.clone());
        object.registry_id = answer.registry_id;
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.repository.clone());
        Ok(Some(planned))
    }

    async fn update(_cx: &Context<'_, AwsClient>, _prior: &Self, _object: &mut Self) -> Result<()> {
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let answer = cx.client.ecr().delete_lifecycle_policy().set_repository_name(object.id.clone()).send().await;
        answer.during("ecr:DeleteLifecyclePolicy").absent_ok(ABSENT).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { id: Some(id.to_owned()), repository: id.to_owned(), ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_compared_by_meaning() {
        let rule = |priority: i64, tags: Json| {
            json!({"rulePriority": priority, "action": {"type": "expire"}, "selection":
                {"tagStatus": "tagged", "tagPrefixList": tags, "countType": "imageCountMoreThan", "countNumber": 1}})
        };
        let policy = |rules: Vec<Json>| json!({ "rules": rules }).to_string();
        let one = policy(vec![rule(1, json!(["a", "b"])), rule(2, json!([]))]);
        assert!(same_text(&one, &policy(vec![rule(2, json!([])), rule(1, json!(["b", "a"]))])));
        let mut bare = rule(2, json!([]));
        bare["selection"].as_object_mut().unwrap().remove("tagPrefixList");
        assert!(same_text(&one, &policy(vec![rule(1, json!(["a", "b"])), bare])));
        assert!(!same_text(&one, &policy(vec![rule(1, json!(["a"])), rule(2, json!([]))])));
        assert!(!same_text(&one, &policy(vec![rule(3, json!(["a", "b"])), rule(2, json!([]))])));
        assert!(same_text("", "{}") && !same_text("no json", &one));
    }
}
