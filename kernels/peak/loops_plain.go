//go:build noasm || !amd64

package peak

var loops = [...]Loop{plainF32, plainI8}
