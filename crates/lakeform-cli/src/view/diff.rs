//! What differs between two objects, as a tree that [`render`](super::render) draws. Pure: no text is made here.
//!
//! The rules are those of Terraform's plan renderer: lists are compared by their longest common subsequence, sets by
//! element, maps and objects by key, nested blocks by position; a string that holds a JSON document is compared inside.

use std::{collections::BTreeMap, sync::Arc};

use lakeform::core::{Block, Kind, Nesting, Path, Step, Type, Value, json};

/// What happens to one value inside an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// It stays.
    Same,
    /// It comes.
    Add,
    /// It changes.
    Change,
    /// It goes.
    Remove,
}

impl Mark {
    /// What happens to a whole, given what happens to one more of its parts.
    fn and(self, part: Mark) -> Mark {
        match (self, part) {
            (whole, Mark::Same) => whole,
            (whole, part) if whole == part => whole,
            _ => Mark::Change,
        }
    }

    fn of(before: &Value, after: &Value) -> Mark {
        match (before.is_null(), after.is_null()) {
            (true, true) => Mark::Same,
            (true, false) => Mark::Add,
            (false, true) => Mark::Remove,
            (false, false) if before == after => Mark::Same,
            (false, false) => Mark::Change,
        }
    }

    /// Where the parts of a collection start from.
    fn start(before: &Value, after: &Value) -> Mark {
        match (before.is_null(), after.is_null()) {
            (true, false) => Mark::Add,
            (false, true) => Mark::Remove,
            _ => Mark::Same,
        }
    }
}

/// One value before and after.
#[derive(Clone, Debug)]
pub(crate) struct Diff {
    /// What happens to it.
    pub(crate) mark: Mark,
    /// Whether it forces the replacement of the object.
    pub(crate) replace: bool,
    /// The change itself.
    pub(crate) body: Body,
    /// Lines to say above it.
    pub(crate) notes: Vec<&'static str>,
}

/// What kind of value it is.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// A bool, number, string or null.
    Primitive { before: Value, after: Value },
    /// It will be known after apply; what it was before, if anything.
    Unknown(Option<Box<Diff>>),
    /// It is not shown.
    Sensitive,
    /// It is sent and never stored.
    WriteOnly,
    /// A JSON document in a string.
    Json { inner: Box<Diff>, whitespace_only: bool },
    /// A list or tuple.
    List(Vec<Diff>),
    /// A set
    Set(Vec<Diff>),
    /// A map
    Map(BTreeMap<Arc<str>, Diff>),
    /// An object
    Object(BTreeMap<Arc<str>, Diff>),
    /// A resource's object, or an instance of a nested block.
    Block(BlockDiff),
    /// One type before, another after.
    Retyped(Box<Diff>, Box<Diff>),
}

/// The attributes and nested blocks of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockDiff {
    /// Attributes by name; absent ones are left out.
    pub(crate) attributes: BTreeMap<Arc<str>, Diff>,
    /// Instances of nested blocks by type; the key is set for blocks that are kept by key.
    pub(crate) blocks: BTreeMap<Arc<str>, BlockGroup>,
}

/// The instances of one nested block type.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockGroup {
    /// Each instance.
    pub(crate) instances: Vec<(Option<Arc<str>>, Diff)>,
    /// Whether the number of instances forces the replacement.
    pub(crate) replace: bool,
    /// Whether all of them are sensitive.
    pub(crate) sensitive: bool,
}

/// What decides how two values are compared.
#[derive(Clone, Copy)]
struct Cx<'a> {
    /// The paths that force a replacement.
    replace: &'a [Path],
    /// Whether no schema says what a value is made of, as in outputs and JSON documents: nulls are shown because someone
    /// wrote them, and any collection counts as a list or an object.
    loose: bool,
}

