//! What an `orchestrator.toml` may say about gates, and what it is told otherwise.

use orchestrator_gates::{Definitions, Gate, Limits, definitions};
use proptest::prelude::*;
use std::time::Duration;

#[test]
fn all_settings_are_read() {
    let read = definitions(
        r#"
        bind = "127.0.0.1:9"
        [[gates]]
        name = "unit.tests_1-a"
        run = ["cargo", "test", "--workspace"]
        paths = ["*.rs", "Cargo.toml"]
        timeout = "90s"
        required = false
        retries = 1
        [[gates]]
        name = "lint"
        run = ["./lint"]
        [gate_limits]
        cpu = "2m"
        memory = "512MiB"
        file = 1048576
        output = "64 KiB"
        processes = 7
        network = true
        [other]
        gates = 7
        "#,
    )
    .unwrap();
    let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let unit = Gate {
        name: "unit.tests_1-a".to_owned(),
        run: text(&["cargo", "test", "--workspace"]),
        paths: text(&["*.rs", "Cargo.toml"]),
        timeout: Duration::from_secs(90),
        required: false,
        retries: 1,
    };
    let lint = Gate {
        name: "lint".to_owned(),
        run: text(&["./lint"]),
        paths: Vec::new(),
        timeout: Duration::from_secs(600),
        required: true,
        retries: 0,
    };
    let limits = Limits {
        cpu: Duration::from_secs(120),
        memory: 512 << 20,
        file: 1 << 20,
        output: 64 << 10,
        processes: 7,
        network: true,
    };
    assert_eq!(read, Definitions { gates: vec![unit.clone(), lint], limits: limits.clone() });
    assert_ne!(limits.digest(), Limits::default().digest());
    let stored = serde_json::to_string(&unit).unwrap();
    assert_eq!(serde_json::from_str::<Gate>(&stored).unwrap(), unit);
}

#[test]
fn a_file_without_gates_has_none_and_the_default_limits() {
    for toml in ["", "[log]\nfilter = 'info'", "gates = []", "[gate_limits]"] {
        assert_eq!(definitions(toml), Ok(Definitions { gates: Vec::new(), limits: Limits::default() }), "{toml}");
    }
    assert!(!Limits::default().network);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_cure() {
    let gate = |line: &str| format!("\n[[gates]]\nname = 'a'\nrun = ['b']\n{line}");
    for (toml, line, what) in [
        ("a = 1\na = 2".to_owned(), 2, "not TOML"),
        ("\n\n[[gates".to_owned(), 3, "not TOML"),
        ("gates = 3".to_owned(), 1, "'gates' holds integer"),
        ("\ngates = [3]".to_owned(), 2, "'gates' holds integer"),
        ("[gates]\nname = 'a'".to_owned(), 1, "'gates' holds table"),
        ("\n[[gates]]\nrun = ['b']".to_owned(), 2, "no 'name'"),
        ("[[gates]]\nname = 'a'".to_owned(), 1, "no 'run'"),
        ("[[gates]]\nname = ''\nrun = ['b']".to_owned(), 2, "no name"),
        ("[[gates]]\nname = 'a b'\nrun = ['b']".to_owned(), 2, "no name"),
        ("[[gates]]\nname = 7\nrun = ['b']".to_owned(), 2, "no name"),
        (format!("[[gates]]\nname = '{}'\nrun = ['b']", "x".repeat(65)), 2, "no name"),
        ("[[gates]]\nname = 'a'\nrun = 'make test'".to_owned(), 3, "'run' is string"),
        ("[[gates]]\nname = 'a'\nrun = []".to_owned(), 3, "names no program"),
        ("[[gates]]\nname = 'a'\nrun = ['']".to_owned(), 3, "names no program"),
        ("[[gates]]\nname = 'a'\nrun = ['b',\n 3]".to_owned(), 4, "'run' holds integer"),
        ("[[gates]]\nname = 'a'\nrun = [\"b\\u0000\"]".to_owned(), 3, "NUL"),
        (gate("runs = 1"), 5, "a gate has no setting 'runs'"),
        (gate("paths = '*.rs'"), 5, "'paths' is string"),
        (gate("paths = ['!a']"), 5, "says no path"),
        (gate("paths = [' ']"), 5, "says no path"),
        (gate("paths = ['{a']"), 5, "cannot be read"),
        (gate("timeout = 10"), 5, "'timeout' is no time"),
        (gate("timeout = '0s'"), 5, "'timeout' is no time"),
        (gate("timeout = '25h'"), 5, "'timeout' is no time"),
        (gate("timeout = '10'"), 5, "'timeout' is no time"),
        (gate("timeout = '99999999999999999999h'"), 5, "'timeout' is no time"),
        (gate("timeout = '9999999999999999h'"), 5, "'timeout' is no time"),
        (gate("required = 1"), 5, "'required' is integer"),
        (gate("retries = 2"), 5, "'retries'"),
        (gate("retries = -1"), 5, "'retries'"),
        (gate("[[gates]]\nname = 'a'\nrun = ['c']"), 5, "already defined in line 2"),
        ("gate_limits = 1".to_owned(), 1, "'gate_limits' is integer"),
        ("[gate_limits]\nmemry = 1".to_owned(), 2, "no setting 'memry'"),
        ("[gate_limits]\nmemory = '1GB'".to_owned(), 2, "'memory' is no size"),
        ("[gate_limits]\nmemory = 0".to_owned(), 2, "'memory' is no size"),
        ("[gate_limits]\nfile = -1".to_owned(), 2, "'file' is no size"),
        ("[gate_limits]\nprocesses = 0".to_owned(), 2, "'processes' is not"),
        ("[gate_limits]\ncpu = 5".to_owned(), 2, "'cpu' is no time"),
        ("[gate_limits]\nnetwork = 'no'".to_owned(), 2, "'network' is string"),
    ] {
        let error = definitions(&toml).expect_err(&toml);
        assert_eq!((error.line, error.what.contains(what)), (line, true), "{toml}\n{error}");
        assert!(!error.cure.is_empty() && !error.to_string().contains('\n'), "{error}");
    }
    let many = "[[gates]]\nname = 'NAME'\nrun = ['b']\n";
    let many: String = (0..257).map(|index| many.replace("NAME", &format!("g{index}"))).collect();
    assert!(definitions(&many).unwrap_err().what.contains("more than 256"));
}

const TEXT: &str = concat!(
    r"(\[\[gates\]\]\n|\[gate_limits\]\n|(name|run|paths|timeout|cpu|file) = |",
    r#"[\[\]'"{}=,.\n 0-9a-z\\é!#]){0,40}"#
);

proptest! {
    #[test]
    fn no_text_makes_it_panic(toml in TEXT) {
        let _ = definitions(&toml);
    }
}
