//! Everyone's work together: who is in it, what it is, and how it breaks.

use crate::memory::{Memory, TEXT, path};
use orchestrator_predict::{Agent, Break, Cause, Change, Finding, Id, Kind, Path, Source, Star, Union, Version};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

const TRY: &str = "\
class A {
    void a() {
        try {
            run();
        }
        // the first
        catch (IllegalStateException e) {
            first();
        }
        // the second
        catch (IllegalArgumentException e) {
            second();
        }
        // at last
        finally {
            last();
        }
        // done
    }
}
";
const CLAUSES: [&str; 3] = [
    "        catch (IllegalStateException e) {\n            first();\n        }\n",
    "        catch (IllegalArgumentException e) {\n            second();\n        }\n",
    "        finally {\n            last();\n        }\n",
];

/// Agents, a tip, and what is known of them.
struct World {
    memory: Memory,
    star: Star,
    union: Union,
}

impl World {
    fn new(tip: &[(&str, &str)]) -> Self {
        Self { memory: Memory::with_tip(tip), star: Star::default(), union: Union::default() }
    }

    /// What is found of each path that the save made due.
    fn save(&mut self, agent: Agent, name: &str, text: Option<&str>) -> Vec<Finding> {
        let (path, change) = self.memory.change(name, text);
        let change = change.filter(|change: &Change| change.base != change.side);
        let mut found = Vec::new();
        for path in self.star.update(agent, [(path, change)]) {
            let findings = self.star.examine(&path, &self.memory).unwrap();
            self.union.note(&self.star, &path, &findings);
            found.extend(findings);
        }
        found
    }

    fn revert(&mut self, agent: Agent, name: &str) {
        let text = self.memory.tip.get(name.as_bytes()).map(|tip| self.memory.contents.borrow()[&tip.id].clone());
        let text = text.map(|text| String::from_utf8_lossy(&text).into_owned());
        self.save(agent, name, text.as_deref());
    }

    /// The paths that were joined anew.
    fn work_off(&mut self) -> Vec<Path> {
        let mut joined = Vec::new();
        while let Some(path) = self.union.next_due() {
            self.union.join(&mut self.star, &path, &self.memory).unwrap();
            joined.push(path);
        }
        joined
    }

    fn breaks(&mut self) -> Vec<Break> {
        self.work_off();
        self.union.joined().flat_map(|(_, joined)| joined.breaks.clone()).collect()
    }

    /// Where the union is other than the tip, with its texts.
    fn changes(&mut self) -> BTreeMap<String, Option<String>> {
        self.work_off();
        let text = |version: Version| String::from_utf8_lossy(&self.memory.contents.borrow()[&version.id]).into_owned();
        let changes = self.union.changes(&mut self.star, &self.memory).unwrap().into_iter();
        changes.map(|(path, version)| (String::from_utf8_lossy(&path).into_owned(), version.map(text))).collect()
    }

