//! No input makes the parser panic, hang or overflow; limits are kept; the same text gives the same answer.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_syntax::{Error, File, Index, Language, Limits, changes, impact, parse};
use proptest::prelude::*;

const SAMPLES: [(&str, &str); 12] = [
    ("sample.py", include_str!("samples/sample.py")),
    ("sample.js", include_str!("samples/sample.js")),
    ("sample.ts", include_str!("samples/sample.ts")),
    ("sample.tsx", include_str!("samples/sample.tsx")),
    ("sample.rs", include_str!("samples/sample.rs")),
    ("sample.go", include_str!("samples/sample.go")),
    ("sample.java", include_str!("samples/sample.java")),
    ("sample.c", include_str!("samples/sample.c")),
    ("sample.cpp", include_str!("samples/sample.cpp")),
    ("sample.cs", include_str!("samples/sample.cs")),
    ("sample.rb", include_str!("samples/sample.rb")),
    ("sample.php", include_str!("samples/sample.php")),
];

fn read(path: &str, text: &[u8]) -> File {
    parse(Language::of_path(path).unwrap(), text, Limits::default()).unwrap()
}

/// What holds for every file.
fn check(file: &File, text: &[u8]) {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    for entity in &file.entities {
        assert!(entity.range.start <= entity.range.end && entity.range.end <= text.len(), "{entity:?}");
        assert!(entity.signature_range.end <= text.len() && entity.lines.end <= lines, "{entity:?}");
        assert!(entity.body_range.as_ref().is_none_or(|body| body.end <= text.len()), "{entity:?}");
        assert!(entity.parent.is_none_or(|at| at < file.entities.len()), "{entity:?}");
    }
    for one in &file.uses {
        assert!(one.range.start <= one.range.end && one.range.end <= text.len() && one.line < lines, "{one:?}");
        assert!(one.entity.is_none_or(|at| at < file.entities.len()), "{one:?}");
    }
}

/// Every question that can be asked of two versions.
fn ask(path: &str, before: &[u8], after: &[u8]) {
    let (one, two) = (read(path, before), read(path, after));
    check(&one, before);
    check(&two, after);
    assert_eq!(changes(&one, &one), [], "a file is no change of itself");
    let _ = changes(&one, &two);
    let (mut base, mut author, mut user) = (Index::new(), Index::new(), Index::new());
    base.set(path, Some(one.clone()));
    author.set(path, Some(two.clone()));
    user.set(&format!("other/{path}"), Some(one.clone()));
    user.set(path, Some(two));
    let all = impact(&base, &author, &user);
    assert_eq!(all, impact(&base, &author, &user));
    for one in &one.uses {
        let _ = base.resolve(path, one);
    }
    author.forget(path);
    author.set(path, None);
    let _ = impact(&base, &author, &user);
}

#[test]
fn every_sample_is_sound_and_says_the_same_twice() {
    for (path, text) in SAMPLES {
        let file = read(path, text.as_bytes());
        assert!(file.is_sound(), "{path}: {:?}", file.errors);
        assert!(
            !file.entities.is_empty() && !file.uses.is_empty() && !file.imports.is_empty() || path == "sample.js",
            "{path}"
        );
        assert_eq!(file, read(path, text.as_bytes()), "{path}");
        check(&file, text.as_bytes());
    }
}

#[test]
fn a_file_that_is_set_again_leaves_no_trace_of_what_it_was() {
    for (path, text) in SAMPLES {
        let (mut index, mut fresh) = (Index::new(), Index::new());
        index.set(path, Some(read(path, text.as_bytes())));
        index.set(path, Some(read(path, b"")));
        fresh.set(path, Some(read(path, b"")));
        assert!(index == fresh, "{path}");
    }
}

#[test]
fn deep_nesting_does_not_overflow() {
    for (path, _) in SAMPLES {
        let deep =
            [(100_000, "(", ")"), (100_000, "{", "}"), (5_000, "{a;", "}"), (5_000, "a.b(", ")"), (5_000, "a<", ">")];
        for (deep, open, close) in deep {
            let text = format!("{}{}", open.repeat(deep), close.repeat(deep));
            let limits = Limits { steps: 2_000_000, ..Limits::default() };
            match parse(Language::of_path(path).unwrap(), text.as_bytes(), limits) {
                Ok(file) => check(&file, text.as_bytes()),
                Err(error) => assert_eq!(error, Error::TooLong { limit: 2_000_000 }),
            }
        }
    }
}

#[test]
fn a_text_over_the_limit_is_refused() {
    let text = vec![b'a'; 5 << 20];
    let error = parse(Language::Python, &text, Limits::default()).unwrap_err();
    assert_eq!(error, Error::TooLarge { length: 5 << 20, limit: 2 << 20 });
    assert!(error.to_string().contains("raise `Limits::bytes`"));
    let text = "x = 1\n".repeat(10_000);
    let error = parse(Language::Python, text.as_bytes(), Limits { steps: 100, ..Limits::default() }).unwrap_err();
    assert_eq!(error, Error::TooLong { limit: 100 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0..SAMPLES.len()) {
        let (path, text) = SAMPLES[at];
        ask(path, &bytes, text.as_bytes());
    }

    #[test]
    fn truncated_and_damaged_files_are_survived(
        at in 0..SAMPLES.len(),
        cut in 0.0..1.0_f64,
        hole in 0.0..1.0_f64,
        length in 0..40_usize,
    ) {
        let (path, text) = SAMPLES[at];
        let whole = text.as_bytes();
        let end = (whole.len() as f64 * cut) as usize;
        ask(path, whole, &whole[..end]);
        let start = (whole.len() as f64 * hole) as usize;
        let mut damaged = whole[..start].to_vec();
        damaged.extend(&whole[(start + length).min(whole.len())..]);
        ask(path, &damaged, whole);
    }
}
