package store

type Store struct {
	rows []string
}

func (s *Store) Find(id int) string {
	return s.rows[id]
}

func Open(path string, limit int) *Store {
	return &Store{rows: []string{path}}
}
