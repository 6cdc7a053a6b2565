//! The contract without its types: what the engine sees.

use std::{any::Any, future::Future, marker::PhantomData, pin::Pin, sync::Arc, sync::OnceLock, time::Duration};

use lakeform_core::{Schema, Value};

use crate::{
    Change, Client, Context, DataSource, ErrorKind, Field, FoundBy, Model, ProviderError, Provisioner, ResourceType,
    Result,
};

/// A future behind a pointer.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A configured provider, as its types expect it.
pub type Configured = Arc<dyn Any + Send + Sync>;

/// A failed create or update, and the object as far as it got.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: ProviderError,
    /// The object, if it exists although the call failed.
    pub partial: Option<Value>,
}

/// What surrounds an erased call.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The configured provider.
    pub client: &'a Configured,
    /// What the stack says of the instance.
    pub config: Option<&'a Value>,
    /// Time allowed for the operation, where the stack sets it.
    pub timeout: Option<Duration>,
    /// Whether the run was cancelled for good.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    /// The token of the intent to create; empty where nothing is created.
    pub token: &'a str,
}

impl<'a> Surroundings<'a> {
    fn typed<C: Client>(&self) -> Result<Context<'a, C>> {
        let client = self.client.downcast_ref::<C>().ok_or_else(wrong_client)?;
        let Self { config, timeout, cancelled, token, .. } = *self;
        Ok(Context { client, config, timeout, cancelled, token })
    }
}

fn wrong_client() -> ProviderError {
    ProviderError::new(ErrorKind::Other, "the type was given the client of another provider")
}

/// A resource type, erased. Values are wholly known and unmarked except in `plan`.
pub trait AnyResource: Send + Sync {
    /// Terraform's name of the type.
    fn name(&self) -> &'static str;

    /// The schema, built on first use.
    fn schema(&self) -> &Schema;

    /// The attributes that tell an object from all others of its type; empty where the API does.
    fn identity(&self) -> &'static [&'static str];

    /// The attributes in which an object that is found by its name agrees besides.
    fn tied_to(&self) -> &'static [&'static str];

    /// Whether a creation overwrites an object that has the name already.
    fn overwrites(&self) -> bool;

    /// Adjusts a planned change.
    ///
    /// # Errors
    /// When the configuration can never be applied.
    fn plan(&self, client: &Configured, change: &mut Change<'_>) -> Result<()>;

    /// Rewrites a stored object of an older schema version.
    fn upgrade(&self, from: u64, stored: Value) -> Option<Value>;

    /// Whether an object of another type can become one of this.
    fn takes_over(&self, from: &str) -> bool;

    /// Rewrites a stored object of another type, as that one stores it.
    fn take_over(&self, from: &str, stored: Value) -> Option<Value>;

    /// Reads the live object; absent is `None`.
    fn read<'a>(&'a self, with: Surroundings<'a>, prior: &'a Value) -> BoxFuture<'a, Result<Option<Value>>>;

    /// Creates the object.
    fn create<'a>(&'a self, with: Surroundings<'a>, planned: &'a Value) -> BoxFuture<'a, Result<Value, Failure>>;

    /// How it is found out whether an object was created.
    fn found_by(&self) -> FoundBy;

    /// Finds the object that `create` made, or began to make, of the planned one with the token of its intent.
    fn find<'a>(&'a self, with: Surroundings<'a>, planned: &'a Value) -> BoxFuture<'a, Result<Option<Value>>>;

    /// Takes away what only `find` needs, once it is written down which object was created or found.
    fn release<'a>(&'a self, with: Surroundings<'a>, object: &'a Value) -> BoxFuture<'a, Result<()>>;

    /// Changes the object.
    fn update<'a>(
        &'a self,
        with: Surroundings<'a>,
        prior: &'a Value,
        planned: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Failure>>;

    /// Deletes the object.
    fn delete<'a>(&'a self, with: Surroundings<'a>, prior: &'a Value) -> BoxFuture<'a, Result<()>>;

    /// The stored object that `read` completes when an existing one is adopted.
    ///
    /// # Errors
    /// When the identifier has the wrong shape.
    fn import(&self, with: Surroundings<'_>, id: &str) -> Result<Value>;
}

/// A data source, erased.
pub trait AnyDataSource: Send + Sync {
    /// Terraform's name of it.
    fn name(&self) -> &'static str;

    /// The schema, built on first use.
    fn schema(&self) -> &Schema;

    /// Reads it.
    fn read<'a>(&'a self, with: Surroundings<'a>, config: &'a Value) -> BoxFuture<'a, Result<Value>>;
}

/// A provider: a name, a configuration and the types that it serves.
pub trait Provider: Send + Sync {
    /// The local name: `aws`
    fn name(&self) -> &'static str;

    /// The address that Terraform writes into state: `registry.terraform.io/hashicorp/aws`
    fn source(&self) -> &'static str;

    /// The schema of `[provider.NAME]`.
    fn config_schema(&self) -> &Schema;

    /// A resource type by name.
    fn resource(&self, name: &str) -> Option<&dyn AnyResource>;

    /// A data source by name.
    fn data_source(&self, name: &str) -> Option<&dyn AnyDataSource>;