/// Compares two objects of a resource type. Null stands for no object. Without a schema every attribute is plain.
pub(crate) fn object(before: &Value, after: &Value, schema: Option<&Block>, replace: &[Path]) -> Diff {
    let cx = Cx { replace, loose: false };
    match schema {
        Some(schema) => block(before, after, schema, &Path::root(), cx),
        None => {
            let mut diff = value(before, after, &Path::root(), cx);
            if let Body::Object(attributes) | Body::Map(attributes) = diff.body {
                diff.body = Body::Block(BlockDiff { attributes, blocks: BTreeMap::new() });
            }
            diff
        }
    }
}

/// Compares two values of an output.
pub(crate) fn output(before: &Value, after: &Value) -> Diff {
    value(before, after, &Path::root(), Cx { replace: &[], loose: true })
}

fn null() -> Value {
    Value::null(Type::Dynamic)
}

fn block(before: &Value, after: &Value, schema: &Block, at: &Path, cx: Cx<'_>) -> Diff {
    let replace = !at.0.is_empty() && cx.replace.contains(at);
    if let Some(diff) = hidden(before, after, replace) {
        return diff;
    }
    if !after.is_known() {
        return unknown(before, replace, |before| block(before, &null(), schema, at, Cx { replace: &[], ..cx }));
    }
    let mut mark = Mark::start(before, after);
    let mut out = BlockDiff::default();
    let start = mark;
    for (name, attribute) in &schema.attributes {
        if attribute.write_only {
            let diff = Diff { mark: start, replace: false, body: Body::WriteOnly, notes: vec![] };
            out.attributes.insert(name.clone(), diff);
            continue;
        }
        // A block's empty string means "not set": Terraform's SDK cannot tell them apart.
        let mut written = false;
        let mut part = |whole: &Value| match whole.get(name) {
            None => null(),
            Some(v) => {
                written |= !v.is_null();
                if v.as_str() == Some("") { null().with_marks(v.marks()) } else { v.clone() }
            }
        };
        let (mut old, mut new) = (part(before), part(after));
        if attribute.sensitive {
            (old, new) = (hide(old), hide(new));
        }
        let cx = Cx { loose: matches!(attribute.ty, Type::Dynamic), ..cx };
        let diff = value(&old, &new, &at.with(Step::Attr(name.clone())), cx);
        if diff.mark == Mark::Same && !written {
            continue;
        }
        mark = mark.and(diff.mark);
        out.attributes.insert(name.clone(), diff);
    }
    for (name, nested) in &schema.blocks {
        let none = null();
        let (old, new) = (before.get(name).unwrap_or(&none), after.get(name).unwrap_or(&none));
        let path = at.with(Step::Attr(name.clone()));
        let group = match new.is_known() {
            true => group(old, new, nested.nesting, &nested.block, &path, cx),
            false => unknown_group(old, before.is_null(), &nested.block, &path, cx),
        };
        if group.instances.is_empty() {
            continue;
        }
        mark = group.instances.iter().fold(mark, |mark, (_, diff)| mark.and(diff.mark));
        out.blocks.insert(name.clone(), group);
    }
    Diff { mark, replace, body: Body::Block(out), notes: vec![] }
}

fn hide(v: Value) -> Value {
    if v.is_null() { v } else { v.sensitive() }
}

fn group(before: &Value, after: &Value, nesting: Nesting, schema: &Block, at: &Path, cx: Cx<'_>) -> BlockGroup {
    let mut out = BlockGroup {
        replace: cx.replace.contains(at),
        sensitive: before.is_sensitive() || after.is_sensitive(),
        instances: vec![],
    };
    let none: &[Value] = &[];
    let (old, new) = (before.as_slice().unwrap_or(none), after.as_slice().unwrap_or(none));
    match nesting {
        Nesting::Single => {
            if !(before.is_null() && after.is_null()) {
                out.instances.push((None, block(before, after, schema, at, cx)));
            }
        }
        Nesting::Map => {
            for (key, old, new) in by_key(before, after) {
                let path = at.with(Step::Key(key.clone()));
                out.instances.push((Some(key), block(&old, &new, schema, &path, cx)));
            }
        }
        Nesting::List => {
            for i in 0..old.len().max(new.len()) {
                let none = null();
                let (old, new) = (old.get(i).unwrap_or(&none), new.get(i).unwrap_or(&none));
                out.instances.push((None, block(old, new, schema, &at.with(Step::Index(i)), cx)));
            }
        }
        Nesting::Set => {
            for (old, new) in by_element(old, new) {
                let element = if new.is_null() { old.clone() } else { new.clone() };
                out.instances.push((None, block(&old, &new, schema, &at.with(Step::Element(element)), cx)));
            }
        }
    }
    out
}

