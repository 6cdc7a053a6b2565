//! The invented types.

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::{Path, Value};
use lakeform_provider::{Change, FoundBy, Model, ProviderError, Result};
use serde_json::Value as Json;

use super::FakeObject;

/// `fake_thing`: the smallest type there is. Any number of things may have one name.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Thing {
    /// What it is called; can be changed.
    #[attr(optional)]
    pub name: Option<String>,
    /// How large it is; a change replaces it.
    #[attr(optional, force_new)]
    pub size: Option<i64>,
    /// `thing-1`, `thing-2`, ... in the order in which things are made.
    #[attr(computed)]
    pub id: Option<String>,
}

impl FakeObject for Thing {
    const TYPE: &'static str = "fake_thing";
    const WORD: &'static str = "Thing";
    const UNIQUE: bool = false;
    const FOUND_BY: FoundBy = FoundBy::Hand("a thing of that name which nothing else uses, made at that time");

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn settle(&mut self, _: Option<&Self>, id: &str, _: &str) {
        self.id = Some(id.into());
    }

    fn named(id: &str) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}

/// `fake_ticket`: nothing tells two tickets apart but the token of their creation, which the API takes and knows.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Ticket {
    /// What it is about; can be changed.
    #[attr(optional)]
    pub subject: Option<String>,
    /// `ticket-1`, `ticket-2`, ... in the order in which tickets are made.
    #[attr(computed)]
    pub id: Option<String>,
}

impl FakeObject for Ticket {
    const TYPE: &'static str = "fake_ticket";
    const WORD: &'static str = "Ticket";
    const UNIQUE: bool = false;
    const FOUND_BY: FoundBy = FoundBy::Token;

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        None
    }

    fn settle(&mut self, _: Option<&Self>, id: &str, _: &str) {
        self.id = Some(id.into());
    }

    fn named(id: &str) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}

/// `fake_bucket`: its name is its identifier, and no two buckets share one.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Bucket {
    /// What it is called; a change replaces it.
    #[attr(required, force_new)]
    pub name: String,
    /// Its own tags.
    #[attr(optional)]
    pub tags: Option<BTreeMap<String, String>>,
    /// Its own tags over the provider's `default_tags`.
    #[attr(optional, computed)]
    pub tags_all: Option<BTreeMap<String, String>>,
    /// Whether old versions are kept.
    #[attr(optional, default = false)]
    pub versioning: Option<bool>,
    /// Its name.
    #[attr(computed)]
    pub id: Option<String>,
    /// `arn:fake:REGION:bucket/NAME`
    #[attr(computed)]
    pub arn: Option<String>,
    /// The provider's region.
    #[attr(computed)]
    pub region: Option<String>,
}

impl FakeObject for Bucket {
    const TYPE: &'static str = "fake_bucket";
    const WORD: &'static str = "Bucket";

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn new_id(&self, _: u64) -> String {
        self.name.clone()
    }

    fn settle(&mut self, prior: Option<&Self>, id: &str, region: &str) {
        let region = prior.and_then(|p| p.region.as_deref()).unwrap_or(region);
        self.id = Some(id.into());
        self.arn = Some(format!("arn:fake:{region}:bucket/{id}"));
        self.region = Some(region.into());
        if self.tags_all.is_none() {
            self.tags_all = Some(self.tags.clone().unwrap_or_default());
        }
    }

    fn named(id: &str) -> Self {
        Self { name: id.into(), id: Some(id.into()), ..Self::default() }
    }
}

/// Whether two strings differ at most in upper and lower case.
pub fn same_ignoring_case(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

/// `fake_database`: secrets, an attribute that the API spells its own way, and a plan hook. Becomes ready only after a
/// while if a test says so.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Database {
    /// What it is called; can be changed.
    #[attr(required)]
    pub name: String,
    /// Where it is. The API answers in upper case; a change of spelling is no change.
    #[attr(optional, same = same_ignoring_case)]
    pub location: Option<String>,
    /// How large it is. It can grow; smaller means a new one.
    #[attr(optional, default = 10)]
    pub size: Option<i64>,
    /// `NAME.LOCATION.fake`; changes with the location.
    #[attr(computed)]
    pub endpoint: Option<String>,
    /// Never shown, and never given back by the API.
    #[attr(optional, sensitive)]
    pub password: Option<String>,
    /// Another password, which is not even stored.
    #[attr(optional, sensitive, write_only)]
    pub token_wo: Option<String>,
    /// Raised when `token_wo` changes.
    #[attr(optional)]
    pub token_wo_version: Option<i64>,
    /// A secret that the API makes up.
    #[attr(computed, sensitive)]
    pub secret: Option<String>,
    /// `database-1`, ...
    #[attr(computed)]
    pub id: Option<String>,
}

