//! Pairs written after the rules, to see how they fare with what they were not made for. On the same projects.

use super::{Case, Suite, decoy, hit};

pub(super) static CASES: &[(&Suite, &[Case])] = &[
    (&super::python::SUITE, PYTHON),
    (&super::typescript::SUITE, TYPESCRIPT),
    (&super::javascript::SUITE, JAVASCRIPT),
    (&super::rust::SUITE, RUST),
    (&super::go::SUITE, GO),
    (&super::java::SUITE, JAVA),
    (&super::csharp::SUITE, CSHARP),
    (&super::cpp::SUITE, CPP),
    (&super::c::SUITE, C),
    (&super::ruby::SUITE, RUBY),
    (&super::php::SUITE, PHP),
];

const PYTHON: &[Case] = &[
    hit(
        "a context manager's value",
        "Store.load",
        &[("shop/store.py", "def load(self, number):", "def load(self, number, fresh):")],
        &[(
            "x.py",
            "",
            "from contextlib import closing\nimport shop.store\n\n\ndef go():\n    with shop.store.Store('a') as s:\n        return s.load(1)\n",
        )],
    ),
    hit(
        "a subclass calls its base through super",
        "Order.add_line",
        &[("shop/orders.py", "def add_line(self, item, count=1):", "def add_line(self, item, count, price):")],
        &[(
            "x.py",
            "",
            "from shop.orders import Order\n\n\nclass Big(Order):\n    def add_line(self, item, count=1):\n        super().add_line(item, count)\n",
        )],
    ),
    decoy(
        "a loop's variable",
        &[("shop/orders.py", "def cancel(order, reason=\"none\"):", "def cancel(order, who):")],
        &[(
            "shop/orders.py",
            "def parse_number(",
            "def each(jobs):\n    for cancel in jobs:\n        cancel()\n\n\ndef parse_number(",
        )],
    ),
];

const TYPESCRIPT: &[Case] = &[
    hit(
        "the result of an awaited function",
        "Cache.clear",
        &[
            ("src/api/client.ts", "  clear(): void {", "  clear(all: boolean): void {"),
            ("src/api/client.ts", "this.cache.clear();", "this.cache.clear(true);"),
        ],
        &[(
            "src/a.ts",
            "",
            "import { Cache } from './api/client';\n\nasync function make(): Promise<Cache> {\n  return new Cache(1);\n}\n\nexport async function go() {\n  const cache = await make();\n  cache.clear();\n}",
        )],
    ),
    hit(
        "a class is extended from a namespace",
        "Client",
        &[("src/api/client.ts", "export class Client {", "export class HttpClient {")],
        &[("src/a.ts", "", "import * as api from './api/client';\n\nexport class Mock extends api.Client {}")],
    ),
    decoy(
        "a destructured parameter",
        &[(
            "src/api/client.ts",
            "buildUrl(host: string, path: string)",
            "buildUrl(host: string, path: string, query: string)",
        )],
        &[(
            "src/api/client.ts",
            "export default function",
            "export const run = ({ buildUrl }: { buildUrl: () => string }) => buildUrl();\n\nexport default function",
        )],
    ),
];

const JAVASCRIPT: &[Case] = &[
    hit(
        "a subclass calls an inherited method",
        "Users.find",
        &[("lib/users.js", "  find(id) {", "  find(id, options) {")],
        &[(
            "lib/x.js",
            "",
            "const { Users } = require('./users');\n\nclass Admins extends Users {\n  first() {\n    return this.find(1);\n  }\n}\nmodule.exports = { Admins };",
        )],
    ),
    hit(
        "a callback inside a call",
        "money",
        &[(
            "web/format.mjs",
            "export function money(amount, currency) {",
            "export function money(amount, currency, digits) {",
        )],
        &[(
            "web/x.mjs",
            "",
            "import { money as cash } from './format.mjs';\n\nexport const all = (list) => list.map((one) => cash(one, 'EUR'));",
        )],
    ),
    decoy(
        "a method of an object literal",
        &[("lib/users.js", "function hash(text, salt) {", "function hash(text, salt, rounds) {")],
        &[("lib/x.js", "", "const tools = { hash(text) { return text; } };\n\nmodule.exports = tools.hash('a');")],
    ),
];

