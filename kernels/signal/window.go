package signal

import (
	"math"

	"assay/kernels/numeric"
)

// Window is one of the windows that ONNX names: a sum of cosines of 0, 1 and 2 turns over its length.
type Window struct{ A0, A1, A2 float64 }

// The windows, with the coefficients of ONNX's HannWindow, HammingWindow and BlackmanWindow. They are read only.
var (
	Hann     = Window{0.5, -0.5, 0}
	Hamming  = Window{25. / 46, 25./46 - 1, 0}
	Blackman = Window{0.42, -0.5, 0.08}
)

// At is element i of n, 0 <= i < n; a periodic window is one of n+1 elements without the last. One that has no turn is 1.
func (w Window) At(i, n int, periodic bool) float64 {
	turns := n
	if !periodic {
		turns = n - 1
	}
	if turns < 1 {
		return 1
	}
	_, once := numeric.SinCosTurn(i%turns, turns)
	_, twice := numeric.SinCosTurn(2*i%turns, turns)
	return w.A0 + float64(w.A1*once) + float64(w.A2*twice)
}

// Mel writes the filters [bins][mels], row-major, that gather a spectrum of bins = length/2+1 into mels triangles between
// lower and upper hertz at a sampling rate, as ONNX's MelWeightMatrix defines them. Places outside the spectrum are left out; one that is
// negative or no number is bin 0. Corners of triangles are rounded down to whole bins, and a triangle whose rise has no width is 1 at
// its centre.
func Mel(dst []float32, bins, mels, length int, rate, lower, upper float64) {
	clear(dst)
	place := make([]int, mels+2)
	lo, hi := toMel(lower), toMel(upper)
	step := (hi - lo) / float64(mels+2)
	for i := range place {
		hertz := fromMel(float64(float64(i)*step) + lo)
		p := math.Floor(float64(float64(length+1)*hertz) / rate)
		if !(p >= 0) {
			p = 0
		}
		place[i] = int(min(p, float64(bins)))
	}
	set := func(bin, mel int, v float64) {
		if bin < bins {
			dst[bin*mels+mel] = float32(v)
		}
	}
	for m := range mels {
		left, centre, right := place[m], place[m+1], place[m+2]
		if centre <= left {
			set(centre, m, 1)
		}
		for j := left; j <= centre && left < centre; j++ {
			set(j, m, float64(j-left)/float64(centre-left))
		}
		for j := centre; j < right; j++ {
			set(j, m, float64(right-j)/float64(right-centre))
		}
	}
}

func toMel(hertz float64) float64 { return float64(2595 * numeric.Log64(1+hertz/700) / math.Ln10) }
func fromMel(mel float64) float64 {
	return float64(700 * (numeric.Exp64(float64(mel/2595*math.Ln10)) - 1))
}
