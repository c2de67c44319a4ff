//! The rules of the queue, from the outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_landing::{Command, Error, GateRun, Landings, MOST_ENDED, Open, Request};
use orchestrator_protocol::{GateVerdict, MergeState};
use proptest::prelude::*;

fn request(agent: &str, work: &str, priority: i32) -> Command {
    Command::Request(Request {
        agent: agent.parse().unwrap(),
        target: "main".into(),
        message: "m".into(),
        priority,
        commit: work.into(),
        kept: format!("refs/landing/{work}"),
    })
}

fn merged(id: u64, required: &[&str]) -> Command {
    Command::Merged {
        id,
        tree: "t".into(),
        paths: 1,
        settled: Vec::new(),
        required: required.iter().map(|&digest| digest.into()).collect(),
    }
}

fn ran(id: u64, digest: &str, verdict: GateVerdict) -> Command {
    let run = GateRun {
        name: digest.into(),
        digest: digest.into(),
        required: true,
        verdict,
        exit_code: Some(0),
        millis: 1,
        flaky: false,
        cached: false,
        not_enforced: Vec::new(),
        tail: String::new(),
    };
    Command::GateEnded { id, run }
}

fn intend(id: u64, tree: &str) -> Command {
    let (branch, from, to) = ("main".into(), Some("a".into()), "c".into());
    Command::Intend { id, branch, from, to, tree: tree.into(), backup: "b".into() }
}

#[derive(Default)]
struct World {
    landings: Landings,
    seq: u64,
}

impl World {
    fn give(&mut self, command: &Command) -> Result<u64, Error> {
        for event in self.landings.decide(command, 5)? {
            self.seq += 1;
            self.landings.apply(self.seq, &event);
        }
        Ok(self.seq)
    }

    fn state(&self, id: u64) -> MergeState {
        self.landings.get(id).unwrap().state
    }
}

#[test]
fn a_landing_goes_through_every_step_in_order() {
    let mut world = World::default();
    let id = world.give(&request("ann", "w1", 0)).unwrap();
    assert!(matches!(world.give(&merged(id, &[])), Err(Error::OutOfOrder { .. })), "nothing was begun");
    world.give(&Command::Begin { id, tip: "a".into() }).unwrap();
    assert!(matches!(world.give(&intend(id, "t")), Err(Error::OutOfOrder { .. })), "nothing is merged");
    world.give(&merged(id, &["g1", "g2"])).unwrap();
    world.give(&ran(id, "g1", GateVerdict::Passed)).unwrap();
    assert!(matches!(world.give(&intend(id, "t")), Err(Error::OutOfOrder { .. })), "a gate is missing");
    world.give(&ran(id, "g2", GateVerdict::TimedOut)).unwrap();
    assert!(matches!(world.give(&intend(id, "t")), Err(Error::OutOfOrder { .. })), "a gate did not pass");
    world.give(&ran(id, "g2", GateVerdict::Passed)).unwrap();
    assert!(matches!(world.give(&intend(id, "other")), Err(Error::OutOfOrder { .. })), "not what was gated");
    assert!(matches!(world.give(&Command::Land { id }), Err(Error::OutOfOrder { .. })), "nothing was meant");
    world.give(&intend(id, "t")).unwrap();
    assert!(matches!(world.give(&Command::Cancel { id }), Err(Error::Over { .. })), "the branch may have moved");
    world.give(&Command::Land { id }).unwrap();
    assert_eq!(world.state(id), MergeState::Landed);
    assert!(matches!(world.give(&Command::Requeue { id, reason: "r".into() }), Err(Error::Over { .. })));
}

#[test]
fn what_moved_meanwhile_begins_anew_with_nothing_of_what_was_found() {
    let mut world = World::default();
    let id = world.give(&request("ann", "w1", 0)).unwrap();
    world.give(&Command::Begin { id, tip: "a".into() }).unwrap();
    world.give(&merged(id, &["g"])).unwrap();
    world.give(&ran(id, "g", GateVerdict::Passed)).unwrap();
    world.give(&intend(id, "t")).unwrap();
    world.give(&Command::Requeue { id, reason: "main moved".into() }).unwrap();
    let landing = world.landings.get(id).unwrap();
    assert_eq!((landing.state, landing.attempts), (MergeState::Queued, 1));
    assert!(landing.intent.is_none() && landing.gates.is_empty() && landing.tree.is_none());
    world.give(&Command::Begin { id, tip: "b".into() }).unwrap();
    world.give(&merged(id, &["g"])).unwrap();
    assert!(
        matches!(world.give(&intend(id, "t")), Err(Error::OutOfOrder { .. })),
        "the old pass is none of the new tree"
    );
}

