//! `agent-client merge-driver`: real merges of the real git.

use crate::support::agent_client;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A repository, and a user with a home folder of their own.
struct World {
    _folder: TempDir,
    home: PathBuf,
    repository: PathBuf,
    program: PathBuf,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (home, repository) = (folder.path().join("home"), folder.path().join("it's 100% \"mine\""));
        fs::create_dir(&home).unwrap();
        fs::create_dir(&repository).unwrap();
        // The program, too, where a shell or git could misread it.
        let program = repository.join("agent client");
        fs::hard_link(env!("CARGO_BIN_EXE_agent-client"), &program)
            .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_agent-client"), &program).map(drop))
            .unwrap();
        let world = Self { _folder: folder, home, repository, program };
        world.git(&["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "t"), ("user.email", "t@t")] {
            world.git(&["config", key, value]);
        }
        fs::write(world.repository.join(".git/info/exclude"), "agent client\n").unwrap();
        world
    }

    fn alone(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.repository).env("HOME", &self.home).env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_DIR"] {
            command.env_remove(name);
        }
        command
    }

    fn try_git(&self, arguments: &[&str]) -> Output {
        self.alone(Path::new("git")).args(arguments).output().unwrap()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn driver(&self, arguments: &[&str]) -> Output {
        self.alone(&self.program).arg("merge-driver").args(arguments).output().unwrap()
    }

    fn installed(&self, arguments: &[&str]) {
        let output = self.driver(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = self.repository.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", "c"]);
    }

    /// Two branches off one base, the second of them checked out.
    fn branches(&self, path: &str, [base, one, two]: [&str; 3]) {
        self.commit(&[(path, base)]);
        self.git(&["checkout", "--quiet", "-b", "one"]);
        self.commit(&[(path, one)]);
        self.git(&["checkout", "--quiet", "-b", "two", "main"]);
        self.commit(&[(path, two)]);
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repository.join(path)).unwrap()
    }
}

/// Of these git makes a conflict, and the driver does not: only one side changed the line endings.
const ENDINGS: [&str; 3] = ["a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\nb\nC\n"];
const ENDINGS_MERGED: &str = "a\r\nb\r\nC\r\n";
const COLLIDE: [&str; 3] = ["a\nb\nc\n", "a\none\nc\n", "a\ntwo\nc\n"];

#[test]
fn git_merges_with_it_whatever_the_path_is_called() {
    for path in ["plain.txt", "it's a \"file\" with $HOME and 100%.txt", "-p/--option"] {
        let world = World::new();
        world.branches(path, ENDINGS);
        assert_eq!(world.try_git(&["merge", "one"]).status.code(), Some(1), "git alone settles it");
        world.git(&["merge", "--abort"]);
        world.installed(&["install"]);
        world.git(&["merge", "--quiet", "one"]);
        assert_eq!(world.read(path), ENDINGS_MERGED);
    }
}

#[test]
fn a_conflict_is_left_with_markers_and_with_git_s_names() {
    let world = World::new();
    world.branches("a.txt", COLLIDE);
    world.installed(&["install"]);
    assert_eq!(world.try_git(&["merge", "one"]).status.code(), Some(1));
    assert_eq!(world.read("a.txt"), "a\n<<<<<<< HEAD\ntwo\n=======\none\n>>>>>>> one\nc\n");
    assert_eq!(world.git(&["ls-files", "--unmerged"]).lines().count(), 3);
    world.git(&["merge", "--abort"]);
    world.git(&["config", "merge.conflictStyle", "diff3"]);
    assert_eq!(world.try_git(&["merge", "one"]).status.code(), Some(1));
    let text = world.read("a.txt");
    assert!(text.contains("\n|||||||") && text.contains("\nb\n=======\n"), "{text}");
}

