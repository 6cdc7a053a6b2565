//! The cloud in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use lakeform_core::Value;
use lakeform_provider::{ErrorKind, FoundBy, NotPermitted, Permit, ProviderError, Result, Retry};

use super::{Call, Effect, FakeObject, Fault, Op, Outcome, fault};

/// A cloud in memory: objects, a journal of calls and the faults put in their way. Clones are the same cloud.
#[derive(Clone, Debug, Default)]
pub struct FakeCloud(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// By type and `id`.
    objects: BTreeMap<(&'static str, String), Value>,
    made: BTreeMap<&'static str, u64>,
    pending: BTreeMap<String, u32>,
    /// The objects that bear the token of their creation, by type and token: their `id`.
    tokens: BTreeMap<(&'static str, String), String>,
    /// By the name of the object: what was sent for its write-only attributes.
    written: BTreeMap<String, Vec<String>>,
    faults: Vec<Fault>,
    /// By when they began.
    calls: BTreeMap<usize, Call>,
    clock: usize,
    in_flight: usize,
    high_water: usize,
    latency: Duration,
}

impl Contents {
    fn key(&self, ty: &str, name_or_id: &str) -> Option<(&'static str, String)> {
        let of_type = || self.objects.iter().filter(|((t, _), _)| *t == ty);
        of_type()
            .find(|((_, id), _)| id == name_or_id)
            .or_else(|| of_type().find(|(_, v)| text(v, "name") == Some(name_or_id)))
            .map(|(key, _)| key.clone())
    }

    fn tick(&mut self) -> usize {
        self.clock += 1;
        self.clock - 1
    }
}

fn text<'a>(object: &'a Value, attribute: &str) -> Option<&'a str> {
    object.get(attribute).and_then(Value::as_str)
}

impl FakeCloud {
    /// An empty cloud that answers at once.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every call takes this long (on tokio's clock, which a test may pause).
    pub fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// Puts a fault in the way of calls. Several may meet one call, in the order in which they were put there.
    pub fn inject(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Takes every fault away.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    // --- objects -----------------------------------------------------------------------------------------------

    /// A live object by `id` or `name`, as the API spells it.
    pub fn object(&self, ty: &str, name_or_id: &str) -> Option<Value> {
        let contents = self.lock();
        contents.objects.get(&contents.key(ty, name_or_id)?).cloned()
    }

    /// All live objects of a type, by `id`.
    pub fn objects(&self, ty: &str) -> Vec<Value> {
        self.lock().objects.iter().filter(|((t, _), _)| *t == ty).map(|(_, v)| v.clone()).collect()
    }

    /// Every live object as `TYPE NAME` (or `TYPE ID`), sorted.
    pub fn list(&self) -> Vec<String> {
        let contents = self.lock();
        let mut all: Vec<_> =
            contents.objects.iter().map(|((ty, id), v)| format!("{ty} {}", text(v, "name").unwrap_or(id))).collect();
        all.sort();
        all
    }

    /// How many objects live.
    pub fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Whether no object lives.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes an object behind lakeform's back, and gives its `id`.
    ///
    /// # Panics
    /// When its name is taken.
    pub fn seed<M: FakeObject>(&self, object: M) -> String {
        match self.insert(&mut object.clone(), "test-1", "") {
            Ok(id) => id,
            Err(e) => panic!("cannot seed {}: {e}", M::TYPE),
        }
    }

    /// Deletes an object behind lakeform's back, and gives it.
    ///
    /// # Panics
    /// When there is none.
    pub fn vanish(&self, ty: &str, name_or_id: &str) -> Value {
        let mut contents = self.lock();
        let key = contents.key(ty, name_or_id).unwrap_or_else(|| panic!("no {ty} {name_or_id} to delete"));
        contents.objects.remove(&key).unwrap_or_else(|| panic!("no {ty} {name_or_id} to delete"))
    }

    /// Changes an attribute of an object behind lakeform's back.
    ///
    /// # Panics
    /// When there is no such object or attribute.
    pub fn drift(&self, ty: &str, name_or_id: &str, attribute: &str, value: impl Into<Value>) {
        let mut contents = self.lock();
        let key = contents.key(ty, name_or_id).unwrap_or_else(|| panic!("no {ty} {name_or_id} to change"));
        let object = contents.objects.get_mut(&key).filter(|v| v.get(attribute).is_some());
        object.unwrap_or_else(|| panic!("{ty} has no attribute {attribute}")).set_attr(attribute, value.into());
    }

    // --- journal -----------------------------------------------------------------------------------------------

    /// Every call since the start (or [`FakeCloud::forget_calls`]), in the order in which they began.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.values().cloned().collect()
    }

