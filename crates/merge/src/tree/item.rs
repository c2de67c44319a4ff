//! One statement that all three versions have.

use super::{Merger, Why};
use orchestrator_syntax::statements::Item;

impl Merger {
    pub(super) fn item<'t>(&mut self, base: &Item<'t>, one: &Item<'t>, two: &Item<'t>) -> Result<Item<'t>, Why> {
        let lead = self.comments(&base.lead, &one.lead, &two.lead)?;
        let atoms = self.atoms(&base.atoms, &one.atoms, &two.atoms)?;
        let named = if one.name == base.name { two } else { one };
        let mut item = Item { node: named.node, role: named.role, name: named.name.clone(), lead, atoms, hash: 0 };
        item.seal();
        Ok(item)
    }
}
