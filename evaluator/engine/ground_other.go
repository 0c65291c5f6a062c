//go:build !linux

package engine

// reserve is memory of n bytes; systems give it when it is written.
func reserve(n int) []byte { return make([]byte, n) }

// abandon leaves b to the garbage collector.
func abandon([]byte) {}

// forsake does nothing: the memory stays the process's until abandon.
func forsake([]byte) {}
