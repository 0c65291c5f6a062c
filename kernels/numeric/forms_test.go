package numeric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	negZero = float32(math.Copysign(0, -1))
	infinte = float32(math.Inf(1))
)

func bitsOf(v float32) uint32 { return math.Float32bits(v) }

func TestNaNWinsAndPlusZeroIsLarger(t *testing.T) {
	otherNaN := math.Float32frombits(0xffc01234)
	for _, c := range []struct{ a, b, max, min float32 }{
		{1, 2, 2, 1},
		{0, negZero, 0, negZero},
		{negZero, 0, 0, negZero},
		{negZero, negZero, negZero, negZero},
		{otherNaN, 1, NaN(), NaN()},
		{1, otherNaN, NaN(), NaN()},
		{infinte, otherNaN, NaN(), NaN()},
		{-infinte, infinte, infinte, -infinte},
	} {
		require.Equal(t, bitsOf(c.max), bitsOf(Max(c.a, c.b)), "max(%v,%v)", c.a, c.b)
		require.Equal(t, bitsOf(c.min), bitsOf(Min(c.a, c.b)), "min(%v,%v)", c.a, c.b)
	}
	v := []float32{1, otherNaN, negZero}
	CanonAll(v)
	require.Equal(t, []uint32{bitsOf(1), 0x7fc00000, 0x80000000}, []uint32{bitsOf(v[0]), bitsOf(v[1]), bitsOf(v[2])})
}

func TestClamp(t *testing.T) {
	require.Equal(t, bitsOf(0), bitsOf(Relu().Apply(negZero)))
	require.Equal(t, bitsOf(negZero), bitsOf(Clamp{}.Apply(negZero)))
	require.Equal(t, bitsOf(negZero), bitsOf(Clamp{On: true, Lo: -1, Hi: 1}.Apply(negZero)))
	require.Equal(t, uint32(nanBits), bitsOf(Relu().Apply(-NaN())))
	require.Equal(t, uint32(nanBits), bitsOf(Clamp{}.Apply(-NaN())))
	require.Equal(t, float32(2), Clamp{On: true, Lo: 5, Hi: 2}.Apply(3))
	require.Equal(t, float32(6), Clamp{On: true, Lo: 0, Hi: 6}.Apply(infinte))
}

func TestRoundClamp(t *testing.T) {
	for _, c := range []struct {
		v    float32
		want int32
	}{
		{0.5, 0}, {1.5, 2}, {2.5, 2}, {-0.5, 0}, {-1.5, -2}, {-2.5, -2}, {0.50000006, 1}, {0.49999997, 0}, {254.5, 254}, {253.5, 254},
		{255.5, 255}, {1e30, 255}, {-1e30, -128}, {infinte, 255}, {-infinte, -128}, {NaN(), -128}, {negZero, 0}, {-127.5, -128}, {-128.6, -128},
	} {
		require.Equal(t, c.want, RoundClamp(c.v, -128, 255), "%v", c.v)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		v := float32(rng.Float64()*8388606 - 4194303)
		require.Equal(t, int32(math.RoundToEven(float64(v))), Round(v))
		h := float32(rng.IntN(2000000)-1000000) + 0.5
		require.Equal(t, int32(math.RoundToEven(float64(h))), Round(h))
	}
}

// TestLevelAddsZeroBehindRounding: a half goes to the even level counted from the zero point, and what is no number to the lowest.
func TestLevelAddsZeroBehindRounding(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct {
		v      float32
		zero   int32
		lo, hi int32
		want   int32
	}{
		{0.25, 1, 0, 255, 1}, {0.75, 1, 0, 255, 3}, {0.25, 0, 0, 255, 0}, {-0.75, 7, 0, 255, 5}, {inf, 7, 0, 255, 255}, {-inf, 7, 0, 255, 0},
		{NaN(), 7, 0, 255, 0}, {NaN(), -3, -128, 127, -128}, {1e30, -128, -128, 127, 127}, {63.25, 0, -128, 127, 126}, {100, 5, -32768, 32767, 205},
	} {
		require.Equal(t, c.want, Affine{Scale: 0.5, Zero: c.zero}.Level(c.v, c.lo, c.hi), "%v, zero point %d", c.v, c.zero)
	}
	for _, zero := range []int32{-128, -5, 0, 127} {
		a := Affine{Scale: 0.37, Zero: zero}
		for q := int32(-128); q < 128; q++ {
			require.Equal(t, q, a.Level(a.Real(q), -128, 127), "there and back")
		}
	}
}

