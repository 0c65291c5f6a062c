//go:build !amd64 || noasm

package curve

import "assay/kernels/numeric"

func fastExp(_, _ []float32, _ float32) bool                                   { return false }
func fast(_ which, _, _ []float32) bool                                        { return false }
func fastMax(_ []float32) (float32, int)                                       { return lowest, 0 }
func fastLanes(_ *[numeric.Lanes]float32, _ []float32, _ float32, _ bool) bool { return false }
func fastDivide(_, _ []float32, _ float32) int                                 { return 0 }
func fastNormalise(_, _, _, _ []float32, _, _ float32) int                     { return 0 }
