//! `data.terraform_remote_state`: the outputs of another stack, or of a Terraform configuration, from its state.

use std::{collections::BTreeMap, path::PathBuf};

use lakeform_core::{Schema, Value};
use lakeform_provider::{AnyDataSource, BoxFuture, ErrorKind, Field, Model, ProviderError, Result, Surroundings};

use crate::{Error, backend};

/// What is read, and from where. As in Terraform, the outputs are shown even where the other stack calls them sensitive.
#[derive(Model, Clone, Debug)]
struct Object {
    /// The kind of backend: `s3` or `local`
    #[attr(required)]
    backend: String,
    /// Its settings, as in `[backend.KIND]`.
    #[attr(optional)]
    config: Value,
    /// Values of outputs that the state does not have.
    #[attr(optional)]
    defaults: Value,
    /// The outputs of the root module.
    #[attr(computed)]
    outputs: Value,
    /// The Terraform workspace; `default` where none is given.
    #[attr(optional)]
    workspace: Option<String>,
}

/// The data source.
pub(crate) struct RemoteState {
    schema: Schema,
    /// What paths of local states start from.
    cwd: PathBuf,
    /// Where the passphrase of an encrypted state may be.
    environment: BTreeMap<String, String>,
}

impl RemoteState {
    pub(crate) fn new(cwd: PathBuf, environment: BTreeMap<String, String>) -> Self {
        Self { schema: Schema { version: 0, block: Object::block() }, cwd, environment }
    }

    async fn outputs(&self, object: &Object) -> Result<Value> {
        let workspace = object.workspace.as_deref().unwrap_or_default();
        let place = self.cwd.join("terraform.tfstate");
        let (kind, config) = (&object.backend, &object.config);
        let opened = backend::of_kind(kind, config, &self.cwd, &self.environment, &place, workspace, None).await;
        let store = opened.map_err(|e| failed(&e))?.store;
        let Some(found) = store.read().await.map_err(|e| failed(&e.into()))? else {
            let told = format!("there is no state at {}", store.describe());
            return Err(ProviderError::new(ErrorKind::NotFound, told)
                .hint("apply the stack whose state it is, or correct `backend`, `config` and `workspace`"));
        };
        let defaults = object.defaults.as_mapping().into_iter().flatten().map(|(k, v)| (k.to_string(), v.clone()));
        let stored = found.state.outputs.into_iter().map(|(name, output)| (name, output.value));
        Ok(Value::object(defaults.chain(stored)))
    }
}

fn failed(error: &Error) -> ProviderError {
    match error {
        Error::Stack(problems) => ProviderError::invalid(
            problems
                .iter()
                .map(|d| d.detail.as_ref().map_or(d.summary.clone(), |detail| format!("{}: {detail}", d.summary)))
                .collect::<Vec<_>>()
                .join("; "),
        ),
        other => ProviderError::new(ErrorKind::Other, other.to_string()),
    }
}

impl AnyDataSource for RemoteState {
    fn name(&self) -> &'static str {
        "terraform_remote_state"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn read<'a>(&'a self, _: Surroundings<'a>, config: &'a Value) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let object = Object::from_value(config);
            let mut value = config.clone();
            value.set_attr("outputs", self.outputs(&object).await?);
            Ok(value)
        })
    }
}
