//go:build !amd64 || noasm

package move

func fastThree(_, _, _, _ []byte) int { return 0 }

func fastThreeWords(_, _, _, _ []uint32) int { return 0 }

func fastTranspose() bool { return false }

func transposeStrip(_, _ []uint32, _, _, _ int) {}
