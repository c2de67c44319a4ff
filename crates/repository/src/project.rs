//! A project: the folder agents work in, with or without git.

use std::path::{Path, PathBuf};

use gix::{ObjectId, discover::upwards};

use crate::{Error, PathError, Worktree, exclude, normalise, worktree};

/// A folder that agents share: one worktree of a git repository, or a plain folder.
#[derive(Debug, Clone)]
pub struct Project {
    /// Canonical top of the worktree, or the plain folder.
    root: PathBuf,
    /// The repository; nothing outside git.
    git: Option<Git>,
}

#[derive(Debug, Clone)]
struct Git {
    repository: gix::ThreadSafeRepository,
    common: PathBuf,
}

impl Project {
    /// The repository that holds `dir`, following linked worktrees and `.git` files; a plain project when
    /// there is none.
    /// # Errors
    /// The folder is missing, the repository is bare or broken, or its configuration points elsewhere.
    pub fn discover(dir: &Path) -> Result<Self, Error> {
        let start = canonical(dir)?;
        let broken =
            |error: &dyn std::fmt::Display| Error::Repository { path: dir.to_owned(), detail: one_line(error) };
        let plain = |root: PathBuf| match link_above(&root) {
            Some(link) => Err(dangling(dir, &link)),
            None => Ok(Self { root, git: None }),
        };
        let isolated =
            gix::sec::trust::Mapping { full: gix::open::Options::isolated(), reduced: gix::open::Options::isolated() };
        let repository = match gix::ThreadSafeRepository::discover_opts(&start, upwards::Options::default(), isolated) {
            Ok(repository) => repository,
            Err(error) => {
                return match error.downcast_any_ref::<upwards::Error>() {
                    Some(upwards::Error::NoTrustedGitRepository { .. }) | None => Err(broken(&error)),
                    Some(_) => plain(start),
                };
            }
        };
        let local = repository.to_thread_local();
        let Some(workdir) = local.workdir() else {
            return Err(Error::Bare { path: dir.to_owned() });
        };
        let root = canonical(workdir)?;
        if !start.starts_with(&root) {
            return Err(Error::ForeignWorktree { path: dir.to_owned(), worktree: root });
        }
        if let Some(link) = link_above(&start).filter(|link| link.parent() != Some(root.as_path())) {
            return Err(dangling(dir, &link));
        }
        let common = canonical(local.common_dir())?;
        Ok(Self { root, git: Some(Git { repository, common }) })
    }

    /// `dir` as a project without git, even when a repository holds it.
    /// # Errors
    /// The folder is missing.
    pub fn plain(dir: &Path) -> Result<Self, Error> {
        Ok(Self { root: canonical(dir)?, git: None })
    }

    /// Top of the worktree, canonical.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that all worktrees of the repository share; nothing outside git.
    #[must_use]
    pub fn git_common_dir(&self) -> Option<&Path> {
        self.git.as_ref().map(|git| git.common.as_path())
    }

    /// The short name of the checked-out branch, also before its first commit; nothing outside git and on a
    /// detached head.
    /// # Errors
    /// `HEAD` cannot be read.
    pub fn branch(&self) -> Result<Option<String>, Error> {
        let Some(git) = &self.git else {
            return Ok(None);
        };
        let local = git.repository.to_thread_local();
        let name = local.head_name().map_err(|error| self.broken(&error))?;
        Ok(name.map(|name| name.shorten().to_string()))
    }

    /// The checked-out commit; nothing before the first and outside git.
    /// # Errors
    /// `HEAD` cannot be read.
    pub fn head(&self) -> Result<Option<ObjectId>, Error> {
        let Some(git) = &self.git else { return Ok(None) };
        crate::workspace::head(&git.repository.to_thread_local())
    }