// TestRangeIsOfTheType, signed or not.
func TestRangeIsOfTheType(t *testing.T) {
	type word int16
	for want, got := range map[[2]int32][2]int32{
		{0, 255}: pair(Range[uint8]()), {-128, 127}: pair(Range[int8]()), {0, 65535}: pair(Range[uint16]()), {-32768, 32767}: pair(Range[word]()),
	} {
		require.Equal(t, want, got)
	}
}

func pair(a, b int32) [2]int32 { return [2]int32{a, b} }

func TestRequant(t *testing.T) {
	r := NewRequant([]float32{0.5, 0.25}, 3)
	for _, c := range []struct {
		acc  int32
		ch   int
		want uint8
	}{
		{1, 0, 3}, {3, 0, 5}, {5, 0, 5}, {-7, 0, 0}, {-5, 0, 1}, {504, 0, 255}, {503, 0, 255}, {6, 1, 5}, {math.MaxInt32, 0, 255}, {math.MinInt32, 1, 0},
	} {
		require.Equal(t, c.want, r.At(c.acc, c.ch), "acc %d channel %d", c.acc, c.ch)
	}
	// An accumulator beyond 2^24 is rounded half to even before the product.
	one := NewRequant([]float32{0x1p-20}, 0)
	require.Equal(t, uint8(24), one.At(24<<20+1<<19+1, 7))
	nan := float32(math.NaN())
	require.Equal(t, uint8(0), NewRequant([]float32{nan}, 4).At(100, 0))
	for _, c := range []struct {
		mult    []float32
		bounded bool
	}{
		{[]float32{0.5, -0x1.fffffep-1}, true}, {[]float32{0x1.fffffep-1}, true}, {[]float32{0.5, 1}, false}, {[]float32{-1, 0}, false},
		{[]float32{nan}, false}, {[]float32{float32(math.Inf(-1))}, false}, {nil, true},
	} {
		require.Equal(t, c.bounded, NewRequant(c.mult, 0).Bounded(), "%v", c.mult)
	}
}

// naiveLanes is the definition of the sum over the last axis, element by element.
func naiveLanes(x []float32) float32 {
	var c [Lanes]Chain
	for i, v := range x {
		c[i%Lanes].Add(v)
	}
	var t [Lanes]float32
	for j := range t {
		t[j] = c[j].Sum()
	}
	for _, h := range []int{8, 4, 2, 1} {
		for j := range h {
			t[j] += t[j+h]
		}
	}
	return t[0]
}

func TestSumIsItsDefinitionForEveryLengthAndCut(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	x := make([]float32, 2*Run*Lanes+300)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	lengths := []int{Run*Lanes - 1, Run * Lanes, Run*Lanes + 1, 2 * Run * Lanes, len(x)}
	for n := range 70 {
		lengths = append(lengths, n)
	}
	for _, n := range lengths {
		want := naiveLanes(x[:n])
		require.Equal(t, bitsOf(want), bitsOf(Sum(x[:n])), "%d elements", n)
		var s LaneSum
		for rest := x[:n]; len(rest) > 0; {
			k := min(len(rest), 1+rng.IntN(40))
			s.Add(rest[:k])
			rest = rest[k:]
		}
		require.Equal(t, bitsOf(want), bitsOf(s.Sum()), "%d elements in pieces", n)
	}
}

func TestChainRestartsAfterRun(t *testing.T) {
	var c Chain
	c.Add(1 << 24)
	for range Run - 1 {
		c.Add(1) // lost one by one beside 2^24
	}
	require.Equal(t, float32(1<<24), c.Sum())
	for range Run {
		c.Add(1)
	}
	require.Equal(t, float32(1<<24+Run), c.Sum())
	require.Equal(t, bitsOf(0), bitsOf(new(Chain).Sum()))
}
