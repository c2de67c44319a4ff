//! Landing: what it costs beside the gates, how well gates run side by side, and how many runs culprits cost.

use super::Plan;
use crate::child::Process;
use crate::client::http::{BASE, Http};
use crate::disk::flushes;
use crate::figure::{Figure, Limit, median};
use crate::output::line;
use crate::scratch::wiped;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What is landed on; nobody has it checked out.
const TARGET: &str = "line";
/// Cars that are gated at once.
const AT_ONCE: usize = 2;
/// Landings in one car, as it is without a setting.
const BATCH: usize = 4;
/// All must be over by then.
const PATIENCE: Duration = Duration::from_secs(900);

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = vec![overhead(plan).await?];
    let (changes, seconds) = (plan.size(100, 12), if plan.quick { 0.5 } else { 2.0 });
    for batch in [1, BATCH] {
        figures.push(schedule(plan, changes, seconds, batch).await?);
    }
    figures.push(culprits(plan).await?);
    Ok(figures)
}

/// One landing without gates, from the request until it is known to have landed, against git's plumbing for the same.
async fn overhead(plan: &Plan) -> Result<Figure> {
    let world = World::new(&plan.launcher, plan.size(20, 2), 0)?;
    let rounds = plan.rounds as usize * 4;
    let works: Vec<(String, String)> = (0..rounds).map(|at| (world.path(at * 3), format!("VALUE = {at}\n"))).collect();
    let ours = changes(&world, &works, "")?;
    let (process, mut http) = serve(plan, &world, AT_ONCE, 1).await?;
    let flush = median(&flushes(world.root(), 4_096, Duration::from_millis(300), Duration::ZERO)?).unwrap_or_default();
    let name = format!("land, {} files", world.files());
    let mut figure = Figure::ratio(name, "ms; plumbing", Limit::AtMost(2.0));
    git(&world.repository(), &["branch", "yard", TARGET])?;
    // The first reads what the others find in memory, on both sides.
    for (round, commit) in ours.iter().enumerate() {
        let begun = Instant::now();
        let id = ask(&mut http, commit).await?;
        until_landed(&mut http, &id).await?;
        let own = begun.elapsed().as_secs_f64();
        let begun = Instant::now();
        plumbing(&world.repository(), commit)?;
        let their = begun.elapsed().as_secs_f64();
        if round > 0 {
            figure.ours.push(own * 1e3);
            figure.theirs.push(their * 1e3);
            // One flush is allowed beside the ratio.
            figure.values.push((own - flush).max(0.0) / their);
        }
    }
    line(format!("  land: one flush takes {:.2} ms here", flush * 1e3));
    let same = git(&world.repository(), &["diff", "--stat", TARGET, "yard"])?;
    ensure!(same.is_empty(), "both sides landed the same, and differ: {same}");
    process.stop()?;
    Ok(figure)
}

/// Independent changes behind one gate, against slots that are never idle.
async fn schedule(plan: &Plan, count: usize, seconds: f64, batch: usize) -> Result<Figure> {
    let world = World::new(&plan.launcher, 1, 0)?;
    let gate = format!("[[gates]]\nname = \"wait\"\nrun = [\"sleep\", \"{seconds}\"]\n");
    let works: Vec<(String, String)> = (0..count).map(|at| (world.path(at), format!("VALUE = {at}\n"))).collect();
    let commits = changes(&world, &works, &gate)?;
    let (process, mut http) = serve(plan, &world, AT_ONCE, batch).await?;
    let begun = Instant::now();
    let mut ids = Vec::new();
    for commit in &commits {
        ids.push(ask(&mut http, commit).await?);
    }
    for id in &ids {
        until_landed(&mut http, id).await?;
    }
    let ours = begun.elapsed().as_secs_f64();
    process.stop()?;
    let limit = if batch == 1 { Limit::AtMost(1.1) } else { Limit::None };
    let mut figure = Figure::ratio(format!("land, {count} side by side/{batch}"), "s; no slot idle", limit);
    figure.push(ours, count.div_ceil(AT_ONCE) as f64 * seconds);
    Ok(figure)
}

/// Changes of which one in ten does not pass: runs of the gate for each that lands, against plain bisecting.
async fn culprits(plan: &Plan) -> Result<Figure> {
    const COUNT: usize = 30;
    let mut figure = Figure::ratio("land, 3 of 30 red", "runs; bisecting", Limit::None);
    for round in 0..plan.rounds as usize {
        let world = World::new(&plan.launcher, 1, 0)?;
        let bad: Vec<usize> = (0..3).map(|one| one * 10 + (round * 7 + one * 3) % 10).collect();
        let runs = world.root().join("runs");
        let script = format!("echo >> '{}'; ! ls | grep -q ^bad-", runs.display());
        let gate = format!("[[gates]]\nname = \"check\"\nrun = [\"sh\", \"-c\", {script:?}]\n");
        let path = |at: usize| if bad.contains(&at) { format!("bad-{at}") } else { world.path(at) };
        let works: Vec<(String, String)> = (0..COUNT).map(|at| (path(at), format!("VALUE = {at}\n"))).collect();
        let commits = changes(&world, &works, &gate)?;
        let (process, mut http) = serve(plan, &world, AT_ONCE, BATCH).await?;
        let mut ids = Vec::new();
        for commit in &commits {
            ids.push(ask(&mut http, commit).await?);
        }
        for (at, id) in ids.iter().enumerate() {
            let state = until_over(&mut http, id).await?;
            ensure!((state == "landed") != bad.contains(&at), "change {at} is {state}");
        }
        process.stop()?;
        let landed = (COUNT - bad.len()) as f64;
        let ours = std::fs::read_to_string(&runs)?.lines().count() as f64 / landed;
        let all: Vec<bool> = (0..COUNT).map(|at| bad.contains(&at)).collect();
        let plain: usize = all.chunks(BATCH).map(bisected).sum();
        figure.push(ours, plain as f64 / landed);
        if round == 0 {
            let whole = bisected(&all) as f64 / landed;
            let serial = COUNT as f64 / landed;
            line(format!("  land: one after the other takes {serial:.2} runs, bisecting all as one batch {whole:.2}"));
        }
    }
    Ok(figure)
}

