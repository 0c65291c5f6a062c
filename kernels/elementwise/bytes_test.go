package elementwise

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"assay/kernels/numeric"
	"assay/kernels/quantize"

	"github.com/stretchr/testify/require"
)

// TestPairsAreONNXRuntimes compares whole tables with testdata/golden.json, which testdata/golden.py writes.
func TestPairsAreONNXRuntimes(t *testing.T) { eachTier(t, pairsAreONNXRuntimes) }

func pairsAreONNXRuntimes(t *testing.T) {
	var golden struct {
		Cases []struct {
			Op, Form, SHA256, Row string
			Signed                bool
			Params                [3][2]float64
		}
	}
	raw, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &golden))
	require.NotEmpty(t, golden.Cases)
	a, b, run := make([]uint8, 1<<16), make([]uint8, 1<<16), make([]uint8, 1<<16)
	for i := range a {
		a[i], b[i] = uint8(i>>8), uint8(i)
	}
	for i, c := range golden.Cases {
		t.Run(fmt.Sprintf("%d %s %s signed %v", i, c.Op, c.Form, c.Signed), func(t *testing.T) {
			var s [3]quantize.Side
			for k, p := range c.Params {
				s[k] = quantize.Side{Affine: numeric.Affine{Scale: float32(p[0]), Zero: int32(p[1])}, Signed: c.Signed}
			}
			p := NewMul(s[0], s[1], s[2])
			if c.Op == "QLinearAdd" {
				p = NewAdd(s[0], s[1], s[2])
			}
			require.Equal(t, c.Row, hex.EncodeToString(p.t[200<<8:200<<8+16]))
			require.Equal(t, c.SHA256, fmt.Sprintf("%x", sha256.Sum256(p.t[:])))
			p.Run(run, a, b, []int{1 << 16}, []int{1}, []int{1})
			require.Equal(t, p.t[:], run, "the row kernel follows the table")
		})
	}
}

// TestPairsBeyondInt32: ratios of scales by which a result leaves int32 before it is rounded, or is no number, and the last ones that
// do not, give rows their table all the same.
func TestPairsBeyondInt32(t *testing.T) { eachTier(t, pairsBeyondInt32) }

func pairsBeyondInt32(t *testing.T) {
	a, b, run := make([]uint8, 1<<16), make([]uint8, 1<<16), make([]uint8, 1<<16)
	for i := range a {
		a[i], b[i] = uint8(i>>8), uint8(i)
	}
	for _, scale := range []float32{1, 1e3, 4e6, 1e7, 1e12, 1e38} {
		for _, signed := range []bool{false, true} {
			zero := int32(200)
			if signed {
				zero = -100
			}
			x := quantize.Side{Affine: numeric.Affine{Scale: scale, Zero: zero}, Signed: signed}
			y := quantize.Side{Affine: numeric.Affine{Scale: 1, Zero: zero / 2}, Signed: signed}
			z := quantize.Side{Affine: numeric.Affine{Scale: 1e-3, Zero: zero / 2}, Signed: signed}
			for _, p := range []*Pair{NewAdd(x, y, y), NewAdd(y, x, y), NewMul(x, y, y), NewMul(x, x, z)} {
				p.Run(run, a, b, []int{1 << 16}, []int{1}, []int{1})
				require.Equal(t, p.t[:], run, "scale %g, signed %v, product %v", scale, signed, p.form.mul)
			}
		}
	}
}

func randomBytes(rng *rand.Rand, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		b[i] = uint8(rng.Uint32())
	}
	return b
}

// canary returns n bytes between two runs of marks, and a check that the marks are whole.
func canary(t *testing.T, n int) (mid []uint8, check func()) {
	all := make([]uint8, n+128)
	for i := range all {
		all[i] = 0xa5
	}
	return all[64 : 64+n : 64+n], func() {
		t.Helper()
		for i, v := range all {
			if (i < 64 || i >= 64+n) && v != 0xa5 {
				require.Failf(t, "wrote outside", "%d elements, place %d", n, i-64)
			}
		}
	}
}

