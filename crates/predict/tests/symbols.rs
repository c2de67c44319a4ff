//! What one agent's change breaks in another's work, through moves of the tip and of both.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_predict::{Change, Id, Impact, Mode, Path, Question, Source, Symbols, Version};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

const SHOP: &str = "def price(item):\n    return item\n";
const TAXED: &str = "def price(item, tax):\n    return item\n";
const CART: &str = "from shop import price\n\n\ndef total(x):\n    return price(x)\n";
const ANN: u64 = 1;
const BOB: u64 = 2;

/// A tip and a store of contents, in memory, with the symbols of both.
#[derive(Default)]
struct World {
    contents: RefCell<HashMap<Id, Arc<[u8]>>>,
    tip: BTreeMap<Path, Version>,
}

/// A content that is nowhere.
#[derive(Debug, PartialEq, Eq)]
struct Lost;

impl Source for World {
    type Error = Lost;

    fn content(&self, id: &Id) -> Result<Arc<[u8]>, Lost> {
        self.contents.borrow().get(id).cloned().ok_or(Lost)
    }

    fn tip(&self, path: &Path) -> Result<Option<Version>, Lost> {
        Ok(self.tip.get(path).copied())
    }

    fn keep(&self, content: &[u8]) -> Result<Id, Lost> {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let mut id = [0; 20];
        id[..8].copy_from_slice(&hasher.finish().to_be_bytes());
        self.contents.borrow_mut().insert(id, content.into());
        Ok(id)
    }
}

impl World {
    fn version(&self, text: &str) -> Version {
        Version { mode: Mode::File, id: self.keep(text.as_bytes()).unwrap(), opaque: false }
    }

    /// The tip has this now.
    fn land(&mut self, symbols: &mut Symbols, name: &str, text: Option<&str>) {
        let version = text.map(|text| self.version(text));
        match version {
            Some(version) => self.tip.insert(path(name), version),
            None => self.tip.remove(&path(name)),
        };
        symbols.tip_moved([(path(name), version)], self).unwrap();
    }

    /// An agent has this now, having begun with what the tip had or has.
    fn edit(&self, symbols: &mut Symbols, agent: u64, name: &str, base: Option<&str>, text: Option<&str>) {
        let change = Change { base: base.map(|base| self.version(base)), side: text.map(|text| self.version(text)) };
        let change = (change.base != change.side).then_some(change);
        symbols.update(agent, [(path(name), change)], self).unwrap();
    }

    fn broken(&self, symbols: &Symbols) -> Vec<String> {
        symbols.examine(ANN, BOB, self).unwrap().iter().map(shown).collect()
    }
}

fn path(name: &str) -> Path {
    name.as_bytes().into()
}

fn shown(one: &Impact) -> String {
    format!(
        "{} {}: {}",
        one.definition.entity,
        one.definition.change,
        String::from_utf8_lossy(&one.affected.text.text).trim()
    )
}

fn read_all(symbols: &mut Symbols, world: &World) {
    symbols.index_some(world, || true);
    assert!(symbols.is_complete());
}

const BREAK: &str = "price parameter 'tax' added: return price(x)";

#[test]
fn it_is_known_before_the_tip_is_read_and_follows_every_edit() {
    let (mut world, mut symbols) = (World::default(), Symbols::default());
    world.land(&mut symbols, "shop.py", Some(SHOP));
    world.land(&mut symbols, "notes.txt", Some("no source"));
    world.edit(&mut symbols, ANN, "shop.py", Some(SHOP), Some(TAXED));
    world.edit(&mut symbols, BOB, "cart.py", None, Some(CART));
    assert_eq!(world.broken(&symbols), [BREAK], "what agents changed is read first");
    assert_eq!(symbols.examine(BOB, ANN, &world).unwrap(), []);
    read_all(&mut symbols, &world);
    assert_eq!(symbols.counts(), [1, 0, 0]);
    assert_eq!(world.broken(&symbols), [BREAK]);
    world.edit(&mut symbols, BOB, "cart.py", None, Some(&CART.replace("(x)\n", "(x, 1)\n")));
    assert_eq!(world.broken(&symbols), [""; 0]);
    world.edit(&mut symbols, BOB, "cart.py", None, Some(CART));
    world.edit(&mut symbols, ANN, "shop.py", Some(SHOP), Some(SHOP));
    assert_eq!(world.broken(&symbols), [""; 0]);
}

#[test]
fn a_use_that_leads_through_a_file_of_the_tip_is_found_once_that_is_read() {
    let (mut world, mut symbols) = (World::default(), Symbols::default());
    world.land(&mut symbols, "shop.py", Some(SHOP));
    world.land(&mut symbols, "front.py", Some("from shop import price\n"));
    world.edit(&mut symbols, ANN, "shop.py", Some(SHOP), Some(TAXED));
    world.edit(&mut symbols, BOB, "cart.py", None, Some(&CART.replace("from shop", "from front")));
    assert_eq!(world.broken(&symbols), [""; 0]);
    read_all(&mut symbols, &world);
    assert_eq!(world.broken(&symbols), [BREAK]);
}

