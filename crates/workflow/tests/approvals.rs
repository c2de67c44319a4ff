//! The rules of approvals, from the outside.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_protocol::{ApprovalState, Verdict};
use orchestrator_workflow::approval::{Answer, Approvals, Command, Error, Event, Request};
use proptest::prelude::*;

fn request(options: &[&str]) -> Request {
    let options = options.iter().map(|&option| option.into()).collect();
    Request { options, digest: "d".into(), ..Request::new("landing", "May it land?", "ann") }
}

fn answer(verdict: Verdict, option: Option<&str>) -> Answer {
    Answer { verdict, option: option.map(str::to_owned) }
}

fn say(id: u64, answer: Answer) -> Command {
    Command::Answer { id, answer, note: None, operator: true }
}

#[derive(Default)]
struct World {
    approvals: Approvals,
    seq: u64,
}

impl World {
    fn give(&mut self, command: &Command) -> Result<u64, Error> {
        for event in self.approvals.decide(command, 7)? {
            self.seq += 1;
            self.approvals.apply(self.seq, &event);
        }
        Ok(self.seq)
    }

    fn ask(&mut self, request: Request) -> u64 {
        self.give(&Command::Ask(request.into())).unwrap()
    }

    fn state(&self, id: u64) -> ApprovalState {
        self.approvals.get(id).unwrap().state
    }
}

const YES: Verdict = Verdict::Approve;
const NO: Verdict = Verdict::Deny;

#[test]
fn the_operator_answers_once() {
    let mut world = World::default();
    let id = world.ask(request(&[]));
    let anyone = Command::Answer { id, answer: answer(YES, None), note: None, operator: false };
    assert_eq!(world.give(&anyone), Err(Error::OperatorOnly(format!("approval-{id}"))));
    world.give(&say(id, answer(NO, None))).unwrap();
    assert_eq!(world.state(id), ApprovalState::Denied);
    for again in [YES, NO] {
        let refused = world.give(&say(id, answer(again, None))).unwrap_err().to_string();
        assert_eq!(
            refused,
            format!(
                "approval-{id} is denied by the operator since 1970-01-01T00:00:00.007Z and cannot be answered again"
            )
        );
    }
    assert_eq!(world.give(&say(99, answer(YES, None))), Err(Error::Unknown("approval-99".into())));
}

#[test]
fn only_an_option_is_approved() {
    let two = ["now", "later"];
    for (options, given, expected) in [
        (&two[..], answer(YES, Some("later")), Ok(Some("later"))),
        (&two, answer(YES, None), Err("say which option is approved: there are 'now', 'later'")),
        (&two, answer(YES, Some("never")), Err("'never' is no option: there are 'now', 'later'")),
        (&two, answer(NO, None), Ok(None)),
        (&two, answer(NO, Some("now")), Err("a denial takes no option")),
        (&["only"], answer(YES, None), Ok(Some("only"))),
        (&[], answer(YES, None), Ok(None)),
        (&[], answer(YES, Some("now")), Err("'now' is no option: it is yes or no")),
    ] {
        let mut world = World::default();
        let id = world.ask(request(options));
        let came = world.give(&say(id, given.clone())).map_err(|error| error.to_string());
        match expected {
            Ok(option) => assert_eq!(world.approvals.get(id).unwrap().option.as_deref(), option, "{given:?}: {came:?}"),
            Err(reason) => {
                assert_eq!(came.unwrap_err(), reason, "{given:?}");
                assert_eq!(world.state(id), ApprovalState::Pending);
            }
        }
    }
}

#[test]
fn a_deadline_takes_the_default_or_ends_it_and_a_late_answer_is_refused() {
    for (default, state) in [
        (None, ApprovalState::Expired),
        (Some(answer(YES, None)), ApprovalState::Approved),
        (Some(answer(NO, None)), ApprovalState::Denied),
    ] {
        let mut world = World::default();
        let id = world.ask(Request { deadline_seconds: Some(5), default: default.clone(), ..request(&["only"]) });
        world.give(&Command::Expire { id }).unwrap();
        assert_eq!((world.state(id), world.approvals.get(id).unwrap().by_default), (state, default.is_some()));
        let late = world.give(&say(id, answer(NO, None))).unwrap_err();
        assert!(matches!(late, Error::Over { state: now, .. } if now == state), "{late}");
        let before = world.seq;
        assert_eq!(world.give(&Command::Expire { id }).unwrap(), before, "a second time changes nothing");
    }
    let mut world = World::default();
    let id = world.ask(request(&[]));
    world.give(&Command::Expire { id }).unwrap();
    assert_eq!(world.state(id), ApprovalState::Pending, "it has no deadline");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let mut world = World::default();
    let term = Some(5);
    for (wrong, expected) in [
        (Request { deadline_seconds: Some(0), ..request(&[]) }, Error::Deadline(0)),
        (Request { default: Some(answer(YES, None)), ..request(&[]) }, Error::DefaultWithoutDeadline),
        (
            Request { deadline_seconds: term, default: Some(answer(YES, None)), ..request(&["a", "b"]) },
            Error::WhichOption(vec!["a".into(), "b".into()]),
        ),
        (
            Request { deadline_seconds: term, default: Some(answer(NO, Some("a"))), ..request(&["a"]) },
            Error::OptionDenied,
        ),
    ] {
        assert_eq!(world.give(&Command::Ask(wrong.into())), Err(expected));
    }
    let keyed = |digest: &str| Request { key: Some("k".into()), digest: digest.into(), ..request(&[]) };
    let id = world.ask(keyed("d"));
    assert_eq!(world.ask(keyed("d")), id, "nothing happened");
    assert_eq!(world.give(&Command::Ask(keyed("e").into())), Err(Error::KeyReused("k".into())));
}

fn any_command() -> impl Strategy<Value = Command> {
    let id = || 1..6_u64;
    let verdict = || prop_oneof![Just(YES), Just(NO)];
    prop_oneof![
        1 => (prop::option::of(1..9_u64), prop::option::of(verdict())).prop_map(|(deadline_seconds, default)| {
            let default = default.map(|verdict| answer(verdict, None));
            Command::Ask(Request { deadline_seconds, default, ..request(&[]) }.into())
        }),
        3 => (id(), verdict(), any::<bool>()).prop_map(|(id, verdict, operator)| Command::Answer {
            id, answer: answer(verdict, None), note: None, operator
        }),
        1 => id().prop_map(|id| Command::Expire { id }),
    ]
}

proptest! {
    /// Each is decided once, by the operator or its deadline, and then stays as it is.
    #[test]
    fn whatever_is_asked_an_approval_ends_once(commands in prop::collection::vec(any_command(), 1..80)) {
        let mut world = World::default();
        for command in commands {
            let before: Vec<_> = world.approvals.all().cloned().collect();
            for event in world.approvals.decide(&command, 7).unwrap_or_default() {
                let is_operator = matches!(command, Command::Answer { operator: true, .. });
                prop_assert_eq!(matches!(event, Event::Answered { .. }), is_operator);
                world.seq += 1;
                world.approvals.apply(world.seq, &event);
            }
            for one in before.iter().filter(|one| one.state != ApprovalState::Pending) {
                prop_assert_eq!(world.approvals.get(one.id), Some(one));
            }
        }
    }
}
