package com.a.b;
import com.x.Foo; import static com.x.Bar.baz; import com.y.*;
/** doc */
@Ann(x = 1)
public abstract class A<T> extends B<T> implements C, d.D {
  private final Repo repo = new Repo(1); static int K = 1, L;
  public A(Repo r, int... xs) throws E { super(r); this.repo = r;  }
  @Override public static <X> List<Foo> m(final String a, Foo<T> b) { Foo f = new Foo(); var g = f.go(a).more(); for (Foo z : xs) z.x(); try (R r = o()) {} catch (E e) {} Runnable q = (p) -> p.run(); q = Foo::bar; foo(); this.foo(); super.foo(); Foo.K.z(); int[] y; Object o = (Foo) g; if (o instanceof Foo ff) {} switch(o) {} return null; }
  interface I { int f(int a); default void g() {} } enum E { X, Y(1); void k() {} } record R(int a, String b) {}
}
