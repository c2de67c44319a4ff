//! Rust.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "Rust", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    ("crates/store/src/lib.rs", "pub mod db;\npub mod text;\n\npub use db::{Db, open};\n"),
    (
        "crates/store/src/db.rs",
        r#"use crate::text::clean;

/// Most rows.
pub const LIMIT: usize = 10;

pub struct Db {
    pub path: String,
    pub rows: Vec<Row>,
    cache: Cache,
}

pub struct Row {
    pub key: String,
    pub value: u64,
}

#[derive(Debug)]
pub enum Mode {
    Read,
    Write,
}

pub trait Source {
    fn fetch(&self, key: &str) -> Option<u64>;

    fn has(&self, key: &str) -> bool {
        self.fetch(key).is_some()
    }
}

impl Db {
    pub fn new(path: &str) -> Self {
        Self { path: clean(path), rows: Vec::new(), cache: Cache { size: 1 } }
    }

    pub fn insert(&mut self, key: &str, value: u64) -> bool {
        self.cache.put(key);
        self.rows.push(Row { key: key.to_owned(), value });
        true
    }

    pub fn close(self) {
        drop(self.rows);
    }
}

impl Source for Db {
    fn fetch(&self, key: &str) -> Option<u64> {
        self.rows.iter().find(|row| row.key == key).map(|row| row.value)
    }
}

pub(crate) struct Cache {
    size: usize,
}

impl Cache {
    pub(crate) fn put(&mut self, key: &str) {
        self.size += key.len();
    }
}

pub fn open(path: &str) -> Db {
    Db::new(path)
}
"#,
    ),
    (
        "crates/store/src/text.rs",
        "pub fn clean(text: &str) -> String {\n    let trimmed = text.trim();\n    trimmed.to_lowercase()\n}\n\npub fn split(text: &str, by: char) -> Vec<&str> {\n    text.split(by).collect()\n}\n",
    ),
    (
        "crates/app/src/main.rs",
        "use store::Db;\n\nfn main() {\n    let db = Db::new(\"x\");\n    show(&db);\n}\n\nfn show(db: &Db) {\n    let _ = db;\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a path from the crate leads there",
        "split",
        &[(
            "crates/store/src/text.rs",
            "pub fn split(text: &str, by: char)",
            "pub fn split(text: &str, by: char, limit: usize)",
        )],
        &[(
            "crates/store/src/db.rs",
            "pub fn open(path: &str)",
            "fn parts(text: &str) -> usize {\n    crate::text::split(text, ',').len()\n}\n\npub fn open(path: &str)",
        )],
    ),
    hit(
        "a function is renamed; a use names it",
        "clean",
        &[
            ("crates/store/src/text.rs", "pub fn clean(", "pub fn tidy("),
            ("crates/store/src/db.rs", "use crate::text::clean;", "use crate::text::tidy;"),
            ("crates/store/src/db.rs", "path: clean(path)", "path: tidy(path)"),
        ],
        &[
            ("crates/store/src/lib.rs", "pub mod text;", "pub mod text;\npub mod keys;"),
            (
                "crates/store/src/keys.rs",
                "",
                "use super::text::clean as wash;\n\npub fn key(text: &str) -> String {\n    wash(text)\n}",
            ),
        ],
    ),
    hit(
        "a method goes; self calls it",
        "Cache.put",
        &[
            (
                "crates/store/src/db.rs",
                "    pub(crate) fn put(&mut self, key: &str) {\n        self.size += key.len();\n    }\n",
                "",
            ),
            ("crates/store/src/db.rs", "        self.cache.put(key);\n", ""),
        ],
        &[(
            "crates/store/src/db.rs",
            "    pub fn close(self) {",
            "    pub fn warm(&mut self) {\n        self.cache.put(\"x\");\n    }\n\n    pub fn close(self) {",
        )],
    ),
    hit(
        "a method changes; a reference parameter has it; another crate",
        "Db.insert",
        &[(
            "crates/store/src/db.rs",
            "pub fn insert(&mut self, key: &str, value: u64)",
            "pub fn insert(&mut self, key: &str, value: u64, ttl: u32)",
        )],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn fill(db: &mut Db) {\n    db.insert(\"a\", 1);\n}\n\nfn show(db: &Db) {",
        )],
    ),
    hit(
        "an associated function changes",
        "Db.new",
        &[(
            "crates/store/src/db.rs",
            "pub fn new(path: &str) -> Self {",
            "pub fn new(path: &str, rows: usize) -> Self {",
        )],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn second() -> store::Db {\n    store::db::Db::new(\"y\")\n}\n\nfn show(db: &Db) {",
        )],
    ),
    hit(
        "a field is added; a literal lacks it",
        "Row",
        &[("crates/store/src/db.rs", "    pub value: u64,\n}", "    pub value: u64,\n    pub at: u64,\n}")],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn row() -> store::db::Row {\n    store::db::Row { key: String::new(), value: 1 }\n}\n\nfn show(db: &Db) {",
        )],
    ),
    hit(
        "an enum's case is renamed; a match names it",
        "Mode.Write",
        &[("crates/store/src/db.rs", "    Write,\n", "    Append(u8),\n")],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn word(mode: store::db::Mode) -> bool {\n    match mode {\n        store::db::Mode::Write => true,\n        _ => false,\n    }\n}\n\nfn show(db: &Db) {",
        )],
    ),
    hit(
        "a re-exported function changes; a macro's tokens call it",
        "open",
        &[("crates/store/src/db.rs", "pub fn open(path: &str) -> Db {", "pub fn open(path: &str, mode: Mode) -> Db {")],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "#[test]\nfn opens() {\n    assert_eq!(store::open(\"a\").path, \"a\");\n}\n\nfn show(db: &Db) {",
        )],
    ),
    hit(
        "a result's type changes",
        "Db.insert",
        &[("crates/store/src/db.rs", "value: u64) -> bool {", "value: u64) -> Result<bool, String> {")],
        &[(
            "crates/app/src/main.rs",
            "show(&db);",
            "let mut other = store::open(\"z\");\n    if other.insert(\"a\", 1) {\n        show(&other);\n    }\n    show(&db);",
        )],
    ),
    hit(
        "a trait's method changes",
        "Source.has",
        &[(
            "crates/store/src/db.rs",
            "fn has(&self, key: &str) -> bool {",
            "fn has(&self, key: &str, deep: bool) -> bool {",
        )],
        &[(
            "crates/store/src/db.rs",
            "pub fn open(path: &str)",
            "fn check(db: &Db) -> bool {\n    db.has(\"k\")\n}\n\npub fn open(path: &str)",
        )],
    ),
    decoy(
        "another type has a method of that name",
        &[(
            "crates/store/src/db.rs",
            "pub fn insert(&mut self, key: &str, value: u64)",
            "pub fn insert(&mut self, key: &str, value: u64, ttl: u32)",
        )],
        &[(
            "crates/app/src/main.rs",
            "show(&db);",
            "let mut map = std::collections::HashMap::new();\n    map.insert(\"a\", 1);\n    show(&db);",
        )],
    ),
    decoy(
        "another module has a function of that name",
        &[(
            "crates/store/src/text.rs",
            "pub fn split(text: &str, by: char)",
            "pub fn split(text: &str, by: char, limit: usize)",
        )],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn split(text: &str, by: char) -> usize {\n    text.len() + by as usize\n}\n\nfn parts() -> usize {\n    split(\"a\", 'b')\n}\n\nfn show(db: &Db) {",
        )],
    ),
    decoy(
        "the standard library has the name",
        &[(
            "crates/store/src/text.rs",
            "pub fn split(text: &str, by: char)",
            "pub fn split(text: &str, by: char, limit: usize)",
        )],
        &[("crates/app/src/main.rs", "show(&db);", "let _: Vec<&str> = \"a,b\".split(',').collect();\n    show(&db);")],
    ),
    decoy(
        "a local variable shadows it",
        &[("crates/store/src/db.rs", "pub fn open(path: &str) -> Db {", "pub fn open(path: &str, mode: Mode) -> Db {")],
        &[(
            "crates/store/src/db.rs",
            "pub(crate) struct Cache {",
            "fn tries() -> u8 {\n    let open = |n: u8| n + 1;\n    open(1)\n}\n\npub(crate) struct Cache {",
        )],
    ),
    decoy(
        "text and comments",
        &[("crates/store/src/db.rs", "    pub fn close(self) {", "    pub fn finish(self) {")],
        &[(
            "crates/app/src/main.rs",
            "show(&db);",
            "// db.close() ends it\n    println!(\"call db.close()\");\n    show(&db);",
        )],
    ),
    decoy(
        "already adapted",
        &[(
            "crates/store/src/db.rs",
            "pub fn insert(&mut self, key: &str, value: u64)",
            "pub fn insert(&mut self, key: &str, value: u64, ttl: u32)",
        )],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn fill(db: &mut Db) {\n    db.insert(\"a\", 1, 60);\n}\n\nfn show(db: &Db) {",
        )],
    ),
    decoy(
        "a method of the same name on an unknown value",
        &[("crates/store/src/db.rs", "    pub fn close(self) {", "    pub fn close(self, force: bool) {")],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn end<T: Closer>(door: T) {\n    door.close();\n}\n\ntrait Closer {\n    fn close(self);\n}\n\nfn show(db: &Db) {",
        )],
    ),
    decoy(
        "a field is added; the literal takes the rest",
        &[("crates/store/src/db.rs", "    pub value: u64,\n}", "    pub value: u64,\n    pub at: u64,\n}")],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn row(old: store::db::Row) -> store::db::Row {\n    store::db::Row { value: 1, ..old }\n}\n\nfn show(db: &Db) {",
        )],
    ),
    decoy(
        "it moved and is exported again",
        &[
            (
                "crates/store/src/text.rs",
                "pub fn split(text: &str, by: char) -> Vec<&str> {\n    text.split(by).collect()\n}",
                "pub use crate::cut::split;",
            ),
            ("crates/store/src/lib.rs", "pub mod text;", "pub mod text;\npub mod cut;"),
            (
                "crates/store/src/cut.rs",
                "",
                "pub fn split(text: &str, by: char) -> Vec<&str> {\n    text.split(by).collect()\n}",
            ),
        ],
        &[("crates/app/src/main.rs", "show(&db);", "let _ = store::text::split(\"a\", 'b');\n    show(&db);")],
    ),
    decoy(
        "only the body changes",
        &[("crates/store/src/text.rs", "trimmed.to_lowercase()", "trimmed.to_uppercase()")],
        &[("crates/app/src/main.rs", "show(&db);", "let _ = store::text::clean(\"a\");\n    show(&db);")],
    ),
];
