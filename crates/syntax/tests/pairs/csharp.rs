//! C#.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "C#", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "Shop/Store.cs",
        r#"using Shop.Mail;

namespace Shop.Data
{
    public class Store : Base
    {
        public const int Limit = 10;
        private readonly Cache _cache = new Cache(5);
        private readonly Mailer _mailer;
        public string Path { get; set; } = "";

        public Store(Mailer mailer)
        {
            _mailer = mailer;
        }

        public string Get(int id)
        {
            return _cache.Find(id);
        }

        public async Task<string> LoadAsync(int id, bool fresh = false)
        {
            return await Task.FromResult(Get(id));
        }

        public static Store Open(string path)
        {
            return new Store(null);
        }
    }

    public class Base
    {
        protected void Log(string text)
        {
            Console.WriteLine(text);
        }

        public void Close()
        {
            Log("closed");
        }
    }

    internal class Cache
    {
        private int size;

        public Cache(int size)
        {
            this.size = size;
        }

        public string Find(int id)
        {
            return id.ToString();
        }
    }
}
"#,
    ),
    (
        "Shop/Mailer.cs",
        "namespace Shop.Mail;\n\npublic class Mailer\n{\n    public void Send(string to, string body)\n    {\n        Console.WriteLine(to + body);\n    }\n\n    public void Close()\n    {\n        Console.WriteLine(1);\n    }\n\n    public static string Clean(string text)\n    {\n        var trimmed = text.Trim();\n        return trimmed.ToLower();\n    }\n}\n\npublic enum Level\n{\n    Low,\n    High\n}\n",
    ),
    (
        "Shop/App.cs",
        "using Shop.Data;\n\nnamespace Shop;\n\npublic class App\n{\n    private Store store;\n\n    public void Run()\n    {\n        store = Store.Open(\"x\");\n    }\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a field has the method",
        "Store.Get",
        &[("Shop/Store.cs", "public string Get(int id)", "public string Get(int id, string region)")],
        &[("Shop/App.cs", "store = Store.Open(\"x\");", "store = Store.Open(\"x\");\n        store.Get(1);")],
    ),
    hit(
        "a method is renamed; a local variable has it",
        "Mailer.Send",
        &[("Shop/Mailer.cs", "public void Send(", "public void Deliver(")],
        &[(
            "Shop/Other.cs",
            "",
            "using Shop.Mail;\n\nnamespace Tools\n{\n    class Other\n    {\n        void Go()\n        {\n            var mailer = new Mailer();\n            mailer.Send(\"a\", \"b\");\n        }\n    }\n}",
        )],
    ),
    hit(
        "a constructor takes more",
        "Store.Store",
        &[
            ("Shop/Store.cs", "public Store(Mailer mailer)", "public Store(Mailer mailer, int size)"),
            ("Shop/Store.cs", "new Store(null)", "new Store(null, 1)"),
        ],
        &[("Shop/Other.cs", "", "using Shop.Data;\n\nclass Other\n{\n    Store made = new Store(null);\n}")],
    ),
    hit(
        "a static method; the full name is written",
        "Mailer.Clean",
        &[("Shop/Mailer.cs", "Clean(string text)", "Clean(string text, bool deep)")],
        &[(
            "Shop/Other.cs",
            "",
            "class Other\n{\n    string Go(string text)\n    {\n        return Shop.Mail.Mailer.Clean(text);\n    }\n}",
        )],
    ),
    hit(
        "an inherited method without a receiver",
        "Base.Log",
        &[("Shop/Store.cs", "protected void Log(string text)", "protected void Log(int level, string text)")],
        &[("Shop/Store.cs", "return _cache.Find(id);", "Log(\"get\");\n            return _cache.Find(id);")],
    ),
    hit(
        "a property is renamed",
        "Store.Path",
        &[("Shop/Store.cs", "public string Path { get; set; }", "public string File { get; set; }")],
        &[("Shop/App.cs", "store = Store.Open(\"x\");", "store = Store.Open(\"x\");\n        store.Path = \"y\";")],
    ),
    hit(
        "a named argument's parameter is renamed",
        "Store.LoadAsync",
        &[("Shop/Store.cs", "LoadAsync(int id, bool fresh = false)", "LoadAsync(int id, bool reload = false)")],
        &[(
            "Shop/App.cs",
            "public void Run()",
            "public async Task Load(Store other)\n    {\n        await other.LoadAsync(1, fresh: true);\n    }\n\n    public void Run()",
        )],
    ),
    hit(
        "an enum's case goes",
        "Level.High",
        &[("Shop/Mailer.cs", "    Low,\n    High", "    Low")],
        &[("Shop/Other.cs", "", "using Shop.Mail;\n\nclass Other\n{\n    Level level = Level.High;\n}")],
    ),
    hit(
        "a class is renamed in the own namespace",
        "Cache",
        &[
            ("Shop/Store.cs", "internal class Cache", "internal class Memory"),
            ("Shop/Store.cs", "        public Cache(int size)", "        public Memory(int size)"),
            (
                "Shop/Store.cs",
                "private readonly Cache _cache = new Cache(5);",
                "private readonly Memory _cache = new Memory(5);",
            ),
        ],
        &[("Shop/Other.cs", "", "namespace Shop.Data\n{\n    class Other\n    {\n        Cache own;\n    }\n}")],
    ),
    hit(
        "a constant goes; a static using names its class",
        "Store.Limit",
        &[("Shop/Store.cs", "        public const int Limit = 10;\n", "")],
        &[(
            "Shop/Other.cs",
            "",
            "using static Shop.Data.Store;\n\nclass Other\n{\n    int Go()\n    {\n        return Limit + 1;\n    }\n}",
        )],
    ),
    decoy(
        "another class has a method of that name",
        &[("Shop/Store.cs", "public void Close()", "public void Close(bool force)")],
        &[(
            "Shop/Other.cs",
            "",
            "using Shop.Mail;\n\nclass Other\n{\n    void Go(Mailer m)\n    {\n        m.Close();\n    }\n}",
        )],
    ),
    decoy(
        "another namespace has a class of that name",
        &[("Shop/Store.cs", "public Store(Mailer mailer)", "public Store(Mailer mailer, int size)")],
        &[(
            "Other/Store.cs",
            "",
            "namespace Other\n{\n    class Store\n    {\n        public Store(object x) { }\n    }\n\n    class Use\n    {\n        Store s = new Store(null);\n    }\n}",
        )],
    ),
    decoy(
        "an optional parameter is added",
        &[("Shop/Store.cs", "public string Get(int id)", "public string Get(int id, bool fresh = false)")],
        &[("Shop/App.cs", "store = Store.Open(\"x\");", "store = Store.Open(\"x\");\n        store.Get(1);")],
    ),
    decoy(
        "an own method of that name",
        &[("Shop/Store.cs", "protected void Log(string text)", "protected void Log(int level, string text)")],
        &[(
            "Shop/Other.cs",
            "",
            "class Other\n{\n    void Log(string text) { }\n\n    void Go()\n    {\n        Log(\"x\");\n    }\n}",
        )],
    ),
    decoy(
        "a local function of that name",
        &[("Shop/Mailer.cs", "Clean(string text)", "Clean(string text, bool deep)")],
        &[(
            "Shop/Mailer.cs",
            "    public void Close()",
            "    public string Tidy()\n    {\n        string Clean(string one) => one;\n        return Clean(\"x\");\n    }\n\n    public void Close()",
        )],
    ),
    decoy(
        "text and comments",
        &[("Shop/Store.cs", "public string Get(int id)", "public string Load(int id)")],
        &[(
            "Shop/App.cs",
            "store = Store.Open(\"x\");",
            "// store.Get(1)\n        store = Store.Open(\"store.Get(1)\");",
        )],
    ),
    decoy(
        "already adapted",
        &[("Shop/Store.cs", "public string Get(int id)", "public string Get(int id, string region)")],
        &[("Shop/App.cs", "store = Store.Open(\"x\");", "store = Store.Open(\"x\");\n        store.Get(1, \"eu\");")],
    ),
    decoy(
        "an unknown receiver",
        &[("Shop/Store.cs", "public string Find(int id)", "public string Find(int id, int depth)")],
        &[(
            "Shop/Other.cs",
            "",
            "using System.Collections.Generic;\n\nclass Other\n{\n    object Go(List<int> list)\n    {\n        return list.Find(1);\n    }\n}",
        )],
    ),
    decoy(
        "only the body changes",
        &[("Shop/Mailer.cs", "return trimmed.ToLower();", "return trimmed.ToUpper();")],
        &[("Shop/Other.cs", "", "class Other\n{\n    string Go() => Shop.Mail.Mailer.Clean(\"x\");\n}")],
    ),
    decoy(
        "a local variable hides a field",
        &[("Shop/Store.cs", "public string Get(int id)", "public string Get(int id, string region)")],
        &[(
            "Shop/App.cs",
            "store = Store.Open(\"x\");",
            "Elsewhere.Box store = Elsewhere.Make();\n        store.Get(1);",
        )],
    ),
];
