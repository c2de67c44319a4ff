//! What changed in a workspace, and what collides with it.

use super::known::Missing;
use super::{Between, Runner, spent};
use crate::following::follower::Update;
use crate::following::record::Parties;
use crate::following::reports::Report;
use crate::following::shared::Member;
use crate::following::source::{Tip, name};
use crate::workspaces::blocked;
use crate::{Error, State};
use orchestrator_conflict as conflict;
use orchestrator_predict::{Finding, Path, Touched};
use orchestrator_protocol::AgentId;
use orchestrator_repository::ObjectId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

impl Runner {
    /// Looks at what may have changed in a workspace, everything when `paths` is `None`, and merges it.
    pub(super) async fn refresh(&mut self, key: &str, paths: Option<&[Vec<u8>]>) {
        let Some((follower, store)) = self.followers.get_mut(key).zip(self.store.as_ref()) else { return };
        let begun = Instant::now();
        let refreshed = follower.refresh(store, self.tip, paths);
        spent("look", begun);
        match refreshed {
            Ok(update) => {
                let standing = follower.standing();
                self.keeping.seen(key, follower.generation());
                let (base, parts) = (follower.base(), follower.parts(update));
                for (member, _) in &parts {
                    let mut standings = self.orchestrator.shared.following.standings.lock();
                    standings.insert(member.agent.key(), standing.clone());
                }
                if self.unread.remove(key) && self.unread.is_empty() {
                    self.orchestrator.shared.degradations.clear("workspace_read");
                }
                self.take_over(base, parts).await;
            }
            // What was known stays; the next look begins from it.
            Err(error) => {
                let reason = format!("the workspace of {key} could not be read: {error}");
                self.orchestrator.shared.degradations.raise("workspace_read", reason, "it is tried again every second");
                self.unread.insert(key.to_owned());
            }
        }
    }

    /// Looks once more at an agent's workspace that could not be read: what was known of it is not how it stands.
    pub(super) async fn look_if_unread(&mut self, agent: &str) -> Result<(), Error> {
        let found = self.followers.iter().find(|(_, follower)| follower.member(agent).is_some());
        let Some(lead) = found.map(|(lead, _)| lead.clone()).filter(|lead| self.unread.contains(lead)) else {
            return Ok(());
        };
        self.refresh(&lead, None).await;
        if !self.unread.contains(&lead) {
            return Ok(());
        }
        let detail = format!("the workspace of '{agent}' cannot be read: nobody can say what stands there");
        Err(blocked(detail, "GET /health says why; it is tried again every second, so ask again when that is mended"))
    }

    pub(super) async fn take_over(&mut self, base: Option<ObjectId>, parts: Vec<(Member, Update)>) {
        let mut touched = BTreeSet::new();
        for (Member { agent, number }, update) in parts {
            self.orchestrator.shared.following.meaning.update(number, &agent, base, &update);
            touched.extend(self.star.update(number, update));
        }
        self.examine(touched).await;
    }

    pub(super) async fn examine(&mut self, paths: BTreeSet<Path>) {
        if !paths.is_empty() {
            self.whole.changed();
        }
        let Some(store) = &self.store else { return };
        let source = Tip::new(store, &mut self.memory, self.tip.map(|(_, tree)| tree));
        let (mut reports, begun) = (Vec::new(), Instant::now());
        for path in &paths {
            match self.star.examine(path, &source) {
                Ok(findings) => {
                    self.whole.union.note(&self.star, path, &findings);
                    let mut found = BTreeMap::new();
                    for finding in findings {
                        found.entry((finding.first, finding.second)).or_insert(finding);
                    }
                    reports.extend(self.reports.at(path, found, Instant::now()));
                }
                Err(error) => {
                    let reason = format!("'{}' could not be merged: {error}", name(path));
                    let cure = "it is tried again every second; what is recorded of it may be old until then";
                    self.orchestrator.shared.degradations.raise("workspace_merge", reason, cure);
                    self.unmerged.insert(path.clone());
                }
            }
        }
        spent("merge", begun);
        self.tell(reports).await;
        if !self.leases.is_empty() {
            let broken = self.broken_leases(&paths);
            self.submit(broken).await;
        }
    }

    pub(super) async fn tell(&mut self, reports: Vec<Report<Path, Between, Finding>>) {
        let agents = self.agents();
        let Some(store) = &self.store else { return };
        let source = Tip::new(store, &mut self.memory, self.tip.map(|(_, tree)| tree));
        let touched = |finding: &Finding| {
            finding.touched(&source).unwrap_or_else(|error| {
                tracing::warn!(%error, path = name(&finding.path), "what collides cannot be named");
                Touched::default()
            })
        };
        let agent = |number| agents.get(&number).cloned();
        let parties = |first, second| Parties::new(agent, self.target.as_deref(), first, second);
        let commands = reports.into_iter().filter_map(|report| match report {
            Report::Found(finding) => Some(parties(finding.first, finding.second)?.found(&finding, &touched(&finding))),
            Report::Gone(path, (first, second)) => Some(parties(first, second)?.gone(&path)),
        });
        let (commands, begun) = (commands.collect(), Instant::now());
        self.submit(commands).await;
        spent("record", begun);
    }

    /// Work is compared with another branch now: conflicts with what has landed on the old one are over.
    pub(super) async fn withdraw_landed(&mut self, target: Option<String>) {
        let told = self.reports.forget(|_, (_, second)| second.is_none());
        let gone = told.into_iter().filter_map(|(path, (first, _))| {
            let (agents, target) = (vec![self.agent_of(first)?], target.clone());
            Some(conflict::Command::Gone { path: name(&path), agents, target, subject: None })
        });
        self.submit(gone.collect()).await;
    }

    /// Overlaps that an earlier run recorded, and that are not there any more.
    pub(super) async fn withdraw_stale(&self, missing: &Missing) {
        let open = |state: &State| {
            let of_lines = |one: &conflict::Conflict| one.fingerprint.is_some() && one.subject.is_none();
            let open = state.conflict.conflicts().unfinished().filter(|(_, conflict)| of_lines(conflict));
            open.map(|(_, one)| (one.path.clone(), one.agents.clone(), one.target.clone())).collect::<Vec<_>>()
        };
        let open = open(&self.orchestrator.shared.core.lock().state);
        let is_told = |path: &str, agents: &[AgentId], target: &Option<String>| {
            let numbers: Option<Vec<u64>> = agents.iter().map(|agent| self.number_of(agent)).collect();
            let Some(mut numbers) = numbers else { return false };
            numbers.sort_unstable();
            let told = |path: Path| match numbers.as_slice() {
                [first] => *target == self.target && self.reports.has_told(&path, &(*first, None)),
                [first, second] => self.reports.has_told(&path, &(*first, Some(*second))),
                _ => false,
            };
            self.star.paths().filter(|one| name(one) == path).any(|one| told(one.clone()))
        };
        // Of whom nothing could be read yet, nothing is known to be over.
        let stale = open
            .into_iter()
            .filter(|(path, agents, target)| !missing.concerns(path, agents) && !is_told(path, agents, target));
        let gone = stale.map(|(path, agents, target)| conflict::Command::Gone { path, agents, target, subject: None });
        self.submit(gone.collect()).await;
    }
}