const RUST: &[Case] = &[
    hit(
        "a value out of an option",
        "Db.close",
        &[("crates/store/src/db.rs", "pub fn close(self) {", "pub fn close(self, force: bool) {")],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "fn end(db: Option<Db>) {\n    if let Some(db) = db {\n        db.close();\n    }\n}\n\nfn show(db: &Db) {",
        )],
    ),
    hit(
        "an imported struct's field behind a self field",
        "Db.path",
        &[
            ("crates/store/src/db.rs", "    pub path: String,", "    pub file: String,"),
            ("crates/store/src/db.rs", "Self { path: clean(path)", "Self { file: clean(path)"),
        ],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "struct App {\n    db: Db,\n}\n\nimpl App {\n    fn name(&self) -> &str {\n        &self.db.path\n    }\n}\n\nfn show(db: &Db) {",
        )],
    ),
    decoy(
        "a field of that name in another struct",
        &[
            ("crates/store/src/db.rs", "    pub path: String,", "    pub file: String,"),
            ("crates/store/src/db.rs", "Self { path: clean(path)", "Self { file: clean(path)"),
        ],
        &[(
            "crates/app/src/main.rs",
            "fn show(db: &Db) {",
            "struct Place {\n    path: String,\n}\n\nfn name(place: &Place) -> &str {\n    &place.path\n}\n\nfn show(db: &Db) {",
        )],
    ),
];

const GO: &[Case] = &[
    hit(
        "an embedded struct's method",
        "Store.Close",
        &[("internal/store/store.go", "func (s *Store) Close() error {", "func (s *Store) Close(force bool) error {")],
        &[(
            "cmd/app/x.go",
            "",
            "package main\n\nimport \"example.com/shop/internal/store\"\n\ntype box struct {\n\t*store.Store\n}\n\nfunc (b box) end() {\n\t_ = b.Close()\n}",
        )],
    ),
    hit(
        "an interface's method",
        "Reader.Get",
        &[(
            "internal/store/store.go",
            "\tGet(ctx context.Context, id int) (string, error)\n}",
            "\tGet(ctx context.Context, id int, fresh bool) (string, error)\n}",
        )],
        &[(
            "cmd/app/x.go",
            "",
            "package main\n\nimport (\n\t\"context\"\n\t\"example.com/shop/internal/store\"\n)\n\nfunc read(r store.Reader) {\n\tr.Get(context.Background(), 1)\n}",
        )],
    ),
    decoy(
        "an elsewhere package with the same last name",
        &[(
            "internal/mail/mail.go",
            "func Send(to string, body string) error {",
            "func Send(to string, subject string, body string) error {",
        )],
        &[("cmd/app/x.go", "", "package main\n\nimport \"net/mail\"\n\nfunc x() {\n\tmail.Send(\"a\", \"b\")\n}")],
    ),
];

const JAVA: &[Case] = &[
    hit(
        "a call on a call's result",
        "Store.get",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "public String get(int id)",
            "public String get(int id, boolean fresh)",
        )],
        &[(
            "src/main/java/com/shop/X.java",
            "",
            "package com.shop;\n\nimport com.shop.store.Store;\n\nclass X {\n    String go() {\n        return Store.open(\"a\").get(1);\n    }\n}",
        )],
    ),
    hit(
        "this in an inner lambda",
        "Base.log",
        &[("src/main/java/com/shop/store/Base.java", "log(String text)", "log(String text, int level)")],
        &[(
            "src/main/java/com/shop/store/Store.java",
            "return cache.find(id);",
            "Runnable r = () -> this.log(\"x\");\n        return cache.find(id);",
        )],
    ),
    decoy(
        "an anonymous class's parameter",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "public String get(int id)",
            "public String get(int id, boolean fresh)",
        )],
        &[(
            "src/main/java/com/shop/X.java",
            "",
            "package com.shop;\n\nclass X {\n    Object go(java.util.List<String> store) {\n        return store.get(0);\n    }\n}",
        )],
    ),
];

const CSHARP: &[Case] = &[
    hit(
        "a null-conditional call",
        "Store.Get",
        &[("Shop/Store.cs", "public string Get(int id)", "public string Get(int id, string region)")],
        &[("Shop/App.cs", "store = Store.Open(\"x\");", "store = Store.Open(\"x\");\n        store?.Get(1);")],
    ),
    hit(
        "a foreach variable's written type",
        "Mailer.Send",
        &[("Shop/Mailer.cs", "Send(string to, string body)", "Send(string to)")],
        &[(
            "Shop/X.cs",
            "",
            "using Shop.Mail;\n\nclass X\n{\n    void Go(Mailer[] all)\n    {\n        foreach (Mailer one in all) one.Send(\"a\", \"b\");\n    }\n}",
        )],
    ),
    decoy(
        "a lambda's parameter",
        &[("Shop/Mailer.cs", "Send(string to, string body)", "Send(string to)")],
        &[(
            "Shop/X.cs",
            "",
            "class X\n{\n    void Go()\n    {\n        Run(post => post.Send(\"a\", \"b\"));\n    }\n}",
        )],
    ),
];

