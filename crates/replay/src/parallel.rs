//! The same work on many items, by several threads.

use crate::Progress;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What `work` gives for each item, in the order of the items. Each thread has a `view` of its own.
pub(crate) fn each<Item: Sync, View, Done: Send>(
    threads: NonZero<usize>,
    items: &[Item],
    (what, progress): (&str, Progress<'_>),
    view: impl Fn() -> View + Sync,
    work: impl Fn(&mut View, &Item) -> Done + Sync,
) -> Vec<Done> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = || {
        let mut view = view();
        let mut results = Vec::new();
        while let Some((at, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            results.push((at, work(&mut view, item)));
            progress(what, done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        }
        results
    };
    let mut all: Vec<(usize, Done)> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads.get().min(items.len())).map(|_| scope.spawn(run)).collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}
