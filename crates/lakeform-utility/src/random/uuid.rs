//! `random_uuid`

use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};
use uuid::Uuid;

use super::{Keepers, keep_despite_nulls};
use crate::provider::Local;

/// A UUID that is made up once.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Object {
    /// The UUID.
    #[attr(computed)]
    id: Option<String>,
    /// Values whose change makes up a new one.
    #[attr(optional, force_new)]
    keepers: Option<Keepers>,
    /// The UUID.
    #[attr(computed)]
    result: Option<String>,
}

/// `random_uuid`
pub(crate) struct RandomUuid;

impl ResourceType for RandomUuid {
    type Client = Local;
    type Model = Object;
    const NAME: &'static str = "random_uuid";
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        keep_despite_nulls(change, "keepers");
        Ok(())
    }

    async fn read(_: &Context<'_, Local>, prior: Object) -> Result<Option<Object>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut Object) -> Result<()> {
        let made = Uuid::new_v4().to_string();
        object.id = Some(made.clone());
        object.result = Some(made);
        Ok(())
    }

    async fn update(_: &Context<'_, Local>, _: &Object, _: &mut Object) -> Result<()> {
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &Object) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, id: &str) -> Result<Object> {
        let uuid = Uuid::parse_str(id).map_err(|e| ProviderError::invalid(format!("{id:?} is no UUID: {e}")))?;
        let uuid = Some(uuid.to_string());
        Ok(Object { id: uuid.clone(), result: uuid, keepers: None })
    }
}
