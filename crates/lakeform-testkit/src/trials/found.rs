//! Whether an object is found of which nobody knows that it was created: a provider that has it out each time that its subject
//! is created.

use std::sync::{Arc, Mutex, PoisonError};

use lakeform_core::{Block, Schema, Value, json::to_plain_json};
use lakeform_provider::{
    AnyDataSource, AnyResource, BoxFuture, Change, Configured, Failure, FoundBy, Provider, Provisioner, Result,
    Surroundings,
};
use serde_json::Value as Json;

use crate::proxy::{Proxy, Rule};

/// A creation is cut off after each of its first so many calls that change something.
const MOST_CUTS: usize = 12;

/// A provider that creates one type in the hard way. Before an object is created for good, it is created as often as that
/// takes calls, each time with the connection cut before the first or after one of them; what was made is found, and deleted.
/// What does not hold is written down.
pub struct Doubting {
    inner: Arc<dyn Provider>,
    subject: Subject,
}

impl Doubting {
    /// Has it out with a type of a provider that talks to its service through `proxy`.
    pub fn new(inner: Arc<dyn Provider>, ty: &str, proxy: &Arc<Proxy>) -> Self {
        let subject = Subject {
            inner: inner.clone(),
            ty: ty.to_owned(),
            proxy: proxy.clone(),
            made: Mutex::default(),
            seen: Mutex::default(),
        };
        Self { inner, subject }
    }

    /// What was tried, and why it does not hold if it does not.
    pub fn results(&self) -> Vec<(String, Result<(), String>)> {
        self.subject.seen().clone()
    }
}

impl Provider for Doubting {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn source(&self) -> &'static str {
        self.inner.source()
    }

    fn config_schema(&self) -> &Schema {
        self.inner.config_schema()
    }

    fn resource(&self, name: &str) -> Option<&dyn AnyResource> {
        if name == self.subject.ty { Some(&self.subject) } else { self.inner.resource(name) }
    }

    fn data_source(&self, name: &str) -> Option<&dyn AnyDataSource> {
        self.inner.data_source(name)
    }

    fn ephemeral_resource(&self, name: &str) -> Option<&dyn AnyDataSource> {
        self.inner.ephemeral_resource(name)
    }

    fn provisioner(&self, name: &str) -> Option<&dyn Provisioner> {
        self.inner.provisioner(name)
    }

    fn resource_names(&self) -> Vec<&'static str> {
        self.inner.resource_names()
    }

    fn data_source_names(&self) -> Vec<&'static str> {
        self.inner.data_source_names()
    }

    fn configure<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Configured>> {
        self.inner.configure(config)
    }
}

/// What an object was made of: its plan, the configuration and the token.
struct Made {
    id: String,
    planned: Value,
    config: Option<Value>,
    token: String,
}

/// The type.
struct Subject {
    inner: Arc<dyn Provider>,
    ty: String,
    proxy: Arc<Proxy>,
    made: Mutex<Vec<Made>>,
    seen: Mutex<Vec<(String, Result<(), String>)>>,
}

fn id_of(object: &Value) -> &str {
    object.get("id").and_then(Value::as_str).unwrap_or_default()
}

impl Subject {
    fn seen(&self) -> std::sync::MutexGuard<'_, Vec<(String, Result<(), String>)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an object was made of that is no longer there.
    fn take(&self, id: &str) -> Option<Made> {
        let mut all = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().position(|made| made.id == id).map(|at| all.remove(at))
    }

    #[allow(clippy::expect_used, reason = "the engine asks for types that the provider serves")]
    fn inner(&self) -> &dyn AnyResource {
        self.inner.resource(&self.ty).expect("the provider serves the type")
    }

    fn note(&self, trial: &str, result: Result<(), String>) {
        self.seen().push((trial.to_owned(), result));
    }

    /// Writes down whether nothing is found, or something, and gives it.
    async fn look(&self, trial: &str, with: Surroundings<'_>, planned: &Value, there: bool) -> Option<Value> {
        let found = match self.inner().find(with, planned).await {
            Ok(found) => found,
            Err(e) => {
                self.note(trial, Err(format!("looking fails: {e}")));
                return None;
            }
        };
        let result = match &found {
            Some(found) if id_of(found).is_empty() => Err("what is found has no id".to_owned()),
            Some(found) if !there => Err(format!("{} is found", id_of(found))),
            None if there => Err("nothing is found".to_owned()),
            _ => Ok(()),
        };
        self.note(trial, result);
        found
    }

