//! How an answer stands to what a person committed.

mod data;
mod entries;
mod equivalent;
mod white;

use crate::language::{language, white};
use orchestrator_syntax::{Language, Limits, parse};
use serde::Serialize;

/// How an answer stands to what a person committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The same bytes.
    Exact,
    /// The same but for white space where the language allows it.
    White,
    /// The same data, or the same code but for the order of imports, members of types and top-level definitions.
    Equivalent,
    /// A clean answer that is something else.
    Differs,
    /// A clean answer that does not parse, though both sides do.
    Broken,
    /// Left to a person.
    Conflict,
    /// No answer: the program failed or took too long.
    Failed,
}

impl Class {
    /// All, the best first.
    pub const ALL: [Self; 7] =
        [Self::Exact, Self::White, Self::Equivalent, Self::Differs, Self::Broken, Self::Conflict, Self::Failed];

    /// The letter of the tables.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Exact => 'E',
            Self::White => 'W',
            Self::Equivalent => 'V',
            Self::Differs => 'D',
            Self::Broken => 'B',
            Self::Conflict => 'X',
            Self::Failed => 'F',
        }
    }

    /// Whether it is as people did.
    #[must_use]
    pub fn agrees(self) -> bool {
        self <= Self::Equivalent
    }

    /// Whether the answer was clean.
    #[must_use]
    pub fn is_clean(self) -> bool {
        self <= Self::Broken
    }
}

/// Where a clean `answer` for a file stands to the `committed` one. `sides` are both versions that were merged.
#[must_use]
pub fn classify(path: &str, sides: (&[u8], &[u8]), answer: &[u8], committed: &[u8]) -> Class {
    if answer == committed {
        return Class::Exact;
    }
    let name = language(path);
    // White space within the texts of data is part of their value.
    let is_value = !data::is_data(&name) || data::same(&name, answer, committed);
    if is_value && white::same(white(&name), answer, committed) {
        return Class::White;
    }
    let syntax = Language::of_path(path);
    let is_equivalent = match syntax {
        Some(syntax) => equivalent::same(syntax, answer, committed),
        None if matches!(name.as_str(), "Markdown" | "reStructuredText" | "text" | "other") => {
            entries::same(answer, committed)
        }
        None => data::same(&name, answer, committed),
    };
    if is_equivalent {
        return Class::Equivalent;
    }
    let sound = |text: &[u8]| match syntax {
        Some(syntax) => parse(syntax, text, Limits::default()).map_or(true, |file| file.is_sound()),
        None => data::is_sound(&name, text),
    };
    if !sound(answer) && sound(sides.0) && sound(sides.1) { Class::Broken } else { Class::Differs }
}

#[cfg(test)]
mod tests;
