//! Python.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "Python", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    ("shop/__init__.py", "from .orders import Order, place_order\n"),
    (
        "shop/orders.py",
        r#"from .mail import send_mail
from shop.store import Store

LIMIT = 10


class Order:
    """An order."""

    def __init__(self, number, customer):
        self.number = number
        self.customer = customer
        self.lines = []

    def add_line(self, item, count=1):
        self.lines.append((item, count))

    def total(self):
        return sum(price * count for price, count in self.lines)


def place_order(store, order):
    """Places it."""
    store.save(order)
    send_mail(order.customer, "thanks", "your order is placed")
    return order


def cancel(order, reason="none"):
    order.lines.clear()
    return reason


def parse_number(text):
    cleaned = text.strip().replace("-", "")
    return int(cleaned)
"#,
    ),
    (
        "shop/mail.py",
        r#"def send_mail(to, subject, body):
    connection = connect()
    connection.send(to, subject, body)


def connect(host="localhost"):
    return Connection(host)


class Connection:
    def __init__(self, host):
        self.host = host

    def send(self, to, subject, body):
        print(to, subject, body)

    def close(self):
        print("closed", self.host)
"#,
    ),
    (
        "shop/store.py",
        r#"class Base:
    def close(self, force):
        print("closing", force)


class Store(Base):
    def __init__(self, path):
        self.path = path
        self.cache = Cache(100)

    def save(self, order):
        self.cache.put(order.number, order)

    def load(self, number):
        return self.cache.get(number)

    @classmethod
    def open(cls, path):
        return cls(path)

    @staticmethod
    def default_path():
        return "orders.db"


class Cache:
    def __init__(self, size):
        self.size = size

    def put(self, key, value):
        print(key, value)

    def get(self, key):
        return key
"#,
    ),
    ("shop/report.py", "from shop import orders\n\n\ndef report(order):\n    return order.number\n"),
];

