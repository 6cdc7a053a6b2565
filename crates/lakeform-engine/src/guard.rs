//! Whether a plan keeps to what `[guard]` allows.

use std::fmt;

use jiff::{Timestamp, Zoned};
use lakeform_core::{Diagnostic, InstanceAddress};
use lakeform_lang::{Freeze, Guard, pattern_covers};

use crate::{Action, Change, Plan, PlanMode};

/// A rule that a plan breaks.
#[derive(Clone, Debug, PartialEq)]
pub enum Breach {
    /// More objects would be gone than `max_destroy` allows.
    Destroys {
        /// How many are allowed.
        limit: u64,
        /// Which would be gone.
        addresses: Vec<InstanceAddress>,
    },
    /// More objects would be replaced than `max_replace` allows.
    Replaces {
        /// How many are allowed.
        limit: u64,
        /// Which would be replaced.
        addresses: Vec<InstanceAddress>,
    },
    /// Objects that `protect` covers would be deleted or replaced.
    Protected(Vec<Protected>),
    /// It is a time in which nothing is changed.
    Frozen {
        /// The window.
        window: Freeze,
        /// When it ends.
        until: Zoned,
    },
}

/// A protected object that would be deleted or replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The instance.
    pub address: InstanceAddress,
    /// Whether a new object would take its place.
    pub replaced: bool,
    /// The pattern that covers it.
    pub pattern: String,
    /// Whether only the state still has the pattern.
    pub kept: bool,
}

/// Every rule of a guard that a plan breaks, whenever it is applied. `kept` are the patterns that the state keeps in effect.
///
/// What is left over from an earlier replacement does not count: that it goes was decided then.
pub fn breaches(plan: &Plan, guard: &Guard, kept: &[String]) -> Vec<Breach> {
    let current = || plan.changes.iter().filter(|c| c.deposed.is_none());
    let addresses = |matches: fn(Action) -> bool| -> Vec<InstanceAddress> {
        current().filter(|c| matches(c.action)).map(|c| c.address.clone()).collect()
    };
    let over = |limit: Option<u64>, addresses: Vec<InstanceAddress>| {
        limit.filter(|limit| addresses.len() as u64 > *limit).map(|limit| (limit, addresses))
    };
    let protected: Vec<Protected> =
        current().filter(|c| c.action.deletes()).filter_map(|c| protection(c, guard, kept)).collect();
    let mut out = Vec::new();
    if !protected.is_empty() {
        out.push(Breach::Protected(protected));
    }
    let gone = over(guard.max_destroy, addresses(|a| a == Action::Delete));
    out.extend(gone.map(|(limit, addresses)| Breach::Destroys { limit, addresses }));
    let replaced = over(guard.max_replace, addresses(Action::is_replace));
    out.extend(replaced.map(|(limit, addresses)| Breach::Replaces { limit, addresses }));
    out
}

/// The windows that a moment lies in, for a plan that changes more than what the state knows.
pub fn frozen(plan: &Plan, guard: &Guard, now: Timestamp) -> Vec<Breach> {
    if !plan.has_changes() || plan.options.mode == PlanMode::RefreshOnly {
        return Vec::new();
    }
    let within = |window: &Freeze| Some(Breach::Frozen { window: window.clone(), until: window.until(now)? });
    guard.freeze.iter().filter_map(within).collect()
}

/// The pattern that covers an object under the address that it has or had: the stack's own before those that the state keeps.
fn protection(change: &Change, guard: &Guard, kept: &[String]) -> Option<Protected> {
    let names: Vec<String> = [Some(&change.address), change.previous_address.as_ref()]
        .into_iter()
        .flatten()
        .map(ToString::to_string)
        .collect();
    let covers = |pattern: &&String| names.iter().any(|name| pattern_covers(pattern, name));
    let own = guard.protect.iter().find(covers).map(|pattern| (pattern, false));
    let (pattern, kept) = own.or_else(|| kept.iter().find(covers).map(|pattern| (pattern, true)))?;
    Some(Protected {
        address: change.address.clone(),
        replaced: change.action.is_replace(),
        pattern: pattern.clone(),
        kept,
    })
}

