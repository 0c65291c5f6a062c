//go:build !race

package op

const race = false
