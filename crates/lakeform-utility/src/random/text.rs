//! What `random_password` and `random_string` share: their arguments, and how the text is made.

use lakeform_core::Value;
use lakeform_provider::{Change, Result};

use super::{below, keep_despite_nulls, wrong};

const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const NUMERIC: &str = "0123456789";
const SPECIAL: &str = "!@#$%&*()-_=+[]{}<>:?";
/// The least numbers of characters of each class.
const MINIMA: [&str; 4] = ["min_lower", "min_numeric", "min_special", "min_upper"];

/// Defines a model with the arguments of both types, and what is its own.
macro_rules! model {
    ($(#[$doc:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$doc])*
        #[derive(::lakeform_provider::Model, Clone, Debug, Default)]
        pub(crate) struct $name {
            /// Values whose change makes up a new text.
            #[attr(optional, force_new)]
            pub(super) keepers: Option<$crate::random::Keepers>,
            /// How many characters it has.
            #[attr(required, force_new)]
            pub(super) length: i64,
            /// Whether it has small letters. Default: `true`.
            #[attr(optional, computed, force_new, default = true)]
            pub(super) lower: Option<bool>,
            /// How many small letters it has at least. Default: 0.
            #[attr(optional, computed, force_new, default = 0)]
            pub(super) min_lower: Option<i64>,
            /// How many digits it has at least. Default: 0.
            #[attr(optional, computed, force_new, default = 0)]
            pub(super) min_numeric: Option<i64>,
            /// How many special characters it has at least. Default: 0.
            #[attr(optional, computed, force_new, default = 0)]
            pub(super) min_special: Option<i64>,
            /// How many capital letters it has at least. Default: 0.
            #[attr(optional, computed, force_new, default = 0)]
            pub(super) min_upper: Option<i64>,
            /// The old name of `numeric`.
            #[attr(optional, computed, deprecated, force_new)]
            pub(super) number: Option<bool>,
            /// Whether it has digits. Default: `true`.
            #[attr(optional, computed, force_new)]
            pub(super) numeric: Option<bool>,
            /// The special characters to choose from, instead of `!@#$%&*()-_=+[]{}<>:?`.
            #[attr(optional, force_new)]
            pub(super) override_special: Option<String>,
            /// Whether it has special characters. Default: `true`.
            #[attr(optional, computed, force_new, default = true)]
            pub(super) special: Option<bool>,
            /// Whether it has capital letters. Default: `true`.
            #[attr(optional, computed, force_new, default = true)]
            pub(super) upper: Option<bool>,
            $($own)*
        }

        impl $name {
            /// The classes of characters to choose from.
            fn classes(&self) -> [$crate::random::text::Class<'_>; 4] {
                let special = self.override_special.as_deref();
                $crate::random::text::classes(
                    [self.lower, self.numeric, self.special, self.upper],
                    [self.min_lower, self.min_numeric, self.min_special, self.min_upper],
                    special,
                )
            }

            /// The object of a text that was made up elsewhere.
            fn imported(text: &str) -> Self {
                Self { length: text.chars().count() as i64, ..Self::default() }.completed()
            }

            /// With what an older version, or an import by one, left open.
            fn completed(mut self) -> Self {
                self.number.get_or_insert(true);
                self.numeric = self.number;
                for class in [&mut self.lower, &mut self.special, &mut self.upper] {
                    class.get_or_insert(true);
                }
                for least in [&mut self.min_lower, &mut self.min_numeric, &mut self.min_special, &mut self.min_upper] {
                    least.get_or_insert(0);
                }
                self
            }
        }
    };
}
pub(super) use model;

/// Characters to choose from, and how many of them there must be.
pub(super) struct Class<'a> {
    characters: &'a str,
    least: usize,
}

/// The classes of which a text is made; one that is not wanted counts only as far as its minimum says.
pub(super) fn classes<'a>(
    wanted: [Option<bool>; 4],
    least: [Option<i64>; 4],
    special: Option<&'a str>,
) -> [Class<'a>; 4] {
    let special = special.filter(|own| !own.is_empty()).unwrap_or(SPECIAL);
    let all = [LOWER, NUMERIC, special, UPPER];
    std::array::from_fn(|i| Class {
        characters: if wanted[i] == Some(false) { "" } else { all[i] },
        least: usize::try_from(least[i].unwrap_or(0)).unwrap_or(0),
    })
}

