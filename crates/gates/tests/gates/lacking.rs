//! Systems that cannot enforce something say so, and still do what they can.

use crate::support::{Lifeline, bomb, checkout, sh};
use orchestrator_gates::seam::run_without;
use orchestrator_gates::{Gate, Limits, Report, Verdict};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

async fn without(programs: &'static [&'static str], gate: &Gate, folder: &Path, limits: &Limits) -> Report {
    run_without(programs, gate, folder, limits, |_| ()).await
}

fn told(report: &Report) -> Vec<&str> {
    report.not_enforced.iter().filter_map(|line| Some(line.split_once(':')?.0)).collect()
}

#[tokio::test]
async fn without_namespaces_daemons_are_followed_by_their_traces() {
    let folder = checkout();
    let limits = Limits::default();
    let up = "trap \"\" TERM HUP; echo up >&9; : > up; exec >&- 2>&-; sleep 60";
    for how in [
        format!("sh -c '{up}' &"),
        format!("setsid sh -c '{up}' &"),
        format!("setsid setsid -f setsid -f sh -c '{up}' &"),
        format!("(env -u HOME setsid sh -c '{up}; :' & sleep 0.3) &"),
    ] {
        let mut lifeline = Lifeline::new(folder.path());
        let gate = sh(&format!("exec 9> lifeline; {how} while [ ! -e up ]; do sleep 0.01; done; sleep 0.2"));
        let report = without(&["unshare"], &gate, folder.path(), &limits).await;
        assert_eq!(
            (report.verdict, told(&report)),
            (Verdict::Passed, vec!["descendants", "network", "processes"]),
            "{how}"
        );
        assert!(report.not_enforced.iter().take(2).all(|line| line.contains("'unshare' was not found")), "{report:?}");
        assert_eq!(lifeline.written_by_the_dead(), "up\n", "{how}");
        for file in ["lifeline", "up"] {
            fs::remove_file(folder.path().join(file)).unwrap();
        }
    }
}

#[tokio::test]
async fn without_namespaces_the_rest_is_enforced_all_the_same() {
    let folder = checkout();
    let mut lifeline = Lifeline::new(folder.path());
    let mut hanging = sh("exec 9> lifeline; trap '' TERM; sleep 60 & setsid sleep 60 & kill -STOP $$");
    hanging.timeout = Duration::from_millis(300);
    let report = without(&["nsenter"], &hanging, folder.path(), &Limits::default()).await;
    assert_eq!(report.verdict, Verdict::TimedOut);
    lifeline.written_by_the_dead();

    let few = Limits { processes: 50, network: true, ..Limits::default() };
    let exploding = sh(&format!("exec 9> lifeline; {}", bomb(9)));
    let report = without(&["nsenter", "cgroup"], &exploding, folder.path(), &few).await;
    assert_eq!((report.verdict, told(&report)), (Verdict::OverLimit, vec!["descendants", "processes"]), "{report:?}");
    lifeline.written_by_the_dead();

    let small = Limits { file: 1 << 20, ..Limits::default() };
    let huge = sh("exec dd if=/dev/zero of=huge bs=64K count=1600");
    let report = without(&["nsenter"], &huge, folder.path(), &small).await;
    assert_eq!((report.verdict, report.signal), (Verdict::OverLimit, Some(25)), "{report:?}");

    // It kills its group, which is not this program's.
    let report = without(&["unshare"], &sh("sleep 60 & kill -9 0"), folder.path(), &Limits::default()).await;
    assert_eq!((report.verdict, report.signal), (Verdict::Killed, Some(9)), "{report:?}");
}

#[tokio::test]
async fn each_program_that_is_missing_is_named() {
    let folder = checkout();
    // Without the program, in any case, as root, as somebody else.
    type Words = &'static [&'static str];
    let missing: [(Words, Words, Words, Words); 5] = [
        (&["prlimit"], &["cpu", "file", "memory"], &[], &["processes"]),
        (&["setpriv"], &[], &["privileges"], &[]),
        (&["setsid"], &[], &[], &[]),
        (&["cgroup"], &[], &["processes"], &[]),
        (&["unshare", "setsid"], &["descendants", "network", "processes", "session"], &[], &[]),
    ];
    let usual = without(&[], &sh(":"), folder.path(), &Limits::default()).await;
    assert_eq!(usual.verdict, Verdict::Passed);
    let root = rustix::process::geteuid().is_root();
    for (programs, always, as_root, as_other) in missing {
        let report = without(programs, &sh("kill -9 0"), folder.path(), &Limits::default()).await;
        assert_eq!((report.verdict, report.signal), (Verdict::Killed, Some(9)), "{programs:?} {report:?}");
        let report = without(programs, &sh("setsid true; exit 0"), folder.path(), &Limits::default()).await;
        assert_eq!(report.verdict, Verdict::Passed, "{programs:?}");
        let expected = told(&usual).into_iter().chain(always.iter().copied());
        let expected = expected.chain(if root { as_root } else { as_other }.iter().copied());
        let (told, expected) = (BTreeSet::from_iter(told(&report)), BTreeSet::from_iter(expected));
        assert_eq!(told, expected, "{programs:?}");
    }
}

/// A server without root's rights needs a user namespace for the others; the same promises hold.
#[test]
fn a_server_without_privileges_keeps_the_promises_too() {
    const NOBODY: &[&str] = &["--reuid=65534", "--regid=65534", "--clear-groups"];
    let nobody = || {
        let mut command = Command::new("setpriv");
        command.args(NOBODY).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let program = std::env::current_exe().unwrap();
    let reachable = nobody().arg("test").arg("-x").arg(&program).status().is_ok_and(|status| status.success());
    if !rustix::process::geteuid().is_root() || !reachable {
        // Then all other tests of this program run without privileges, or nobody else may read it.
        return;
    }
    let mut tests = Command::new("setpriv");
    tests.args(NOBODY).arg(&program).args(["--skip", "without_privileges", "--test-threads", "2"]);
    tests.env("TMPDIR", "/tmp").current_dir("/tmp");
    let output = tests.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
