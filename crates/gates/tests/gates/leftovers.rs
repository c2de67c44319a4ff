//! Nothing that a gate started lives when its report is there. The proof: every process holds one end of a pipe with a
//! name, whose other end says at once, without waiting, whether a writer lives.

use crate::support::{Lifeline, again, checkout, enforced, outcome, role, sh};
use orchestrator_gates::{Gate, Limits, Report, Verdict, run};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a daemon does: says that it is there, shuts everything but the lifeline, and writes a file later.
const DAEMON: &str =
    r#"trap '' TERM HUP INT; exec >&- 2>&-; echo up >&9; : > up; sleep 0.7; echo late > late; sleep 60"#;

fn daemon(how: &str) -> Gate {
    let script =
        format!("exec 9> lifeline\n{}\nwhile [ ! -e up ]; do sleep 0.01; done; exit 0", how.replace("DAEMON", DAEMON));
    sh(&script)
}

async fn all_dead(gate: &Gate, folder: &Path) -> Report {
    let mut lifeline = Lifeline::new(folder);
    let (report, _) = outcome(gate, folder, &Limits::default()).await;
    assert_eq!(lifeline.written_by_the_dead(), "up\n", "{report:?}");
    fs::remove_file(&lifeline.path).unwrap();
    report
}

#[tokio::test]
async fn daemons_die_with_their_gate() {
    for how in [
        "sh -c 'DAEMON' &",
        "setsid sh -c 'DAEMON' &",
        "setsid sh -c 'setsid sh -c \"$0\" &' 'DAEMON' &",
        "(setsid setsid sh -c 'DAEMON' & ) &",
        "for orphan in 1 2 3 4 5 6 7 8 9; do (true & true) & done; (sh -c 'DAEMON' &)",
        "env -i setsid -f /bin/sh -c 'cd /; PATH=/bin:/usr/bin; cd \"$OLDPWD\"; DAEMON' &",
    ] {
        let how = how.replace("'DAEMON'", &format!("'{}'", DAEMON.replace('\'', r"'\''")));
        let folder = checkout();
        let report = all_dead(&daemon(&how), folder.path()).await;
        // The program itself ended in good order.
        assert_eq!((report.verdict, report.exit_code), (Verdict::Passed, Some(0)), "{how}");
        enforced(&report, "descendants");
        assert!(folder.path().join("up").exists());
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!folder.path().join("late").exists(), "{how}");
    }
}

#[tokio::test]
async fn a_daemon_of_a_gate_that_fails_or_takes_too_long_dies_too() {
    let folder = checkout();
    let script = format!("exec 9> lifeline; setsid sh -c '{}' & sleep 60", DAEMON.replace('\'', r"'\''"));
    let mut hanging = sh(&script);
    hanging.timeout = Duration::from_secs(2);
    assert_eq!(all_dead(&hanging, folder.path()).await.verdict, Verdict::TimedOut);
    let folder = checkout();
    let failing = sh(&script.replace("sleep 60", "while [ ! -e up ]; do sleep 0.01; done; exit 3"));
    assert_eq!(all_dead(&failing, folder.path()).await.exit_code, Some(3));
}

#[tokio::test]
async fn it_kills_itself_and_its_group_and_nobody_else() {
    for script in ["kill -9 0", "kill -TERM 0; sleep 60", "kill -9 $$"] {
        let folder = checkout();
        let gate = sh(&format!("exec 9> lifeline; echo up >&9; sleep 60 & {script}"));
        let report = all_dead(&gate, folder.path()).await;
        assert_eq!((report.verdict, report.exit_code), (Verdict::Killed, None), "{script}");
    }
    // As a script that ends its helpers does.
    let folder = checkout();
    let gate = sh("exec 9> lifeline; echo up >&9; trap '' TERM; sleep 60 & kill -TERM 0; exit 0");
    assert_eq!(all_dead(&gate, folder.path()).await.verdict, Verdict::Passed);
}

#[tokio::test]
async fn in_its_namespace_it_cannot_even_see_its_parent() {
    let folder = checkout();
    let (report, printed) = outcome(&sh("readlink /proc/self/ns/pid"), folder.path(), &Limits::default()).await;
    let ours = fs::read_link("/proc/self/ns/pid").unwrap().to_string_lossy().into_owned();
    if !enforced(&report, "descendants") {
        return;
    }
    assert_ne!(String::from_utf8(printed).unwrap().trim(), ours);
    // Only run where it was just seen to reach no one else, and only if that still holds.
    let script = format!(r#"[ "$(readlink /proc/self/ns/pid)" != "{ours}" ] || exit 9; exec 9> lifeline; echo up >&9"#);
    for (hostile, verdict) in [
        ("sleep 60 & kill -9 -1; exit 3", Verdict::Failed),
        ("kill -9 1; kill -TERM 1; exit 0", Verdict::Passed),
        // There is no parent: 0 is its own group.
        ("kill -9 $PPID; exit 0", Verdict::Killed),
        // What it lives by cannot be reached, or held open.
        ("(exec 8> /proc/1/fd/0) && exit 0; exit 7", Verdict::Failed),
    ] {
        let report = all_dead(&sh(&format!("{script}; {hostile}")), folder.path()).await;
        assert_eq!(report.verdict, verdict, "{hostile} {report:?}");
    }
}

#[tokio::test]
async fn dropping_the_future_kills_everything() {
    let folder = checkout();
    let mut lifeline = Lifeline::new(folder.path());
    let script = format!("exec 9> lifeline; setsid sh -c '{}' & sleep 60", DAEMON.replace('\'', r"'\''"));
    let gate = sh(&script);
    let limits = Limits::default();
    let path = folder.path().to_owned();
    let running = tokio::spawn(async move { run(&gate, &path, &limits, |_| ()).await });
    assert_eq!(lifeline.first_word().await, "up\n");
    running.abort();
    let dropped = Instant::now();
    tokio::time::timeout(Duration::from_secs(5), lifeline.end()).await.unwrap();
    assert!(dropped.elapsed() < Duration::from_secs(1), "{:?}", dropped.elapsed());
}

#[test]
fn a_server_that_is_killed_takes_its_gates_along() {
    const NAME: &str = "leftovers::a_server_that_is_killed_takes_its_gates_along";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let Some(folder) = role() {
        let gate = sh("exec 9> lifeline; setsid sleep 60 & echo up >&9; sleep 60");
        runtime.block_on(run(&gate, Path::new(&folder), &Limits::default(), |_| ()));
        panic!("nobody killed the server");
    }
    let folder = checkout();
    let probe = runtime.block_on(outcome(&sh(":"), folder.path(), &Limits::default())).0;
    let mut lifeline = Lifeline::new(folder.path());
    let mut server = again(NAME, folder.path().to_str().unwrap()).spawn().unwrap();
    assert_eq!(runtime.block_on(lifeline.first_word()), "up\n");
    server.kill().unwrap();
    server.wait().unwrap();
    // Without a namespace nothing promises it, and the report says so.
    if enforced(&probe, "descendants") {
        runtime.block_on(async { tokio::time::timeout(Duration::from_secs(5), lifeline.end()).await }).unwrap();
    }
}
