package cache

type Cache struct{}

func (c *Cache) Find(id int) string {
	return ""
}
