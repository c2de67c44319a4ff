//! The mailbox's promises, driven through its public interface.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_mailbox::{Command, Error, Event, MAX_DELIVERIES, MAX_UNREAD, Mailbox};
use orchestrator_protocol::{AgentId, MessageState};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Mailboxes with a counter in place of the log.
#[derive(Default)]
struct World {
    mailbox: Mailbox,
    seq: u64,
}

impl World {
    fn run(&mut self, command: &Command) -> Result<Vec<(u64, Event)>, Error> {
        let events = self.mailbox.decide(command, 0)?;
        Ok(events
            .into_iter()
            .map(|event| {
                self.seq += 1;
                self.mailbox.apply(self.seq, &event);
                (self.seq, event)
            })
            .collect())
    }

    fn send(&mut self, from: &str, to: &[&str]) -> u64 {
        self.run(&message(from, to, None, "d")).unwrap()[0].0
    }

    fn claim(&mut self, agent: &str, max: usize) -> (u64, Vec<u64>) {
        let events = self.run(&Command::Claim { agent: id(agent), max, ttl_seconds: 60 }).unwrap();
        match events.as_slice() {
            [(seq, Event::Delivered { messages, .. })] => (*seq, messages.clone()),
            _ => (0, Vec::new()),
        }
    }

    fn state(&self, message: u64) -> MessageState {
        self.mailbox.standing(message).unwrap().state
    }
}

fn id(name: &str) -> AgentId {
    name.parse().unwrap()
}

fn message(from: &str, to: &[&str], key: Option<&str>, digest: &str) -> Command {
    Command::Send {
        from: from.into(),
        to: to.join(","),
        recipients: to.iter().map(|name| id(name)).collect(),
        kind: "message".into(),
        in_reply_to: None,
        key: key.map(str::to_owned),
        digest: digest.into(),
    }
}

#[test]
fn a_message_is_queued_then_delivered_then_acknowledged() {
    let mut world = World::default();
    let sent = world.send("a", &["b"]);
    assert_eq!(world.state(sent), MessageState::Queued);
    world.claim("b", 1);
    assert_eq!(world.state(sent), MessageState::Delivered);
    world.run(&Command::Acknowledge { agent: id("b"), message: sent }).unwrap();
    assert_eq!(world.state(sent), MessageState::Acknowledged);
    assert_eq!(world.mailbox.inbox(&id("b"), 0).count(), 0);
    assert!(world.run(&Command::Acknowledge { agent: id("b"), message: sent }).unwrap().is_empty(), "twice is fine");
}

#[test]
fn only_the_addressee_acknowledges() {
    let mut world = World::default();
    let sent = world.send("a", &["b"]);
    let foreign = world.run(&Command::Acknowledge { agent: id("c"), message: sent }).unwrap_err();
    assert_eq!(foreign, Error::NotYours(sent, "c".into()));
    assert_eq!(world.run(&Command::Acknowledge { agent: id("b"), message: 99 }).unwrap_err(), Error::Unknown(99));
}

#[test]
fn the_same_key_is_the_same_message_and_another_body_is_refused() {
    let mut world = World::default();
    let first = world.run(&message("a", &["b"], Some("k"), "one")).unwrap()[0].0;
    assert!(world.run(&message("A", &["b"], Some("k"), "one")).unwrap().is_empty());
    assert_eq!(world.mailbox.sent_with("a", "k"), Some(first));
    assert_eq!(world.run(&message("a", &["b"], Some("k"), "two")).unwrap_err(), Error::KeyReused("k".into()));
    assert_eq!(world.run(&message("c", &["b"], Some("k"), "two")).unwrap().len(), 1, "keys belong to senders");
}

#[test]
fn a_claim_never_overtakes_an_earlier_message_of_the_same_sender() {
    let mut world = World::default();
    let first = world.send("a", &["b"]);
    let second = world.send("a", &["b"]);
    let other = world.send("c", &["b"]);
    let (delivery, claimed) = world.claim("b", 1);
    assert_eq!(claimed, [first]);
    assert_eq!(world.claim("b", 5).1, [other], "the second message of 'a' waits for the first");
    world.run(&Command::TermOver { agent: id("b"), delivery }).unwrap();
    assert_eq!(world.claim("b", 5).1, [first, second]);
}

