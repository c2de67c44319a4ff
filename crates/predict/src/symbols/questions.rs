//! What is asked about definitions and uses, beyond what is told unasked.

use super::examine::{Contents, Uses, describe, part};
use super::{Symbols, known};
use crate::Agent;
use crate::impact::{Affected, Impact, Usage, word};
use crate::version::{Path, Source};
use orchestrator_syntax::{Certainty, DefinitionId, File, Use, View, base_impact};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Files of the tip that are read whole for one question.
const READ: usize = 200;
/// Definitions that are looked up for one question.
const DEFINITIONS: usize = 50;

/// Outlines that whole files took the place of.
type Outlines = Vec<(String, Arc<File>)>;

/// What is asked for; all that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The file of the definition or of the use.
    pub path: Option<String>,
    /// The definition: its path below the file, or the last part of that, with or without `FILE::` before it.
    pub symbol: Option<String>,
    /// Who changed the definition or uses it.
    pub agent: Option<Agent>,
    /// At most so many impacts, and so many uses.
    pub limit: usize,
}

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What changes break, sure or not, new or old.
    pub impacts: Vec<Impact>,
    /// Who uses what was asked for.
    pub uses: Vec<Usage>,
    /// There is more than was asked for, or than is looked at for one question.
    pub truncated: bool,
}

impl Question {
    fn symbol(&self) -> Option<(Option<&str>, &str)> {
        let symbol = self.symbol.as_deref()?;
        Some(symbol.split_once("::").map_or((None, symbol), |(path, entity)| (Some(path), entity)))
    }

    fn names(&self, path: &str, entity: &str) -> bool {
        let Some((file, name)) = self.symbol() else { return true };
        let ends = entity.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        ends && file.is_none_or(|file| file == path)
    }

    fn fits(&self, impact: &Impact) -> bool {
        let (definition, used) = (&impact.definition, &impact.affected);
        let of_path = |path: &String| *path == definition.path || *path == used.path;
        let of_agent = |agent: &Agent| impact.author == Some(*agent) || impact.user == Some(*agent);
        self.path.as_ref().is_none_or(of_path)
            && self.agent.as_ref().is_none_or(of_agent)
            && self.names(&definition.path, &definition.entity)
    }
}

impl Symbols {
    /// Answers; `landed` is what landed work breaks, as [`Symbols::examine_landed`] found it.
    ///
    /// # Errors
    /// A content could not be read.
    pub fn answer<S: Source>(
        &mut self,
        question: &Question,
        landed: impl IntoIterator<Item = Impact>,
        source: &S,
    ) -> Result<Answer, S::Error> {
        let mut answer = Answer::default();
        let mut found: Vec<Impact> = landed.into_iter().filter(|one| question.fits(one)).collect();
        let agents: Vec<Agent> = self.agents().collect();
        for author in &agents {
            for user in &agents {
                if question.agent.is_none_or(|agent| agent == *author || agent == *user) {
                    let between = self.between(*author, *user, Uses::All, source)?;
                    found.extend(between.into_iter().filter(|one| question.fits(one)));
                }
            }
            if question.agent.is_none_or(|agent| agent == *author) {
                let (of_base, cut) = self.in_base(*author, source)?;
                answer.truncated |= cut;
                found.extend(of_base.into_iter().filter(|one| question.fits(one)));
            }
        }
        // What is told comes first.
        found.sort_by_key(|one| (!(one.is_definite && one.is_new), !one.is_definite));
        answer.truncated |= found.len() > question.limit;
        found.truncate(question.limit);
        answer.impacts = found;
        if question.path.is_some() || question.symbol.is_some() {
            self.add_uses(question, &mut answer, source)?;
        }
        Ok(answer)
    }

    /// What an author breaks in files that nobody else changed.
    fn in_base<S: Source>(&mut self, author: Agent, source: &S) -> Result<(Vec<Impact>, bool), S::Error> {
        let names = self.works.get(&author).map(super::Work::names).unwrap_or_default();
        let (read, cut) = self.read_users(names.iter().map(String::as_str), source)?;
        let mut found = Vec::new();
        if let Some(work) = self.works.get(&author) {
            let contents = Contents {
                before: &|path| self.on_tip(path),
                after: &|path| self.content(work, path),
                user: &|path| self.on_tip(path),
            };
            for one in base_impact(&self.base, &work.index) {
                let others = self.works.values().any(|work| work.index.touches(&one.affected.path));
                if !others {
                    let sides = (&self.base, &work.index);
                    found.push(describe(&one, sides, (Some(author), None), &contents, source)?);
                }
            }
        }
        self.give_back(read);
        Ok((found, cut))
    }

