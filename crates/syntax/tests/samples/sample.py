from ..pkg import foo as bar, baz
import os.path as op, a.b
from x import *
from . import sib
@deco(1)
class A(Base, meta=M):
    """doc"""
    x: int = 3
    def __init__(self, a, b=1, *args, c: str, d: int = 2, **kw) -> None:
        self.repo = Repo(a)
        super().run(a, k=1, *z, **w)
    async def m(self, /, q, *, r): 
        y: Foo = await g()
        with open() as f: pass
        for i, j in x: pass
        return lambda t: t.z
K = 1
z, w = 1, 2
if (n := foo()): pass
try: pass
except ValueError as e: pass
[p for p in q]
def g(x: Optional[Foo] = None): global h; nonlocal_ = 1; del x
match cmd:
    case Foo(x=1): pass
