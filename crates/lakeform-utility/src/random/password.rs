//! `random_password`

use lakeform_core::{Type, Value};
use lakeform_provider::{Change, Context, ErrorKind, Field as _, FoundBy, ProviderError, ResourceType, Result};

use super::text::{self, make_up};
use crate::provider::Local;

text::model! {
    /// A text that is made up once and not shown.
    Password {
        /// The text hashed with bcrypt.
        #[attr(computed, sensitive)]
        bcrypt_hash: Option<String>,
        /// `none`
        #[attr(computed)]
        id: Option<String>,
        /// The text.
        #[attr(computed, sensitive)]
        result: Option<String>,
    }
}

/// `random_password`
pub(crate) struct RandomPassword;

/// Every object has this identifier: nothing of the password is to show.
const ID: &str = "none";
/// bcrypt looks at no more of a text.
const LONGEST: usize = 72;

/// Hashes a text as Go's bcrypt does.
fn hash(text: &str) -> Result<String> {
    let seen = &text.as_bytes()[..text.len().min(LONGEST)];
    let failed = |e: bcrypt::BcryptError| ProviderError::new(ErrorKind::Other, format!("the hash cannot be made: {e}"));
    let parts = bcrypt::hash_with_result(seen, 10).map_err(failed)?;
    Ok(parts.format_for_version(bcrypt::Version::TwoA))
}

impl ResourceType for RandomPassword {
    type Client = Local;
    type Model = Password;
    const NAME: &'static str = "random_password";
    const VERSION: u64 = 3;
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        text::plan(change)?;
        if change.is_create() {
            change.set("result", Value::unknown(Type::String).not_null());
        }
        Ok(())
    }

    fn upgrade(from: u64, stored: Value) -> Option<Value> {
        let mut object = Password::from_value(&stored).completed();
        let text = object.result.clone().unwrap_or_default();
        if object.length == 0 {
            object.length = text.chars().count() as i64;
        }
        // Version 2 hashed something else than the result, now and then.
        let stands = object.bcrypt_hash.as_deref().is_some_and(|hash| {
            from == 1 || bcrypt::verify(&text.as_bytes()[..text.len().min(LONGEST)], hash).unwrap_or(false)
        });
        if !stands {
            object.bcrypt_hash = Some(hash(&text).ok()?);
        }
        Some(object.into_value())
    }

    async fn read(_: &Context<'_, Local>, prior: Password) -> Result<Option<Password>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut Password) -> Result<()> {
        let text = make_up(object.length, &object.classes())?;
        let hashed = text.clone();
        let hash = tokio::task::spawn_blocking(move || hash(&hashed)).await;
        object.bcrypt_hash = Some(hash.map_err(|e| ProviderError::new(ErrorKind::Other, e.to_string()))??);
        object.result = Some(text);
        object.id = Some(ID.to_owned());
        Ok(())
    }

    async fn update(_: &Context<'_, Local>, _: &Password, _: &mut Password) -> Result<()> {
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &Password) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, text: &str) -> Result<Password> {
        let bcrypt_hash = Some(hash(text)?);
        Ok(Password { bcrypt_hash, id: Some(ID.into()), result: Some(text.into()), ..Password::imported(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_gos() {
        // From Go: bcrypt.GenerateFromPassword([]byte("s3cret"), 10).
        let made = hash("s3cret").unwrap();
        assert!(made.starts_with("$2a$10$") && made.len() == 60, "{made}");
        assert!(bcrypt::verify("s3cret", &made).unwrap());
        let long = "x".repeat(100);
        assert!(bcrypt::verify(&long[..72], &hash(&long).unwrap()).unwrap());
    }

    #[test]
    fn older_objects_become_this_version() {
        let old = lakeform_core::json::from_plain_json(&serde_json::json!({
            "id": "none", "length": null, "number": false, "result": "abc", "special": null, "keepers": null
        }));
        for from in 0..3 {
            let object = Password::from_value(&RandomPassword::upgrade(from, old.clone()).unwrap());
            assert_eq!((object.length, object.number, object.numeric), (3, Some(false), Some(false)));
            assert_eq!((object.special, object.min_upper), (Some(true), Some(0)));
            assert!(bcrypt::verify("abc", object.bcrypt_hash.as_deref().unwrap()).unwrap());
        }
    }
}
