//! How many empty lines usually stand between two parts.

use super::read::{Class, Part};
use std::collections::BTreeMap;

/// Counted over all versions.
#[derive(Debug)]
pub(super) struct Spacing<'a>(BTreeMap<(Kind, Kind), BTreeMap<&'a str, usize>>);

/// What counts of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Heading,
    Section,
    Entry,
    Link,
    Other,
}

impl Kind {
    fn of(class: Class) -> Self {
        match class {
            Class::Section(_) => Self::Section,
            Class::Entry { .. } => Self::Entry,
            Class::Link => Self::Link,
            Class::Other => Self::Other,
        }
    }

    /// `None` stands for the heading of the section.
    fn before(class: Option<Class>) -> Self {
        class.map_or(Self::Heading, Self::of)
    }
}

impl<'a> Spacing<'a> {
    /// Of three texts.
    pub(super) fn of(roots: [&Part<'a>; 3]) -> Self {
        let mut spacing = Self(BTreeMap::new());
        for root in roots {
            // What begins a text has nothing before it.
            spacing.count(root, !root.text.is_empty());
        }
        spacing
    }

    fn count(&mut self, section: &Part<'a>, has_heading: bool) {
        let mut before = None;
        for part in &section.parts {
            if before.is_some() || has_heading {
                let leads = self.0.entry((Kind::before(before), Kind::of(part.class))).or_default();
                *leads.entry(part.lead).or_default() += 1;
            }
            before = Some(part.class);
            self.count(part, true);
        }
    }

    /// The commonest empty lines between a part and the one before; without one before, below the heading.
    pub(super) fn usual(&self, before: Option<Class>, class: Class) -> &'a str {
        let (before, class) = (Kind::before(before), Kind::of(class));
        let known = self.0.get(&(before, class)).and_then(|leads| leads.iter().max_by_key(|(_, count)| **count));
        match known {
            Some((lead, _)) => lead,
            None if before == class && matches!(class, Kind::Entry | Kind::Link) => "",
            None => "\n",
        }
    }
}
