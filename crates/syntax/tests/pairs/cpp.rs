//! C++.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "C++", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "include/shop/store.hpp",
        r#"#pragma once
#include "shop/cache.hpp"
#include <string>

namespace shop {

enum class Mode { Read, Write };

class Base {
public:
    void close();

protected:
    void log(const std::string& text);
};

class Store : public Base {
public:
    explicit Store(const std::string& path);
    std::string get(int id) const;
    void put(int id, const std::string& value);
    static Store open(const std::string& path);
    int limit = 10;

private:
    Cache cache_;
};

std::string clean(const std::string& text);

}
"#,
    ),
    (
        "include/shop/cache.hpp",
        "#pragma once\n\nnamespace shop {\n\nclass Cache {\npublic:\n    int find(int id) { return id; }\n    void close() { size_ = 0; }\n\nprivate:\n    int size_ = 0;\n};\n\n}\n",
    ),
    (
        "src/store.cpp",
        r#"#include "shop/store.hpp"

namespace shop {

void Base::close() { log("closed"); }

void Base::log(const std::string& text) { (void)text; }

Store::Store(const std::string& path) { (void)path; }

std::string Store::get(int id) const { return std::to_string(id); }

void Store::put(int id, const std::string& value) {
    cache_.find(id);
    (void)value;
}

Store Store::open(const std::string& path) { return Store(path); }

std::string clean(const std::string& text) {
    auto trimmed = text;
    return trimmed + "x";
}

}
"#,
    ),
    ("src/main.cpp", "#include \"shop/store.hpp\"\n\nint main() {\n    shop::Store store(\"x\");\n    return 0;\n}\n"),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a qualified function is called",
        "clean",
        &[
            (
                "include/shop/store.hpp",
                "std::string clean(const std::string& text);",
                "std::string clean(const std::string& text, bool deep);",
            ),
            (
                "src/store.cpp",
                "std::string clean(const std::string& text) {",
                "std::string clean(const std::string& text, bool deep) {",
            ),
        ],
        &[("src/other.cpp", "", "#include \"shop/store.hpp\"\n\nstd::string tidy() { return shop::clean(\"a\"); }")],
    ),
    hit(
        "a method changes; a local variable has it",
        "Store.put",
        &[
            (
                "include/shop/store.hpp",
                "void put(int id, const std::string& value);",
                "void put(int id, const std::string& value, int ttl);",
            ),
            (
                "src/store.cpp",
                "void Store::put(int id, const std::string& value) {",
                "void Store::put(int id, const std::string& value, int ttl) {",
            ),
        ],
        &[("src/main.cpp", "    return 0;", "    store.put(1, \"a\");\n    return 0;")],
    ),
    hit(
        "a method is renamed; a pointer has it",
        "Store.get",
        &[
            ("include/shop/store.hpp", "std::string get(int id) const;", "std::string load(int id) const;"),
            ("src/store.cpp", "std::string Store::get(int id) const", "std::string Store::load(int id) const"),
        ],
        &[(
            "src/other.cpp",
            "",
            "#include \"shop/store.hpp\"\n\nusing namespace shop;\n\nstd::string read(Store* store) { return store->get(1); }",
        )],
    ),
    hit(
        "a constructor takes more",
        "Store.Store",
        &[
            (
                "include/shop/store.hpp",
                "explicit Store(const std::string& path);",
                "explicit Store(const std::string& path, int size);",
            ),
            (
                "src/store.cpp",
                "Store::Store(const std::string& path) {",
                "Store::Store(const std::string& path, int size) {",
            ),
        ],
        &[(
            "src/other.cpp",
            "",
            "#include \"shop/store.hpp\"\n\nvoid make() {\n    auto* store = new shop::Store(\"y\");\n    delete store;\n}",
        )],
    ),
    hit(
        "an inherited method is called without a receiver",
        "Base.log",
        &[
            (
                "include/shop/store.hpp",
                "void log(const std::string& text);",
                "void log(int level, const std::string& text);",
            ),
            (
                "src/store.cpp",
                "void Base::log(const std::string& text)",
                "void Base::log(int level, const std::string& text)",
            ),
        ],
        &[("src/store.cpp", "    cache_.find(id);", "    log(\"put\");\n    cache_.find(id);")],
    ),
    hit(
        "a member's method changes",
        "Cache.find",
        &[("include/shop/cache.hpp", "int find(int id)", "int find(int id, int depth)")],
        &[("src/store.cpp", "    (void)value;", "    cache_.find(id + 1);\n    (void)value;")],
    ),
    hit(
        "an enum's case is renamed",
        "Mode.Write",
        &[("include/shop/store.hpp", "enum class Mode { Read, Write };", "enum class Mode { Read, Append };")],
        &[(
            "src/other.cpp",
            "",
            "#include \"shop/store.hpp\"\n\nbool writes(shop::Mode mode) { return mode == shop::Mode::Write; }",
        )],
    ),
    hit(
        "a field goes",
        "Store.limit",
        &[("include/shop/store.hpp", "    int limit = 10;\n", "")],
        &[("src/main.cpp", "    return 0;", "    return store.limit;")],
    ),
    hit(
        "a class is renamed",
        "Cache",
        &[
            ("include/shop/cache.hpp", "class Cache {", "class Memory {"),
            ("include/shop/store.hpp", "    Cache cache_;", "    Memory cache_;"),
        ],
        &[("src/other.cpp", "", "#include \"shop/cache.hpp\"\n\nshop::Cache spare;")],
    ),
    hit(
        "a static method changes; a smart pointer's method too",
        "Store.open",
        &[
            (
                "include/shop/store.hpp",
                "static Store open(const std::string& path);",
                "static Store open(const std::string& path, Mode mode);",
            ),
            (
                "src/store.cpp",
                "Store Store::open(const std::string& path) {",
                "Store Store::open(const std::string& path, Mode mode) {",
            ),
        ],
        &[(
            "src/other.cpp",
            "",
            "#include \"shop/store.hpp\"\n\nusing shop::Store;\n\nvoid go() { Store::open(\"z\"); }",
        )],
    ),
    decoy(
        "another class has a method of that name",
        &[
            ("include/shop/store.hpp", "    void close();", "    void close(bool force);"),
            ("src/store.cpp", "void Base::close()", "void Base::close(bool force)"),
        ],
        &[("src/other.cpp", "", "#include \"shop/cache.hpp\"\n\nvoid end(shop::Cache& cache) { cache.close(); }")],
    ),
    decoy(
        "another namespace has a function of that name",
        &[(
            "include/shop/store.hpp",
            "std::string clean(const std::string& text);",
            "std::string clean(const std::string& text, bool deep);",
        )],
        &[(
            "src/other.cpp",
            "",
            "#include \"shop/store.hpp\"\n\nnamespace tools {\nint clean(int x) { return x; }\nint go() { return tools::clean(1); }\n}",
        )],
    ),
    decoy(
        "the library has the method",
        &[("include/shop/cache.hpp", "int find(int id)", "int find(int id, int depth)")],
        &[("src/other.cpp", "", "#include <map>\n\nvoid look(std::map<int, int>& map) { map.find(1); }")],
    ),
    decoy(
        "a local variable shadows it",
        &[(
            "include/shop/store.hpp",
            "std::string clean(const std::string& text);",
            "std::string clean(const std::string& text, bool deep);",
        )],
        &[(
            "src/store.cpp",
            "Store Store::open",
            "int wash() {\n    auto clean = [](int x) { return x; };\n    return clean(1);\n}\n\nStore Store::open",
        )],
    ),
    decoy(
        "text and comments",
        &[
            (
                "include/shop/store.hpp",
                "std::string clean(const std::string& text);",
                "std::string tidy(const std::string& text);",
            ),
            ("src/store.cpp", "std::string clean(", "std::string tidy("),
        ],
        &[(
            "src/other.cpp",
            "",
            "#include \"shop/store.hpp\"\n\n// shop::clean(\"a\")\nconst char* help = \"shop::clean(text)\";",
        )],
    ),
    decoy(
        "a default is added",
        &[
            (
                "include/shop/store.hpp",
                "void put(int id, const std::string& value);",
                "void put(int id, const std::string& value, int ttl = 0);",
            ),
            (
                "src/store.cpp",
                "void Store::put(int id, const std::string& value) {",
                "void Store::put(int id, const std::string& value, int ttl) {",
            ),
        ],
        &[("src/main.cpp", "    return 0;", "    store.put(1, \"a\");\n    return 0;")],
    ),
    decoy(
        "already adapted",
        &[
            (
                "include/shop/store.hpp",
                "void put(int id, const std::string& value);",
                "void put(int id, const std::string& value, int ttl);",
            ),
            (
                "src/store.cpp",
                "void Store::put(int id, const std::string& value) {",
                "void Store::put(int id, const std::string& value, int ttl) {",
            ),
        ],
        &[("src/main.cpp", "    return 0;", "    store.put(1, \"a\", 60);\n    return 0;")],
    ),
    decoy(
        "an overload is added",
        &[(
            "include/shop/store.hpp",
            "    static Store open(const std::string& path);",
            "    static Store open(const std::string& path);\n    static Store open(int handle);",
        )],
        &[("src/main.cpp", "    return 0;", "    shop::Store::open(\"a\");\n    return 0;")],
    ),
    decoy(
        "only the body changes",
        &[("src/store.cpp", "return trimmed + \"x\";", "return trimmed + \"y\";")],
        &[("src/main.cpp", "    return 0;", "    shop::clean(\"a\");\n    return 0;")],
    ),
    decoy(
        "an unknown receiver",
        &[
            ("include/shop/store.hpp", "std::string get(int id) const;", "std::string load(int id) const;"),
            ("src/store.cpp", "std::string Store::get(int id) const", "std::string Store::load(int id) const"),
        ],
        &[(
            "src/other.cpp",
            "",
            "#include \"elsewhere.h\"\n\nvoid go() {\n    auto thing = elsewhere::make();\n    thing.get(1);\n}",
        )],
    ),
];
