//! Java.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "Java", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "src/main/java/com/shop/store/Store.java",
        r#"package com.shop.store;

import com.shop.mail.Mailer;

public class Store extends Base {
    public static final int LIMIT = 10;
    private final Cache cache = new Cache(5);
    private Mailer mailer;

    public Store(Mailer mailer) {
        this.mailer = mailer;
    }

    public String get(int id) {
        return cache.find(id);
    }

    public void put(int id, String value) {
        cache.keep(id, value);
        mailer.send("a", value);
    }

    public static Store open(String path) {
        return new Store(null);
    }
}
"#,
    ),
    (
        "src/main/java/com/shop/store/Base.java",
        "package com.shop.store;\n\npublic abstract class Base {\n    protected void log(String text) {\n        System.out.println(text);\n    }\n\n    public void close() {\n        log(\"closed\");\n    }\n}\n",
    ),
    (
        "src/main/java/com/shop/store/Cache.java",
        "package com.shop.store;\n\nclass Cache {\n    private final int size;\n\n    Cache(int size) {\n        this.size = size;\n    }\n\n    String find(int id) {\n        return \"\" + id + size;\n    }\n\n    void keep(int id, String value) {\n        System.out.println(id + value);\n    }\n}\n",
    ),
    (
        "src/main/java/com/shop/mail/Mailer.java",
        "package com.shop.mail;\n\npublic class Mailer {\n    public void send(String to, String body) {\n        System.out.println(to + body);\n    }\n\n    public void close() {\n        System.out.println(\"x\");\n    }\n\n    public static String clean(String text) {\n        String trimmed = text.trim();\n        return trimmed.toLowerCase();\n    }\n}\n",
    ),
    (
        "src/main/java/com/shop/mail/Level.java",
        "package com.shop.mail;\n\npublic enum Level {\n    LOW,\n    HIGH\n}\n",
    ),
    (
        "src/main/java/com/shop/App.java",
        "package com.shop;\n\nimport com.shop.store.Store;\n\npublic class App {\n    private Store store;\n\n    public void run() {\n        store = Store.open(\"x\");\n    }\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a field has the method",
        "Store.put",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "put(int id, String value)",
            "put(int id, String value, long ttl)",
        )],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "store = Store.open(\"x\");\n        store.put(1, \"a\");",
        )],
    ),
    hit(
        "a method is renamed; a local variable has it",
        "Store.get",
        &[("src/main/java/com/shop/store/Store.java", "public String get(int id)", "public String load(int id)")],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport com.shop.store.*;\n\nclass Other {\n    String go() {\n        Store s = Store.open(\"y\");\n        return s.get(3);\n    }\n}",
        )],
    ),
    hit(
        "a constructor takes more",
        "Store.Store",
        &[
            (
                "src/main/java/com/shop/store/Store.java",
                "public Store(Mailer mailer) {",
                "public Store(Mailer mailer, int size) {",
            ),
            ("src/main/java/com/shop/store/Store.java", "new Store(null)", "new Store(null, 1)"),
        ],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport com.shop.store.Store;\nimport com.shop.mail.Mailer;\n\nclass Other {\n    Store make() {\n        return new Store(new Mailer());\n    }\n}",
        )],
    ),
    hit(
        "a static method is called by a static import",
        "Mailer.clean",
        &[("src/main/java/com/shop/mail/Mailer.java", "clean(String text)", "clean(String text, boolean deep)")],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport static com.shop.mail.Mailer.clean;\n\nclass Other {\n    String go(String text) {\n        return clean(text);\n    }\n}",
        )],
    ),
    hit(
        "an inherited method is called without a receiver",
        "Base.log",
        &[("src/main/java/com/shop/store/Base.java", "log(String text)", "log(int level, String text)")],
        &[(
            "src/main/java/com/shop/store/Store.java",
            "return cache.find(id);",
            "log(\"get\");\n        return cache.find(id);",
        )],
    ),
    hit(
        "a class of the same package is renamed",
        "Cache",
        &[
            ("src/main/java/com/shop/store/Cache.java", "class Cache {", "class Memory {"),
            ("src/main/java/com/shop/store/Cache.java", "    Cache(int size)", "    Memory(int size)"),
        ],
        &[(
            "src/main/java/com/shop/store/Other.java",
            "",
            "package com.shop.store;\n\nclass Other {\n    private Cache own;\n}",
        )],
    ),
    hit(
        "an enum's case goes",
        "Level.HIGH",
        &[("src/main/java/com/shop/mail/Level.java", "    LOW,\n    HIGH\n", "    LOW\n")],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport com.shop.mail.Level;\n\nclass Other {\n    Level level = Level.HIGH;\n}",
        )],
    ),
    hit(
        "a constant is renamed",
        "Store.LIMIT",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "public static final int LIMIT = 10;",
            "public static final int MAX = 10;",
        )],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "store = Store.open(\"x\" + Store.LIMIT);",
        )],
    ),
    hit(
        "a method becomes private",
        "Store.get",
        &[("src/main/java/com/shop/store/Store.java", "public String get(int id)", "private String get(int id)")],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "store = Store.open(\"x\");\n        System.out.println(store.get(1));",
        )],
    ),
    hit(
        "a parameter's type changes",
        "Store.get",
        &[("src/main/java/com/shop/store/Store.java", "public String get(int id)", "public String get(String id)")],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "var other = Store.open(\"x\");\n        System.out.println(other.get(1));",
        )],
    ),
    decoy(
        "another class has a method of that name",
        &[("src/main/java/com/shop/store/Base.java", "public void close()", "public void close(boolean force)")],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport com.shop.mail.Mailer;\n\nclass Other {\n    void go(Mailer m) {\n        m.close();\n    }\n}",
        )],
    ),
    decoy(
        "another package has a class of that name",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "public Store(Mailer mailer) {",
            "public Store(Mailer mailer, int size) {",
        )],
        &[
            (
                "src/main/java/com/other/Store.java",
                "",
                "package com.other;\n\npublic class Store {\n    public Store(Object x) {\n    }\n}",
            ),
            (
                "src/main/java/com/other/Use.java",
                "",
                "package com.other;\n\nclass Use {\n    Store s = new Store(null);\n}",
            ),
        ],
    ),
    decoy(
        "the library has the method",
        &[("src/main/java/com/shop/store/Store.java", "public String get(int id)", "public String load(int id)")],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport java.util.Map;\n\nclass Other {\n    String go(Map<Integer, String> map) {\n        return map.get(1);\n    }\n}",
        )],
    ),
    decoy(
        "an own method of that name",
        &[("src/main/java/com/shop/store/Base.java", "log(String text)", "log(int level, String text)")],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nclass Other {\n    void log(String text) {\n    }\n\n    void go() {\n        log(\"x\");\n    }\n}",
        )],
    ),
    decoy(
        "an overload is added",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "    public static Store open",
            "    public void put(int id, String value, long ttl) {\n        put(id, value);\n    }\n\n    public static Store open",
        )],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "store = Store.open(\"x\");\n        store.put(1, \"a\");",
        )],
    ),
    decoy(
        "text and comments",
        &[("src/main/java/com/shop/store/Store.java", "public String get(int id)", "public String load(int id)")],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "// store.get(1)\n        store = Store.open(\"store.get(1)\");",
        )],
    ),
    decoy(
        "already adapted",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "put(int id, String value)",
            "put(int id, String value, long ttl)",
        )],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "store = Store.open(\"x\");\n        store.put(1, \"a\", 60L);",
        )],
    ),
    decoy(
        "a local variable hides a field",
        &[(
            "src/main/java/com/shop/store/Store.java",
            "put(int id, String value)",
            "put(int id, String value, long ttl)",
        )],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "java.util.HashMap<Integer, String> store = new java.util.HashMap<>();\n        store.put(1, \"a\");",
        )],
    ),
    decoy(
        "only the body changes",
        &[(
            "src/main/java/com/shop/mail/Mailer.java",
            "return trimmed.toLowerCase();",
            "return trimmed.toUpperCase();",
        )],
        &[(
            "src/main/java/com/shop/Other.java",
            "",
            "package com.shop;\n\nimport com.shop.mail.Mailer;\n\nclass Other {\n    String go() {\n        return Mailer.clean(\"a\");\n    }\n}",
        )],
    ),
    decoy(
        "a method moves up to the base class",
        &[
            (
                "src/main/java/com/shop/store/Store.java",
                "    public String get(int id) {\n        return cache.find(id);\n    }\n",
                "",
            ),
            (
                "src/main/java/com/shop/store/Base.java",
                "    public void close()",
                "    public String get(int id) {\n        return null;\n    }\n\n    public void close()",
            ),
        ],
        &[(
            "src/main/java/com/shop/App.java",
            "store = Store.open(\"x\");",
            "store = Store.open(\"x\");\n        store.get(1);",
        )],
    ),
];
