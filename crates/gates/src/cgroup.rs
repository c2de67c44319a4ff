//! A control group for a gate: the kernel refuses it more processes than it may have.
//!
//! The limit that `prlimit` sets does not bind root, and a bomb forks faster than anybody could count.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io};

const PREFIX: &str = "orchestrator-gate-";
/// How long an empty group may be busy with burying its last process.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where groups can be made.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    parent: PathBuf,
    shell: PathBuf,
    env: PathBuf,
}

impl Groups {
    /// By making one, in either version of the system's groups.
    ///
    /// # Errors
    /// Why there is no place.
    pub(crate) fn find(shell: &Path, env: &Path) -> Result<Self, String> {
        let mounts = fs::read_to_string("/proc/self/mounts").map_err(|error| error.to_string())?;
        let mut why = "no control groups for processes are mounted".to_owned();
        for parent in mounts.lines().filter_map(counts_processes) {
            let groups = Self { parent: parent.into(), shell: shell.into(), env: env.into() };
            groups.remove_stale();
            match groups.make(1) {
                Ok(_) => return Ok(groups),
                Err(error) => why = format!("no control group can be made: {error}"),
            }
        }
        Err(why)
    }

    /// The folder that they are made in.
    pub(crate) fn parent(&self) -> &Path {
        &self.parent
    }

    /// One with room for so many processes and threads.
    pub(crate) fn make(&self, most: u64) -> io::Result<Group> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = self.parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let group = Group { folder, groups: self.clone() };
        // It is not there when the group has no control of processes; then the write must not make it.
        fs::OpenOptions::new().write(true).open(group.folder.join("pids.max"))?;
        fs::write(group.folder.join("pids.max"), most.to_string())?;
        Ok(group)
    }

    /// Those of servers that were killed; a group that is in use cannot be removed.
    fn remove_stale(&self) {
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let server = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next());
            if server.is_some_and(|server| !Path::new("/proc").join(server).exists()) {
                let _ = fs::remove_dir(entry.path());
            }
        }
    }
}

/// The place of a line of the table of mounts, if it is of groups that can count processes.
fn counts_processes(mount: &str) -> Option<&str> {
    let mut fields = mount.split(' ').skip(1);
    let (place, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
    (kind == "cgroup2" || kind == "cgroup" && options.split(',').any(|option| option == "pids")).then_some(place)
}

/// The group of one gate, removed when this is dropped after its processes have ended.
#[derive(Debug)]
pub(crate) struct Group {
    folder: PathBuf,
    groups: Groups,
}

impl Group {
    /// What has to stand before a program and its arguments so that it starts in the group.
    pub(crate) fn entry(&self) -> Vec<OsString> {
        let join = r#"echo 0 > "$1" || exit 125; shift; exec "$@""#;
        let mut words: Vec<OsString> = vec![self.groups.shell.clone().into()];
        words.extend(["-c".into(), join.into(), "sh".into(), self.folder.join("cgroup.procs").into()]);
        // Variables that a shell makes.
        words.push(self.groups.env.clone().into());
        words.extend(["PWD", "OLDPWD", "SHLVL", "_"].into_iter().flat_map(|name| ["-u".into(), name.into()]));
        words
    }

    /// Whether the kernel had to refuse a process.
    pub(crate) fn refused(&self) -> bool {
        let events = fs::read_to_string(self.folder.join("pids.events")).unwrap_or_default();
        events.lines().any(|line| line.strip_prefix("max ").is_some_and(|count| count.trim() != "0"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let until = Instant::now() + PATIENCE;
        while fs::remove_dir(&self.folder).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
            if Instant::now() > until {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_groups_are_found() {
        for (line, place) in [
            ("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0", Some("/sys/fs/cgroup")),
            ("cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0", Some("/sys/fs/cgroup/pids")),
            ("cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0", None),
            ("pids / ext4 rw 0 0", None),
            ("", None),
        ] {
            assert_eq!(counts_processes(line), place, "{line}");
        }
    }
}
