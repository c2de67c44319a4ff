//! TypeScript and TSX.

use super::{Suite, decoy, hit};

pub(super) static SUITE: Suite = Suite { name: "TypeScript", base: BASE, cases: CASES };

const BASE: &[(&str, &str)] = &[
    (
        "src/api/client.ts",
        r"import type { Options } from '../types';

export const RETRIES = 3;

export class Client {
  private cache: Cache;

  constructor(private url: string, options?: Options) {
    this.cache = new Cache(10);
  }

  async get(path: string, retries = 1): Promise<string> {
    return this.cache.read(path) ?? path;
  }

  close(): void {
    this.cache.clear();
  }

  static create(url: string): Client {
    return new Client(url);
  }
}

export class Cache {
  constructor(private size: number) {}

  read(key: string): string | undefined {
    return key;
  }

  clear(): void {
    console.log('cleared', this.size);
  }
}

export function buildUrl(host: string, path: string): string {
  const joined = [host, path].join('/');
  return joined.toLowerCase();
}

export const formatDate = (date: Date, zone?: string): string => {
  return date.toISOString() + (zone ?? '');
};

export default function connect(url: string): Client {
  return Client.create(url);
}
",
    ),
    (
        "src/types.ts",
        "export interface Options {\n  timeout: number;\n  retries?: number;\n}\n\nexport type Name = string;\n\nexport enum Level {\n  Low,\n  High,\n}\n",
    ),
    ("src/index.ts", "export { Client, buildUrl } from './api/client';\nexport * from './types';\n"),
    (
        "src/ui/Button.tsx",
        "import { formatDate } from '../api/client';\n\nexport function Button({ label }: { label: string }) {\n  return <button>{label}</button>;\n}\n\nexport function Clock() {\n  return <span>{formatDate(new Date())}</span>;\n}\n",
    ),
    (
        "src/page.ts",
        "import * as api from './api/client';\n\nexport function page(client: api.Client) {\n  return client;\n}\n",
    ),
];