#[test]
fn a_failed_driver_is_no_conflict() {
    let world = World::new();
    world.branches("a.txt", COLLIDE);
    world.installed(&["install"]);
    let line = world.git(&["config", "merge.orchestrator.driver"]);
    world.git(&["config", "merge.orchestrator.driver", &line.trim_end().replace("--marker-size=%L", "--nonsense")]);
    let output = world.try_git(&["merge", "one"]);
    assert!(output.status.code() > Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(world.read("a.txt"), COLLIDE[2], "nothing was written");
}

#[test]
fn the_conflict_of_a_virtual_base_has_longer_markers() {
    let world = World::new();
    world.branches("a.txt", COLLIDE);
    world.installed(&["install"]);
    world.git(&["config", "merge.conflictStyle", "diff3"]);
    // Each branch merges the other's first commit and settles it in its own way.
    let [one, two] = ["one", "two"].map(|name| world.git(&["rev-parse", name]).trim().to_owned());
    for (branch, other, text) in [("one", two, "a\none and two\nc\n"), ("two", one, "a\ntwo and one\nc\n")] {
        world.git(&["checkout", "--quiet", branch]);
        assert_eq!(world.try_git(&["merge", &other]).status.code(), Some(1));
        world.commit(&[("a.txt", text)]);
    }
    assert_eq!(world.git(&["merge-base", "--all", "one", "two"]).lines().count(), 2);
    assert_eq!(world.try_git(&["merge", "one"]).status.code(), Some(1));
    let text = world.read("a.txt");
    let marks = |mark: &str| text.lines().filter(|line| line.split(' ').next() == Some(mark)).count();
    assert_eq!((marks("<<<<<<<"), marks("<<<<<<<<<"), marks(">>>>>>>>>")), (1, 1, 1), "{text}");
}

#[test]
fn the_project_s_own_attributes_win_unless_patterns_are_given() {
    let world = World::new();
    world.commit(&[(".gitattributes", "*.txt merge=union\n")]);
    world.branches("a.txt", COLLIDE);
    world.installed(&["install"]);
    world.git(&["merge", "--quiet", "one"]);
    assert_eq!(world.read("a.txt"), "a\ntwo\none\nc\n", "the union that the project wants");
    world.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    world.installed(&["install", "--patterns", "*.txt", "a b/*.md"]);
    assert_eq!(world.try_git(&["merge", "one"]).status.code(), Some(1));
    let attributes = |path: &str| world.git(&["check-attr", "merge", "--", path]);
    assert_eq!(attributes("a b/x.md"), "a b/x.md: merge: orchestrator\n");
    assert_eq!(attributes("x.md"), "x.md: merge: unspecified\n");
    assert_eq!(world.try_git(&["config", "merge.default"]).status.code(), Some(1));
}

#[test]
fn what_install_wrote_goes_and_nothing_else() {
    let world = World::new();
    let files = [world.repository.join(".git/config"), world.repository.join(".git/info/attributes")];
    let read = || files.each_ref().map(|file| fs::read_to_string(file).ok());
    for before in [None, Some("*.c merge=union\n"), Some("*.c merge=union")] {
        if let Some(text) = before {
            fs::write(&files[1], text).unwrap();
        }
        let untouched = read();
        world.installed(&["uninstall"]);
        assert_eq!(read(), untouched, "nothing is installed");
        for arguments in [&["install"][..], &["install", "--patterns", "*.py", "*.json"]] {
            world.installed(arguments);
            let once = read();
            assert_ne!(once, untouched);
            world.installed(arguments);
            assert_eq!(read(), once, "twice is once");
        }
        world.installed(&["uninstall"]);
        assert_eq!(read(), untouched);
    }
    world.git(&["config", "merge.default", "other"]);
    let refused = world.driver(&["install"]);
    assert_eq!(refused.status.code(), Some(5), "another driver is the default already");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("merge.default is 'other' already"));
    world.installed(&["install", "--patterns", "*.py"]);
    world.installed(&["uninstall"]);
    assert_eq!(world.git(&["config", "merge.default"]), "other\n");
}

#[test]
fn a_user_has_it_in_every_repository() {
    let world = World::new();
    world.branches("a.txt", ENDINGS);
    world.installed(&["install", "--global"]);
    world.git(&["merge", "--quiet", "one"]);
    assert_eq!(world.read("a.txt"), ENDINGS_MERGED);
    world.git(&["reset", "--quiet", "--hard", "HEAD^"]);

    // Into the user's own attributes, wherever they are, through a link too.
    let usual = world.home.join(".config/git/attributes");
    world.installed(&["install", "--global", "--patterns", "*.txt"]);
    assert!(fs::read_to_string(&usual).unwrap().contains("\n*.txt merge=orchestrator\n"));
    world.installed(&["uninstall", "--global"]);
    assert!(!usual.exists());
    let (own, link) = (world.home.join("dotfiles"), world.home.join("my attributes"));
    fs::write(&own, "*.png -merge\n").unwrap();
    std::os::unix::fs::symlink(&own, &link).unwrap();
    world.git(&["config", "--global", "core.attributesFile", "~/my attributes"]);
    world.installed(&["install", "--global", "--patterns", "*.txt"]);
    assert!(link.symlink_metadata().unwrap().is_symlink() && !usual.exists());
    world.git(&["merge", "--quiet", "one"]);
    assert_eq!(world.read("a.txt"), ENDINGS_MERGED);
    world.installed(&["uninstall", "--global"]);
    assert_eq!(fs::read_to_string(&own).unwrap(), "*.png -merge\n");
    assert_eq!(world.git(&["config", "--global", "--list"]), "core.attributesfile=~/my attributes\n");
    assert_eq!(world.try_git(&["config", "merge.orchestrator.driver"]).status.code(), Some(1));
}

#[test]
fn outside_a_repository_it_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = agent_client(&["merge-driver", "install"]);
    let output = command.current_dir(folder.path()).env("GIT_CEILING_DIRECTORIES", "/").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.starts_with("error: git refused: not a git repository"), "{told}");
    assert_eq!(told.lines().count(), 1);
}
