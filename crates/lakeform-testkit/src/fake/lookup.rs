//! The invented data sources.

use std::collections::BTreeMap;

use lakeform_core::{Kind, Type, Value, convert};
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::{Bucket, FakeClient, FakeObject, Op};

/// `fake_lookup`: an object of any type, by name.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Lookup {
    /// The name or `id` of the object.
    #[attr(required)]
    pub name: String,
    /// Its type; buckets are looked for where none is given.
    #[attr(name = "type", optional)]
    pub ty: Option<String>,
    /// Its `id`.
    #[attr(computed)]
    pub id: Option<String>,
    /// Its attributes that are text, numbers or truth values, as text.
    #[attr(computed)]
    pub attributes: Option<BTreeMap<String, String>>,
}

impl DataSource for Lookup {
    type Client = FakeClient;
    type Model = Self;

    const NAME: &'static str = "fake_lookup";

    async fn read(cx: &Context<'_, FakeClient>, object: &mut Self) -> Result<()> {
        let running = cx.client.cloud.begin(Op::Lookup, "fake_lookup", &object.name).await?;
        let ty = object.ty.as_deref().unwrap_or(Bucket::TYPE);
        let Some(found) = cx.client.cloud.object(ty, &object.name) else {
            let error = ProviderError::new(ErrorKind::NotFound, format!("there is no {ty} named {}", object.name));
            return running.end(Err(error.operation("fake:Lookup").code("NotFound")));
        };
        let text = |v: &Value| convert(v, &Type::String).ok()?.as_str().map(str::to_owned);
        if let Kind::Object(attributes) = found.kind() {
            object.attributes = Some(attributes.iter().filter_map(|(k, v)| Some((k.to_string(), text(v)?))).collect());
        }
        object.id = found.get("id").and_then(text);
        running.end(Ok(()))
    }
}

/// `fake_pure`: turns text into upper case without asking the cloud.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Pure {
    /// Any text.
    #[attr(required)]
    pub input: String,
    /// The text in upper case.
    #[attr(computed)]
    pub output: Option<String>,
    /// The text.
    #[attr(computed)]
    pub id: Option<String>,
}

impl DataSource for Pure {
    type Client = FakeClient;
    type Model = Self;

    const NAME: &'static str = "fake_pure";

    async fn read(_: &Context<'_, FakeClient>, object: &mut Self) -> Result<()> {
        object.output = Some(object.input.to_uppercase());
        object.id = Some(object.input.clone());
        Ok(())
    }
}

/// `fake_token`, an ephemeral resource: another token each time it is opened.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Token {
    /// For whom it is.
    #[attr(required)]
    pub audience: String,
    /// `token-1-for-AUDIENCE`
    #[attr(computed)]
    pub token: Option<String>,
}

impl DataSource for Token {
    type Client = FakeClient;
    type Model = Self;

    const NAME: &'static str = "fake_token";

    async fn read(cx: &Context<'_, FakeClient>, object: &mut Self) -> Result<()> {
        let running = cx.client.cloud.begin(Op::Lookup, Self::NAME, &object.audience).await?;
        let opened = cx.client.cloud.calls().iter().filter(|c| c.ty == Self::NAME).count();
        object.token = Some(format!("token-{opened}-for-{}", object.audience));
        running.end(Ok(()))
    }
}
