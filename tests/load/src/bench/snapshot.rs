//! One changed file among 50,000: the tree in memory against `git add -A && git write-tree` on a scratch index.

use super::Plan;
use crate::figure::{Figure, Limit};
use crate::scratch::wiped;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use orchestrator_repository::{Limits, Project, Store, Workspace};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let world = World::new(&plan.launcher, plan.size(100, 4), 1)?;
    let store = Store::open(&Project::discover(&world.repository())?)?;
    let mut workspace = Workspace::open(&store, &world.folder(0), Limits::default())?;
    workspace.rescan()?;
    let index = world.root().join("scratch.index");
    std::fs::copy(world.repository().join(".git/worktrees/tree_0/index"), &index)?;
    let mut figure = Figure::ratio("snapshot, one file", "ms; git", Limit::AtMost(0.1));
    for round in 0..plan.rounds as usize {
        let file = round * 7 + 1;
        world.edit(0, file, 3, &format!("{round}"))?;
        let begun = Instant::now();
        workspace.refresh(&[world.path(file)])?;
        let tree = workspace.snapshot().tree()?.to_string();
        let ours = begun.elapsed().as_secs_f64() * 1e3;
        let begun = Instant::now();
        git(&world.folder(0), &index, &["add", "--all"])?;
        let theirs = git(&world.folder(0), &index, &["write-tree"])?;
        figure.push(ours, begun.elapsed().as_secs_f64() * 1e3);
        ensure!(tree == theirs, "the tree is {tree}, git says {theirs}");
    }
    Ok(vec![figure])
}

fn git(folder: &Path, index: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    let command = wiped(&mut command).env("GIT_INDEX_FILE", index).current_dir(folder).args(arguments);
    let output = command.stdin(Stdio::null()).output().context("failed to run git")?;
    ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
