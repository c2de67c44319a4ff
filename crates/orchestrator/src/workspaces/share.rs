//! Untracked files of the project that a new workspace gets: copies, or links to the project's own.

use globset::{GlobBuilder, GlobMatcher};
use orchestrator_protocol::LeftOut;
use orchestrator_repository::{Project, Tracked};
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Component, Path, PathBuf};

/// Files and folders looked at for one pattern.
const MAX_LOOKED_AT: usize = 1_000_000;

/// What a workspace got.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shared {
    /// Copied, relative to the project.
    pub(super) copied: Vec<String>,
    /// Linked.
    pub(super) linked: Vec<String>,
    /// Neither, and why.
    pub(super) left_out: Vec<LeftOut>,
}

#[derive(Clone, Copy, PartialEq)]
enum How {
    Copy,
    Link,
}

/// Copies and links what is configured and there. Nothing that git tracks, nothing reached through a link, and nothing
/// over what stands in the workspace.
pub(super) fn share(project: &Project, into: &Path, copy: &[String], link: &[String]) -> Shared {
    let mut shared = Shared::default();
    let tracked = match project.tracked() {
        Ok(tracked) => tracked,
        Err(error) => {
            let all = copy.iter().chain(link);
            shared.left_out = all.map(|path| LeftOut { path: path.clone(), reason: error.to_string() }).collect();
            return shared;
        }
    };
    let wanted = copy.iter().map(|text| (text, How::Copy)).chain(link.iter().map(|text| (text, How::Link)));
    for (text, how) in wanted {
        let paths = match matching(project, text) {
            Ok(paths) => paths,
            Err(reason) => {
                shared.left_out.push(LeftOut { path: text.clone(), reason });
                continue;
            }
        };
        for path in paths {
            match place(project.root(), into, &path, how, &tracked) {
                Ok(()) if how == How::Copy => shared.copied.push(path),
                Ok(()) => shared.linked.push(path),
                Err(reason) => shared.left_out.push(LeftOut { path, reason }),
            }
        }
    }
    shared
}

/// What a path or glob stands for, relative to the project. A path that is not there stands for nothing.
fn matching(project: &Project, text: &str) -> Result<Vec<String>, String> {
    if !text.contains(['*', '?', '[', '{']) {
        let path = project.relative(text).map_err(|error| error.to_string())?;
        return Ok(if super::stands(&project.root().join(&path)) { vec![path] } else { Vec::new() });
    }
    let glob = GlobBuilder::new(text).literal_separator(true).build().map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    let mut looked_at = 0;
    search(project.root(), Path::new(""), &glob.compile_matcher(), &mut looked_at, &mut found);
    found.sort();
    match looked_at > MAX_LOOKED_AT {
        true => Err(format!("it would have to be held against more than {MAX_LOOKED_AT} files; name a path")),
        false => Ok(found),
    }
}

fn search(root: &Path, below: &Path, glob: &GlobMatcher, looked_at: &mut usize, found: &mut Vec<String>) {
    // What cannot be read has nothing to offer.
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    for entry in entries.filter_map(Result::ok) {
        *looked_at += 1;
        let path = below.join(entry.file_name());
        if entry.file_name() == ".git" || *looked_at > MAX_LOOKED_AT {
            continue;
        }
        if glob.is_match(&path) {
            found.extend(path.to_str().map(str::to_owned));
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !super::stands(&root.join(&path).join(".git")) {
            search(root, &path, glob, looked_at, found);
        }
    }
}

fn place(root: &Path, into: &Path, path: &str, how: How, tracked: &Tracked) -> Result<(), String> {
    if path.is_empty() || path == "." {
        return Err("it is the whole project".to_owned());
    }
    if tracked.holds(path) {
        return Err("git tracks it".to_owned());
    }
    let (from, to) = (root.join(path), into.join(path));
    if into.starts_with(&from) {
        return Err("the workspace lies in it".to_owned());
    }
    if !is_reached_without_links(root, path) || !is_reached_without_links(into, path) {
        return Err("a link leads there".to_owned());
    }
    if leads_out(root, &from) {
        return Err("it is a link out of the project".to_owned());
    }
    if super::stands(&to) {
        return Err("the workspace has something there".to_owned());
    }
    let placed = || {
        to.parent().map_or(Ok(()), fs::create_dir_all)?;
        if how == How::Link { symlink(&from, &to) } else { copy(root, &from, &to) }
    };
    placed().map_err(|error: io::Error| error.to_string())
}

/// Whether every folder above the path is a folder, or not there.
fn is_reached_without_links(root: &Path, path: &str) -> bool {
    let above = Path::new(path).ancestors().skip(1).map(|above| root.join(above));
    above.filter(|above| above != root).all(|above| above.symlink_metadata().map_or(true, |meta| meta.is_dir()))
}

/// Whether this is a link to something outside of the project, or to nothing.
fn leads_out(root: &Path, from: &Path) -> bool {
    let is_link = from.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
    is_link && !from.canonicalize().is_ok_and(|target| target.starts_with(root))
}

/// Copies a file, a folder or a link as it is. Links out of the project, pipes, sockets and repositories within a
/// folder are passed over.
fn copy(root: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let meta = from.symlink_metadata()?;
    if meta.is_symlink() {
        let target = fs::read_link(from)?;
        return if is_inside(root, from, &target) { symlink(target, to) } else { Ok(()) };
    }
    if meta.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            if name != ".git" {
                copy(root, &from.join(&name), &to.join(&name))?;
            }
        }
        return fs::set_permissions(to, meta.permissions());
    }
    if !meta.is_file() {
        return Ok(());
    }
    let mut source = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(from)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut source, &mut copy)?;
    copy.set_permissions(meta.permissions())
}

