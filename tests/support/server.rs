//! A server on a free port, with a repository and a state folder of its own.

use crate::{Answer, Socket};
use orchestrator::{Options, Orchestrator};
use orchestrator_repository::Project;
use orchestrator_transport::{OperatorSecret, Server, ServerOptions};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The running server. Stopping keeps its folders, so that it can be started on them again.
pub struct TestServer {
    folder: TempDir,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The orchestrator behind it.
    pub orchestrator: Orchestrator,
    http: reqwest::Client,
    shutdown: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
    configure: fn(&mut Options),
    origins: Vec<String>,
}

impl TestServer {
    /// A server with the usual options.
    pub async fn start() -> Self {
        Self::start_with(|_| {}, &[]).await
    }

    /// A server with other options, and foreign origins that are let in.
    pub async fn start_with(configure: fn(&mut Options), origins: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("project");
        std::fs::create_dir_all(repository.join("src")).unwrap();
        git(&repository, &["init", "--quiet"]);
        let origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
        Self::serve(folder, configure, origins).await
    }

    async fn serve(folder: TempDir, configure: fn(&mut Options), origins: Vec<String>) -> Self {
        // Twice in one process is an error that says so; that it is there is all that counts.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let project = Project::discover(&folder.path().join("project")).unwrap();
        let state = folder.path().join("state");
        let mut options = Options::new(project, &state);
        configure(&mut options);
        let orchestrator = Orchestrator::open(options).unwrap();
        let server = ServerOptions {
            bind: ([127, 0, 0, 1], 0).into(),
            origins: origins.clone(),
            operator: OperatorSecret::load_or_create(&state.join("operator.secret")).unwrap(),
            workers: Some(2),
        };
        let server = Server::bind(orchestrator.clone(), server).unwrap();
        let url = format!("http://{}", server.addresses()[0]);
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        // The server's workers live on a thread of their own, as they do in the program.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(server.run(token)).unwrap();
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let server = Self { folder, url, orchestrator, http, shutdown, thread: Some(thread), configure, origins };
        server.eventually("the server answers", async || server.get("/health").await.status == 200).await;
        server
    }

    /// Stops it in order.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        if let Some(thread) = self.thread.take() {
            tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
        }
        self.orchestrator.shutdown().await;
    }

    /// Stops it and starts it on the same folders, on another port.
    pub async fn restart(mut self) -> Self {
        self.stop().await;
        let Self { folder, configure, origins, .. } = self;
        Self::serve(folder, configure, origins).await
    }

    /// The project's folder.
    #[must_use]
    pub fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The operator's secret.
    #[must_use]
    pub fn secret(&self) -> String {
        std::fs::read_to_string(self.state().join("operator.secret")).unwrap()
    }

    /// `HOST:PORT`.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// A request to build further; the path is below `/api/orchestration`.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/api/orchestration{path}", self.url);
        self.http.request(method.parse().unwrap(), url)
    }

    /// Sends a request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    /// `POST` with a body as written.
    pub async fn post_text(&self, path: &str, body: impl Into<String>) -> Answer {
        self.send(self.request("POST", path).body(body.into())).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// Registers an agent.
    pub async fn register(&self, agent: &str, capabilities: &[&str]) {
        let body = serde_json::json!({"agent_id": agent, "capabilities": capabilities});
        assert_eq!(self.post("/agents/register", body).await.status, 200);
    }

    /// Sends a message; answers with its id.
    pub async fn message(&self, from: &str, to: &str, payload: Value) -> String {
        let body = serde_json::json!({"from": from, "to": to, "payload": payload});
        let answer = self.post("/messages", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["message_id"].as_str().unwrap().to_owned()
    }

    /// Opens a socket; the path is below `/api/orchestration/ws`.
    pub async fn socket(&self, path: &str) -> Socket {
        Socket::open(&format!("ws://{}/api/orchestration/ws{path}", self.authority())).await
    }

    /// Waits until something holds, for ten seconds.
    pub async fn eventually(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !holds().await {
            assert!(Instant::now() < deadline, "not within 10 s: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Writes a file of the project.
    pub fn write(&self, path: &str, content: &str) {
        write(&self.project(), path, content);
    }

    /// Registers an agent that works in a folder.
    pub async fn follow(&self, agent: &str, folder: &Path) {
        let answer = self.post("/agents/register", json!({"agent_id": agent, "workspace": folder})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Returns when every file change made before is seen and merged.
    pub async fn force(&self) {
        let answer = self.post("/command", json!({"command": "*sync:force"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// Writes a file below a folder.
pub fn write(folder: &Path, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// Commits all that stands in a folder.
pub fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "-A"]);
    git(folder, &["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", message]);
}

/// Runs git without anyone's configuration and answers with what it printed. A merge with conflicts is no failure.
pub fn git_text(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.code().is_some_and(|code| code < 2), "git {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// Runs git without anyone's configuration; it must succeed.
pub fn git(folder: &Path, arguments: &[&str]) {
    let status = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .status()
        .unwrap();
    assert!(status.success());
}