    /// The calls that change something, as `create fake_bucket raw`, in the order in which they began.
    pub fn changes(&self) -> Vec<String> {
        self.lock().calls.values().filter(|c| c.op.changes()).map(Call::to_string).collect()
    }

    /// How many calls of a kind there were.
    pub fn count(&self, op: Op) -> usize {
        self.lock().calls.values().filter(|c| c.op == op).count()
    }

    /// Whether the last call that displays as `first` was over before the first that displays as `then` began.
    ///
    /// # Panics
    /// When there was no such call.
    pub fn is_ordered(&self, first: &str, then: &str) -> bool {
        let calls = self.calls();
        let named = |call: &&Call, text: &str| call.to_string() == text;
        match (calls.iter().rfind(|c| named(c, first)), calls.iter().find(|c| named(c, then))) {
            (Some(a), Some(b)) => a.is_before(b),
            _ => panic!("`{first}` or `{then}` was not called; there were: {:?}", self.changes()),
        }
    }

    /// The largest number of calls that ran at once.
    pub fn high_water(&self) -> usize {
        self.lock().high_water
    }

    /// How many calls run now.
    pub fn in_flight(&self) -> usize {
        self.lock().in_flight
    }

    /// Forgets the calls that are over, and the high-water mark.
    pub fn forget_calls(&self) {
        let mut contents = self.lock();
        contents.calls.retain(|_, c| c.ended.is_none());
        contents.high_water = contents.in_flight;
    }

    /// What was sent for the write-only attributes of objects with a name, one text after the other.
    pub fn written(&self, name: &str) -> Vec<String> {
        self.lock().written.get(name).cloned().unwrap_or_default()
    }

    // --- the API -----------------------------------------------------------------------------------------------

    /// Keeps what the configuration of an object holds that no object shows.
    pub(super) fn write<M: FakeObject>(&self, name: &str, config: Option<&Value>) {
        let block = M::block();
        let hidden = block.attributes.iter().filter(|(_, attribute)| attribute.write_only);
        let sent = hidden.filter_map(|(attribute, _)| Some(text(config?, attribute)?.to_owned()));
        self.lock().written.entry(name.to_owned()).or_default().extend(sent);
    }

    /// Begins a call, if the operation still has its permit: it is written down, takes its time and meets its faults.
    pub(super) async fn begin(&self, op: Op, ty: &'static str, name: &str) -> Result<Running> {
        Permit::check().map_err(NotPermitted::error)?;
        let (started, latency, effects) = {
            let mut contents = self.lock();
            let started = contents.tick();
            contents.in_flight += 1;
            contents.high_water = contents.high_water.max(contents.in_flight);
            let call = Call { op, ty, name: name.to_owned(), started, ended: None, outcome: None };
            contents.calls.insert(started, call);
            let effects: Vec<_> = contents.faults.iter_mut().filter_map(|f| f.meets(op, ty, name)).collect();
            (started, contents.latency, effects)
        };
        let mut running =
            Running { cloud: self.clone(), started, outcome: Outcome::Dropped, op, ty, effects: Vec::new() };
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        for effect in effects {
            match effect {
                Effect::Hold(gate) => gate.pass().await,
                Effect::Slow(time) => tokio::time::sleep(time).await,
                Effect::Fail(kind, retry) => return Err(running.fail(kind, retry)),
                later => running.effects.push(later),
            }
        }
        Ok(running)
    }

