//! What a person made of a region: lines of its versions, and lines of their own.

use super::Key;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// At how many places a line is looked for: one that stands more often tells nothing.
const MOST_PLACES: usize = 32;

/// A region's result, written down as an edit over its three versions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Edit(pub Vec<Step>);

/// A stretch of an edit's result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Lines of a version.
    Lines {
        /// Which.
        of: Version,
        /// The first line, counted from 0 within the region.
        from: usize,
        /// How many.
        count: usize,
    },
    /// Lines that stand in no version, without the region's indentation.
    Typed(Vec<String>),
}

/// A version of a region, as its [`Key`] names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    /// [`Key::one`].
    One,
    /// [`Key::two`].
    Two,
    /// [`Key::base`].
    Base,
}

impl Edit {
    /// The edit that makes `result` out of a region: at each line the longest stretch that a version has.
    pub(super) fn new(key: &Key, result: &[String]) -> Self {
        let versions = [(Version::One, &key.one), (Version::Two, &key.two), (Version::Base, &key.base)];
        let places = versions.map(|(_, lines)| {
            let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
            for (at, line) in lines.iter().enumerate() {
                let places = places.entry(line).or_default();
                if places.len() < MOST_PLACES {
                    places.push(at);
                }
            }
            places
        });
        let mut steps = Vec::new();
        let mut rest = result;
        while let Some(line) = rest.first() {
            let mut best = (0, Version::One, 0);
            for ((of, lines), places) in versions.iter().zip(&places) {
                for from in places.get(line.as_str()).into_iter().flatten() {
                    let count = lines[*from..].iter().zip(rest).take_while(|(one, two)| one == two).count();
                    if count > best.0 {
                        best = (count, *of, *from);
                    }
                }
            }
            let (count, of, from) = best;
            match steps.last_mut() {
                Some(Step::Typed(lines)) if count == 0 => lines.push(line.clone()),
                _ if count == 0 => steps.push(Step::Typed(vec![line.clone()])),
                _ => steps.push(Step::Lines { of, from, count }),
            }
            rest = &rest[count.max(1)..];
        }
        Self(steps)
    }

    /// What it makes of a region; `None` where a version does not have the lines.
    pub(super) fn apply(&self, key: &Key) -> Option<Vec<String>> {
        let mut result = Vec::new();
        for step in &self.0 {
            match step {
                Step::Typed(lines) => result.extend_from_slice(lines),
                Step::Lines { of, from, count } => {
                    let lines = match of {
                        Version::One => &key.one,
                        Version::Two => &key.two,
                        Version::Base => &key.base,
                    };
                    result.extend_from_slice(lines.get(*from..from.checked_add(*count)?)?);
                }
            }
        }
        Some(result)
    }

    /// Whether the result has lines that stand in no version.
    #[must_use]
    pub fn has_typed(&self) -> bool {
        self.0.iter().any(|step| matches!(step, Step::Typed(_)))
    }

    /// The same with `one` and `two` in each other's place.
    pub(super) fn mirrored(&self) -> Self {
        let mirror = |step: &Step| match step {
            Step::Lines { of: Version::One, from, count } => {
                Step::Lines { of: Version::Two, from: *from, count: *count }
            }
            Step::Lines { of: Version::Two, from, count } => {
                Step::Lines { of: Version::One, from: *from, count: *count }
            }
            other => other.clone(),
        };
        Self(self.0.iter().map(mirror).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Place;
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn an_edit_is_made_of_the_longest_stretches_and_makes_its_result_again() {
        let key = Key {
            path: String::new(),
            language: String::new(),
            place: Place::Entities(Vec::new()),
            base: lines("a b c"),
            one: lines("x y"),
            two: lines("a x y z"),
        };
        let step = |of, from, count| Step::Lines { of, from, count };
        let typed = |text| Step::Typed(lines(text));
        for (result, steps) in [
            ("", vec![]),
            ("x y", vec![step(Version::One, 0, 2)]),
            ("x y z", vec![step(Version::Two, 1, 3)]),
            ("b new own y", vec![step(Version::Base, 1, 1), typed("new own"), step(Version::One, 1, 1)]),
        ] {
            let edit = Edit::new(&key, &lines(result));
            assert_eq!(edit, Edit(steps), "{result}");
            assert_eq!(edit.apply(&key), Some(lines(result)));
            assert_eq!(edit.mirrored().mirrored(), edit);
        }
        assert_eq!(Edit(vec![step(Version::Two, 3, 2)]).apply(&key), None);
        assert_eq!(Edit(vec![step(Version::Two, usize::MAX, 2)]).apply(&key), None);
    }
}