    /// Cuts a creation off where the rule says. True if there was anything to cut off.
    async fn cut(&self, with: Surroundings<'_>, planned: &Value, rule: Rule, trial: &str, there: bool) -> bool {
        self.proxy.forget();
        self.proxy.add(rule);
        let created = self.inner().create(with, planned).await;
        self.proxy.clear();
        let log = self.proxy.log();
        let cut = log.iter().find(|call| call.fault.is_some()).map(|call| call.operation.as_str());
        if let Some(operation) = cut
            && operation.contains(":Create")
            && log.iter().filter(|call| call.operation == operation).count() > 1
        {
            self.note(
                "find sent once",
                Err(format!("{operation} is sent again, and nobody knows what came of the first")),
            );
        }
        // What can be repeated is repeated, and works the second time.
        let there = there || created.is_ok();
        let cut = cut.is_some();
        let object = match &created {
            Ok(whole) => Some(whole.clone()),
            Err(failure) => failure.partial.clone(),
        };
        let found = if cut { self.look(trial, with, planned, there).await } else { None };
        if let (Some(object), Some(found)) = (&object, &found)
            && id_of(object) != id_of(found)
        {
            self.note(trial, Err(format!("{} is found, not {}", id_of(found), id_of(object))));
        }
        if let Some(rest) = found.or(object)
            && let Err(e) = self.inner().delete(Surroundings { token: "", ..with }, &rest).await
        {
            self.note(trial, Err(format!("what is found cannot be deleted: {e}")));
        }
        cut
    }

    async fn create_in_doubt(&self, with: Surroundings<'_>, planned: &Value) -> Result<Value, Failure> {
        self.look("find absent", with, planned, false).await;
        // Each time is another intent.
        let token = |n: usize| format!("{n:02x}{}", with.token.get(2..).unwrap_or_default());
        let first = token(0);
        let with_first = Surroundings { token: &first, ..with };
        self.cut(with_first, planned, Rule::on_changes().cut_before(), "find unmade", false).await;
        for n in 1..=MOST_CUTS {
            let token = token(n);
            let with = Surroundings { token: &token, ..with };
            let rule = Rule::on_changes().nth(n).cut_after();
            if !self.cut(with, planned, rule, "find half", true).await {
                break;
            }
        }
        let created = self.inner().create(with, planned).await?;
        if let Some(found) = self.look("find whole", with, planned, true).await {
            let differences = differences(&self.schema().block, &created, &found);
            let same = if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) };
            self.note("find same", same);
        }
        // A plan that was kept has no secrets.
        let mut bare = planned.clone();
        forget_secrets(&self.schema().block, &mut bare);
        if bare != *planned
            && let Some(found) = self.look("find without secrets", with, &bare, true).await
            && id_of(&found) != id_of(&created)
        {
            self.note("find without secrets", Err(format!("{} is found", id_of(&found))));
        }
        if matches!(self.found_by(), FoundBy::Token | FoundBy::Tag) {
            let other = token(0xff);
            self.look("find another", Surroundings { token: &other, ..with }, planned, false).await;
        }
        if self.overwrites() {
            let again = self.inner().create(with, planned).await;
            self.note("find overwritten", again.map(drop).map_err(|failure| failure.error.to_string()));
        }
        let made = Made {
            id: id_of(&created).to_owned(),
            planned: planned.clone(),
            config: with.config.cloned(),
            token: with.token.to_owned(),
        };
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        Ok(created)
    }
}

