//! Entities, signatures and changes, through the public interface.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_syntax::{ChangeKind, EntityKind, File, Index, Language, Limits, SignatureChange, changes, parse};

fn read(language: Language, text: &str) -> File {
    parse(language, text.as_bytes(), Limits::default()).unwrap()
}

const PYTHON: &str = "import os\n\n# Adds.\n@traced\ndef add(a, b=1):\n    return a + b\n\n\nclass Box:\n    def put(self, item):\n        self.item = item\n\n    def get(self):\n        return self.item\n";

#[test]
fn an_entity_has_a_path_and_what_belongs_to_it() {
    let file = read(Language::Python, PYTHON);
    let add = file.find("add").unwrap();
    assert_eq!((add.kind, add.lines.clone()), (EntityKind::Function, 2..6));
    assert!(PYTHON[add.range.clone()].starts_with("# Adds.\n@traced"));
    assert_eq!(add.signature.arity(), (1, Some(2)));
    assert_eq!(add.signature.text, "def add ( a , b = 1 ) :");
    assert_eq!(file.find("Box.put").unwrap().kind, EntityKind::Method);
    let names = |found: Vec<&orchestrator_syntax::Entity>| found.iter().map(|one| one.path.clone()).collect::<Vec<_>>();
    assert_eq!(names(file.entities_at_lines(&(10..11))), ["Box.put"]);
    assert_eq!(names(file.entities_at_lines(&(9..14))), ["Box.put", "Box.get"]);
    assert_eq!(names(file.entities_at_lines(&(8..9))), ["Box"]);
    assert!(file.entities_at_lines(&(0..1)).is_empty());
}

#[test]
fn methods_are_named_by_their_type_wherever_they_are_written() {
    for (language, text, path) in [
        (Language::Rust, "impl<T> Store<T> { fn get(&self) {} }", "Store.get"),
        (Language::Rust, "mod inner { fn run() {} }", "inner.run"),
        (Language::Go, "package a\nfunc (s *Store) Get() {}\n", "Store.Get"),
        (Language::Cpp, "int ns::Store::get() { return 1; }", "Store.get"),
        (Language::Java, "class A { class B { void c() {} } }", "A.B.c"),
        (Language::Ruby, "module A\n  class B\n    def c; end\n  end\nend\n", "A.B.c"),
        (Language::Php, "<?php namespace X; class A { function b() {} }", "A.b"),
        (Language::CSharp, "namespace X { class A { void B() {} } }", "A.B"),
        (Language::TypeScript, "export class A { b = () => 1; }", "A.b"),
    ] {
        assert!(read(language, text).find(path).is_some(), "{language}: {path}");
    }
}

/// The changes of one entity.
fn change(language: Language, before: &str, after: &str) -> Vec<(String, ChangeKind)> {
    let found = changes(&read(language, before), &read(language, after));
    found.into_iter().map(|one| (one.path, one.change)).collect()
}

#[test]
fn layout_and_comments_are_no_change_and_a_moved_block_is_one() {
    let text = "def f(a, b):\n    if a:\n        b()\n        b()\n";
    assert_eq!(
        change(
            Language::Python,
            text,
            "def f(\n    a,\n    b,\n):\n    # why\n    if a:\n        b()\n\n        b()\n"
        ),
        []
    );
    let outside = "def f(a, b):\n    if a:\n        b()\n    b()\n";
    assert_eq!(change(Language::Python, text, outside), [("f".to_owned(), ChangeKind::Body)]);
    let rust = "fn f(a: u8) -> u8 { g(a, 1) }";
    assert_eq!(
        change(
            Language::Rust,
            rust,
            "/// Doc.\nfn f(\n    a: u8,\n) -> u8 {\n    g(\n        a,\n        1,\n    )\n}"
        ),
        []
    );
}

#[test]
fn a_change_says_what_it_is() {
    use SignatureChange as Change;
    let name = |text: &str| text.to_owned();
    let base = "def f(a, b=1):\n    return [a, b, a, b, a]\n";
    for (after, expected) in [
        ("def f(a, c, b=1):\n    return [a, b, a, b, a]\n", vec![Change::RequiredAdded { name: name("c") }]),
        ("def f(a, b=1, c=2):\n    return [a, b, a, b, a]\n", vec![Change::OptionalAdded { name: name("c") }]),
        ("def f(a):\n    return [a, b, a, b, a]\n", vec![Change::ParameterRemoved { name: name("b") }]),
        (
            "def f(x, b=1):\n    return [x, b, x, b, x]\n",
            vec![Change::ParameterRenamed { from: name("a"), to: name("x") }],
        ),
        ("async def f(a, b=1):\n    return [a, b, a, b, a]\n", vec![Change::AsyncChanged]),
    ] {
        assert_eq!(change(Language::Python, base, after), [(name("f"), ChangeKind::Signature(expected))]);
    }
    let renamed = "def g(a, b=1):\n    return [a, b, a, b, a]\n";
    let expected = ChangeKind::Renamed { to: name("g"), signature: Vec::new() };
    assert_eq!(change(Language::Python, base, renamed), [(name("f"), expected)]);
    assert_eq!(change(Language::Python, base, ""), [(name("f"), ChangeKind::Removed)]);
    assert_eq!(change(Language::Python, "", base), [(name("f"), ChangeKind::Added)]);
}

#[test]
fn what_lies_in_an_error_is_left_out() {
    let file = read(Language::Rust, "fn good() -> u8 {\n    1\n}\n\nfn bad() {\n    let x = ;\n}\n");
    assert!(!file.is_sound());
    assert!(file.find("good").is_some_and(|entity| entity.is_sound));
}

#[test]
fn all_uses_of_a_definition_are_listed() {
    let mut index = Index::new();
    index.set("a.py", Some(read(Language::Python, "def f():\n    return 1\n\n\ndef g():\n    return f()\n")));
    index.set("b.py", Some(read(Language::Python, "import a\n\n\ndef h(f):\n    return f() + a.f()\n")));
    let id = orchestrator_syntax::DefinitionId { path: "a.py".into(), entity: 0 };
    let uses = index.view().uses_of(&id);
    let found: Vec<(&str, usize)> = uses.iter().map(|(path, one, _)| (&**path, one.line)).collect();
    assert_eq!(found, [("a.py", 5), ("b.py", 4)]);
}