/// Makes up a text: of each class as much as there must be, the rest of any of them, in any order.
///
/// # Errors
/// When there is nothing to choose from.
pub(super) fn make_up(length: i64, classes: &[Class<'_>]) -> Result<String> {
    let length = usize::try_from(length).unwrap_or(0);
    let mut out: Vec<char> = Vec::with_capacity(length);
    let mut draw = |characters: &[char], count: usize| -> Result<()> {
        if count > 0 && characters.is_empty() {
            return Err(wrong("length", "there are no characters to choose from"));
        }
        for _ in 0..count {
            out.push(characters[below(characters.len())?]);
        }
        Ok(())
    };
    let mut left = length;
    for class in classes {
        draw(&class.characters.chars().collect::<Vec<_>>(), class.least)?;
        left = left.saturating_sub(class.least);
    }
    draw(&classes.iter().flat_map(|class| class.characters.chars()).collect::<Vec<_>>(), left)?;
    for last in (1..out.len()).rev() {
        out.swap(last, below(last + 1)?);
    }
    Ok(out.into_iter().collect())
}

/// Checks the arguments, and plans `number` and `numeric`, which are two names of one.
pub(super) fn plan(change: &mut Change<'_>) -> Result<()> {
    let number = |name: &str| change.config.get(name).and_then(Value::as_i64);
    let sum: i64 = MINIMA.into_iter().filter_map(number).sum();
    match number("length") {
        Some(length) if length < 1 => {
            return Err(wrong("length", format!("length is {length}; expected is 1 or more")));
        }
        Some(length) if length < sum => {
            let message = format!("length is {length}; the least numbers of characters add up to {sum}");
            return Err(wrong("length", message));
        }
        _ => {}
    }
    let set = |name: &str| change.config.get(name).filter(|v| !v.is_null()).cloned();
    let digits = match (set("numeric"), set("number")) {
        (Some(a), Some(b)) if a.is_known() && b.is_known() && a.as_bool() != b.as_bool() => {
            return Err(wrong("number", "number and numeric are two names of one argument, and differ"));
        }
        (a, b) => a.or(b).unwrap_or_else(|| true.into()),
    };
    let off = |name: &str| set(name).is_some_and(|v| v.as_bool() == Some(false));
    let none = ["lower", "special", "upper"].into_iter().all(off) && digits.as_bool() == Some(false);
    if none {
        return Err(wrong("length", "there are no characters to choose from"));
    }
    for (class, least) in [("lower", "min_lower"), ("special", "min_special"), ("upper", "min_upper")] {
        if off(class) && number(least).is_some_and(|least| least > 0) {
            return Err(wrong(least, format!("{least} asks for characters that {class} = false leaves out")));
        }
    }
    if digits.as_bool() == Some(false) && number("min_numeric").is_some_and(|least| least > 0) {
        return Err(wrong("min_numeric", "min_numeric asks for characters that numeric = false leaves out"));
    }
    for name in ["number", "numeric"] {
        change.set(name, digits.clone());
        if !change.is_create() && change.changes(name) {
            change.replace_for(name);
        }
    }
    keep_despite_nulls(change, "keepers");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_least_and_nothing_else_is_used() {
        let count = |text: &str, of: &str| text.chars().filter(|c| of.contains(*c)).count();
        for _ in 0..200 {
            let classes = classes([None, Some(true), None, Some(false)], [Some(3), Some(4), Some(2), None], Some("äß"));
            let text = make_up(12, &classes).unwrap();
            assert_eq!(text.chars().count(), 12);
            assert!(count(&text, LOWER) >= 3 && count(&text, NUMERIC) >= 4 && count(&text, "äß") >= 2, "{text}");
            assert_eq!(count(&text, LOWER) + count(&text, NUMERIC) + count(&text, "äß"), 12, "{text}");
        }
        assert!(make_up(1, &super::classes([Some(false); 4], [None; 4], None)).is_err());
    }

    #[test]
    fn every_character_and_every_place_is_drawn() {
        let classes = classes([Some(false), None, Some(false), Some(false)], [None; 4], None);
        let text = make_up(2000, &classes).unwrap();
        assert!(NUMERIC.chars().all(|c| text.contains(c)));
        let first: std::collections::BTreeSet<_> = (0..300).map(|_| make_up(2, &classes).unwrap()).collect();
        assert!(first.len() > 80, "{}", first.len());
    }
}
