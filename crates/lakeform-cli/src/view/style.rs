//! Colours, where they are wanted.

use std::fmt;

use owo_colors::OwoColorize as _;

/// Whether and how text is coloured. The methods give the text back unchanged where it is not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether to colour.
    pub(crate) color: bool,
}

macro_rules! paint {
    ($($(#[$doc:meta])* $name:ident),*) => {
        impl Style {
            $($(#[$doc])* pub(crate) fn $name(self, text: impl fmt::Display) -> String {
                if self.color { text.$name().to_string() } else { text.to_string() }
            })*
        }
    };
}

paint! {
    /// What comes, and what went well.
    green,
    /// What goes, and what went wrong.
    red,
    /// What changes.
    yellow,
    /// What is read.
    cyan,
    /// What matters most.
    bold,
    /// What matters least.
    dimmed
}
