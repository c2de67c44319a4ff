//! The rules of tasks, from the outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_protocol::{AgentId, TaskState};
use orchestrator_workflow::task::{Cause, Command, Error, Event, MOST_ENDED, MOST_STEPS, Request, Task, Tasks};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn id(name: &str) -> AgentId {
    name.parse().unwrap()
}

fn request(title: &str) -> Request {
    Request { digest: title.into(), ..Request::new(title, "boss") }
}

fn claim(task: u64, name: &str) -> Command {
    Command::Claim { id: task, agent: id(name), capabilities: vec!["rust".into()] }
}

fn report(id: u64, token: u64) -> Command {
    Command::Report { id, token, agent: None, percent: Some(50), note: None }
}

fn finish(id: u64, token: u64) -> Command {
    Command::Finish { id, token, agent: None, failed: false, digest: "d".into() }
}

fn release(id: u64, token: Option<u64>) -> Command {
    Command::Release { id, token, agent: None, operator: token.is_none(), reason: None }
}

#[derive(Default)]
struct World {
    tasks: Tasks,
    seq: u64,
}

impl World {
    /// The events' number of the last of them, or of the last before.
    fn give(&mut self, command: &Command) -> Result<u64, Error> {
        for event in self.tasks.decide(command, 7)? {
            self.seq += 1;
            self.tasks.apply(self.seq, &event);
        }
        Ok(self.seq)
    }

    fn make(&mut self, request: Request) -> u64 {
        self.give(&Command::Create(request.into())).unwrap()
    }

    fn task(&self, id: u64) -> &Task {
        self.tasks.get(id).unwrap()
    }
}

#[test]
fn one_agent_holds_a_task_and_claiming_twice_is_one_claim() {
    let mut world = World::default();
    let task = world.make(request("t"));
    let token = world.give(&claim(task, "ann")).unwrap();
    assert_eq!(world.give(&claim(task, "ANN")).unwrap(), token, "nothing happened");
    let refused = world.give(&claim(task, "bob")).unwrap_err();
    assert_eq!(refused, Error::Claimed { task: format!("task-{task}"), held_by: id("ann"), since: 7 });
    world.give(&report(task, token)).unwrap();
    assert_eq!(world.task(task).progress.as_ref().unwrap().percent, Some(50));
    world.give(&finish(task, token)).unwrap();
    assert_eq!((world.task(task).state, world.task(task).claim.is_none()), (TaskState::Done, true));
    let before = world.seq;
    assert_eq!(world.give(&finish(task, token)).unwrap(), before, "the same result is no error");
    let other = Command::Finish { id: task, token, agent: None, failed: true, digest: "d".into() };
    assert!(matches!(world.give(&other), Err(Error::Over { by: Some(by), .. }) if by == id("ann")));
}

#[test]
fn who_comes_back_with_an_old_token_is_told_why_it_ended_and_who_holds_it_now() {
    let mut world = World::default();
    let task = world.make(request("t"));
    let old = world.give(&claim(task, "ann")).unwrap();
    world.tasks.silent(&id("ann"), 90);
    let gone = |since| Command::HolderGone { agent: id("ann"), since };
    world.give(&gone(89)).unwrap();
    assert_eq!(world.task(task).state, TaskState::Claimed, "that was another silence");
    world.give(&gone(90)).unwrap();
    assert_eq!(world.task(task).reason.as_deref(), Some(Cause::Offline.text()));
    let refused = world.give(&finish(task, old)).unwrap_err().to_string();
    assert!(refused.contains("'ann' ended, its holder was offline for too long; nobody holds it now"), "{refused}");
    let new = world.give(&claim(task, "bob")).unwrap();
    assert!(new > old);
    for command in [report(task, old), finish(task, old), release(task, Some(old))] {
        let refused = world.give(&command).unwrap_err().to_string();
        assert!(refused.contains("offline for too long; 'bob' holds it now"), "{refused}");
    }
    let as_ann = Command::Report { id: task, token: new, agent: Some(id("ann")), percent: None, note: None };
    assert!(matches!(world.give(&as_ann), Err(Error::Stale { .. })), "the token of another is no help");
}

#[test]
fn an_agent_that_is_heard_of_in_time_keeps_its_claim() {
    let mut world = World::default();
    let task = world.make(request("t"));
    world.give(&claim(task, "ann")).unwrap();
    world.tasks.silent(&id("ann"), 90);
    assert_eq!(world.tasks.silent_holders().collect::<Vec<_>>(), [(&id("ann"), 90)]);
    world.tasks.heard(&id("Ann"));
    assert_eq!(world.tasks.silent_holders().count(), 0);
    world.give(&Command::HolderGone { agent: id("ann"), since: 90 }).unwrap();
    assert_eq!(world.task(task).state, TaskState::Claimed);
}