/// Blocks that will be known after apply: those that there are go.
fn unknown_group(before: &Value, creating: bool, schema: &Block, at: &Path, cx: Cx<'_>) -> BlockGroup {
    let replace = cx.replace.contains(at);
    let mark = if creating { Mark::Add } else { Mark::Change };
    let new = Diff { mark, replace, body: Body::Unknown(None), notes: vec![] };
    let old = before.children().map(|v| block(v, &null(), schema, at, Cx { replace: &[], ..cx }));
    let instances = [new].into_iter().chain(old).map(|diff| (None, diff)).collect();
    BlockGroup { instances, replace, sensitive: before.is_sensitive() }
}

/// The diff of a value that is not shown, if it is one.
fn hidden(before: &Value, after: &Value, replace: bool) -> Option<Diff> {
    let (old, new) = (before.is_sensitive(), after.is_sensitive());
    if !old && !new {
        return None;
    }
    let inner = Mark::of(before, after);
    let mut mark = inner;
    let mut notes = vec![];
    if old != new && !before.is_null() && !after.is_null() {
        mark = Mark::Change;
        notes.push(if new {
            "# Warning: this attribute value will be marked as sensitive and will not\n# display in UI output after applying this change."
        } else {
            "# Warning: this attribute value will no longer be marked as sensitive\n# after applying this change."
        });
        if inner == Mark::Same {
            notes.push("# The value is unchanged.");
        }
    }
    Some(Diff { mark, replace, body: Body::Sensitive, notes })
}

fn unknown(before: &Value, replace: bool, old: impl Fn(&Value) -> Diff) -> Diff {
    let (mark, before) = if before.is_null() { (Mark::Add, None) } else { (Mark::Change, Some(Box::new(old(before)))) };
    Diff { mark, replace, body: Body::Unknown(before), notes: vec![] }
}

fn value(before: &Value, after: &Value, at: &Path, cx: Cx<'_>) -> Diff {
    let replace = !at.0.is_empty() && cx.replace.contains(at);
    if let Some(diff) = hidden(before, after, replace) {
        return diff;
    }
    if !after.is_known() {
        return unknown(before, replace, |before| value(before, &null(), at, Cx { replace: &[], ..cx }));
    }
    if let Some(diff) = document(before, after, replace) {
        return diff;
    }
    let start = Mark::start(before, after);
    let present = if after.is_null() { before } else { after };
    let (mark, body) = match (family(before, cx), family(after, cx), family(present, cx)) {
        (Some(a), Some(b), _) if a != b => {
            let old = value(before, &null(), at, Cx { replace: &[], ..cx });
            let new = value(&null(), after, at, Cx { replace: &[], ..cx });
            (Mark::Change, Body::Retyped(Box::new(old), Box::new(new)))
        }
        (_, _, Some(Family::List)) => {
            let parts = sequence(before, after, at, cx);
            (parts.iter().fold(start, |mark, d| mark.and(d.mark)), Body::List(parts))
        }
        (_, _, Some(Family::Set)) => {
            let none: &[Value] = &[];
            let pairs = by_element(before.as_slice().unwrap_or(none), after.as_slice().unwrap_or(none));
            let each = pairs.into_iter().map(|(old, new)| {
                let element = if new.is_null() { old.clone() } else { new.clone() };
                value(&old, &new, &at.with(Step::Element(element)), cx)
            });
            let parts: Vec<Diff> = each.collect();
            (parts.iter().fold(start, |mark, d| mark.and(d.mark)), Body::Set(parts))
        }
        (_, _, Some(Family::Map)) => {
            let parts = entries(before, after, |k| at.with(Step::Key(k.clone())), cx, true);
            (parts.values().fold(start, |mark, d| mark.and(d.mark)), Body::Map(parts))
        }
        (_, _, Some(Family::Object)) => {
            let parts = entries(before, after, |k| at.with(Step::Attr(k.clone())), cx, cx.loose);
            (parts.values().fold(start, |mark, d| mark.and(d.mark)), Body::Object(parts))
        }
        _ => (Mark::of(before, after), Body::Primitive { before: before.clone(), after: after.clone() }),
    };
    Diff { mark, replace, body, notes: vec![] }
}

