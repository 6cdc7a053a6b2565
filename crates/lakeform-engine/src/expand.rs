//! Instances of a block: `count`, `for_each`, `enabled`.

use std::sync::Arc;

use lakeform_core::{Diagnostic, Diagnostics, InstanceKey, Kind, Marks, Span, Value};
use lakeform_lang::{Expr, Scope, ephemeral_expansion};

use crate::Reason;

/// How a block repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// Once, without a key.
    Single,
    /// `count`
    Count,
    /// `for_each`
    ForEach,
    /// `enabled = false`
    Disabled,
}

/// The instances of a block in one instance of its module.
#[derive(Clone, Debug)]
pub(crate) struct Expansion {
    pub(crate) repetition: Repetition,
    /// Each key with `each.value` (null without `for_each`).
    pub(crate) items: Vec<(Option<InstanceKey>, Value)>,
}

impl Expansion {
    /// One instance without a key.
    pub(crate) fn single() -> Self {
        Self { repetition: Repetition::Single, items: vec![(None, Value::null(lakeform_core::Type::Dynamic))] }
    }

    /// Whether there is an instance with this key.
    pub(crate) fn has(&self, key: &Option<InstanceKey>) -> bool {
        self.items.iter().any(|(k, _)| k == key)
    }

    /// Why an instance that state holds is no longer wanted; `None` if it is.
    pub(crate) fn unwanted(&self, key: Option<&InstanceKey>) -> Option<Reason> {
        if self.items.iter().any(|(k, _)| k.as_ref() == key) {
            return None;
        }
        Some(match (self.repetition, key) {
            (Repetition::Disabled, _) => Reason::DeleteBecauseDisabled,
            (Repetition::Count, Some(InstanceKey::Int(_))) => Reason::DeleteBecauseCountIndex,
            (Repetition::ForEach, Some(InstanceKey::String(_))) => Reason::DeleteBecauseEachKey,
            _ => Reason::DeleteBecauseWrongRepetition,
        })
    }

    /// The values of the instances as one: an object, a tuple (`count`) or an object by key (`for_each`).
    pub(crate) fn gather(&self, mut values: Vec<Value>) -> Value {
        match self.repetition {
            Repetition::Single => values.pop().unwrap_or_else(|| Value::null(lakeform_core::Type::Dynamic)),
            Repetition::Disabled => Value::null(lakeform_core::Type::Dynamic),
            Repetition::Count => Value::tuple(values),
            Repetition::ForEach => Value::object(self.items.iter().zip(values).filter_map(|((key, _), v)| match key {
                Some(InstanceKey::String(key)) => Some((key.clone(), v)),
                _ => None,
            })),
        }
    }
}

fn problem(summary: &str, detail: &str, span: &Span) -> Diagnostics {
    Diagnostic::error(summary).detail(detail).span(span.clone()).into()
}

/// Works out the instances of a block.
///
/// # Errors
/// When `count` or `for_each` is unknown, sensitive, null or of the wrong type, as in Terraform.
pub(crate) fn expand(
    count: Option<&Expr>,
    for_each: Option<&Expr>,
    enabled: Option<&Expr>,
    scope: &dyn Scope,
) -> Result<Expansion, Diagnostics> {
    if let Some(expr) = enabled {
        let value = expr.evaluate(scope)?;
        let value = lakeform_core::convert(&value, &lakeform_core::Type::Bool)
            .map_err(|e| problem("Invalid `enabled`", &e.message, expr.span()))?;
        match value.as_bool() {
            _ if value.is_ephemeral() => return Err(ephemeral_expansion("enabled", expr.span()).into()),
            Some(true) => {}
            Some(false) => return Ok(Expansion { repetition: Repetition::Disabled, items: vec![] }),
            None => {
                return Err(problem(
                    "Invalid `enabled`",
                    "the value must be true or false and known before apply",
                    expr.span(),
                ));
            }
        }
    }
    match (count, for_each) {
        (Some(expr), _) => expand_count(expr, scope),
        (None, Some(expr)) => expand_for_each(expr, scope),
        (None, None) => Ok(Expansion::single()),
    }
}

