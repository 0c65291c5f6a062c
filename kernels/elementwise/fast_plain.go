//go:build !amd64 || noasm

package elementwise

func fastRows(Op2, []float32, []float32, []float32) int   { return 0 }
func fastClip([]float32, []float32, float32, float32) int { return 0 }
func fastLookup([]uint8, []uint8, *[256]uint8) int        { return 0 }
func fastPair(*Pair, []uint8, []uint8, []uint8) int       { return 0 }

func fastEqual([]uint8, []int32, int32) int { return 0 }

func fastNumber(_ Op2, _, _ []float32, _ float32) int { return 0 }

func fastUnary(_ Op1, _, _ []float32, _, _ float32) int { return 0 }

func fastMulAdd(_, _ []float32, _ float32) int { return 0 }