    /// An ephemeral resource type by name. It has the contract of a data source: what is read is had for the time of a run.
    fn ephemeral_resource(&self, name: &str) -> Option<&dyn AnyDataSource> {
        let _ = name;
        None
    }

    /// A kind of provisioner by name; any resource can have one.
    fn provisioner(&self, name: &str) -> Option<&dyn Provisioner> {
        let _ = name;
        None
    }

    /// The names of all resource types, sorted.
    fn resource_names(&self) -> Vec<&'static str>;

    /// The names of all data sources, sorted.
    fn data_source_names(&self) -> Vec<&'static str>;

    /// The names of all ephemeral resource types, sorted.
    fn ephemeral_resource_names(&self) -> Vec<&'static str> {
        vec![]
    }

    /// Makes clients from a configuration that may hold unknown values (a provider that needs them waits for apply).
    fn configure<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Configured>>;
}

struct Adapter<T> {
    schema: OnceLock<Schema>,
    of: PhantomData<fn() -> T>,
}

/// The row of a resource type in its service's table.
pub fn resource<T: ResourceType>() -> Box<dyn AnyResource> {
    Box::new(Adapter::<T> { schema: OnceLock::new(), of: PhantomData })
}

struct DataAdapter<T> {
    schema: OnceLock<Schema>,
    of: PhantomData<fn() -> T>,
}

/// The row of a data source in its service's table.
pub fn data_source<T: DataSource>() -> Box<dyn AnyDataSource> {
    Box::new(DataAdapter::<T> { schema: OnceLock::new(), of: PhantomData })
}

/// The object if it has an identifier, and so exists.
fn existing<M: Model>(object: M) -> Option<Value> {
    let value = object.into_value();
    value.get("id").and_then(Value::as_str).is_some_and(|id| !id.is_empty()).then_some(value)
}

impl<T: ResourceType> AnyResource for Adapter<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: T::VERSION, block: T::Model::block() })
    }

    fn identity(&self) -> &'static [&'static str] {
        T::IDENTITY
    }

    fn tied_to(&self) -> &'static [&'static str] {
        T::TIED_TO
    }

    fn overwrites(&self) -> bool {
        T::OVERWRITES
    }

    fn plan(&self, client: &Configured, change: &mut Change<'_>) -> Result<()> {
        let client = client.downcast_ref::<T::Client>().ok_or_else(wrong_client)?;
        client.plan(change)?;
        T::plan(client, change)
    }

    fn upgrade(&self, from: u64, stored: Value) -> Option<Value> {
        T::upgrade(from, stored)
    }

    fn takes_over(&self, from: &str) -> bool {
        T::TAKES_OVER.contains(&from)
    }

    fn take_over(&self, from: &str, stored: Value) -> Option<Value> {
        T::take_over(from, stored)
    }

    fn read<'a>(&'a self, with: Surroundings<'a>, prior: &'a Value) -> BoxFuture<'a, Result<Option<Value>>> {
        Box::pin(async move {
            let cx = with.typed()?;
            Ok(T::read(&cx, T::Model::from_value(prior)).await?.map(Field::into_value))
        })
    }

    fn create<'a>(&'a self, with: Surroundings<'a>, planned: &'a Value) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let cx = with.typed().map_err(|error| Failure { error, partial: None })?;
            let mut object = T::Model::from_value(planned);
            match T::create(&cx, &mut object).await {
                Ok(()) => Ok(object.into_value()),
                Err(error) => Err(Failure { error, partial: existing(object) }),
            }
        })
    }

    fn found_by(&self) -> FoundBy {
        T::FOUND_BY
    }

    fn find<'a>(&'a self, with: Surroundings<'a>, planned: &'a Value) -> BoxFuture<'a, Result<Option<Value>>> {
        Box::pin(async move {
            let cx = with.typed()?;
            Ok(T::find(&cx, T::Model::from_value(planned)).await?.map(Field::into_value))
        })
    }

    fn release<'a>(&'a self, with: Surroundings<'a>, object: &'a Value) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let cx = with.typed()?;
            T::release(&cx, &T::Model::from_value(object)).await
        })
    }

    fn update<'a>(
        &'a self,
        with: Surroundings<'a>,
        prior: &'a Value,
        planned: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            let failed = |error| Failure { error, partial: None };
            let cx = with.typed().map_err(failed)?;
            let mut object = T::Model::from_value(planned);
            T::update(&cx, &T::Model::from_value(prior), &mut object).await.map_err(failed)?;
            Ok(object.into_value())
        })
    }

    fn delete<'a>(&'a self, with: Surroundings<'a>, prior: &'a Value) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let cx = with.typed()?;
            T::delete(&cx, &T::Model::from_value(prior)).await
        })
    }

    fn import(&self, with: Surroundings<'_>, id: &str) -> Result<Value> {
        Ok(T::import(&with.typed()?, id)?.into_value())
    }
}

impl<T: DataSource> AnyDataSource for DataAdapter<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: 0, block: T::Model::block() })
    }

    fn read<'a>(&'a self, with: Surroundings<'a>, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let cx = with.typed()?;
            let mut object = T::Model::from_value(config);
            T::read(&cx, &mut object).await?;
            Ok(object.into_value())
        })
    }
}
