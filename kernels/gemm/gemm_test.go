package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// shapes has every tail of rows, columns and depth around the tiles of all tiers, and some larger ones.
func shapes() [][3]int {
	var s [][3]int
	for m := 1; m <= 30; m++ {
		s = append(s, [3]int{m, 17, 5}, [3]int{m, 48, 5}, [3]int{m, 41, 7})
		// Several groups of panels, which fetch nothing from the second on, and a depth from which results are fetched.
		s = append(s, [3]int{m, 90, 65}, [3]int{m, 62, 66})
	}
	for n := 1; n <= 66; n++ {
		s = append(s, [3]int{3, n, 6}, [3]int{15, n, 3})
	}
	for k := 0; k <= 20; k++ {
		s = append(s, [3]int{15, 33, k}, [3]int{1, 16, k})
	}
	// The last ones cross the rows that pass by one kind of tiles before the other, and weights that pass by in groups.
	return append(s, [3]int{100, 100, 100}, [3]int{1, 300, 64}, [3]int{257, 8, 9}, [3]int{257, 70, 9}, [3]int{19, 150, 2000})
}

// floats is mostly ordinary, with the numbers that rules of comparison and of NaN are about.
func floats(r *rand.Rand, n int, odd bool) []float32 {
	special := []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.NaN()),
		-math.MaxFloat32, 1e-40, -3e-42, 1 << 24}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
		if odd && r.IntN(40) == 0 {
			v[i] = special[r.IntN(len(special))]
		}
	}
	return v
}

var clamps = []numeric.Clamp{
	{}, numeric.Relu(), {On: true, Lo: 0, Hi: 6}, {On: true, Lo: -1, Hi: float32(math.Copysign(0, -1))},
	{On: true, Lo: float32(math.Copysign(0, -1)), Hi: 1}, {On: true, Lo: 2, Hi: -2}, {On: true, Lo: -1, Hi: 0},
}

func eachTier(t *testing.T, f func(t *testing.T)) {
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			f(t)
		})
	}
}

// TestF32IsOneChain compares bits with the chain of the contract, for buffers that end at a page without access.
func TestF32IsOneChain(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for i, s := range shapes() {
			m, n, k := s[0], s[1], s[2]
			lda, ldd := k+i%3, n+i%4
			act := clamps[i%len(clamps)]
			a, b, bias := floats(r, max(0, (m-1)*lda+k), i%2 == 0), floats(r, k*n, i%2 == 0), floats(r, n, true)
			p := PackF32(b, k, n, false, bias)
			if i%3 == 0 {
				p, bias = PackF32(transposed(b, k, n), k, n, true, nil), make([]float32, n)
			}
			got := guard.Slice[float32](t, (m-1)*ldd+n)
			for j := range got {
				got[j] = 77
			}
			p.Run(got, ldd, guard.Copy(t, a), lda, m, act)
			for x := range got {
				row, col := x/ldd, x%ldd
				want := float32(77)
				if col < n {
					want = bias[col]
					for j := range k {
						want = numeric.FMA32(a[row*lda+j], b[j*n+col], want)
					}
					want = act.Apply(want)
				}
				if math.Float32bits(want) != math.Float32bits(got[x]) {
					require.Failf(t, "bits differ", "%v, clamp %v: [%d][%d] is %x, want %x", s, act, row, col,
						math.Float32bits(got[x]), math.Float32bits(want))
				}
			}
		}
	})
}

func transposed[T any](b []T, k, n int) []T {
	t := make([]T, len(b))
	for i := range k {
		for j := range n {
			t[j*k+i] = b[i*n+j]
		}
	}
	return t
}

// TestDeepChainContinues crosses the depth at which a float kernel stores and continues its sums.
func TestDeepChainContinues(t *testing.T) {
	const m, n, k = 2, 17, 40000
	r := rand.New(rand.NewPCG(3, 4))
	a, b := floats(r, m*k, false), floats(r, k*n, false)
	want := make([]float32, m*n)
	for i := range want {
		for j := range k {
			want[i] = numeric.FMA32(a[i/n*k+j], b[j*n+i%n], want[i])
		}
		want[i] = max(want[i], 0)
	}
	p := PackF32(b, k, n, false, nil)
	eachTier(t, func(t *testing.T) {
		got := make([]float32, m*n)
		p.Run(got, n, a, k, m, numeric.Relu())
		require.Equal(t, want, got)
	})
}

// caseI8 is a product with everything that may vary.
type caseI8 struct {
	m, n, k, lda, ldd int
	a                 []uint8
	b, bZero          []int8
	bias              []int32
	aZero             uint8
	rq                numeric.Requant
}

