//! C.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "C", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "include/store.h",
        "#ifndef STORE_H\n#define STORE_H\n\n#include \"row.h\"\n\n#define LIMIT 10\n#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))\n\ntypedef struct store store_t;\n\nstruct store {\n    const char *path;\n    int count;\n};\n\nstruct store *store_open(const char *path);\nint store_put(struct store *s, int id, const char *value);\nvoid store_close(struct store *s);\nint store_count(const struct store *s);\n\n#endif\n",
    ),
    (
        "include/row.h",
        "#ifndef ROW_H\n#define ROW_H\n\nenum mode { MODE_READ, MODE_WRITE };\n\ntypedef struct {\n    int id;\n    int size;\n} row_t;\n\nvoid row_init(row_t *row, int id);\n\n#endif\n",
    ),
    (
        "src/store.c",
        "#include \"store.h\"\n#include <stdlib.h>\n\nstatic int check(const char *path) {\n    return path != NULL;\n}\n\nstruct store *store_open(const char *path) {\n    check(path);\n    return NULL;\n}\n\nint store_put(struct store *s, int id, const char *value) {\n    s->count += id;\n    return value != NULL;\n}\n\nvoid store_close(struct store *s) {\n    free(s);\n}\n\nint store_count(const struct store *s) {\n    int total = s->count;\n    return total + 1;\n}\n\nvoid row_init(row_t *row, int id) {\n    row->id = id;\n}\n",
    ),
    (
        "src/main.c",
        "#include \"store.h\"\n\nint main(void) {\n    struct store *s = store_open(\"x\");\n    store_close(s);\n    return 0;\n}\n",
    ),
    (
        "src/net.c",
        "#include <stdio.h>\n\nstatic int check(int socket) {\n    return socket;\n}\n\nint net_open(int port) {\n    return check(port);\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added",
        "store_put",
        &[
            (
                "include/store.h",
                "int store_put(struct store *s, int id, const char *value);",
                "int store_put(struct store *s, int id, const char *value, int ttl);",
            ),
            (
                "src/store.c",
                "int store_put(struct store *s, int id, const char *value) {",
                "int store_put(struct store *s, int id, const char *value, int ttl) {",
            ),
        ],
        &[("src/main.c", "    store_close(s);", "    store_put(s, 1, \"a\");\n    store_close(s);")],
    ),
    hit(
        "a function is renamed",
        "store_close",
        &[
            ("include/store.h", "void store_close(struct store *s);", "void store_free(struct store *s);"),
            ("src/store.c", "void store_close(struct store *s) {", "void store_free(struct store *s) {"),
            ("src/main.c", "store_close(s);", "store_free(s);"),
        ],
        &[(
            "src/other.c",
            "",
            "#include \"../include/store.h\"\n\nvoid end(struct store *s) {\n    store_close(s);\n}",
        )],
    ),
    hit(
        "a static function of the own file loses a parameter",
        "check",
        &[
            (
                "src/net.c",
                "static int check(int socket) {\n    return socket;",
                "static int check(void) {\n    return 1;",
            ),
            ("src/net.c", "check(port)", "check()"),
        ],
        &[("src/net.c", "int net_open(", "int net_test(void) {\n    return check(2);\n}\n\nint net_open(")],
    ),
    hit(
        "a field is renamed",
        "store.count",
        &[
            ("include/store.h", "    int count;", "    int size;"),
            ("src/store.c", "s->count += id;", "s->size += id;"),
            ("src/store.c", "int total = s->count;", "int total = s->size;"),
        ],
        &[("src/main.c", "    store_close(s);", "    s->count = 3;\n    store_close(s);")],
    ),
    hit(
        "a field of a typedef goes",
        "row_t.size",
        &[("include/row.h", "    int id;\n    int size;\n", "    int id;\n")],
        &[("src/other.c", "", "#include \"row.h\"\n\nint big(row_t *row) {\n    return row->size > 3;\n}")],
    ),
    hit(
        "a macro takes more",
        "MAX_OF",
        &[(
            "include/store.h",
            "#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))",
            "#define MAX_OF(a, b, c) ((a) > (b) ? (a) : (c))",
        )],
        &[("src/main.c", "    return 0;", "    return MAX_OF(1, 2);")],
    ),
    hit(
        "a constant macro goes",
        "LIMIT",
        &[("include/store.h", "#define LIMIT 10\n", "")],
        &[("src/main.c", "    return 0;", "    return LIMIT;")],
    ),
    hit(
        "an enum's case is renamed",
        "mode.MODE_WRITE",
        &[("include/row.h", "MODE_READ, MODE_WRITE", "MODE_READ, MODE_APPEND")],
        &[("src/main.c", "    return 0;", "    return MODE_WRITE;")],
    ),
    hit(
        "a result's type changes",
        "store_count",
        &[
            (
                "include/store.h",
                "int store_count(const struct store *s);",
                "void store_count(const struct store *s, int *out);",
            ),
            (
                "src/store.c",
                "int store_count(const struct store *s) {",
                "void store_count(const struct store *s, int *out) {",
            ),
        ],
        &[("src/main.c", "    return 0;", "    return store_count(s);")],
    ),
    hit(
        "a struct's type is renamed",
        "row_t",
        &[
            ("include/row.h", "} row_t;", "} line_t;"),
            ("include/row.h", "void row_init(row_t *row", "void row_init(line_t *row"),
            ("src/store.c", "void row_init(row_t *row", "void row_init(line_t *row"),
        ],
        &[("src/other.c", "", "#include \"store.h\"\n\nrow_t first;")],
    ),
    decoy(
        "another file has a static function of that name",
        &[
            ("src/store.c", "static int check(const char *path) {", "static int check(const char *path, int deep) {"),
            ("src/store.c", "    check(path);", "    check(path, 1);"),
        ],
        &[("src/net.c", "int net_open(", "int net_test(void) {\n    return check(2);\n}\n\nint net_open(")],
    ),
    decoy(
        "a parameter shadows it",
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
        &[(
            "src/main.c",
            "int main(void) {",
            "int twice(int (*store_count)(int)) {\n    return store_count(1);\n}\n\nint main(void) {",
        )],
    ),
    decoy(
        "a field of that name in another struct",
        &[
            ("include/store.h", "    int count;", "    int size;"),
            ("src/store.c", "s->count += id;", "s->size += id;"),
            ("src/store.c", "int total = s->count;", "int total = s->size;"),
        ],
        &[(
            "src/other.c",
            "",
            "struct bag {\n    int count;\n};\n\nint many(struct bag *bag) {\n    return bag->count;\n}",
        )],
    ),
    decoy(
        "text and comments",
        &[
            ("include/store.h", "void store_close(struct store *s);", "void store_free(struct store *s);"),
            ("src/store.c", "void store_close(struct store *s) {", "void store_free(struct store *s) {"),
            ("src/main.c", "store_close(s);", "store_free(s);"),
        ],
        &[("src/other.c", "", "/* store_close(s) ends it */\nconst char *help = \"store_close(s)\";")],
    ),
    decoy(
        "already adapted",
        &[
            (
                "include/store.h",
                "int store_put(struct store *s, int id, const char *value);",
                "int store_put(struct store *s, int id, const char *value, int ttl);",
            ),
            (
                "src/store.c",
                "int store_put(struct store *s, int id, const char *value) {",
                "int store_put(struct store *s, int id, const char *value, int ttl) {",
            ),
        ],
        &[("src/main.c", "    store_close(s);", "    store_put(s, 1, \"a\", 60);\n    store_close(s);")],
    ),
    decoy(
        "a local variable of that name",
        &[("include/store.h", "#define LIMIT 10", "#define MAX 10")],
        &[(
            "src/net.c",
            "int net_open(",
            "int net_test(void) {\n    int LIMIT = 3;\n    return LIMIT;\n}\n\nint net_open(",
        )],
    ),
    decoy(
        "only the body changes",
        &[("src/store.c", "return total + 1;", "return total + 2;")],
        &[("src/main.c", "    return 0;", "    return store_count(s);")],
    ),
    decoy(
        "only a parameter's name changes",
        &[(
            "include/store.h",
            "int store_put(struct store *s, int id, const char *value);",
            "int store_put(struct store *store, int key, const char *text);",
        )],
        &[("src/main.c", "    store_close(s);", "    store_put(s, 1, \"a\");\n    store_close(s);")],
    ),
    decoy(
        "a file that includes nothing has its own",
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
        &[(
            "tools/count.c",
            "",
            "static int store_count(int x) {\n    return x;\n}\n\nint main(void) {\n    return store_count(1);\n}",
        )],
    ),
    decoy(
        "a function is added",
        &[(
            "include/store.h",
            "void store_close(struct store *s);",
            "void store_close(struct store *s);\nvoid store_sync(struct store *s);",
        )],
        &[("src/main.c", "    return 0;", "    store_close(s);\n    return 0;")],
    ),
];
