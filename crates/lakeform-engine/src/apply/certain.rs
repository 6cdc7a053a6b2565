//! Calls whose outcome nobody knows (a timeout, a broken connection, a 5xx) are resolved by looking, never by blind repetition.

use lakeform_core::Value;
use lakeform_provider::{AnyResource, ErrorKind, Failure, FoundBy, ProviderError, Result, Retry, Surroundings};

use crate::{
    Action,
    diff::mark_sensitive,
    instance::{Wishes, decide},
    look::look,
};

/// How often a call is made again that turned out not to have happened.
const REPEATS: usize = 3;

/// Creates an object. If the outcome is unknown, the object is looked for: taken if it is there, made again if it is not.
/// `is_other` says of an object that it is another one, which the state knows.
///
/// # Errors
/// Those of the creation. [`Retry::Unknown`]: nobody could find out whether there is an object.
pub(super) async fn create(
    resource: &dyn AnyResource,
    with: Surroundings<'_>,
    planned: &Value,
    is_other: impl Fn(&Value) -> bool,
) -> Result<Value, Failure> {
    let mut left = REPEATS;
    loop {
        let failure = match resource.create(with, planned).await {
            Err(failure) if failure.error.retry == Retry::Unknown && failure.partial.is_none() => failure,
            done => return done,
        };
        match resource.found_by() {
            FoundBy::Hand(what) => return Err(by_hand(failure, what)),
            FoundBy::Local => return Err(failure),
            _ => {}
        }
        match look(with, || resource.find(with, planned)).await.map(|found| found.filter(|found| !is_other(found))) {
            Ok(Some(found)) => return complete(resource, with, found).await,
            Ok(None) if left > 0 && !(with.cancelled)() => left -= 1,
            Ok(None) => {
                let error = ProviderError { retry: Retry::Never, ..failure.error };
                return Err(Failure { error: error.hint("nothing was created: run it again"), partial: None });
            }
            Err(_) => return Err(failure),
        }
    }
}

/// Deletes an object. If the outcome is unknown, it is looked at: deleted again only if it is still there.
///
/// # Errors
/// Those of the deletion.
pub(super) async fn delete(resource: &dyn AnyResource, with: Surroundings<'_>, prior: &Value) -> Result<()> {
    let mut left = REPEATS;
    loop {
        let error = match resource.delete(with, prior).await {
            Err(error) if error.retry == Retry::Unknown => error,
            done => return done,
        };
        match resource.read(with, prior).await {
            Ok(None) => return Ok(()),
            Ok(Some(_)) if left > 0 && !(with.cancelled)() => left -= 1,
            _ => return Err(error),
        }
    }
}

/// Does what a creation that was cut off had not come to.
async fn complete(resource: &dyn AnyResource, with: Surroundings<'_>, found: Value) -> Result<Value, Failure> {
    let found = mark_sensitive(&resource.schema().block, found);
    let failed = |error, found: Value| Failure { error, partial: Some(found.unmarked_deep()) };
    let Some(config) = with.config else { return Ok(found) };
    let wishes = Wishes { ignore: Some(vec![]), ..Wishes::default() };
    let decision = match decide(resource, with.client, config, Some(&found), &wishes) {
        Ok(decision) => decision,
        Err(error) => return Err(failed(error, found)),
    };
    let found = found.unmarked_deep();
    match decision.action {
        Action::NoOp => Ok(found),
        Action::Update => {
            let planned = decision.planned.unmarked_deep();
            resource.update(with, &found, &planned).await.map_err(|failure| failed(failure.error, found))
        }
        _ => {
            let message = "the answer to its creation was lost, and what was found is not what was to be created";
            Err(failed(ProviderError::new(ErrorKind::AlreadyExists, message), found))
        }
    }
}

fn by_hand(failure: Failure, what: &str) -> Failure {
    let hint = format!(
        "nobody can tell whether it was created: look for {what}. If there is one, import it or delete it; then settle it with \
         `lakeform journal --drop ADDRESS`"
    );
    Failure { error: failure.error.hint(hint), ..failure }
}
