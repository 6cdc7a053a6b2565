//! What is known of a value before it is known: cty's refinements, as Terraform 1.11 uses them.

use std::sync::{Arc, LazyLock};

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::{Kind, Number, Type, Value};

/// What is known of an unknown value. Nothing takes no memory; "not null" is shared by all.
#[derive(Clone, Debug, Default)]
pub struct Refinement(Option<Arc<Range>>);

#[derive(Clone, Debug, Default)]
struct Range {
    not_null: bool,
    bound: Bound,
}

/// What holds of the value unless it is null.
#[derive(Clone, Debug, Default)]
enum Bound {
    #[default]
    None,
    Prefix(Arc<str>),
    Number(Option<Number>, Option<Number>),
    Length(usize, usize),
}

static NOT_NULL: LazyLock<Arc<Range>> = LazyLock::new(|| Arc::new(Range { not_null: true, bound: Bound::None }));

/// The number of elements of a collection about which nothing is known: at least, at most.
const ANY_LENGTH: (usize, usize) = (0, usize::MAX);

impl Refinement {
    fn not_null(&self) -> bool {
        self.0.as_ref().is_some_and(|range| range.not_null)
    }

    fn bound(&self) -> &Bound {
        self.0.as_ref().map_or(&Bound::None, |range| &range.bound)
    }
}

impl Value {
    /// The value, which is certain not to be null. An unknown value of unknown type keeps no such promise (cty's rule).
    pub fn not_null(self) -> Self {
        let Kind::Unknown(ty, known) = self.kind() else { return self };
        if known.not_null() || *ty == Type::Dynamic {
            return self;
        }
        let range = match known.bound() {
            Bound::None => NOT_NULL.clone(),
            bound => Arc::new(Range { not_null: true, bound: bound.clone() }),
        };
        self.refined(range)
    }

    /// The value, which begins with this text if it is an unknown string. The end of the text that what follows could
    /// still change (a letter, by a combining accent) is left out, as in cty's `SafeKnownPrefix`.
    pub fn with_prefix(self, text: &str) -> Self {
        let prefix = safe_prefix(text);
        match self.kind() {
            Kind::Unknown(Type::String, known) if !prefix.is_empty() => {
                let range = Range { not_null: known.not_null(), bound: Bound::Prefix(prefix.into()) };
                self.refined(Arc::new(range))
            }
            _ => self,
        }
    }

    /// The value, which lies between these numbers, both of which it may be, if it is an unknown number.
    pub fn with_range(self, min: Option<Number>, max: Option<Number>) -> Self {
        match self.kind() {
            Kind::Unknown(Type::Number, known) if min.is_some() || max.is_some() => {
                let range = Range { not_null: known.not_null(), bound: Bound::Number(min, max) };
                self.refined(Arc::new(range))
            }
            _ => self,
        }
    }

    /// The value, which has at least and at most so many elements, if it is an unknown list, set or map.
    pub fn with_length(self, min: usize, max: usize) -> Self {
        match self.kind() {
            Kind::Unknown(Type::List(_) | Type::Set(_) | Type::Map(_), known) if (min, max) != ANY_LENGTH => {
                let range = Range { not_null: known.not_null(), bound: Bound::Length(min, max) };
                self.refined(Arc::new(range))
            }
            _ => self,
        }
    }

    /// The unknown value with another range; what it is, where only one value is left in it.
    fn refined(self, range: Arc<Range>) -> Self {
        let marks = self.marks();
        let Kind::Unknown(ty, _) = self.into_kind() else { return Self::null(Type::Dynamic) };
        let only = if range.not_null { only_value(&ty, &range.bound) } else { None };
        only.unwrap_or_else(|| Kind::Unknown(ty, Refinement(Some(range))).into()).with_marks(marks)
    }

    /// Whether it is null, or could turn out to be.
    pub fn may_be_null(&self) -> bool {
        match self.kind() {
            Kind::Null(_) => true,
            Kind::Unknown(_, known) => !known.not_null(),
            _ => false,
        }
    }

    /// The text that a string begins with for certain: all of a known one.
    pub fn prefix(&self) -> &str {
        match self.kind() {
            Kind::String(text) => text,
            Kind::Unknown(_, known) => match known.bound() {
                Bound::Prefix(text) => text,
                _ => "",
            },
            _ => "",
        }
    }