impl FakeObject for Database {
    const TYPE: &'static str = "fake_database";
    const WORD: &'static str = "Database";
    const NEEDED_BY: &'static str = "database";
    const WAITS: bool = true;

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn settle(&mut self, _: Option<&Self>, id: &str, region: &str) {
        self.id = Some(id.into());
        let location = self.location.as_deref().unwrap_or(region).to_lowercase();
        self.endpoint = Some(format!("{}.{location}.fake", self.name));
        self.secret = Some(format!("secret-of-{id}"));
        self.token_wo = None;
    }

    fn as_api(&self) -> Self {
        let location = self.location.as_ref().map(|l| l.to_uppercase());
        Self { location, password: None, token_wo: None, token_wo_version: None, ..self.clone() }
    }

    fn keep(&mut self, prior: &Self) {
        self.password.clone_from(&prior.password);
        self.token_wo_version = prior.token_wo_version;
    }

    fn plan(change: &mut Change<'_>) -> Result<()> {
        if change.is_create() {
            return Ok(());
        }
        if change.changes("location") || change.changes("name") {
            change.set_unknown("endpoint");
        }
        let size = |v: Option<&Value>| v.and_then(Value::as_i64);
        let before = size(change.prior.and_then(|p| p.get("size")));
        if let (Some(before), Some(after)) = (before, size(change.planned("size")))
            && after < before
        {
            change.replace_for("size");
        }
        Ok(())
    }

    fn named(id: &str) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}

/// A column of a [`Table`].
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// What it is called.
    #[attr(required)]
    pub name: String,
    /// What it holds.
    #[attr(name = "type", optional, default = "string")]
    pub ty: Option<String>,
    /// Where it stands; the API counts from 1 where none is given.
    #[attr(optional, computed)]
    pub position: Option<i64>,
    /// Labels
    #[attr(optional)]
    pub labels: Option<BTreeMap<String, String>>,
}

/// An index of a [`Table`].
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Index {
    /// What it is called.
    #[attr(required)]
    pub name: String,
    /// The columns, in order.
    #[attr(required)]
    pub columns: Vec<String>,
    /// Whether no two rows may agree.
    #[attr(optional, default = false)]
    pub unique: Option<bool>,
}

/// How a [`Table`] is stored.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// The kind of disk; the API chooses where none is given.
    #[attr(optional, computed)]
    pub class: Option<String>,
    /// Where old rows go.
    #[block(list)]
    pub tier: Vec<Tier>,
}

/// Where old rows of a [`Table`] go.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Tier {
    /// After how many days.
    #[attr(required)]
    pub days: i64,
    /// To which kind of disk.
    #[attr(optional, default = "cold")]
    pub class: Option<String>,
}

/// Who may do what with a [`Table`], by the name of the grantee.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Grant {
    /// What is allowed.
    #[attr(required, set)]
    pub actions: Vec<String>,
}

/// A part of a [`Table`] that can only be chosen when it is made.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// What it is called.
    #[attr(required, force_new)]
    pub name: String,
}

/// How long operations may take.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Timeouts {
    /// `10m`, `30s`, ...
    #[attr(optional)]
    pub create: Option<String>,
    /// `10m`, `30s`, ...
    #[attr(optional)]
    pub delete: Option<String>,
}

