//! What is about to be done is durable before it is done; what became of it follows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, TryFutureExt, stream::FuturesOrdered};
use lakeform_core::{Diagnostic, InstanceAddress, Marks, Path, Step, Value};
use lakeform_provider::{AnyResource, ProviderError};
use lakeform_state::{
    Lease, LeaseLost, ObjectState,
    journal::{Edit, Entry, Intent, Origin, Outcome, Verb},
};
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{
    Change,
    secrets::{collect, repeats},
    stored::encode,
};

use super::Save;

/// Texts that are longer than this are left out of the journal, as secrets are: its pages are small.
const LONGEST: usize = 32 * 1024;

/// How many bytes of entries go into one page; DynamoDB takes 400 KB.
const PAGE: usize = 256 * 1024;

/// How long an intent waits for others that become ready at the same moment, so that they go out together.
const GATHERING: Duration = Duration::from_millis(1);

/// The same for what is announced, which nobody waits for yet.
const AHEAD: Duration = Duration::from_millis(12);

/// How long outcomes wait for an intent that they can be written with.
const PATIENCE: Duration = Duration::from_millis(500);

/// No entry has this number.
const ENDED: u64 = u64::MAX;

/// Collects entries, and writes those that came together in one page.
pub(super) struct Recorder<'a> {
    save: &'a dyn Save,
    lease: &'a Lease,
    /// Whether a journal is kept.
    kept: bool,
    desk: Mutex<Desk>,
    /// Counts entries that are durable; [`ENDED`] once none will be any more.
    durable: watch::Sender<u64>,
    /// Counts entries whose page is being written, or is.
    taken: watch::Sender<u64>,
    wake: Notify,
    /// The serial of the state that has everything up to now.
    serial: AtomicU64,
    closed: AtomicBool,
    /// The sensitive texts that this run has seen.
    secrets: Mutex<BTreeSet<String>>,
}

#[derive(Default)]
struct Desk {
    waiting: Vec<(Entry, usize)>,
    /// How many intents are among them, and when the first of these came.
    intents: usize,
    since: Option<Instant>,
    /// Whether somebody waits for one of them.
    awaited: bool,
    /// How many entries there were, written or not.
    count: u64,
    ops: u64,
    open: BTreeSet<u64>,
    /// What is written down already and has not begun, by instance, verb and deposed key.
    announced: BTreeMap<Key, Announced>,
    failed: Option<Diagnostic>,
}

type Key = (InstanceAddress, Verb, Option<String>);

/// An operation that is written down before it is its turn.
struct Announced {
    op: u64,
    /// The number of its entry.
    number: u64,
    token: String,
    /// Whether the entry says all that there is to say.
    whole: bool,
}

/// An operation whose intent is durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Op(u64);

/// What an operation is about.
pub(super) struct Plan<'a> {
    pub(super) address: &'a InstanceAddress,
    pub(super) verb: Verb,
    pub(super) provider: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) deposed: Option<&'a str>,
    pub(super) token: &'a str,
    /// The object before, where there is one.
    pub(super) before: Option<&'a Value>,
    /// The object as planned; `None` for a deletion.
    pub(super) after: Option<&'a Value>,
    /// What is kept beside the attributes of an object.
    pub(super) frame: ObjectState,
}

impl<'a> Plan<'a> {
    /// The deletion of an object: the current one, or the deposed one of a key.
    pub(super) fn deletion(
        change: &'a Change,
        id: Option<&'a str>,
        deposed: Option<&'a str>,
        prior: &'a Value,
    ) -> Self {
        Self {
            address: &change.address,
            verb: Verb::Delete,
            provider: &change.provider,
            id,
            deposed,
            token: "",
            before: Some(prior),
            after: None,
            frame: ObjectState::default(),
        }
    }

    fn key(&self) -> Key {
        (self.address.clone(), self.verb, self.deposed.map(str::to_owned))
    }
}

impl<'a> Recorder<'a> {
    pub(super) fn new(save: &'a dyn Save, lease: &'a Lease, serial: u64) -> Self {
        Self {
            lease,
            kept: save.has_journal(),
            save,
            desk: Mutex::default(),
            durable: watch::Sender::new(0),
            taken: watch::Sender::new(0),
            wake: Notify::new(),
            serial: AtomicU64::new(serial),
            closed: AtomicBool::new(false),
            secrets: Mutex::default(),
        }
    }