/// Which values are compared inside each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Primitive,
    List,
    Set,
    Map,
    Object,
}

/// The family of a value; `None` for null, which compares with everything.
fn family(v: &Value, cx: Cx<'_>) -> Option<Family> {
    Some(match v.kind() {
        Kind::Null(_) | Kind::Unknown(..) => return None,
        Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => Family::Primitive,
        Kind::List(..) | Kind::Tuple(_) => Family::List,
        Kind::Set(..) if cx.loose => Family::List,
        Kind::Set(..) => Family::Set,
        Kind::Object(_) => Family::Object,
        Kind::Map(..) if cx.loose => Family::Object,
        Kind::Map(..) => Family::Map,
    })
}

/// The diff inside two JSON documents, if both strings (or the only one) hold one.
fn document(before: &Value, after: &Value, replace: bool) -> Option<Diff> {
    let parse = |v: &Value| {
        let text = v.as_str()?;
        let json: serde_json::Value =
            text.trim_start().starts_with(['{', '[']).then(|| serde_json::from_str(text).ok())??;
        Some(json::from_plain_json(&json))
    };
    let (old, new) = match (before.is_null(), after.is_null()) {
        (true, true) => return None,
        (true, false) => (null(), parse(after)?),
        (false, true) => (parse(before)?, null()),
        (false, false) => match (parse(before), parse(after)) {
            (Some(old), Some(new)) => (old, new),
            (None, None) => return None,
            // A document on one side only: each side is shown for itself.
            _ => {
                let alone = |a, b| Box::new(value(a, b, &Path::root(), Cx { replace: &[], loose: true }));
                let body = Body::Retyped(alone(before, &null()), alone(&null(), after));
                return Some(Diff { mark: Mark::Change, replace, body, notes: vec![] });
            }
        },
    };
    let inner = value(&old, &new, &Path::root(), Cx { replace: &[], loose: true });
    let mark = Mark::of(before, after);
    let whitespace_only = mark == Mark::Change && inner.mark == Mark::Same;
    Some(Diff { mark, replace, body: Body::Json { inner: Box::new(inner), whitespace_only }, notes: vec![] })
}

fn entries(
    before: &Value,
    after: &Value,
    path: impl Fn(&Arc<str>) -> Path,
    cx: Cx<'_>,
    nulls: bool,
) -> BTreeMap<Arc<str>, Diff> {
    let mut out = BTreeMap::new();
    for (key, old, new) in by_key(before, after) {
        if old.is_null() && new.is_null() && !nulls {
            continue;
        }
        let mut diff = value(&old, &new, &path(&key), cx);
        if nulls {
            // A key with a null value is there nevertheless.
            diff.mark = match (before.get(&key).is_some(), after.get(&key).is_some()) {
                (false, true) => Mark::Add,
                (true, false) => Mark::Remove,
                _ if diff.mark != Mark::Same => Mark::Change,
                _ => Mark::Same,
            };
        }
        out.insert(key, diff);
    }
    out
}