/// Runs of plain bisecting: a batch that does not pass is halved, and each half is gated.
fn bisected(red: &[bool]) -> usize {
    if red.len() <= 1 || !red.contains(&true) {
        return red.len().min(1);
    }
    let (left, right) = red.split_at(red.len() / 2);
    1 + bisected(left) + bisected(right)
}

/// Makes a commit of its own on the branch for each: (path, content). The gates are on the branch already.
fn changes(world: &World, works: &[(String, String)], gates: &str) -> Result<Vec<String>> {
    let file = |path: &str, text: &str| format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len());
    let commit = |branch: &str, from: &str, files: &str| {
        format!("commit refs/heads/{branch}\ncommitter load <load@load> 1 +0000\ndata 1\nx\nfrom {from}\n{files}\n")
    };
    let base = git(&world.repository(), &["rev-parse", "HEAD"])?;
    let gates = if gates.is_empty() { String::new() } else { file("orchestrator.toml", gates) };
    let mut stream = commit(TARGET, &base, &gates);
    for (at, (path, text)) in works.iter().enumerate() {
        stream += &commit(&format!("work/{at}"), &format!("refs/heads/{TARGET}"), &file(path, text));
    }
    let mut command = Command::new("git");
    let command = wiped(&mut command).current_dir(world.repository()).args(["fast-import", "--quiet"]);
    let mut child = command.stdin(Stdio::piped()).spawn().context("failed to run git")?;
    child.stdin.take().context("no standard input")?.write_all(stream.as_bytes())?;
    ensure!(child.wait()?.success(), "git fast-import failed");
    (0..works.len()).map(|at| git(&world.repository(), &["rev-parse", &format!("work/{at}")])).collect()
}

/// The server on it, with these settings and one agent.
async fn serve(plan: &Plan, world: &World, side_by_side: usize, batch: usize) -> Result<(Process, Http)> {
    let config = world.root().join("server.toml");
    std::fs::write(&config, format!("[landing]\nside_by_side = {side_by_side}\nbatch = {batch}\n"))?;
    let process = world.process(&plan.launcher, &["--config".as_ref(), config.as_os_str()])?;
    let mut http = Http::connect(process.address()).await?;
    http.call("POST", &format!("{BASE}/agents/register"), &json!({"agent_id": "load"}).to_string()).await?;
    // The queue lets a killed predecessor's gates die first.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok((process, http))
}

async fn ask(http: &mut Http, commit: &str) -> Result<String> {
    let body = json!({"agent_id": "load", "target": TARGET, "snapshot": commit}).to_string();
    let answer: Value = serde_json::from_slice(http.call("POST", &format!("{BASE}/merges"), &body).await?)?;
    let id = answer.pointer("/merge/merge_id").and_then(Value::as_str);
    Ok(id.context("no merge")?.to_owned())
}

async fn until_landed(http: &mut Http, id: &str) -> Result<()> {
    let state = until_over(http, id).await?;
    ensure!(state == "landed", "{id} is {state}");
    Ok(())
}

async fn until_over(http: &mut Http, id: &str) -> Result<String> {
    let begun = Instant::now();
    loop {
        let answer: Value = serde_json::from_slice(http.call("GET", &format!("{BASE}/merges/{id}"), "").await?)?;
        let state = answer.pointer("/merge/state").and_then(Value::as_str).context("no state")?;
        if !["queued", "merging", "gating", "waiting"].contains(&state) {
            return Ok(state.to_owned());
        }
        ensure!(begun.elapsed() < PATIENCE, "{answer}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The same by git's own programs.
fn plumbing(repository: &Path, work: &str) -> Result<()> {
    let stands = git(repository, &["rev-parse", "yard"])?;
    let tree = git(repository, &["merge-tree", "--write-tree", &stands, work])?;
    let commit = git(repository, &["commit-tree", &tree, "-p", &stands, "-m", "land"])?;
    git(repository, &["update-ref", "refs/heads/yard", &commit, &stands])?;
    Ok(())
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    let command = wiped(&mut command).current_dir(folder).args(["-c", "user.name=load", "-c", "user.email=load@load"]);
    let output = command.args(arguments).stdin(Stdio::null()).output().context("failed to run git")?;
    ensure!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_bisecting_gates_each_half_of_what_does_not_pass() {
        assert_eq!([bisected(&[]), bisected(&[true]), bisected(&[false; 8])], [0, 1, 1]);
        assert_eq!(bisected(&[false, false, true, false]), 5, "4, 2, 2, 1, 1");
    }
}
