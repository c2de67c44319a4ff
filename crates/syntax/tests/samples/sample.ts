import def, { a as b, c } from './x';
import * as ns from "../y";
import type { T } from './t';
import './side';
export { q as r } from './z';
export * from './w';
export * as st from './w2';
export default class Foo<T> extends Bar<T> implements Baz, ns.Qux {
  private readonly x: number = 1;
  static #p?: Foo;
  constructor(private repo: Repo, public n?: number) { super(n); }
  async m(a: string, b?: number, c = 2, ...rest: any[]): Promise<Foo> { this.repo.save(a); return new ns.Thing(a, ...rest); }
  get v(): number { return 1 }
  arrow = (x: number) => this.m(x);
}
export interface I extends J { f(a: number): string; p?: string; readonly g: (x: number) => void }
export type U = { a: string } | Foo;
export enum E { A = 1, B }
export const fn = async ({ a, b: bb = 1 }: Props, [c]: string[]) => { const { z, y: w } = a; let q: Foo = foo(); return q; };
export function g(this: Foo, x: number): void;
const r = require('./cjs');
const { h, i: ii } = require('./cjs2');
export { fn as default, g };
export default fn;
abstract class Z { abstract k(x: number): void; }
namespace N { export function inner() {} }
declare function d(a: string): void;
x = a as Foo; y = b!; z?.foo?.(1); w = import('./dyn');
for (const u of us) { u.go() } try {} catch (err) { err.x }
label.foo`tpl`;
