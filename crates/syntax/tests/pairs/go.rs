//! Go.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "Go", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "internal/store/store.go",
        r#"package store

import "context"

// Limit is the most rows.
const Limit = 10

type Store struct {
	Path  string
	cache *Cache
}

type Reader interface {
	Get(ctx context.Context, id int) (string, error)
}

func New(path string) (*Store, error) {
	return &Store{Path: path, cache: &Cache{}}, nil
}

func (s *Store) Get(ctx context.Context, id int) (string, error) {
	return s.cache.Find(id), nil
}

func (s *Store) Close() error {
	return nil
}
"#,
    ),
    (
        "internal/store/cache.go",
        "package store\n\ntype Cache struct {\n\tsize int\n}\n\nfunc (c *Cache) Find(id int) string {\n\treturn \"\"\n}\n\nfunc normalise(key string) string {\n\ttrimmed := key + \"x\"\n\treturn trimmed\n}\n",
    ),
    (
        "internal/mail/mail.go",
        "package mail\n\ntype Mailer struct{ Host string }\n\nfunc Send(to string, body string) error {\n\treturn nil\n}\n\nfunc (m Mailer) Close() error {\n\treturn nil\n}\n\nfunc Join(parts ...string) string {\n\treturn parts[0]\n}\n",
    ),
    (
        "cmd/app/main.go",
        "package main\n\nimport (\n\t\"example.com/shop/internal/mail\"\n\t\"example.com/shop/internal/store\"\n)\n\nfunc main() {\n\ts, _ := store.New(\"x\")\n\t_ = s\n\t_ = mail.Send(\"a\", \"b\")\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a package's function is called",
        "Send",
        &[(
            "internal/mail/mail.go",
            "func Send(to string, body string) error {",
            "func Send(to string, subject string, body string) error {",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/mail\"\n\nfunc notify() error {\n\treturn mail.Send(\"a\", \"b\")\n}",
        )],
    ),
    hit(
        "a function is renamed; the same package calls it",
        "normalise",
        &[("internal/store/cache.go", "func normalise(", "func tidy(")],
        &[(
            "internal/store/keys.go",
            "",
            "package store\n\nfunc Key(text string) string {\n\treturn normalise(text)\n}",
        )],
    ),
    hit(
        "a method changes; a value from a constructor has it",
        "Store.Get",
        &[(
            "internal/store/store.go",
            "func (s *Store) Get(ctx context.Context, id int)",
            "func (s *Store) Get(ctx context.Context, id int, fresh bool)",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport (\n\t\"context\"\n\t\"example.com/shop/internal/store\"\n)\n\nfunc read() string {\n\ts, err := store.New(\"x\")\n\tif err != nil {\n\t\treturn \"\"\n\t}\n\tv, _ := s.Get(context.Background(), 1)\n\treturn v\n}",
        )],
    ),
    hit(
        "a method goes; a parameter has it",
        "Store.Close",
        &[("internal/store/store.go", "func (s *Store) Close() error {\n\treturn nil\n}\n", "")],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport st \"example.com/shop/internal/store\"\n\nfunc end(s *st.Store) {\n\t_ = s.Close()\n}",
        )],
    ),
    hit(
        "a field is renamed; a literal names it",
        "Store",
        &[
            ("internal/store/store.go", "\tPath  string", "\tFile  string"),
            ("internal/store/store.go", "&Store{Path: path", "&Store{File: path"),
        ],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/store\"\n\nvar spare = store.Store{Path: \"y\"}",
        )],
    ),
    hit(
        "a field is renamed; a selector names it",
        "Mailer.Host",
        &[("internal/mail/mail.go", "type Mailer struct{ Host string }", "type Mailer struct{ Server string }")],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/mail\"\n\nfunc where(m mail.Mailer) string {\n\treturn m.Host\n}",
        )],
    ),
    hit(
        "a type is renamed",
        "Cache",
        &[
            ("internal/store/cache.go", "type Cache struct {", "type Memory struct {"),
            ("internal/store/cache.go", "(c *Cache)", "(c *Memory)"),
        ],
        &[("internal/store/keys.go", "", "package store\n\nfunc fresh() *Cache {\n\treturn nil\n}")],
    ),
    hit(
        "a receiver's field leads to a changed method",
        "Cache.Find",
        &[("internal/store/cache.go", "Find(id int) string", "Find(id int, depth int) string")],
        &[(
            "internal/store/store.go",
            "func (s *Store) Close() error {",
            "func (s *Store) Peek() string {\n\treturn s.cache.Find(3)\n}\n\nfunc (s *Store) Close() error {",
        )],
    ),
    hit(
        "a constant goes",
        "Limit",
        &[("internal/store/store.go", "// Limit is the most rows.\nconst Limit = 10\n", "")],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/store\"\n\nfunc full(n int) bool {\n\treturn n > store.Limit\n}",
        )],
    ),
    hit(
        "a result is added",
        "Send",
        &[(
            "internal/mail/mail.go",
            "func Send(to string, body string) error {\n\treturn nil",
            "func Send(to string, body string) (int, error) {\n\treturn 0, nil",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/mail\"\n\nfunc notify() {\n\tif err := mail.Send(\"a\", \"b\"); err != nil {\n\t\tpanic(err)\n\t}\n}",
        )],
    ),
    decoy(
        "another type has a method of that name",
        &[("internal/store/store.go", "func (s *Store) Close() error {", "func (s *Store) Close(force bool) error {")],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/mail\"\n\nfunc end(m mail.Mailer) {\n\t_ = m.Close()\n}",
        )],
    ),
    decoy(
        "another package has a function of that name",
        &[(
            "internal/mail/mail.go",
            "func Join(parts ...string) string {",
            "func Join(by string, parts []string) string {",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"strings\"\n\nfunc text() string {\n\treturn strings.Join([]string{\"a\"}, \",\")\n}",
        )],
    ),
    decoy(
        "the own package has a function of that name",
        &[(
            "internal/mail/mail.go",
            "func Send(to string, body string) error {",
            "func Send(to string, subject string, body string) error {",
        )],
        &[("cmd/app/other.go", "", "package main\n\nfunc Send(to string) {}\n\nfunc notify() {\n\tSend(\"a\")\n}")],
    ),
    decoy(
        "a local variable shadows it",
        &[(
            "internal/store/cache.go",
            "func normalise(key string) string {",
            "func normalise(key string, deep bool) string {",
        )],
        &[(
            "internal/store/keys.go",
            "",
            "package store\n\nfunc Key(text string) string {\n\tnormalise := func(s string) string { return s }\n\treturn normalise(text)\n}",
        )],
    ),
    decoy(
        "a parameter shadows the package",
        &[(
            "internal/mail/mail.go",
            "func Send(to string, body string) error {",
            "func Send(to string, subject string, body string) error {",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\ntype post struct{}\n\nfunc (p post) Send(to string) {}\n\nfunc notify(mail post) {\n\tmail.Send(\"a\")\n}",
        )],
    ),
    decoy(
        "text and comments",
        &[("internal/mail/mail.go", "func Send(", "func Post(")],
        &[("cmd/app/other.go", "", "package main\n\n// mail.Send(\"a\", \"b\")\nvar help = \"mail.Send(to, body)\"")],
    ),
    decoy(
        "already adapted",
        &[(
            "internal/mail/mail.go",
            "func Send(to string, body string) error {",
            "func Send(to string, subject string, body string) error {",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/mail\"\n\nfunc notify() error {\n\treturn mail.Send(\"a\", \"b\", \"c\")\n}",
        )],
    ),
    decoy(
        "options are added",
        &[(
            "internal/store/store.go",
            "func New(path string) (*Store, error) {",
            "func New(path string, options ...int) (*Store, error) {",
        )],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/store\"\n\nfunc again() {\n\t_, _ = store.New(\"y\")\n}",
        )],
    ),
    decoy(
        "an unknown receiver",
        &[("internal/store/cache.go", "Find(id int) string", "Find(id int, depth int) string")],
        &[(
            "cmd/app/other.go",
            "",
            "package main\n\nimport \"example.com/elsewhere\"\n\nfunc look() {\n\tthing := elsewhere.Make()\n\tthing.Find(1)\n}",
        )],
    ),
    decoy(
        "only the body changes",
        &[("internal/store/cache.go", "trimmed := key + \"x\"", "trimmed := key + \"y\"")],
        &[(
            "internal/store/keys.go",
            "",
            "package store\n\nfunc Key(text string) string {\n\treturn normalise(text)\n}",
        )],
    ),
];
