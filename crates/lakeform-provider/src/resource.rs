//! The typed contract.

use std::{any::Any, future::Future};

use lakeform_core::Value;

use crate::{Change, Context, Model, Result};

/// What a provider hands to its types once it is configured: SDK clients, region, default tags.
pub trait Client: Any + Send + Sync {
    /// Runs before each type's own [`ResourceType::plan`]; AWS merges `default_tags` into `tags_all` here.
    ///
    /// # Errors
    /// When the configuration cannot be planned.
    fn plan(&self, _change: &mut Change<'_>) -> Result<()> {
        Ok(())
    }
}

/// How it is found out whether an object was created, when the answer to its creation was lost or the run was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundBy {
    /// By its name, or whatever else the plan says that no two objects share.
    Name,
    /// By the client token that the creation carried.
    Token,
    /// By a tag that holds the token until [`ResourceType::release`].
    Tag,
    /// By a list of what is attached to an object that the plan names: the newest that says the same. The caller must see to
    /// it that it is none that a state holds already.
    Parent,
    /// It is no object of any API: what a lost creation made is made again.
    Local,
    /// Not at all; someone must look. The text says for what and where: "a key pair that nothing uses, made at that time".
    Hand(&'static str),
}

/// A type of object that lakeform manages.
///
/// The engine guarantees: objects handed in are wholly known, of the schema's type and without marks; calls for one
/// instance never overlap; a failed call whose error says [`Retry::Safe`](crate::Retry::Safe) may be made again.
pub trait ResourceType: Send + Sync + 'static {
    /// What the provider hands in.
    type Client: Client;
    /// The object with all its attributes.
    type Model: Model;

    /// Terraform's name of the type.
    const NAME: &'static str;
    /// The schema version stored beside each instance.
    const VERSION: u64 = 0;
    /// Types whose objects can become objects of this one by a `[[moved]]`.
    const TAKES_OVER: &'static [&'static str] = &[];

    /// The attributes that tell an object of this type from all others of the same provider configuration: two that agree in
    /// all of them would be one object. Empty: the API gives each its own identifier.
    const IDENTITY: &'static [&'static str] = &[];

    /// What besides identifies an object that [`ResourceType::find`] finds by its name: one that differs in it is somebody else's,
    /// and not found. So whoever makes what such an attribute refers to knows that the object is its own.
    const TIED_TO: &'static [&'static str] = &[];

    /// Whether [`ResourceType::create`] overwrites an object that has the name already, whoever made it, as `PutMetricAlarm` does.
    /// So it is no matter whose an object of that name was.
    const OVERWRITES: bool = false;

    /// How an object is found of which nobody knows whether it was created; see [`ResourceType::find`].
    const FOUND_BY: FoundBy = FoundBy::Hand("an object of this type that no state knows");

    /// Adjusts a planned change: computed differences, replacements, checks. Must not call the API.
    ///
    /// # Errors
    /// When the configuration can never be applied.
    fn plan(_client: &Self::Client, _change: &mut Change<'_>) -> Result<()> {
        Ok(())
    }

    /// Rewrites a stored object of an older schema version to this one. `None`: it cannot be read.
    fn upgrade(_from: u64, stored: Value) -> Option<Value> {
        Some(stored)
    }

    /// Rewrites a stored object of one of [`ResourceType::TAKES_OVER`] to one of this type. `None`: it cannot be read.
    fn take_over(_from: &str, _stored: Value) -> Option<Value> {
        None
    }

    /// Reads the live object. Fields it does not set keep what `prior` holds. Absent is `None`, never an error.
    fn read(
        cx: &Context<'_, Self::Client>,
        prior: Self::Model,
    ) -> impl Future<Output = Result<Option<Self::Model>>> + Send;

    /// Creates the object and fills in what the API decides. Sets `id` as soon as the object exists: if a later step
    /// fails, an object with an `id` is saved as tainted and one without is not saved.
    fn create(cx: &Context<'_, Self::Client>, object: &mut Self::Model) -> impl Future<Output = Result<()>> + Send;

    /// What [`ResourceType::read`] completes to the object that [`ResourceType::create`] made of `planned` with the token in
    /// `cx`: `planned` with its `id` or whatever else `read` asks by. `None`: there is no such object. Waits for an object
    /// that is still being made, and makes null what a later call of `create` sets and no call tells.
    ///
    /// Unless a type says otherwise, `planned` itself says enough where objects are found by name or parent.
    fn locate(
        _cx: &Context<'_, Self::Client>,
        planned: Self::Model,
    ) -> impl Future<Output = Result<Option<Self::Model>>> + Send {
        async { Ok(matches!(Self::FOUND_BY, FoundBy::Name | FoundBy::Parent).then_some(planned)) }
    }

    /// Finds the object that [`ResourceType::create`] made of `planned` with the token in `cx`, even if only the first of its
    /// calls was made; `None`: there is none. Reads it as [`ResourceType::read`] does, but for this: an attribute that a later
    /// call of `create` sets and that no call tells is null, so that it is set again. Waits for an object that is still being made.
    fn find(
        cx: &Context<'_, Self::Client>,
        planned: Self::Model,
    ) -> impl Future<Output = Result<Option<Self::Model>>> + Send {
        async move {
            match Self::locate(cx, planned).await? {
                Some(located) => Self::read(cx, located).await,
                None => Ok(None),
            }
        }
    }

    /// Takes away what only [`ResourceType::find`] needs, such as the tag of [`FoundBy::Tag`]. The engine asks for it once it is
    /// written down which object was created, or found; until then it must be there to be found. A failure harms nobody.
    fn release(_cx: &Context<'_, Self::Client>, _object: &Self::Model) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }

    /// Changes the object from `prior` to `object`, and fills in what the API decides. After a failure the engine keeps
    /// the prior object; the next refresh finds what was done.
    fn update(
        cx: &Context<'_, Self::Client>,
        prior: &Self::Model,
        object: &mut Self::Model,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Deletes the object. Gone already is success.
    fn delete(cx: &Context<'_, Self::Client>, object: &Self::Model) -> impl Future<Output = Result<()>> + Send;

    /// The object that [`ResourceType::read`] completes, from the identifier that Terraform documents for its import.
    ///
    /// # Errors
    /// When the identifier has the wrong shape.
    fn import(cx: &Context<'_, Self::Client>, id: &str) -> Result<Self::Model>;
}

/// Something that lakeform only reads.
pub trait DataSource: Send + Sync + 'static {
    /// What the provider hands in.
    type Client: Client;
    /// Arguments and results.
    type Model: Model;

    /// Terraform's name of the data source.
    const NAME: &'static str;

    /// Reads it: completes `object`, whose arguments are set, with the results.
    fn read(cx: &Context<'_, Self::Client>, object: &mut Self::Model) -> impl Future<Output = Result<()>> + Send;
}
