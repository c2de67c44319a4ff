package main

import "example.com/app/store"

func main() {
	opened := store.Open("x")
	_ = opened
}
