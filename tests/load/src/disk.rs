//! What the disk can do: a plain loop that appends to a file and flushes it.

use anyhow::Result;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Appends `bytes` and flushes, again and again; each flush takes longer by `delay`. Answers with the seconds
/// that each took.
pub(crate) fn flushes(folder: &Path, bytes: usize, time: Duration, delay: Duration) -> Result<Vec<f64>> {
    let path = folder.join("loop");
    let mut file = File::create(&path)?;
    let block = vec![0x5A; bytes];
    let (begun, mut taken) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let start = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        if !delay.is_zero() {
            std::thread::sleep(delay);
        }
        taken.push(start.elapsed().as_secs_f64());
    }
    std::fs::remove_file(path)?;
    Ok(taken)
}

/// Walks a folder and asks for every file's metadata. Answers with the number of files, without `.git`.
pub(crate) fn walk(folder: &Path) -> Result<usize> {
    let mut files = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            files += 1;
        } else if metadata.is_dir() && entry.file_name() != ".git" {
            files += walk(&entry.path())?;
        }
    }
    Ok(files)
}
