//! `random_string`

use lakeform_core::Value;
use lakeform_provider::{Change, Context, Field as _, FoundBy, ResourceType, Result};

use super::text::{self, make_up};
use crate::provider::Local;

text::model! {
    /// A text that is made up once. For a secret use `random_password`.
    Text {
        /// The text.
        #[attr(computed)]
        id: Option<String>,
        /// The text.
        #[attr(computed)]
        result: Option<String>,
    }
}

/// `random_string`
pub(crate) struct RandomString;

impl ResourceType for RandomString {
    type Client = Local;
    type Model = Text;
    const NAME: &'static str = "random_string";
    const VERSION: u64 = 2;
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        text::plan(change)
    }

    fn upgrade(_: u64, stored: Value) -> Option<Value> {
        let mut object = Text::from_value(&stored).completed();
        if object.length == 0 {
            object.length = object.result.iter().flat_map(|text| text.chars()).count() as i64;
        }
        Some(object.into_value())
    }

    async fn read(_: &Context<'_, Local>, prior: Text) -> Result<Option<Text>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut Text) -> Result<()> {
        let text = make_up(object.length, &object.classes())?;
        object.id = Some(text.clone());
        object.result = Some(text);
        Ok(())
    }

    async fn update(_: &Context<'_, Local>, _: &Text, _: &mut Text) -> Result<()> {
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &Text) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, text: &str) -> Result<Text> {
        Ok(Text { id: Some(text.into()), result: Some(text.into()), ..Text::imported(text) })
    }
}
