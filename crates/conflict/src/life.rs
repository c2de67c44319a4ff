//! Where in its life a conflict stands: found, given to a person, settled and being taken over, over.

use crate::{Conflict, Event};
use orchestrator_protocol::{AgentId, ResolutionStatus};
use serde::{Deserialize, Serialize};

/// A person was asked to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// Who asked.
    pub by: Option<String>,
    /// Why it cannot be settled otherwise.
    pub reason: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
}

/// What ended a conflict that a merged result had settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    /// All its agents have taken the result.
    Pulled,
    /// The work does not collide any more.
    Gone,
    /// One of its agents left.
    Left,
    /// Other lines of the same work collide now: that is another conflict.
    Replaced,
    /// The result is not kept any longer.
    Dropped,
}

impl Closing {
    /// As the wire names it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pulled => "pulled",
            Self::Gone => "gone",
            Self::Left => "left",
            Self::Replaced => "replaced",
            Self::Dropped => "dropped",
        }
    }
}

impl Conflict {
    /// Whether nobody has settled it, by a mark or by a merged result.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, ResolutionStatus::Pending | ResolutionStatus::Escalated)
    }

    /// Whether a merged result settled it and the work may still collide: not everyone has taken it.
    #[must_use]
    pub fn is_resolving(&self) -> bool {
        self.status == ResolutionStatus::Resolving
    }

    /// It, as a person who was asked has to decide it.
    pub(crate) fn with(mut self, escalation: Option<&Escalation>) -> Self {
        if let Some(escalation) = escalation {
            self.status = ResolutionStatus::Escalated;
            self.escalation = Some(escalation.clone());
        }
        self
    }

    /// Whether an agent has taken the merged result.
    #[must_use]
    pub fn has_pulled(&self, agent: &AgentId) -> bool {
        self.pulled_by.iter().any(|one| one.key() == agent.key())
    }

    /// Whether all its agents have, when one more has.
    pub(crate) fn is_with_all(&self, also: &AgentId) -> bool {
        self.agents.iter().all(|agent| agent.key() == also.key() || self.has_pulled(agent))
    }

    /// The event that ends it, when a merged result has settled it and nothing has ended it yet.
    #[must_use]
    pub fn closed(&self, id: u64, closing: Closing) -> Option<Event> {
        self.is_resolving().then(|| Event::Closed { id, path: self.path.clone(), closing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Applied, Command, Overlap, State};
    use orchestrator_protocol::ConflictType;

    fn id(name: &str) -> AgentId {
        name.parse().unwrap()
    }

    fn overlap(fingerprint: &str) -> Overlap {
        Overlap {
            path: "x.py".into(),
            agents: vec![id("a"), id("b")],
            target: None,
            conflict_type: ConflictType::Content,
            fingerprint: fingerprint.into(),
            agent_paths: Vec::new(),
            regions: 1,
            subject: None,
            affected: None,
            snapshot: None,
            union_break: None,
            entities: Vec::new(),
        }
    }

    fn found(fingerprint: &str) -> Command {
        let overlap = Box::new(overlap(fingerprint));
        Command::Found { overlap, settles: false, signature: false, regions: Vec::new(), impact: None }
    }

    fn gone() -> Command {
        Command::Gone { path: "x.py".into(), agents: vec![id("a"), id("b")], target: None, subject: None }
    }

    fn pulled(agent: &str) -> Command {
        Command::Pulled { id: 1, agent: id(agent), backup: None }
    }

    fn escalate(reason: &str) -> Command {
        Command::Escalate { id: 1, by: Some("lead".into()), reason: reason.into() }
    }

    fn settled() -> Command {
        let applied = Applied {
            fingerprint: "1".into(),
            taken: None,
            forced: false,
            kept: "refs/resolution/c1-aa".into(),
            commit: "aa".into(),
            path: "x.py".into(),
            result: None,
            size: 0,
            base: None,
            sides: Vec::new(),
            between: Vec::new(),
        };
        Command::Resolve { id: 1, strategy: "ours".into(), by: None, applied: Some(Box::new(applied)) }
    }

    #[derive(Default)]
    struct World {
        state: State,
        seq: u64,
    }

    impl World {
        fn run(&mut self, command: &Command) -> Vec<Event> {
            let events = self.state.decide(command, 5).unwrap();
            for event in &events {
                self.seq += 1;
                self.state.apply(self.seq, event);
            }
            events
        }

        fn with(commands: &[Command]) -> Self {
            let mut world = Self::default();
            commands.iter().for_each(|command| drop(world.run(command)));
            world
        }

        fn status(&self, id: u64) -> ResolutionStatus {
            self.state.conflicts().get(id).unwrap().status
        }
    }

    fn closing(event: &Event) -> Option<Closing> {
        match event {
            Event::Closed { id: 1, closing, .. } => Some(*closing),
            _ => None,
        }
    }

    #[test]
    fn a_merged_result_is_on_its_way_until_all_have_it_or_nothing_is_left_to_do() {
        for (commands, ended) in [
            (vec![pulled("a")], None),
            (vec![pulled("a"), pulled("A")], None),
            (vec![pulled("b"), pulled("a")], Some(Closing::Pulled)),
            (vec![gone()], Some(Closing::Gone)),
            (vec![pulled("a"), Command::Withdraw { agent: id("b") }], Some(Closing::Left)),
            (vec![Command::Withdraw { agent: id("c") }, found("1")], None),
            (vec![found("2")], Some(Closing::Replaced)),
        ] {
            let mut world = World::with(&[found("1"), settled()]);
            assert_eq!((world.status(1), world.state.conflicts().resolved()), (ResolutionStatus::Resolving, 0));
            let events: Vec<Event> = commands.iter().flat_map(|command| world.run(command)).collect();
            assert_eq!(events.iter().find_map(closing), ended, "{commands:?}");
            let expected = if ended.is_some() { ResolutionStatus::Resolved } else { ResolutionStatus::Resolving };
            assert_eq!(world.status(1), expected, "{commands:?}");
            assert_eq!(world.state.conflicts().resolved(), usize::from(ended.is_some()));
            // It ends once, and can still be pulled.
            assert_eq!(world.run(&gone()).iter().find_map(closing).is_some(), ended.is_none());
            world.run(&pulled("a"));
            assert!(world.state.conflicts().get(1).unwrap().has_pulled(&id("a")));
        }
    }

    #[test]
    fn logs_that_do_not_say_that_it_is_over_are_read() {
        let told = |events: Vec<Event>| events.into_iter().filter(|event| closing(event).is_none()).collect::<Vec<_>>();
        for last in [[pulled("a"), pulled("b")], [pulled("a"), found("2")]] {
            let (mut now, mut old) = (World::default(), State::default());
            for command in [found("1"), settled()].iter().chain(&last) {
                let begun = now.seq;
                for (event, seq) in told(now.run(command)).iter().zip(begun + 1..) {
                    old.apply(seq, event);
                }
            }
            assert_eq!(old, now.state);
            assert_eq!(now.status(1), ResolutionStatus::Resolved);
        }
        let text = serde_json::to_string(&Event::Refined {
            id: 1,
            overlap: overlap("2"),
            severity: orchestrator_protocol::Severity::Medium,
            detected_at: 5,
            escalation: None,
        });
        assert!(!text.unwrap().contains("escalation"), "it is written as ever where there is none");
    }

    #[test]
    fn a_person_who_was_asked_is_asked_until_it_is_settled_or_gone() {
        let mut world = World::with(&[found("1")]);
        assert_eq!(world.run(&escalate("which one?")).len(), 1);
        assert_eq!(world.run(&escalate("which one?")), [], "the same again is not told");
        assert!(matches!(world.run(&found("2")).as_slice(), [Event::Refined { escalation: Some(_), .. }]));
        assert_eq!(world.status(1), ResolutionStatus::Escalated, "other lines of it are for the same person");
        assert_eq!(world.run(&escalate("or both?")).len(), 1);
        let known = world.state.conflicts().get(1).unwrap().clone();
        assert!(known.is_open());
        assert_eq!(known.escalation.unwrap(), Escalation { by: Some("lead".into()), reason: "or both?".into(), at: 5 });
        for last in [gone(), Command::Resolve { id: 1, strategy: "both".into(), by: None, applied: None }] {
            let mut world = World::with(&[found("1"), escalate("which one?"), last]);
            assert_eq!(world.status(1), ResolutionStatus::Resolved);
            assert!(world.state.conflicts().get(1).unwrap().escalation.is_some(), "who and why stays");
            assert!(world.state.decide(&escalate("again"), 6).is_err());
            world.run(&found("3"));
            assert_eq!(world.status(world.seq), ResolutionStatus::Pending, "what is found anew is another matter");
        }
        let settled = World::with(&[found("1"), settled()]);
        assert!(settled.state.decide(&escalate("late"), 6).is_err(), "it is settled");
    }
}
