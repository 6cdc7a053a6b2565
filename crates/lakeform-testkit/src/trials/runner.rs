//! Puts a row through the trials.

use serde_json::Value as Json;
use toml::Table;

use crate::{
    emulator::Kind,
    proxy::{Proxy, Rule},
};

use super::{
    Edit, Lakeform, Options, Outcome, PlanSummary, PlannedChange, Report, Row, State, Trial, live, row,
    subject_attributes, without,
};

/// Why a trial does not hold.
type Why = String;

/// Puts a row through all trials, on an emulator that holds nothing yet. `lakeform` must talk to the emulator through
/// `proxy`; the runner puts its own rules there and takes them away again.
pub async fn run<L: Lakeform>(row: &Row, lakeform: &L, proxy: &Proxy, emulator: Kind) -> Report {
    let report = Report { ty: row.ty.clone(), emulator, trials: vec![] };
    for shelf in &row.shelf {
        proxy.shelve(&shelf.subresource, &shelf.absent);
    }
    let mut run = Run { row, lakeform, proxy, stack: row.stack.clone(), state: None, report };
    run.all().await;
    proxy.clear();
    proxy.clear_shelves();
    run.report
}

struct Run<'a, L> {
    row: &'a Row,
    lakeform: &'a L,
    proxy: &'a Proxy,
    /// What was applied last.
    stack: Table,
    state: State,
    report: Report,
}

