//! PHP.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "PHP", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "src/Data/Store.php",
        r#"<?php
namespace Shop\Data;

use Shop\Mail\Mailer;

class Store extends Base
{
    const LIMIT = 10;
    private Cache $cache;
    public string $path = '';

    public function __construct(private Mailer $mailer)
    {
        $this->cache = new Cache(5);
    }

    public function get(int $id): string
    {
        return $this->cache->find($id);
    }

    public function put(int $id, string $value, int $ttl = 60): void
    {
        $this->mailer->send('a', $value);
    }

    public static function open(string $path): self
    {
        return new self(new Mailer());
    }
}
"#,
    ),
    (
        "src/Data/Base.php",
        "<?php\nnamespace Shop\\Data;\n\nabstract class Base\n{\n    protected function log(string $text): void\n    {\n        echo $text;\n    }\n\n    public function close(): void\n    {\n        $this->log('closed');\n    }\n}\n",
    ),
    (
        "src/Data/Cache.php",
        "<?php\nnamespace Shop\\Data;\n\nclass Cache\n{\n    public function __construct(private int $size)\n    {\n    }\n\n    public function find(int $id): string\n    {\n        return (string) $id;\n    }\n}\n\nfunction clean(string $text): string\n{\n    $trimmed = trim($text);\n    return strtolower($trimmed);\n}\n",
    ),
    (
        "src/Mail/Mailer.php",
        "<?php\nnamespace Shop\\Mail;\n\nclass Mailer\n{\n    public function send(string $to, string $body): void\n    {\n        echo $to . $body;\n    }\n\n    public function close(): void\n    {\n        echo 'x';\n    }\n}\n\nenum Level: string\n{\n    case Low = 'low';\n    case High = 'high';\n}\n",
    ),
    (
        "src/App.php",
        "<?php\nnamespace Shop;\n\nuse Shop\\Data\\Store;\n\nclass App\n{\n    private ?Store $store = null;\n\n    public function run(): void\n    {\n        $this->store = Store::open('x');\n    }\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a property has the method",
        "Store.get",
        &[("src/Data/Store.php", "public function get(int $id)", "public function get(int $id, string $region)")],
        &[(
            "src/App.php",
            "$this->store = Store::open('x');",
            "$this->store = Store::open('x');\n        $this->store->get(1);",
        )],
    ),
    hit(
        "a method is renamed; a local variable has it",
        "Mailer.send",
        &[
            ("src/Mail/Mailer.php", "public function send(", "public function deliver("),
            ("src/Data/Store.php", "$this->mailer->send(", "$this->mailer->deliver("),
        ],
        &[(
            "src/Other.php",
            "",
            "<?php\nuse Shop\\Mail\\Mailer;\n\nfunction go() {\n    $mailer = new Mailer();\n    $mailer->send('a', 'b');\n}",
        )],
    ),
    hit(
        "a constructor takes more",
        "Cache.__construct",
        &[
            (
                "src/Data/Cache.php",
                "__construct(private int $size)",
                "__construct(private int $size, private int $ttl)",
            ),
            ("src/Data/Store.php", "new Cache(5)", "new Cache(5, 1)"),
        ],
        &[(
            "src/Data/Other.php",
            "",
            "<?php\nnamespace Shop\\Data;\n\nclass Other {\n    public function make() {\n        return new Cache(1);\n    }\n}",
        )],
    ),
    hit(
        "a function is imported",
        "clean",
        &[(
            "src/Data/Cache.php",
            "function clean(string $text): string",
            "function clean(string $text, bool $deep): string",
        )],
        &[(
            "src/Other.php",
            "",
            "<?php\nnamespace Shop;\n\nuse function Shop\\Data\\clean;\n\nfunction tidy() {\n    return clean('a');\n}",
        )],
    ),
    hit(
        "an inherited method changes",
        "Base.log",
        &[
            ("src/Data/Base.php", "log(string $text)", "log(int $level, string $text)"),
            ("src/Data/Base.php", "$this->log('closed')", "$this->log(1, 'closed')"),
        ],
        &[(
            "src/Data/Store.php",
            "return $this->cache->find($id);",
            "$this->log('get');\n        return $this->cache->find($id);",
        )],
    ),
    hit(
        "a named argument's parameter is renamed",
        "Store.put",
        &[("src/Data/Store.php", "int $ttl = 60", "int $seconds = 60")],
        &[(
            "src/Other.php",
            "",
            "<?php\nuse Shop\\Data\\Store;\n\nfunction fill(Store $store) {\n    $store->put(1, 'a', ttl: 5);\n}",
        )],
    ),
    hit(
        "a static method becomes an instance's",
        "Store.open",
        &[("src/Data/Store.php", "public static function open(", "public function open(")],
        &[("src/Other.php", "", "<?php\nfunction go() {\n    return \\Shop\\Data\\Store::open('y');\n}")],
    ),
    hit(
        "a constant goes",
        "Store.LIMIT",
        &[("src/Data/Store.php", "    const LIMIT = 10;\n", "")],
        &[("src/App.php", "$this->store = Store::open('x');", "$this->store = Store::open('x' . Store::LIMIT);")],
    ),
    hit(
        "a case is renamed",
        "Level.High",
        &[("src/Mail/Mailer.php", "case High = 'high';", "case Urgent = 'urgent';")],
        &[(
            "src/Other.php",
            "",
            "<?php\nuse Shop\\Mail\\Level;\n\nfunction level(): Level {\n    return Level::High;\n}",
        )],
    ),
    hit(
        "a class is renamed; it is extended",
        "Base",
        &[
            ("src/Data/Base.php", "abstract class Base", "abstract class Root"),
            ("src/Data/Store.php", "extends Base", "extends Root"),
        ],
        &[("src/Data/Other.php", "", "<?php\nnamespace Shop\\Data;\n\nclass Other extends Base {\n}")],
    ),
    decoy(
        "another class has a method of that name",
        &[("src/Data/Base.php", "public function close(): void", "public function close(bool $force): void")],
        &[("src/Other.php", "", "<?php\nuse Shop\\Mail\\Mailer;\n\nfunction end_it(Mailer $m) {\n    $m->close();\n}")],
    ),
    decoy(
        "another namespace has a class of that name",
        &[("src/Data/Cache.php", "__construct(private int $size)", "__construct(private int $size, private int $ttl)")],
        &[(
            "other/Cache.php",
            "",
            "<?php\nnamespace Other;\n\nclass Cache {\n    public function __construct(int $x) {}\n}\n\nclass Maker {\n    public function go() {\n        return new Cache(1);\n    }\n}",
        )],
    ),
    decoy(
        "the language has the function",
        &[(
            "src/Data/Cache.php",
            "function clean(string $text): string",
            "function trim(string $text, bool $deep): string",
        )],
        &[("src/Other.php", "", "<?php\nnamespace Tools;\n\nfunction go() {\n    return trim(' a ');\n}")],
    ),
    decoy(
        "a closure in a variable of that name",
        &[(
            "src/Data/Cache.php",
            "function clean(string $text): string",
            "function clean(string $text, bool $deep): string",
        )],
        &[(
            "src/Data/Other.php",
            "",
            "<?php\nnamespace Shop\\Data;\n\nfunction go() {\n    $clean = fn($x) => $x;\n    return $clean('a');\n}",
        )],
    ),
    decoy(
        "text and comments",
        &[("src/Data/Store.php", "public function get(", "public function load(")],
        &[(
            "src/App.php",
            "$this->store = Store::open('x');",
            "// $this->store->get(1)\n        $this->store = Store::open('store->get(1)');",
        )],
    ),
    decoy(
        "an optional parameter is added",
        &[("src/Data/Store.php", "public function get(int $id)", "public function get(int $id, bool $fresh = false)")],
        &[(
            "src/App.php",
            "$this->store = Store::open('x');",
            "$this->store = Store::open('x');\n        $this->store->get(1);",
        )],
    ),
    decoy(
        "already adapted",
        &[("src/Data/Store.php", "public function get(int $id)", "public function get(int $id, string $region)")],
        &[(
            "src/App.php",
            "$this->store = Store::open('x');",
            "$this->store = Store::open('x');\n        $this->store->get(1, 'eu');",
        )],
    ),
    decoy(
        "an unknown receiver",
        &[("src/Data/Store.php", "public function get(", "public function load(")],
        &[("src/Other.php", "", "<?php\nfunction read($thing) {\n    return $thing->get(1);\n}")],
    ),
    decoy(
        "only the body changes",
        &[("src/Data/Cache.php", "return strtolower($trimmed);", "return strtoupper($trimmed);")],
        &[("src/Other.php", "", "<?php\nfunction go() {\n    return \\Shop\\Data\\clean('a');\n}")],
    ),
    decoy(
        "a method of a trait's user of that name",
        &[
            (
                "src/Mail/Mailer.php",
                "public function send(string $to, string $body)",
                "public function send(string $to, string $subject, string $body)",
            ),
            ("src/Data/Store.php", "send('a', $value)", "send('a', 'b', $value)"),
        ],
        &[(
            "src/Other.php",
            "",
            "<?php\nnamespace Tools;\n\ntrait Sends {\n    public function send($a, $b) {}\n}\n\nclass Other {\n    use Sends;\n\n    public function go() {\n        $this->send('a', 'b');\n    }\n}",
        )],
    ),
];
