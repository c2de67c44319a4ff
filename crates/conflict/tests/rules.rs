//! The life of edits and conflicts, driven through the public interface.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_conflict::{Applied, Command, Error, Event, Overlap, State, superseded};
use orchestrator_protocol::{AgentId, ChangeType, ConflictType, Severity, UnionBreak};
use proptest::prelude::*;

/// A state with a counter in place of the log.
#[derive(Default)]
struct World {
    state: State,
    seq: u64,
}

impl World {
    fn run(&mut self, command: &Command) -> Result<Vec<Event>, Error> {
        let events = self.state.decide(command, 5)?;
        for event in &events {
            self.seq += 1;
            self.state.apply(self.seq, event);
        }
        Ok(events)
    }

    fn change(&mut self, name: &str, path: &str, change_type: ChangeType) -> Vec<Event> {
        self.run(&change(Some(name), path, change_type)).unwrap()
    }
}

fn id(name: &str) -> AgentId {
    name.parse().unwrap()
}

fn change(name: Option<&str>, path: &str, change_type: ChangeType) -> Command {
    Command::Change {
        path: path.into(),
        agent: name.map(id),
        change_type,
        hash: None,
        previous_hash: None,
        previous_path: None,
    }
}

#[test]
fn two_agents_on_one_file_are_one_conflict_however_often_they_save() {
    let mut world = World::default();
    assert_eq!(world.change("a", "x.py", ChangeType::Modified).len(), 1);
    let found = world.change("b", "x.py", ChangeType::Modified);
    assert!(
        matches!(&found[1], Event::Detected { agents, severity: Severity::Medium, .. } if *agents == [id("a"), id("b")])
    );
    assert_eq!(world.change("a", "x.py", ChangeType::Modified).len(), 1);
    assert_eq!(world.change("b", "y.py", ChangeType::Modified).len(), 1, "another file is another matter");
    let joined = world.change("c", "x.py", ChangeType::Modified);
    assert!(matches!(&joined[1], Event::Widened { agents, .. } if agents.len() == 3));
    assert_eq!(world.state.conflicts().open().count(), 1);
}

#[test]
fn deleting_what_another_edits_is_critical() {
    let mut world = World::default();
    world.change("a", "x.py", ChangeType::Modified);
    let found = world.change("b", "x.py", ChangeType::Deleted);
    assert!(matches!(
        found[1],
        Event::Detected { conflict_type: ConflictType::DeleteModify, severity: Severity::Critical, .. }
    ));
}

#[test]
fn a_resolved_overlap_stays_quiet_until_somebody_saves_again() {
    let mut world = World::default();
    world.change("a", "x.py", ChangeType::Modified);
    world.change("b", "x.py", ChangeType::Modified);
    let (conflict, _) = world.state.conflicts().open().next().unwrap();
    let resolve = Command::Resolve { id: conflict, strategy: "ours".into(), by: Some("a".into()), applied: None };
    world.run(&resolve).unwrap();
    assert_eq!(world.state.conflicts().open().count(), 0);
    assert_eq!(
        world.run(&resolve).unwrap_err(),
        Error::AlreadyResolved { id: format!("c{conflict}"), strategy: "ours".into() }
    );
    assert_eq!(world.change("a", "x.py", ChangeType::Modified).len(), 2);
    assert_eq!(world.state.conflicts().resolved(), 1);
}

