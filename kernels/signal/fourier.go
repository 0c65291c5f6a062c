// Package signal computes discrete Fourier transforms, the windows in front of them and mel filters behind them. Sampling
// rates of files, tensors and an operator's attributes may not enter.
//
// Everything is float64 with products rounded before sums; callers round results to float32 once, and make NaN canonical.
// Functions allocate in New functions and in Mel only and are safe for concurrent use with distinct buffers.
package signal

import "assay/kernels/numeric"

// Fourier transforms signals of N complex numbers. Make it with NewFourier; it may be shared. Its time is N times the largest odd
// divisor of N, and N log2 N for what is left.
type Fourier struct {
	N        int
	cos, sin []float64 // of 2*pi*j/N
}

// NewFourier makes the table for length n, 0 or more.
func NewFourier(n int) *Fourier {
	f := &Fourier{N: n, cos: make([]float64, n), sin: make([]float64, n)}
	for j := range n {
		f.sin[j], f.cos[j] = numeric.SinCosTurn(j, n)
	}
	return f
}

// Run writes sum over j of x[j] * exp(-2 pi i j k / N) for every k, or with inverse exp(+...) / N. Real and imaginary parts lie
// apart, each in N elements or more, of which the first N count. The results dr and di overlap neither x nor each other.
func (f *Fourier) Run(dr, di, xr, xi []float64, inverse bool) {
	f.part(dr[:f.N], di[:f.N], xr, xi, 0, 1, inverse)
	if !inverse {
		return
	}
	for k := range f.N {
		dr[k] /= float64(f.N)
		di[k] /= float64(f.N)
	}
}

// part transforms the elements at first, first+step ... : halves as long as their number is even, then term by term. None are
// no halves either.
func (f *Fourier) part(dr, di, xr, xi []float64, first, step int, inverse bool) {
	n := len(dr)
	if n%2 != 0 || n == 0 {
		f.terms(dr, di, xr, xi, first, step, inverse)
		return
	}
	h := n / 2
	f.part(dr[:h], di[:h], xr, xi, first, 2*step, inverse)
	f.part(dr[h:], di[h:], xr, xi, first+step, 2*step, inverse)
	for k := range h {
		c, s := f.cos[k*step], -f.sin[k*step]
		if inverse {
			s = -s
		}
		br, bi := dr[h+k], di[h+k]
		tr, ti := float64(c*br)-float64(s*bi), float64(c*bi)+float64(s*br)
		ar, ai := dr[k], di[k]
		dr[k], di[k], dr[h+k], di[h+k] = ar+tr, ai+ti, ar-tr, ai-ti
	}
}

func (f *Fourier) terms(dr, di, xr, xi []float64, first, step int, inverse bool) {
	n := len(dr)
	for k := range n {
		var sr, si float64
		for j := range n {
			turn := j * k % n * step
			c, s := f.cos[turn], -f.sin[turn]
			if inverse {
				s = -s
			}
			a, b := xr[first+j*step], xi[first+j*step]
			sr += float64(a*c) - float64(b*s)
			si += float64(a*s) + float64(b*c)
		}
		dr[k], di[k] = sr, si
	}
}
