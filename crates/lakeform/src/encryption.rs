//! `encryption` of a backend: with which key states and plans are encrypted before they are stored.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Diagnostic, Diagnostics, Type, Value, convert};
use lakeform_state::{Cipher, KeySource, MIN_PASSPHRASE, Passphrase};
use lakeform_state_s3::{Connection, KmsKey, KmsSettings, S3Backend};

use crate::{Error, variables};

/// The argument of every backend.
const ARGUMENT: &str = "encryption";

/// The environment variables that `"passphrase"` stands for: for the key, and for the one before it.
const VARIABLE: &str = "LAKEFORM_STATE_PASSPHRASE";
const FALLBACK_VARIABLE: &str = "LAKEFORM_STATE_PASSPHRASE_FALLBACK";

/// Whether an environment variable holds what opens a state.
pub(crate) fn is_secret(variable: &str) -> bool {
    [VARIABLE, FALLBACK_VARIABLE].contains(&variable)
}

/// The fields that name a key, and those of the outermost table alone.
const KEY: [&str; 5] = ["kms_key_id", "passphrase", "region", "profile", "endpoint"];
const OUTER: [&str; 3] = ["fallback", "migrate", "plain"];

/// What `encryption` says.
pub(crate) struct Encryption {
    key: Option<Key>,
    fallback: Option<Key>,
    migrate: bool,
}

enum Key {
    Passphrase(Passphrase),
    Kms { settings: KmsSettings, profile: Option<String> },
}

/// Takes `encryption` out of the settings of a backend.
///
/// # Errors
/// All that is wrong with it.
pub(crate) fn take(
    settings: &Value,
    environment: &BTreeMap<String, String>,
) -> Result<(Value, Option<Encryption>), Diagnostics> {
    let Some(given) = settings.get(ARGUMENT).filter(|v| !v.is_null()) else { return Ok((settings.clone(), None)) };
    let others = settings.as_mapping().into_iter().flatten().filter(|(name, _)| &***name != ARGUMENT);
    let rest = Value::object(others.map(|(name, value)| (name.clone(), value.clone())));
    let mut reader = Reader { environment, problems: Diagnostics::new() };
    let encryption = reader.whole(given);
    if reader.problems.has_errors() { Err(reader.problems) } else { Ok((rest, Some(encryption))) }
}

impl Encryption {
    /// The cipher, with the clients that it takes. `connection` is that of the backend, if it has one.
    ///
    /// # Errors
    /// When a client cannot be made.
    pub(crate) async fn cipher(self, connection: Option<&Connection>) -> Result<Cipher, Error> {
        let mut cipher = match self.key {
            Some(key) => Cipher::new(key.source(connection).await?),
            None => Cipher::plain(),
        };
        if let Some(key) = self.fallback {
            cipher = cipher.fallback(key.source(connection).await?);
        }
        Ok(if self.migrate { cipher.migrate() } else { cipher })
    }
}

impl Key {
    async fn source(self, connection: Option<&Connection>) -> Result<Arc<dyn KeySource>, Error> {
        Ok(match (self, connection) {
            (Self::Passphrase(passphrase), _) => Arc::new(passphrase),
            (Self::Kms { settings, profile: None }, Some(connection)) => Arc::new(KmsKey::of(connection, settings)?),
            (Self::Kms { settings, profile }, connection) => {
                let backend = connection.map(|c| c.backend().clone()).unwrap_or_default();
                let region = settings.region.clone().or(backend.region.clone());
                let access = S3Backend { profile, region, ..backend };
                Arc::new(KmsKey::open(&access, settings).await?)
            }
        })
    }
}

struct Reader<'a> {
    environment: &'a BTreeMap<String, String>,
    problems: Diagnostics,
}

