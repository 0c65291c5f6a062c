package gemm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
)

// TestRepackedF32EqualsPacked compares products of matrices packed into memory of the caller, which begins anywhere and
// holds anything, with those of matrices packed once.
func TestRepackedF32EqualsPacked(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 1))
		for i, s := range shapes() {
			m, n, k := s[0], s[1], s[2]
			a, b := floats(r, m*k, i%2 == 0), guard.Copy(t, floats(r, k*n, i%2 == 0))
			want := make([]float32, m*n)
			bias := floats(r, n*(i%2), true)
			if i%2 == 0 {
				bias = nil
			}
			PackF32(b, k, n, false, bias).Run(want, n, a, k, m, numeric.Clamp{})
			space := guard.Slice[uint8](t, SpaceF32(k, n))
			for j := range space {
				space[j] = 0xee
			}
			p := RepackF32(space, b, k, n, bias)
			got := guard.Slice[float32](t, m*n)
			p.Run(got, n, a, k, m, numeric.Clamp{})
			for j := range want {
				require.Equal(t, math.Float32bits(want[j]), math.Float32bits(got[j]), "%v: element %d", s, j)
			}
		}
	})
}

// TestRepackedI8IsExact compares with integer arithmetic, for signed and unsigned bytes and every kind of zero point.
func TestRepackedI8IsExact(t *testing.T) {
	eachTier(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(12, 1))
		for i, s := range append(shapes(), [3]int{230, 20, 9}, [3]int{3, 33, 2100}) {
			m, n, k := s[0], s[1], s[2]
			a, b := guard.Slice[uint8](t, m*k), guard.Slice[uint8](t, k*n)
			for j := range a {
				a[j] = uint8(r.Uint32()) | uint8(i%7/6*0xff)
			}
			for j := range b {
				b[j] = uint8(r.Uint32())
			}
			signed, aZero := i%2 == 1, uint8(r.IntN(256))
			zero := []int32{128, 0, 255, int32(r.IntN(256))}[i/2%4]
			if signed {
				zero -= 128
			}
			rq := numeric.NewRequant([]float32{float32(math.Exp(-4 - 6*r.Float64()))}, 3)
			bias := make([]int32, n*(i%3/2))
			for j := range bias {
				bias[j] = int32(r.IntN(20000) - 10000)
			}
			space := guard.Slice[uint8](t, SpaceI8(k, n))
			for j := range space {
				space[j] = 0xee
			}
			p := RepackI8(space, b, signed, k, n, bias, zero)
			got, float := guard.Slice[uint8](t, m*n), guard.Slice[float32](t, m*n)
			p.Run(got, n, a, k, m, aZero, rq)
			p.RunFloat(float, n, a, k, m, aZero, rq.Mult)
			for x := range got {
				acc := int32(0)
				if len(bias) > 0 {
					acc = bias[x%n]
				}
				for j := range k {
					v := int32(b[j*n+x%n])
					if signed {
						v = int32(int8(v))
					}
					acc += (int32(a[x/n*k+j]) - int32(aZero)) * (v - zero)
				}
				require.Equal(t, rq.At(acc, 0), got[x], "%v: element %d", s, x)
				require.Equal(t, float32(acc)*rq.Mult[0], float[x], "%v: element %d", s, x)
			}
		}
	})
}

func TestRepackAllocatesNothing(t *testing.T) {
	const m, n, k = 17, 37, 27
	space := make([]byte, max(SpaceF32(k, n), SpaceI8(k, n)))
	fd, fa, fb := make([]float32, m*n), make([]float32, m*k), make([]float32, k*n)
	qd, qa, qb := make([]uint8, m*n), make([]uint8, m*k), make([]uint8, k*n)
	rq := numeric.NewRequant([]float32{0.1}, 0)
	eachTier(t, func(t *testing.T) {
		require.Zero(t, testing.AllocsPerRun(5, func() {
			f := RepackF32(space, fb, k, n, nil)
			f.Run(fd, n, fa, k, m, numeric.Relu())
			q := RepackI8(space, qb, false, k, n, nil, 7)
			q.Run(qd, n, qa, k, m, 3, rq)
		}))
	})
}
