//! What is asked about impacts, in the wire's words.

use super::record::{affected, changed};
use super::{ImpactFilter, ImpactView};
use crate::following::record::entity_name;
use orchestrator_predict::{Agent, Answer, Impact, Question, Usage};
use orchestrator_protocol::{self as protocol, AgentId, Certainty, SymbolUse};
use std::collections::HashMap;

/// The question in numbers; nothing when the agent is not followed, so that nothing is known of it.
pub(super) fn question(filter: ImpactFilter, names: &HashMap<Agent, AgentId>) -> Option<Question> {
    let ImpactFilter { path, symbol, agent, limit } = filter;
    let number = |wanted: &AgentId| names.iter().find(|(_, id)| id.key() == wanted.key()).map(|(number, _)| *number);
    let agent = match &agent {
        Some(wanted) => Some(number(wanted)?),
        None => None,
    };
    Some(Question { path, symbol, agent, limit })
}

/// The answer with names.
pub(super) fn view(answer: &Answer, names: &HashMap<Agent, AgentId>) -> ImpactView {
    let name = |number: Option<Agent>| number.and_then(|number| names.get(&number)).cloned();
    let impact = |one: &Impact| protocol::Impact {
        author: name(one.author),
        user: name(one.user),
        certainty: certainty(one.is_definite),
        is_new: one.is_new,
        definition: changed(&one.definition, name(one.author)),
        affected: affected(&one.affected),
    };
    let used = |one: &Usage| SymbolUse {
        definition: entity_name(&one.path, &one.entity),
        agent: name(one.agent),
        certainty: certainty(one.is_definite),
        used: affected(&one.used),
    };
    ImpactView {
        impacts: answer.impacts.iter().map(impact).collect(),
        uses: answer.uses.iter().map(used).collect(),
        truncated: answer.truncated,
        ..ImpactView::default()
    }
}

fn certainty(is_definite: bool) -> Certainty {
    if is_definite { Certainty::Definite } else { Certainty::Possible }
}
