//! What the system allows to be enforced: found out by trying it.

use crate::cgroup::{Group, Groups};
use crate::namespace::{Kind, Namespace};
use crate::{Gate, Limits};
use std::env::{join_paths, split_paths, var_os};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Where programs are found when the server has no `PATH`, and the system's own in any case.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Rights of root with which a gate could undo its limits or leave its namespace.
const RIGHTS: &str = "-sys_admin,-sys_resource,-sys_module,-sys_rawio,-sys_boot,-sys_ptrace,-mknod,-net_admin";

/// What there is to bound a gate with. An `Err` says why something is not there.
#[derive(Debug, Clone)]
pub(crate) struct System {
    /// The absolute folders of the server's `PATH`.
    pub(crate) path: OsString,
    namespace: Result<Kind, String>,
    /// Whether a namespace can be without the network.
    no_network: Result<(), String>,
    setsid: Result<PathBuf, String>,
    prlimit: Result<PathBuf, String>,
    groups: Result<Groups, String>,
    setpriv: Result<PathBuf, String>,
    root: bool,
}

/// What holds one gate. The processes end with the namespace, and the group can only go after them.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) namespace: Option<Namespace>,
    pub(crate) group: Option<Group>,
}

impl System {
    /// Tried once in the life of the server.
    pub(crate) fn known() -> &'static Self {
        static KNOWN: OnceLock<System> = OnceLock::new();
        KNOWN.get_or_init(|| Self::detect(&[]))
    }

    /// As if these programs were not installed.
    pub(crate) fn detect(without: &[&str]) -> Self {
        let given = var_os("PATH").unwrap_or_else(|| SYSTEM_PATH.into());
        let absolute = split_paths(&given).filter(|folder| folder.is_absolute());
        let path = join_paths(absolute).unwrap_or_else(|_| SYSTEM_PATH.into());
        let mut places = path.clone();
        places.push(":");
        places.push(SYSTEM_PATH);
        let find = |name: &str| {
            let found = (!without.contains(&name)).then(|| found(name, &places)).flatten();
            found.ok_or_else(|| format!("'{name}' was not found"))
        };
        let root = rustix::process::geteuid().is_root();
        let works = |program: PathBuf, arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.args(arguments).args(["--", "true"]).env_clear().env("PATH", &places);
            tried(&mut command).map(|()| program)
        };
        let mut system = Self {
            namespace: Err(String::new()),
            no_network: Ok(()),
            setsid: find("setsid").and_then(|program| works(program, &[])),
            prlimit: find("prlimit").and_then(|program| works(program, &["--core=0"])),
            groups: match without.contains(&"cgroup") {
                true => Err("there are no control groups".to_owned()),
                false => find("sh").and_then(|shell| Groups::find(&shell, &find("env")?)),
            },
            setpriv: find("setpriv").and_then(|program| works(program, &privileges(root))),
            root,
            path,
        };
        system.namespace = (|| {
            let tools = (find("unshare")?, find("nsenter")?, find("env")?, find("sh")?);
            let kind = |user| {
                let (unshare, nsenter, env, shell) = tools.clone();
                Kind { unshare, nsenter, env, shell, user }
            };
            let mut why = String::new();
            // Root needs no user namespace, but in a container may have no right to any other.
            for user in if root { &[false, true][..] } else { &[true] } {
                for network in [false, true] {
                    match system.enters(&kind(*user), &places, network) {
                        Ok(()) => {
                            if network {
                                system.no_network = Err(why);
                            }
                            return Ok(kind(*user));
                        }
                        Err(error) => why = error,
                    }
                }
            }
            Err(why)
        })();
        if let Err(why) = &system.namespace {
            system.no_network = Err(why.clone());
        }
        system
    }

    fn enters(&self, kind: &Kind, places: &OsString, network: bool) -> Result<(), String> {
        let mut namespace = Namespace::start(kind, places, network, self.guarded())?;
        let words = namespace.entry(Path::new("/"));
        let mut command = command(words.into_iter().chain(["true".into()]));
        let entered = tried(command.env_clear().env("PATH", places));
        if !namespace.end(None) {
            return Err("a namespace did not end".to_owned());
        }
        entered
    }

    /// A namespace for one gate, where the system has them.
    ///
    /// # Errors
    /// It could be had before, but not now.
    pub(crate) fn namespace(&self, limits: &Limits) -> Result<Option<Namespace>, String> {
        let Ok(kind) = &self.namespace else { return Ok(None) };
        let network = limits.network || self.no_network.is_err();
        Namespace::start(kind, &self.path, network, self.guarded()).map(Some)
    }

    /// The folder of control groups, which root could write into.
    fn guarded(&self) -> Option<&Path> {
        self.groups.as_ref().ok().map(Groups::parent).filter(|_| self.root)
    }

    /// A control group for one gate, where the system has them.
    ///
    /// # Errors
    /// It could be had before, but not now.
    pub(crate) fn group(&self, limits: &Limits) -> Result<Option<Group>, String> {
        let Ok(groups) = &self.groups else { return Ok(None) };
        // The program that enters the namespace is in it, too.
        let entering = u64::from(self.namespace.is_ok());
        groups.make(limits.processes.saturating_add(entering)).map(Some).map_err(|error| error.to_string())
    }

    /// Whether `prlimit` bounds processes: it does not bind root, and without a user namespace of its own it would
    /// count all that the server's user has.
    fn bounds_processes(&self) -> bool {
        self.prlimit.is_ok() && !self.root && self.namespace.as_ref().is_ok_and(|kind| kind.user)
    }

    /// The gate's program behind all that bounds it.
    pub(crate) fn command(&self, gate: &Gate, folder: &Path, limits: &Limits, bounds: &Bounds) -> Command {
        let mut words: Vec<OsString> = bounds.group.as_ref().map(Group::entry).unwrap_or_default();
        if let Ok(prlimit) = &self.prlimit {
            let cpu = limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0);
            words.push(prlimit.into());
            words.push("--core=0".into());
            // The soft limit tells the program by a signal of its own, the hard one kills it.
            words.push(format!("--cpu={cpu}:{}", cpu.saturating_add(1)).into());
            words.extend([format!("--data={}", limits.memory).into(), format!("--fsize={}", limits.file).into()]);
            if self.bounds_processes() {
                words.push(format!("--nproc={}", limits.processes.saturating_add(1)).into());
            }
            words.push("--".into());
        }
        words.extend(bounds.namespace.iter().flat_map(|namespace| namespace.entry(folder)));
        if let Ok(setsid) = &self.setsid {
            words.extend([setsid.into(), "--".into()]);
        }
        if let Ok(setpriv) = &self.setpriv {
            words.push(setpriv.into());
            words.extend(privileges(self.root).into_iter().map(OsString::from));
            words.push("--".into());
        }
        words.extend(gate.run.iter().map(OsString::from));
        let mut command = command(words);
        if bounds.namespace.is_some() || self.setsid.is_err() {
            // Otherwise it leads its own session, which a group's leader cannot make.
            command.process_group(0);
        }
        command
    }

    /// What is not enforced under these limits, each as `what: why`.
    pub(crate) fn not_enforced(&self, limits: &Limits) -> Vec<String> {
        let mut all = Vec::new();
        if let Err(why) = &self.namespace {
            all.push(format!(
                "descendants: what it starts may hide and go on, signal others, and outlive a killed server: {why}"
            ));
        }
        if let (false, Err(why)) = (limits.network, &self.no_network) {
            all.push(format!("network: it is on: {why}"));
        }
        if let Err(why) = &self.prlimit {
            all.push(format!("cpu: processor time is not bounded: {why}"));
            all.push(format!("file: the size of files is not bounded: {why}"));
            all.push(format!("memory: it is looked at now and then, and not refused at once: {why}"));
        }
        let bounded = match (&self.groups, &self.namespace) {
            _ if self.bounds_processes() => Ok(()),
            (Err(why), _) => Err(why.as_str()),
            (Ok(_), Err(_)) if self.root => Err("it runs as root and can leave its control group"),
            _ => Ok(()),
        };
        if let Err(why) = bounded {
            all.push(format!("processes: they are counted now and then, and not refused at once: {why}"));
        }
        if let (true, Err(why)) = (self.root, &self.setpriv) {
            all.push(format!("privileges: it runs as root and can undo its limits: {why}"));
        }
        if let (Err(why), true) = (&self.setsid, self.namespace.is_err()) {
            all.push(format!("session: it shares the server's: {why}"));
        }
        all
    }
}

fn privileges(root: bool) -> Vec<&'static str> {
    if root { vec!["--no-new-privs", "--bounding-set", RIGHTS] } else { vec!["--no-new-privs"] }
}

fn command(words: impl IntoIterator<Item = OsString>) -> Command {
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// The program of this name that `PATH` gives.
pub(crate) fn found(name: &str, path: &OsString) -> Option<PathBuf> {
    split_paths(path).map(|folder| folder.join(name)).find(|file| is_program(file).is_ok())
}

/// # Errors
/// Why the file cannot be a program.
pub(crate) fn is_program(file: &Path) -> Result<(), String> {
    match std::fs::metadata(file) {
        Err(error) => Err(error.to_string()),
        Ok(metadata) if !metadata.is_file() => Err("it is no file".to_owned()),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => Err("it is not executable".to_owned()),
        Ok(_) => Ok(()),
    }
}

/// Runs it to its end and says what it said when that is not success.
fn tried(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.success() {
        true => Ok(()),
        false if said.is_empty() => Err(output.status.to_string()),
        false => Err(said),
    }
}
