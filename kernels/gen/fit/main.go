// Command fit finds the coefficients of package numeric's polynomials of float32 and prints them as they stand there:
//
//	cd kernels/gen && go run ./fit
//
// Each is the polynomial whose largest weighted error is least (Remez's exchange on a fine grid, in float64), its
// coefficients rounded to float32. The error printed is that of the rounded polynomial in exact arithmetic.
package main

import (
	"fmt"
	"math"
)

// target is a function to fit on [lo, hi] by a polynomial whose first coefficients are given; the error at x counts
// weight(x) times.
type target struct {
	name      string
	lo, hi    float64
	given     []float64
	degree    int
	f, weight func(x float64) float64
}

var targets = []target{
	// exp(r), relative, where |r| is at most half of ln 2 and what the rounding of the quotient adds.
	{"expCoef32", -0.34658, 0.34658, []float64{1, 1}, 6, math.Exp, func(r float64) float64 { return math.Exp(-r) }},
	// erf(x)/x - 1 as a function of x*x up to 1, relative to erf(x)/x.
	{"erfCoef32", 1e-9, 1, nil, 6, func(z float64) float64 { return erfOver(z) - 1 }, func(z float64) float64 { return 1 / erfOver(z) }},
	// log2(erfc(x)) from 1 to 4; the error that it makes in erf(x), relative.
	{"erfcCoef32", 1, 4, nil, 6, func(x float64) float64 { return math.Log2(math.Erfc(x)) },
		func(x float64) float64 { return math.Ln2 * math.Erfc(x) / math.Erf(x) }},
	// 2^r on |r| <= 1/2, relative; it becomes erfc, which is at most 0.19 of erf.
	{"exp2Coef32", -0.5, 0.5, []float64{1}, 5, math.Exp2, func(r float64) float64 { return math.Exp2(-r) }},
}

func erfOver(z float64) float64 { return math.Erf(math.Sqrt(z)) / math.Sqrt(z) }

func main() {
	for _, t := range targets {
		c := t.rounded()
		fmt.Printf("%s // error 2^%.1f\n", t.name, math.Log2(t.worst(c)))
		for _, v := range c {
			fmt.Printf("\t%x, // %v\n", v, v)
		}
	}
}

// rounded is the best polynomial, its coefficients rounded to float32.
func (t target) rounded() []float64 {
	c := t.best()
	for i, v := range c {
		c[i] = float64(float32(v))
	}
	return c
}

func at(c []float64, x float64) float64 {
	s := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		s = s*x + c[i]
	}
	return s
}

// err is the weighted error of c at x, over the sign of the first power that is free: what alternates is that quotient.
func (t target) err(c []float64, x float64) float64 { return (at(c, x) - t.f(x)) * t.signed(x) }

// signed is the weight with the sign of the first free power of x.
func (t target) signed(x float64) float64 {
	if x < 0 && len(t.given)%2 == 1 {
		return -t.weight(x)
	}
	return t.weight(x)
}

const grid = 4000

// node is a point of the grid, which is finer towards both ends.
func (t target) node(i int) float64 {
	return (t.lo+t.hi)/2 - (t.hi-t.lo)/2*math.Cos(math.Pi*float64(i)/grid)
}

func (t target) worst(c []float64) float64 {
	w := 0.0
	for i := range grid + 1 {
		w = max(w, math.Abs(t.err(c, t.node(i))))
	}
	return w
}

// best is the minimax polynomial that begins with the given coefficients.
func (t target) best() []float64 {
	free := t.degree + 1 - len(t.given)
	ref := make([]float64, free+1)
	for i := range ref {
		ref[i] = t.node(grid * (2*i + 1) / (2*free + 2))
	}
	var c []float64
	for range 60 {
		c = t.levelled(ref)
		next := t.extrema(c, len(ref))
		if next == nil {
			break
		}
		ref = next
	}
	return c
}

// levelled is the polynomial whose errors at the points of ref are equal with alternating signs.
func (t target) levelled(ref []float64) []float64 {
	n := len(ref)
	m := make([][]float64, n)
	for i, x := range ref {
		m[i] = make([]float64, n+1)
		w := t.signed(x)
		for j := range n - 1 {
			m[i][j] = w * math.Pow(x, float64(len(t.given)+j))
		}
		m[i][n-1] = float64(1 - 2*(i%2))
		m[i][n] = w * (t.f(x) - at(t.given, x))
	}
	solve(m)
	c := append([]float64{}, t.given...)
	for i := range n - 1 {
		c = append(c, m[i][n])
	}
	return c
}

// extrema are the n points of largest error of alternating signs, or nil if there are fewer.
func (t target) extrema(c []float64, n int) []float64 {
	var x, e []float64
	for i := range grid + 1 {
		p := t.node(i)
		v := t.err(c, p)
		switch last := len(x) - 1; {
		case last < 0 || v*e[last] < 0:
			x, e = append(x, p), append(e, v)
		case math.Abs(v) > math.Abs(e[last]):
			x[last], e[last] = p, v
		}
	}
	for len(x) > n {
		if math.Abs(e[0]) < math.Abs(e[len(e)-1]) {
			x, e = x[1:], e[1:]
		} else {
			x, e = x[:len(x)-1], e[:len(e)-1]
		}
	}
	if len(x) < n {
		return nil
	}
	return x
}

// solve leaves the solution of n equations in the last column, by elimination with pivots.
func solve(m [][]float64) {
	n := len(m)
	for k := range n {
		p := k
		for i := k; i < n; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[p][k]) {
				p = i
			}
		}
		m[k], m[p] = m[p], m[k]
		for i := range n {
			if i == k {
				continue
			}
			f := m[i][k] / m[k][k]
			for j := k; j <= n; j++ {
				m[i][j] -= f * m[k][j]
			}
		}
	}
	for i := range n {
		m[i][n] /= m[i][i]
	}
}
