//go:build amd64 && !linux && !noasm

package tier

// tilesGranted is for systems whose way to ask for tile registers is not known here.
func tilesGranted() bool { return false }