    /// The commit that a text names: a branch, a remote's branch, a tag, or at least four hex digits of a commit;
    /// nothing when it names none. No other form of a revision is looked into.
    /// # Errors
    /// git's data cannot be read.
    pub fn commit_of(&self, text: &str) -> Result<Option<ObjectId>, Error> {
        if self.git.is_none() {
            return Ok(None);
        }
        // Opened anew, for what is open has room for few packs that came since.
        let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
        let local = options.open(&self.root).map_err(|error| self.broken(&error))?.to_thread_local();
        for folder in ["heads", "remotes", "tags"] {
            let Ok(name) = gix::refs::FullName::try_from(format!("refs/{folder}/{text}")) else { continue };
            if let Some(mut found) = local.try_find_reference(name.as_ref()).map_err(|error| self.broken(&error))? {
                let commit = found.peel_to_commit().ok().map(|commit| commit.id);
                return Ok(commit);
            }
        }
        if !(4..=40).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let found = local.rev_parse_single(text).ok().and_then(|id| id.object().ok());
        Ok(found.and_then(|object| object.peel_to_commit().ok()).map(|commit| commit.id))
    }

    /// What the index holds, to tell files that git tracks from others.
    /// # Errors
    /// The index cannot be read.
    pub fn tracked(&self) -> Result<Tracked, Error> {
        let Some(git) = &self.git else { return Ok(Tracked { index: None }) };
        let local = git.repository.to_thread_local();
        let index = local.index_or_empty().map_err(|error| self.broken(&error))?;
        Ok(Tracked { index: Some(index.into()) })
    }

    /// All worktrees of the repository, the main one first; none outside git.
    /// # Errors
    /// The list cannot be read. A single worktree that is gone is not an error but `missing`.
    pub fn worktrees(&self) -> Result<Vec<Worktree>, Error> {
        let Some(git) = &self.git else {
            return Ok(Vec::new());
        };
        worktree::list(&git.repository.to_thread_local()).map_err(|error| self.broken(&error))
    }

    /// Where our state lives: `<git-common-dir>/orchestrator`, so an agent's `git clean` cannot delete it;
    /// outside git `<fallback_root>/<first 16 hex digits of blake3 of the canonical root>`.
    #[must_use]
    pub fn state_dir(&self, fallback_root: &Path) -> PathBuf {
        match &self.git {
            Some(git) => git.common.join("orchestrator"),
            None => {
                let hash = blake3::hash(self.root.as_os_str().as_encoded_bytes()).to_hex();
                fallback_root.join(&hash.as_str()[..16])
            }
        }
    }

    /// Adds one line to the repository's `info/exclude`; true when it was not there. Outside git: false.
    /// # Errors
    /// The pattern is not one line, or the file cannot be read or replaced.
    pub fn exclude(&self, pattern: &str) -> Result<bool, Error> {
        match &self.git {
            Some(git) => exclude::add(&git.common.join("info").join("exclude"), pattern),
            None => Ok(false),
        }
    }

    /// The one name of `path` in this project, see [`normalise`].
    /// # Errors
    /// The path is not one of this project.
    pub fn relative(&self, path: &str) -> Result<String, PathError> {
        normalise(&self.root, path)
    }

    /// True when `path` names something in this project, whether or not it exists.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.relative(path).is_ok()
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> Error {
        Error::Repository { path: self.root.clone(), detail: one_line(error) }
    }
}

/// The index of a worktree at one moment.
pub struct Tracked {
    index: Option<gix::worktree::IndexPersistedOrInMemory>,
}

impl Tracked {
    /// Whether git tracks the path, or anything below it.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        let Some(index) = &self.index else { return false };
        let below = format!("{path}/");
        index.entry_by_path(path.into()).is_some() || index.prefixed_entries_range(below.as_str().into()).is_some()
    }
}

impl std::fmt::Debug for Tracked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Tracked").field("entries", &self.index.as_ref().map(|index| index.entries().len())).finish()
    }
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    let found = path.canonicalize().and_then(|found| match found.is_dir() {
        true => Ok(found),
        false => Err(std::io::ErrorKind::NotADirectory.into()),
    });
    found.map_err(|source| Error::Folder { path: path.to_owned(), source })
}

/// The nearest `.git` file at or above `start`. The library steps over one that points nowhere; taking the
/// repository around it, or none, would put an agent's work into the wrong place.
fn link_above(start: &Path) -> Option<PathBuf> {
    let nearest = start.ancestors().map(|folder| folder.join(".git")).find(|entry| entry.symlink_metadata().is_ok())?;
    nearest.is_file().then_some(nearest)
}

fn dangling(dir: &Path, link: &Path) -> Error {
    let detail = format!("{} points to a repository that is not there", link.display());
    Error::Repository { path: dir.to_owned(), detail }
}

fn one_line(error: &dyn std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
