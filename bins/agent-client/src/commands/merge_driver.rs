//! `agent-client merge-driver`: tells git to merge files with `agent-client merge-file`, and takes it back.
//!
//! A driver is a pair of settings, and something that says which files it is for. Without patterns that is git's setting
//! `merge.default`: files for which the project says nothing. With patterns it is a block of an attributes file, which a
//! repository keeps outside its history and which wins over the project's own attributes.

mod attributes;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::replace;
use clap::{Args, Subcommand};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the driver is called in git's settings and attributes.
const DRIVER: &str = "orchestrator";
const NAME_KEY: &str = "merge.orchestrator.name";
const DRIVER_KEY: &str = "merge.orchestrator.driver";
const DEFAULT_KEY: &str = "merge.default";

/// What git shows of the driver.
const NAME: &str = "structured merge by agent-client";

/// What the driver is started with. Git puts in the files, the size of markers, and, quoted, names and path.
const ARGUMENTS: &str =
    "merge-file --style=git --marker-size=%L --label=%X --label=%S --label=%Y --path=%P -o %A %O %A %B";

/// Arguments of `merge-driver`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Use this program for merges of git. Again with other options replaces the earlier ones.
    #[command(after_help = "\
Examples:
  agent-client merge-driver install
  agent-client merge-driver install --global --patterns '*.py' '*.json'

Without --patterns it merges every file for which .gitattributes sets no 'merge'. The patterns, those of .gitattributes,
win over the project's own attributes for a repository, and yield to them with --global.")]
    Install {
        #[command(flatten)]
        scope: Scope,
        /// Only for these files.
        #[arg(long, value_name = "PATTERN", num_args = 1..)]
        patterns: Vec<String>,
    },
    /// Remove what 'install' wrote, and nothing else.
    Uninstall {
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Debug, Args)]
struct Scope {
    /// For all repositories of this user, not for the one of the current folder.
    #[arg(long)]
    global: bool,
}

pub(crate) fn run(arguments: &Arguments, out: &Output) -> Result<(), Failure> {
    match &arguments.action {
        Action::Install { scope, patterns } => install(scope, patterns, out),
        Action::Uninstall { scope } => uninstall(scope, out),
    }
}

fn install(scope: &Scope, patterns: &[String], out: &Output) -> Result<(), Failure> {
    let lines = attributes::lines(patterns, DRIVER)?;
    let file = scope.attributes()?;
    let default = scope.get(DEFAULT_KEY)?;
    if let Some(other) = default.as_ref().filter(|default| *default != DRIVER && patterns.is_empty()) {
        let what = format!("git's merge.default is '{}' already", other.to_string_lossy());
        let cure = "say for which files with --patterns, or unset it";
        return Err(Failure::new(Exit::Conflict, "taken", what, cure));
    }
    let program = std::env::current_exe()?;
    scope.set(NAME_KEY, OsStr::new(NAME))?;
    scope.set(DRIVER_KEY, &command_line(&program))?;
    if patterns.is_empty() {
        edit(&file, attributes::without)?;
        scope.set(DEFAULT_KEY, OsStr::new(DRIVER))?;
    } else {
        edit(&file, |text| attributes::with(text, &lines))?;
        scope.unset_default(default)?;
    }
    let files = if patterns.is_empty() {
        "files whose merge no .gitattributes sets".to_owned()
    } else {
        format!("{} (in {})", patterns.join(" "), file.display())
    };
    out.note(&format!("git now merges with {}: {files}", program.display()));
    Ok(())
}

fn uninstall(scope: &Scope, out: &Output) -> Result<(), Failure> {
    // First what names the driver, so that nothing names one that is gone.
    edit(&scope.attributes()?, attributes::without)?;
    scope.unset_default(scope.get(DEFAULT_KEY)?)?;
    for key in [DRIVER_KEY, NAME_KEY] {
        scope.unset(key)?;
    }
    out.note("git merges as it did before");
    Ok(())
}