#[test]
fn a_message_that_nobody_acknowledges_dies_visibly_and_can_be_revived() {
    let mut world = World::default();
    let sent = world.send("a", &["b"]);
    for _ in 0..MAX_DELIVERIES {
        let (delivery, claimed) = world.claim("b", 1);
        assert_eq!(claimed, [sent]);
        world.run(&Command::TermOver { agent: id("b"), delivery }).unwrap();
    }
    assert_eq!(world.state(sent), MessageState::Dead);
    assert_eq!(world.mailbox.dead().collect::<Vec<_>>(), [(sent, "b")]);
    assert!(world.claim("b", 1).1.is_empty());
    world.run(&Command::Revive { message: sent }).unwrap();
    assert_eq!(world.claim("b", 1).1, [sent]);
}

#[test]
fn a_socket_that_never_acknowledges_has_no_term_and_its_messages_stay_readable() {
    let mut world = World::default();
    let sent = world.send("a", &["b"]);
    for _ in 0..20 {
        let delivered = Command::Delivered { agent: id("b"), messages: vec![sent], acknowledges: false };
        world.run(&delivered).unwrap();
    }
    assert!(world.mailbox.running_terms().is_empty());
    assert_eq!(world.state(sent), MessageState::Delivered);
    assert_eq!(world.mailbox.inbox(&id("b"), 0).count(), 1);
}

#[test]
fn a_full_mailbox_refuses_and_what_was_read_makes_room() {
    let mut world = World::default();
    let first = world.send("a", &["b"]);
    for _ in 1..MAX_UNREAD {
        world.send("a", &["b"]);
    }
    assert_eq!(world.run(&message("a", &["b"], None, "d")).unwrap_err(), Error::Full("b".into()));
    world.run(&Command::Delivered { agent: id("b"), messages: vec![first], acknowledges: false }).unwrap();
    world.send("a", &["b"]);
    assert_eq!(world.mailbox.inbox(&id("b"), 0).count(), MAX_UNREAD, "the one that was read gave way");
    assert_eq!(world.state(first), MessageState::Delivered);
}

#[test]
fn the_sender_of_a_durable_broadcast_sees_who_is_furthest_behind() {
    let mut world = World::default();
    let sent = world.send("a", &["b", "c"]);
    world.run(&Command::Acknowledge { agent: id("b"), message: sent }).unwrap();
    assert_eq!(world.state(sent), MessageState::Queued);
    world.run(&Command::Acknowledge { agent: id("c"), message: sent }).unwrap();
    assert_eq!(world.state(sent), MessageState::Acknowledged);
}

#[test]
fn an_answer_joins_the_thread_of_its_question() {
    let mut world = World::default();
    let question = world.send("a", &["b"]);
    let Command::Send { from, to, recipients, kind, key, digest, .. } = message("b", &["a"], None, "d") else {
        panic!()
    };
    let reply = |in_reply_to| Command::Send {
        from: from.clone(),
        to: to.clone(),
        recipients: recipients.clone(),
        kind: kind.clone(),
        in_reply_to: Some(in_reply_to),
        key: key.clone(),
        digest: digest.clone(),
    };
    let answer = world.run(&reply(question)).unwrap()[0].0;
    let second = world.run(&reply(answer)).unwrap()[0].0;
    assert_eq!(world.mailbox.thread(question).collect::<Vec<_>>(), [question, answer, second]);
}

#[derive(Debug, Clone)]
enum Step {
    Send(usize, usize),
    Claim(usize, usize),
    Acknowledge(usize, usize),
    TermOver(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3_usize, 0..3_usize).prop_map(|(from, to)| Step::Send(from, to)),
        (0..3_usize, 1..4_usize).prop_map(|(agent, max)| Step::Claim(agent, max)),
        (0..3_usize, 0..8_usize).prop_map(|(agent, message)| Step::Acknowledge(agent, message)),
        (0..3_usize).prop_map(Step::TermOver),
    ]
}

