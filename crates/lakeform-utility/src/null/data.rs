//! `data.null_data_source`

use std::collections::BTreeMap;

use lakeform_provider::{Context, DataSource, Model, Result};

use super::made_up;
use crate::provider::Local;

/// Passes values on. A local value does the same and needs no provider.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Object {
    /// A text that the stack may set. Default: `default`.
    #[attr(optional, computed)]
    has_computed_default: Option<String>,
    /// `static`
    #[attr(computed, deprecated)]
    id: Option<String>,
    /// The values.
    #[attr(optional)]
    inputs: Option<BTreeMap<String, Option<String>>>,
    /// The values again.
    #[attr(computed)]
    outputs: Option<BTreeMap<String, Option<String>>>,
    /// A number made up at each reading.
    #[attr(computed)]
    random: Option<String>,
}

/// `data.null_data_source`
pub(crate) struct NullData;

impl DataSource for NullData {
    type Client = Local;
    type Model = Object;
    const NAME: &'static str = "null_data_source";

    async fn read(_: &Context<'_, Local>, object: &mut Object) -> Result<()> {
        object.has_computed_default.get_or_insert_with(|| "default".to_owned());
        object.id = Some("static".to_owned());
        object.outputs = object.inputs.clone();
        object.random = Some(made_up()?);
        Ok(())
    }
}