impl Breach {
    /// The refusal, in words: each instance, the rule and its limit.
    pub fn diagnostic(&self) -> Diagnostic {
        let list =
            |addresses: &[InstanceAddress]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let problem = Diagnostic::error(format!("Refused by [guard]: {self}"));
        match self {
            Self::Destroys { addresses, .. } | Self::Replaces { addresses, .. } => problem.detail(list(addresses)),
            Self::Protected(all) => problem.detail(
                all.iter()
                    .map(|p| {
                        let word = if p.replaced { "replaced" } else { "deleted" };
                        let kept = if p.kept {
                            "; the stack no longer says so, and until an apply that deletes nothing protected has stored \
                             that, it holds"
                        } else {
                            ""
                        };
                        format!("{} would be {word} (`protect` has \"{}\"{kept})", p.address, p.pattern)
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
            Self::Frozen { window, until } => {
                problem.detail(format!("`freeze` has {window}\nit ends at {}", until.strftime("%Y-%m-%d %H:%M %:z")))
            }
        }
        .help("if it is right nevertheless, say why: --override-guard REASON")
    }
}

impl fmt::Display for Breach {
    /// One line: `3 objects would be destroyed, and max_destroy is 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = |n: usize| if n == 1 { "1 object".to_owned() } else { format!("{n} objects") };
        match self {
            Self::Destroys { limit, addresses } => {
                write!(f, "{} would be destroyed, and max_destroy is {limit}", objects(addresses.len()))
            }
            Self::Replaces { limit, addresses } => {
                write!(f, "{} would be replaced, and max_replace is {limit}", objects(addresses.len()))
            }
            Self::Protected(all) => {
                let names: Vec<String> = all.iter().map(|p| p.address.to_string()).collect();
                write!(
                    f,
                    "{} would be deleted or replaced, and protect covers that: {}",
                    objects(all.len()),
                    names.join(", ")
                )
            }
            Self::Frozen { window, .. } => write!(f, "nothing is changed now, for freeze has {window}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use lakeform_core::{Diagnostics, Type, Value};
    use lakeform_state::State;

    use super::*;
    use crate::{CheckResults, PlanOptions};

    /// A plan of `address action` pairs; `address@key` is a deposed object, `address<old` one that has moved.
    fn plan(changes: &[(&str, Action)]) -> Plan {
        let change = |(text, action): &(&str, Action)| {
            let (text, deposed) = text.split_once('@').map_or((*text, None), |(a, key)| (a, Some(key.to_owned())));
            let (text, from) = text.split_once('<').map_or((text, None), |(a, from)| (a, Some(from)));
            Change {
                address: text.parse().unwrap(),
                previous_address: from.map(|from| from.parse().unwrap()),
                deposed,
                action: *action,
                reason: None,
                before: Value::null(Type::Dynamic),
                after: Value::null(Type::Dynamic),
                replace_paths: vec![],
                provider: String::new(),
                importing: None,
                create_before_destroy: false,
                dependencies: Arc::default(),
            }
        };
        Plan {
            options: PlanOptions::default(),
            changes: changes.iter().map(change).collect(),
            drift: vec![],
            outputs: BTreeMap::new(),
            variables: BTreeMap::new(),
            ephemeral: Default::default(),
            prior_state: State::new("l"),
            stored_serial: 1,
            created: vec![],
            journal: String::new(),
            read: BTreeMap::new(),
            checks: CheckResults::default(),
            diagnostics: Diagnostics::new(),
        }
    }

    fn lines(changes: &[(&str, Action)], guard: &Guard, kept: &[&str]) -> Vec<String> {
        let kept: Vec<String> = kept.iter().map(|k| (*k).to_owned()).collect();
        breaches(&plan(changes), guard, &kept).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn limits_count_what_is_gone_and_what_is_replaced() {
        use Action::{Create, CreateThenDelete, Delete, DeleteThenCreate, Forget, NoOp, Update};
        let changes = [
            ("a_b.gone", Delete),
            ("a_b.gone[0]", Delete),
            ("a_b.left@01234567", Delete),
            ("a_b.new", Create),
            ("a_b.changed", Update),
            ("a_b.same", NoOp),
            ("a_b.dropped", Forget),
            ("a_b.first", DeleteThenCreate),
            ("a_b.last", CreateThenDelete),
        ];
        let limits = |destroy: Option<u64>, replace: Option<u64>| Guard {
            max_destroy: destroy,
            max_replace: replace,
            ..Guard::default()
        };
        for (destroy, replace, wanted) in [
            (None, None, &[][..]),
            (Some(2), Some(2), &[]),
            (Some(1), Some(2), &["2 objects would be destroyed, and max_destroy is 1"]),
            (Some(2), Some(1), &["2 objects would be replaced, and max_replace is 1"]),
            (
                Some(0),
                Some(0),
                &[
                    "2 objects would be destroyed, and max_destroy is 0",
                    "2 objects would be replaced, and max_replace is 0",
                ],
            ),
        ] {
            assert_eq!(lines(&changes, &limits(destroy, replace), &[]), wanted, "{destroy:?} {replace:?}");
        }
    }

    #[test]
    fn what_is_protected_is_neither_deleted_nor_replaced() {
        let guard =
            |protect: &[&str]| Guard { protect: protect.iter().map(|p| (*p).to_owned()).collect(), ..Guard::default() };
        for (change, own, kept, wanted) in [
            (("a_b.x", Action::Delete), &["a_b.*"][..], &[][..], true),
            (("a_b.x", Action::DeleteThenCreate), &["a_b.*"], &[], true),
            (("a_b.x", Action::CreateThenDelete), &["a_b.*"], &[], true),
            (("a_b.x", Action::Update), &["a_b.*"], &[], false),
            (("a_b.x", Action::Forget), &["a_b.*"], &[], false),
            (("a_b.x@01234567", Action::Delete), &["a_b.*"], &[], false),
            (("a_c.x", Action::Delete), &["a_b.*"], &[], false),
            (("a_c.x", Action::Delete), &["a_b.*"], &["a_c.x"], true),
            (("module.m[\"k\"].a_b.x[1]", Action::Delete), &["module.m"], &[], true),
            (("a_b.new<a_b.old", Action::Delete), &["a_b.old"], &[], true),
        ] {
            assert_eq!(!lines(&[change], &guard(own), kept).is_empty(), wanted, "{change:?} {own:?} {kept:?}");
        }
        let found = breaches(&plan(&[("a_b.x", Action::Delete)]), &guard(&[]), &["a_b.*".to_owned()]);
        let told = found[0].diagnostic();
        assert!(told.detail.unwrap().contains("the stack no longer says so"));
        assert!(told.help.unwrap().contains("--override-guard"));
    }

    #[test]
    fn a_window_stops_only_what_changes_something() {
        let (stack, _) =
            lakeform_lang::load_str("s", "[guard]\nfreeze = { days = \"sun\", reason = \"rest\" }").unwrap();
        let scope = lakeform_lang::StaticScope::new(&stack, &BTreeMap::new(), lakeform_lang::Environment::default());
        let guard = stack.guard.unwrap().evaluate(&scope).unwrap();
        let (sunday, monday) = ("2026-01-04T12:00:00Z".parse().unwrap(), "2026-01-05T12:00:00Z".parse().unwrap());
        let (idle, busy) = (plan(&[("a_b.x", Action::NoOp)]), plan(&[("a_b.x", Action::Update)]));
        assert!(frozen(&idle, &guard, sunday).is_empty());
        assert!(frozen(&busy, &guard, monday).is_empty());
        let told: Vec<String> = frozen(&busy, &guard, sunday).iter().map(|b| b.diagnostic().to_string()).collect();
        assert_eq!(
            told,
            ["Refused by [guard]: nothing is changed now, for freeze has sun 00:00 to 24:00 (UTC): rest: \
              `freeze` has sun 00:00 to 24:00 (UTC): rest\nit ends at 2026-01-05 00:00 +00:00"]
        );
    }
}
