//! What a run that was cut off left behind, read into the state.

use std::collections::BTreeMap;

use lakeform_core::InstanceAddress;

use crate::{LockInfo, ObjectState, State};

use super::{Edit, Entry, Intent, Page, RunInfo, Verb};

/// Something that the journal leaves open about an instance.
#[derive(Clone, Debug, PartialEq)]
pub enum Open {
    /// A creation: the state holds the object that was to be made, and nobody knows whether it was.
    Created(Box<Intent>),
    /// A change: the state holds the object as it was before.
    Updated(Box<Intent>),
    /// A deletion: the state holds the object as it was before.
    Deleted(Box<Intent>),
    /// The object is known, but for what is secret in it (attributes of the first level).
    Withheld(Vec<String>),
    /// It was made, and another program wrote the state since without it: the state holds it again, to be looked up unless the
    /// state holds it under another address too.
    Lost,
}

/// The state with what the journal adds to it.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// The state. Its serial is that of the stored one.
    pub state: State,
    /// What is left open, by instance.
    pub open: BTreeMap<InstanceAddress, Open>,
    /// What was done and is not in the stored state, as people say it: "aws_sqs_queue.a was created".
    pub done: Vec<String>,
    /// What they had created, or were about to.
    pub created: Vec<InstanceAddress>,
    /// The runs that were cut off.
    pub runs: Vec<RunInfo>,
    /// When the last page was written: seconds since 1970, 0 if nobody knows.
    pub last: i64,
    /// The last page of each run, for [`super::Journal::clear`].
    pub pages: BTreeMap<String, u64>,
    /// The run that writes the journal now: it was not cut off. See [`Recovery::beside`].
    pub at_work: Option<LockInfo>,
}

impl Recovery {
    /// The lineage of the state that a journal is about.
    pub fn lineage(pages: &[Page]) -> Option<&str> {
        pages.iter().rev().flat_map(|page| &page.entries).find_map(|entry| match entry {
            Entry::Run(info) => Some(info.lineage.as_str()),
            _ => None,
        })
    }

    /// Whether there was nothing to recover.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }

    /// Tells this journal from others: the last page of each run.
    pub fn mark(&self) -> String {
        self.pages.iter().map(|(run, seq)| format!("{run}#{seq}")).collect::<Vec<_>>().join(" ")
    }

    /// Reads the pages of a journal into the stored state.
    pub fn read(state: State, pages: Vec<Page>) -> Self {
        let serial = unfenced(state.serial, &pages);
        let (open, pages_of) = (BTreeMap::new(), BTreeMap::new());
        let mut out =
            Self { state, open, done: vec![], created: vec![], runs: vec![], last: 0, pages: pages_of, at_work: None };
        let mut begun: BTreeMap<(String, u64), Box<Intent>> = BTreeMap::new();
        // Made and compacted, as far as the serial says: by run and operation.
        let mut compacted: BTreeMap<InstanceAddress, (String, ObjectState)> = BTreeMap::new();
        for Page { run, seq, at, entries } in pages {
            out.last = out.last.max(at);
            for entry in entries {
                match entry {
                    Entry::Run(info) => out.runs.push(info),
                    Entry::Fenced { .. } => {}
                    Entry::Intent(intent) => {
                        if intent.verb == Verb::Create {
                            out.created.push(intent.address.clone());
                        }
                        begun.insert((run.clone(), intent.op), intent);
                    }
                    Entry::Outcome(outcome) => {
                        let intent = begun.remove(&(run.clone(), outcome.op));
                        for edit in outcome.edits {
                            match edit {
                                edit if outcome.serial >= serial => out.edit(&outcome.address, edit),
                                Edit::Set { provider, object, .. } => {
                                    compacted.insert(outcome.address.clone(), (provider, object));
                                }
                                Edit::Remove { key: None } | Edit::Depose { .. } => {
                                    compacted.remove(&outcome.address);
                                }
                                Edit::Remove { .. } | Edit::Promote { .. } => {}
                            }
                        }
                        if let (Some(intent), true, None) = (intent, outcome.serial >= serial, outcome.error) {
                            out.done.push(format!("{} was {}", intent.address, past(intent.verb)));
                        }
                    }
                }
            }
            let last = out.pages.entry(run).or_default();
            *last = seq.max(*last);
        }
        // What was announced came a second time when it began.
        out.created.sort();
        out.created.dedup();
        for intent in begun.into_values() {
            out.leave_open(intent);
        }
        for (address, (provider, object)) in compacted {
            out.look_for(address, &provider, object);
        }
        out
    }