const CPP: &[Case] = &[
    hit(
        "a smart pointer's method",
        "Store.put",
        &[
            ("include/shop/store.hpp", "void put(int id, const std::string& value);", "void put(int id);"),
            ("src/store.cpp", "void Store::put(int id, const std::string& value) {", "void Store::put(int id) {"),
        ],
        &[(
            "src/x.cpp",
            "",
            "#include <memory>\n#include \"shop/store.hpp\"\n\nvoid go() {\n    auto store = std::make_unique<shop::Store>(\"a\");\n    store->put(1, \"b\");\n}",
        )],
    ),
    hit(
        "a derived class calls its base",
        "Base.close",
        &[
            ("include/shop/store.hpp", "    void close();", "    void close(bool force);"),
            ("src/store.cpp", "void Base::close()", "void Base::close(bool force)"),
        ],
        &[(
            "src/x.cpp",
            "",
            "#include \"shop/store.hpp\"\n\nclass Mine : public shop::Store {\n    void end() { this->close(); }\n};",
        )],
    ),
    decoy(
        "a lambda's parameter",
        &[("include/shop/cache.hpp", "int find(int id)", "int find(int id, int depth)")],
        &[("src/x.cpp", "", "#include \"shop/cache.hpp\"\n\nauto look = [](auto& cache) { return cache.find(1); };")],
    ),
];

const C: &[Case] = &[
    hit(
        "a call inside a macro's argument",
        "store_count",
        &[
            (
                "include/store.h",
                "int store_count(const struct store *s);",
                "int store_count(const struct store *s, int deep);",
            ),
            (
                "src/store.c",
                "int store_count(const struct store *s) {",
                "int store_count(const struct store *s, int deep) {",
            ),
        ],
        &[("src/main.c", "    return 0;", "    return MAX_OF(store_count(s), 2);")],
    ),
    hit(
        "a field through a typedef of a struct",
        "store.path",
        &[("include/store.h", "    const char *path;", "    const char *file;")],
        &[("src/x.c", "", "#include \"store.h\"\n\nconst char *name(store_t *s) {\n    return s->path;\n}")],
    ),
    decoy(
        "a function pointer's field",
        &[
            ("include/store.h", "void store_close(struct store *s);", "void store_close(struct store *s, int force);"),
            ("src/store.c", "void store_close(struct store *s) {", "void store_close(struct store *s, int force) {"),
            ("src/main.c", "store_close(s);", "store_close(s, 1);"),
        ],
        &[(
            "src/x.c",
            "",
            "struct ops {\n    void (*store_close)(int x);\n};\n\nvoid go(struct ops *ops) {\n    ops->store_close(1);\n}",
        )],
    ),
];

const RUBY: &[Case] = &[
    hit(
        "super in a subclass",
        "Shop.Store.open",
        &[("lib/shop/store.rb", "def self.open(path)", "def self.open(path, mode)")],
        &[("x.rb", "", "class Mine\n  def go\n    Shop::Store.open(\"a\").get(1)\n  end\nend")],
    ),
    hit(
        "a reader leads on",
        "Shop.Store.get",
        &[("lib/shop/store.rb", "def get(id)", "def get(id, region)")],
        &[(
            "x.rb",
            "",
            "class Mine\n  attr_reader :store\n\n  def initialize\n    @store = Shop::Store.new(\"a\")\n  end\n\n  def go\n    store.get(1)\n  end\nend",
        )],
    ),
    decoy(
        "a block's parameter",
        &[("lib/shop/store.rb", "def get(id)", "def get(id, region)")],
        &[("x.rb", "", "def go(all)\n  all.each { |store| store.get(1) }\nend")],
    ),
];

const PHP: &[Case] = &[
    hit(
        "a call on a call's result",
        "Store.get",
        &[("src/Data/Store.php", "public function get(int $id)", "public function get(int $id, string $region)")],
        &[("x.php", "", "<?php\nuse Shop\\Data\\Store as S;\n\nfunction go() {\n    return S::open('a')->get(1);\n}")],
    ),
    hit(
        "a closure uses a variable from around",
        "Mailer.send",
        &[(
            "src/Mail/Mailer.php",
            "public function send(string $to, string $body)",
            "public function send(string $to)",
        )],
        &[(
            "x.php",
            "",
            "<?php\nuse Shop\\Mail\\Mailer;\n\nfunction go() {\n    $mailer = new Mailer();\n    return function ($x) use ($mailer) { $mailer->send($x, 'b'); };\n}",
        )],
    ),
    decoy(
        "a foreach variable",
        &[("src/Data/Store.php", "public function get(", "public function load(")],
        &[(
            "x.php",
            "",
            "<?php\nfunction go($all) {\n    foreach ($all as $store) {\n        $store->get(1);\n    }\n}",
        )],
    ),
];