impl Reader<'_> {
    fn whole(&mut self, given: &Value) -> Encryption {
        let fields: Vec<&str> = KEY.into_iter().chain(OUTER).collect();
        self.known(ARGUMENT, given, &fields);
        let fallback = given.get("fallback").filter(|v| !v.is_null());
        let (migrate, plain) = (self.flag(given, "migrate"), self.flag(given, "plain"));
        let has_key = given.as_str().is_some() || KEY.iter().any(|name| given.get(name).is_some_and(|v| !v.is_null()));
        if plain && has_key {
            self.problem(
                "`encryption` has `plain = true` and a key",
                "to stop encrypting, move the key into `fallback`: `{ plain = true, fallback = { ... } }`",
            );
        }
        let key = (!plain).then(|| self.key(ARGUMENT, given, VARIABLE)).flatten();
        let fallback = fallback.and_then(|value| {
            self.known("encryption.fallback", value, &KEY);
            self.key("encryption.fallback", value, FALLBACK_VARIABLE)
        });
        Encryption { key, fallback, migrate }
    }

    fn key(&mut self, at: &str, given: &Value, variable: &str) -> Option<Key> {
        if let Some(word) = given.as_str() {
            if word != "passphrase" {
                self.problem(
                    &format!("`{at}` is a table or \"passphrase\""),
                    &format!("\"passphrase\" stands for the passphrase in {variable}"),
                );
                return None;
            }
            let Some(text) = self.environment.get(variable).filter(|text| !text.is_empty()) else {
                self.problem(
                    &format!("`{at}` is \"passphrase\", and {variable} is not set"),
                    "set the environment variable to the passphrase",
                );
                return None;
            };
            return self.passphrase(variable, text);
        }
        given.as_mapping()?;
        let mut text = |name: &str| self.text(at, given, name);
        let (kms, passphrase) = (text("kms_key_id"), text("passphrase"));
        let (region, profile, endpoint) = (text("region"), text("profile"), text("endpoint"));
        match (kms, passphrase) {
            (Some(key_id), None) => Some(Key::Kms { settings: KmsSettings { key_id, region, endpoint }, profile }),
            (None, Some(text)) => self.passphrase(&format!("{at}.passphrase"), &text),
            _ if self.problems.has_errors() => None,
            (both, _) => {
                let summary = match both {
                    Some(_) => format!("`{at}` has both `kms_key_id` and `passphrase`"),
                    None => format!("`{at}` has neither `kms_key_id` nor `passphrase`"),
                };
                self.problem(&summary, "give one of them; `plain = true` is for switching encryption off");
                None
            }
        }
    }

    fn passphrase(&mut self, at: &str, text: &str) -> Option<Key> {
        let passphrase = Passphrase::new(text).map(Key::Passphrase);
        if passphrase.is_none() {
            let told = format!("the passphrase in `{at}` is too short");
            self.problem(
                &told,
                &format!("use {MIN_PASSPHRASE} characters or more, such as `openssl rand -base64 32` prints"),
            );
        }
        passphrase
    }

    fn text(&mut self, at: &str, given: &Value, name: &str) -> Option<String> {
        let value = given.get(name).filter(|v| !v.is_null())?;
        let found = convert(value, &Type::String).ok().and_then(|v| v.as_str().map(str::to_owned));
        if found.is_none() {
            let what = if value.is_wholly_known() { "must be a string" } else { "is not known before the plan" };
            self.problems.push(Diagnostic::error(format!("`{at}.{name}` {what}")));
        }
        found.filter(|text| !text.is_empty())
    }

    fn flag(&mut self, given: &Value, name: &str) -> bool {
        let Some(value) = given.get(name).filter(|v| !v.is_null()) else { return false };
        value.as_bool().unwrap_or_else(|| {
            self.problems.push(Diagnostic::error(format!("`encryption.{name}` must be true or false")));
            false
        })
    }

    fn known(&mut self, at: &str, given: &Value, fields: &[&str]) {
        if given.as_mapping().is_none() && given.as_str().is_none() {
            self.problem(
                &format!("`{at}` is a table or \"passphrase\""),
                "such as `{ kms_key_id = \"alias/state\" }` or `{ passphrase = \"${var.state_passphrase}\" }`",
            );
        }
        for (name, _) in given.as_mapping().into_iter().flatten() {
            if !fields.contains(&&**name) {
                let near = variables::nearest(name, fields.iter().copied());
                let help = near.map_or_else(
                    || format!("there are: {}", fields.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                self.problem(&format!("Unknown field `{name}` of `{at}`"), &help);
            }
        }
    }

    fn problem(&mut self, summary: &str, help: &str) {
        self.problems.push(Diagnostic::error(summary).help(help));
    }
}
