//! The inline `website` of a bucket.

use aws_sdk_s3::types::{
    Condition, ErrorDocument, IndexDocument, Protocol, Redirect, RedirectAllRequestsTo, RoutingRule,
    WebsiteConfiguration,
};
use lakeform_core::Path;
use lakeform_provider::{Context, Model, ProviderError, Result};
use serde_json::{Map, Value as Json};

use crate::{
    AwsClient,
    error::{Absent, During},
    s3::common::{given, normal_json, text},
};

/// The bucket as a website.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Website {
    /// Key of the document for errors.
    #[attr(optional)]
    error_document: Option<String>,
    /// Name of the document for a folder.
    #[attr(optional)]
    index_document: Option<String>,
    /// Host that serves all requests instead: `example.com` or `https://example.com`
    #[attr(optional)]
    redirect_all_requests_to: Option<String>,
    /// Redirections by key or error.
    #[attr(optional, json)]
    routing_rules: Option<String>,
}

/// Sets or, without one, removes the website.
pub(super) async fn put(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[Website]) -> Result<()> {
    let s3 = cx.client.s3();
    let Some(website) = wanted.first() else {
        s3.delete_bucket_website().bucket(bucket).send().await.during("s3:DeleteBucketWebsite")?;
        return Ok(());
    };
    let incomplete = |e: aws_sdk_s3::error::BuildError| ProviderError::invalid(e.to_string()).source(e);
    let index = given(&website.index_document).map(|suffix| IndexDocument::builder().suffix(suffix).build());
    let error = given(&website.error_document).map(|key| ErrorDocument::builder().key(key).build());
    let redirect = given(&website.redirect_all_requests_to).map(|to| redirect(&to).build());
    let rules = given(&website.routing_rules).map(|rules| to_rules(&rules)).transpose()?;
    let configuration = WebsiteConfiguration::builder()
        .set_index_document(index.transpose().map_err(incomplete)?)
        .set_error_document(error.transpose().map_err(incomplete)?)
        .set_redirect_all_requests_to(redirect.transpose().map_err(incomplete)?)
        .set_routing_rules(rules)
        .build();
    let call = s3.put_bucket_website().bucket(bucket).website_configuration(configuration);
    call.send().await.during("s3:PutBucketWebsite")?;
    Ok(())
}

/// Reads the website.
pub(super) async fn read(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<Website>> {
    let answer = cx.client.s3().get_bucket_website().bucket(bucket).send().await.during("s3:GetBucketWebsite");
    let Some(found) = answer.absent_ok(&["NoSuchWebsiteConfiguration"])? else { return Ok(vec![]) };
    let redirect = found.redirect_all_requests_to.map(|to| match to.protocol {
        Some(protocol) => format!("{}://{}", protocol.as_str(), to.host_name),
        None => to.host_name,
    });
    let rules = found.routing_rules.filter(|rules| !rules.is_empty()).map(from_rules).unwrap_or_default();
    Ok(vec![Website {
        error_document: text(found.error_document.as_ref().map(|d| d.key())),
        index_document: text(found.index_document.as_ref().map(|d| d.suffix())),
        redirect_all_requests_to: text(redirect.as_deref()),
        routing_rules: Some(rules),
    }])
}

/// `https://example.com/path` as protocol and host; the API takes what follows the protocol as it is.
fn redirect(to: &str) -> aws_sdk_s3::types::builders::RedirectAllRequestsToBuilder {
    let (protocol, host) = match to.split_once("://") {
        Some((protocol, host)) => (Some(Protocol::from(protocol)), host),
        None => (None, to),
    };
    RedirectAllRequestsTo::builder().host_name(host).set_protocol(protocol)
}

/// The rules of a JSON document in CloudFormation's spelling.
fn to_rules(text: &str) -> Result<Vec<RoutingRule>> {
    let wrong = |why: String| {
        ProviderError::invalid(format!("`routing_rules` of `website`: {why}")).attribute(Path::attr("website"))
    };
    let json: Json = serde_json::from_str(text).map_err(|e| wrong(format!("no JSON: {e}")))?;
    let Json::Array(rules) = json else { return Err(wrong("a list of rules is expected".into())) };
    let rule = |rule: &Json| {
        let text = |part: &str, name: &str| match rule.get(part).and_then(|p| p.get(name)) {
            Some(Json::String(text)) => Some(text.clone()),
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let condition = rule.get("Condition").map(|_| {
            Condition::builder()
                .set_key_prefix_equals(text("Condition", "KeyPrefixEquals"))
                .set_http_error_code_returned_equals(text("Condition", "HttpErrorCodeReturnedEquals"))
                .build()
        });
        let redirect = Redirect::builder()
            .set_host_name(text("Redirect", "HostName"))
            .set_http_redirect_code(text("Redirect", "HttpRedirectCode"))
            .set_protocol(text("Redirect", "Protocol").map(|p| Protocol::from(p.as_str())))
            .set_replace_key_prefix_with(text("Redirect", "ReplaceKeyPrefixWith"))
            .set_replace_key_with(text("Redirect", "ReplaceKeyWith"));
        RoutingRule::builder().set_condition(condition).redirect(redirect.build()).build()
    };
    Ok(rules.iter().map(rule).collect())
}

/// Rules as a JSON document, spelled as Terraform spells it.
fn from_rules(rules: Vec<RoutingRule>) -> String {
    let object = |fields: Vec<(&str, Option<String>)>| {
        let set = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Json::String(value?))));
        Json::Object(set.collect())
    };
    let rule = |rule: RoutingRule| {
        let mut out = Map::new();
        if let Some(c) = rule.condition {
            let fields = vec![
                ("HttpErrorCodeReturnedEquals", c.http_error_code_returned_equals),
                ("KeyPrefixEquals", c.key_prefix_equals),
            ];
            out.insert("Condition".into(), object(fields));
        }
        if let Some(r) = rule.redirect {
            let fields = vec![
                ("HostName", r.host_name),
                ("HttpRedirectCode", r.http_redirect_code),
                ("Protocol", r.protocol.map(|p| p.as_str().to_owned())),
                ("ReplaceKeyPrefixWith", r.replace_key_prefix_with),
                ("ReplaceKeyWith", r.replace_key_with),
            ];
            out.insert("Redirect".into(), object(fields));
        }
        Json::Object(out)
    };
    let json = Json::Array(rules.into_iter().map(rule).collect()).to_string();
    normal_json(&json).unwrap_or(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirection_names_host_and_protocol() {
        let to = redirect("https://example.com/x").build().unwrap();
        assert_eq!((to.host_name(), to.protocol()), ("example.com/x", Some(&Protocol::Https)));
        let to = redirect("example.com").build().unwrap();
        assert_eq!((to.host_name(), to.protocol()), ("example.com", None));
    }

    // The document of Terraform's documentation of `routing_rules`.
    #[test]
    fn routing_rules_survive_the_way_through_the_api() {
        let given = r#"[{ "Condition": { "KeyPrefixEquals": "docs/" }, "Redirect": { "ReplaceKeyPrefixWith": "documents/" } }]"#;
        assert_eq!(from_rules(to_rules(given).unwrap()), normal_json(given).unwrap());
        assert!(to_rules("{}").is_err());
        assert!(to_rules("[").is_err());
    }
}