    /// The least and the greatest number that a number can be, where there are such.
    pub fn range(&self) -> (Option<&Number>, Option<&Number>) {
        match self.kind() {
            Kind::Number(n) => (Some(n), Some(n)),
            Kind::Unknown(_, known) => match known.bound() {
                Bound::Number(min, max) => (min.as_ref(), max.as_ref()),
                _ => (None, None),
            },
            _ => (None, None),
        }
    }

    /// The least and the greatest number of elements that a collection, tuple or object can have. Unknown elements of a set
    /// may turn out to be the same as others.
    pub fn length_range(&self) -> (usize, usize) {
        match self.kind() {
            Kind::Set(_, vs) if vs.len() > 1 && !self.is_wholly_known() => (1, vs.len()),
            Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => (vs.len(), vs.len()),
            Kind::Map(_, vs) | Kind::Object(vs) => (vs.len(), vs.len()),
            Kind::Unknown(Type::Tuple(ts), _) => (ts.len(), ts.len()),
            Kind::Unknown(Type::Object(ts), _) => (ts.len(), ts.len()),
            Kind::Unknown(_, known) => match known.bound() {
                Bound::Length(min, max) => (*min, *max),
                _ => ANY_LENGTH,
            },
            _ => ANY_LENGTH,
        }
    }
}

/// The one value that fits, if there is only one: cty's `RefinementBuilder.NewValue`.
fn only_value(ty: &Type, bound: &Bound) -> Option<Value> {
    match (ty, bound) {
        (_, Bound::Number(Some(min), Some(max))) if min == max => Some(min.clone().into()),
        (Type::List(t), Bound::Length(min, max)) if min == max => {
            Some(Value::list((**t).clone(), vec![Value::unknown((**t).clone()); *min]))
        }
        (Type::Set(t), Bound::Length(0, 0)) => Some(Value::set((**t).clone(), vec![])),
        (Type::Set(t), Bound::Length(1, 1)) => Some(Value::set((**t).clone(), vec![Value::unknown((**t).clone())])),
        (Type::Map(t), Bound::Length(0, 0)) => Some(Value::map::<Arc<str>>((**t).clone(), [])),
        _ => None,
    }
}

/// The part of a text that stays as it is whatever follows: without its last character, unless that is one of those that
/// nothing combines with.
fn safe_prefix(text: &str) -> String {
    let text: String = text.nfc().collect();
    let Some((at, last)) = text.grapheme_indices(true).next_back() else { return text };
    let mut chars = last.chars();
    let alone =
        matches!((chars.next(), chars.next()), (Some(c), None) if "-_:;/\\,.(){}[]|?!~ \t@#$%^&*+\"'".contains(c));
    if alone { text } else { text[..at].to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_no_larger_for_what_may_be_known_of_it() {
        assert!(size_of::<Refinement>() == size_of::<usize>());
        assert!(size_of::<Value>() <= 48, "{}", size_of::<Value>());
    }

    #[test]
    fn the_end_of_a_prefix_that_may_still_change_is_left_out() {
        for (text, safe) in
            [("", ""), ("a", ""), ("ab", "a"), ("ab-", "ab-"), ("e\u{301}", ""), ("x\n", "x"), ("🇩🇪", "")]
        {
            assert_eq!(safe_prefix(text), safe, "{text:?}");
        }
    }

    #[test]
    fn what_leaves_one_value_is_that_value() {
        let unknown = |ty: Type| Value::unknown(ty).not_null();
        let n = |n: i64| Some(Number::from(n));
        assert_eq!(unknown(Type::Number).with_range(n(1), n(1)), Value::from(1));
        assert!(!unknown(Type::Number).with_range(n(1), n(2)).is_known());
        assert_eq!(unknown(Type::list(Type::Bool)).with_length(2, 2).as_slice().map(<[_]>::len), Some(2));
        assert!(!unknown(Type::set(Type::Bool)).with_length(2, 2).is_known());
        assert_eq!(unknown(Type::map(Type::Bool)).with_length(0, 0), Value::map::<&str>(Type::Bool, []));
        assert!(!Value::unknown(Type::Number).with_range(n(1), n(1)).is_known(), "it may be null");
        assert!(Value::unknown(Type::Dynamic).not_null().may_be_null());
    }
}
