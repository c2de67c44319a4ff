package store
import ( "fmt"; alias "github.com/x/y/z"; . "dot"; _ "blank" )
// doc
type Store struct { db *sql.DB; Name, Other string; Embedded; *pkg.Emb }
type I interface { Get(ctx context.Context, id int) (*T, error); Other }
type F func(a int) error
type ( A = B; C int )
func New(a, b int, opts ...Option) (*Store, error) { s := &Store{db: 1, Name: "x"}; var q Store = Foo(); x, err := s.Get(1, 2); for i, v := range xs { v.run(i) }; if e := f(); e != nil { }; switch t := x.(type) { case *T: t.foo() }; func(a int) { a.b() }(1); s.db.Query(); alias.Do(x...); return nil, nil }
func (s *Store) Get(ctx context.Context, id int) (r *T, err error) { return s.Other.pkg }
func (Store) V() {}
const ( K = 1; L )
var V, W int = 1, 2
func G[T any](x T) T { var y []T; G[int](1); return x }