func TestLookupAndPairOfEveryLength(t *testing.T) { eachTier(t, lookupAndPairOfEveryLength) }

func lookupAndPairOfEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	side := func(s float32, z int32) quantize.Side {
		return quantize.Side{Affine: numeric.Affine{Scale: s, Zero: z}}
	}
	p := NewAdd(side(0.1, 3), side(0.07, 200), side(0.11, 77))
	table := p.With(9)
	for n := range 140 {
		a, b := randomBytes(rng, n), randomBytes(rng, n)
		dst, check := canary(t, n)
		Lookup(dst, a, table)
		check()
		for i := range dst {
			require.Equal(t, table[a[i]], dst[i])
		}
		p.Run(dst, a, b, []int{n}, []int{1}, []int{1})
		check()
		for i := range dst {
			require.Equal(t, p.t[int(a[i])<<8|int(b[i])], dst[i])
		}
		p.Run(dst, a, []uint8{9}, []int{n}, []int{1}, []int{0})
		for i := range dst {
			require.Equal(t, table[a[i]], dst[i])
		}
		p.Run(dst, []uint8{9}, b, []int{n}, []int{0}, []int{1})
		for i := range dst {
			require.Equal(t, p.t[9<<8|int(b[i])], dst[i])
		}
	}
}

// TestPairsOfRowsThatRepeat has an operand whose rows repeat over pixels, or over batch and pixels, on either side: what
// scales channels. Rows lie on both sides of the length up to which they are written side by side.
func TestPairsOfRowsThatRepeat(t *testing.T) { eachTier(t, pairsOfRowsThatRepeat) }

func pairsOfRowsThatRepeat(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	side := func(s float32, z int32) quantize.Side {
		return quantize.Side{Affine: numeric.Affine{Scale: s, Zero: z}}
	}
	p := NewMul(side(0.1, 3), side(0.07, 200), side(0.11, 77))
	for _, channels := range []int{1, 2, 7, 32, 96, 144, 511, 512, 513} {
		for _, pixels := range []int{1, 2, 3, 37} {
			batch := 1 + rng.IntN(3)
			n := batch * pixels * channels
			long, few := randomBytes(rng, n), randomBytes(rng, batch*channels)
			shape := []int{batch, pixels, channels}
			dense, repeats := []int{pixels * channels, channels, 1}, []int{channels, 0, 1}
			dst, check := canary(t, n)
			verify := func(at func(l, f uint8) uint8) {
				t.Helper()
				check()
				for i := range dst {
					f := few[i/(pixels*channels)*channels+i%channels]
					if want := at(long[i], f); want != dst[i] {
						require.Equal(t, want, dst[i], "%v, place %d", shape, i)
					}
				}
			}
			p.Run(dst, long, few, shape, dense, repeats)
			verify(func(l, f uint8) uint8 { return p.t[int(l)<<8|int(f)] })
			p.Run(dst, few, long, shape, repeats, dense)
			verify(func(l, f uint8) uint8 { return p.t[int(f)<<8|int(l)] })
			copy(dst, long)
			p.Run(dst, dst, few, shape, dense, repeats) // in place
			verify(func(l, f uint8) uint8 { return p.t[int(l)<<8|int(f)] })
		}
	}
}

// TestPairsOfRowsWithANumber has an operand with one element for each row, which repeats over the batch: what scales channels where
// pixels lie innermost.
func TestPairsOfRowsWithANumber(t *testing.T) { eachTier(t, pairsOfRowsWithANumber) }

