//! What each end of a program means.

use crate::support::{checkout, gate, of, outcome, sh};
use orchestrator_gates::{Limits, Verdict, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

#[tokio::test]
async fn exit_code_0_and_no_other_passes() {
    let (report, printed) = of("echo out; echo err >&2").await;
    assert_eq!((report.verdict, report.exit_code, report.signal), (Verdict::Passed, Some(0), None));
    assert_eq!((printed.as_str(), report.tail.as_slice()), ("out\nerr\n", &b"out\nerr\n"[..]));
    assert!(report.passed() && report.reason.is_empty() && !report.flaky);
    for code in [1, 2, 126, 127, 128, 137, 143, 255] {
        let (report, _) = of(&format!("exit {code}")).await;
        assert_eq!((report.verdict, report.exit_code, report.signal), (Verdict::Failed, Some(code), None));
        assert_eq!(report.reason, format!("exit code {code}"));
    }
}

#[tokio::test]
async fn a_signal_is_no_exit_code() {
    for signal in [1, 6, 9, 11, 15] {
        let (report, _) = of(&format!("kill -{signal} $$; exit 0")).await;
        assert_eq!((report.verdict, report.exit_code, report.signal), (Verdict::Killed, None, Some(signal)));
    }
}

#[tokio::test]
async fn the_time_ends_what_hangs_and_what_ignores_the_request_to_end() {
    for script in ["sleep 60", "trap '' TERM INT HUP; while :; do sleep 1; done", "kill -STOP $$", "exec sleep 60 >&-"]
    {
        let mut hanging = sh(script);
        hanging.timeout = Duration::from_millis(300);
        let started = Instant::now();
        let folder = checkout();
        let (report, _) = outcome(&hanging, folder.path(), &Limits::default()).await;
        assert_eq!((report.verdict, report.exit_code), (Verdict::TimedOut, None), "{script}");
        assert!(report.took >= hanging.timeout && started.elapsed() < Duration::from_secs(5), "{script} {report:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_started_has_failed() {
    let folder = checkout();
    let plain = folder.path().join("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    fs::create_dir(folder.path().join("dir")).unwrap();
    for (word, why) in [
        ("no-such-program-anywhere", "was not found in PATH"),
        ("./missing", "No such file"),
        ("./plain", "not executable"),
        ("./dir", "no file"),
        ("", "names no program"),
    ] {
        let (report, _) = outcome(&gate(&[word]), folder.path(), &Limits::default()).await;
        assert_eq!((report.verdict, report.exit_code), (Verdict::NotStarted, None), "{word}");
        assert!(report.reason.contains(why), "{report:?}");
    }
    let nothing = outcome(&gate(&[]), folder.path(), &Limits::default()).await.0;
    assert_eq!(nothing.verdict, Verdict::NotStarted);
    let nul = outcome(&gate(&["true", "a\0b"]), folder.path(), &Limits::default()).await.0;
    assert_eq!(nul.verdict, Verdict::NotStarted);

    // It looks like a program, and only the system finds out that it is none.
    fs::write(&plain, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
    let (report, printed) = outcome(&gate(&["./plain"]), folder.path(), &Limits::default()).await;
    assert_eq!(report.verdict, Verdict::Failed, "{report:?}");
    assert!(String::from_utf8_lossy(&printed).contains("plain"));
}

#[tokio::test]
async fn a_folder_that_is_gone_or_none_has_failed() {
    let gone = checkout().path().to_owned();
    for folder in [gone.as_path(), Path::new("/dev/null"), Path::new("")] {
        let (report, _) = outcome(&gate(&["true"]), folder, &Limits::default()).await;
        assert_eq!(report.verdict, Verdict::NotStarted, "{folder:?}");
        assert!(report.reason.starts_with("its folder: "), "{report:?}");
    }
    // It removes the folder it stands in.
    let folder = checkout();
    let path = folder.path().join("inner");
    fs::create_dir(&path).unwrap();
    let mut removing = sh(r#"rm -r "$(pwd)"; exit 1"#);
    removing.retries = 1;
    assert_eq!(outcome(&removing, &path, &Limits::default()).await.0.verdict, Verdict::NotStarted);
    assert!(!path.exists());
}

#[tokio::test]
async fn no_shell_reads_the_arguments_and_the_folder_may_have_any_name() {
    let outer = checkout();
    let folder = outer.path().join("-a b'$(touch c)=\n");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("-x=1");
    fs::write(&program, "#!/bin/sh\npwd -P\nprintf '<%s>' \"$@\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let run = ["./-x=1", "--help", "$HOME", "a b", "", "`id`", "--", "X=1", ";"];
    let (report, printed) = outcome(&gate(&run), &folder, &Limits::default()).await;
    let expected = format!("{}\n<--help><$HOME><a b><><`id`><--><X=1><;>", folder.canonicalize().unwrap().display());
    assert_eq!((report.verdict, String::from_utf8(printed).unwrap()), (Verdict::Passed, expected));
}

#[tokio::test]
async fn rubbish_is_handed_on_byte_by_byte_and_judged_by_the_exit_code() {
    let folder = checkout();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    fs::write(folder.path().join("rubbish"), &bytes).unwrap();
    let (report, printed) = outcome(&gate(&["cat", "rubbish"]), folder.path(), &Limits::default()).await;
    assert_eq!(report.verdict, Verdict::Passed);
    assert!(printed == bytes && report.tail == bytes[bytes.len() - 16_384..]);
    let (report, printed) = outcome(&sh("cat rubbish; exit 1"), folder.path(), &Limits::default()).await;
    assert_eq!((report.verdict, printed == bytes), (Verdict::Failed, true));
}

#[tokio::test]
async fn a_pass_at_the_second_try_is_flaky() {
    let folder = checkout();
    let mut flaky = sh("echo try >> tries; [ $(wc -l < tries) = 2 ]");
    let once = outcome(&flaky, folder.path(), &Limits::default()).await.0;
    assert_eq!((once.verdict, once.flaky), (Verdict::Failed, false));
    fs::remove_file(folder.path().join("tries")).unwrap();
    flaky.retries = 1;
    let twice = outcome(&flaky, folder.path(), &Limits::default()).await.0;
    assert_eq!((twice.verdict, twice.flaky), (Verdict::Passed, true));
    let third = outcome(&flaky, folder.path(), &Limits::default()).await.0;
    assert_eq!((third.verdict, third.flaky), (Verdict::Failed, false));
    assert_eq!(fs::read_to_string(folder.path().join("tries")).unwrap(), "try\n".repeat(4));

    let mut good = sh("echo x >> good");
    good.retries = 1;
    let report = outcome(&good, folder.path(), &Limits::default()).await.0;
    assert_eq!((report.verdict, report.flaky), (Verdict::Passed, false));
    assert_eq!(fs::read_to_string(folder.path().join("good")).unwrap(), "x\n");
}

#[tokio::test]
async fn output_comes_while_the_gate_runs() {
    let folder = checkout();
    // It goes on only when its first line was seen.
    let waiting = sh("echo first; while [ ! -e seen ]; do sleep 0.01; done; echo second");
    let mut lines = Vec::new();
    let report = run(&waiting, folder.path(), &Limits::default(), |bytes| {
        lines.push(String::from_utf8(bytes.to_vec()).unwrap());
        fs::write(folder.path().join("seen"), "").unwrap();
    })
    .await;
    assert_eq!((report.verdict, lines), (Verdict::Passed, vec!["first\n".to_owned(), "second\n".to_owned()]));
}

#[tokio::test]
async fn many_gates_run_side_by_side() {
    let gates = (0..16).map(of_index);
    let started = Instant::now();
    for (index, task) in gates.map(tokio::spawn).collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), format!("{index}\n"));
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

async fn of_index(index: usize) -> String {
    let (report, printed) = of(&format!("sleep 0.5; echo {index}")).await;
    assert_eq!(report.verdict, Verdict::Passed);
    printed
}
