//go:build !amd64 || noasm

package tier

func detect() Tier { return Plain }