    /// Texts that are in no page, wherever they turn up.
    pub(super) fn hide<'v>(&self, values: impl IntoIterator<Item = &'v Value>) {
        let mut found = vec![];
        values.into_iter().for_each(|value| collect(value, false, &mut found));
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every operation that began is known to be over.
    pub(super) fn is_settled(&self) -> bool {
        self.desk().open.is_empty()
    }

    /// The state is about to be written with this serial: what comes now is not in it.
    pub(super) fn snapshot(&self, serial: u64) {
        self.serial.store(serial, Ordering::SeqCst);
    }

    /// Makes an intent durable. Without a journal this only asks whether the run may still write.
    ///
    /// # Errors
    /// When the run may not write any more, or the intent could not be written: the operation must not begin.
    pub(super) async fn intend(&self, resource: &dyn AnyResource, plan: Plan<'_>) -> Result<Op, Diagnostic> {
        self.lease.check().map_err(|e| lost(&e, plan.address))?;
        if !self.kept {
            return Ok(Op(0));
        }
        let announced = self.desk().announced.remove(&plan.key());
        let (op, number) = match announced {
            // What was announced is durable by now, as a rule; what else there is to say of it need not be.
            Some(Announced { op, number, whole, .. }) => {
                self.desk().open.insert(op);
                if !whole {
                    let intent = self.intent(resource, &plan, op, BTreeMap::new());
                    self.desk().push(Entry::Intent(Box::new(intent)));
                }
                (op, number)
            }
            None => {
                let op = self.number();
                self.desk().open.insert(op);
                let intent = self.intent(resource, &plan, op, BTreeMap::new());
                (op, self.desk().push(Entry::Intent(Box::new(intent))))
            }
        };
        let mut durable = self.durable.subscribe();
        self.desk().wait_for(number);
        self.wake.notify_one();
        let _ = durable.wait_for(|durable| *durable >= number).await;
        if let Some(problem) = self.desk().failed.clone() {
            return Err(problem.address(plan.address));
        }
        // Writing took time, and what it said must still hold when the call is made.
        self.lease.check().map_err(|e| lost(&e, plan.address))?;
        Ok(Op(op))
    }

    /// Writes an intent down that has not come to its turn, so that it does not have to wait for that then. `unknown`: the
    /// arguments of a creation that are not known yet, with what they come from; `whole`: there are no others.
    pub(super) fn announce(
        &self,
        resource: &dyn AnyResource,
        plan: &Plan<'_>,
        unknown: BTreeMap<String, Origin>,
        whole: bool,
    ) {
        let op = self.number();
        let intent = self.intent(resource, plan, op, unknown);
        let mut desk = self.desk();
        let number = desk.push(Entry::Intent(Box::new(intent)));
        desk.announced.insert(plan.key(), Announced { op, number, token: plan.token.to_owned(), whole });
        drop(desk);
        self.wake.notify_one();
    }

    /// Waits until the page is on its way that somebody waits for: what is announced would only hold it up.
    pub(super) async fn on_its_way(&self) {
        let count = {
            let desk = self.desk();
            if desk.awaited { desk.count } else { 0 }
        };
        let _ = self.taken.subscribe().wait_for(|taken| *taken >= count).await;
    }

    /// The token that a creation was announced with.
    pub(super) fn token(&self, address: &InstanceAddress, deposed: Option<&str>) -> Option<String> {
        let key = (address.clone(), Verb::Create, deposed.map(str::to_owned));
        self.desk().announced.get(&key).map(|announced| announced.token.clone())
    }

    /// What was announced and has not begun will not.
    pub(super) fn withdraw(&self) {
        let mut desk = self.desk();
        for ((address, ..), Announced { op, .. }) in std::mem::take(&mut desk.announced) {
            let serial = self.serial.load(Ordering::SeqCst);
            let error = Some("not begun".to_owned());
            desk.push(Entry::Outcome(Outcome { op, serial, address, edits: vec![], error }));
        }
    }

    /// Whether anything is written down.
    pub(super) fn is_kept(&self) -> bool {
        self.kept
    }

    fn number(&self) -> u64 {
        let mut desk = self.desk();
        desk.ops += 1;
        desk.ops
    }

    fn intent(
        &self,
        resource: &dyn AnyResource,
        plan: &Plan<'_>,
        op: u64,
        unknown: BTreeMap<String, Origin>,
    ) -> Intent {
        let (object, inputs) = match plan.after {
            Some(after) => {
                let (object, _) = self.without_secrets(resource, after, plan.frame.clone());
                let digest = object.attributes.text().map(digest);
                ((plan.verb == Verb::Create).then_some(object), digest.unwrap_or_default())
            }
            None => (None, String::new()),
        };
        Intent {
            op,
            address: plan.address.clone(),
            verb: plan.verb,
            provider: plan.provider.to_owned(),
            id: plan.id.map(str::to_owned),
            deposed: plan.deposed.map(str::to_owned),
            token: plan.token.to_owned(),
            inputs,
            object,
            changes: changes(plan.before, plan.after, plan.verb),
            unknown,
        }
    }

    /// Keeps what became of an operation. Returns the number of the entry.
    pub(super) fn settle(
        &self,
        op: Op,
        address: &InstanceAddress,
        edits: Vec<Edit>,
        error: Option<&ProviderError>,
    ) -> u64 {
        if !self.kept {
            return u64::MAX;
        }
        let mut desk = self.desk();
        desk.open.remove(&op.0);
        let error = error.map(|e| format!("{:?}", e.kind));
        let serial = self.serial.load(Ordering::SeqCst);
        let number = desk.push(Entry::Outcome(Outcome { op: op.0, serial, address: address.clone(), edits, error }));
        drop(desk);
        self.wake.notify_one();
        number
    }

    /// Waits until more is durable than up to an entry, and returns the number of the last one that is. `None`: no more will be.
    pub(super) async fn more_than(&self, number: u64) -> Option<u64> {
        let mut durable = self.durable.subscribe();
        let more = *durable.wait_for(|durable| *durable > number).await.ok()?;
        (more < ENDED).then_some(more)
    }

    /// No entry follows.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// Writes entries until closed, some pages at once: an entry is durable once all pages up to its own are. Where one cannot be
    /// written, nothing new is started.
    pub(super) async fn run(&self, stopped: &AtomicBool) {
        let mut writing = FuturesOrdered::new();
        let mut closed = !self.kept;
        while !(closed && writing.is_empty()) {
            let may_begin = !closed && writing.len() < self.save.pages_at_once();
            tokio::select! {
                biased;
                Some(done) = writing.next() => match done {
                    Ok(number) if self.desk().failed.is_none() => self.durable.send_modify(|durable| *durable = number),
                    Ok(_) => {}
                    Err(problem) => {
                        self.desk().failed.get_or_insert(problem);
                        self.end();
                        stopped.store(true, Ordering::SeqCst);
                        closed = true;
                    }
                },
                page = self.next_page(), if may_begin => match page {
                    Some((entries, number)) => writing.push_back(self.save.record(entries).map_ok(move |()| number)),
                    None => closed = true,
                },
            }
        }
        self.end();
    }

    /// Nothing more will be written.
    fn end(&self) {
        self.durable.send_modify(|durable| *durable = ENDED);
        self.taken.send_modify(|taken| *taken = ENDED);
    }

    /// The entries of the next page, once there is something to write; `None` once it is closed.
    async fn next_page(&self) -> Option<(Vec<Entry>, u64)> {
        while !self.closed.load(Ordering::SeqCst) {
            let (awaited, since, idle) = {
                let desk = self.desk();
                (desk.awaited, desk.since, desk.waiting.is_empty())
            };
            if awaited {
                // At the beginning all that can begin has done so at once.
                if *self.taken.borrow() > 0 {
                    tokio::time::sleep(GATHERING).await;
                }
                return Some(self.take());
            }
            // Nobody waits for outcomes: they go with the next intent, or after a while.
            let until = since.map_or_else(|| Instant::now() + PATIENCE, |since| since + AHEAD);
            let woken = tokio::time::timeout_at(until, self.wake.notified()).await;
            if woken.is_err() && !idle {
                return Some(self.take());
            }
        }
        None
    }

    fn take(&self) -> (Vec<Entry>, u64) {
        let (entries, number) = self.desk().page();
        self.taken.send_modify(|taken| *taken = number);
        (entries, number)
    }

    /// Writes everything that waits.
    pub(super) async fn drain(&self) -> Result<(), Diagnostic> {
        while self.kept && !self.desk().waiting.is_empty() {
            let (entries, _) = self.take();
            self.save.record(entries).await?;
        }
        Ok(())
    }

    /// The edit that makes a value the current object.
    pub(super) fn set(&self, resource: &dyn AnyResource, provider: &str, value: &Value, frame: ObjectState) -> Edit {
        let (object, withheld) = self.without_secrets(resource, value, frame);
        Edit::Set { provider: provider.to_owned(), object, withheld }
    }

    /// The object without what is secret, unknown or long; and the attributes (of the first level) that held it.
    fn without_secrets(
        &self,
        resource: &dyn AnyResource,
        value: &Value,
        frame: ObjectState,
    ) -> (ObjectState, Vec<String>) {
        let block = &resource.schema().block;
        let marked = crate::diff::mark_sensitive(block, value.clone());
        self.hide([&marked]);
        let mut withheld: Vec<String> = marked.marked_paths(Marks::SENSITIVE).iter().filter_map(first).collect();
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, part) in value.as_mapping().into_iter().flatten() {
            // What an object is found by is kept unless it is said to be secret.
            let mut identity = resource.identity().iter().chain(resource.tied_to());
            let identifies = identity.any(|part| *part == &**name) || &**name == "id";
            if length(part) > LONGEST || !identifies && repeats(part, &secrets) {
                withheld.push(name.to_string());
            }
        }
        drop(secrets);
        withheld.sort();
        withheld.dedup();
        let mut value = super::operate::known(value.clone().unmarked_deep());
        withheld.retain(|name| value.get(name).is_some_and(|v| !v.is_null()));
        for name in &withheld {
            let null = Value::null(value.get(name).map_or(lakeform_core::Type::Dynamic, Value::ty));
            value.set_attr(name.as_str(), null);
        }
        let attributes = encode(&value, &block.ty()).unwrap_or_default();
        (ObjectState { attributes, schema_version: resource.schema().version, ..frame }, withheld)
    }
}

