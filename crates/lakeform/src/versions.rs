//! Earlier states: which there are, and putting one back.

use futures::{StreamExt, TryStreamExt, stream};
use lakeform_core::Diagnostic;
use lakeform_state::{State, StateVersion, StoreError};

use crate::{Error, LoadedStack, Session};

/// How many states are read at once, and how far back a serial is looked for.
const AT_ONCE: usize = 4;
const FAR_BACK: usize = 200;

impl LoadedStack {
    /// The states that the backend still has with their contents, newest first, the current one included.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn state_versions(&self, limit: usize) -> Result<Vec<(StateVersion, Option<State>)>, Error> {
        let store = &self.backend().await?.store;
        let versions = store.versions(limit).await?;
        let read = async |version: StateVersion| {
            let state = self.read_version(&version.id).await?;
            Ok::<_, Error>((version, state))
        };
        stream::iter(versions).map(read).buffered(AT_ONCE).try_collect().await
    }

    /// One of them by its name, or by its serial: the newest with that.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn state_version(&self, name: &str) -> Result<State, Error> {
        if name == "current" {
            let missing = || Diagnostic::error("There is no state yet").help("nothing was applied so far");
            return self.state().await?.ok_or_else(|| missing().into());
        }
        if let Some(state) = self.read_version(name).await? {
            return Ok(state);
        }
        if let Ok(serial) = name.parse::<u64>() {
            let versions = self.backend().await?.store.versions(FAR_BACK).await?;
            let mut states = stream::iter(versions).map(async |v| self.read_version(&v.id).await).buffered(AT_ONCE);
            while let Some(state) = states.next().await {
                if let Some(state) = state?.filter(|state| state.serial == serial) {
                    return Ok(state);
                }
            }
        }
        Err(Diagnostic::error(format!("There is no version `{name}` of the state"))
            .help("`lakeform state versions STACK` shows which there are")
            .into())
    }

    async fn read_version(&self, id: &str) -> Result<Option<State>, Error> {
        let store = &self.backend().await?.store;
        let Some(bytes) = store.read_version(id).await? else { return Ok(None) };
        let place = || format!("version {id} of {}", store.describe());
        let state = State::parse(bytes).map_err(|source| StoreError::Format { place: place(), source })?;
        Ok(Some(state))
    }
}

impl Session<'_> {
    /// Stores the content of an earlier state as the next one, if it differs from what is stored. Whether it did.
    ///
    /// What `protect` covers now stays covered: that ends only by an apply.
    ///
    /// # Errors
    /// When it is of another lineage, and as [`Session::save`].
    pub async fn restore(&mut self, earlier: &State) -> Result<bool, Error> {
        let now = self.state();
        if !self.exists() {
            // The state itself was deleted: it goes on where it was.
            let next = State { serial: earlier.serial + 1, ..earlier.clone() };
            self.stack().backend().await?.store.write(next.to_bytes(), None).await?;
            self.record_edit(&State::new(&next.lineage), &next).await;
            return Ok(true);
        }
        if earlier.lineage != now.lineage {
            return Err(Diagnostic::error("The version is of another state")
                .detail(format!("its lineage is {}, and that of the stored state {}", earlier.lineage, now.lineage))
                .help("`lakeform state push --force` puts it in place nevertheless")
                .into());
        }
        let mut next = State { serial: now.serial, ..earlier.clone() };
        next.set_protected(&now.protected());
        self.save(&next).await
    }
}
