//! A map that forgets its oldest entries.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// A map of at most `LIMIT` entries; inserting into a full one forgets the entry inserted first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(
    serialize = "K: Serialize + Ord, V: Serialize",
    deserialize = "K: Deserialize<'de> + Ord, V: Deserialize<'de>"
))]
pub(crate) struct Bounded<K, V, const LIMIT: usize> {
    entries: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K, V, const LIMIT: usize> Default for Bounded<K, V, LIMIT> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), order: VecDeque::new() }
    }
}

impl<K: Ord + Clone, V, const LIMIT: usize> Bounded<K, V, LIMIT> {
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.entries.insert(key.clone(), value).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_inserted_first_is_forgotten_first() {
        let mut map = Bounded::<u32, &str, 2>::default();
        for (key, value) in [(5, "a"), (1, "b"), (5, "c"), (9, "d")] {
            map.insert(key, value);
        }
        assert_eq!((map.get(&5), map.get(&1), map.get(&9)), (None, Some(&"b"), Some(&"d")));
    }
}
