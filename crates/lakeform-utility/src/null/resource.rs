//! `null_resource`

use lakeform_core::{Type, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::made_up;
use crate::{
    provider::Local,
    random::{Keepers, keep_despite_nulls},
};

/// Takes part in the resource life cycle and does nothing. `terraform_data` does the same and needs no provider.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Object {
    /// A number made up at creation.
    #[attr(computed)]
    id: Option<String>,
    /// A change of these values replaces the object.
    #[attr(optional, force_new)]
    triggers: Option<Keepers>,
}

/// `null_resource`
pub(crate) struct NullResource;

impl ResourceType for NullResource {
    type Client = Local;
    type Model = Object;
    const NAME: &'static str = "null_resource";
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        if change.is_create() {
            change.set("id", Value::unknown(Type::String).not_null());
        }
        keep_despite_nulls(change, "triggers");
        Ok(())
    }

    async fn read(_: &Context<'_, Local>, prior: Object) -> Result<Option<Object>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut Object) -> Result<()> {
        object.id = Some(made_up()?);
        Ok(())
    }

    async fn update(_: &Context<'_, Local>, _: &Object, _: &mut Object) -> Result<()> {
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &Object) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, _: &str) -> Result<Object> {
        Err(ProviderError::invalid("a null_resource cannot be imported: there is nothing that it stands for"))
    }
}