#[test]
fn who_leaves_holds_nothing_and_is_to_do_nothing() {
    let mut world = World::default();
    let held = world.make(request("held"));
    let named = world.make(Request { assigned_to: Some(id("ann")), ..request("named") });
    world.give(&claim(held, "ann")).unwrap();
    world.give(&Command::HolderLeft { agent: id("ann") }).unwrap();
    assert_eq!((world.task(held).state, world.task(named).assigned_to.is_none()), (TaskState::Open, true));
    world.give(&claim(named, "bob")).unwrap();
}

#[test]
fn only_who_is_named_or_can_do_it_may_claim() {
    let mut world = World::default();
    let task = world.make(Request { capabilities: vec!["Rust".into(), "sql".into()], ..request("t") });
    let refused = world.give(&claim(task, "ann")).unwrap_err();
    assert!(matches!(refused, Error::Incapable { ref capability, .. } if capability == "sql"), "{refused}");
    world.give(&Command::Assign { id: task, agent: Some(id("ann")) }).unwrap();
    assert!(matches!(world.give(&claim(task, "bob")), Err(Error::Assigned { to, .. }) if to == id("ann")));
    assert!(world.task(task).is_free_for(&id("ann"), &[]) && !world.task(task).is_free_for(&id("bob"), &[]));
    let token = world.give(&claim(task, "ann")).unwrap();
    assert!(matches!(world.give(&Command::Assign { id: task, agent: None }), Err(Error::Claimed { .. })));
    world.give(&release(task, Some(token))).unwrap();
    assert_eq!(world.task(task).assigned_to, None, "it was given back to everyone");
    let before = world.seq;
    assert_eq!(world.give(&release(task, Some(token))).unwrap(), before, "the same again is no error");
}

