//! Plans in files: made by one run, carried out by another.

use std::collections::BTreeMap;

use lakeform_core::{Diagnostic, Value};
use lakeform_engine::{Cancel, NoEvents, Plan, PlanFile, PlanInput, PlanOptions};
use lakeform_lang::Expr;
use lakeform_state::{Acquired, State};

use crate::{Error, Lakeform, LoadOptions, LoadedStack, Session};

impl Lakeform {
    /// Reads a plan file and loads the stack that it was made from. [`Session::resume`] makes it a plan again.
    ///
    /// # Errors
    /// When the bytes are no plan file of this version, or the stack cannot be loaded.
    pub fn load_plan(&self, bytes: &[u8], options: LoadOptions) -> Result<(LoadedStack, PlanFile), Error> {
        let file = PlanFile::read(bytes)?;
        Ok((self.load(&file.stack, options)?, file))
    }
}

impl LoadedStack {
    /// The bytes of a plan file: everything but the stack's documents and sensitive values.
    ///
    /// # Errors
    /// When a value cannot be written.
    pub fn save_plan(&self, plan: &Plan) -> Result<Vec<u8>, Error> {
        Ok(PlanFile::write(plan, &self.stack, &self.lakeform.providers)?)
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