const CASES: &[super::Case] = &[
    hit(
        "a required parameter is added; a named import is called",
        "buildUrl",
        &[(
            "src/api/client.ts",
            "buildUrl(host: string, path: string)",
            "buildUrl(host: string, path: string, query: string)",
        )],
        &[("src/a.ts", "", "import { buildUrl } from './api/client';\n\nexport const home = buildUrl('x', 'y');")],
    ),
    hit(
        "a function is renamed; it comes through an index file",
        "buildUrl",
        &[
            ("src/api/client.ts", "export function buildUrl(", "export function makeUrl("),
            ("src/index.ts", "buildUrl", "makeUrl"),
        ],
        &[("src/a.ts", "", "import { buildUrl } from '.';\n\nexport const home = buildUrl('x', 'y');")],
    ),
    hit(
        "a method goes; a typed parameter has it",
        "Client.close",
        &[("src/api/client.ts", "  close(): void {\n    this.cache.clear();\n  }\n", "")],
        &[("src/page.ts", "return client;", "client.close();\n  return client;")],
    ),
    hit(
        "a method changes; a value made on the spot has it",
        "Client.get",
        &[("src/api/client.ts", "async get(path: string, retries = 1)", "async get(method: string, path: string)")],
        &[(
            "src/a.ts",
            "",
            "import { Client } from './index';\n\nexport async function load() {\n  const client = new Client('u');\n  return await client.get('p');\n}",
        )],
    ),
    hit(
        "a constructor takes more",
        "Cache.constructor",
        &[
            (
                "src/api/client.ts",
                "constructor(private size: number) {}",
                "constructor(private size: number, private ttl: number) {}",
            ),
            ("src/api/client.ts", "new Cache(10)", "new Cache(10, 60)"),
        ],
        &[("src/a.ts", "", "import { Cache } from './api/client';\n\nexport const cache = new Cache(5);")],
    ),
    hit(
        "a default export changes; it is imported under another name",
        "connect",
        &[(
            "src/api/client.ts",
            "function connect(url: string): Client",
            "function connect(url: string, token: string): Client",
        )],
        &[("src/a.ts", "", "import open from './api/client';\n\nexport const client = open('u');")],
    ),
    hit(
        "a function in a constant is renamed; a namespace import leads there",
        "formatDate",
        &[("src/api/client.ts", "export const formatDate =", "export const printDate =")],
        &[("src/page.ts", "return client;", "console.log(api.formatDate(new Date()));\n  return client;")],
    ),
    hit(
        "an interface's member is renamed",
        "Options.timeout",
        &[("src/types.ts", "timeout: number;", "deadline: number;")],
        &[(
            "src/a.ts",
            "",
            "import type { Options } from './types';\n\nexport function wait(options: Options) {\n  return options.timeout * 2;\n}",
        )],
    ),
    hit(
        "an attribute's method changes",
        "Cache.read",
        &[(
            "src/api/client.ts",
            "  read(key: string): string | undefined {",
            "  read(key: string, fallback: string): string {",
        )],
        &[(
            "src/api/client.ts",
            "  close(): void {",
            "  peek(): string {\n    return this.cache.read('k') ?? '';\n  }\n\n  close(): void {",
        )],
    ),
    hit(
        "a component is renamed; JSX uses it",
        "Button",
        &[("src/ui/Button.tsx", "export function Button(", "export function PrimaryButton(")],
        &[(
            "src/ui/Form.tsx",
            "",
            "import { Button } from './Button';\n\nexport function Form() {\n  return <form><Button label=\"go\" /></form>;\n}",
        )],
    ),
    hit(
        "an enum's case goes",
        "Level.High",
        &[("src/types.ts", "  Low,\n  High,", "  Low,")],
        &[("src/a.ts", "", "import { Level } from '.';\n\nexport const level = Level.High;")],
    ),
    hit(
        "a method becomes an instance's",
        "Client.create",
        &[("src/api/client.ts", "  static create(url: string): Client {", "  create(url: string): Client {")],
        &[("src/page.ts", "return client;", "return api.Client.create('u');")],
    ),
    decoy(
        "another class has a method of that name",
        &[("src/api/client.ts", "  close(): void {", "  close(code: number): void {")],
        &[(
            "src/a.ts",
            "",
            "class Door {\n  close() {\n    return 1;\n  }\n}\n\nexport function shut() {\n  const door = new Door();\n  door.close();\n}",
        )],
    ),
    decoy(
        "another module has a function of that name",
        &[(
            "src/api/client.ts",
            "buildUrl(host: string, path: string)",
            "buildUrl(host: string, path: string, query: string)",
        )],
        &[
            ("src/urls.ts", "", "export function buildUrl(a: string, b: string) {\n  return a + b;\n}"),
            ("src/a.ts", "", "import { buildUrl } from './urls';\n\nexport const home = buildUrl('x', 'y');"),
        ],
    ),
    decoy(
        "a package of that name",
        &[("src/api/client.ts", "export const formatDate =", "export const printDate =")],
        &[("src/a.ts", "", "import { formatDate } from 'date-fns';\n\nexport const now = formatDate(new Date());")],
    ),
    decoy(
        "a parameter shadows it",
        &[(
            "src/api/client.ts",
            "buildUrl(host: string, path: string)",
            "buildUrl(host: string, path: string, query: string)",
        )],
        &[(
            "src/api/client.ts",
            "export default function",
            "export function use(buildUrl: (a: string) => string) {\n  return buildUrl('a');\n}\n\nexport default function",
        )],
    ),
    decoy(
        "a local constant shadows it",
        &[(
            "src/api/client.ts",
            "export const formatDate = (date: Date, zone?: string)",
            "export const formatDate = (date: Date, zone: string)",
        )],
        &[(
            "src/api/client.ts",
            "export default function",
            "export function use() {\n  const formatDate = (d: Date) => d.toString();\n  return formatDate(new Date());\n}\n\nexport default function",
        )],
    ),
    decoy(
        "text and comments",
        &[
            ("src/api/client.ts", "export function buildUrl(", "export function makeUrl("),
            ("src/index.ts", "buildUrl", "makeUrl"),
        ],
        &[("src/a.ts", "", "// buildUrl('a', 'b')\nexport const help = `buildUrl(host, path)`;")],
    ),
    decoy(
        "an optional parameter is added",
        &[(
            "src/api/client.ts",
            "buildUrl(host: string, path: string)",
            "buildUrl(host: string, path: string, query?: string)",
        )],
        &[("src/a.ts", "", "import { buildUrl } from './api/client';\n\nexport const home = buildUrl('x', 'y');")],
    ),
    decoy(
        "already adapted",
        &[(
            "src/api/client.ts",
            "buildUrl(host: string, path: string)",
            "buildUrl(host: string, path: string, query: string)",
        )],
        &[("src/a.ts", "", "import { buildUrl } from './api/client';\n\nexport const home = buildUrl('x', 'y', 'z');")],
    ),
    decoy(
        "only the body changes",
        &[("src/api/client.ts", "return joined.toLowerCase();", "return joined.toUpperCase();")],
        &[("src/a.ts", "", "import { buildUrl } from './api/client';\n\nexport const home = buildUrl('x', 'y');")],
    ),
    decoy(
        "an unknown receiver",
        &[("src/api/client.ts", "  close(): void {", "  shutdown(): void {")],
        &[("src/a.ts", "", "export function end(thing: any) {\n  thing.close();\n}")],
    ),
    decoy(
        "it moved and is exported again",
        &[
            (
                "src/api/client.ts",
                "export function buildUrl(host: string, path: string): string {\n  const joined = [host, path].join('/');\n  return joined.toLowerCase();\n}",
                "export { buildUrl } from '../urls';",
            ),
            (
                "src/urls.ts",
                "",
                "export function buildUrl(host: string, path: string): string {\n  const joined = [host, path].join('/');\n  return joined.toLowerCase();\n}",
            ),
        ],
        &[("src/a.ts", "", "import { buildUrl } from './api/client';\n\nexport const home = buildUrl('x', 'y');")],
    ),
    decoy(
        "a built-in has the name",
        &[("src/api/client.ts", "  clear(): void {", "  clear(all: boolean): void {")],
        &[("src/a.ts", "", "export function reset() {\n  const seen = new Map<string, string>();\n  seen.clear();\n}")],
    ),
];
