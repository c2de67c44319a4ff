//! One hostile gate for each limit.

use crate::support::{Lifeline, bomb, checkout, enforced, gate, outcome, sh};
use orchestrator_gates::{Limits, Verdict, run};
use std::fs;
use std::time::Duration;

/// A figure of this process in KiB.
fn own(figure: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_flood_of_output_is_counted_thrown_away_and_fails() {
    let folder = checkout();
    let limits = Limits { output: 1 << 20, ..Limits::default() };
    let before = own("VmHWM");
    let mut printed = 0;
    let flood = gate(&["head", "-c", "1073741824", "/dev/zero"]);
    let report = run(&flood, folder.path(), &limits, |bytes| printed += bytes.len()).await;
    assert_eq!((report.verdict, report.exit_code), (Verdict::OverLimit, Some(0)), "{}", report.reason);
    assert_eq!((printed, report.dropped_bytes, report.tail.len()), (1 << 20, (1 << 30) - (1 << 20), 16 << 10));
    assert!(report.reason.starts_with("output: "), "{}", report.reason);
    let grown = own("VmHWM") - before;
    assert!(grown < 32 << 10, "the server grew by {grown} KiB");
}

#[tokio::test]
async fn just_the_allowed_output_passes_and_a_byte_more_does_not() {
    let folder = checkout();
    let limits = Limits { output: 1000, ..Limits::default() };
    for (bytes, verdict, dropped) in [("1000", Verdict::Passed, 0), ("1001", Verdict::OverLimit, 1)] {
        let (report, printed) = outcome(&gate(&["head", "-c", bytes, "/dev/zero"]), folder.path(), &limits).await;
        assert_eq!((report.verdict, report.dropped_bytes, printed.len()), (verdict, dropped, 1000));
    }
}

#[tokio::test]
async fn a_slow_reader_holds_the_gate_up_and_neither_memory_nor_time() {
    let folder = checkout();
    let mut flood = gate(&["cat", "/dev/zero"]);
    flood.timeout = Duration::from_secs(1);
    let limits = Limits { output: u64::MAX, ..Limits::default() };
    let before = own("VmHWM");
    let report = run(&flood, folder.path(), &limits, |_| std::thread::sleep(Duration::from_millis(20))).await;
    assert_eq!((report.verdict, report.dropped_bytes), (Verdict::TimedOut, 0));
    assert!(report.took < Duration::from_secs(3), "{:?}", report.took);
    assert!(own("VmHWM") - before < 32 << 10);
}

#[tokio::test]
async fn processor_time_ends() {
    let folder = checkout();
    let limits = Limits { cpu: Duration::from_secs(1), ..Limits::default() };
    for script in ["while :; do :; done", "trap '' XCPU; while :; do :; done", "(while :; do :; done); exit 1"] {
        let mut burning = sh(script);
        burning.timeout = Duration::from_secs(20);
        let (report, _) = outcome(&burning, folder.path(), &limits).await;
        if !enforced(&report, "cpu") {
            assert_eq!(report.verdict, Verdict::TimedOut);
        } else if script.starts_with("while") {
            assert_eq!((report.verdict, report.signal), (Verdict::OverLimit, Some(24)), "{report:?}");
            assert!(report.reason.starts_with("cpu: "), "{}", report.reason);
        } else {
            assert!(matches!(report.verdict, Verdict::Failed | Verdict::Killed), "{script} {report:?}");
        }
    }
}

#[tokio::test]
async fn memory_is_refused_to_one_process() {
    let folder = checkout();
    let limits = Limits { memory: 64 << 20, ..Limits::default() };
    // Without an end of line `tail` keeps all it reads.
    let (report, _) = outcome(&sh("head -c 300M /dev/zero | tail > /dev/null"), folder.path(), &limits).await;
    enforced(&report, "memory");
    assert!(matches!(report.verdict, Verdict::Failed | Verdict::OverLimit), "{report:?}");
    let small = outcome(&sh("head -c 8M /dev/zero | tail > /dev/null"), folder.path(), &limits).await.0;
    assert_eq!(small.verdict, Verdict::Passed, "{small:?}");
}

#[tokio::test]
async fn memory_of_all_processes_together_is_watched() {
    let folder = checkout();
    let limits = Limits { memory: 100 << 20, ..Limits::default() };
    let mut lifeline = Lifeline::new(folder.path());
    // Each of the four has 30 MiB, which alone is allowed.
    let eater = "(head -c 30M /dev/zero; sleep 60) | tail > /dev/null &";
    let (report, _) =
        outcome(&sh(&format!("exec 9> lifeline; {eater} {eater} {eater} {eater} sleep 60")), folder.path(), &limits)
            .await;
    assert_eq!(report.verdict, Verdict::OverLimit, "{report:?}");
    assert!(report.reason.starts_with("memory: "), "{}", report.reason);
    assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
    lifeline.written_by_the_dead();
}

#[tokio::test]
async fn a_file_grows_to_its_limit_and_no_further() {
    let folder = checkout();
    let limits = Limits { file: 1 << 20, ..Limits::default() };
    let huge = gate(&["dd", "if=/dev/zero", "of=huge", "bs=64K", "count=1600"]);
    let (report, _) = outcome(&huge, folder.path(), &limits).await;
    if !enforced(&report, "file") {
        return;
    }
    assert_eq!((report.verdict, report.signal), (Verdict::OverLimit, Some(25)), "{report:?}");
    assert!(report.reason.starts_with("file: "), "{}", report.reason);
    assert_eq!(fs::metadata(folder.path().join("huge")).unwrap().len(), 1 << 20);
    let ignoring = sh("trap '' XFSZ; dd if=/dev/zero of=other bs=64K count=1600");
    assert_eq!(outcome(&ignoring, folder.path(), &limits).await.0.verdict, Verdict::Failed);
    assert_eq!(fs::metadata(folder.path().join("other")).unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn a_fork_bomb_is_refused_and_ended_whole() {
    let folder = checkout();
    let limits = Limits { processes: 50, ..Limits::default() };
    let mut lifeline = Lifeline::new(folder.path());
    let mut exploding = sh(&format!("exec 9> lifeline; {}", bomb(9)));
    exploding.timeout = Duration::from_secs(3);
    let (report, printed) = outcome(&exploding, folder.path(), &limits).await;
    lifeline.written_by_the_dead();
    let root = rustix::process::geteuid().is_root();
    if report.not_enforced.iter().any(|line| line.starts_with("processes: ")) {
        // Then it was seen and killed.
        assert_eq!(report.verdict, Verdict::OverLimit, "{report:?}");
    } else {
        // The kernel refused them, and our own count, which would have killed it, never saw too many.
        assert!(String::from_utf8_lossy(&printed).contains("Cannot fork"), "{report:?}");
        assert!(!report.reason.contains("it had more"), "{report:?}");
        // A control group tells that it refused; what `prlimit` refuses only the program knows, and this one may go on.
        assert!(!root || !report.passed(), "{report:?}");
    }
    assert!(report.took < Duration::from_secs(10), "{:?}", report.took);
    if root && !report.not_enforced.iter().any(|line| line.starts_with("processes: ")) {
        let hiding = sh("(for i in $(seq 80); do sleep 60 & done); exit 0");
        let report = outcome(&hiding, folder.path(), &limits).await.0;
        assert_eq!((report.verdict, report.exit_code), (Verdict::OverLimit, Some(0)), "{report:?}");
    }
    let few = sh("for i in 1 2 3 4 5 6 7 8 9; do sleep 0.3 & done; wait");
    let report = outcome(&few, folder.path(), &limits).await.0;
    assert_eq!(report.verdict, Verdict::Passed, "{report:?}");
}

#[tokio::test]
async fn it_cannot_raise_its_own_limits() {
    let folder = checkout();
    let limits = Limits { file: 1 << 20, ..Limits::default() };
    let raising = sh("prlimit --fsize=unlimited dd if=/dev/zero of=huge bs=64K count=32");
    let (report, _) = outcome(&raising, folder.path(), &limits).await;
    if enforced(&report, "file") {
        assert_eq!(report.verdict, Verdict::Failed, "{report:?}");
        let size = fs::metadata(folder.path().join("huge")).map_or(0, |huge| huge.len());
        assert!(size <= 1 << 20);
    }
}

#[tokio::test]
async fn it_cannot_leave_its_control_group() {
    let folder = checkout();
    let leaving = sh("exec 9>&1; grep -h orchestrator-gate /proc/self/cgroup
        for group in $(awk '$3 ~ /cgroup/ && /pids|cgroup2/ { print $2 }' /proc/mounts); do
            ls -d $group/orchestrator-gate-* || continue
            umount $group
            echo 0 > $group/cgroup.procs
            mkdir $group/mine && echo made >&9 && rmdir $group/mine
            for mine in $group/orchestrator-gate-*; do echo max > $mine/pids.max && echo raised >&9; done
        done > /dev/null 2>&1
        echo then; grep -h orchestrator-gate /proc/self/cgroup; exit 0");
    let limits = Limits { processes: 77, ..Limits::default() };
    let (report, printed) = outcome(&leaving, folder.path(), &limits).await;
    let printed = String::from_utf8(printed).unwrap();
    assert!(!printed.contains("made") && !printed.contains("raised"), "{printed}");
    let (before, after) = printed.split_once("then\n").unwrap();
    let promised = !report.not_enforced.iter().any(|line| line.starts_with("processes: "));
    if promised && rustix::process::geteuid().is_root() {
        assert!(!before.is_empty(), "only a control group binds root");
        assert!(after.starts_with(before), "{printed}");
    }
}
