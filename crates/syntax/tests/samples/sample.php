<?php
namespace App\Models;
use App\X\Foo; use App\Y\{A, B as C}; use function App\f\helper; use const App\K;
require_once __DIR__ . '/x.php';
/** doc */
#[Attr]
abstract class M extends Base implements I1, \Root\I2 { use Tr; const K = 1; private ?Repo $repo = null, $z; public static int $st;
 public function __construct(private Repo $r, int $b = 1, string ...$c) { parent::__construct($r); $this->repo = new Repo(1); }
 public static function make(?Foo $a, &$b): static { $x = new Foo($a); $x->go(1, name: 2); self::make(1); static::q(); Foo::st(1); $this->repo->save($b); helper(1); \strlen($a); foreach ($xs as $k => $v) {} $f = function ($p) use ($x) { }; $g = fn(Foo $y) => $y->k(); try {} catch (E $e) {} if ($a instanceof Foo) {} $x?->n; Foo::K; [$m, $n] = $x; return $x; } }
interface I { public function f(int $a): void; } trait T { function tt() {} } enum E: string { case A = 'a'; } function fn1($a) {} const Q = 1;