#[test]
fn only_the_operator_takes_a_task_away() {
    let mut world = World::default();
    let task = world.make(request("t"));
    assert_eq!(world.give(&release(task, None)).unwrap(), task, "nobody holds it");
    let token = world.give(&claim(task, "ann")).unwrap();
    let anyone = Command::Release { id: task, token: None, agent: None, operator: false, reason: None };
    assert_eq!(world.give(&anyone), Err(Error::OperatorOnly(format!("task-{task}"))));
    world.give(&release(task, None)).unwrap();
    let refused = world.give(&report(task, token)).unwrap_err().to_string();
    assert!(refused.contains("the operator took it away"), "{refused}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let mut world = World::default();
    let known = world.make(request("known"));
    for (wrong, expected) in [
        (Request { depends_on: vec![known, 99], ..request("t") }, Error::Unknown("task-99".into())),
        (Request { depends_on: vec![known + 1], ..request("itself") }, Error::Unknown(format!("task-{}", known + 1))),
        (Request { depends_on: vec![known; 101], ..request("t") }, Error::Dependencies(101)),
        (Request { deadline_seconds: Some(0), ..request("t") }, Error::Deadline(0)),
        (Request { deadline_seconds: Some(u64::MAX), ..request("t") }, Error::Deadline(u64::MAX)),
    ] {
        assert_eq!(world.give(&Command::Create(wrong.into())), Err(expected));
    }
    let token = world.give(&claim(known, "ann")).unwrap();
    let beyond = Command::Report { id: known, token, agent: None, percent: Some(101), note: None };
    assert_eq!(world.give(&beyond), Err(Error::Percent(101)));
    assert_eq!(world.give(&claim(999, "ann")), Err(Error::Unknown("task-999".into())));
    world.make(Request { depends_on: vec![known], ..request("t") });
}

#[test]
fn the_same_key_is_the_same_task_as_long_as_it_is_remembered() {
    let mut world = World::default();
    let keyed = |title| Request { key: Some("k".into()), ..request(title) };
    let first = world.make(keyed("t"));
    assert_eq!(world.make(keyed("t")), first, "nothing happened");
    assert_eq!(world.give(&Command::Create(keyed("other").into())), Err(Error::KeyReused("k".into())));
    world.make(Request { created_by: "someone".into(), ..keyed("other") });
    world.give(&Command::Cancel { id: first, reason: None }).unwrap();
    assert_eq!(world.tasks.asked_with("BOSS", "k"), Some(first));
    for _ in 0..MOST_ENDED {
        let id = world.make(request("filler"));
        world.give(&Command::Cancel { id, reason: None }).unwrap();
    }
    assert_eq!((world.tasks.asked_with("boss", "k"), world.tasks.get(first)), (None, None));
    assert_eq!(world.tasks.all().filter(|task| task.state == TaskState::Open).count(), 1, "open ones stay");
}

#[test]
fn of_many_reports_in_a_row_the_newest_is_remembered() {
    let mut world = World::default();
    let task = world.make(request("t"));
    let token = world.give(&claim(task, "ann")).unwrap();
    let newest = (0..500).map(|_| world.give(&report(task, token)).unwrap()).last().unwrap();
    assert_eq!(world.task(task).steps, [token, newest]);
    world.give(&release(task, Some(token))).unwrap();
    for _ in 0..MOST_STEPS {
        let token = world.give(&claim(task, "ann")).unwrap();
        world.give(&release(task, Some(token))).unwrap();
    }
    assert_eq!(world.task(task).steps.len(), MOST_STEPS);
}

fn any_command() -> impl Strategy<Value = Command> {
    let task = || 1..8_u64;
    let token = || 1..40_u64;
    let agent = || prop_oneof![Just(id("ann")), Just(id("bob")), Just(id("Bob"))];
    let digest = prop_oneof![Just("x".to_owned()), Just("y".to_owned())];
    prop_oneof![
        2 => (prop::option::of(1..9_u64), prop::option::of(agent()), prop::collection::vec(1..9_u64, 0..2)).prop_map(
            |(deadline_seconds, assigned_to, depends_on)| Command::Create(Request {
                deadline_seconds, assigned_to, depends_on, ..request("t")
            }.into())
        ),
        1 => (task(), prop::option::of(agent())).prop_map(|(id, agent)| Command::Assign { id, agent }),
        6 => (task(), agent()).prop_map(|(id, agent)| Command::Claim { id, agent, capabilities: Vec::new() }),
        3 => (task(), token()).prop_map(|(id, token)| report(id, token)),
        2 => (task(), token(), any::<bool>(), digest).prop_map(|(id, token, failed, digest)| Command::Finish {
            id, token, agent: None, failed, digest
        }),
        3 => (task(), prop::option::of(token())).prop_map(|(id, token)| release(id, token)),
        1 => task().prop_map(|id| Command::Cancel { id, reason: None }),
        2 => task().prop_map(|id| Command::Expire { id }),
        1 => (agent(), token()).prop_map(|(agent, since)| Command::HolderGone { agent, since }),
        1 => agent().prop_map(|agent| Command::HolderLeft { agent }),
    ]
}

/// What a task may become, by what it is.
fn may_follow(before: TaskState, after: TaskState) -> bool {
    use TaskState as S;
    before == after
        || match before {
            S::Open => matches!(after, S::Claimed | S::Cancelled | S::Expired),
            S::Claimed => after != S::Claimed,
            _ => false,
        }
}

/// A simple model: who holds what with which token.
#[derive(Default)]
struct Model {
    holders: BTreeMap<u64, (String, u64)>,
    newest_token: u64,
}

impl Model {
    fn take(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Claimed { id, agent, .. } => {
                let before = self.holders.insert(*id, (agent.key(), seq));
                assert_eq!(before, None, "task {id} was claimed while {before:?} held it");
                assert!(seq > self.newest_token, "tokens grow");
                self.newest_token = seq;
            }
            Event::Finished { id, agent, token, .. } | Event::GivenBack { id, agent, token, .. } => {
                let before = self.holders.remove(id);
                assert_eq!(before, Some((agent.key(), *token)), "only its holder ends a claim");
            }
            Event::Progressed { id, agent, token, .. } => {
                assert_eq!(self.holders.get(id), Some(&(agent.key(), *token)), "only its holder reports");
            }
            Event::Cancelled { id, .. } | Event::Expired { id, .. } => {
                self.holders.remove(id);
            }
            Event::Created { .. } | Event::Assigned { .. } => {}
        }
    }
}

proptest! {
    /// L1 for tasks: one holder at a time, tokens that grow, states only along the allowed arrows, and no end by a
    /// deadline without one.
    #[test]
    fn whatever_is_asked_a_task_has_one_holder(commands in prop::collection::vec(any_command(), 1..120)) {
        let (mut world, mut model) = (World::default(), Model::default());
        for (number, command) in commands.iter().enumerate() {
            if number % 7 == 3 {
                world.tasks.silent(&id("bob"), number as u64);
            }
            let Ok(events) = world.tasks.decide(command, number as i64) else { continue };
            for event in events {
                let before: BTreeMap<u64, TaskState> =
                    world.tasks.all().map(|task| (task.id, task.state)).collect();
                world.seq += 1;
                world.tasks.apply(world.seq, &event);
                model.take(world.seq, &event);
                if let Event::Expired { id, .. } = &event {
                    prop_assert!(world.task(*id).request.deadline_seconds.is_some(), "{command:?}");
                }
                for task in world.tasks.all() {
                    let before = before.get(&task.id).copied().unwrap_or(TaskState::Open);
                    prop_assert!(may_follow(before, task.state), "{before:?} to {:?} by {event:?}", task.state);
                    let held = task.claim.as_ref().map(|claim| (claim.agent.key(), claim.token));
                    prop_assert_eq!(held.as_ref(), model.holders.get(&task.id));
                    prop_assert_eq!(held.is_some(), task.state == TaskState::Claimed);
                    prop_assert!(task.request.depends_on.iter().all(|other| *other < task.id), "no circle");
                }
            }
        }
    }
}