impl AnyResource for Subject {
    fn name(&self) -> &'static str {
        self.inner().name()
    }

    fn schema(&self) -> &Schema {
        self.inner().schema()
    }

    fn identity(&self) -> &'static [&'static str] {
        self.inner().identity()
    }

    fn tied_to(&self) -> &'static [&'static str] {
        self.inner().tied_to()
    }

    fn overwrites(&self) -> bool {
        self.inner().overwrites()
    }

    fn plan(&self, client: &Configured, change: &mut Change<'_>) -> Result<()> {
        self.inner().plan(client, change)
    }

    fn upgrade(&self, from: u64, stored: Value) -> Option<Value> {
        self.inner().upgrade(from, stored)
    }

    fn takes_over(&self, from: &str) -> bool {
        self.inner().takes_over(from)
    }

    fn take_over(&self, from: &str, stored: Value) -> Option<Value> {
        self.inner().take_over(from, stored)
    }

    fn read<'a>(&'a self, with: Surroundings<'a>, prior: &'a Value) -> BoxFuture<'a, Result<Option<Value>>> {
        self.inner().read(with, prior)
    }

    fn create<'a>(&'a self, with: Surroundings<'a>, planned: &'a Value) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(self.create_in_doubt(with, planned))
    }

    fn found_by(&self) -> FoundBy {
        self.inner().found_by()
    }

    fn find<'a>(&'a self, with: Surroundings<'a>, planned: &'a Value) -> BoxFuture<'a, Result<Option<Value>>> {
        self.inner().find(with, planned)
    }

    fn release<'a>(&'a self, with: Surroundings<'a>, object: &'a Value) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let released = self.inner().release(with, object).await;
            self.note("find released", released.map_err(|e| e.to_string()));
            Ok(())
        })
    }

    fn update<'a>(
        &'a self,
        with: Surroundings<'a>,
        prior: &'a Value,
        planned: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        self.inner().update(with, prior, planned)
    }

    fn delete<'a>(&'a self, with: Surroundings<'a>, prior: &'a Value) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.inner().delete(with, prior).await?;
            if let Some(made) = self.take(id_of(prior)) {
                let with = Surroundings { config: made.config.as_ref(), token: &made.token, ..with };
                self.look("find deleted", with, &made.planned, false).await;
            }
            Ok(())
        })
    }

    fn import(&self, with: Surroundings<'_>, id: &str) -> Result<Value> {
        self.inner().import(with, id)
    }
}

/// Nulls for what the schema calls sensitive.
fn forget_secrets(block: &Block, object: &mut Value) {
    for (name, attribute) in block.attributes.iter().filter(|(_, attribute)| attribute.sensitive) {
        object.set_attr(name.clone(), Value::null(attribute.ty.clone()));
    }
}

/// The attributes in which two objects differ, but for those that say nothing in either.
fn differences(block: &Block, created: &Value, found: &Value) -> Vec<String> {
    let names = block.attributes.keys().chain(block.blocks.keys());
    let differ = |name: &&Arc<str>| {
        let (Some(a), Some(b)) = (created.get(name), found.get(name)) else { return false };
        let same = block.attributes.get(*name).and_then(|attribute| attribute.same);
        essence(a) != essence(b) && !same.is_some_and(|same| same(a, b))
    };
    let shown = |name: &Arc<str>| {
        let show = |object: &Value| object.get(name).map(to_plain_json).unwrap_or_default();
        format!("{name} is {} but {} is found", show(created), show(found))
    };
    names.filter(differ).map(shown).collect()
}

/// A value without what says nothing, as Terraform sees it: nulls, `false`, zeros, empty texts and collections. JSON documents
/// are read.
fn essence(value: &Value) -> Option<Json> {
    fn of(json: Json) -> Option<Json> {
        match json {
            Json::Null | Json::Bool(false) => None,
            Json::Number(number) if number.as_f64() == Some(0.0) => None,
            Json::String(text) if text.is_empty() => None,
            Json::String(text) if text.starts_with(['{', '[']) => match serde_json::from_str(&text) {
                Ok(document) => of(document),
                Err(_) => Some(Json::String(text)),
            },
            Json::Array(all) => {
                Some(all.into_iter().filter_map(of).collect::<Vec<_>>()).filter(|all| !all.is_empty()).map(Json::Array)
            }
            Json::Object(all) => {
                let all: serde_json::Map<_, _> =
                    all.into_iter().filter_map(|(name, value)| Some((name, of(value)?))).collect();
                (!all.is_empty()).then_some(Json::Object(all))
            }
            plain => Some(plain),
        }
    }
    of(to_plain_json(value))
}