    fn left_out(&self) -> Vec<(Agent, Vec<Option<Agent>>)> {
        self.union.left_out().map(|(agent, with)| (agent, with.into_iter().map(|(_, with)| with).collect())).collect()
    }
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn versions_that_go_together_are_one_whoever_changed_them() {
    let mut world = World::new(&[("a", TEXT), ("b", TEXT), ("gone", TEXT)]);
    world.save(1, "a", Some(&TEXT.replace("one", "ONE")));
    world.save(2, "a", Some(&TEXT.replace("four", "FOUR")));
    world.save(3, "a", Some(&TEXT.replace("seven", "SEVEN")));
    world.save(3, "b", Some("b\n"));
    world.save(1, "gone", None);
    world.save(2, "gone", None);
    assert_eq!(world.work_off(), [path("a"), path("gone")], "what one agent changed needs no work");
    let all = TEXT.replace("one", "ONE").replace("four", "FOUR").replace("seven", "SEVEN");
    let expected = [("a".into(), Some(all)), ("b".into(), text("b\n")), ("gone".into(), None)];
    assert_eq!(world.changes(), BTreeMap::from(expected));
    let joined: Vec<_> = world.union.joined().map(|(_, joined)| joined.agents.clone()).collect();
    assert_eq!(joined, [vec![1, 2, 3], vec![1, 2]]);

    world.save(3, "b", Some("c\n"));
    assert_eq!(world.work_off(), Vec::<Path>::new());
    world.revert(3, "a");
    assert_eq!(world.work_off(), [path("a")]);
}

#[test]
fn who_collides_is_left_out_at_every_path_and_comes_back() {
    let mut world = World::new(&[("a", TEXT), ("b", TEXT)]);
    for (agent, word) in [(1, "one"), (2, "four"), (3, "seven")] {
        world.save(agent, "b", Some(&TEXT.replace(word, "x")));
    }
    world.work_off();
    world.save(1, "a", Some(&TEXT.replace("one", "1")));
    world.save(2, "a", Some(&TEXT.replace("one", "I")));
    assert_eq!(world.work_off(), [path("a"), path("b")], "what they touch beside is joined anew");
    assert_eq!(world.left_out(), [(1, vec![Some(2)]), (2, vec![Some(1)])]);
    assert_eq!(world.changes(), BTreeMap::from([("b".into(), Some(TEXT.replace("seven", "x")))]));

    world.revert(2, "a");
    assert_eq!(world.left_out(), []);
    let all = TEXT.replace("one", "x").replace("four", "x").replace("seven", "x");
    assert_eq!(world.changes()["b"], Some(all));

    let landed = world.memory.file(&TEXT.replace("one", "landed"));
    world.memory.tip.insert(b"a".to_vec(), landed);
    let findings = world.star.examine(&path("a"), &world.memory).unwrap();
    world.union.note(&world.star, &path("a"), &findings);
    assert_eq!(world.left_out(), [(1, vec![None])], "landed work counts, too");
}

#[test]
fn what_settles_by_a_rule_is_in_it() {
    let mut world = World::new(&[("a", TEXT)]);
    world.save(1, "a", Some(&TEXT.replace('\n', "\r\n")));
    assert_eq!(world.save(2, "a", Some(&TEXT.replace("one", "ONE")))[0].kind, Kind::Settles);
    assert_eq!(world.changes()["a"], Some(TEXT.replace("one", "ONE").replace('\n', "\r\n")));
}

#[test]
fn a_renamed_file_is_joined_where_it_is_now() {
    let mut world = World::new(&[("old", TEXT)]);
    world.save(1, "old", Some(&TEXT.replace("one", "ONE")));
    world.save(2, "old", None);
    world.save(2, "new", Some(&TEXT.replace("seven", "SEVEN")));
    let all = Some(TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    assert_eq!(world.changes(), BTreeMap::from([("new".into(), all.clone()), ("old".into(), None)]));

    world.save(3, "old", None);
    world.save(3, "new", Some(&TEXT.replace("four", "FOUR")));
    assert_eq!(world.left_out(), [], "both moved it alike");
    assert_eq!(world.breaks(), []);
    let all = all.map(|text| text.replace("four", "FOUR"));
    assert_eq!(world.changes(), BTreeMap::from([("new".into(), all), ("old".into(), None)]));
}

#[test]
fn a_file_that_several_moved_alike_has_the_edits_of_who_did_not_move_it() {
    let mut world = World::new(&[("old", TEXT)]);
    for agent in [1, 2] {
        world.save(agent, "old", None);
        world.save(agent, "renamed", Some(&TEXT.replace("seven", "SEVEN")));
    }
    world.save(3, "old", Some(&TEXT.replace("one", "ONE")));
    let all = Some(TEXT.replace("one", "ONE").replace("seven", "SEVEN"));
    let expected = BTreeMap::from([("old".into(), None), ("renamed".into(), all)]);
    assert_eq!(world.changes(), expected);
    let joined: Vec<_> = world.union.joined().map(|(path, joined)| (path.clone(), joined.agents.clone())).collect();
    assert_eq!(joined, [(path("old"), vec![1, 2, 3])], "it is told once");

    world.save(2, "old", Some(TEXT));
    assert_eq!(world.left_out(), []);
    assert_eq!(world.changes(), expected, "who has it there, too, and did not move it takes nothing away");
}

#[test]
fn three_that_can_be_parsed_in_pairs_may_be_no_program_together() {
    let mut world = World::new(&[("A.java", TRY)]);
    world.save(7, "A.java", Some(&TRY.replace("class A ", "class Able ")));
    for (agent, clause) in [(1, CLAUSES[0]), (2, CLAUSES[1]), (3, CLAUSES[2])] {
        assert_eq!(world.save(agent, "A.java", Some(&TRY.replace(clause, ""))), [], "in pairs they go together");
    }
    let breaks = world.breaks();
    assert_eq!(breaks.len(), 1, "{breaks:?}");
    let Break { finding, with, cause } = &breaks[0];
    assert_eq!((finding.first, with, *cause), (3, &vec![1, 2], Cause::DoesNotParse), "who is not needed is not named");
    let removed: Vec<_> = finding.regions.iter().map(|one| String::from_utf8_lossy(&one.base.text)).collect();
    assert_eq!(removed, CLAUSES, "everyone's lines are named");
    assert_eq!(finding.regions[2].first.lines, 0);
    assert_eq!(finding.regions[2].second.text, CLAUSES[2].as_bytes());
    let rest = TRY.replace(CLAUSES[0], "").replace(CLAUSES[1], "").replace("class A ", "class Able ");
    assert_eq!(world.changes()["A.java"], Some(rest), "without the last it goes together");

    world.revert(1, "A.java");
    assert_eq!(world.breaks(), []);
}

/// Contents that cannot be read at the moment.
struct Unreadable<'a>(&'a Memory);

impl Source for Unreadable<'_> {
    type Error = ();

