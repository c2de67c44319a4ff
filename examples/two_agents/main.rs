//! Two agents edit one project and collide in four ways; the server tells of each while nothing is committed.
//!
//! ```text
//! cargo build --release
//! target/release/two_agents [REPOSITORY]
//! ```
//!
//! The repository, by default the one around the current folder, is cloned into a temporary folder and never touched.
//! The edits are made in files of its own history: the longest texts of the newest commit.

mod material;
mod server;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use material::Material;
use orchestrator_client::{Client, Frame, ListenerOptions, Notice, Notices};
use orchestrator_protocol::{Conflict, RegisterRequest, WorkspaceRequest};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A conflict that is not told by then is missed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Two agents that collide in four ways, found while they type.
#[derive(Debug, Parser)]
struct Cli {
    /// A git repository; it is cloned and not touched.
    #[arg(default_value = ".")]
    repository: PathBuf,
    /// The server to start; by default the one beside this program.
    #[arg(long)]
    server: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let server = server::Server::start(&cli.repository, cli.server)?;
    let client = Client::new(server.url())?;
    let (listener, handle, mut notices) = ListenerOptions::new(client.clone()).build();
    let listening = tokio::spawn(listener.run());
    let ann = workspace(&client, "ann").await?;
    let bob = workspace(&client, "bob").await?;
    let material = Material::choose(&ann)?;
    // Both folders are followed when this answers.
    client.command("*sync:force").await?;
    say(format!("two agents on {}, each in a worktree of its own\n", cli.repository.display()));

    say(format!("1. both change line {} of {}", material.line + 1, material.edited));
    material.edit(&ann, "ann was here")?;
    let begun = material.edit(&bob, "bob was here")?;
    told(&mut notices, &material.edited, begun).await?;

    say(format!("\n2. ann changes {}, bob deletes it", material.deleted));
    append(&ann.join(&material.deleted), "one more line of ann's\n")?;
    let begun = remove(&bob.join(&material.deleted))?;
    told(&mut notices, &material.deleted, begun).await?;

    let new = "two_agents_notes.txt";
    say(format!("\n3. both add {new}"));
    append(&ann.join(new), "ann's plan\n")?;
    let begun = append(&bob.join(new), "bob's plan\n")?;
    told(&mut notices, new, begun).await?;

    say(format!("\n4. ann changes what {} takes, bob begins to call it", material.function));
    let caller = material.call(&bob)?;
    let begun = material.change_signature(&ann)?;
    told(&mut notices, &caller, begun).await?;

    handle.close();
    listening.await??;
    server.stop()
}

/// Registers an agent and has a worktree made for it.
async fn workspace(client: &Client, agent: &str) -> Result<PathBuf> {
    client.register(&RegisterRequest { agent_id: Some(agent.to_owned()), ..RegisterRequest::default() }).await?;
    let made = client.create_workspace(agent, &WorkspaceRequest::default()).await?;
    Ok(PathBuf::from(made.workspace.path))
}

/// Waits until the conflict on a path is told, and shows it.
async fn told(notices: &mut Notices, path: &str, begun: Instant) -> Result<()> {
    let found = async {
        while let Some(notice) = notices.recv().await {
            if let Notice::Frame(frame) = notice
                && let Some(conflict) = conflict(&frame)?
                && conflict.file_path == path
            {
                return Ok(conflict);
            }
        }
        anyhow::bail!("the connection was closed")
    };
    let conflict = tokio::time::timeout(PATIENCE, found).await;
    let conflict = conflict.with_context(|| format!("no conflict on '{path}' within {PATIENCE:?}"))??;
    let taken = begun.elapsed().as_millis();
    let agents: Vec<&str> = conflict.conflicting_agents.iter().map(|agent| agent.as_str()).collect();
    say(format!(
        "   {} {:?}, severity {:?}, {} ms after the write",
        conflict.conflict_id, conflict.conflict_type, conflict.severity, taken
    ));
    if let Some(impact) = &conflict.impact {
        say(format!("     {}: {}", impact.definition.entity, impact.definition.change));
        for one in &impact.uses {
            say(format!("     {:>4} {:>5} | {}", one.path, one.line, one.text.text.trim()));
        }
    }
    for region in &conflict.regions {
        for (agent, side) in agents.iter().zip(&region.sides) {
            let line = side.text.lines().next().unwrap_or("(nothing)");
            say(format!("     {agent:>4} {:>5} | {line}", side.start_line));
        }
    }
    Ok(())
}

fn conflict(frame: &Frame) -> Result<Option<Conflict>> {
    match frame.kind() {
        "conflict_detected" => Ok(Some(frame.read()?)),
        _ => Ok(None),
    }
}

fn append(path: &Path, text: &str) -> Result<Instant> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    Ok(Instant::now())
}

fn remove(path: &Path) -> Result<Instant> {
    ensure!(path.is_file(), "{} is no file", path.display());
    std::fs::remove_file(path)?;
    Ok(Instant::now())
}

#[expect(clippy::print_stdout, reason = "it is a program that shows something")]
fn say(text: impl AsRef<str>) {
    println!("{}", text.as_ref());
}
