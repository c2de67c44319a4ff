//! `agent-client workspace push`: the work in a folder that the server cannot see, as a pack.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::following::persist;
use clap::Args;
use orchestrator_client::{Client, Error};
use orchestrator_protocol::{ErrorCode, PushAnswer};
use orchestrator_repository::{Author, Limits, ObjectId, Project, State, Store, Workspace};
use orchestrator_watch::{Notice, Options};
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Commits of one question, and how many questions there are at most.
const COMMITS: usize = 256;
const QUESTIONS: usize = 40;
/// Largest pack that a server takes, in bytes.
const MAX_PACK: usize = 256 * 1024 * 1024;
/// How often git is asked what it did: a commit changes no file of the folder.
const GIT: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Push {
    /// Whose work it is; the agent must be registered, without a workspace.
    #[arg(long, value_name = "ID")]
    agent_id: String,
    /// A folder in a clone of the project.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Go on, and push whenever the work has changed.
    #[arg(long)]
    watch: bool,
}

pub(super) async fn run(context: &Context<'_>, arguments: Push) -> Result<(), Failure> {
    let Context { client, out } = context;
    let Push { agent_id, folder, watch } = arguments;
    let project = Project::discover(&folder).map_err(unusable)?;
    let store = Store::open(&project).map_err(unusable)?;
    // Watched before it is looked at, so that no change falls in between.
    let cookies = tempfile::tempdir()?;
    let mut watcher = match watch {
        true => Some(Options::new(project.root(), cookies.path()).build().map_err(|error| {
            Failure::usage(format!("{} cannot be watched: {error}", folder.display()), "give a folder that can be read")
        })?),
        false => None,
    };
    let mut workspace = Workspace::open(&store, &folder, Limits::default()).map_err(unusable)?;
    let mut pushed = None;
    loop {
        match workspace.state() {
            State::Ready if pushed != Some(workspace.snapshot().generation) => {
                pushed = Some(workspace.snapshot().generation);
                let made = commit(&workspace, &agent_id).map_err(unusable)?;
                let answer = match watch {
                    true => persist(out, async || push(client, &store, &agent_id, made).await).await?,
                    false => push(client, &store, &agent_id, made).await?,
                }?;
                if out.is_json { out.json(&answer) } else { out.line(&told(&answer)) }?;
                // What was sent is the server's to keep.
                let mark = store.mark();
                store.sweep(mark, [workspace.snapshot().tree().map_err(unusable)?]).map_err(unusable)?;
            }
            State::Ready => {}
            State::Busy(_) if watch => {}
            State::Busy(_) => {
                let cure = "finish or abort the rebase or merge there, or remove a stale index.lock";
                let what = format!("git is busy in {}", workspace.root().display());
                return Err(Failure::new(Exit::Conflict, "workspace_blocked", what, cure));
            }
        }
        let Some((_, notices)) = &mut watcher else { return Ok(()) };
        let looked = tokio::select! {
            notice = notices.recv() => match notice {
                Some(Notice::Overflow { .. } | Notice::Changes(_)) => workspace.rescan(),
                Some(Notice::RootLost) => {
                    out.note("the folder is gone; what was pushed last stands");
                    continue;
                }
                Some(_) => continue,
                None => return Ok(()),
            },
            () = tokio::time::sleep(GIT) => workspace.refresh::<&[u8]>(&[]),
        };
        // What is gone or cannot be read is looked at again.
        if let Err(error) = looked {
            out.note(&error.to_string());
        }
    }
}

fn told(answer: &PushAnswer) -> String {
    let PushAnswer { agent_id, snapshot_id, commit, paths, .. } = answer;
    let files = if *paths == 1 { "path" } else { "paths" };
    format!("pushed the work of {agent_id} as {snapshot_id} ({commit}; {paths} uncommitted {files})")
}

#[expect(clippy::needless_pass_by_value, reason = "it is a map_err function")]
fn unusable(error: orchestrator_repository::Error) -> Failure {
    Failure::new(Exit::Failed, "repository", error.to_string(), "")
}

/// The work as a commit on what is checked out, in memory.
fn commit(workspace: &Workspace, agent: &str) -> Result<ObjectId, orchestrator_repository::Error> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = i64::try_from(since).unwrap_or_default();
    let author = Author { name: agent.to_owned(), email: format!("{agent}@localhost"), seconds };
    workspace.snapshot().commit(&author, &format!("Work of {agent}\n"))
}

/// Sends what the server does not have. The outer error may be one of the moment.
async fn push(
    client: &Client,
    store: &Store,
    agent: &str,
    commit: ObjectId,
) -> Result<Result<PushAnswer, Failure>, Error> {
    let known = match known(client, store, agent, commit).await? {
        Ok(known) => known,
        Err(error) => return Ok(Err(unusable(error))),
    };
    let mut refused = None;
    // The target branch may have moved away from what was known a moment ago: then all of it is sent.
    for known in [known, None] {
        let pack = match store.pack(commit, known.as_slice()) {
            Ok(pack) => pack,
            Err(error) => return Ok(Err(unusable(error))),
        };
        if pack.len() > MAX_PACK {
            let what = format!("the work is a pack of {} bytes, at most {MAX_PACK} are taken", pack.len());
            let cure = "leave large files out with .gitignore, or land what is committed in parts";
            return Ok(Err(Failure::new(Exit::Refused, "body_too_large", what, cure)));
        }
        match client.push_snapshot(agent, &commit.to_string(), pack).await {
            Err(Error::Refused { status, body }) if body.code == ErrorCode::UnknownBase => {
                refused = Some(Error::Refused { status, body });
            }
            answer => return answer.map(Ok),
        }
    }
    refused.map_or_else(|| Ok(Err(Failure::new(Exit::Failed, "internal", "nothing was sent", ""))), Err)
}

/// The newest commit below this one that the server has too.
async fn known(
    client: &Client,
    store: &Store,
    agent: &str,
    commit: ObjectId,
) -> Result<Result<Option<ObjectId>, orchestrator_repository::Error>, Error> {
    let mut next = commit;
    for _ in 0..QUESTIONS {
        let mut commits = Vec::new();
        while commits.len() < COMMITS {
            match store.read_commit(next) {
                Ok((_, parents)) => match parents.first() {
                    Some(parent) => next = *parent,
                    None => break,
                },
                // The end of a shallow clone.
                Err(_) if next != commit => break,
                Err(error) => return Ok(Err(error)),
            }
            commits.push(next.to_string());
        }
        let is_end = commits.len() < COMMITS;
        let answer = client.known_commit(agent, commits).await?;
        let known = answer.commit.and_then(|known| ObjectId::from_hex(known.as_bytes()).ok());
        if known.is_some() || is_end {
            return Ok(Ok(known));
        }
    }
    Ok(Ok(None))
}
