//! One implementation of the contract for all invented types.

use std::{marker::PhantomData, time::Duration};

use lakeform_core::Value;
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, Poll, ResourceType, Result, Retry, Wait};

use super::{Effect, FakeClient, Op, cloud::Running};

/// What the cloud knows of an invented type.
pub trait FakeObject: Model {
    /// The type: `fake_bucket`
    const TYPE: &'static str;
    /// What the API calls it, in its operations: `Bucket`
    const WORD: &'static str;
    /// Whether no two objects may have one name.
    const UNIQUE: bool = true;
    /// What tells an object from all others, where its name alone does not.
    const IDENTITY: &'static [&'static str] = &[];
    /// How it is found whose creation is in doubt.
    const FOUND_BY: FoundBy = FoundBy::Name;
    /// The attribute of other objects that holds the `id` of this one, and so keeps it from being deleted.
    const NEEDED_BY: &'static str = "";
    /// Whether a created object may need a while to become ready.
    const WAITS: bool = false;

    /// The `id`, once there is one.
    fn id(&self) -> Option<&str>;

    /// The `name`, if it has one.
    fn name(&self) -> Option<&str>;

    /// Type and `id` of an object that must exist before this one is made.
    fn needs(&self) -> Option<(&'static str, &str)> {
        None
    }

    /// The `id` of the `number`th object of the type that is made.
    fn new_id(&self, number: u64) -> String {
        format!("{}-{number}", Self::TYPE.trim_start_matches("fake_"))
    }

    /// Fills in what the API decides, when the object is made or changed from `prior`. `region` is where it is made.
    fn settle(&mut self, prior: Option<&Self>, id: &str, region: &str);

    /// The object as the API keeps it: in its own spelling, without what it never gives back.
    fn as_api(&self) -> Self {
        self.clone()
    }

    /// Takes over what the API never gives back.
    fn keep(&mut self, _prior: &Self) {}

    /// Adjusts a planned change.
    ///
    /// # Errors
    /// When the configuration can never be applied.
    fn plan(_change: &mut Change<'_>) -> Result<()> {
        Ok(())
    }

    /// The object that reading completes.
    fn named(id: &str) -> Self;

    /// What calls are written down under.
    fn label(&self) -> String {
        self.name().or(self.id()).unwrap_or_default().to_owned()
    }
}

/// The resource type of an invented object.
pub struct FakeType<M>(PhantomData<fn() -> M>);

