//! One statement that all three versions have.

use super::suite::called;
use super::{Merger, Why};
use orchestrator_syntax::statements::{Item, ItemRole};

impl Merger {
    pub(super) fn item<'t>(&mut self, base: &Item<'t>, one: &Item<'t>, two: &Item<'t>) -> Result<Item<'t>, Why> {
        let lead = self.comments(&base.lead, &one.lead, &two.lead)?;
        // What comes before the body of a definition says several things that have nothing to do with each other.
        let outer = std::mem::replace(&mut self.in_definition, base.role == ItemRole::Definition);
        let names = [base, one, two].map(called);
        self.in_test = self.has_tests && names[0].is_some() && names[0] == names[1] && names[0] == names[2];
        let atoms = self.atoms(&base.atoms, &one.atoms, &two.atoms);
        self.in_definition = outer;
        self.in_test = false;
        let atoms = atoms?;
        let named = if one.name == base.name { two } else { one };
        let mut item =
            Item { node: named.node, role: named.role, name: named.name.clone(), lead, atoms, hash: 0, layout: 0 };
        item.seal();
        Ok(item)
    }
}
