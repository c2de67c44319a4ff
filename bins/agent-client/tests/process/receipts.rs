//! `agent-client receipt`: what landed is vouched for in a clone, without the server, and what was done to it since is
//! seen.

use crate::support::{Server, agent_client, git};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const GATES: &str = "[[gates]]\nname = \"greeting\"\nrun = [\"grep\", \"-q\", \"hello\", \"a.txt\"]\n";

fn workspace(server: &Server, agent: &str) -> PathBuf {
    server.text(&["register", agent]);
    server.json(&["workspace", "create", agent])["workspace"]["path"].as_str().unwrap().into()
}

fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A commit that is made by hand.
fn forge(folder: &Path, tree: &str, parent: &str, message: &str) -> String {
    let who = ["-c", "user.name=p", "-c", "user.email=p@example.org"];
    said(folder, &[&who[..], &["commit-tree", tree, "-p", parent, "-m", message]].concat())
}

#[test]
fn a_clone_alone_tells_what_landed_as_its_receipt_says() {
    let mut server = Server::start();
    let project = server.project().to_owned();
    let list = "import b\n\n\ndef f():\n    return 1\n";
    for (path, text) in [("a.txt", "hello\n"), ("m.py", list), ("orchestrator.toml", GATES)] {
        std::fs::write(project.join(path), text).unwrap();
    }
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "--quiet", "-m", "base"]);
    let base = said(&project, &["rev-parse", "HEAD"]);
    for (agent, new) in [("ann", "one"), ("bob", "two")] {
        let folder = workspace(&server, agent);
        if agent == "bob" {
            git(&folder, &["reset", "--quiet", "--hard", &base]);
        }
        std::fs::write(folder.join("m.py"), format!("{list}\n\ndef {new}():\n    return 2\n")).unwrap();
        server.text(&["lease", "acquire", agent, &format!("src/{agent}/**")]);
        let asked = server.run(&["merge", "request", "--agent-id", agent, "-m", "Add it", "--wait"]);
        assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stdout));
    }
    let online = server.text(&["receipt", "verify", &format!("{base}..HEAD"), "--repo", project.to_str().unwrap()]);
    assert!(online.contains("2 landed as their receipts say, 0 without a receipt, 0 bad"), "{online}");
    let key = public_key(&server);
    server.kill();

    let clone = project.with_file_name("clone");
    git(project.parent().unwrap(), &["clone", "--quiet", "project", "clone"]);
    let verify = |range: &str, more: &[&str]| {
        let arguments =
            [&["receipt", "verify", range, "--key", &key, "--repo", clone.to_str().unwrap()], more].concat();
        let output = agent_client(&arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let range = |to: &str| format!("{base}..{to}");
    let (code, told) = verify(&range("HEAD"), &["--require"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("of bob: 1 of 1 gates passed") && told.contains("settled"), "{told}");
    let show = agent_client(&["receipt", "show", "--repo", clone.to_str().unwrap()]).output().unwrap();
    let receipt: Value = serde_json::from_slice(&show.stdout).unwrap();
    assert_eq!(
        (&receipt["agent"], &receipt["leases"]),
        (&"bob".into(), &serde_json::json!(["src/bob/**"])),
        "{receipt}"
    );
    assert_eq!(receipt["settled"][0]["path"], "m.py", "{receipt}");
    assert_eq!(receipt["gates"][0]["verdict"], "passed");

    // The same message on another tree, and on another parent; then with a gate less.
    let message = said(&clone, &["show", "-s", "--format=%B", "HEAD"]);
    let [tree, parent, old] =
        ["HEAD^{tree}", "HEAD^", &format!("{base}^{{tree}}")].map(|name| said(&clone, &["rev-parse", name]));
    let same = forge(&clone, &tree, &parent, &message);
    assert_eq!(verify(&same, &[]).0, 0, "who committed it is not signed: {}", verify(&same, &[]).1);
    let other = message.replace("Add it", "Add it all");
    for forged in [
        forge(&clone, &old, &parent, &message),
        forge(&clone, &tree, &base, &message),
        forge(&clone, &tree, &parent, &other),
        forge(&clone, &tree, &parent, &message.replace("\"passed\"", "\"failed\"")),
    ] {
        let (code, told) = verify(&forged, &[]);
        assert_eq!((code, told.starts_with("bad ")), (1, true), "{told}");
        assert!(told.contains("not signed by this key"), "{told}");
    }
    let wrong = "0".repeat(64);
    let arguments = ["receipt", "verify", "--key", &wrong, "--repo", clone.to_str().unwrap()];
    assert_eq!(agent_client(&arguments).output().unwrap().status.code(), Some(1));
    // A person's commit has none, which is a failure only where that is asked.
    let own = forge(&clone, &old, "HEAD", "By hand");
    assert_eq!(verify(&range(&own), &[]).0, 0);
    let (code, told) = verify(&range(&own), &["--require"]);
    assert_eq!((code, told.contains("2 landed as their receipts say, 1 without a receipt")), (1, true), "{told}");
    assert_eq!(verify("nothing", &[]).0, 3);
    let short = ["receipt", "verify", "--key", "12", "--repo", clone.to_str().unwrap()];
    assert_eq!(agent_client(&short).output().unwrap().status.code(), Some(2));
}

/// The server's public key, as anybody may ask for it.
fn public_key(server: &Server) -> String {
    let url = format!("{}/api/orchestration/audit/key", server.url());
    let output = Command::new("curl").args(["--silent", "--fail", &url]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["public_key"].as_str().unwrap().to_owned()
}
