//! The grammar of control commands.

use orchestrator_protocol::Autonomy;

/// A control command, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlCommand {
    /// `*autonomy` and `*autonomy:LEVEL`.
    Autonomy(Option<Autonomy>),
    /// `*sync:enable`.
    SyncEnable,
    /// `*sync:disable`.
    SyncDisable,
    /// `*sync:status`.
    SyncStatus,
    /// `*sync:force`: returns when everything on disk before it has been seen.
    SyncForce,
    /// `*merge:run AGENT`: asks for its work to land.
    MergeRun(String),
    /// `*merge:status`.
    MergeStatus,
    /// `*task:list`.
    TaskList,
    /// `*task:status TASK`.
    TaskStatus(String),
    /// `*workflow:start NAME`.
    WorkflowStart(String),
    /// `*workflow:stop ID`.
    WorkflowStop(String),
    /// `*workflow:status`.
    WorkflowStatus,
    /// `*workflow:auto`.
    WorkflowAuto,
    /// `*status`.
    Status,
    /// `*agent:list`.
    AgentList,
    /// `*help`.
    Help,
}

/// All commands with a line each, as `*help` answers.
pub const HELP: [(&str, &str); 19] = [
    ("*help", "list all commands"),
    ("*status", "agents, changes, conflicts and autonomy at a glance"),
    ("*agent:list", "list the registered agents"),
    ("*autonomy", "show the level of autonomy"),
    ("*autonomy:full", "decide without a person (default)"),
    ("*autonomy:supervised", "ask a person before major decisions"),
    ("*autonomy:manual", "recommend only"),
    ("*sync:enable", "watch the project's folder"),
    ("*sync:disable", "stop watching it"),
    ("*sync:status", "show what is watched and found"),
    ("*sync:force", "return when every file change made before has been seen"),
    ("*merge:run AGENT", "ask for an agent's work to land, as it stands"),
    ("*merge:status", "show what is to land, and what did"),
    ("*task:list", "show the tasks that are open or claimed"),
    ("*task:status TASK", "show one task"),
    ("*workflow:start NAME", "start a workflow"),
    ("*workflow:stop ID", "stop a running workflow"),
    ("*workflow:status", "show running workflows"),
    ("*workflow:auto", "let events start workflows"),
];

/// A text that is no control command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownCommand {
    /// Does not begin with `*`.
    #[error("a control command begins with '*', such as *status; *help lists all")]
    NoStar,
    /// Begins like none of them.
    #[error("'{0}' is no control command; *help lists all")]
    Unknown(String),
    /// Lacks what must follow, or has something that must not.
    #[error("'{0}' takes other arguments: {1}")]
    Argument(String, &'static str),
}

impl std::str::FromStr for ControlCommand {
    type Err = UnknownCommand;

    fn from_str(text: &str) -> Result<Self, UnknownCommand> {
        let text = text.trim();
        let body = text.strip_prefix('*').ok_or(UnknownCommand::NoStar)?;
        let (word, argument) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
        let word = word.to_ascii_lowercase();
        let argument = argument.trim();
        let shown = || text.chars().take(80).collect::<String>();
        let bad = |form| UnknownCommand::Argument(shown(), form);
        let command = match word.as_str() {
            "merge:run" if argument.is_empty() => return Err(bad("*merge:run AGENT")),
            "merge:run" => return Ok(Self::MergeRun(argument.to_owned())),
            "task:status" if argument.is_empty() => return Err(bad("*task:status TASK")),
            "task:status" => return Ok(Self::TaskStatus(argument.to_owned())),
            "workflow:start" if argument.is_empty() => return Err(bad("*workflow:start NAME")),
            "workflow:stop" if argument.is_empty() => return Err(bad("*workflow:stop ID")),
            "workflow:start" => return Ok(Self::WorkflowStart(argument.to_owned())),
            "workflow:stop" => return Ok(Self::WorkflowStop(argument.to_owned())),
            "autonomy" => Self::Autonomy(None),
            "autonomy:full" => Self::Autonomy(Some(Autonomy::Full)),
            "autonomy:supervised" => Self::Autonomy(Some(Autonomy::Supervised)),
            "autonomy:manual" => Self::Autonomy(Some(Autonomy::Manual)),
            _ if word.starts_with("autonomy:") => return Err(bad("*autonomy:full|supervised|manual")),
            "sync:enable" => Self::SyncEnable,
            "sync:disable" => Self::SyncDisable,
            "sync:status" => Self::SyncStatus,
            "sync:force" => Self::SyncForce,
            "merge:status" => Self::MergeStatus,
            "task:list" => Self::TaskList,
            "workflow:status" => Self::WorkflowStatus,
            "workflow:auto" => Self::WorkflowAuto,
            "status" => Self::Status,
            "agent:list" => Self::AgentList,
            "help" => Self::Help,
            _ => return Err(UnknownCommand::Unknown(shown())),
        };
        if argument.is_empty() { Ok(command) } else { Err(bad("nothing may follow it")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_help_is_understood() {
        for (command, _) in HELP {
            assert!(command.parse::<ControlCommand>().is_ok(), "{command}");
        }
    }

    #[test]
    fn case_and_space_do_not_matter_and_names_keep_theirs() {
        assert_eq!(" *Sync:Force \n".parse(), Ok(ControlCommand::SyncForce));
        assert_eq!("*workflow:start  My_Flow".parse(), Ok(ControlCommand::WorkflowStart("My_Flow".into())));
    }

    #[test]
    fn other_texts_are_refused_with_their_reason() {
        use UnknownCommand::{Argument, NoStar, Unknown};
        for (text, expected) in [
            ("status", NoStar),
            ("*", Unknown("*".into())),
            ("*reboot", Unknown("*reboot".into())),
            ("*workflow:start", Argument("*workflow:start".into(), "*workflow:start NAME")),
            ("*autonomy:total", Argument("*autonomy:total".into(), "*autonomy:full|supervised|manual")),
            ("*status now", Argument("*status now".into(), "nothing may follow it")),
        ] {
            assert_eq!(text.parse::<ControlCommand>().unwrap_err(), expected, "{text}");
        }
    }
}
