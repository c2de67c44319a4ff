//! Answers, what was committed, and their class.

use super::{Class, classify};

/// Each with the class it has in both directions.
#[track_caller]
fn check(path: &str, one: &str, two: &str, expected: Class) {
    // Both sides parse, so that an answer that does not is broken.
    for (answer, committed) in [(one, two), (two, one)] {
        let class = classify(path, (b"", b""), answer.as_bytes(), committed.as_bytes());
        assert_eq!(class, expected, "{path}: {answer:?} for {committed:?}");
    }
}

#[test]
fn white_space_means_what_the_language_says() {
    for (path, one, two, expected) in [
        ("a.py", "a = 1\n", "a = 1\n", Class::Exact),
        ("a.py", "a = 1\n", "a = 1", Class::White),
        ("a.py", "a = 1\n", "a = 1  \r\n\n", Class::White),
        ("a.py", "if a:\n    b\nc\n", "if a:\n    b\n    c\n", Class::Differs),
        ("a.py", "a = 1\n", "a  = 1\n", Class::Differs),
        ("a.py", "if a:\n    b\n", "if a:\n  b\n", Class::Differs),
        ("a.yaml", "a:\n  b: 1\n", "a:\nb: 1\n", Class::Differs),
        ("a.yaml", "a: 1\n\nb: 2\n", "a: 1\nb: 2\n", Class::White),
        ("Makefile", "a:\n\tb\n", "a:\n    b\n", Class::Differs),
        ("a.rs", "fn a() {\n  b();\n}\n", "fn a() {\n\tb();\n\n}\n", Class::White),
        ("a.rs", "fn a() { b() }\n", "fn a() {\n    b()\n}\n", Class::Differs),
        ("a.js", "let a = 1\n", "let a  =\t1\n", Class::White),
        ("a.js", "return a", "return\na", Class::Differs),
        ("a.md", "one\n\ntwo\n", "one\ntwo\n", Class::Differs),
        ("a.md", "one\n\n\ntwo\n", "one\n\ntwo \n\n", Class::White),
        ("a.md", "    one\n", "one\n", Class::Differs),
        ("LICENSE", "\u{feff}one\n", "one\r\n", Class::White),
    ] {
        check(path, one, two, expected);
    }
}

