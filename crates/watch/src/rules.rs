//! What git ignores: `info/exclude` and every `.gitignore` from the root down; never the user's own file,
//! which lies outside the project.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::stamp;

/// Longer ignore files are cut here: nobody writes them, and patterns cost memory.
const LONGEST: u64 = 1 << 20;

/// The rules of one folder and those above it. Deeper files win, as in git.
#[derive(Debug)]
pub(crate) struct Rules {
    above: Option<Arc<Rules>>,
    own: Gitignore,
}

impl Rules {
    /// The rules that hold for the whole tree: `info/exclude` of the repository at `root`, if there is one.
    pub(crate) fn base(root: &Path) -> Arc<Self> {
        let own = exclude_file(root).map_or_else(Gitignore::empty, |file| load(root, &file));
        Arc::new(Self { above: None, own })
    }

    /// The rules inside `folder` below `above`; the same ones when the folder brings none.
    pub(crate) fn enter(above: &Arc<Self>, folder: &Path, has_file: bool) -> Arc<Self> {
        if !has_file {
            return Arc::clone(above);
        }
        let own = load(folder, &folder.join(".gitignore"));
        Arc::new(Self { above: Some(Arc::clone(above)), own })
    }

    /// True when nothing is ignored.
    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty() && self.above.as_deref().is_none_or(Self::is_empty)
    }

    /// True when git would not see `path` (absolute). Folders above it are taken as not ignored.
    pub(crate) fn ignore(&self, path: &Path, is_folder: bool) -> bool {
        let mut rules = Some(self);
        while let Some(current) = rules {
            let found = current.own.matched(path, is_folder);
            if !found.is_none() {
                return found.is_ignore();
            }
            rules = current.above.as_deref();
        }
        false
    }
}

/// The repository's `info/exclude`, found through `.git` files and `commondir` as git does.
pub(crate) fn exclude_file(root: &Path) -> Option<PathBuf> {
    let dot_git = root.join(".git");
    let kind = fs::symlink_metadata(&dot_git).ok()?;
    let git_dir = if kind.is_file() {
        let text = small_file(&dot_git).ok()?;
        root.join(text.strip_prefix("gitdir:")?.trim())
    } else {
        dot_git
    };
    let common = match small_file(&git_dir.join("commondir")) {
        Ok(text) => git_dir.join(text.trim()),
        Err(_) => git_dir,
    };
    Some(common.join("info").join("exclude"))
}

fn small_file(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    stamp::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn load(folder: &Path, file: &Path) -> Gitignore {
    let mut content = Vec::new();
    // Git does not follow a link here either; what cannot be read ignores nothing.
    if stamp::open(file).and_then(|open| open.take(LONGEST).read_to_end(&mut content)).is_err() {
        return Gitignore::empty();
    }
    let text = String::from_utf8_lossy(&content);
    let mut builder = GitignoreBuilder::new(folder);
    for line in text.trim_start_matches('\u{feff}').lines() {
        if let Err(error) = builder.add_line(None, line) {
            tracing::debug!(file = %file.display(), %error, "an ignore pattern is malformed");
        }
    }
    builder.build().unwrap_or_else(|error| {
        tracing::warn!(file = %file.display(), %error, "an ignore file is not used");
        Gitignore::empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeper_rules_win_and_only_the_repositorys_files_count() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join(".git/info")).unwrap();
        fs::create_dir(root.join("d")).unwrap();
        fs::write(root.join(".git/info/exclude"), "*.secret\n").unwrap();
        fs::write(root.join(".gitignore"), "*.log\nbuild/\n/only-top\n").unwrap();
        fs::write(root.join("d/.gitignore"), "!keep.log\n").unwrap();
        let top = Rules::enter(&Rules::base(root), root, true);
        let deep = Rules::enter(&top, &root.join("d"), true);
        let check = |rules: &Rules, path: &str, is_folder, expected| {
            assert_eq!(rules.ignore(&root.join(path), is_folder), expected, "{path}");
        };
        check(&top, "x.log", false, true);
        check(&top, "x.rs", false, false);
        check(&top, "build", true, true);
        check(&top, "build", false, false);
        check(&top, "only-top", false, true);
        check(&deep, "d/only-top", false, false);
        check(&deep, "d/keep.log", false, false);
        check(&deep, "d/x.log", false, true);
        check(&deep, "d/x.secret", false, true);
    }

    #[test]
    fn a_linked_worktree_uses_the_common_exclude_file() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        let git = folder.path().join("main/.git");
        fs::create_dir_all(git.join("worktrees/tree")).unwrap();
        fs::create_dir_all(git.join("info")).unwrap();
        fs::create_dir(&root).unwrap();
        fs::write(root.join(".git"), format!("gitdir: {}\n", git.join("worktrees/tree").display())).unwrap();
        fs::write(git.join("worktrees/tree/commondir"), "../..\n").unwrap();
        fs::write(git.join("info/exclude"), "*.o\n").unwrap();
        assert!(Rules::base(&root).ignore(&root.join("a/b.o"), false));
        assert!(!Rules::base(&root).ignore(&root.join("a/b.c"), false));
    }
}
