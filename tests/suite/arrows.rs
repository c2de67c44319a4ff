//! The crate graph.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// Which of our crates each of our crates may use. Whoever adds an arrow changes docs/ARCHITECTURE.md too.
const ARROWS: &[(&str, &[&str])] = &[
    ("orchestrator-protocol", &[]),
    ("orchestrator-syntax", &[]),
    ("orchestrator-log", &[]),
    ("orchestrator-gates", &[]),
    ("orchestrator-receipt", &[]),
    ("orchestrator-merge", &["orchestrator-syntax"]),
    ("orchestrator-predict", &["orchestrator-merge", "orchestrator-syntax"]),
    ("orchestrator-replay", &["orchestrator-merge", "orchestrator-repository", "orchestrator-syntax"]),
    ("orchestrator-repository", &[]),
    ("orchestrator-watch", &[]),
    ("orchestrator-registry", &["orchestrator-protocol"]),
    ("orchestrator-mailbox", &["orchestrator-protocol"]),
    ("orchestrator-conflict", &["orchestrator-protocol"]),
    ("orchestrator-landing", &["orchestrator-protocol"]),
    ("orchestrator-workflow", &["orchestrator-protocol"]),
    (
        "orchestrator",
        &[
            "orchestrator-conflict",
            "orchestrator-gates",
            "orchestrator-landing",
            "orchestrator-log",
            "orchestrator-mailbox",
            "orchestrator-merge",
            "orchestrator-predict",
            "orchestrator-protocol",
            "orchestrator-receipt",
            "orchestrator-registry",
            "orchestrator-repository",
            "orchestrator-syntax",
            "orchestrator-watch",
            "orchestrator-workflow",
        ],
    ),
    (
        "orchestrator-transport",
        &[
            "orchestrator",
            "orchestrator-conflict",
            "orchestrator-mailbox",
            "orchestrator-protocol",
            "orchestrator-registry",
            "orchestrator-repository",
            "orchestrator-workflow",
        ],
    ),
    ("orchestrator-client", &["orchestrator-protocol"]),
    (
        "orchestrator-server",
        &[
            "orchestrator",
            "orchestrator-log",
            "orchestrator-merge",
            "orchestrator-protocol",
            "orchestrator-replay",
            "orchestrator-repository",
            "orchestrator-transport",
        ],
    ),
    (
        "agent-client",
        &[
            "orchestrator-client",
            "orchestrator-gates",
            "orchestrator-merge",
            "orchestrator-protocol",
            "orchestrator-receipt",
            "orchestrator-repository",
            "orchestrator-watch",
        ],
    ),
];

/// Libraries that one crate only may know.
const KNOWN_BY_ONE: &[(&str, &str)] = &[
    ("actix-web", "orchestrator-transport"),
    ("actix-http", "orchestrator-transport"),
    ("gix", "orchestrator-repository"),
    ("rusqlite", "orchestrator-log"),
    ("imara-diff", "orchestrator-merge"),
    ("tree-sitter", "orchestrator-syntax"),
    ("notify-debouncer-full", "orchestrator-watch"),
    ("reqwest", "orchestrator-client"),
];

/// Crates that exist for tests alone; they may use anything.
const FOR_TESTS: [&str; 3] = ["orchestrator-tests", "orchestrator-load", "orchestrator-examples"];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// What a package uses outside its tests.
fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    let used = all.filter(|dependency| dependency["kind"] != "dev");
    used.map(|dependency| dependency["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn crates_use_each_other_only_as_the_design_says() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(name, uses)| (*name, uses.iter().copied().collect())).collect();
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        if FOR_TESTS.contains(&name) {
            continue;
        }
        let allowed = allowed.get(name).unwrap_or_else(|| panic!("'{name}' is a crate that the design does not name"));
        for used in dependencies(package).iter().filter(|used| ours.contains(used.as_str())) {
            assert!(allowed.contains(used.as_str()), "'{name}' must not use '{used}'");
        }
    }
}

#[test]
fn each_foreign_world_is_known_to_one_crate_only() {
    for package in packages() {
        let name = package["name"].as_str().unwrap().to_owned();
        let used = dependencies(&package);
        for (library, knower) in KNOWN_BY_ONE {
            let allowed = name == *knower || FOR_TESTS.contains(&name.as_str());
            assert!(allowed || !used.contains(*library), "'{name}' must not know '{library}', only '{knower}' does");
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{module}.rs is not in main.rs");
    }
}