fn by_key(before: &Value, after: &Value) -> Vec<(Arc<str>, Value, Value)> {
    let empty = BTreeMap::new();
    let (old, new) = (before.as_mapping().unwrap_or(&empty), after.as_mapping().unwrap_or(&empty));
    let mut keys: Vec<&Arc<str>> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let get = |map: &BTreeMap<Arc<str>, Value>, key| map.get(key).cloned().unwrap_or_else(null);
    keys.into_iter().map(|key| (key.clone(), get(old, key), get(new, key))).collect()
}

/// Pairs equal elements; whatever is left goes or comes.
fn by_element(before: &[Value], after: &[Value]) -> Vec<(Value, Value)> {
    let mut taken = vec![false; after.len()];
    let mut out = Vec::new();
    for old in before {
        let found = after.iter().enumerate().position(|(i, new)| !taken[i] && new == old && new.is_wholly_known());
        match found {
            Some(i) => {
                taken[i] = true;
                out.push((old.clone(), after[i].clone()));
            }
            None => out.push((old.clone(), null())),
        }
    }
    out.extend(after.iter().zip(taken).filter(|(_, taken)| !taken).map(|(new, _)| (null(), new.clone())));
    out
}

/// The elements of two lists in one order. Lists of one length are compared place by place; else the longest common
/// subsequence stays, and in the gaps objects are compared in pairs while anything else goes and comes.
fn sequence(before: &Value, after: &Value, at: &Path, cx: Cx<'_>) -> Vec<Diff> {
    let none: &[Value] = &[];
    let (old, new) = (before.as_slice().unwrap_or(none), after.as_slice().unwrap_or(none));
    let paired = |v: &Value| matches!(v.kind(), Kind::Object(_) | Kind::Map(..));
    let pair = |old: Option<&Value>, new: Option<&Value>, i: usize| {
        let none = null();
        let (had, has) = (old.is_some(), new.is_some());
        let mut diff = value(old.unwrap_or(&none), new.unwrap_or(&none), &at.with(Step::Index(i)), cx);
        if diff.mark == Mark::Same && had != has {
            diff.mark = if has { Mark::Add } else { Mark::Remove };
        }
        diff
    };
    if old.len() == new.len() {
        return old.iter().zip(new).enumerate().map(|(i, (old, new))| pair(Some(old), Some(new), i)).collect();
    }
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    for next in common(old, new).into_iter().map(Some).chain([None]) {
        let (end_i, end_j) = next.unwrap_or((old.len(), new.len()));
        while i < end_i {
            if j < end_j && paired(&old[i]) && paired(&new[j]) {
                out.push(pair(Some(&old[i]), Some(&new[j]), j));
                j += 1;
            } else {
                out.push(pair(Some(&old[i]), None, i));
            }
            i += 1;
        }
        while j < end_j {
            out.push(pair(None, Some(&new[j]), j));
            j += 1;
        }
        if next.is_some() {
            out.push(pair(Some(&old[i]), Some(&new[j]), j));
            (i, j) = (i + 1, j + 1);
        }
    }
    out
}

/// The pairs of indexes of a longest common subsequence. Quadratic in what is left between equal ends.
fn common(old: &[Value], new: &[Value]) -> Vec<(usize, usize)> {
    let same = |a: &Value, b: &Value| a == b && a.is_wholly_known() && a.marks_deep() == b.marks_deep();
    let head = old.iter().zip(new).take_while(|(a, b)| same(a, b)).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| same(a, b)).count();
    let (n, m) = (old_rest.len() - tail, new_rest.len() - tail);
    let mut longest = vec![vec![0_usize; m + 1]; n + 1];
    for i in (0..n).rev() {
        for j in (0..m).rev() {
            longest[i][j] = if same(&old_rest[i], &new_rest[j]) {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let mut out: Vec<(usize, usize)> = (0..head).map(|i| (i, i)).collect();
    let (mut i, mut j) = (0, 0);
    while i < n && j < m {
        if same(&old_rest[i], &new_rest[j]) {
            out.push((head + i, head + j));
            (i, j) = (i + 1, j + 1);
        } else if longest[i + 1][j] >= longest[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    out.extend((0..tail).map(|k| (head + n + k, head + m + k)));
    out
}
