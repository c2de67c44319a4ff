//! W2: after any storm the index equals the disk.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use orchestrator_watch::{Notice, Options, seam};

use crate::support::{Tree, write};

/// A small reproducible generator; quality does not matter.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// One random operation; failures are part of the storm, as other writers take paths away.
fn operate(root: &Path, dice: &mut Dice, writer: u64, step: u64) {
    let file = |dice: &mut Dice| -> PathBuf {
        let folder = ["", "a", "a/b", "c", "c/d/e", "f"][usize::try_from(dice.roll(6)).unwrap()];
        root.join(folder).join(format!("f{}", dice.roll(30)))
    };
    let path = file(dice);
    match dice.roll(12) {
        0..=5 => {
            let _ = fs::create_dir_all(path.parent().unwrap());
            let _ = fs::write(path, format!("{writer} {step}"));
        }
        6 => {
            let temporary = path.with_file_name(format!(".tmp{writer}"));
            let _ = fs::write(&temporary, format!("{writer} {step}"));
            let _ = fs::rename(temporary, path);
        }
        7 | 8 => {
            let _ = fs::remove_file(path);
        }
        9 => {
            let _ = fs::rename(path, file(dice));
        }
        10 => {
            let folders = ["a", "a/b", "c", "c/d", "c/d/e", "f", "g"];
            let mut any = || root.join(folders[usize::try_from(dice.roll(7)).unwrap()]);
            let (from, to) = (any(), any());
            let _ = fs::rename(from, to);
        }
        _ => {
            let folder = ["a/b", "c/d", "f"][usize::try_from(dice.roll(3)).unwrap()];
            let _ = fs::remove_dir_all(root.join(folder));
        }
    }
}

async fn storm(seed: u64, adjust: impl FnOnce(&mut Options)) {
    let mut tree = Tree::with(
        |root| write(root, "a/b/f0", "start"),
        |options| {
            options.brake.fraction = 1.0;
            adjust(options);
        },
    )
    .await;
    let writers: Vec<_> = (0..10)
        .map(|writer| {
            let root = tree.root.clone();
            thread::spawn(move || {
                let mut dice = Dice(seed * 1000 + writer);
                for step in 0..500 {
                    operate(&root, &mut dice, writer, step);
                }
            })
        })
        .collect();
    while writers.iter().any(|writer| !writer.is_finished()) {
        tree.received();
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.join().unwrap();
    }
    let point = tree.sync().await;
    assert!(point.unsettled.is_empty(), "{point:?}");
    tree.assert_equals_disk(&[]);
    tree.received();
    tree.write("a/b/last", "the tree is still watched");
    tree.write("c/d/e/last", "the tree is still watched");
    tree.sync().await;
    tree.assert_equals_disk(&[]);
    let known = tree.handle.list();
    let seen = tree.received();
    assert!(seen.iter().all(|notice| matches!(notice, Notice::Changes(_))), "{seen:?}; {known:?}");
}

#[tokio::test]
async fn ten_writers_leave_the_index_equal_to_the_disk() {
    for seed in 0..3 {
        storm(seed, |_| {}).await;
    }
}

#[tokio::test]
async fn ten_writers_with_few_watches_leave_the_index_equal_to_the_disk() {
    storm(10, |options| options.watch_budget = 3).await;
}

#[tokio::test]
async fn a_slow_consumer_loses_nothing() {
    let mut tree = Tree::with(|_| {}, |options| options.queue = 1).await;
    for round in 0..5 {
        for number in 0..40 {
            tree.write(&format!("{round}/{number}"), "x");
        }
        // The queue holds one notice: from the second round on the watcher waits for the consumer.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let mut seen = 0;
    while seen < 200 {
        seen += tree.changes().await.len();
    }
    assert_eq!(seen, 200);
    assert_eq!(tree.synced().await, []);
}

#[tokio::test]
async fn dropping_the_handle_ends_the_watcher_even_when_nobody_receives() {
    let tree = Tree::with(|_| {}, |options| options.queue = 1).await;
    tree.write("a", "x");
    seam::overflow(&tree.handle);
    tree.until(|stats| stats.rescans > 0).await;
    // The queue is full of the first notice; the second one waits for room that never comes.
    seam::overflow(&tree.handle);
    let Tree { handle, mut notices, .. } = tree;
    drop(handle);
    while notices.recv().await.is_some() {}
}
