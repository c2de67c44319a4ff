//! The rules of the queue, from the outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_landing::{
    Command, Error, Event, GateRun, Landings, MOST_ENDED, MOST_OPEN, Open, RAISE, Request, WINDOW,
};
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
        regions: Vec::new(),
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
    let (branch, from, to, onto) = ("main".into(), Some("a".into()), "c".into(), "a".into());
    Command::Intend { id, with: Vec::new(), onto, branch, from, to, tree: tree.into(), backup: "b".into() }
}

/// The last of a batch, with those before it.
fn intend_all(id: u64, with: &[u64]) -> Command {
    let before: Vec<(u64, String)> = with.iter().map(|id| (*id, format!("c{id}"))).collect();
    match intend(id, "t") {
        Command::Intend { id, onto, branch, from, to, tree, backup, .. } => {
            Command::Intend { id, with: before, onto, branch, from, to, tree, backup }
        }
        other => other,
    }
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
    world.give(&Command::Begin { id, tip: "a".into(), after: None }).unwrap();
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
    world.give(&Command::Begin { id, tip: "a".into(), after: None }).unwrap();
    world.give(&merged(id, &["g"])).unwrap();
    world.give(&ran(id, "g", GateVerdict::Passed)).unwrap();
    world.give(&intend(id, "t")).unwrap();
    world.give(&Command::Requeue { id, reason: "main moved".into() }).unwrap();
    let landing = world.landings.get(id).unwrap();
    assert_eq!((landing.state, landing.attempts), (MergeState::Queued, 1));
    assert!(landing.intent.is_none() && landing.gates.is_empty() && landing.tree.is_none());
    world.give(&Command::Begin { id, tip: "b".into(), after: None }).unwrap();
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
fn the_most_urgent_go_first_then_the_oldest() {
    let mut world = World::default();
    let [low, high, later] =
        [(0, "a"), (5, "b"), (5, "c")].map(|(at, work)| world.give(&request("ann", work, at)).unwrap());
    let next = |world: &World| world.landings.window().first().map(|landing| landing.id);
    assert_eq!(next(&world), Some(high));
    world.give(&Command::Begin { id: high, tip: "a".into(), after: None }).unwrap();
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
        id().prop_map(|id| Command::Begin { id, tip: "a".into(), after: None }),
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
    world.give(&Command::Begin { id, tip: "a".into(), after: None }).unwrap();
    world.give(&merged(id, &[])).unwrap();
    world.give(&intend(id, "t")).unwrap();
    let (state, reason) = (MergeState::Rejected, "r".to_owned());
    world.give(&Command::Stop { id, state, reason, open: Vec::new() }).unwrap();
    assert!(world.landings.get(id).unwrap().intent.is_none());
    assert!(matches!(world.give(&Command::Land { id }), Err(Error::OutOfOrder { .. })));
}

#[test]
fn waiting_raises_what_others_overtake_and_so_nothing_waits_for_ever() {
    let mut world = World::default();
    let patient = world.give(&request("ann", "patient", 0)).unwrap();
    let first = |world: &World| world.landings.window()[0].id;
    for number in 0..2 * RAISE {
        let urgent = world.give(&request("bob", &format!("u{number}"), 1)).unwrap();
        assert_eq!(first(&world), if number < RAISE { urgent } else { patient }, "{number}");
        world.give(&Command::Begin { id: urgent, tip: "a".into(), after: None }).unwrap();
        world.give(&Command::Cancel { id: urgent }).unwrap();
    }
    assert_eq!(world.landings.get(patient).unwrap().urgency(), 2);
    for number in 0..2 * WINDOW {
        world.give(&request("cy", &format!("c{number}"), 0)).unwrap();
    }
    assert_eq!((world.landings.window().len(), first(&world)), (WINDOW, patient));
}

#[test]
fn what_is_beyond_the_limit_of_open_landings_is_refused() {
    let mut world = World::default();
    let mut newest = 0;
    for number in 0..MOST_OPEN {
        let Command::Request(request) = request("ann", &format!("w{number}"), 0) else { panic!() };
        newest = number as u64 + 1;
        world.landings.apply(newest, &Event::Requested { request: Box::new(request), at: 5 });
    }
    world.seq = newest;
    assert_eq!(world.give(&request("ann", "more", 0)), Err(Error::Full(MOST_OPEN)));
    assert_eq!(world.give(&request("ann", "w0", 0)), Ok(newest), "the same work is one landing, also then");
    world.give(&Command::Cancel { id: newest }).unwrap();
    assert!(world.give(&request("ann", "more", 0)).is_ok());
}

/// Three landings, each merged onto the one before.
fn chain(world: &mut World) -> [u64; 3] {
    let ids = ["w1", "w2", "w3"].map(|work| world.give(&request("ann", work, 0)).unwrap());
    let mut after = None;
    for id in ids {
        world.give(&Command::Begin { id, tip: "a".into(), after }).unwrap();
        world.give(&merged(id, &["g"])).unwrap();
        after = Some(id);
    }
    ids
}

#[test]
fn a_batch_moves_in_one_step_with_the_gates_of_its_last() {
    let mut world = World::default();
    let [one, two, three] = chain(&mut world);
    assert!(matches!(world.give(&intend_all(three, &[one, two])), Err(Error::OutOfOrder { .. })), "not gated");
    world.give(&ran(three, "g", GateVerdict::Passed)).unwrap();
    for with in [&[][..], &[two], &[two, one], &[one]] {
        let refused = world.give(&intend_all(three, with));
        assert!(matches!(refused, Err(Error::OutOfOrder { .. })), "{with:?} is not all that it stands on");
    }
    let events = world.landings.decide(&intend_all(three, &[one, two]), 5).unwrap();
    let steps = events.iter().map(|event| match event {
        Event::Intended { id, from, to, onto, .. } => (*id, from.clone().unwrap(), to.clone(), onto.clone().unwrap()),
        other => panic!("{other:?}"),
    });
    let step = |id, from: &str, to: &str| (id, from.to_owned(), to.to_owned(), from.to_owned());
    let (c1, c2) = (format!("c{one}"), format!("c{two}"));
    assert_eq!(steps.collect::<Vec<_>>(), [step(one, "a", &c1), step(two, &c1, &c2), step(three, &c2, "c")]);
    world.give(&intend_all(three, &[one, two])).unwrap();
    let batch = world.landings.get(one).unwrap().batch.clone().unwrap();
    assert_eq!((batch.members.as_slice(), batch.tree.as_str()), (&[one, two, three][..], "t"));
    assert_eq!(world.landings.get(two).unwrap().gates.len(), 1, "those of the last");
    assert!(matches!(world.give(&Command::Cancel { id: two }), Err(Error::Over { .. })), "the branch may have moved");
    world.give(&Command::Land { id: three }).unwrap();
    assert!([one, two, three].iter().all(|id| world.state(*id) == MergeState::Landed));
}

#[test]
fn a_batch_whose_branch_moved_begins_anew_as_a_whole() {
    let mut world = World::default();
    let [one, two, three] = chain(&mut world);
    world.give(&ran(three, "g", GateVerdict::Passed)).unwrap();
    world.give(&intend_all(three, &[one, two])).unwrap();
    world.give(&Command::Requeue { id: three, reason: "main moved".into() }).unwrap();
    for id in [one, two, three] {
        let landing = world.landings.get(id).unwrap();
        assert_eq!(landing.state, MergeState::Queued);
        assert!(landing.intent.is_none() && landing.batch.is_none() && landing.after.is_none());
    }
}

#[test]
fn what_stands_on_a_landing_begins_anew_when_that_does_not_land() {
    let stop = |id| Command::Stop { id, state: MergeState::Rejected, reason: "r".into(), open: Vec::new() };
    let outs: [fn(u64) -> Command; 2] = [|id| Command::Cancel { id }, |id| Command::Requeue { id, reason: "r".into() }];
    for out in outs.into_iter().chain([stop as fn(u64) -> Command]) {
        let mut world = World::default();
        let [one, two, three] = chain(&mut world);
        world.give(&out(two)).unwrap();
        assert_eq!((world.state(one), world.state(three)), (MergeState::Gating, MergeState::Queued));
        assert_ne!(world.state(two), MergeState::Gating);
    }
    let mut world = World::default();
    let [one, two, three] = chain(&mut world);
    for id in [one, two] {
        world.give(&ran(id, "g", GateVerdict::Passed)).unwrap();
    }
    assert!(matches!(world.give(&intend(two, "t")), Err(Error::OutOfOrder { .. })), "what it stands on has not landed");
    world.give(&intend(one, "t")).unwrap();
    world.give(&Command::Land { id: one }).unwrap();
    world.give(&intend(two, "t")).unwrap();
    assert_eq!(world.state(three), MergeState::Gating, "it stands on what landed");
    let other = world.give(&request("bob", "w4", 0)).unwrap();
    for after in [one, two, other, 99] {
        let begun = world.give(&Command::Begin { id: other, tip: "a".into(), after: Some(after) });
        assert!(matches!(begun, Err(Error::OutOfOrder { .. })), "{after}: landed, stood upon, itself, unknown");
    }
    assert!(world.give(&Command::Begin { id: other, tip: "a".into(), after: Some(three) }).is_ok());
}

#[test]
fn refs_of_what_is_open_are_not_let_go_of() {
    let mut world = World::default();
    let [one, two, three] = chain(&mut world);
    world.give(&ran(three, "g", GateVerdict::Passed)).unwrap();
    world.give(&intend_all(three, &[one, two])).unwrap();
    let refs: Vec<String> = ["b", "refs/landing/w1", "old"].map(str::to_owned).to_vec();
    let retire = Command::Retire { refs };
    let Event::Retired { refs, .. } = &world.landings.decide(&retire, 5).unwrap()[0] else { panic!() };
    assert_eq!(refs, &["old"]);
    world.give(&Command::Land { id: one }).unwrap();
    world.give(&retire).unwrap();
    assert_eq!(world.landings.get(two).unwrap().intent.as_ref().unwrap().backup, "", "it is gone");
    assert_eq!(world.landings.decide(&Command::Retire { refs: Vec::new() }, 5), Ok(Vec::new()));
}