/// What faults make of an answer.
fn answer<M: FakeObject>(running: &mut Running, object: &mut M) -> Result<()> {
    for effect in running.effects() {
        match effect {
            Effect::FailAfter(kind, retry) => return Err(running.fail(kind, retry)),
            Effect::LostResponse => return Err(running.fail(ErrorKind::Unreachable, Retry::Unknown)),
            Effect::Answer { attribute, value } => {
                let mut changed: Value = object.clone().into_value();
                changed.set_attr(attribute, value);
                *object = M::from_value(&changed);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Waits until an object is ready, if its type knows of such a thing.
async fn ready<M: FakeObject>(cx: &Context<'_, FakeClient>, object: &M, id: &str) -> Result<()> {
    if !M::WAITS {
        return Ok(());
    }
    let wait = Wait { first: Duration::from_millis(1), ..Wait::new("object to become ready", Duration::from_secs(60)) };
    cx.wait(wait, || async {
        let running = cx.client.cloud.begin(Op::Poll, M::TYPE, &object.label()).await?;
        running.end(Ok(if cx.client.cloud.look(id) { Poll::Ready(()) } else { Poll::Pending }))
    })
    .await
}

impl<M: FakeObject> ResourceType for FakeType<M> {
    type Client = FakeClient;
    type Model = M;

    const NAME: &'static str = M::TYPE;
    const IDENTITY: &'static [&'static str] = M::IDENTITY;
    const FOUND_BY: FoundBy = M::FOUND_BY;

    fn plan(_: &FakeClient, change: &mut Change<'_>) -> Result<()> {
        M::plan(change)
    }

    async fn read(cx: &Context<'_, FakeClient>, prior: M) -> Result<Option<M>> {
        let mut running = cx.client.cloud.begin(Op::Read, M::TYPE, &prior.label()).await?;
        let absent = running.effects().iter().any(|e| matches!(e, Effect::Absent));
        let found = cx.client.cloud.object(M::TYPE, prior.id().unwrap_or_default()).filter(|_| !absent);
        running.end(Ok(found.map(|value| {
            let mut object = M::from_value(&value);
            object.keep(&prior);
            object
        })))
    }

    async fn create(cx: &Context<'_, FakeClient>, object: &mut M) -> Result<()> {
        let region = cx.client.region()?;
        let mut running = cx.client.cloud.begin(Op::Create, M::TYPE, &object.label()).await?;
        let mut made = object.clone();
        let effects = running.effects();
        let id = match cx.client.cloud.insert(&mut made, region, cx.token) {
            Ok(id) => id,
            Err(e) => return running.end(Err(e)),
        };
        cx.client.cloud.write::<M>(&object.label(), cx.config);
        let lost = effects.iter().any(|e| matches!(e, Effect::LostResponse));
        if let Some(looks) = effects.iter().find_map(|e| if let Effect::Pending(n) = e { Some(*n) } else { None }) {
            cx.client.cloud.set_pending(&id, looks);
        }
        if lost {
            return Err(running.fail(ErrorKind::Unreachable, Retry::Unknown));
        }
        *object = made;
        running.restore(effects);
        let answered = answer(&mut running, object);
        running.end(answered)?;
        ready(cx, object, &id).await
    }

    async fn find(cx: &Context<'_, FakeClient>, planned: M) -> Result<Option<M>> {
        let mut running = cx.client.cloud.begin(Op::Find, M::TYPE, &planned.label()).await?;
        let absent = running.effects().iter().any(|e| matches!(e, Effect::Absent));
        let found = match M::FOUND_BY {
            FoundBy::Token => cx.client.cloud.made_by(M::TYPE, cx.token),
            FoundBy::Hand(_) => None,
            _ => planned.name().and_then(|name| cx.client.cloud.object(M::TYPE, name)),
        };
        let found = found.filter(|_| !absent).map(|value| M::from_value(&value));
        let found = found.filter(|found| found.needs() == planned.needs()).map(|mut object| {
            object.keep(&planned);
            object
        });
        let found = running.end(Ok(found))?;
        if let Some(object) = &found {
            ready(cx, object, object.id().unwrap_or_default()).await?;
        }
        Ok(found)
    }

    async fn update(cx: &Context<'_, FakeClient>, prior: &M, object: &mut M) -> Result<()> {
        let region = cx.client.region()?;
        let mut running = cx.client.cloud.begin(Op::Update, M::TYPE, &prior.label()).await?;
        object.settle(Some(prior), prior.id().unwrap_or_default(), region);
        if let Err(e) = cx.client.cloud.replace(object) {
            return running.end(Err(e));
        }
        cx.client.cloud.write::<M>(&object.label(), cx.config);
        let answered = answer(&mut running, object);
        running.end(answered)
    }

    async fn delete(cx: &Context<'_, FakeClient>, object: &M) -> Result<()> {
        let mut running = cx.client.cloud.begin(Op::Delete, M::TYPE, &object.label()).await?;
        if let Err(e) = cx.client.cloud.remove::<M>(object.id().unwrap_or_default()) {
            return running.end(Err(e));
        }
        let answered = answer(&mut running, &mut object.clone());
        running.end(answered)
    }

    fn import(_: &Context<'_, FakeClient>, id: &str) -> Result<M> {
        if id.is_empty() || id.contains(char::is_whitespace) {
            return Err(lakeform_provider::ProviderError::invalid(format!("`{id}` is no identifier of a {}", M::TYPE)));
        }
        Ok(M::named(id))
    }
}
