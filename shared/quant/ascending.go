package quant

import (
	"math"
	"slices"
)

// fewElements is the length up to which comparing elements is faster than counting their digits.
const fewElements = 512

// ascending are the elements of x, or their magnitudes, in ascending order as float64, +0 for any zero. ok is false where
// one is NaN. It sorts by digits of eleven bits, lowest first: an image has a hundred thousand elements, and each
// sample of a calibration is sorted.
func ascending(x []float32, magnitudes bool) (s []float64, ok bool) {
	keys := make([]uint32, len(x))
	for i, v := range x {
		if v != v {
			return nil, false
		}
		if magnitudes {
			v = float32(math.Abs(float64(v)))
		}
		keys[i] = orderOf(v + 0)
	}
	if len(keys) <= fewElements {
		slices.Sort(keys)
	} else {
		keys = byDigits(keys, make([]uint32, len(keys)))
	}
	s = make([]float64, len(x))
	for i, k := range keys {
		s[i] = float64(ofOrder(k))
	}
	return s, true
}

const signBit = 1 << 31

// orderOf is a number that is greater for greater floats; ofOrder is its inverse.
func orderOf(v float32) uint32 {
	b := math.Float32bits(v)
	if b&signBit != 0 {
		return ^b
	}
	return b | signBit
}

func ofOrder(k uint32) float32 {
	if k&signBit != 0 {
		return math.Float32frombits(k &^ signBit)
	}
	return math.Float32frombits(^k)
}

// byDigits sorts keys with room for as many and returns one of the two.
func byDigits(keys, room []uint32) []uint32 {
	const bits, mask = 11, 1<<11 - 1
	for shift := 0; shift < 32; shift += bits {
		var ends [mask + 1]int
		for _, k := range keys {
			ends[k>>shift&mask]++
		}
		at := 0
		for d, n := range ends {
			ends[d] = at
			at += n
		}
		for _, k := range keys {
			d := k >> shift & mask
			room[ends[d]] = k
			ends[d]++
		}
		keys, room = room, keys
	}
	return keys
}
