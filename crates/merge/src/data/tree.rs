//! Texts of entries, taken apart: put together again, they are the text byte for byte.

use super::versions::Pin;
use std::borrow::Cow;

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item<'a> {
    /// What tells it from the others of its list.
    pub(super) key: Cow<'a, str>,
    /// White space and comments before it.
    pub(super) lead: &'a str,
    pub(super) node: Node<'a>,
}

/// What stands in an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node<'a> {
    /// Text whose parts are not told apart.
    Leaf {
        text: &'a str,
        /// The same without layout, where layout means nothing.
        meaning: Cow<'a, str>,
        /// The version in it, where it is one of those that may be raised.
        pin: Option<Pin<'a>>,
    },
    List(List<'a>),
}

/// Entries between a head and a tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct List<'a> {
    /// All before the first entry's lead: a name, an opening bracket.
    pub(super) head: &'a str,
    pub(super) items: Vec<Item<'a>>,
    /// All after the last entry.
    pub(super) tail: &'a str,
    /// What stands between two entries.
    pub(super) separator: &'static str,
    pub(super) order: Order,
}

/// What the order of entries means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Order {
    /// Nothing.
    Free,
    /// Some entries take back what stands before them, so that none may change its place.
    Kept,
    /// Readers take the first entry that fits, so that no two may be put into one place either.
    Fixed,
    /// Readers go through the entries one after the other: which of two in one place comes first is a choice.
    Sequence,
}

impl<'a> Node<'a> {
    pub(super) fn leaf(text: &'a str) -> Self {
        Self::Leaf { text, meaning: Cow::Borrowed(text), pin: None }
    }

    /// A leaf that may ask for a version.
    pub(super) fn pinned(text: &'a str, pin: Option<Pin<'a>>) -> Self {
        Self::Leaf { text, meaning: Cow::Borrowed(text), pin }
    }

    /// The text as it stands.
    pub(super) fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Leaf { text, .. } => Cow::Borrowed(text),
            Self::List(list) => {
                let items = list.items.iter().map(|item| [item.lead, &item.node.text()].concat());
                let items = items.collect::<Vec<_>>().join(list.separator);
                Cow::Owned([list.head, &items, list.tail].concat())
            }
        }
    }

    /// Whether both mean the same, whatever their layout.
    pub(super) fn means(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf { meaning, .. }, Self::Leaf { meaning: other, .. }) => meaning == other,
            (Self::List(list), Self::List(other)) => {
                same_but_white(list.head, other.head)
                    && same_but_white(list.tail, other.tail)
                    && list.items.len() == other.items.len()
                    && list.items.iter().zip(&other.items).all(|(one, two)| {
                        one.key == two.key && says_same(one.lead, two.lead) && one.node.means(&two.node)
                    })
            }
            _ => false,
        }
    }
}

/// Whether two texts around entries are the same but for white space, which need not even stand at the same places.
fn same_but_white(one: &str, other: &str) -> bool {
    let letters = |text: &'_ str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
    letters(one) == letters(other)
}

/// Whether two texts between entries are the same but for white space.
pub(super) fn says_same(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}