/// Whether a relative link stays in the project, judged by its text alone.
fn is_inside(root: &Path, link: &Path, target: &Path) -> bool {
    let Some(folder) = link.parent().and_then(|folder| folder.strip_prefix(root).ok()) else { return false };
    let mut depth: Vec<PathBuf> = Vec::new();
    folder.join(target).components().all(|part| match part {
        Component::Normal(name) => {
            depth.push(name.into());
            true
        }
        Component::ParentDir => depth.pop().is_some(),
        Component::CurDir => true,
        Component::RootDir | Component::Prefix(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (tempfile::TempDir, Project, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (root, into) = (folder.path().join("project"), folder.path().join("into"));
        fs::create_dir_all(root.join("deps/lib")).unwrap();
        fs::create_dir(&into).unwrap();
        for path in [".env", "a.local", "deps/lib/x", "deps/y.local"] {
            fs::write(root.join(path), path).unwrap();
        }
        fs::write(folder.path().join("secret"), "s").unwrap();
        let project = Project::plain(&root).unwrap();
        (folder, project, into.canonicalize().unwrap())
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_is_there_is_copied_or_linked_and_nothing_is_written_over() {
        let (_folder, project, into) = world();
        fs::write(into.join("a.local"), "mine").unwrap();
        let shared = share(&project, &into, &texts(&[".env", "**/*.local", "no-such"]), &texts(&["deps/lib/"]));
        assert_eq!(shared.copied, [".env", "deps/y.local"]);
        assert_eq!(shared.linked, ["deps/lib"]);
        let reason = "the workspace has something there".to_owned();
        assert_eq!(shared.left_out, [LeftOut { path: "a.local".into(), reason }]);
        assert_eq!(fs::read_to_string(into.join("a.local")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(into.join(".env")).unwrap(), ".env");
        assert_eq!(fs::read_link(into.join("deps/lib")).unwrap(), project.root().join("deps/lib"));
    }

    #[test]
    fn no_link_is_followed_out() {
        let (folder, project, into) = world();
        let root = project.root();
        symlink(folder.path().join("secret"), root.join("out")).unwrap();
        symlink("..", root.join("up")).unwrap();
        symlink("../../../secret", root.join("deps/lib/out")).unwrap();
        symlink("x", root.join("deps/lib/in")).unwrap();
        let shared =
            share(&project, &into, &texts(&["out", "up/secret", "deps", "../secret", ".git"]), &texts(&["out"]));
        assert_eq!(shared.copied, ["deps"]);
        assert_eq!((shared.linked.len(), shared.left_out.len()), (0, 5), "{shared:?}");
        assert!(!super::super::stands(&into.join("deps/lib/out")));
        assert_eq!(fs::read_link(into.join("deps/lib/in")).unwrap(), Path::new("x"));
    }

    #[test]
    fn a_link_in_the_workspace_leads_nothing_out() {
        let (folder, project, into) = world();
        symlink(folder.path(), into.join("deps")).unwrap();
        let shared = share(&project, &into, &texts(&["deps/y.local"]), &[]);
        assert_eq!(shared.left_out.len(), 1);
        assert!(!folder.path().join("y.local").exists());
    }
}