impl<L: Lakeform> Run<'_, L> {
    async fn all(&mut self) {
        let settled = self.settles().await;
        let settled = self.record("settles", settled);
        if !settled {
            return;
        }
        for edit in &self.row.create_only {
            let name = format!("create-only {}", edit.path);
            let result = self.create_only(edit).await;
            self.record(&name, result);
        }
        let imported = self.imports().await;
        self.record_or_skip("import", imported);
        for edit in &self.row.change {
            let name = format!("change {}", edit.path);
            let before = (self.stack.clone(), self.state.clone());
            let result = self.change(edit).await;
            if !self.record(&name, result) {
                // The next one starts from what stood before, as far as that can be reached.
                self.stack = before.0;
                let _ = self.apply(&self.stack.clone()).await;
            }
        }
        let vanished = self.vanished().await;
        self.record("vanished", vanished);
        for (name, rules) in [
            ("throttled", vec![Rule::on_changes().throttled(), Rule::on("*").every(3).throttled()]),
            ("failing", vec![Rule::on_changes().error(500, "InternalError")]),
            ("denied", vec![Rule::on_changes().always().denied()]),
        ] {
            if !self.lakeform.meets_faults() {
                continue;
            }
            let result = self.met_by(name, rules).await;
            self.record(name, result);
        }
        let deleted = self.deleted_twice().await;
        self.record("deleted twice", deleted);
    }

    /// Writes down how a trial came out; true if the run can go on from it.
    fn record(&mut self, name: &str, result: Result<(), Why>) -> bool {
        self.record_or_skip(name, result.map(|()| None))
    }

    fn record_or_skip(&mut self, name: &str, result: Result<Option<String>, Why>) -> bool {
        let exception = self.row.exception(name, self.report.emulator, self.lakeform.name());
        let ok = result.is_ok();
        let outcome = match (result, exception) {
            (Ok(None), None) => Outcome::Passed,
            (Ok(Some(why)), _) => Outcome::Skipped(why),
            (Err(_), Some(exception)) => Outcome::Skipped(exception.reason.clone()),
            (Ok(None), Some(exception)) => {
                Outcome::Failed(format!("it holds, so its exception is out of date: {}", exception.reason))
            }
            (Err(why), None) => Outcome::Failed(why),
        };
        self.report.trials.push(Trial { name: name.to_owned(), outcome });
        ok
    }

    async fn plan(&self, stack: &Table, state: &State) -> Result<PlanSummary, Why> {
        let planned = self.lakeform.plan(&row::text(stack), state, Options::default()).await;
        planned.map_err(|e| format!("plan fails: {e}"))
    }

    /// Applies a stack over the state; the state is kept even when it fails.
    async fn try_apply(&mut self, stack: &Table) -> Vec<String> {
        let applied = self.lakeform.apply(&row::text(stack), &self.state, Options::default()).await;
        self.state = applied.state;
        applied.errors
    }

    async fn apply(&mut self, stack: &Table) -> Result<(), Why> {
        match self.try_apply(stack).await {
            errors if errors.is_empty() => Ok(()),
            errors => Err(format!("apply fails: {}", errors.join("\n"))),
        }
    }

    /// Applies a stack, after which a plan must be empty.
    async fn converge(&mut self, stack: &Table) -> Result<(), Why> {
        self.apply(stack).await?;
        self.stays(stack, &self.state).await
    }

    async fn stays(&self, stack: &Table, state: &State) -> Result<(), Why> {
        let plan = self.plan(stack, state).await?;
        if plan.is_empty() { Ok(()) } else { Err(format!("a second plan is not empty: {plan}")) }
    }

    /// What a plan would do to the resource that is tried, which must be all that it would do.
    async fn planned(&self, stack: &Table) -> Result<PlannedChange, Why> {
        let plan = self.plan(stack, &self.state).await?;
        let subject = self.row.subject();
        let change = plan.of(&subject).cloned().ok_or_else(|| format!("the plan leaves {subject} alone: {plan}"))?;
        if plan.changes.len() > 1 { Err(format!("the plan touches other resources: {plan}")) } else { Ok(change) }
    }

    async fn settles(&mut self) -> Result<(), Why> {
        self.converge(&self.stack.clone()).await?;
        match subject_attributes(&self.state, &self.row.ty) {
            Some(_) => Ok(()),
            None => Err(format!("the state lacks {}", self.row.subject())),
        }
    }

    async fn create_only(&self, edit: &Edit) -> Result<(), Why> {
        let stack = self.row.edited(&self.stack, edit, edit.new.as_ref()).map_err(|e| e.to_string())?;
        let plan = self.plan(&stack, &self.state).await?;
        let change = plan.of(&self.row.subject()).ok_or_else(|| format!("the plan leaves it alone: {plan}"))?;
        if !change.is_replace() {
            return Err(format!("no replacement is planned: {plan}"));
        }
        let root = root(&edit.path);
        if change.forced_by.iter().any(|name| name == root) {
            Ok(())
        } else {
            Err(format!("`{root}` does not force the replacement: {plan}"))
        }
    }

    async fn imports(&self) -> Result<Option<String>, Why> {
        let Some(template) = &self.row.import else { return Ok(Some("it cannot be imported".into())) };
        let attributes = subject_attributes(&self.state, &self.row.ty).unwrap_or_default();
        let id = fill(template, &attributes)?;
        let rest = without(&self.state, &self.row.ty);
        let stack = row::text(&self.stack);
        let state = self.lakeform.import(&stack, &rest, &self.row.subject(), &id).await;
        let state = state.map_err(|e| format!("importing {id} fails: {e}"))?;
        let plan = self.plan(&self.stack, &state).await?;
        let harmless = |c: &PlannedChange| {
            let ignored = |name: &String| self.row.import_ignores.contains(name);
            c.address == self.row.subject() && c.is("update") && c.changed.iter().all(ignored)
        };
        if plan.changes.iter().all(harmless) { Ok(None) } else { Err(format!("after importing {id}: {plan}")) }
    }

    async fn change(&mut self, edit: &Edit) -> Result<(), Why> {
        let mut values = vec![&edit.new];
        if edit.old.is_some() {
            values.insert(0, &edit.old);
        }
        for value in values {
            let stack = self.row.edited(&self.stack, edit, value.as_ref()).map_err(|e| e.to_string())?;
            let change = self.planned(&stack).await?;
            let root = root(&edit.path);
            if !change.is("update") || !change.changed.iter().any(|name| name == root) {
                return Err(format!("no update of `{root}` is planned: {change}"));
            }
            self.converge(&stack).await?;
            self.stack = stack;
        }
        Ok(())
    }

    /// Deletes the object with a state of its own, so that the run's state does not know.
    async fn vanished(&mut self) -> Result<(), Why> {
        let without = self.row.without_subject(&self.stack);
        let aside = self.lakeform.apply(&row::text(&without), &self.state, Options::default()).await;
        if !aside.errors.is_empty() {
            return Err(format!("deleting it fails: {}", aside.errors.join("\n")));
        }
        let plan = self.plan(&self.stack, &self.state).await?;
        match plan.of(&self.row.subject()) {
            Some(change) if change.is("create") => self.converge(&self.stack.clone()).await,
            _ => Err(format!("no create is planned: {plan}")),
        }
    }

    /// Creates the object while rules are in the way, which must be overcome or reported; and again without them.
    async fn met_by(&mut self, name: &str, rules: Vec<Rule>) -> Result<(), Why> {
        let stack = self.stack.clone();
        let without = self.row.without_subject(&stack);
        self.apply(&without).await?;
        self.proxy.forget();
        rules.into_iter().for_each(|rule| self.proxy.add(rule));
        let errors = self.try_apply(&stack).await;
        self.proxy.clear();
        let faults = self.proxy.log().iter().filter(|e| e.fault.is_some()).count();
        if faults == 0 {
            return Err(format!("no call met a rule: {:?}", self.proxy.lines()));
        }
        let told = errors.join("\n");
        let wanted = match name {
            "throttled" if !errors.is_empty() => return Err(format!("it gives up: {told}")),
            "denied" if errors.is_empty() => return Err("it does not report that it may not".into()),
            "denied" => "AccessDenied",
            "failing" if !errors.is_empty() => "InternalError",
            _ => "",
        };
        if !told.contains(wanted) {
            return Err(format!("the error does not name {wanted}: {told}"));
        }
        if name == "denied" && subject_attributes(&self.state, &self.row.ty).is_some() {
            return Err("the state holds an object that was not made".into());
        }
        self.converge(&stack).await
    }

    async fn deleted_twice(&mut self) -> Result<(), Why> {
        let before = self.state.clone();
        let stack = row::text(&self.stack);
        for (time, options) in
            [("first", Options { destroy: true, refresh: true }), ("second", Options { destroy: true, refresh: false })]
        {
            let applied = self.lakeform.apply(&stack, &before, options).await;
            if !applied.errors.is_empty() {
                return Err(format!("the {time} destroy fails: {}", applied.errors.join("\n")));
            }
            let left = live::managed(&applied.state);
            if !left.is_empty() {
                return Err(format!("the {time} destroy leaves {}", left.join(", ")));
            }
            self.state = applied.state;
        }
        Ok(())
    }
}

/// The attribute or block that a path leads into.
fn root(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

/// Fills `{name}` with attributes.
fn fill(template: &str, attributes: &Json) -> Result<String, Why> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, more) = after.split_once('}').ok_or_else(|| format!("`{template}` has a brace too few"))?;
        let value = attributes[name].as_str().ok_or_else(|| format!("there is no `{name}` for the import"))?;
        out.push_str(before);
        out.push_str(value);
        rest = more;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_filled_in() {
        let attributes = serde_json::json!({ "bucket": "b", "key": "k/x", "n": 1 });
        assert_eq!(fill("{bucket}/{key}", &attributes).unwrap(), "b/k/x");
        assert_eq!(fill("fixed", &attributes).unwrap(), "fixed");
        assert!(fill("{none}", &attributes).is_err() && fill("{bucket", &attributes).is_err());
        assert_eq!((root("rule[0].days"), root("tags.a"), root("name")), ("rule", "tags", "name"));
    }
}
