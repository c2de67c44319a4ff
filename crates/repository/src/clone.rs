//! A clone of the project: a repository of its own, which stands when the project's own garbage is collected.
//!
//! Objects are hard links where the file system allows them, else copies; never alternates. Nothing of the project's
//! settings, hooks or excludes is taken over, and no program is started.

mod objects;
mod remove;

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::atomic::AtomicBool,
};

use gix::{ObjectId, bstr::ByteSlice};

use crate::{Error, Project, Start, worktree::branch_name};

/// Says whose a clone is, so that nothing is removed that was not made. The first of its files to come, the last to go.
const MARK: &str = "orchestrator-clone";

impl Project {
    /// Makes a clone in `folder`, which must be new or empty: one branch of its own, the project's branches as those of
    /// the remote `origin`, its tags, and a configuration that names nothing else.
    ///
    /// No hook runs and no filter: files with a `filter` attribute hold what git stores, for LFS the pointer.
    /// # Errors
    /// The branch is no name or not there, the folder holds something, the commit is not there, the project is a
    /// partial clone, or the disk refuses. Then no clone is left.
    pub fn create_clone(&self, folder: &Path, start: Start<'_>) -> Result<(), Error> {
        let failed = |detail: &dyn std::fmt::Display| Error::Clone {
            path: folder.to_owned(),
            detail: detail.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let project = self.writable(|error| failed(error))?;
        let named =
            |branch: &str| branch_name(branch).ok_or_else(|| failed(&format!("{branch:?} is no name for a branch")));
        let (branch, commit) = match start {
            Start::Detached(commit) => (None, commit),
            Start::NewBranch(branch, commit) => (Some(named(branch)?), commit),
            Start::Branch(branch) => {
                let name = named(branch)?;
                let mut found = project.find_reference(name.as_ref()).map_err(|error| failed(&error))?;
                (Some(name), found.peel_to_id().map_err(|error| failed(&error))?.detach())
            }
        };
        project.find_commit(commit).map_err(|error| failed(&error))?;
        if let Err(error) = fs::create_dir(folder)
            && !(error.kind() == io::ErrorKind::AlreadyExists && is_empty(folder))
        {
            return Err(failed(&error));
        }
        let head = match &branch {
            Some(name) => format!("ref: {}\n", name.as_bstr()),
            None => format!("{commit}\n"),
        };
        let made = self.lay_out(&project, folder, &head, branch.as_ref().map(|name| (name, commit)));
        let made = made.map_err(|error| failed(&error)).and_then(|()| check_out(folder, commit));
        if made.is_err() {
            // The first error is the one to report.
            let _ = self.remove_clone(folder);
        }
        made
    }

    /// Everything below `.git` but the index, `HEAD` last: without it no program takes the folder for a repository.
    fn lay_out(
        &self,
        project: &gix::Repository,
        folder: &Path,
        head: &str,
        branch: Option<(&gix::refs::FullName, ObjectId)>,
    ) -> io::Result<()> {
        let common = project.common_dir().canonicalize()?;
        let git = folder.join(".git");
        fs::create_dir(&git)?;
        let mut mark = File::create_new(git.join(MARK))?;
        mark.write_all(&[common.as_os_str().as_bytes(), b"\n"].concat())?;
        mark.sync_all()?;
        for made in [Some(git.as_path()), Some(folder), folder.parent()].into_iter().flatten() {
            File::open(made)?.sync_all()?;
        }
        for part in ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"] {
            fs::create_dir_all(git.join(part))?;
        }
        let own = common.join("objects");
        let others = gix::odb::alternate::resolve(own.clone(), &common).map_err(io::Error::other)?;
        for objects in [own].into_iter().chain(others) {
            objects::share(&objects, &git.join("objects"))?;
        }
        match fs::copy(common.join("shallow"), git.join("shallow")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::write(git.join("config"), config(self.root()))?;
        fs::write(git.join("packed-refs"), packed_refs(project).map_err(io::Error::other)?)?;
        if let Some((name, commit)) = branch {
            let path = git.join(OsStr::from_bytes(name.as_bstr()));
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, format!("{commit}\n"))?;
        }
        fs::write(git.join("HEAD"), head)
    }

