//! What a gate sees of the server, and what it leaves.

use crate::support::{ROLE, again, checkout, enforced, gate, of, outcome, role, sh};
use orchestrator_gates::{Limits, Verdict, definitions};
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::Path;

#[test]
fn it_sees_no_token_of_the_server() {
    const NAME: &str = "surroundings::it_sees_no_token_of_the_server";
    if role().is_none() {
        let mut server = again(NAME, "server");
        server.env("ORCHESTRATOR_TOKEN", "secret-1").env("GIT_DIR", "/secret-2").env("GITHUB_TOKEN", "secret-3");
        assert!(server.status().unwrap().success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // In the shell itself, which adds variables of its own, and in every other process that it can look into.
    let (report, printed) = runtime.block_on(async {
        let folder = checkout();
        outcome(&gate(&["env"]), folder.path(), &Limits::default()).await
    });
    assert_eq!(report.verdict, Verdict::Passed);
    let printed = String::from_utf8(printed).unwrap();
    let seen: BTreeMap<&str, &str> = printed.lines().filter_map(|line| line.split_once('=')).collect();
    assert_eq!(
        seen.keys().copied().collect::<Vec<_>>(),
        ["CI", "GIT_CEILING_DIRECTORIES", "HOME", "LANG", "PATH", "TMPDIR"]
    );
    assert_eq!((seen["CI"], seen["LANG"]), ("1", "C.UTF-8"));
    let (report, printed) = runtime.block_on(of("cat /proc/*/environ /proc/*/cmdline 2>&1 | tr '\\0' '\\n'"));
    assert!(printed.contains("CI=1"), "{printed}");
    if enforced(&report, "descendants") {
        assert!(!printed.contains("secret-"), "{printed}");
    }
}

#[tokio::test]
async fn its_home_is_fresh_its_own_and_gone_afterwards() {
    let script = r#"
        echo "$HOME"; echo "$TMPDIR"; ls -A "$HOME" "$TMPDIR" | grep -v : | grep . && exit 1
        case $HOME$TMPDIR in *"$PWD"*) exit 2;; esac
        echo x > "$HOME/.netrc"; mktemp -d; mkdir -p "$HOME/go/mod/deep" && echo x > "$HOME/go/mod/deep/x"
        ln -s "$PWD" "$HOME/link"; chmod -R a-w "$HOME/go"; chmod 000 "$HOME/go/mod"
        if read -r line; then exit 3; fi; exit 0"#;
    let folder = checkout();
    fs::write(folder.path().join("kept"), "").unwrap();
    let (report, printed) = outcome(&sh(script), folder.path(), &Limits::default()).await;
    let printed = String::from_utf8(printed).unwrap();
    assert_eq!(report.verdict, Verdict::Passed, "{printed}");
    for line in printed.lines() {
        assert!(line.starts_with('/') && !Path::new(line).exists(), "{line}");
    }
    assert_eq!((printed.lines().count(), folder.path().join("kept").exists()), (3, true));
}

#[tokio::test]
async fn editing_its_own_definition_changes_nothing() {
    let folder = checkout();
    let file = folder.path().join("orchestrator.toml");
    let hostile = "[[gates]]\nname = 'x'\nrun = ['sh', 'edit']\nretries = 1\n[gate_limits]\noutput = 100\n";
    fs::write(&file, hostile).unwrap();
    let edit =
        "printf '[[gates]]\\nname = \"x\"\\nrun = [\"true\"]\\n' > orchestrator.toml; head -c 200 /dev/zero; exit 1";
    fs::write(folder.path().join("edit"), edit).unwrap();
    let defined = definitions(&fs::read_to_string(&file).unwrap()).unwrap();
    let digest = defined.gates[0].digest();
    let (report, _) = outcome(&defined.gates[0], folder.path(), &defined.limits).await;
    assert_eq!((report.verdict, report.dropped_bytes, report.flaky), (Verdict::OverLimit, 100, false));
    assert_eq!(defined.gates[0].digest(), digest);
    assert_ne!(definitions(&fs::read_to_string(&file).unwrap()).unwrap().gates[0].digest(), digest);
}

#[tokio::test]
async fn the_network_is_off_unless_it_is_allowed() {
    const NAME: &str = "surroundings::the_network_is_off_unless_it_is_allowed";
    if let Some(port) = role() {
        // Here this program is the gate.
        if port == "own" {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        } else {
            TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
        }
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = std::env::current_exe().unwrap();
    let as_role = |role: &str| {
        gate(&["env", &format!("{ROLE}={role}"), program.to_str().unwrap(), "--exact", NAME, "--nocapture"])
    };
    let folder = checkout();
    let open = Limits { network: true, ..Limits::default() };
    let (report, printed) = outcome(&as_role(&port.to_string()), folder.path(), &open).await;
    assert_eq!(report.verdict, Verdict::Passed, "{}", String::from_utf8_lossy(&printed));
    assert!(listener.accept().is_ok());
    assert!(!report.not_enforced.iter().any(|line| line.starts_with("network")), "it is allowed");

    let (report, _) = outcome(&as_role(&port.to_string()), folder.path(), &Limits::default()).await;
    if enforced(&report, "network") {
        assert_eq!(report.verdict, Verdict::Failed);
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        // Tests that talk to themselves go on working.
        let (report, printed) = outcome(&as_role("own"), folder.path(), &Limits::default()).await;
        assert_eq!(report.verdict, Verdict::Passed, "{}", String::from_utf8_lossy(&printed));
    } else {
        assert_eq!(report.verdict, Verdict::Passed);
    }
}
