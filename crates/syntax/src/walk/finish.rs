//! What is known only when all of the tree was seen.

use super::{Walker, hash_of};
use crate::File;

impl Walker<'_> {
    pub(super) fn finish(mut self) -> File {
        let length = self.text.len();
        self.fill_bodies();
        let mut uses = Vec::with_capacity(self.uses.len());
        for (mut one, scope) in std::mem::take(&mut self.uses) {
            let bare = one.target.steps.is_empty() || one.receiver.is_none();
            let (target, is_local) = self.substitute(&one.target, scope, one.range.start, 6);
            one.is_local = is_local && bare;
            one.target = target;
            uses.push(one);
        }
        uses.sort_by_key(|one| (one.range.start, one.range.end));
        let mut by_path: Vec<u32> = (0..u32::try_from(self.entities.len()).unwrap_or(u32::MAX)).collect();
        by_path.sort_by_key(|at| self.entities.get(*at as usize).map(|entity| &entity.path));
        let mut used: Vec<u64> = uses.iter().map(|one| hash_of(one.name.as_bytes())).collect();
        used.sort_unstable();
        used.dedup();
        let whole = std::mem::take(&mut self.namespace);
        File {
            language: self.language,
            namespace: whole,
            entities: self.entities,
            uses,
            imports: self.imports,
            errors: self.errors,
            attributes: self.attributes,
            by_path: by_path.into(),
            used: used.into(),
            is_outline: false,
            length,
        }
    }

    /// Hashes of bodies, now that all tokens are known, and what variables hold.
    fn fill_bodies(&mut self) {
        for at in 0..self.entities.len() {
            let Some(entity) = self.entities.get(at) else { continue };
            let own = hash_of(entity.name.as_bytes()) as u32 | 2;
            let range = entity.body_range.clone().unwrap_or_default();
            let hashes = self.leaves_in(&range).iter().map(|leaf| if leaf.hash == own { 0 } else { leaf.hash });
            let all: Vec<u32> = hashes.collect();
            let words: Vec<&str> = self
                .leaves_in(&entity.signature_range)
                .iter()
                .filter_map(|leaf| std::str::from_utf8(self.bytes_of(*leaf)).ok())
                .collect();
            let text = words.join(" ");
            let next = self.errors.partition_point(|error| error.end < entity.range.start);
            let is_sound = self.errors.get(next).is_none_or(|error| error.start > entity.range.end);
            if let Some(entity) = self.entities.get_mut(at) {
                entity.body_hash = hash_of(&all);
                entity.tokens = all.into_iter().take(400).collect();
                entity.signature.text = text;
                entity.is_sound = is_sound;
            }
        }
    }
}
