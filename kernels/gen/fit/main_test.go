package main

import (
	"math"
	"testing"

	"assay/kernels/numeric"
)

// TestCoefficientsAreThoseThatAreFound: package numeric has what this command prints, to the bit, and the errors that it states.
func TestCoefficientsAreThoseThatAreFound(t *testing.T) {
	at := map[string]struct {
		entry int
		error float64 // exponent of two
	}{
		"expCoef32": {numeric.TableExp, -28.0}, "erfCoef32": {numeric.TableErf, -28.6}, "erfcCoef32": {numeric.TableErfc, -27.5}, "exp2Coef32": {numeric.TableExp2, -23.1},
	}
	if len(targets) != len(at) {
		t.Fatalf("%d polynomials are found, %d are known here", len(targets), len(at))
	}
	for _, target := range targets {
		want := at[target.name]
		c := target.rounded()
		for i, v := range c {
			if got := numeric.Table[want.entry+i][0]; got != float32(v) {
				t.Errorf("%s[%d] is %x in package numeric, %x is found", target.name, i, got, v)
			}
		}
		if e := math.Log2(target.worst(c)); math.Abs(e-want.error) > 0.06 {
			t.Errorf("%s has an error of 2^%.2f, 2^%.1f is stated", target.name, e, want.error)
		}
	}
}

// TestBestHasEqualErrors: a cubic that begins like exp, whose errors at the extrema alternate and are alike, as of a minimax polynomial;
// no other one near it is better.
func TestBestHasEqualErrors(t *testing.T) {
	target := target{"", -0.5, 0.5, []float64{1}, 3, math.Exp, func(float64) float64 { return 1 }}
	c := target.best()
	x := target.extrema(c, 4)
	if x == nil || c[0] != 1 {
		t.Fatalf("%v has fewer than 4 extrema", c)
	}
	worst := target.worst(c)
	for i, p := range x {
		if e := target.err(c, p) * float64(1-2*(i%2)) * math.Copysign(1, target.err(c, x[0])); math.Abs(e-worst) > 1e-3*worst {
			t.Errorf("the error at %v is %v, the largest %v", p, e, worst)
		}
	}
	for i := 1; i < len(c); i++ {
		for _, by := range []float64{1e-5, -1e-5} {
			other := append([]float64{}, c...)
			if other[i] += by; target.worst(other) <= worst {
				t.Errorf("%v is better than %v", other, c)
			}
		}
	}
}

// TestSolve by elimination, with a pivot that is 0 where it stands.
func TestSolve(t *testing.T) {
	m := [][]float64{{0, 2, 1, 7}, {1, 1, 1, 6}, {3, 0, -1, 0}}
	solve(m)
	for i, want := range []float64{1, 2, 3} {
		if math.Abs(m[i][3]-want) > 1e-12 {
			t.Errorf("x%d is %v, want %v", i, m[i][3], want)
		}
	}
}
