//! Two processes, and one that is killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use orchestrator_log::{Error, Log, Options, SqliteLog, audit};

use crate::support::{Folder, decision, telemetry};

/// Names the database to the child; without it the child's part does nothing.
const DATABASE: &str = "ORCHESTRATOR_LOG_TEST_DATABASE";

/// The child's part: appends until it is killed, and says what is flushed.
#[test]
fn child_appends_until_it_is_killed() {
    let Some(path) = std::env::var_os(DATABASE) else {
        return;
    };
    let mut log = SqliteLog::open(path, Options::default()).unwrap();
    loop {
        let seq = log.tail().next_seq;
        let batch = [decision(seq, Some("body")), telemetry(seq + 1), decision(seq + 2, None)];
        println!("flushed {}", log.append(&batch).unwrap());
    }
}

fn start_child(folder: &Folder) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::child_appends_until_it_is_killed", "--nocapture"])
        .env(DATABASE, folder.database())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for so many acknowledgements and answers with the last.
fn acknowledged(child: &mut Child, count: usize) -> u64 {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let numbers = lines.filter_map(|line| line.unwrap().strip_prefix("flushed ")?.parse().ok());
    numbers.take(count).last().unwrap()
}

#[test]
fn a_killed_writer_leaves_whole_batches_and_everything_it_acknowledged() {
    let folder = Folder::new();
    let key = folder.key();
    for _ in 0..3 {
        let mut child = start_child(&folder);
        let flushed = acknowledged(&mut child, 10);
        let refused = SqliteLog::open(folder.database(), Options::default()).unwrap_err();
        assert!(matches!(refused, Error::Locked { .. }), "{refused}");
        child.kill().unwrap();
        child.wait().unwrap();

        let mut log = folder.open();
        let next = log.tail().next_seq;
        assert!(next > flushed);
        assert_eq!((next - 1) % 3, 0, "no half batch");
        log.sign_head(&key, 1).unwrap();
        let report = audit::verify(&log.reader(), &key.public_key()).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.records, next - 1);
        assert_eq!(report.vouched, Some(1..=next - 1));
    }
}