    fn add_uses<S: Source>(&mut self, question: &Question, answer: &mut Answer, source: &S) -> Result<(), S::Error> {
        let definitions = self.definitions(question);
        answer.truncated |= definitions.len() > DEFINITIONS;
        let last = |entity: &str| entity.rsplit('.').next().unwrap_or(entity).to_owned();
        let definitions: Vec<(String, String)> = definitions.into_iter().take(DEFINITIONS).collect();
        let names: BTreeSet<String> = definitions.iter().map(|(_, entity)| last(entity)).collect();
        let (read, cut) = self.read_users(names.iter().map(String::as_str), source)?;
        answer.truncated |= cut;
        let found = self.uses(&definitions, question, source);
        self.give_back(read);
        let (uses, cut) = found?;
        answer.truncated |= cut;
        answer.uses = uses;
        Ok(())
    }

    fn uses<S: Source>(
        &self,
        definitions: &[(String, String)],
        question: &Question,
        source: &S,
    ) -> Result<(Vec<Usage>, bool), S::Error> {
        let mut found = Vec::new();
        let own = question.agent;
        let works = self.works.iter().filter(|(agent, _)| own.is_none_or(|own| own == **agent));
        let views = works.map(|(agent, work)| (Some(*agent), self.base.under(&work.index), Some(work)));
        let project = own.is_none().then(|| (None, self.base.view(), None));
        for (agent, view, work) in project.into_iter().chain(views) {
            for (path, entity) in definitions {
                let Some(id) = id_of(view, path, entity) else { continue };
                for (place, one, certainty) in view.uses_of(&id) {
                    if work.is_some_and(|work| !work.index.touches(&place)) {
                        continue;
                    }
                    if found.len() == question.limit {
                        return Ok((found, true));
                    }
                    let content = work.map_or_else(|| self.on_tip(&place), |work| self.content(work, &place));
                    let Some(text) = part(source, content, Some(one.range.clone()))? else { continue };
                    let inside = |file: &File| Some(file.entities.get(one.entity?)?.path.clone());
                    found.push(Usage {
                        agent,
                        path: path.clone(),
                        entity: entity.clone(),
                        used: used(&place, one, view.file(&place).and_then(inside), text),
                        is_definite: certainty == Certainty::Definite,
                    });
                }
            }
        }
        Ok((found, false))
    }

    /// The definitions that a question names, of the project and of all agents: file and path below it.
    fn definitions(&self, question: &Question) -> BTreeSet<(String, String)> {
        let mut found = BTreeSet::new();
        let indexes = || std::iter::once(&self.base).chain(self.works.values().map(|work| &work.index));
        let is_asked = |path: &str, entity: &str| {
            question.path.as_deref().is_none_or(|asked| asked == path) && question.names(path, entity)
        };
        if let Some((_, name)) = question.symbol() {
            let last = name.rsplit('.').next().unwrap_or(name);
            for (index, id) in indexes().flat_map(|index| index.named(last).into_iter().map(move |id| (index, id))) {
                if let Some(entity) = index.entity(&id).filter(|entity| is_asked(&id.path, &entity.path)) {
                    found.insert((id.path.to_string(), entity.path.clone()));
                }
            }
        } else if let Some(path) = &question.path {
            let files = indexes().filter_map(|index| index.file(path));
            found.extend(files.flat_map(|file| &file.entities).map(|entity| (path.clone(), entity.path.clone())));
        }
        found
    }

    /// Reads files of the tip whole that use a name and of which there is only an outline. Returns the outlines, and
    /// whether there are more.
    fn read_users<'n, S: Source>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
        source: &S,
    ) -> Result<(Outlines, bool), S::Error> {
        let mut paths: BTreeSet<String> = BTreeSet::new();
        for name in names {
            let outlines = self.base.users(name).filter(|path| self.base.file(path).is_some_and(File::is_outline));
            paths.extend(outlines.map(str::to_owned));
        }
        let cut = paths.len() > READ;
        let mut read = Vec::new();
        for name in paths.into_iter().take(READ) {
            let path = Path::from(name.as_bytes());
            let (Some((_, language)), Some(Some(outline))) = (known(&path), self.base.entry(&name)) else { continue };
            let Some(version) = self.tip.get(&path).copied() else { continue };
            if let Some(file) = self.library.file(source, language, version)?.file() {
                self.base.set_shared(&name, Some(file));
                read.push((name, outline));
            }
        }
        Ok((read, cut))
    }

    fn give_back(&mut self, read: Outlines) {
        for (name, outline) in read {
            self.base.set_shared(&name, Some(outline));
        }
    }
}

fn id_of(view: View<'_>, path: &str, entity: &str) -> Option<DefinitionId> {
    let at = view.file(path)?.entities.iter().position(|one| one.path == entity)?;
    Some(DefinitionId { path: path.into(), entity: at })
}

fn used(path: &str, one: &Use, entity: Option<String>, text: crate::Part) -> Affected {
    Affected { path: path.to_owned(), entity, name: one.name.clone(), kind: word(one.kind), text }
}