proptest! {
    /// M2, M4, M5: nothing accepted is ever nowhere, and each sender's messages come in order.
    #[test]
    fn nothing_is_lost_and_order_is_kept(steps in prop::collection::vec(any_step(), 1..120)) {
        let names = ["a", "b", "c"];
        let mut world = World::default();
        let mut unacknowledged: BTreeSet<(u64, usize)> = BTreeSet::new();
        let mut first_seen: BTreeMap<(usize, String), u64> = BTreeMap::new();
        let mut terms: Vec<(usize, u64)> = Vec::new();
        for step in steps {
            match step {
                Step::Send(from, to) => {
                    let sent = world.send(names[from], &[names[to]]);
                    unacknowledged.insert((sent, to));
                }
                Step::Claim(agent, max) => {
                    let (delivery, claimed) = world.claim(names[agent], max);
                    if delivery != 0 {
                        terms.push((agent, delivery));
                    }
                    for message in claimed {
                        let from = world.mailbox.waiting().find(|(seq, _)| *seq == message).unwrap().1.from.clone();
                        let newest = first_seen.entry((agent, from)).or_default();
                        // A first delivery comes after every earlier first delivery of that sender.
                        if message > *newest {
                            *newest = message;
                        } else {
                            let again = world.mailbox.standing(message).unwrap().deliveries;
                            prop_assert!(again > 1, "message {message} overtook {newest}");
                        }
                    }
                }
                Step::Acknowledge(agent, nth) => {
                    let message = world.mailbox.inbox(&id(names[agent]), 0).nth(nth).map(|(message, _)| message);
                    if let Some(message) = message {
                        world.run(&Command::Acknowledge { agent: id(names[agent]), message }).unwrap();
                        unacknowledged.remove(&(message, agent));
                    }
                }
                Step::TermOver(agent) => {
                    if let Some(at) = terms.iter().position(|(owner, _)| *owner == agent) {
                        let (_, delivery) = terms.remove(at);
                        world.run(&Command::TermOver { agent: id(names[agent]), delivery }).unwrap();
                    }
                }
            }
            let dead: BTreeSet<(u64, String)> =
                world.mailbox.dead().map(|(message, agent)| (message, agent.to_owned())).collect();
            for (message, to) in &unacknowledged {
                let in_box = world.mailbox.inbox(&id(names[*to]), 0).any(|(own, _)| own == *message);
                prop_assert!(in_box || dead.contains(&(*message, names[*to].to_owned())));
            }
        }
    }
}

#[test]
fn a_chosen_message_is_taken_for_its_term_and_a_foreign_one_is_not() {
    let mut world = World::default();
    let (first, second) = (world.send("a", &["b"]), world.send("a", &["b"]));
    let take = |agent, message| Command::Take { agent: id(agent), message, ttl_seconds: 7 };
    let taken = world.run(&take("b", second)).unwrap();
    assert_eq!(world.mailbox.running_terms(), BTreeMap::from([(taken[0].0, ("b", 7))]));
    assert_eq!(world.run(&take("c", first)).unwrap(), []);
    let receipt = world.mailbox.receipt(&id("B"), first).unwrap();
    assert_eq!((receipt.state, receipt.deliveries), (MessageState::Queued, 0));
}

#[test]
fn a_mailbox_says_when_it_changed_and_others_are_not_touched() {
    let mut world = World::default();
    let message = world.send("a", &["b"]);
    let mut last = world.mailbox.changed(&id("b"));
    let (delivery, _) = world.claim("b", 1);
    for command in [
        Command::TermOver { agent: id("b"), delivery },
        Command::Delivered { agent: id("b"), messages: vec![message], acknowledges: false },
        Command::Acknowledge { agent: id("b"), message },
    ] {
        world.run(&command).unwrap();
        assert!(world.mailbox.changed(&id("B")) > last, "{command:?}");
        last = world.mailbox.changed(&id("b"));
    }
    assert_eq!(world.mailbox.changed(&id("c")), 0);
}