    fn content(&self, _: &Id) -> Result<Arc<[u8]>, ()> {
        Err(())
    }

    fn tip(&self, path: &Path) -> Result<Option<Version>, ()> {
        self.0.tip(path).map_err(|never| match never {})
    }

    fn keep(&self, _: &[u8]) -> Result<Id, ()> {
        Err(())
    }
}

#[test]
fn what_could_not_be_read_is_joined_anew_when_it_is_not_shared_any_more() {
    let mut world = World::new(&[("A.java", TRY)]);
    for (agent, clause) in [(1, CLAUSES[0]), (2, CLAUSES[1]), (3, CLAUSES[2])] {
        world.save(agent, "A.java", Some(&TRY.replace(clause, "")));
    }
    assert_eq!(world.breaks().len(), 1);
    world.save(3, "A.java", Some(&TRY.replace("run()", "go()")));
    for agent in [1, 2] {
        let path = world.union.next_due().unwrap();
        assert_eq!(world.union.join(&mut world.star, &path, &Unreadable(&world.memory)), Err(()));
        assert_eq!(world.union.joined().count(), 1, "what was known of it stands");
        world.revert(agent, "A.java");
    }
    assert_eq!(world.work_off(), [path("A.java")], "so that what was told of it is withdrawn");
    assert_eq!(world.breaks(), []);
    assert_eq!(world.changes(), BTreeMap::from([("A.java".into(), Some(TRY.replace("run()", "go()")))]));
}

#[test]
fn three_that_merge_in_pairs_may_collide_together() {
    let (block, middle) = (lines("block", 8), lines("middle", 3));
    let base = format!("{block}{}{middle}{}", lines("between", 1), lines("end", 3));
    let mut world = World::new(&[("a", &base)]);
    // One takes the block away, another one puts a copy behind: together they moved it, or what stood between.
    world.save(1, "a", Some(&base.replace(&block, "")));
    world.save(2, "a", Some(&base.replace("end 0\n", &format!("end 0\n{block}"))));
    world.save(3, "a", Some(&base.replace("middle 1", "MIDDLE 1")));
    let breaks = world.breaks();
    assert_eq!(world.left_out(), []);
    assert_eq!(breaks.len(), 1);
    let Break { finding, with, cause } = &breaks[0];
    assert_eq!((finding.first, with, *cause), (3, &vec![1, 2], Cause::Collides));
    let region = &finding.regions[0];
    let texts = [&region.base, &region.first, &region.second].map(|part| String::from_utf8_lossy(&part.text));
    let stood = format!("{}{middle}end 0\n", lines("between", 1));
    assert_eq!(texts, [stood.clone(), stood.replace("middle 1", "MIDDLE 1"), String::new()]);
}

