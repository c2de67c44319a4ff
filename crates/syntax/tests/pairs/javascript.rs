//! JavaScript and JSX, with both kinds of modules.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "JavaScript", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "lib/users.js",
        r"const { query } = require('./db');

class Users {
  constructor(db) {
    this.db = db;
  }

  find(id) {
    return this.db.run('select', id);
  }

  remove(id, force = false) {
    return this.db.run('delete', id, force);
  }
}

function hash(text, salt) {
  const mixed = text + salt;
  return mixed.split('').reverse().join('');
}

const normalise = (name) => name.trim().toLowerCase();

module.exports = { Users, hash, normalise };
",
    ),
    (
        "lib/db.js",
        r"exports.query = function (sql, values) {
  return [sql, values];
};

exports.open = (path) => new Database(path);

class Database {
  constructor(path) {
    this.path = path;
  }

  run(sql, ...values) {
    return exports.query(sql, values);
  }

  close() {
    return this.path;
  }
}

module.exports.Database = Database;
",
    ),
    (
        "web/format.mjs",
        "export function money(amount, currency) {\n  const fixed = amount.toFixed(2);\n  return fixed + currency;\n}\n\nexport const plural = (count, word) => (count === 1 ? word : word + 's');\n\nexport default class Table {\n  row(cells) {\n    return cells.join('|');\n  }\n}\n",
    ),
    ("web/Card.jsx", "export function Card({ title }) {\n  return <div>{title}</div>;\n}\n"),
    (
        "lib/app.js",
        "const users = require('./users');\n\nfunction app() {\n  return users;\n}\n\nmodule.exports = app;\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a parameter is added; a required module's member is called",
        "hash",
        &[("lib/users.js", "function hash(text, salt) {", "function hash(text, salt, rounds) {")],
        &[("lib/app.js", "return users;", "return users.hash('a', 'b');")],
    ),
    hit(
        "a function is renamed; a destructured require names it",
        "hash",
        &[
            ("lib/users.js", "function hash(", "function digest("),
            ("lib/users.js", "{ Users, hash, normalise }", "{ Users, digest, normalise }"),
        ],
        &[("lib/b.js", "", "const { hash } = require('./users');\n\nmodule.exports = hash('a', 'b');")],
    ),
    hit(
        "a method goes; a value made on the spot has it",
        "Users.find",
        &[("lib/users.js", "  find(id) {\n    return this.db.run('select', id);\n  }\n", "")],
        &[(
            "lib/b.js",
            "",
            "const { Users } = require('./users');\n\nfunction load(db) {\n  const all = new Users(db);\n  return all.find(1);\n}",
        )],
    ),
    hit(
        "this calls a renamed method",
        "Users.remove",
        &[("lib/users.js", "  remove(id, force = false) {", "  erase(id, force = false) {")],
        &[("lib/users.js", "  find(id) {", "  clean() {\n    this.remove(1);\n  }\n\n  find(id) {")],
    ),
    hit(
        "an ES module's function loses a parameter",
        "money",
        &[("web/format.mjs", "export function money(amount, currency) {", "export function money(amount) {")],
        &[("web/a.mjs", "", "import { money } from './format.mjs';\n\nexport const price = money(3, 'EUR');")],
    ),
    hit(
        "a function in a constant becomes asynchronous",
        "plural",
        &[("web/format.mjs", "export const plural = (count, word)", "export const plural = async (count, word)")],
        &[("web/a.mjs", "", "import * as format from './format.mjs';\n\nexport const text = format.plural(3, 'dog');")],
    ),
    hit(
        "a default class's method changes",
        "Table.row",
        &[("web/format.mjs", "  row(cells) {", "  row(cells, width) {")],
        &[(
            "web/a.mjs",
            "",
            "import Grid from './format.mjs';\n\nexport function draw() {\n  const grid = new Grid();\n  return grid.row(['a']);\n}",
        )],
    ),
    hit(
        "a component is renamed",
        "Card",
        &[("web/Card.jsx", "export function Card(", "export function Panel(")],
        &[("web/Page.jsx", "", "import { Card } from './Card';\n\nexport const Page = () => <Card title=\"a\" />;")],
    ),
    hit(
        "an exported function expression changes",
        "query",
        &[(
            "lib/db.js",
            "exports.query = function (sql, values) {",
            "exports.query = function (sql, values, options) {",
        )],
        &[("lib/b.js", "", "const db = require('./db');\n\nfunction run() {\n  return db.query('a', []);\n}")],
    ),
    hit(
        "a constructor takes more; the class is a member of the module",
        "Database.constructor",
        &[("lib/db.js", "  constructor(path) {", "  constructor(path, options) {")],
        &[("lib/b.js", "", "const db = require('./db');\n\nmodule.exports = new db.Database('x');")],
    ),
    decoy(
        "another class has a method of that name",
        &[("lib/db.js", "  close() {", "  close(force) {")],
        &[(
            "lib/b.js",
            "",
            "class File {\n  close() {}\n}\n\nfunction end() {\n  const file = new File();\n  file.close();\n}",
        )],
    ),
    decoy(
        "another module has a function of that name",
        &[("lib/users.js", "function hash(text, salt) {", "function hash(text, salt, rounds) {")],
        &[
            ("lib/crypt.js", "", "exports.hash = (text) => text;"),
            ("lib/b.js", "", "const { hash } = require('./crypt');\n\nhash('a');"),
        ],
    ),
    decoy(
        "a package has the name",
        &[("lib/users.js", "function hash(text, salt) {", "function hash(text, salt, rounds) {")],
        &[("lib/b.js", "", "const { hash } = require('bcrypt');\n\nhash('a', 10);")],
    ),
    decoy(
        "a parameter shadows it",
        &[("lib/users.js", "const normalise = (name)", "const normalise = (name, locale)")],
        &[(
            "lib/users.js",
            "module.exports =",
            "function each(normalise) {\n  return normalise('a');\n}\n\nmodule.exports =",
        )],
    ),
    decoy(
        "a block's variable shadows it",
        &[("lib/users.js", "function hash(text, salt) {", "function hash(text, salt, rounds) {")],
        &[(
            "lib/users.js",
            "module.exports =",
            "function short(text) {\n  if (text) {\n    let hash = (one) => one;\n    return hash(text);\n  }\n  return text;\n}\n\nmodule.exports =",
        )],
    ),
    decoy(
        "text and comments",
        &[("web/format.mjs", "export function money(", "export function cash(")],
        &[("web/a.mjs", "", "// money(1, 'EUR')\nexport const help = \"money(amount, currency)\";")],
    ),
    decoy(
        "a parameter with a default is added",
        &[(
            "web/format.mjs",
            "export function money(amount, currency) {",
            "export function money(amount, currency, digits = 2) {",
        )],
        &[("web/a.mjs", "", "import { money } from './format.mjs';\n\nexport const price = money(3, 'EUR');")],
    ),
    decoy(
        "already adapted",
        &[("lib/users.js", "function hash(text, salt) {", "function hash(text, salt, rounds) {")],
        &[("lib/app.js", "return users;", "return users.hash('a', 'b', 3);")],
    ),
    decoy(
        "an unknown receiver",
        &[("lib/users.js", "  find(id) {", "  lookup(id) {")],
        &[("lib/b.js", "", "module.exports = (list) => list.find((one) => one.id === 1);")],
    ),
    decoy(
        "only the body changes",
        &[("lib/users.js", "const mixed = text + salt;", "const mixed = salt + text;")],
        &[("lib/app.js", "return users;", "return users.hash('a', 'b');")],
    ),
];