func newCaseI8(r *rand.Rand, s [3]int, i int) caseI8 {
	c := caseI8{m: s[0], n: s[1], k: s[2], lda: s[2] + i%3, ldd: s[1] + i%4, aZero: uint8(r.IntN(256))}
	c.a, c.b = make([]uint8, max(0, (c.m-1)*c.lda+c.k)), make([]int8, c.k*c.n)
	for j := range c.a {
		c.a[j] = uint8(r.IntN(256)) | uint8(i%5/4*0xff)
	}
	for j := range c.b {
		c.b[j] = int8(r.IntN(256))
	}
	c.bias = make([]int32, c.n)
	for j := range c.bias {
		c.bias[j] = int32(r.IntN(20000) - 10000)
	}
	switch i % 4 {
	case 2:
		c.bZero = []int8{int8(r.IntN(256))}
	case 3:
		c.bZero = make([]int8, c.n)
		for j := range c.bZero {
			c.bZero[j] = int8(r.IntN(256))
		}
	}
	zero := int32(r.IntN(256))
	if i%3 == 0 {
		zero = 0 // kernels do not add it
	}
	mult := make([]float32, 1+i%2*(c.n-1))
	for j := range mult {
		mult[j] = float32(math.Exp(-4 - 6*r.Float64()))
	}
	switch {
	case i%7 == 0:
		mult[0] = 0.5 // ties
	case i%11 == 0:
		mult[len(mult)-1] = 1e9 // beyond int32
	case i%13 == 0:
		mult[0] = 0x1.fffffep-1 // the largest that kernels need not limit
	}
	c.rq = numeric.NewRequant(mult, zero)
	return c
}

func (c caseI8) acc(row, col int) int32 {
	zero := 0
	if len(c.bZero) > 0 {
		zero = int(c.bZero[col%len(c.bZero)])
	}
	acc := int(c.bias[col])
	for j := range c.k {
		acc += (int(c.a[row*c.lda+j]) - int(c.aZero)) * (int(c.b[j*c.n+col]) - zero)
	}
	return int32(acc)
}

// TestI8IsExact compares with integer arithmetic, for buffers that end at a page without access.
func TestI8IsExact(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for i, s := range shapes() {
			c := newCaseI8(r, s, i)
			p := PackI8(c.b, c.k, c.n, false, c.bias, c.bZero)
			if i%2 == 0 {
				p = PackI8(transposed(c.b, c.k, c.n), c.k, c.n, true, c.bias, c.bZero)
			}
			got, float := guard.Slice[uint8](t, (c.m-1)*c.ldd+c.n), guard.Slice[float32](t, (c.m-1)*c.ldd+c.n)
			a, mult := guard.Copy(t, c.a), guard.Copy(t, c.rq.Mult)
			p.Run(got, c.ldd, a, c.lda, c.m, c.aZero, numeric.NewRequant(mult, c.rq.Zero))
			p.RunFloat(float, c.ldd, a, c.lda, c.m, c.aZero, mult)
			for x := range got {
				row, col := x/c.ldd, x%c.ldd
				if col >= c.n {
					require.Zero(t, got[x], "%v: [%d][%d] is outside", s, row, col)
					require.Zero(t, float[x], "%v: [%d][%d] is outside", s, row, col)
					continue
				}
				acc := c.acc(row, col)
				if want := c.rq.At(acc, col); got[x] != want {
					require.Failf(t, "differ", "%v: [%d][%d] is %d, want %d", s, row, col, got[x], want)
				}
				if want := float32(acc) * mult[col%len(mult)]; float[x] != want {
					require.Failf(t, "differ", "%v: [%d][%d] is %g, want %g", s, row, col, float[x], want)
				}
			}
		}
	})
}

// TestRunAllocatesNothing covers tails, zero points and single multipliers.
func TestRunAllocatesNothing(t *testing.T) {
	const m, n, k = 17, 37, 27
	f := PackF32(make([]float32, k*n), k, n, false, nil)
	q := PackI8(make([]int8, k*n), k, n, false, nil, []int8{5})
	fd, fa, qd, qa := make([]float32, m*n), make([]float32, m*k), make([]uint8, m*n), make([]uint8, m*k)
	rq := numeric.NewRequant([]float32{0.1}, 0)
	eachTier(t, func(t *testing.T) {
		require.Zero(t, testing.AllocsPerRun(5, func() {
			f.Run(fd, n, fa, k, m, numeric.Relu())
			q.Run(qd, n, qa, k, m, 3, rq)
			q.RunFloat(fd, n, qa, k, m, 3, rq.Mult)
		}))
	})
}

func ExampleF32() {
	p := PackF32([]float32{1, 2, 3, 4}, 2, 2, false, []float32{10, 20})
	dst := make([]float32, 2)
	p.Run(dst, 2, []float32{1, -1}, 2, 1, numeric.Clamp{})
	fmt.Println(dst)
	// Output: [8 18]
}