impl Desk {
    /// Takes what waits, as far as it fits into one page, with the number of the last of it.
    fn page(&mut self) -> (Vec<Entry>, u64) {
        let mut size = 0;
        let fits = self.waiting.iter().take_while(|(_, bytes)| {
            let first = size == 0;
            size += bytes;
            first || size <= PAGE
        });
        let n = fits.count();
        let entries: Vec<Entry> = self.waiting.drain(..n).map(|(entry, _)| entry).collect();
        self.intents -= entries.iter().filter(|entry| matches!(entry, Entry::Intent(_))).count();
        self.since = self.since.filter(|_| self.intents > 0);
        self.awaited &= !self.waiting.is_empty();
        (entries, self.count - self.waiting.len() as u64)
    }

    /// Somebody waits for an entry.
    fn wait_for(&mut self, number: u64) {
        self.awaited |= number > self.count - self.waiting.len() as u64;
    }

    fn push(&mut self, entry: Entry) -> u64 {
        let bytes = serde_json::to_string(&entry).map_or(0, |text| text.len());
        if matches!(entry, Entry::Intent(_)) {
            self.intents += 1;
            self.since.get_or_insert_with(Instant::now);
        }
        self.waiting.push((entry, bytes));
        self.count += 1;
        self.count
    }
}

fn lost(error: &LeaseLost, address: &InstanceAddress) -> Diagnostic {
    Diagnostic::error(error.to_string()).address(address)
}

fn first(path: &Path) -> Option<String> {
    match path.0.first() {
        Some(Step::Attr(name)) => Some(name.to_string()),
        _ => None,
    }
}

/// About how many bytes of text a value has.
fn length(value: &Value) -> usize {
    if let Some(text) = value.as_str() {
        return text.len();
    }
    let map = value.as_mapping().into_iter().flatten().map(|(_, v)| length(v)).sum::<usize>();
    map + value.as_slice().into_iter().flatten().map(length).sum::<usize>()
}

/// The attributes (of the first level) that an update changes.
fn changes(before: Option<&Value>, after: Option<&Value>, verb: Verb) -> Vec<String> {
    let (Some(before), Some(after), Verb::Update) = (before, after, verb) else { return vec![] };
    let attributes = after.as_mapping().into_iter().flatten();
    attributes.filter(|(name, v)| before.get(name) != Some(v)).map(|(name, _)| name.to_string()).collect()
}

/// SHA-256, in hex.
fn digest(text: impl AsRef<[u8]>) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