#[test]
fn what_could_not_be_read_is_taken_in_when_it_can_be() {
    let (mut world, mut symbols) = (World::default(), Symbols::default());
    world.land(&mut symbols, "shop.py", Some(SHOP));
    world.edit(&mut symbols, ANN, "shop.py", Some(SHOP), Some(TAXED));
    world.edit(&mut symbols, BOB, "cart.py", None, Some(CART));
    assert_eq!(world.broken(&symbols), [BREAK]);
    let harmless = SHOP.replace("return", "return 0 +");
    let change = Change { base: Some(world.version(SHOP)), side: Some(world.version(&harmless)) };
    let content = world.contents.borrow_mut().remove(&change.side.unwrap().id).unwrap();
    let again = |symbols: &mut Symbols| symbols.update(ANN, [(path("shop.py"), Some(change))], &world);
    assert_eq!(again(&mut symbols), Err(Lost));
    world.contents.borrow_mut().insert(change.side.unwrap().id, content);
    assert_eq!(again(&mut symbols), Ok(true), "it is not taken for the same as before");
    assert_eq!(world.broken(&symbols), [""; 0]);
}

#[test]
fn what_has_landed_is_the_base_and_what_it_breaks_is_known_too() {
    let (mut world, mut symbols) = (World::default(), Symbols::default());
    world.land(&mut symbols, "shop.py", Some(SHOP));
    world.edit(&mut symbols, ANN, "shop.py", Some(SHOP), Some(TAXED));
    world.edit(&mut symbols, BOB, "cart.py", None, Some(CART));
    read_all(&mut symbols, &world);
    let before = [(path("shop.py"), Some(world.version(SHOP)))];
    world.land(&mut symbols, "shop.py", Some(TAXED));
    assert_eq!(world.broken(&symbols), [""; 0], "ann's change is the tip's now");
    let landed = |symbols: &mut Symbols, world: &World| -> Vec<String> {
        let landed = symbols.landed(before.clone(), world).unwrap();
        symbols.examine_landed(BOB, &landed, world).unwrap().iter().map(shown).collect()
    };
    assert_eq!(landed(&mut symbols, &world), [BREAK]);
    read_all(&mut symbols, &world);
    assert_eq!(landed(&mut symbols, &world), [BREAK]);
    world.edit(&mut symbols, BOB, "cart.py", None, Some(&CART.replace("(x)\n", "(x, 1)\n")));
    assert_eq!(landed(&mut symbols, &world), [""; 0]);
    // The comparison left the tip as it was.
    world.edit(&mut symbols, ANN, "shop.py", Some(TAXED), Some(SHOP));
    assert_eq!(world.broken(&symbols), ["price parameter 'tax' removed: return price(x, 1)"]);
}

#[test]
fn what_the_tip_changed_meanwhile_is_not_taken_for_the_agents_change() {
    let (mut world, mut symbols) = (World::default(), Symbols::default());
    let (first, second) = (format!("{SHOP}\n\ndef a():\n    pass\n"), format!("{SHOP}\n\ndef a(x):\n    pass\n"));
    world.land(&mut symbols, "shop.py", Some(&first));
    let own = first.replace("return item", "return 2 * item");
    world.edit(&mut symbols, ANN, "shop.py", Some(&first), Some(&own));
    world.edit(&mut symbols, BOB, "cart.py", None, Some("from shop import a\n\na(1)\n"));
    world.land(&mut symbols, "shop.py", Some(&second));
    read_all(&mut symbols, &world);
    assert_eq!(world.broken(&symbols), [""; 0], "ann's file is older, and she did not change a");
}

#[test]
fn who_uses_it_is_answered_from_outlines_and_all_work() {
    let (mut world, mut symbols) = (World::default(), Symbols::default());
    world.land(&mut symbols, "shop.py", Some(SHOP));
    world.land(&mut symbols, "old.py", Some(CART));
    world.edit(&mut symbols, BOB, "cart.py", None, Some(CART));
    read_all(&mut symbols, &world);
    let question = Question { symbol: Some("price".into()), limit: 10, ..Question::default() };
    let ask = |symbols: &mut Symbols| {
        let answer = symbols.answer(&question, [], &world).unwrap();
        let row = |one: &orchestrator_predict::Usage| (one.agent, one.used.path.clone(), one.used.kind);
        (answer.uses.iter().map(row).collect::<Vec<_>>(), answer.impacts.len(), answer.truncated)
    };
    let both = |agent: Option<u64>, path: &str| [(agent, path.to_owned(), "import"), (agent, path.to_owned(), "call")];
    let uses = [both(None, "old.py"), both(Some(BOB), "cart.py")].concat();
    assert_eq!(ask(&mut symbols), (uses.clone(), 0, false));
    assert_eq!(ask(&mut symbols), (uses, 0, false), "asking changes nothing");
}
