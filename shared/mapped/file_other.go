//go:build !unix

package mapped

import "os"

// mapFile reads the file where mapping is not to be had.
func mapFile(path string, _ int64) ([]byte, error) { return os.ReadFile(path) }