/// The driver as git hands it to a shell.
fn command_line(program: &Path) -> OsString {
    let mut line = b"'".to_vec();
    for byte in program.as_os_str().as_bytes() {
        match byte {
            b'\'' => line.extend_from_slice(b"'\\''"),
            b'%' => line.extend_from_slice(b"%%"),
            byte => line.push(*byte),
        }
    }
    line.extend_from_slice(b"' ");
    line.extend_from_slice(ARGUMENTS.as_bytes());
    OsString::from_vec(line)
}

/// Changes an attributes file; one that becomes empty goes.
fn edit(file: &Path, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let what = format!("{} cannot be changed: {error}", file.display());
        Failure::new(Exit::Failed, "io", what, "make it a file that can be written")
    };
    let before = match std::fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    let after = change(&before);
    if after == before {
        return Ok(());
    }
    if after.is_empty() {
        return std::fs::remove_file(file).map_err(failed);
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    replace::write(file, &after).map_err(failed)
}

impl Scope {
    fn flag(&self) -> &'static str {
        if self.global { "--global" } else { "--local" }
    }

    /// The attributes file that belongs to the scope and to no history.
    fn attributes(&self) -> Result<PathBuf, Failure> {
        if !self.global {
            let path = git(["rev-parse", "--git-path", "info/attributes"], &[0])?;
            return Ok(path.map(PathBuf::from).unwrap_or_default());
        }
        for scope in ["--global", "--system"] {
            if let Some(path) = git(["config", scope, "--type=path", "--get", "core.attributesFile"], &[0, 1])? {
                return Ok(path.into());
            }
        }
        let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        let no_home = || Failure::new(Exit::Failed, "no_home", "the user has no home folder", "set HOME");
        Ok(config.ok_or_else(no_home)?.join("git/attributes"))
    }

    fn get(&self, key: &str) -> Result<Option<OsString>, Failure> {
        git(["config", self.flag(), "--get", key], &[0, 1])
    }

    fn set(&self, key: &str, value: &OsStr) -> Result<(), Failure> {
        let arguments = ["config", self.flag(), "--replace-all", key].map(OsStr::new);
        git(arguments.into_iter().chain([value]), &[0]).map(drop)
    }

    /// A setting that is not there is no failure.
    fn unset(&self, key: &str) -> Result<(), Failure> {
        git(["config", self.flag(), "--unset-all", key], &[0, 5]).map(drop)
    }

    fn unset_default(&self, default: Option<OsString>) -> Result<(), Failure> {
        if default.is_some_and(|default| default == DRIVER) { self.unset(DEFAULT_KEY) } else { Ok(()) }
    }
}

/// What git prints, without the last newline; `None` where it ends with another of the codes that are expected.
fn git<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, codes: &[i32]) -> Result<Option<OsString>, Failure> {
    let output = Command::new("git").args(arguments).output().map_err(|error| {
        Failure::new(Exit::Failed, "no_git", format!("git cannot be started: {error}"), "install git")
    })?;
    if !output.status.code().is_some_and(|code| codes.contains(&code)) {
        let told = String::from_utf8_lossy(&output.stderr);
        let what = format!("git refused: {}", told.trim().trim_start_matches("fatal: "));
        let cure = "run it in a repository whose settings can be written, or use --global";
        return Err(Failure::new(Exit::Failed, "git", what, cure));
    }
    let mut text = output.stdout;
    text.pop_if(|byte| *byte == b'\n');
    Ok(output.status.success().then(|| OsString::from_vec(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_s_path_is_quoted_for_the_shell_and_for_git() {
        let line = command_line(Path::new("/it's 100% \"mine\"/agent-client"));
        let line = line.to_str().unwrap();
        assert!(line.starts_with(r#"'/it'\''s 100%% "mine"/agent-client' merge-file "#), "{line}");
    }
}