#[test]
fn data_is_its_value() {
    for (path, one, two, expected) in [
        ("a.json", r#"{"a": 1, "b": [1, 2]}"#, r#"{"b": [1, 2], "a": 1}"#, Class::Equivalent),
        ("a.json", r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#, Class::Differs),
        ("a.json", r#"{"a": 1}"#, r#"{"a": 1.5}"#, Class::Differs),
        ("a.toml", "a = 1\nb = 2\n", "b = 2\na = 1\n", Class::Equivalent),
        ("a.toml", "a = \"\"\"\n  b\n  c\"\"\"\n", "a = \"\"\"\nb\n    c\"\"\"\n", Class::Differs),
        ("a.toml", "[x]\na = 1\n", "x.a = 1\n", Class::Equivalent),
        ("a.toml", "[x]\na = 1\n", "[x]\na = '1'\n", Class::Differs),
        ("a.yaml", "a: 1\nb: 2\n", "b: 2\na: 1\n", Class::Equivalent),
        ("a.yaml", "a: [1, 2]\n", "a:\n- 1\n- 2 # two\n", Class::Equivalent),
        ("a.yaml", "a: [1, 2]\n", "a: [2, 1]\n", Class::Differs),
        ("a.yaml", "a: 1\n---\nb: 2\n", "a: 1\n", Class::Differs),
    ] {
        check(path, one, two, expected);
    }
}

#[test]
fn entries_of_a_list_have_no_order_and_keep_their_place() {
    for (one, two, expected) in [
        ("# 1\n\n- a\n- b\n  c\n\nend\n", "# 1\n\n- b\n  c\n- a\n\nend\n", Class::Equivalent),
        ("- a\n\n- b\n", "- b\n- a\n", Class::Equivalent),
        ("# 1\n\n- a\n\n# 2\n\n- b\n", "# 1\n\n- b\n\n# 2\n\n- a\n", Class::Differs),
        ("- a\n- a\n", "- a\n", Class::Differs),
        ("- a\n  - c\n- b\n", "- b\n  - c\n- a\n", Class::Differs),
        ("1. a\n2. b\n", "2. b\n1. a\n", Class::Differs),
        ("- a\n- b\n\nc\n", "- b\n- a\nc\n", Class::Differs),
    ] {
        check("CHANGES.md", one, two, expected);
    }
}

#[test]
fn a_key_that_stands_twice_is_no_value() {
    let class = classify("a.json", (b"{}", b"{}"), br#"{"a": 9, "a": 1}"#, br#"{"a": 1}"#);
    assert_eq!(class, Class::Broken);
}

#[test]
fn order_counts_where_it_means_something() {
    for (path, one, two, expected) in [
        ("a.py", "import a\nimport b\n", "import b\nimport a\n", Class::Equivalent),
        ("a.py", "from a import (\n    b,\n    c,\n)\n", "from a import c, b\n", Class::Equivalent),
        ("a.py", "from a import b\n", "from a import c\n", Class::Differs),
        ("a.py", "from a import b\nfrom c import d\n", "from a import d\nfrom c import b\n", Class::Differs),
        ("a.py", "import a\na()\nb()\n", "import a\nb()\na()\n", Class::Differs),
        ("a.py", "def a():\n    1\n\ndef b():\n    2\n", "def b():\n    2\n\ndef a():\n    1\n", Class::Equivalent),
        ("a.py", "class A:\n    1\n\nclass B(A):\n    2\n", "class B(A):\n    2\n\nclass A:\n    1\n", Class::Differs),
        ("a.py", "def a():\n    1\n\nx = a()\n", "x = a()\n\ndef a():\n    1\n", Class::Differs),
        (
            "a.py",
            "def a():\n    1\n\ndef b(n=a()):\n    2\n",
            "def b(n=a()):\n    2\n\ndef a():\n    1\n",
            Class::Differs,
        ),
        ("a.js", "import a from 'a'\n", "import a from 'a'\nimport a from 'a'\n", Class::Differs),
        ("a.rs", "use a::d;\n", "use a::d;\nuse a::d;\n", Class::Differs),
        ("a.py", "def a():\n    1\n\ndef a():\n    2\n", "def a():\n    2\n\ndef a():\n    1\n", Class::Differs),
        (
            "a.py",
            "@r('/<x>')\ndef a():\n    1\n\n@r('/y')\ndef b():\n    2\n",
            "@r('/y')\ndef b():\n    2\n\n@r('/<x>')\ndef a():\n    1\n",
            Class::Differs,
        ),
        (
            "a.py",
            "class A:\n    x = 1\n\n    def a(self):\n        1\n\n    def b(self):\n        2\n",
            "class A:\n    x = 1\n\n    def b(self):\n        2\n\n    def a(self):\n        1\n",
            Class::Equivalent,
        ),
        ("a.py", "class A:\n    x = 1\n    y = 2\n", "class A:\n    y = 2\n    x = 1\n", Class::Differs),
        (
            "a.py",
            "if a:\n    def f():\n        1\nelse:\n    def g():\n        2\n",
            "if a:\n    def g():\n        2\nelse:\n    def f():\n        1\n",
            Class::Differs,
        ),
        ("a.rs", "use a::b;\nuse c;\n", "use c;\nuse a::b;\n", Class::Equivalent),
        ("a.rs", "use a::{b, c};\n", "use a::{\n    c,\n    b,\n};\n", Class::Equivalent),
        ("a.rs", "enum A { B, C }\n", "enum A { C, B }\n", Class::Differs),
        ("a.rs", "struct A;\nfn b() {}\n", "fn b() {}\nstruct A;\n", Class::Equivalent),
        (
            "a.rs",
            "impl A {\n    fn a() { 1 }\n    fn b() { 2 }\n}\n",
            "impl A {\n    fn b() { 2 }\n    fn a() { 1 }\n}\n",
            Class::Equivalent,
        ),
        ("a.rs", "fn a() {\n    b();\n    c();\n}\n", "fn a() {\n    c();\n    b();\n}\n", Class::Differs),
        ("a.js", "import a from 'a'\nimport 'b'\n", "import 'b'\nimport a from 'a'\n", Class::Equivalent),
        ("a.js", "import a from 'a'\n", "import a from 'b'\n", Class::Differs),
        (
            "a.java",
            "import a.B;\nimport c.D;\nclass E {}\n",
            "import c.D;\nimport a.B;\nclass E {}\n",
            Class::Equivalent,
        ),
        (
            "a.java",
            "class A {\n    int x;\n    void a() {}\n    void b() {}\n}\n",
            "class A {\n    int x;\n    void b() {}\n    void a() {}\n}\n",
            Class::Equivalent,
        ),
        (
            "a.go",
            "package a\n\nfunc b() {}\n\nfunc c() {}\n",
            "package a\n\nfunc c() {}\n\nfunc b() {}\n",
            Class::Equivalent,
        ),
        ("a.c", "#include <a.h>\n#include <b.h>\n", "#include <b.h>\n#include <a.h>\n", Class::Equivalent),
        (
            "a.c",
            "#ifdef A\nvoid a() {}\n#endif\nvoid b() {}\n",
            "#ifdef A\nvoid b() {}\n#endif\nvoid a() {}\n",
            Class::Differs,
        ),
    ] {
        check(path, one, two, expected);
    }
}

#[test]
fn an_answer_that_does_not_parse_is_broken_where_both_sides_do() {
    let broken = |path, sides: (&str, &str), answer: &str, committed: &str| {
        classify(path, (sides.0.as_bytes(), sides.1.as_bytes()), answer.as_bytes(), committed.as_bytes())
    };
    let sound = ("fn a() {}\n", "fn b() {}\n");
    assert_eq!(broken("a.rs", sound, "fn a() {\n", "fn c() {}\n"), Class::Broken);
    assert_eq!(broken("a.rs", ("fn a() {\n", "fn b() {}\n"), "fn a() {\n", "fn c() {}\n"), Class::Differs);
    assert_eq!(broken("a.rs", sound, "fn a() {\n", "fn a() {\n"), Class::Exact);
    assert_eq!(broken("a.json", ("1", "2"), "{", "3"), Class::Broken);
    assert_eq!(broken("a.txt", ("1", "2"), "{", "3"), Class::Differs);
    // White space and order are looked at in what parses only, so neither hides it.
    assert_eq!(broken("a.py", ("a", "b"), "import a\ndef (:\nimport b\n", "import b\nimport a\n"), Class::Broken);
}
