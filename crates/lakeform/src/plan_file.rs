//! Plans in files: made by one run, carried out by another.

use std::collections::BTreeMap;

use lakeform_core::{Diagnostic, Value};
use lakeform_engine::{Cancel, NoEvents, Plan, PlanFile, PlanFileError, PlanInput, PlanOptions};
use lakeform_lang::Expr;
use lakeform_state::{Acquired, CipherError, Label, State};

use crate::{Error, Lakeform, LoadOptions, LoadedStack, Session};

/// The kind of plan files in labels.
const PLAN: &str = "plan";

impl Lakeform {
    /// Reads a plan file and loads the stack that it was made from. [`Session::resume`] makes it a plan again.
    ///
    /// # Errors
    /// When the bytes are no plan file of this version, cannot be decrypted, or the stack cannot be loaded.
    pub async fn load_plan(&self, bytes: Vec<u8>, options: LoadOptions) -> Result<(LoadedStack, PlanFile), Error> {
        let Some(label) = lakeform_state::label(&bytes)? else {
            let file = PlanFile::read(&bytes)?;
            let stack = self.load(&file.stack, options)?;
            // In clear, which must then be what the stack says.
            if let Some(cipher) = &stack.backend().await?.cipher {
                cipher.open(bytes, PLAN).await?;
            }
            return Ok((stack, file));
        };
        if label.kind != PLAN {
            return Err(CipherError::OtherKind { found: label.kind, wanted: PLAN.to_owned() }.into());
        }
        let stack = self.load(label.about.unwrap_or_default(), options)?;
        let Some(cipher) = &stack.backend().await?.cipher else {
            let why = "it is encrypted, and the stack's backend has no `encryption` any more".to_owned();
            return Err(PlanFileError::Format(why).into());
        };
        let file = PlanFile::read(&cipher.open(bytes, PLAN).await?.content)?;
        Ok((stack, file))
    }
}

impl LoadedStack {
    /// The bytes of a plan file: everything but the stack's documents and sensitive values; encrypted as a whole where the
    /// state is.
    ///
    /// # Errors
    /// When a value cannot be written, or there is no key to be had.
    pub async fn save_plan(&self, plan: &Plan) -> Result<Vec<u8>, Error> {
        let bytes = PlanFile::write(plan, &self.stack, &self.lakeform.providers)?;
        let Some(cipher) = &self.backend().await?.cipher else { return Ok(bytes) };
        let label = Label {
            kind: PLAN.to_owned(),
            lineage: Some(plan.prior_state.lineage.clone()),
            serial: Some(plan.stored_serial),
            about: Some(self.stack.path.display().to_string()),
        };
        Ok(cipher.seal(&bytes, &label).await?)
    }

    /// The plan of a plan file, to look at.
    ///
    /// # Errors
    /// As [`Session::resume`].
    pub async fn inspect(&self, file: PlanFile) -> Result<Plan, Error> {
        Session::open(self, &Acquired::default()).await?.resume(file)
    }

    /// Evaluates an expression against the stack and its stored state, without calling any provider: what
    /// `lakeform console` does.
    ///
    /// # Errors
    /// What is wrong with the expression or with what it refers to.
    pub fn evaluate(&self, expr: &Expr, state: State) -> Result<Value, Error> {
        Ok(lakeform_engine::evaluate(
            PlanInput {
                stack: &self.stack,
                providers: &self.lakeform.providers,
                variables: self.variables.clone(),
                state,
                open: BTreeMap::new(),
                recovered: vec![],
                recent: false,
                options: PlanOptions::default(),
                environment: lakeform_lang::Environment { now: self.lakeform.world.now(), ..self.environment.clone() },
                events: &NoEvents,
                cancel: &Cancel::new(),
            },
            expr,
        )?)
    }
}

impl Session<'_> {
    /// The plan of a plan file, ready to be applied.
    ///
    /// # Errors
    /// When the stack or the stored state is no longer what it was made from, or sensitive variables are not given again.
    pub fn resume(&self, file: PlanFile) -> Result<Plan, Error> {
        let stack = self.stack();
        if !self.recovery().is_empty() {
            return Err(Diagnostic::error("An earlier run was cut off since the plan was made")
                .detail("what it left open is resolved by planning anew, not by a saved plan")
                .help("run `lakeform apply` with the stack")
                .into());
        }
        let plan = file.into_plan(&stack.stack, &stack.lakeform.providers, self.state(), &stack.variables)?;
        Ok(self.adopt(plan))
    }
}