/// `fake_table`: every kind of attribute and of nested block. Needs a `fake_database`.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it is called.
    #[attr(required)]
    pub name: String,
    /// The `id` of the database that it is in; a change replaces the table.
    #[attr(required, force_new)]
    pub database: String,
    /// A JSON document. The API answers with the same document in another order and with blanks.
    #[attr(optional, json)]
    pub policy: Option<String>,
    /// For how many days rows are kept; 0 or more.
    #[attr(optional, default = 30)]
    pub retention: Option<i64>,
    /// How full it may get.
    #[attr(optional)]
    pub ratio: Option<f64>,
    /// Who wrote it; the API chooses where nobody is named.
    #[attr(optional, computed)]
    pub owner: Option<String>,
    /// What it is for.
    #[attr(optional, deprecated)]
    pub comment: Option<String>,
    /// Any pairs.
    #[attr(optional)]
    pub properties: Option<BTreeMap<String, String>>,
    /// The columns that tell partitions apart, in order.
    #[attr(optional)]
    pub partition_keys: Option<Vec<String>>,
    /// Who to ask, in no order.
    #[attr(optional)]
    pub contacts: Option<BTreeSet<String>>,
    /// Its own tags.
    #[attr(optional)]
    pub tags: Option<BTreeMap<String, String>>,
    /// Its own tags over the provider's `default_tags`.
    #[attr(optional, computed)]
    pub tags_all: Option<BTreeMap<String, String>>,
    /// How often it was changed.
    #[attr(computed)]
    pub version: Option<i64>,
    /// `table-1`, ...
    #[attr(computed)]
    pub id: Option<String>,
    /// The columns, in order.
    #[block(list, min = 1)]
    pub column: Vec<Column>,
    /// The indexes, in no order.
    #[block(set)]
    pub index: Vec<Index>,
    /// How it is stored; the API chooses where the stack says nothing.
    #[block(list, max = 1, computed)]
    pub storage: Vec<Storage>,
    /// Who may do what.
    #[block(map)]
    pub grant: BTreeMap<String, Grant>,
    /// What can only be chosen when it is made.
    #[block(list, force_new)]
    pub choice: Vec<Choice>,
    /// How long operations may take.
    #[block(single)]
    pub timeouts: Option<Timeouts>,
}

impl FakeObject for Table {
    const TYPE: &'static str = "fake_table";
    const WORD: &'static str = "Table";
    const IDENTITY: &'static [&'static str] = &["database", "name"];

    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn needs(&self) -> Option<(&'static str, &str)> {
        Some((Database::TYPE, &self.database))
    }

    fn settle(&mut self, prior: Option<&Self>, id: &str, _: &str) {
        self.id = Some(id.into());
        self.owner.get_or_insert_with(|| "root".into());
        self.version = Some(prior.and_then(|p| p.version).unwrap_or_default() + 1);
        for (i, column) in self.column.iter_mut().enumerate() {
            column.position.get_or_insert(i as i64 + 1);
        }
        if self.storage.is_empty() {
            self.storage.push(Storage::default());
        }
        for storage in &mut self.storage {
            storage.class.get_or_insert_with(|| "standard".into());
        }
        if self.tags_all.is_none() {
            self.tags_all = Some(self.tags.clone().unwrap_or_default());
        }
        // The answer to a create or update is in the API's own spelling, as after the read that ends them in Terraform.
        self.policy = self.policy.as_deref().map(respell);
    }

    fn as_api(&self) -> Self {
        Self { timeouts: None, ..self.clone() }
    }

    fn keep(&mut self, prior: &Self) {
        self.timeouts.clone_from(&prior.timeouts);
    }

    fn plan(change: &mut Change<'_>) -> Result<()> {
        if change.planned("retention").and_then(Value::as_i64).is_some_and(|days| days < 0) {
            return Err(ProviderError::invalid("retention must be 0 or more").attribute(Path::attr("retention")));
        }
        if !change.is_create() && change.changes_anything() {
            change.set_unknown("version");
        }
        Ok(())
    }

    fn named(id: &str) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }
}

/// The same JSON document with blanks, and with the keys of objects in reverse order. What is no JSON stays as it is.
fn respell(text: &str) -> String {
    fn write(json: &Json) -> String {
        match json {
            Json::Object(pairs) => {
                let mut pairs: Vec<_> = pairs.iter().collect();
                pairs.sort_by(|a, b| b.0.cmp(a.0));
                let pairs: Vec<_> =
                    pairs.iter().map(|(k, v)| format!("{}: {}", Json::from(k.as_str()), write(v))).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
            Json::Array(items) => format!("[ {} ]", items.iter().map(write).collect::<Vec<_>>().join(", ")),
            plain => plain.to_string(),
        }
    }
    serde_json::from_str(text).map_or_else(|_| text.to_owned(), |json| write(&json))
}