    /// The same where its run is at work still: what that run has in flight is not left open, and its end is not known.
    pub fn beside(mut self, holder: LockInfo) -> Self {
        for (address, open) in std::mem::take(&mut self.open) {
            match open {
                Open::Created(intent) => {
                    self.state.remove_current(&address);
                    if let Some(key) = &intent.deposed {
                        self.state.restore_deposed(&address, key);
                    }
                }
                Open::Lost => drop(self.state.remove_current(&address)),
                Open::Updated(_) | Open::Deleted(_) | Open::Withheld(_) => {}
            }
        }
        Self { at_work: Some(holder), ..self }
    }

    fn edit(&mut self, address: &InstanceAddress, edit: Edit) {
        match edit {
            Edit::Depose { key } => self.depose(address, key),
            Edit::Promote { key } => {
                self.state.restore_deposed(address, &key);
            }
            Edit::Set { provider, mut object, withheld } => {
                let held = self.state.current(address);
                if let Some(held) = held {
                    object.private.clone_from(&held.private);
                    object.extra.clone_from(&held.extra);
                }
                self.state.set_current(address, &provider, object);
                if withheld.is_empty() {
                    self.open.remove(address);
                } else {
                    self.open.insert(address.clone(), Open::Withheld(withheld));
                }
            }
            Edit::Remove { key: None } => {
                self.state.remove_current(address);
                self.open.remove(address);
            }
            Edit::Remove { key: Some(key) } => {
                self.state.remove_deposed(address, &key);
            }
        }
    }

    /// Sets the current object aside under the key that the run chose.
    fn depose(&mut self, address: &InstanceAddress, key: String) {
        let instance = self.state.resources.get_mut(&address.resource).and_then(|r| r.instances.get_mut(&address.key));
        if let Some(instance) = instance
            && !instance.deposed.contains_key(&key)
            && let Some(object) = instance.current.take()
        {
            instance.deposed.insert(key, object);
        }
    }

    fn leave_open(&mut self, intent: Box<Intent>) {
        let address = intent.address.clone();
        match intent.verb {
            Verb::Create => {
                let held = self.state.current(&address);
                // What the replacement set aside is in its place still, as far as the state knows.
                if let Some(key) = &intent.deposed
                    && held.is_some_and(|object| id_of(object).is_some_and(|id| Some(id) == intent.id))
                {
                    self.depose(&address, key.clone());
                } else if held.is_some() {
                    // The state was written with the object before the outcome was.
                    return;
                }
                if let Some(object) = intent.object.clone() {
                    self.state.set_current(&address, &intent.provider, object);
                    self.open.insert(address, Open::Created(intent));
                }
            }
            Verb::Update => {
                if self.state.current(&address).is_some() {
                    self.open.insert(address, Open::Updated(intent));
                }
            }
            Verb::Delete => {
                let held = self.state.get(&address).is_some_and(|instance| match &intent.deposed {
                    None => instance.current.is_some(),
                    Some(key) => instance.deposed.contains_key(key),
                });
                if held {
                    self.open.entry(address).or_insert(Open::Deleted(intent));
                }
            }
        }
    }

    /// An object that a later state should have: unless another program wrote that state, it has it or knows its end. Whether
    /// it has it under another address is for whoever knows what identifies objects of the type.
    fn look_for(&mut self, address: InstanceAddress, provider: &str, object: ObjectState) {
        let id = id_of(&object);
        let aside = |state: &State| {
            state.get(&address).is_some_and(|instance| instance.deposed.values().any(|o| id_of(o) == id))
        };
        if id.is_some() && self.state.current(&address).is_none() && !aside(&self.state) {
            self.state.set_current(&address, provider, object);
            self.open.insert(address, Open::Lost);
        }
    }
}

/// The serial of the state that was last written with something new in it.
fn unfenced(serial: u64, pages: &[Page]) -> u64 {
    let mut serial = serial;
    for entry in pages.iter().rev().flat_map(|page| page.entries.iter().rev()) {
        if let Entry::Fenced { from, to } = entry
            && *to == serial
        {
            serial = *from;
        }
    }
    serial
}

fn past(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "created",
        Verb::Update => "changed",
        Verb::Delete => "deleted",
    }
}

fn id_of(object: &ObjectState) -> Option<String> {
    Some(object.attributes.json().ok()?.get("id")?.as_str()?.to_owned())
}
