//! From what a change breaks to what the log records of it: one record for each definition that one side changed and
//! each agent whose new code uses it.

use crate::following::record::{entity_name, lines};
use orchestrator_conflict::{Command, Overlap};
use orchestrator_predict::{Affected, Agent, Definition, Impact};
use orchestrator_protocol::{AffectedUse, AgentId, ChangedDefinition, ConflictImpact, ConflictType};
use std::collections::{BTreeMap, BTreeSet};

/// Uses of one record.
const USES: usize = 64;
/// Records of one agent's changes and one user; who breaks more is told so by these.
const RECORDS: usize = 64;
/// Entities that a record names.
const NAMED: usize = 16;

/// Who changed something, nothing for landed work, and who uses it.
pub(super) type Between = (Option<Agent>, Agent);
/// The definition: its file, and its path below that.
pub(super) type Subject = (String, String);

/// A changed definition with what it breaks of one agent's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broken {
    pub(super) between: Between,
    definition: Definition,
    uses: Vec<Affected>,
}

/// Puts together what concerns one definition.
pub(super) fn gather(between: Between, impacts: Vec<Impact>) -> BTreeMap<Subject, Broken> {
    let mut found: BTreeMap<Subject, Broken> = BTreeMap::new();
    for Impact { definition, affected, .. } in impacts {
        let subject = (definition.path.clone(), definition.entity.clone());
        let is_new = !found.contains_key(&subject);
        if is_new && found.len() == RECORDS {
            continue;
        }
        let broken = found.entry(subject).or_insert_with(|| Broken { between, definition, uses: Vec::new() });
        if broken.uses.len() < USES {
            broken.uses.push(affected);
        }
    }
    found
}

/// Who collides, as a record names them.
pub(super) struct Parties {
    author: Option<AgentId>,
    user: AgentId,
    target: Option<String>,
}

impl Parties {
    /// Nothing when one of them has left.
    pub(super) fn new(
        agent: impl Fn(Agent) -> Option<AgentId>,
        branch: Option<&str>,
        (author, user): Between,
    ) -> Option<Self> {
        let user = agent(user)?;
        match author {
            Some(author) => Some(Self { author: Some(agent(author)?), user, target: None }),
            None => Some(Self { author: None, user, target: Some(branch?.to_owned()) }),
        }
    }

    fn agents(&self) -> Vec<AgentId> {
        let mut agents: Vec<AgentId> = self.author.iter().cloned().chain([self.user.clone()]).collect();
        agents.sort_by_key(AgentId::key);
        agents
    }

    /// Tells the record from others of the same agents.
    pub(super) fn subject(&self, (path, entity): &Subject) -> String {
        let by = self.author.as_ref().map(AgentId::key).unwrap_or_default();
        format!("{by}\n{path}\n{entity}")
    }

    /// What a record of an earlier run is known by.
    pub(super) fn key(&self, subject: &Subject) -> (Vec<AgentId>, Option<String>, String) {
        (self.agents(), self.target.clone(), self.subject(subject))
    }

    /// The change breaks something.
    pub(super) fn found(self, broken: &Broken) -> Command {
        let Broken { definition, uses, .. } = broken;
        let subject = broken.subject();
        let mut entities = vec![entity_name(&definition.path, &definition.entity)];
        for one in uses {
            let Some(entity) = &one.entity else { continue };
            let name = entity_name(&one.path, entity);
            if entities.len() < NAMED && !entities.contains(&name) {
                entities.push(name);
            }
        }
        let overlap = Overlap {
            path: uses.first().map_or_else(|| definition.path.clone(), |one| one.path.clone()),
            agents: self.agents(),
            target: self.target.clone(),
            conflict_type: ConflictType::Semantic,
            fingerprint: broken.fingerprint(),
            agent_paths: Vec::new(),
            regions: 0,
            subject: Some(self.subject(&subject)),
            affected: Some(self.user),
            snapshot: None,
            union_break: None,
            entities,
        };
        let impact =
            ConflictImpact { definition: changed(definition, self.author), uses: uses.iter().map(affected).collect() };
        let (settles, signature) = (false, true);
        let overlap = Box::new(overlap);
        Command::Found { overlap, settles, signature, regions: Vec::new(), impact: Some(Box::new(impact)) }
    }

    /// It breaks nothing any more.
    pub(super) fn gone(self, subject: &Subject) -> Command {
        let path = subject.0.clone();
        Command::Gone { path, agents: self.agents(), subject: Some(self.subject(subject)), target: self.target }
    }
}

impl Broken {
    pub(super) fn subject(&self) -> Subject {
        (self.definition.path.clone(), self.definition.entity.clone())
    }

    /// What it says, wherever in the files it stands.
    fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        add(self.definition.change.as_bytes());
        for part in [&self.definition.before, &self.definition.after] {
            add(part.as_ref().map_or(&[], |part| &part.text));
        }
        let uses: BTreeSet<(&str, &[u8])> = self.uses.iter().map(|one| (&*one.path, &*one.text.text)).collect();
        for (path, text) in uses {
            add(path.as_bytes());
            add(text);
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

/// A definition as the wire shows it.
pub(super) fn changed(definition: &Definition, by: Option<AgentId>) -> ChangedDefinition {
    ChangedDefinition {
        path: definition.path.clone(),
        entity: definition.entity.clone(),
        changed_by: by,
        change: definition.change.clone(),
        before: definition.before.as_ref().map(lines),
        after: definition.after.as_ref().map(lines),
    }
}

/// A use as the wire shows it.
pub(super) fn affected(one: &Affected) -> AffectedUse {
    AffectedUse {
        path: one.path.clone(),
        line: one.text.start,
        entity: one.entity.clone(),
        name: one.name.clone(),
        kind: one.kind.to_owned(),
        text: lines(&one.text),
    }
}