#[test]
fn a_merged_result_settles_what_it_was_made_from_and_knows_its_takers() {
    let mut world = World::default();
    world.run(&found(None, "one", false)).unwrap();
    let first = world.seq;
    let applied = |fingerprint: &str| {
        Some(Box::new(Applied {
            fingerprint: fingerprint.into(),
            taken: None,
            forced: false,
            kept: "refs/resolution/x".into(),
            commit: "c".into(),
            path: "x.py".into(),
            result: None,
            size: 0,
            base: None,
            sides: Vec::new(),
            between: vec!["half".into()],
        }))
    };
    let resolve = |fingerprint: &str| Command::Resolve {
        id: first,
        strategy: "ours".into(),
        by: None,
        applied: applied(fingerprint),
    };
    assert_eq!(world.run(&resolve("other")).unwrap_err(), Error::Changed(format!("c{first}")));
    let pulled = |name: &str, backup: Option<&str>| Command::Pulled {
        id: first,
        agent: id(name),
        backup: backup.map(Into::into),
    };
    assert_eq!(world.run(&pulled("a", None)).unwrap_err(), Error::Unknown(format!("c{first}")));
    let is_superseded = |world: &World| superseded(world.state.conflicts().all()).contains(&first);
    world.run(&resolve("one")).unwrap();
    assert!(matches!(world.run(&resolve("one")), Err(Error::AlreadyResolved { .. })));
    for known in ["one", "half"] {
        assert_eq!(world.run(&found(None, known, false)).unwrap(), [], "{known} is settled");
    }
    assert_eq!(world.run(&pulled("a", Some("refs/backup/1"))).unwrap().len(), 1);
    assert_eq!(world.run(&pulled("A", None)).unwrap(), [], "known already");
    assert_eq!(world.state.conflicts().get(first).unwrap().pulled_by, [id("a")]);
    assert!(!is_superseded(&world));
    world.run(&found(None, "two", false)).unwrap();
    assert!(is_superseded(&world));
    let gone = Command::Gone { path: "x.py".into(), agents: vec![id("a"), id("b")], target: None, subject: None };
    world.run(&gone).unwrap();
    assert!(!is_superseded(&world), "what came after is gone");
}

#[test]
fn a_conflict_whose_other_side_left_is_withdrawn() {
    let mut world = World::default();
    for name in ["a", "b", "c"] {
        world.change(name, "x.py", ChangeType::Modified);
    }
    let events = world.run(&Command::Withdraw { agent: id("A") }).unwrap();
    assert_eq!(events.len(), 1, "two sides are left");
    let events = world.run(&Command::Withdraw { agent: id("b") }).unwrap();
    assert!(matches!(&events[1], Event::Resolved { strategy, .. } if strategy == "withdrawn"));
}

#[test]
fn an_edit_ends_with_its_term_unless_the_file_changed_in_between() {
    let mut world = World::default();
    world.change("a", "x.py", ChangeType::Modified);
    let armed = world.seq;
    world.change("a", "x.py", ChangeType::Modified);
    let over = |seq| Command::EditTermOver { path: "x.py".into(), agent: id("a"), seq };
    assert!(world.run(&over(armed)).unwrap().is_empty());
    assert_eq!(world.run(&over(world.seq)).unwrap().len(), 1);
    assert!(world.state.edits().is_empty());
}

#[test]
fn every_change_is_listed_however_quickly_they_come() {
    let mut world = World::default();
    for _ in 0..3 {
        world.change("a", "x.py", ChangeType::Modified);
    }
    world.run(&change(None, "x.py", ChangeType::Deleted)).unwrap();
    assert_eq!(world.state.edits().changes(0).count(), 4);
    assert_eq!(world.state.edits().changes(3).count(), 1);
}

#[test]
fn monitoring_is_started_and_stopped_once() {
    let mut world = World::default();
    assert_eq!(world.run(&Command::StartMonitoring).unwrap(), [Event::MonitoringStarted]);
    assert!(world.run(&Command::StartMonitoring).unwrap().is_empty());
    assert!(world.state.monitoring().is_some());
    assert_eq!(world.run(&Command::StopMonitoring).unwrap(), [Event::MonitoringStopped]);
    assert!(world.run(&Command::StopMonitoring).unwrap().is_empty());
}

proptest! {
    /// W5 by file: whoever edits with another has an open conflict, and none stays open without an overlap.
    #[test]
    fn open_conflicts_are_exactly_the_overlaps(
        steps in prop::collection::vec((0..3_usize, 0..2_usize, 0..4_usize), 1..80)
    ) {
        let (names, paths) = (["a", "b", "c"], ["x", "y"]);
        let mut world = World::default();
        for (name, path, what) in steps {
            match what {
                0 => {
                    world.run(&Command::Withdraw { agent: id(names[name]) }).unwrap();
                }
                1 => {
                    world.change(names[name], paths[path], ChangeType::Deleted);
                }
                _ => {
                    world.change(names[name], paths[path], ChangeType::Modified);
                }
            }
            for path in paths {
                let overlap = world.state.edits().of(path).len() > 1;
                prop_assert_eq!(overlap, world.state.conflicts().open_on(path).is_some());
            }
            prop_assert!(world.state.conflicts().open().count() <= paths.len());
        }
    }
}