fn expand_count(expr: &Expr, scope: &dyn Scope) -> Result<Expansion, Diagnostics> {
    const SUMMARY: &str = "Invalid `count`";
    let value = expr.evaluate(scope)?;
    if value.is_ephemeral() {
        return Err(ephemeral_expansion("count", expr.span()).into());
    }
    let value = lakeform_core::convert(&value, &lakeform_core::Type::Number)
        .map_err(|e| problem(SUMMARY, &e.message, expr.span()))?;
    if !value.is_known() {
        return Err(Diagnostic::error(SUMMARY)
            .detail("the value depends on attributes that are known only after apply, so the number of instances cannot be told")
            .help("use --target to apply first what it depends on")
            .span(expr.span().clone())
            .into());
    }
    // A sensitive number is fine, as in Terraform: it would be a poor secret.
    if value.is_null() {
        return Err(problem(SUMMARY, "the value is null; an integer is required", expr.span()));
    }
    match value.as_i64().and_then(|n| u64::try_from(n).ok()) {
        Some(n) => {
            let null = || Value::null(lakeform_core::Type::Dynamic);
            let items = (0..n).map(|i| (Some(InstanceKey::Int(i)), null())).collect();
            Ok(Expansion { repetition: Repetition::Count, items })
        }
        None => Err(problem(SUMMARY, "a whole number that is zero or more is required", expr.span())),
    }
}

fn expand_for_each(expr: &Expr, scope: &dyn Scope) -> Result<Expansion, Diagnostics> {
    const SUMMARY: &str = "Invalid `for_each`";
    let value = expr.evaluate(scope)?;
    if value.marks().contains(Marks::EPHEMERAL) {
        return Err(ephemeral_expansion("for_each", expr.span()).into());
    }
    if value.is_sensitive() {
        return Err(problem(
            SUMMARY,
            "sensitive values cannot be used: keys identify instances and are shown",
            expr.span(),
        ));
    }
    let unknown = || {
        Diagnostic::error(SUMMARY)
            .detail("the keys depend on attributes that are known only after apply, so the instances cannot be told")
            .help("use keys that the stack itself defines, or --target to apply first what they depend on")
            .span(expr.span().clone())
            .into()
    };
    let items = match value.kind() {
        Kind::Unknown(..) => return Err(unknown()),
        Kind::Null(_) => {
            return Err(problem(
                SUMMARY,
                "the value is null; a map, an object or a set of strings is required",
                expr.span(),
            ));
        }
        Kind::Map(_, vs) | Kind::Object(vs) => {
            vs.iter().map(|(k, v)| (Some(InstanceKey::String(k.clone())), v.clone())).collect()
        }
        Kind::Set(_, vs) => set_items(vs, expr.span(), &unknown)?,
        // A plain array of strings in the stack stands for a set (docs/guide.md).
        Kind::Tuple(vs) if is_literal_array(expr) => set_items(vs, expr.span(), &unknown)?,
        _ => {
            let found = value.ty().friendly_name();
            let detail = format!("a map, an object or a set of strings is required; the value is of type {found}");
            return Err(Diagnostic::error(SUMMARY)
                .detail(detail)
                .help("use toset(...)")
                .span(expr.span().clone())
                .into());
        }
    };
    Ok(Expansion { repetition: Repetition::ForEach, items })
}

fn is_literal_array(expr: &Expr) -> bool {
    expr.span().source.text.get(expr.span().range.clone()).is_some_and(|text| text.trim_start().starts_with('['))
}

type Items = Vec<(Option<InstanceKey>, Value)>;

fn set_items(vs: &[Value], span: &Span, unknown: &dyn Fn() -> Diagnostics) -> Result<Items, Diagnostics> {
    let mut items: Items = vec![];
    for v in vs {
        match v.kind() {
            Kind::String(key) => {
                let key: Arc<str> = key.clone();
                if !items.iter().any(|(k, _)| matches!(k, Some(InstanceKey::String(s)) if *s == key)) {
                    items.push((Some(InstanceKey::String(key)), v.clone()));
                }
            }
            Kind::Unknown(..) => return Err(unknown()),
            Kind::Null(_) => return Err(problem("Invalid `for_each`", "a set must not hold null", span)),
            _ => return Err(problem("Invalid `for_each`", "a set must hold strings only", span)),
        }
    }
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(items)
}