fn lines(name: &str, count: usize) -> String {
    (0..count).map(|number| format!("{name} {number}\n")).collect()
}

/// Versions that collide in pairs, break the union by lines or as a program, or go together.
fn versions(base: &str, block: &str) -> Vec<Option<String>> {
    let edits = [("class A ", "class Able "), ("run()", "go()"), ("// done", "// over"), ("first();", "one();")];
    let mut all = vec![None, Some(String::new()), Some(base.to_owned())];
    all.extend(edits.map(|(from, to)| Some(base.replace(from, to))));
    all.extend(CLAUSES.map(|clause| Some(base.replace(clause, ""))));
    all.push(Some(base.replace(block, "")));
    all.push(Some(format!("{base}// end\n{block}")));
    all.push(Some(base.replace("// the second", "// another")));
    all
}

/// All that is known of a union.
fn all(world: &mut World) -> impl PartialEq + std::fmt::Debug + use<> {
    let changes = world.changes();
    let joined: Vec<_> = world.union.joined().map(|(path, joined)| (path.clone(), joined.clone())).collect();
    (changes, joined, world.left_out())
}

proptest! {
    /// Whatever is saved in whatever order, and whenever it is joined, the union is that of one that is built anew.
    #[test]
    fn the_union_follows_from_the_last_state_alone(
        saves in prop::collection::vec((1..6_u64, 0..4_usize, 0..13_usize, any::<bool>()), 1..40),
    ) {
        let block: String = TRY.lines().take(6).map(|line| format!("{line}\n")).collect();
        let versions = versions(TRY, &block);
        let names = ["A.java", "B.java", "New.java", "A.java/in"];
        let mut world = World::new(&[("A.java", TRY), ("B.java", TRY)]);
        let mut last = BTreeMap::new();
        for (agent, name, version, works) in saves {
            world.save(agent, names[name], versions[version].as_deref());
            last.insert((agent, names[name]), versions[version].as_deref());
            if works {
                world.work_off();
            }
        }
        let mut anew = World::new(&[("A.java", TRY), ("B.java", TRY)]);
        for ((agent, name), version) in last {
            anew.save(agent, name, version);
        }
        prop_assert_eq!(all(&mut world), all(&mut anew));
    }

    /// Where nothing breaks, the order says nothing.
    #[test]
    fn a_union_that_holds_is_the_same_in_any_order(
        edits in prop::collection::vec((1..6_u64, 0..12_usize, 0..3_usize), 1..20),
        order in Just(vec![1, 2, 3, 4, 5_u64]).prop_shuffle(),
    ) {
        let base: Vec<String> = (0..24).map(|line| format!("line {line}\n")).collect();
        let mut works: BTreeMap<Agent, Vec<String>> = BTreeMap::new();
        for (agent, place, edit) in edits {
            let line = &mut works.entry(agent).or_insert_with(|| base.clone())[place * 2];
            *line = [String::new(), format!("edited {place}\n"), format!("{line}added by {agent}\n")][edit].clone();
        }
        let union = |number: &dyn Fn(Agent) -> Agent| {
            let mut world = World::new(&[("a", &base.concat())]);
            for (agent, work) in &works {
                world.save(number(*agent), "a", Some(&work.concat()));
            }
            world.breaks().is_empty().then(|| world.changes())
        };
        let before = union(&|agent| agent);
        let after = union(&|agent| order[usize::try_from(agent - 1).unwrap()]);
        if let Some((before, after)) = before.zip(after) {
            prop_assert_eq!(before, after);
        }
    }
}
