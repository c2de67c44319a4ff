//! Tables for the settle rules: quiet 60 ms, patience 2 s.

use super::*;

const QUIET: Duration = Duration::from_millis(60);

/// Feeds (milliseconds, path, signal) and asserts which paths are due at `at`.
fn check(signals: &[(u64, &str, Signal)], at: u64, expected: &[&str]) {
    let start = Instant::now();
    let mut settle = Settle::new(QUIET, Duration::from_secs(2), 50);
    for (when, path, signal) in signals {
        settle.note(Path::new(path), *signal, start + Duration::from_millis(*when));
    }
    let now = start + Duration::from_millis(at);
    let promised = settle.next();
    let mut due: Vec<_> = settle.take(now).iter().map(|due| due.path.display().to_string()).collect();
    due.sort();
    assert_eq!(due, expected, "{signals:?} at {at}");
    assert_eq!(promised.is_some_and(|next| next <= now), !due.is_empty(), "the promise holds: {signals:?} at {at}");
}

#[test]
fn a_path_is_due_after_quiet_and_every_signal_starts_it_again() {
    use Signal::{Arrived, Closed, Found, Touched};
    check(&[(0, "a", Closed)], 59, &[]);
    check(&[(0, "a", Closed)], 60, &["a"]);
    check(&[(0, "a", Closed), (50, "a", Touched)], 100, &[]);
    check(&[(0, "a", Closed), (50, "a", Touched)], 110, &["a"]);
    check(&[(0, "a", Arrived), (30, "b", Found)], 70, &["a"]);
    check(&[(0, "a", Arrived), (30, "b", Found)], 90, &["a", "b"]);
}

#[test]
fn a_file_that_is_written_and_not_closed_waits_for_the_close_or_for_patience() {
    use Signal::{Closed, Found, Touched, Written};
    check(&[(0, "a", Written)], 1999, &[]);
    check(&[(0, "a", Written)], 2000, &["a"]);
    check(&[(0, "a", Written), (500, "a", Closed)], 560, &["a"]);
    check(&[(0, "a", Written), (10, "a", Touched)], 1000, &[]);
    check(&[(0, "a", Written), (10, "a", Found)], 1000, &[]);
    check(&[(0, "a", Closed), (10, "a", Written)], 1000, &[]);
}

#[test]
fn a_flood_of_vanishing_files_is_one_batch() {
    use Signal::{Closed, Gone};
    check(&[(0, "a", Gone), (50, "b", Gone), (100, "c", Gone)], 150, &[]);
    check(&[(0, "a", Gone), (50, "b", Gone), (100, "c", Gone)], 160, &["a", "b", "c"]);
    check(&[(0, "x", Closed), (50, "b", Gone)], 100, &[]);
    check(&[(0, "x", Closed), (50, "b", Gone)], 110, &["b", "x"]);
    let names: Vec<_> = (0..40).map(|step| format!("{step}")).collect();
    let trickle: Vec<_> = (0..40).map(|step| (step * 50, names[step as usize].as_str(), Gone)).collect();
    check(&trickle, 2000, &[]);
}

#[test]
fn both_halves_of_a_move_are_one_batch_and_other_files_still_wait() {
    use Signal::{Arrived, Closed, Found, Gone, Written};
    check(&[(0, "a", Gone), (30, "b", Arrived), (30, "c", Found)], 60, &["a", "b", "c"]);
    check(&[(0, "a", Gone), (30, "b", Closed), (30, "c", Written)], 60, &["a"]);
}

#[test]
fn what_scans_see_again_is_not_put_off() {
    use Signal::{Found, Gone};
    check(&[(0, "a", Found), (50, "a", Found)], 60, &["a"]);
    check(&[(0, "a", Gone), (50, "a", Gone)], 60, &["a"]);
}

#[test]
fn a_trickle_of_vanishing_files_holds_back_for_a_bounded_time() {
    let start = Instant::now();
    let mut settle = Settle::new(QUIET, Duration::from_secs(2), 50);
    settle.note(Path::new("edited"), Signal::Closed, start);
    let mut released = None;
    for step in 0..400_u64 {
        let now = start + Duration::from_millis(step * 50);
        settle.note(Path::new(&format!("{step}")), Signal::Gone, now);
        if settle.take(now).iter().any(|due| &*due.path == Path::new("edited")) {
            released = Some(now - start);
            break;
        }
    }
    assert!(released.is_some_and(|after| after <= QUIET * 171), "{released:?}");
}

#[test]
fn a_barrier_takes_closed_files_at_once_and_never_open_ones() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET, Duration::from_secs(2), 50);
    settle.note(Path::new("closed"), Signal::Closed, now);
    settle.note(Path::new("gone"), Signal::Gone, now);
    settle.note(Path::new("open"), Signal::Written, now);
    settle.note(Path::new("deferred"), Signal::Deferred, now);
    let mut taken: Vec<_> = settle.take_closed(now).iter().map(|due| due.path.display().to_string()).collect();
    taken.sort();
    assert_eq!(taken, ["closed", "gone"]);
    assert_eq!(settle.len(), 2);
    assert_eq!(settle.take_closed(now + QUIET).len(), 1, "a deferred path is due after quiet");
    assert!(settle.take_closed(now + QUIET * 10).is_empty());
}

#[test]
fn a_rename_carries_the_open_writer_along() {
    let now = Instant::now();
    let mut settle = Settle::new(QUIET, Duration::from_secs(2), 50);
    settle.note(Path::new("tmp"), Signal::Written, now);
    settle.note(Path::new("file"), Signal::Arrived, now);
    settle.moved(Path::new("tmp"), Path::new("file"), now);
    settle.forget(Path::new("tmp"));
    assert!(settle.take(now + QUIET * 3).is_empty());
    assert_eq!(settle.take(now + Duration::from_secs(2)).len(), 1);
}