    /// The commits that branches, tags, the stash and other refs of this repository stand on, without those of remotes
    /// and our own pins; each with the name of its ref.
    /// # Errors
    /// The refs cannot be read.
    pub fn tips(&self) -> Result<Vec<(String, ObjectId)>, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git("read the refs", error);
        let repository = self.writable(|error| failed(error))?;
        let mut tips = Vec::new();
        let refs = repository.references().map_err(|error| failed(&error))?;
        for found in refs.all().map_err(|error| failed(&error))? {
            let mut found = found.map_err(|error| failed(&error))?;
            let name = found.name().as_bstr().to_str_lossy().into_owned();
            if name.starts_with("refs/remotes/") || name.starts_with("refs/orchestrator/") {
                continue;
            }
            if name == "refs/stash" {
                // Its ref is the newest only; the others are lines of its log.
                tips.extend(self.stashed(&failed)?.into_iter().map(|id| (name.clone(), id)));
            }
            let commit = found.peel_to_commit().ok().map(|commit| commit.id);
            tips.extend(commit.map(|commit| (name, commit)));
        }
        Ok(tips)
    }

    fn stashed(&self, failed: &impl Fn(&dyn std::fmt::Display) -> Error) -> Result<Vec<ObjectId>, Error> {
        let Some(common) = self.git_common_dir() else { return Ok(Vec::new()) };
        let log = match fs::read(common.join("logs/refs/stash")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            read => read.map_err(|error| failed(&error))?,
        };
        let new = |line: &[u8]| ObjectId::from_hex(line.split(|byte| *byte == b' ').nth(1)?).ok();
        Ok(log.lines().filter_map(new).collect())
    }
}

fn check_out(folder: &Path, commit: ObjectId) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Clone {
        path: folder.to_owned(),
        detail: format!("check out {commit}: {}", error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
    };
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
    let repository = options.open(folder).map_err(|error| failed(&error))?.to_thread_local();
    let tree = repository.find_commit(commit).map_err(|error| failed(&error))?.tree_id();
    let tree = tree.map_err(|error| failed(&error))?.detach();
    let mut index = repository.index_from_tree(&tree).map_err(|error| failed(&error))?;
    let source = gix::worktree::stack::state::attributes::Source::IdMapping;
    let mut options = repository.checkout_options(source).map_err(|error| failed(&error))?;
    options.destination_is_initially_empty = true;
    let objects = repository.objects.clone().into_arc().map_err(|error| failed(&error))?;
    let (nobody, never) = (gix::progress::Discard, AtomicBool::new(false));
    gix::worktree::state::checkout(&mut index, folder, objects, &nobody, &nobody, &never, options)
        .map_err(|error| failed(&error))?;
    index.write(Default::default()).map_err(|error| failed(&error))
}

/// Nothing of the project's own configuration: it may name programs.
fn config(root: &Path) -> Vec<u8> {
    let url = root.as_os_str().as_bytes();
    let url = url.replace(b"\\", b"\\\\").replace(b"\"", b"\\\"").replace(b"\n", b"\\n").replace(b"\t", b"\\t");
    let head = b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n\
        [remote \"origin\"]\n\turl = \"";
    let tail = b"\"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n";
    [&head[..], &url, &tail[..]].concat()
}

/// The project's branches as `git fetch` would write them, and its tags.
fn packed_refs(project: &gix::Repository) -> Result<Vec<u8>, gix::Error> {
    let mut refs = Vec::new();
    for found in project.references()?.all()? {
        let found = found?;
        let name = found.name().as_bstr();
        let Some(id) = found.try_id().map(gix::Id::detach).filter(|id| project.has_object(id)) else { continue };
        if let Some(branch) = name.strip_prefix(b"refs/heads/") {
            refs.push(([b"refs/remotes/origin/", branch].concat(), id));
        } else if name.starts_with(b"refs/tags/") {
            refs.push((name.to_vec(), id));
        }
    }
    refs.sort();
    let lines = refs.into_iter().flat_map(|(name, id)| [id.to_string().as_bytes(), b" ", &name, b"\n"].concat());
    Ok(lines.collect())
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