func pairsOfRowsWithANumber(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	side := func(s float32, z int32) quantize.Side {
		return quantize.Side{Affine: numeric.Affine{Scale: s, Zero: z}}
	}
	p := NewAdd(side(0.1, 3), side(0.07, 200), side(0.11, 77))
	for _, pixels := range []int{2, 31, 32, 33, 256, 2047, 2048, 2049, 5000} {
		const batch, channels = 2, 3
		long, few := randomBytes(rng, batch*channels*pixels), randomBytes(rng, channels)
		shape, dense, still := []int{batch, channels, pixels}, []int{channels * pixels, pixels, 1}, []int{0, 1, 0}
		want, swapped := make([]uint8, len(long)), make([]uint8, len(long))
		for i, l := range long {
			f := few[i/pixels%channels]
			want[i], swapped[i] = p.t[int(l)<<8|int(f)], p.t[int(f)<<8|int(l)]
		}
		dst, check := canary(t, len(long))
		p.Run(dst, long, few, shape, dense, still)
		check()
		require.Equal(t, want, dst, "%d pixels", pixels)
		p.Run(dst, few, long, shape, still, dense)
		check()
		require.Equal(t, swapped, dst, "%d pixels", pixels)
	}
}

// TestTables compares with the definition.
func TestTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for _, columns := range []int{1, 2, 63, 200} {
		tables := make([][256]uint32, columns)
		for c := range tables {
			for i := range tables[c] {
				tables[c][i] = rng.Uint32()
			}
		}
		for _, rows := range []int{0, 1, 5} {
			src, dst := randomBytes(rng, rows*columns), make([]uint32, rows*columns+1)
			Tables(dst, src, tables)
			for i, v := range src {
				require.Equal(t, tables[i%columns][v], dst[i], "%d columns, place %d", columns, i)
			}
			require.Zero(t, dst[len(src)])
		}
	}
}

func BenchmarkPair(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	side := quantize.Side{Affine: numeric.Affine{Scale: 0.1, Zero: 3}}
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			NewAdd(side, side, side)
		}
	})
	p := NewAdd(side, side, side)
	x, y, d := randomBytes(rng, 1<<16), randomBytes(rng, 1<<16), make([]uint8, 1<<16)
	b.Run("run", func(b *testing.B) {
		b.SetBytes(1 << 16)
		for b.Loop() {
			p.Run(d, x, y, []int{1 << 16}, []int{1}, []int{1})
		}
	})
	b.Run("lookup", func(b *testing.B) {
		b.SetBytes(1 << 16)
		for b.Loop() {
			Lookup(d, x, p.With(3))
		}
	})
}

// TestEqualPairs compares numbers with rows, both ways round, and other broadcasts.
func TestEqualPairs(t *testing.T) { eachTier(t, equalPairs) }

func equalPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for _, n := range []int{1, 31, 32, 33, 100, 257} {
		for _, c := range []struct{ a, b []int }{{[]int{5, 1}, []int{1, n}}, {[]int{1, n}, []int{5, 1}}, {[]int{5, n}, []int{5, n}}, {[]int{5, n}, []int{5, 1}}, {[]int{1, 1}, []int{5, n}}} {
			shape := []int{5, n}
			sa, _ := strides(shape, c.a)
			sb, _ := strides(shape, c.b)
			fill := func(s []int) []int32 {
				v := make([]int32, s[0]*s[1])
				for i := range v {
					if v[i] = int32(rng.IntN(4)) - 1; rng.IntN(9) == 0 {
						v[i] = -1 << 31
					}
				}
				return v
			}
			a, b := fill(c.a), fill(c.b)
			dst, check := canary(t, 5*n)
			EqualPairs(dst, a, b, shape, sa, sb)
			check()
			for i := range 5 {
				for j := range n {
					want := uint8(0)
					if a[i*sa[0]+j*sa[1]] == b[i*sb[0]+j*sb[1]] {
						want = 1
					}
					require.Equal(t, want, dst[i*n+j], "%v %v at %d, %d", c.a, c.b, i, j)
				}
			}
		}
	}
}

// BenchmarkTables looks eight samples of 508 places and 512 channels up, bytes being near the zero point as activations are.
func BenchmarkTables(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	src := make([]uint8, 8*508*512)
	for i := range src {
		src[i] = uint8(min(max(128+12*rng.NormFloat64(), 0), 255))
	}
	dst, t := make([]uint32, len(src)), make([][256]uint32, 512)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		Tables(dst, src, t)
	}
}
