package dataset

import (
	"fmt"
	"math"
)

// Affine is the normalisation of one input: y = (x/Scale - Mean[c])/Std[c], in float32 (see the package comment). Scale
// is a divisor: 255 brings bytes to 0..1. Mean and Std have one value, one per channel in the order in which the model has the
// channels, or none; Scale 0 means none.
type Affine struct {
	Scale     float32
	Mean, Std []float32
}

// None says that the affine changes nothing.
func (a Affine) None() bool { return a.Scale == 0 && len(a.Mean) == 0 && len(a.Std) == 0 }

// check refuses values that give no number, and lists whose length fits neither 1 nor the channels.
func (a Affine) check(channels int) error {
	if math.IsNaN(float64(a.Scale)) || math.IsInf(float64(a.Scale), 0) || a.Scale < 0 {
		return fmt.Errorf("scale %v: a positive divisor is needed, such as 255", a.Scale)
	}
	for i, list := range [][]float32{a.Mean, a.Std} {
		what := [...]string{"mean", "std"}[i]
		if n := len(list); n > 1 && n != channels {
			return fmt.Errorf("%s has %d values, the data has %d channels: give 1 or %d", what, n, channels, channels)
		}
		for _, v := range list {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) || what == "std" && v == 0 {
				return fmt.Errorf("%s %v: a finite number is needed, and a divisor may not be 0", what, v)
			}
		}
	}
	return nil
}

// of is the affine of one channel as a function. Each step rounds once to float32: the conversions forbid fusion.
func (a Affine) of(channel int) func(float32) float32 {
	scale, mean, std := a.Scale, pick(a.Mean, channel, 0), pick(a.Std, channel, 1)
	return func(x float32) float32 {
		if scale != 0 && scale != 1 {
			x = float32(x / scale)
		}
		if mean != 0 {
			x = float32(x - mean)
		}
		if std != 1 {
			x = float32(x / std)
		}
		return x
	}
}

// table is the affine of every byte of one channel.
func (a Affine) table(channel int) *[256]float32 {
	var t [256]float32
	f := a.of(channel)
	for i := range t {
		t[i] = f(float32(i))
	}
	return &t
}

func pick(list []float32, i int, neutral float32) float32 {
	switch len(list) {
	case 0:
		return neutral
	case 1:
		return list[0]
	}
	return list[i]
}