#[test]
fn the_same_work_is_one_landing_while_it_is_open() {
    let mut world = World::default();
    let id = world.give(&request("ann", "w1", 0)).unwrap();
    assert_eq!(world.give(&request("ANN", "w1", 3)).unwrap(), id, "nothing happened");
    let other = world.give(&request("ann", "w2", 0)).unwrap();
    assert_ne!(other, id);
    world.give(&Command::Cancel { id }).unwrap();
    world.give(&Command::Cancel { id }).unwrap();
    assert_ne!(world.give(&request("ann", "w1", 0)).unwrap(), other, "asked for again, it is a new one");
}

#[test]
fn the_highest_priority_goes_first_then_the_oldest() {
    let mut world = World::default();
    let [low, high, later] =
        [(0, "a"), (5, "b"), (5, "c")].map(|(at, work)| world.give(&request("ann", work, at)).unwrap());
    let next = |world: &World| world.landings.next().map(|landing| landing.id);
    assert_eq!(next(&world), Some(high));
    world.give(&Command::Begin { id: high, tip: "a".into() }).unwrap();
    assert_eq!(next(&world), Some(later));
    world.give(&Command::Cancel { id: later }).unwrap();
    assert_eq!(next(&world), Some(low));
}

#[test]
fn of_ended_landings_the_newest_are_remembered_and_open_ones_always() {
    let mut world = World::default();
    let open = world.give(&request("ann", "stays", 0)).unwrap();
    for number in 0..MOST_ENDED + 5 {
        let id = world.give(&request("ann", &format!("w{number}"), 0)).unwrap();
        world.give(&Command::Cancel { id }).unwrap();
    }
    assert_eq!(world.landings.all().count(), MOST_ENDED + 1);
    assert!(world.landings.get(open).is_some());
}

fn any_step() -> impl Strategy<Value = Command> {
    let id = || 1..4_u64;
    let verdict = prop_oneof![Just(GateVerdict::Passed), Just(GateVerdict::Failed), Just(GateVerdict::Killed)];
    prop_oneof![
        (0..3_usize).prop_map(|at| request("ann", ["x", "y", "z"][at], 0)),
        id().prop_map(|id| Command::Cancel { id }),
        id().prop_map(|id| Command::Begin { id, tip: "a".into() }),
        id().prop_map(|id| merged(id, &["g"])),
        (id(), verdict).prop_map(|(id, verdict)| ran(id, "g", verdict)),
        id().prop_map(|id| intend(id, "t")),
        id().prop_map(|id| Command::Land { id }),
        id().prop_map(|id| Command::Requeue { id, reason: "r".into() }),
        id().prop_map(|id| Command::Stop {
            id,
            state: MergeState::Rejected,
            reason: "r".into(),
            open: Vec::<Open>::new()
        }),
    ]
}

proptest! {
    /// Whatever is asked in whatever order, nothing lands that was not meant, and nothing is meant without its gates.
    #[test]
    fn nothing_lands_that_did_not_pass(steps in prop::collection::vec(any_step(), 1..80)) {
        let mut world = World::default();
        for step in steps {
            let _refused = world.give(&step);
            for landing in world.landings.all() {
                let passed = landing.gates.iter().any(|run| run.digest == "g" && run.verdict == GateVerdict::Passed);
                if landing.intent.is_some() {
                    prop_assert!(passed && landing.tree.is_some(), "{landing:?}");
                }
                if landing.state == MergeState::Landed {
                    prop_assert!(landing.intent.is_some(), "{landing:?}");
                }
            }
        }
    }
}

#[test]
fn what_was_meant_and_cannot_be_done_is_taken_back() {
    let mut world = World::default();
    let id = world.give(&request("ann", "w1", 0)).unwrap();
    world.give(&Command::Begin { id, tip: "a".into() }).unwrap();
    world.give(&merged(id, &[])).unwrap();
    world.give(&intend(id, "t")).unwrap();
    let (state, reason) = (MergeState::Rejected, "r".to_owned());
    world.give(&Command::Stop { id, state, reason, open: Vec::new() }).unwrap();
    assert!(world.landings.get(id).unwrap().intent.is_none());
    assert!(matches!(world.give(&Command::Land { id }), Err(Error::OutOfOrder { .. })));
}