const CASES: &[super::Case] = &[
    hit(
        "a required parameter is added; an imported function is called",
        "cancel",
        &[("shop/orders.py", "def cancel(order, reason=\"none\"):", "def cancel(order, actor, reason=\"none\"):")],
        &[(
            "shop/returns.py",
            "",
            "from shop.orders import cancel\n\n\ndef give_back(order):\n    return cancel(order)\n",
        )],
    ),
    hit(
        "a function is renamed; a relative import names it",
        "send_mail",
        &[
            ("shop/mail.py", "def send_mail(", "def deliver("),
            ("shop/orders.py", "from .mail import send_mail", "from .mail import deliver"),
            ("shop/orders.py", "    send_mail(order", "    deliver(order"),
        ],
        &[("shop/returns.py", "", "from .mail import send_mail as post\n\n\ndef go(to):\n    post(to, 'a', 'b')\n")],
    ),
    hit(
        "a method is renamed; self calls it",
        "Store.load",
        &[("shop/store.py", "    def load(self, number):", "    def find(self, number):")],
        &[(
            "shop/store.py",
            "    @classmethod",
            "    def reload(self, number):\n        return self.load(number)\n\n    @classmethod",
        )],
    ),
    hit(
        "a method's parameters change; a value made on the spot has it",
        "Order.add_line",
        &[("shop/orders.py", "def add_line(self, item, count=1):", "def add_line(self, item, price, count):")],
        &[(
            "shop/report.py",
            "",
            "def fill():\n    order = orders.Order(1, 'x')\n    order.add_line('pen')\n    return order\n",
        )],
    ),
    hit(
        "a constructor takes more; the class comes through the package",
        "Order.__init__",
        &[(
            "shop/orders.py",
            "def __init__(self, number, customer):",
            "def __init__(self, number, customer, currency):",
        )],
        &[("tools/seed.py", "", "from shop import Order\n\nfirst = Order(1, 'ann')\n")],
    ),
    hit(
        "a method goes; an annotated parameter has it",
        "Order.total",
        &[(
            "shop/orders.py",
            "    def total(self):\n        return sum(price * count for price, count in self.lines)\n",
            "",
        )],
        &[("shop/report.py", "", "def line(order: orders.Order) -> str:\n    return f'{order.total()}'\n")],
    ),
    hit(
        "a keyword is renamed; a call passes it by name",
        "connect",
        &[(
            "shop/mail.py",
            "def connect(host=\"localhost\"):\n    return Connection(host)",
            "def connect(server=\"localhost\"):\n    return Connection(server)",
        )],
        &[("shop/report.py", "", "from shop.mail import connect\n\n\ndef ping():\n    return connect(host='mail')\n")],
    ),
    hit(
        "a function becomes asynchronous",
        "parse_number",
        &[("shop/orders.py", "def parse_number(text):", "async def parse_number(text):")],
        &[("shop/report.py", "", "def show(text):\n    return orders.parse_number(text) + 1\n")],
    ),
    hit(
        "an attribute's class changes; two steps lead there",
        "Cache.put",
        &[("shop/store.py", "def put(self, key, value):", "def put(self, key, value, ttl):")],
        &[(
            "shop/store.py",
            "    @classmethod",
            "    def warm(self):\n        self.cache.put(1, None)\n\n    @classmethod",
        )],
    ),
    hit(
        "parameters are reordered",
        "Connection.send",
        &[("shop/mail.py", "def send(self, to, subject, body):", "def send(self, subject, to, body):")],
        &[(
            "shop/report.py",
            "",
            "from .mail import Connection\n\n\ndef go():\n    line = Connection('x')\n    line.send('a', 'b', 'c')\n",
        )],
    ),
    hit(
        "an inherited method changes",
        "Base.close",
        &[("shop/store.py", "def close(self, force):", "def close(self):")],
        &[(
            "shop/report.py",
            "",
            "from shop.store import Store\n\n\ndef stop():\n    Store.open('x').close(True)\n\n\ndef end(store: Store):\n    store.close(False)\n",
        )],
    ),
    hit(
        "a constant goes",
        "LIMIT",
        &[("shop/orders.py", "LIMIT = 10\n", "")],
        &[("shop/report.py", "", "def full(count):\n    return count > orders.LIMIT\n")],
    ),
    decoy(
        "another class has a method of that name",
        &[("shop/mail.py", "    def close(self):", "    def close(self, code):")],
        &[("shop/report.py", "", "from shop.store import Store\n\n\ndef stop(store: Store):\n    store.close(True)\n")],
    ),
    decoy(
        "another module has a function of that name",
        &[("shop/orders.py", "def cancel(order, reason=\"none\"):", "def cancel(order, actor, reason):")],
        &[
            ("shop/jobs.py", "", "def cancel(job):\n    return job\n"),
            ("shop/report.py", "", "from shop.jobs import cancel\n\n\ndef stop(job):\n    return cancel(job)\n"),
        ],
    ),
    decoy(
        "a parameter shadows it",
        &[("shop/mail.py", "def connect(host=\"localhost\"):", "def connect(host, port):")],
        &[("shop/mail.py", "class Connection:", "def run(connect):\n    return connect()\n\n\nclass Connection:")],
    ),
    decoy(
        "a local variable shadows it",
        &[("shop/orders.py", "def parse_number(text):", "def parse_number(text, base):")],
        &[(
            "shop/orders.py",
            "def cancel(",
            "def check(text):\n    parse_number = int\n    return parse_number(text)\n\n\ndef cancel(",
        )],
    ),
    decoy(
        "only text and comments name it",
        &[("shop/orders.py", "def cancel(order, reason=\"none\"):", "def revoke(order, reason=\"none\"):")],
        &[("shop/report.py", "", "# call cancel(order) first\nHELP = 'cancel(order) ends it'\n")],
    ),
    decoy(
        "an optional parameter is added",
        &[("shop/orders.py", "def place_order(store, order):", "def place_order(store, order, notify=True):")],
        &[("shop/report.py", "", "def go(store, order):\n    return orders.place_order(store, order)\n")],
    ),
    decoy(
        "the use was already written for the new signature",
        &[("shop/orders.py", "def cancel(order, reason=\"none\"):", "def cancel(order, actor, reason=\"none\"):")],
        &[("shop/report.py", "", "def stop(order):\n    return orders.cancel(order, 'ann')\n")],
    ),
    decoy(
        "only the body changes",
        &[(
            "shop/orders.py",
            "    cleaned = text.strip().replace(\"-\", \"\")",
            "    cleaned = text.strip().replace(\"_\", \"\")",
        )],
        &[("shop/report.py", "", "def show(text):\n    return orders.parse_number(text)\n")],
    ),
    decoy(
        "a receiver of unknown type",
        &[("shop/store.py", "    def load(self, number):", "    def find(self, number):")],
        &[("shop/report.py", "", "def read(thing):\n    return thing.load(1)\n")],
    ),
    decoy(
        "a package from elsewhere has the name",
        &[("shop/mail.py", "def connect(host=\"localhost\"):", "def connect(host, port):")],
        &[("shop/report.py", "", "from sqlite3 import connect\n\nDB = connect('x')\n")],
    ),
    decoy(
        "it moved and is still exported from the old place",
        &[
            (
                "shop/orders.py",
                "def parse_number(text):\n    cleaned = text.strip().replace(\"-\", \"\")\n    return int(cleaned)\n",
                "from shop.numbers import parse_number\n",
            ),
            (
                "shop/numbers.py",
                "",
                "def parse_number(text):\n    cleaned = text.strip().replace('-', '')\n    return int(cleaned)\n",
            ),
        ],
        &[(
            "shop/report.py",
            "",
            "from shop.orders import parse_number\n\n\ndef show(text):\n    return parse_number(text)\n",
        )],
    ),
    decoy(
        "a nested function of that name",
        &[("shop/orders.py", "def cancel(order, reason=\"none\"):", "def cancel(order, actor):")],
        &[(
            "shop/orders.py",
            "def parse_number(",
            "def outer(order):\n    def cancel():\n        return 1\n\n    return cancel()\n\n\ndef parse_number(",
        )],
    ),
];
