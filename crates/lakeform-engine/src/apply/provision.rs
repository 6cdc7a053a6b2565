//! Provisioners: what runs here beside an object, after it was created or before it is deleted.

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, InstanceKey, Marks, Value};
use lakeform_lang::{Provisioner, When};
use lakeform_provider::{ErrorKind, ProviderError, Provisioning};
use petgraph::graph::NodeIndex;

use crate::{Event, cancel::Level, evaluate::concerning, instance::translate};

use super::operate::Run;

impl Run<'_> {
    /// Whether there are provisioners of one time.
    pub(super) fn has_provisioners(&self, node: NodeIndex, when: When) -> bool {
        self.evaluator.block(node).is_some_and(|(_, block)| block.provisioners_at(when).next().is_some())
    }

    /// Runs the provisioners of one time, one after the other. `object` is what they call `self`.
    pub(super) async fn provision(
        &self,
        node: NodeIndex,
        address: &InstanceAddress,
        each: Option<(InstanceKey, Value)>,
        when: When,
        object: &Value,
    ) -> Result<(), Diagnostics> {
        let Some((index, block)) = self.evaluator.block(node) else { return Ok(()) };
        for provisioner in block.provisioners_at(when) {
            let done = self.run_provisioner(index, address, each.clone(), provisioner, object).await;
            let Err(problems) = done.map_err(|e| concerning(e, address)) else { continue };
            if !provisioner.may_fail {
                return Err(problems);
            }
            let warnings = problems.0.into_iter().map(Diagnostic::into_warning).collect();
            self.tally().problems.extend(Diagnostics(warnings));
        }
        Ok(())
    }

    async fn run_provisioner(
        &self,
        module: usize,
        address: &InstanceAddress,
        each: Option<(InstanceKey, Value)>,
        provisioner: &Provisioner,
        object: &Value,
    ) -> Result<(), Diagnostics> {
        let kind = &*provisioner.kind;
        let Some(found) = self.evaluator.providers.provisioner(kind) else {
            let problem = Diagnostic::error(format!("There is no provisioner `{kind}`"));
            return Err(problem.span(provisioner.span.clone()).into());
        };
        let this = Some(object.clone());
        let (config, directory) = self.evaluator.scoped(module, &address.resource.module, each, this, |scope| {
            let directory = scope.environment.root.clone();
            provisioner.body.evaluate(found.schema(), scope).map(|config| (config, directory))
        })?;
        let hidden = match config.marks_deep() {
            marks if marks.contains(Marks::EPHEMERAL) => Some("ephemeral"),
            marks if marks.contains(Marks::SENSITIVE) => Some("sensitive"),
            _ => None,
        };
        let config = config.unmarked_deep();
        let suppressed = hidden.map(|why| format!("(output suppressed due to {why} value in config)"));
        let tell = |line: &str| {
            let output = suppressed.as_deref().unwrap_or(line);
            self.events.event(Event::Provisioning { address, provisioner: kind, output });
        };
        let with = Provisioning { config: &config, directory: &directory, tell: &tell, secret: hidden.is_some() };
        let _slot = self.calls.slot().await;
        self.calls.permitted().map_err(|e| translate(&e, &address.to_string()))?;
        self.events.event(Event::ProvisioningStarted { address, provisioner: kind });
        let done = tokio::select! {
            done = found.run(with) => done,
            () = self.cancel.reached(Level::Abandon) => {
                Err(ProviderError::new(ErrorKind::Other, "it was stopped with the run"))
            }
        };
        self.events.event(Event::ProvisioningFinished { address, provisioner: kind, failed: done.is_err() });
        done.map_err(|e| {
            let mut problem = translate(&e, &address.to_string());
            problem.detail =
                Some(problem.detail.map_or(problem.summary.clone(), |d| format!("{}: {d}", problem.summary)));
            problem.summary = format!("{kind} provisioner error");
            problem.maybe_span(Some(provisioner.span.clone())).into()
        })
    }
}
