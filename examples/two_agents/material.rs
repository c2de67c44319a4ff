//! What there is to edit in a repository.

use anyhow::{Context, Result, ensure};
use orchestrator_syntax::{EntityKind, Language, Limits, parse};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Larger files are not read.
const MAX_FILE: u64 = 1 << 20;

/// Files of a repository, and what is done to them.
pub(crate) struct Material {
    /// A text that both edit.
    pub(crate) edited: String,
    /// The line of it that both edit, the first being 0.
    pub(crate) line: usize,
    /// A text that one edits and the other deletes.
    pub(crate) deleted: String,
    /// A function of a Python file, as `module.function`.
    pub(crate) function: String,
    module: String,
    name: String,
    /// Where its parameters begin, in bytes.
    parameters: usize,
    /// How many it needs.
    needed: usize,
}

impl Material {
    /// Chooses from a checkout: the two longest texts that are no lock files, and a Python function.
    pub(crate) fn choose(root: &Path) -> Result<Self> {
        let mut texts = Vec::new();
        list(root, root, &mut texts)?;
        texts.sort_by_key(|(path, text)| (std::cmp::Reverse(text.lines().count()), path.clone()));
        texts.retain(|(path, _)| !path.contains("lock"));
        let (module, name, parameters, needed) = texts
            .iter()
            .filter(|(path, _)| path.ends_with(".py"))
            .find_map(|(path, text)| function(path, text))
            .context("the repository has no Python file with a function; name another one")?;
        let mut others = texts.iter().filter(|(path, _)| *path != module);
        let (edited, text) = others.next().context("the repository has too few texts")?;
        let (deleted, _) = others.next().context("the repository has too few texts")?;
        let function = format!("{name} of {module}");
        let line = text.lines().count() / 2;
        Ok(Self { edited: edited.clone(), line, deleted: deleted.clone(), function, module, name, parameters, needed })
    }

    /// Replaces the line that both edit.
    pub(crate) fn edit(&self, root: &Path, word: &str) -> Result<Instant> {
        let path = root.join(&self.edited);
        let text = std::fs::read_to_string(&path)?;
        let edited = text.split_inclusive('\n').enumerate();
        let edited: String =
            edited.map(|(at, line)| if at == self.line { format!("{word}\n") } else { line.to_owned() }).collect();
        std::fs::write(path, edited)?;
        Ok(Instant::now())
    }

    /// Gives the function one more parameter.
    pub(crate) fn change_signature(&self, root: &Path) -> Result<Instant> {
        let path = root.join(&self.module);
        let mut text = std::fs::read_to_string(&path)?;
        ensure!(text.is_char_boundary(self.parameters), "the file changed meanwhile");
        text.insert_str(self.parameters, "added_by_ann, ");
        std::fs::write(path, text)?;
        Ok(Instant::now())
    }

    /// Adds a file beside the module that calls the function as it was. Answers with its path.
    pub(crate) fn call(&self, root: &Path) -> Result<String> {
        let module = Path::new(&self.module);
        let stem = module.file_stem().and_then(|stem| stem.to_str()).context("a module without a name")?;
        let path = module.with_file_name("two_agents_caller.py");
        let name = &self.name;
        let arguments = vec!["None"; self.needed].join(", ");
        let text = format!("from {stem} import {name}\n\n\ndef begin():\n    return {name}({arguments})\n");
        std::fs::write(root.join(&path), text)?;
        Ok(path.to_str().context("a path that is not UTF-8")?.to_owned())
    }
}

/// A top-level function, where its parameters begin and how many it needs.
fn function(path: &str, text: &str) -> Option<(String, String, usize, usize)> {
    let file = parse(Language::Python, text.as_bytes(), Limits::default()).ok().filter(|file| file.is_sound())?;
    file.entities.iter().find_map(|entity| {
        let is_plain = entity.kind == EntityKind::Function && entity.parent.is_none() && !entity.name.starts_with("__");
        let signature = text.get(entity.signature_range.clone()).filter(|_| is_plain)?;
        let parameters = entity.signature_range.start + signature.find('(')? + 1;
        Some((path.to_owned(), entity.name.clone(), parameters, entity.signature.arity().0))
    })
}

/// All texts below a folder, without what git keeps.
fn list(root: &Path, folder: &Path, texts: &mut Vec<(String, String)>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, metadata): (PathBuf, _) = (entry.path(), entry.metadata()?);
        if metadata.is_dir() && entry.file_name() != ".git" {
            list(root, &path, texts)?;
        } else if metadata.is_file()
            && metadata.len() <= MAX_FILE
            && let Ok(text) = std::fs::read_to_string(&path)
            && let Some(name) = path.strip_prefix(root)?.to_str()
        {
            texts.push((name.to_owned(), text));
        }
    }
    Ok(())
}
