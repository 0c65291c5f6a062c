//go:build !amd64 || noasm

package tier

const hasVBMI = false

func detect() Tier { return Plain }
