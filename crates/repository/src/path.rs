//! One file, one name: every spelling of a path becomes one forward-slash path below the root.
//!
//! Pure text: the disk is not asked, so links are not resolved; whoever opens the file must do so beneath the
//! root without following links. `..` is refused everywhere, because what `a/..` means depends on links.
//! The spellings of `.git` are those that some file system takes for it: other case, trailing dots and
//! spaces, NTFS short names (`git~1`) and streams (`.git::$INDEX_ALLOCATION`), and the code points that
//! HFS+ ignores; the same list git itself protects with `core.protectNTFS` and `core.protectHFS`.

use std::path::{Path, PathBuf};

/// Why a text is not the path of a file in this project.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing is left after normalising: the text is empty or names the root.
    #[error("failed to use {0:?} as a path: it names no file; give a path below the project's root")]
    Empty(String),
    /// A NUL byte, which no file system accepts.
    #[error("failed to use {0:?} as a path: it holds a NUL character; remove it")]
    Nul(String),
    /// A `..` component.
    #[error("failed to use {0:?} as a path: it holds `..`; write the path from the project's root without it")]
    Parent(String),
    /// A `.git` component in any spelling.
    #[error(
        "failed to use {0:?} as a path: the component {1:?} is git's own folder on some system; name a file outside it"
    )]
    GitFolder(String, String),
    /// An absolute path that is not below the root.
    #[error("failed to use {input:?} as a path: it is outside the project at {root:?}; give a path below it")]
    Outside {
        /// The path as it was given.
        input: String,
        /// The project's root.
        root: PathBuf,
    },
}

/// The one name of `input`: relative to `root`, forward slashes, no `.` and no empty components.
///
/// `input` is relative to `root`, or absolute and below it. `./a//b`, `/abs/root/a/b` and `a/b` are the same.
/// # Errors
/// [`PathError`] for `..`, NUL, any `.git` component, paths outside the root and the root itself.
pub fn normalise(root: &Path, input: &str) -> Result<String, PathError> {
    if input.contains('\0') {
        return Err(PathError::Nul(input.to_owned()));
    }
    let below = if input.starts_with('/') || Path::new(input).is_absolute() { below_root(root, input)? } else { input };
    let mut name = String::with_capacity(below.len());
    for component in below.split(is_separator) {
        match component {
            "" | "." => continue,
            ".." => return Err(PathError::Parent(input.to_owned())),
            // A backslash is part of a name here and a separator elsewhere: neither reading may be `.git`.
            _ if component.split('\\').any(is_git_folder) => {
                return Err(PathError::GitFolder(input.to_owned(), component.to_owned()));
            }
            _ if component.split('\\').any(|part| part == "..") => {
                return Err(PathError::Parent(input.to_owned()));
            }
            _ => {}
        }
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(component);
    }
    if name.is_empty() {
        return Err(PathError::Empty(input.to_owned()));
    }
    Ok(name)
}

fn is_separator(character: char) -> bool {
    character == '/' || (cfg!(windows) && character == '\\')
}

/// The rest of an absolute `input` after the components of `root`; `/root-2/a` is not below `/root`.
fn below_root<'a>(root: &Path, input: &'a str) -> Result<&'a str, PathError> {
    let outside = || PathError::Outside { input: input.to_owned(), root: root.to_owned() };
    let root_text = root.to_str().ok_or_else(outside)?;
    let mut rest = input;
    for wanted in root_text.split(is_separator).filter(|part| !part.is_empty() && *part != ".") {
        loop {
            rest = rest.trim_start_matches(is_separator);
            match rest.strip_prefix("./") {
                Some(after) => rest = after,
                None => break,
            }
        }
        rest = rest.strip_prefix(wanted).ok_or_else(outside)?;
        if !rest.is_empty() && !rest.starts_with(is_separator) {
            return Err(outside());
        }
    }
    Ok(rest)
}

/// True when some file system opens git's folder under this name.
pub(crate) fn is_git_folder(component: &str) -> bool {
    let visible: String = component.chars().filter(|character| !ignored_by_hfs(*character)).collect();
    let before_stream = visible.split(':').next().unwrap_or_default();
    let name = before_stream.trim_end_matches([' ', '.']);
    if name.eq_ignore_ascii_case(".git") {
        return true;
    }
    // `~` and a number is how NTFS shortens; which number `.git` got depends on its neighbours.
    name.split_once('~').is_some_and(|(stem, number)| {
        stem.eq_ignore_ascii_case("git") && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn ignored_by_hfs(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(input: &str, expected: Result<&str, &str>) {
        let kind = |error: PathError| match error {
            PathError::Empty(_) => "empty",
            PathError::Nul(_) => "nul",
            PathError::Parent(_) => "parent",
            PathError::GitFolder(..) => "git",
            PathError::Outside { .. } => "outside",
        };
        let found = normalise(Path::new("/abs/root"), input).map_err(kind);
        assert_eq!(found.as_deref().map_err(|kind| *kind), expected, "{input:?}");
    }

    #[test]
    fn every_spelling_of_a_file_is_one_name() {
        for spelling in ["a/b", "./a//b", "a/./b", "a/b/", "/abs/root/a/b", "//abs/./root//a/b", "/abs/root/./a/b/."] {
            check(spelling, Ok("a/b"));
        }
        check("ä/ß 猫", Ok("ä/ß 猫"));
        check("...", Ok("..."));
        check("a..b", Ok("a..b"));
        check("-x", Ok("-x"));
    }

    #[test]
    fn paths_that_leave_the_root_are_refused() {
        check("..", Err("parent"));
        check("a/../b", Err("parent"));
        check("/abs/root/../x", Err("parent"));
        check("a\\..\\b", Err("parent"));
        check("/abs", Err("outside"));
        check("/abs/root2/a", Err("outside"));
        check("/abs/../abs/root/a", Err("outside"));
        check("/etc/passwd", Err("outside"));
    }

    #[test]
    fn the_root_itself_and_nothing_are_not_files() {
        for input in ["", ".", "./", "//abs/root/", "/abs/root"] {
            check(input, Err("empty"));
        }
        check("a\0b", Err("nul"));
    }

    #[test]
    fn the_git_folder_is_refused_in_every_spelling() {
        for input in [
            ".git",
            ".git/config",
            "a/.git/hooks/x",
            ".GIT",
            ".gIt/config",
            ".git.",
            ".git ",
            ".git. . /x",
            "git~1",
            "GIT~2/config",
            ".git::$INDEX_ALLOCATION",
            ".git:x",
            "git~1::$DATA",
            ".g\u{200c}it",
            "\u{feff}.git/x",
            "a\\.git\\config",
            "/abs/root/.git/x",
        ] {
            check(input, Err("git"));
        }
        for input in [".gitignore", ".github/x", "git", "git~", "git~x", "x.git", "git.", ".git-x", ".gitmodules"] {
            check(input, Ok(input));
        }
    }

    proptest! {
        #[test]
        fn a_name_is_its_own_name_and_stays_below_the_root(input in "[a./\\\\gGit~1: \u{200c}]{0,24}") {
            let root = Path::new("/abs/root");
            if let Ok(name) = normalise(root, &input) {
                prop_assert_eq!(normalise(root, &name), Ok(name.clone()));
                prop_assert_eq!(normalise(root, &format!("/abs/root/{name}")), Ok(name.clone()));
                let components = Path::new(&name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(components);
            }
        }

        #[test]
        fn no_text_makes_it_panic(input in ".*", root in ".*") {
            let _ = normalise(Path::new(&root), &input);
        }
    }
}