    /// Puts a new object in place and settles what the API decides. Gives its `id`.
    /// Where the API takes a client token, asking again with the same one makes no second object.
    pub(super) fn insert<M: FakeObject>(&self, object: &mut M, region: &str, token: &str) -> Result<String> {
        let mut contents = self.lock();
        let token = Some((M::TYPE, token.to_owned())).filter(|_| M::FOUND_BY == FoundBy::Token && !token.is_empty());
        let made = token.as_ref().and_then(|token| contents.tokens.get(token)).cloned();
        if let Some(id) = made.filter(|id| contents.objects.contains_key(&(M::TYPE, id.clone()))) {
            object.settle(None, &id, region);
            return Ok(id);
        }
        let operation = || format!("fake:Create{}", M::WORD);
        if M::UNIQUE
            && let Some(name) = object.name()
            && contents.key(M::TYPE, name).is_some()
        {
            let message = format!("a {} named {name} exists", M::WORD.to_lowercase());
            let error = ProviderError::new(ErrorKind::AlreadyExists, message);
            return Err(error.operation(operation()).code("AlreadyExists"));
        }
        if let Some((ty, id)) = object.needs()
            && !contents.objects.contains_key(&(ty, id.to_owned()))
        {
            let error = ProviderError::invalid(format!("there is no {ty} with the id {id}"));
            return Err(error.operation(operation()).code("InvalidParameter"));
        }
        let made = contents.made.entry(M::TYPE).or_default();
        *made += 1;
        let id = object.new_id(*made);
        object.settle(None, &id, region);
        contents.objects.insert((M::TYPE, id.clone()), object.as_api().into_value());
        if let Some(token) = token {
            contents.tokens.insert(token, id.clone());
        }
        Ok(id)
    }

    /// The live object that was made with a token.
    pub(super) fn made_by(&self, ty: &'static str, token: &str) -> Option<Value> {
        let contents = self.lock();
        let id = contents.tokens.get(&(ty, token.to_owned()))?;
        contents.objects.get(&(ty, id.clone())).cloned()
    }

    /// Replaces an object that exists.
    pub(super) fn replace<M: FakeObject>(&self, object: &M) -> Result<()> {
        let mut contents = self.lock();
        let id = object.id().unwrap_or_default().to_owned();
        match contents.objects.get_mut(&(M::TYPE, id)) {
            Some(place) => *place = object.as_api().into_value(),
            None => {
                return Err(fault::error(ErrorKind::NotFound, Retry::Never, format!("fake:Update{}", M::WORD)));
            }
        }
        Ok(())
    }

    /// Takes an object away, unless another one needs it. False: there was none.
    pub(super) fn remove<M: FakeObject>(&self, id: &str) -> Result<bool> {
        let mut contents = self.lock();
        let needed = !M::NEEDED_BY.is_empty();
        if needed
            && let Some(user) =
                contents.objects.values().find(|v| text(v, M::NEEDED_BY).is_some_and(|needed| needed == id))
        {
            let user = text(user, "name").or_else(|| text(user, "id")).unwrap_or_default();
            let error = ProviderError::new(ErrorKind::Conflict, format!("{id} is in use by {user}"));
            return Err(error.operation(format!("fake:Delete{}", M::WORD)).code("DependencyViolation"));
        }
        Ok(contents.objects.remove(&(M::TYPE, id.to_owned())).is_some())
    }

    /// A created object is not ready for this many looks.
    pub(super) fn set_pending(&self, id: &str, looks: u32) {
        self.lock().pending.insert(id.to_owned(), looks);
    }

    /// One look whether an object is ready.
    pub(super) fn look(&self, id: &str) -> bool {
        let mut contents = self.lock();
        match contents.pending.get_mut(id) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        }
    }
}

/// A call that runs. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Running {
    cloud: FakeCloud,
    started: usize,
    outcome: Outcome,
    op: Op,
    ty: &'static str,
    effects: Vec<Effect>,
}

impl Running {
    /// The faults that meet the call after it has happened.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Puts faults back that are still to meet the call.
    pub(super) fn restore(&mut self, effects: Vec<Effect>) {
        self.effects = effects;
    }

    /// Ends the call with an error of its own.
    pub(super) fn fail(&mut self, kind: ErrorKind, retry: Retry) -> ProviderError {
        let word = self.ty.trim_start_matches("fake_");
        let error = fault::error(kind, retry, format!("fake:{}:{word}", self.op));
        self.outcome = Outcome::Failed(error.kind);
        error
    }

    /// Ends the call with what came out of it.
    pub(super) fn end<T>(mut self, result: Result<T>) -> Result<T> {
        self.outcome = match &result {
            Ok(_) => Outcome::Ok,
            Err(e) => Outcome::Failed(e.kind),
        };
        result
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut contents = self.cloud.lock();
        let now = contents.tick();
        contents.in_flight -= 1;
        if let Some(call) = contents.calls.get_mut(&self.started) {
            call.ended = Some(now);
            call.outcome = Some(self.outcome);
        }
    }
}
