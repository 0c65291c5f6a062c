package numeric

import (
	"math"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCurvesAreWithinTwoUnits measures the distance to the true value, for which package math's float64 stands, in units
// in the last place of float32: in steps that a prime keeps from any pattern, or for all 2^32 arguments where
// ASSAY_EXHAUSTIVE is set (ten minutes of a core).
func TestCurvesAreWithinTwoUnits(t *testing.T) {
	step := uint64(997)
	switch {
	case os.Getenv("ASSAY_EXHAUSTIVE") != "":
		step = 1
	case testing.Short():
		step = 9973
	}
	for _, c := range []struct {
		name  string
		f     func(float32) float32
		exact func(float64) float64
		edges []float32
	}{
		{"exp", Exp, math.Exp, []float32{0, 88.72284, -87.33655, -103.27893, -103.97208, expHigh, expLow, math.MaxFloat32}},
		{"sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
			[]float32{0, -88.02969, -87.33655, -103.97208, 16.635532, -16.635532, 17.328680, sigHigh, expLow, math.MaxFloat32}},
		{"tanh", Tanh, math.Tanh, []float32{0, 0.17328679, 8.144406, 8.317766, 9.0109, tanhHigh, 0x1p-126, math.MaxFloat32}},
		{"erf", Erf, math.Erf, []float32{0, erfNear, 3.8325, 3.92, erfHigh, 0x1p-126, math.MaxFloat32}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &worst{f: c.f, exact: c.exact}
			var wait sync.WaitGroup
			const part = 1 << 28
			for from := uint64(0); from < 1<<32; from += part {
				wait.Go(func() { w.search(from, from+part, step) })
			}
			wait.Wait()
			for _, edge := range c.edges {
				for _, sign := range []uint32{0, signBit} {
					at := uint64(bitsOf(edge) ^ sign)
					w.search(max(at, 2000)-2000, at+2000, 1)
				}
			}
			t.Logf("at most %.4f units off, at %x", w.distance, w.at)
			require.LessOrEqual(t, w.distance, 2.0, "at %x", w.at)
		})
	}
}

// worst is where a function is farthest from the true value.
type worst struct {
	f        func(float32) float32
	exact    func(float64) float64
	lock     sync.Mutex
	distance float64
	at       float32
}

// search tries the arguments whose patterns are from, from+step, ... below to.
func (w *worst) search(from, to, step uint64) {
	most, at := 0.0, float32(0)
	for b := from; b < to; b += step {
		x := math.Float32frombits(uint32(b))
		if d := distance(w.f(x), w.exact(float64(x))); !(d <= most) {
			most, at = d, x
		}
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	if !(most <= w.distance) {
		w.distance, w.at = most, at
	}
}

// distance is how far got is from want in units of float32's last place there. It is infinite where got has the wrong sign, is
// NaN or infinite and should not be, or the other way round, or is another NaN than kernels store.
func distance(got float32, want float64) float64 {
	rounded := float32(want)
	special := func(v float32) bool { return v != v || math.IsInf(float64(v), 0) }
	switch {
	case want != want && bitsOf(got) == nanBits || special(rounded) && got == rounded:
		return 0
	case special(rounded) || special(got) || math.Signbit(float64(got)) != math.Signbit(want):
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	return math.Abs(float64(got)-want) / math.Ldexp(1, max(e-24, -149))
}
