//! `terraform_data`: keeps a value, and is replaced when another one changes.

use lakeform_core::{Type, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ResourceType, Result};

use crate::provider::Local;

/// `terraform_data`
pub(crate) struct Data;

/// Stores a value, and takes part in the resource life cycle: other resources can be replaced with it.
#[derive(Model, Clone, Debug)]
pub(crate) struct Object {
    /// A UUID made at creation.
    #[attr(computed)]
    id: Option<String>,
    /// The value to keep.
    #[attr(optional)]
    input: Value,
    /// The value that was kept, known once it has been stored.
    #[attr(computed)]
    output: Value,
    /// A change of this value replaces the object.
    #[attr(optional, force_new)]
    triggers_replace: Value,
}

impl ResourceType for Data {
    type Client = Local;
    type Model = Object;

    const NAME: &'static str = "terraform_data";
    const TAKES_OVER: &'static [&'static str] = &["null_resource"];
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        if change.prior.is_none() {
            change.set("id", Value::unknown(Type::String).not_null());
        }
        let input = change.planned("input").cloned();
        if let Some(input) = input
            && change.changes("input")
        {
            // Terraform's own plan promises the null of a new object only; otherwise the type.
            let output = if input.is_null() && change.prior.is_none() { input } else { Value::unknown(input.ty()) };
            change.set("output", output);
        }
        Ok(())
    }

    fn take_over(_: &str, stored: Value) -> Option<Value> {
        let triggers = stored.get("triggers").filter(|triggers| !triggers.is_null());
        let triggers = triggers.and_then(Value::as_mapping).map(|triggers| Value::object(triggers.clone()));
        let null = || Value::null(Type::Dynamic);
        Some(Value::object([
            ("id", stored.get("id")?.clone()),
            ("input", null()),
            ("output", null()),
            ("triggers_replace", triggers.unwrap_or_else(null)),
        ]))
    }

    async fn read(_: &Context<'_, Local>, prior: Object) -> Result<Option<Object>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut Object) -> Result<()> {
        object.id = Some(uuid::Uuid::new_v4().to_string());
        object.output = object.input.clone();
        Ok(())
    }

    async fn update(_: &Context<'_, Local>, prior: &Object, object: &mut Object) -> Result<()> {
        object.id = prior.id.clone();
        object.output = object.input.clone();
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &Object) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, id: &str) -> Result<Object> {
        let null = || Value::null(Type::Dynamic);
        Ok(Object { id: Some(id.to_owned()), input: null(), output: null(), triggers_replace: null() })
    }
}
