package signal

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFourierIsItsSum for lengths with and without factors of two, and back again.
func TestFourierIsItsSum(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8, 10, 12, 15, 64} {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		xr, xi := make([]float64, n), make([]float64, n)
		for i := range n {
			xr[i], xi[i] = r.Float64()-0.5, r.Float64()-0.5
		}
		yr, yi := make([]float64, n), make([]float64, n)
		f := NewFourier(n)
		f.Run(yr, yi, xr, xi, false)
		for k := range n {
			sum := complex(0, 0)
			for j := range n {
				sum += complex(xr[j], xi[j]) * cmplx.Exp(complex(0, -2*math.Pi*float64(j*k)/float64(n)))
			}
			require.InDelta(t, real(sum), yr[k], 1e-12)
			require.InDelta(t, imag(sum), yi[k], 1e-12)
		}
		zr, zi := make([]float64, n), make([]float64, n)
		f.Run(zr, zi, yr, yi, true)
		require.InDeltaSlice(t, xr, zr, 1e-13)
		require.InDeltaSlice(t, xi, zi, 1e-13)
	}
}

// TestFourierOfNothing ends, and writes nothing.
func TestFourierOfNothing(t *testing.T) {
	require.NotPanics(t, func() {
		NewFourier(0).Run(nil, nil, nil, nil, false)
		NewFourier(0).Run(nil, nil, nil, nil, true)
	})
}

// TestWindowsStartAndEndLow and are symmetric around their middle.
func TestWindowsStartAndEndLow(t *testing.T) {
	for _, c := range []struct {
		w   Window
		low float64
	}{{Hann, 0}, {Hamming, 4. / 46}, {Blackman, 0}} {
		require.InDelta(t, c.low, c.w.At(0, 9, false), 1e-15)
		require.InDelta(t, 1, c.w.At(4, 9, false), 1e-15)
		for i := range 9 {
			require.InDelta(t, c.w.At(i, 9, false), c.w.At(8-i, 9, false), 1e-15)
			require.InDelta(t, c.w.At(i, 9, false), c.w.At(i, 8, true), 1e-15, "a periodic window lacks the last element")
		}
		require.Equal(t, 1.0, c.w.At(0, 1, false))
	}
}

// TestMelTrianglesAreOneAtTheirCentres, and stay inside the spectrum.
func TestMelTrianglesAreOneAtTheirCentres(t *testing.T) {
	dst := make([]float32, 33*6)
	Mel(dst, 33, 6, 64, 8000, 0, 4000)
	for m := range 6 {
		top := float32(0)
		for b := range 33 {
			v := dst[b*6+m]
			require.True(t, v >= 0 && v <= 1)
			top = max(top, v)
		}
		require.Equal(t, float32(1), top)
	}
	Mel(dst, 33, 6, 64, 1, 0, 1e12)
}

// TestMelOfFewBins: more triangles than bins, so that corners meet; a rise without width is 1 at its centre, and places that are no
// number, or below 0, are bin 0.
func TestMelOfFewBins(t *testing.T) {
	const bins, mels = 3, 8
	dst := make([]float32, bins*mels)
	Mel(dst, bins, mels, 4, 8000, 0, 4000)
	place := make([]int, mels+2)
	for i := range place {
		hertz := 700 * (math.Pow(10, float64(i)*2595*math.Log10(1+4000./700)/(mels+2)/2595) - 1)
		place[i] = int(math.Floor(5 * hertz / 8000))
	}
	for m := range mels {
		for b := range bins {
			left, centre, right, want := place[m], place[m+1], place[m+2], 0.0
			switch {
			case b == centre:
				want = 1
			case left < b && b < centre:
				want = float64(b-left) / float64(centre-left)
			case centre < b && b < right:
				want = float64(right-b) / float64(right-centre)
			}
			require.InDelta(t, want, dst[b*mels+m], 1e-6, "bin %d of triangle %d: corners %d, %d, %d", b, m, left, centre, right)
		}
	}
	for _, rate := range []float64{0, math.NaN(), -8000} {
		odd := []float32{5, 5, 5, 5, 5, 5, 5, 5, 5}
		Mel(odd, 3, 3, 4, rate, 0, 0)
		require.Equal(t, []float32{1, 1, 1, 0, 0, 0, 0, 0, 0}, odd, "rate %v", rate)
	}
}
