//! The state and its rules.

use orchestrator_protocol::Autonomy;
use serde::{Deserialize, Serialize};

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Set the level of autonomy.
    SetAutonomy {
        /// The level.
        level: Autonomy,
        /// The highest level that the configuration allows to others than the operator.
        ceiling: Autonomy,
        /// Whether the operator asks.
        operator: bool,
    },
    /// Start a workflow by name.
    Start(String),
    /// Stop a workflow by id.
    Stop(String),
    /// Let events start workflows.
    Auto,
}

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Above what the configuration allows.
    #[error("autonomy '{}' is above the configured '{}'; only the operator may raise it", asked.as_str(), ceiling.as_str())]
    OperatorOnly {
        /// What was asked for.
        asked: Autonomy,
        /// What is allowed.
        ceiling: Autonomy,
    },
    /// There is none.
    #[error("no workflow is defined, so '{0}' cannot be started or stopped")]
    NoWorkflowDefined(String),
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The level of autonomy changed.
    AutonomyChanged {
        /// The new one.
        level: Autonomy,
    },
}

/// The level of autonomy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    level: Option<Autonomy>,
}

impl Workflow {
    /// The level in force: the one set last, or the configured one.
    #[must_use]
    pub fn autonomy(&self, configured: Autonomy) -> Autonomy {
        self.level.unwrap_or(configured)
    }

    /// Which events follow from a command.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command) -> Result<Vec<Event>, Error> {
        match command {
            Command::SetAutonomy { level, ceiling, operator } => {
                if level > ceiling && !operator {
                    return Err(Error::OperatorOnly { asked: *level, ceiling: *ceiling });
                }
                let unchanged = self.autonomy(*ceiling) == *level;
                Ok(if unchanged { Vec::new() } else { vec![Event::AutonomyChanged { level: *level }] })
            }
            Command::Start(name) | Command::Stop(name) => Err(Error::NoWorkflowDefined(name.clone())),
            Command::Auto => Err(Error::NoWorkflowDefined("auto".to_owned())),
        }
    }

    /// Takes an event into the state.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::AutonomyChanged { level } => self.level = Some(*level),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anyone_may_lower_autonomy_and_only_the_operator_raises_it_above_the_configuration() {
        let mut workflow = Workflow::default();
        let set = |level, operator| Command::SetAutonomy { level, ceiling: Autonomy::Supervised, operator };
        assert_eq!(workflow.autonomy(Autonomy::Supervised), Autonomy::Supervised);
        let refused = workflow.decide(&set(Autonomy::Full, false)).unwrap_err();
        assert_eq!(refused, Error::OperatorOnly { asked: Autonomy::Full, ceiling: Autonomy::Supervised });
        for (level, operator) in [(Autonomy::Manual, false), (Autonomy::Supervised, false), (Autonomy::Full, true)] {
            for event in workflow.decide(&set(level, operator)).unwrap() {
                workflow.apply(&event);
            }
            assert_eq!(workflow.autonomy(Autonomy::Supervised), level);
        }
    }
}
