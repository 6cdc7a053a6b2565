//! The contract of a provisioner: what runs here, beside an object that is created or destroyed.

use std::path::Path;

use lakeform_core::{Block, Value};

use crate::{BoxFuture, Result};

/// A kind of provisioner: `local-exec`
pub trait Provisioner: Send + Sync {
    /// Its name in a stack.
    fn name(&self) -> &'static str;

    /// Its arguments, without `when` and `on_failure`.
    fn schema(&self) -> &Block;

    /// Runs it once. Dropping the future stops what it began.
    ///
    /// # Errors
    /// When it could not run, or what it ran failed. Where [`Provisioning::secret`] is set, the error tells nothing of the
    /// arguments or of what was written.
    fn run<'a>(&'a self, with: Provisioning<'a>) -> BoxFuture<'a, Result<()>>;
}

/// What one run of a provisioner is given.
pub struct Provisioning<'a> {
    /// Its arguments, by [`Provisioner::schema`], all known and without marks.
    pub config: &'a Value,
    /// The root module's folder, which relative paths start from.
    pub directory: &'a Path,
    /// Takes each line that it has to tell.
    pub tell: &'a (dyn Fn(&str) + Send + Sync),
    /// Whether its arguments are secret.
    pub secret: bool,
}