/// What was found between a and b in x.py: lines, or something about a subject.
fn found(subject: Option<&str>, fingerprint: &str, signature: bool) -> Command {
    let conflict_type = if subject.is_some() { ConflictType::Semantic } else { ConflictType::Content };
    let overlap = Overlap {
        path: "x.py".into(),
        agents: vec![id("a"), id("b")],
        target: None,
        conflict_type,
        fingerprint: fingerprint.into(),
        agent_paths: Vec::new(),
        regions: 1,
        subject: subject.map(str::to_owned),
        affected: subject.map(|_| id("b")),
        snapshot: None,
        union_break: None,
        entities: Vec::new(),
    };
    Command::Found { overlap: Box::new(overlap), settles: false, signature, regions: Vec::new(), impact: None }
}

#[test]
fn a_union_that_breaks_is_critical_and_beside_what_collides_in_pairs() {
    let mut world = World::default();
    let pair = found(None, "1", false);
    let mut whole = pair.clone();
    let Command::Found { overlap, .. } = &mut whole else { unreachable!() };
    overlap.agents.push(id("c"));
    overlap.subject = Some("union\nx.py".into());
    overlap.union_break = Some(UnionBreak::Collides);
    for command in [&pair, &whole] {
        assert_eq!(world.run(command).unwrap().len(), 1);
        assert_eq!(world.run(command).unwrap().len(), 0, "the same again is not told");
    }
    let open: Vec<_> = world.state.conflicts().open().map(|(_, one)| (one.agents.len(), one.severity)).collect();
    assert_eq!(open, [(2, Severity::Medium), (3, Severity::Critical)]);
}

fn gone(path: &str, subject: Option<&str>) -> Command {
    let agents = vec![id("a"), id("b")];
    Command::Gone { path: path.into(), agents, target: None, subject: subject.map(str::to_owned) }
}

#[test]
fn what_is_semantic_is_told_from_lines_and_from_other_subjects() {
    let mut world = World::default();
    for (command, events) in [
        (found(None, "1", false), 1),
        (found(Some("price"), "1", true), 1),
        (found(Some("label"), "1", true), 1),
        (found(Some("price"), "1", true), 0),
        (found(Some("price"), "2", true), 1),
    ] {
        assert_eq!(world.run(&command).unwrap().len(), events, "{command:?}");
    }
    assert_eq!(world.state.conflicts().open().count(), 3, "what changes stays the same record");
    let severities: Vec<Severity> = world.state.conflicts().open().map(|(_, one)| one.severity).collect();
    assert_eq!(severities, [Severity::Medium, Severity::High, Severity::High]);
    // Its file may be another one by now.
    assert_eq!(world.run(&gone("y.py", Some("price"))).unwrap().len(), 1);
    assert_eq!(world.run(&gone("y.py", None)).unwrap().len(), 0);
    assert_eq!(world.run(&gone("x.py", None)).unwrap().len(), 1);
    let left: Vec<Option<&str>> = world.state.conflicts().open().map(|(_, one)| one.subject.as_deref()).collect();
    assert_eq!(left, [Some("label")]);
}

#[test]
fn lines_that_change_a_signature_are_severe() {
    let mut world = World::default();
    world.run(&found(None, "1", true)).unwrap();
    assert_eq!(world.state.conflicts().open().next().unwrap().1.severity, Severity::High);
}

#[test]
fn an_overlap_written_before_there_were_subjects_is_read() {
    let old = r#"{"path":"x.py","agents":["a","b"],"target":null,"conflict_type":"content","fingerprint":"1","agent_paths":[],"regions":1}"#;
    let read: Overlap = serde_json::from_str(old).unwrap();
    assert_eq!((read.subject.as_ref(), serde_json::to_string(&read).unwrap().as_str()), (None, old));
}
