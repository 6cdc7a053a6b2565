//! Sampling rules of X-Ray, which no emulator serves.

use std::collections::BTreeMap;

use http_body_util::Full;
use hyper::{Response, body::Bytes};
use serde_json::{Map, Value as Json, json};

use super::{Operation, answer};

/// A rule, and its tags.
type Tagged = (Map<String, Json>, BTreeMap<String, Json>);

/// The rules by name.
#[derive(Debug, Default)]
pub(super) struct Sampling {
    rules: BTreeMap<String, Tagged>,
}

impl Sampling {
    /// The answer to a call of X-Ray; `None` to other calls.
    pub(super) fn answer(&mut self, operation: &Operation, body: &Bytes) -> Option<Response<Full<Bytes>>> {
        if operation.service != "xray" {
            return None;
        }
        let body: Json = serde_json::from_slice(body).unwrap_or_default();
        let reply = |body: Json| answer::plain(200, "application/json", body.to_string());
        Some(match self.call(&operation.name, &body) {
            Ok(body) => reply(body),
            Err((code, message)) => {
                let body = json!({ "__type": code, "Message": message }).to_string();
                let mut response = answer::plain(400, "application/json", body);
                if let Ok(code) = code.parse() {
                    response.headers_mut().insert("x-amzn-errortype", code);
                }
                response
            }
        })
    }

    fn call(&mut self, name: &str, body: &Json) -> Result<Json, (&'static str, &'static str)> {
        let missing = ("InvalidRequestException", "Sampling rule does not exist.");
        let record = |rule: &Map<String, Json>| json!({ "SamplingRule": rule, "CreatedAt": 0, "ModifiedAt": 0 });
        let text = |at: &Json| at.as_str().unwrap_or_default().to_owned();
        // An ARN ends with the name.
        let tagged = text(&body["ResourceARN"]).rsplit('/').next().unwrap_or_default().to_owned();
        let tags = |body: &Json| -> Vec<(String, Json)> {
            body["Tags"].as_array().into_iter().flatten().map(|tag| (text(&tag["Key"]), tag["Value"].clone())).collect()
        };
        match name {
            "CreateSamplingRule" => {
                let mut rule = body["SamplingRule"].as_object().cloned().unwrap_or_default();
                let name = text(&body["SamplingRule"]["RuleName"]);
                if name.is_empty() || self.rules.contains_key(&name) {
                    return Err(("InvalidRequestException", "Invalid request: the name is taken, or none."));
                }
                let arn = format!("arn:aws:xray:eu-west-2:123456789012:sampling-rule/{name}");
                rule.insert("RuleARN".into(), arn.into());
                let answer = json!({ "SamplingRuleRecord": record(&rule) });
                self.rules.insert(name, (rule, tags(body).into_iter().collect()));
                Ok(answer)
            }
            "GetSamplingRules" => {
                let all: Vec<Json> = self.rules.values().map(|(rule, _)| record(rule)).collect();
                Ok(json!({ "SamplingRuleRecords": all }))
            }
            "UpdateSamplingRule" => {
                let update = &body["SamplingRuleUpdate"];
                let (rule, _) = self.rules.get_mut(&text(&update["RuleName"])).ok_or(missing)?;
                rule.extend(update.as_object().cloned().unwrap_or_default());
                Ok(json!({ "SamplingRuleRecord": record(rule) }))
            }
            "DeleteSamplingRule" => {
                let (rule, _) = self.rules.remove(&text(&body["RuleName"])).ok_or(missing)?;
                Ok(json!({ "SamplingRuleRecord": record(&rule) }))
            }
            "ListTagsForResource" | "TagResource" | "UntagResource" => {
                let gone = ("ResourceNotFoundException", "There is no such resource.");
                let (_, kept) = self.rules.get_mut(&tagged).ok_or(gone)?;
                kept.extend(tags(body));
                for key in body["TagKeys"].as_array().into_iter().flatten() {
                    kept.remove(&text(key));
                }
                let all: Vec<Json> = kept.iter().map(|(k, v)| json!({ "Key": k, "Value": v })).collect();
                Ok(if name == "ListTagsForResource" { json!({ "Tags": all }) } else { json!({}) })
            }
            _ => Err(("InvalidRequestException", "There is no such call.")),
        }
    }
}
