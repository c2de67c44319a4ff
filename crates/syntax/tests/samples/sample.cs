using System; using X = A.B.C; using static A.B.Util; global using Z;
namespace N.M { 
/// <summary>doc</summary>
[Attr(1)] public class A<T> : B<T>, IC where T : new() { private readonly Repo _repo = new Repo(1), k; public int P { get; set; } = 1; public A(Repo r, int x = 1) : base(r) { _repo = r; } public async Task<Foo> M(string a, ref int b, int? c = null, params int[] d) { var f = new Foo(1) { A = 1 }; Foo g = await f.Go(a, name: 1); this.M(1); base.M(2); M(3); foreach (var z in xs) z.X(); if (o is Foo h) h.Y(); f?.Z(1); Util.K(); Func<int,int> q = (x) => x; int t(int u) => u; nameof(M); G<int>(1); Foo w = new(1); return null; } 
 public int this[int i] => 1; event Action E1; delegate void Dg(int a); }
interface I { void F(int a); } enum E { X, Y } record R(int A, string B); struct S { public int X; const int K = 1; } static class Ext { public static int Sz(this Foo f, int x) => 1; } }
namespace File.Scoped;
