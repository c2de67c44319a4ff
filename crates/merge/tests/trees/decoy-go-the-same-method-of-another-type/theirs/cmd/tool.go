package main

import "example.com/app/cache"

func main() {
	kept := &cache.Cache{}
	_ = kept.Find(1)
}
