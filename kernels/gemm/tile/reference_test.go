package tile

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// drawn is a Walk of random form with a matrix that it meets, and what a result is made of.
type drawn struct {
	w               Walk
	segs, length, n int      // of the packed matrix
	source, ld      int      // elements of the source; between rows of results
	first, last     int      // panels
	meets           [][2]int // row of the matrix and offset from the row's first element, of each step of a chain
	residual        bool
}

// choice is one of v.
func choice[T any](r *rand.Rand, v ...T) T { return v[r.IntN(len(v))] }

// draw makes a case that floats and bytes take: segments are met from one end, parts of them in fours.
func draw(r *rand.Rand) drawn {
	c := drawn{segs: choice(r, 1, 1, 2, 3, 5), length: choice(r, 1, 3, 4, 8, 17, 36, 64, 100), n: choice(r, 1, 3, 15, 16, 17, 33, 48, 60, 64, 80, 112, 130)}
	m := choice(r, 1, 2, 5, 6, 7, 8, 9, 13, 14, 14, 15, 20, 28, 30, 33, 127, 140)
	if m > 40 && c.segs*c.length*c.n > 2500 {
		m = 9
	}
	if r.IntN(12) == 0 { // two kinds of tiles, by which more rows than a chunk pass
		c.segs, c.length, c.n, m = 1, 8, choice(r, 80, 112), chunk+1+r.IntN(20)
	}
	if r.IntN(12) == 0 { // rows that become words, several buffers of them, and tails of all lengths
		c.segs, c.length, c.n, m = choice(r, 1, 2, 3), choice(r, 64, 128, 131, 141, 144, 158), choice(r, 48, 80, 130), choice(r, 14, 28, 70, 140)
	}
	met, firstSeg := c.segs, 0
	if c.segs > 1 && r.IntN(2) == 0 {
		if met = 1 + r.IntN(c.segs); r.IntN(2) == 0 {
			firstSeg = c.segs - met
		}
	}
	length, front := c.length, 0
	whole := r.IntN(3) == 0 && c.length%4 == 0 && c.length > 4
	if whole {
		front = 4 * r.IntN(c.length/4)
		length = 4 * (1 + r.IntN((c.length-front)/4))
	}
	var offsets []int
	at := r.IntN(5)
	for range met {
		offsets = append(offsets, at)
		at += length + r.IntN(9)
	}
	row := choice(r, length, length+1, 2*length+3, 1)
	c.w = Line(r.IntN(4), row, m, offsets, length)
	if m > half && m <= 2*half && r.IntN(2) == 0 {
		c.w.Half = half*row + r.IntN(50)
	}
	c.w.First, c.w.Front = firstSeg, front
	if whole {
		c.w.Whole = c.length
	}
	for s, o := range offsets {
		for i := range length {
			c.meets = append(c.meets, [2]int{(firstSeg+s)*c.length + front + i, o + i})
		}
	}
	for i := range m {
		c.source = max(c.source, c.w.at(i)+offsets[met-1]+length)
	}
	c.ld, c.last = c.n+r.IntN(5), (c.n+Panel-1)/Panel
	if c.last > 2 && r.IntN(2) == 0 {
		c.first = 2 * r.IntN(c.last/2)
		c.last = min(c.last, c.first+1+r.IntN(c.last-c.first))
		if (c.last-c.first)%2 == 1 && c.last < (c.n+Panel-1)/Panel {
			c.last++ // cut at even numbers
		}
	}
	c.residual = r.IntN(3) == 0
	return c
}

// columns calls f for each column and row that is written.
func (c *drawn) columns(f func(row, n int)) {
	for row := range c.w.M {
		for n := c.first * Panel; n < min(c.n, c.last*Panel); n++ {
			f(row, n)
		}
	}
}

// size is how many elements a result has.
func (c *drawn) size() int { return (c.w.M-1)*c.ld + min(c.n, c.last*Panel) }

const mark = 77

// TestF32IsItsContract: every form of a Walk, with residuals and clamps, on each tier: chains of fused multiply-adds in order, nothing
// touched beside them, the source read to its end and not beyond.
func TestF32IsItsContract(t *testing.T) {
	minus := float32(math.Copysign(0, -1))
	acts := []numeric.Clamp{{}, numeric.Relu(), {On: true, Lo: 0, Hi: 1}, {On: true, Lo: -1, Hi: minus}, {On: true, Lo: minus, Hi: 2}, {On: true, Lo: minus, Hi: minus}, {On: true, Lo: 2, Hi: -2}}
	odd := []float32{0, minus, float32(math.Inf(1)), math.Float32frombits(0xffc12345)}
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			r := rand.New(rand.NewPCG(11, 3))
			for i := range 210 {
				c := draw(r)
				number := func() float32 {
					switch {
					case i%5 == 0: // sums that are zero
						return choice(r, 0, 0, minus, minus, 1, -1)
					case i%3 == 0 && r.IntN(20) == 0:
						return choice(r, odd...)
					}
					return float32(r.NormFloat64())
				}
				weights, bias := make([]float32, c.segs*c.length*c.n), make([]float32, c.n)
				for j := range weights {
					weights[j] = number()
				}
				for j := range bias {
					bias[j] = number()
				}
				p := PackF32(c.segs*c.length, c.n, func(k, n int) float32 { return weights[k*c.n+n] }, bias)
				src, dst := guard.Slice[float32](t, c.source), guard.Slice[float32](t, c.size())
				for j := range src {
					src[j] = number()
				}
				var residual []float32
				if c.residual {
					residual = guard.Slice[float32](t, c.size())
					for j := range residual {
						residual[j] = number()
					}
				}
				for j := range dst {
					dst[j] = mark
				}
				act := acts[i%len(acts)]
				p.Run(OutF32{Dst: dst, Residual: residual, Ld: c.ld, Act: act}, src, c.w, c.first, c.last)
				want := make([]float32, len(dst))
				for j := range want {
					want[j] = mark
				}
				c.columns(func(row, n int) {
					v := bias[n]
					for _, k := range c.meets {
						v = numeric.FMA32(src[c.w.at(row)+k[1]], weights[k[0]*c.n+n], v)
					}
					if residual != nil {
						v += residual[row*c.ld+n]
					}
					want[row*c.ld+n] = act.Apply(v)
				})
				for j := range want {
					require.Equal(t, math.Float32bits(want[j]), math.Float32bits(dst[j]), "case %d: %+v, element %d: want %v, got %v", i, c, j, want[j], dst[j])
				}
			}
		})
	}
}

// TestI8IsItsContract is that of integers: zero points on both sides, weights of several parts, sums of rows, bytes and floats.
func TestI8IsItsContract(t *testing.T) {
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			r := rand.New(rand.NewPCG(12, 3))
			for i := range 250 {
				integersAgree(t, r, i)
			}
		})
	}
}

func integersAgree(t *testing.T, r *rand.Rand, i int) {
	c := draw(r)
	reach := 128
	if c.w.Whole == 0 && c.w.First == 0 && len(c.w.Segs) == c.segs && r.IntN(3) == 0 {
		reach = 256 // less a zero point
	}
	weights, bias := make([]int, c.segs*c.length*c.n), make([]int32, c.n)
	for j := range weights {
		weights[j] = r.IntN(2*reach-1) - reach + 1
	}
	for j := range bias {
		bias[j] = int32(r.IntN(4000) - 2000)
	}
	p := PackI8(c.segs, c.length, c.n, func(k, n int) int { return weights[k*c.n+n] }, bias)
	slack := 0
	if len(c.w.Segs) > 1 && c.w.Whole == 0 {
		slack = p.Slack()
	}
	segs := c.w.Segs
	for range p.Parts() - 1 {
		c.w.Segs = append(c.w.Segs, segs...)
	}
	src, zero := guard.Slice[uint8](t, c.source+slack), uint8(r.IntN(256))
	for j := range src {
		src[j] = uint8(r.IntN(256))
	}
	var add, sum []int32
	if r.IntN(3) == 0 {
		add = guard.Slice[int32](t, c.w.M)
		for j := range add {
			add[j] = int32(r.IntN(4000) - 2000)
		}
	}
	if c.w.Whole > 0 {
		sum = make([]int32, p.Panels()*Panel)
		for n := range c.n {
			for _, k := range c.meets {
				sum[n] += int32(weights[k[0]*c.n+n])
			}
		}
	}
	mult := guard.Slice[float32](t, choice(r, 1, c.n))
	for j := range mult {
		mult[j] = float32(math.Exp(-5 - 4*r.Float64()))
	}
	if i%9 == 0 {
		mult[len(mult)-1] = 1.5 // not Bounded
	}
	rq := numeric.NewRequant(mult, int32(choice(r, 0, 1, 128, 255)))
	bytes, floats := guard.Slice[uint8](t, c.size()), guard.Slice[float32](t, c.size())
	for j := range bytes {
		bytes[j], floats[j] = mark, mark
	}
	p.Run(Out{U8: bytes, Rq: rq, Ld: c.ld, Add: add, Sum: sum}, src, c.w, zero, c.first, c.last)
	p.Run(Out{F32: floats, Scale: mult, Ld: c.ld, Add: add, Sum: sum}, src, c.w, zero, c.first, c.last)
	wantBytes, wantFloats := make([]uint8, len(bytes)), make([]float32, len(floats))
	for j := range wantBytes {
		wantBytes[j], wantFloats[j] = mark, mark
	}
	c.columns(func(row, n int) {
		acc := int(bias[n])
		for _, k := range c.meets {
			acc += (int(src[c.w.at(row)+k[1]]) - int(zero)) * weights[k[0]*c.n+n]
		}
		if add != nil {
			acc += int(add[row])
		}
		wantBytes[row*c.ld+n], wantFloats[row*c.ld+n] = rq.At(int32(acc), n), float32(float32(acc)*mult[n%len(mult)])
	})
	require.Equal(t, wantBytes, bytes, "case %d: %+v, %d parts", i, c, p.Parts())
	require.Equal(t, wantFloats, floats, "case %d: %+v, %d parts", i, c, p.Parts())
}

// TestDeepChainsGoOn: chains of more steps than one call takes, over one segment and several, with lines and without.
func TestDeepChainsGoOn(t *testing.T) {
	for _, tr := range tier.Supported() {
		undo := tier.Force(tr)
		r := rand.New(rand.NewPCG(13, 3))
		for _, c := range []struct{ segs, length int }{{1, maxDepth + 5}, {2, maxDepth - 1}, {3, maxDepth + 1}, {1, 2 * maxDepth}} {
			const m, n, lines = 3, 5, 2
			k := c.segs * c.length
			weights, src := make([]float32, k*n), guard.Slice[float32](t, lines*m*k)
			for _, v := range [][]float32{weights, src} {
				for i := range v {
					v[i] = float32(r.NormFloat64())
				}
			}
			p := PackF32(k, n, func(i, j int) float32 { return weights[i*n+j] }, []float32{1, 2, 3, 4, 5})
			var offsets []int
			for s := range c.segs {
				offsets = append(offsets, s*c.length)
			}
			w := Line(0, k, m, offsets, c.length)
			residual, dst := make([]float32, lines*m*n), guard.Slice[float32](t, lines*m*n)
			for i := range residual {
				residual[i] = float32(i)
			}
			p.RunLines(OutF32{Dst: dst, Residual: residual, Ld: n, Act: numeric.Relu()}, src, w, Lines{N: lines, Src: m * k, Dst: m * n}, 0, 1)
			for i, got := range dst {
				row, col := i/n, i%n
				v := float32(col + 1)
				for j := range k {
					v = numeric.FMA32(src[row*k+j], weights[j*n+col], v)
				}
				require.Equal(t, numeric.Relu().Apply(v+residual[i]), got, "%s, %d segments of %d, element %d", tr, c.segs, c.length, i)
			}
		}
		undo()
	}
}

// TestRepackedIsPacked: matrices that are packed into dirty memory of exactly the size asked for give what packed ones give, with a zero
// point for all of them and without.
func TestRepackedIsPacked(t *testing.T) {
	for _, tr := range tier.Supported() {
		t.Run(tr.String(), func(t *testing.T) {
			defer tier.Force(tr)()
			r := rand.New(rand.NewPCG(14, 3))
			for range 150 {
				m, k, n := 1+r.IntN(9), choice(r, 1, 3, 4, 7, 8, 31, 32, 33, 70, 300), choice(r, 1, 5, 15, 16, 17, 40, 64)
				dirty := func(size int) []byte { // begins anywhere
					b := guard.Slice[uint8](t, size+r.IntN(70))
					for i := range b {
						b[i] = 0xee
					}
					return b[len(b)-size:]
				}
				fb, fa, bias := make([]float32, k*n), make([]float32, m*k), make([]float32, n)
				qb, qa, qbias := guard.Slice[uint8](t, k*n), guard.Slice[uint8](t, m*k), make([]int32, n)
				for i := range fb {
					fb[i], qb[i] = float32(r.NormFloat64()), uint8(r.IntN(256))
				}
				for i := range fa {
					fa[i], qa[i] = float32(r.NormFloat64()), uint8(r.IntN(256))
				}
				for i := range bias {
					bias[i], qbias[i] = float32(i), int32(100*i)
				}
				if r.IntN(2) == 0 {
					bias, qbias = nil, nil
				}
				w := Line(0, k, m, []int{0}, k)
				got, want := make([]float32, m*n), make([]float32, m*n)
				repacked := RepackF32(dirty(SpaceF32(k, n)), guard.Copy(t, fb), k, n, bias)
				require.False(t, repacked.Plain())
				repacked.Run(OutF32{Dst: got, Ld: n}, fa, w, 0, panels(n))
				PackF32(k, n, func(i, j int) float32 { return fb[i*n+j] }, bias).Run(OutF32{Dst: want, Ld: n}, fa, w, 0, panels(n))
				require.Equal(t, want, got, "%d x %d x %d", m, k, n)

				signed, zero := r.IntN(2) == 0, int32(choice(r, 0, -128, 127, 5))
				flip := uint8(0x80)
				if signed {
					flip = 0
				}
				p := RepackI8(dirty(SpaceI8(k, n)), qb, flip, k, n, qbias, zero)
				require.Equal(t, zero != 0, p.Zero())
				add := make([]int32, m)
				for i := range add {
					add[i] = 99 // does not matter
				}
				p.RowSums(add, qa, w)
				p.Run(Out{F32: got, Scale: []float32{1}, Ld: n, Add: add}, qa, w, 7, 0, p.Panels())
				q := PackI8(1, k, n, func(i, j int) int { return int(int8(qb[i*n+j]^flip)) - int(zero) }, qbias)
				w.Segs = make([]int, q.Parts())
				q.Run(Out{F32: want, Scale: []float32{1}, Ld: n}, qa, w, 7, 0, q.Panels())
				require.Equal(t, want, got, "%d x %d x %d, zero point %d", m, k, n, zero)
			}
		})
	}
}

// TestSumBytesDoesNotOverflow: the lanes of a word hold 128 rounds of the largest bytes.
func TestSumBytesDoesNotOverflow(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 1023, 1024, 1025, 4099} {
		x := make([]uint8, n)
		for i := range x {
			x[i] = 255
		}
		require.Equal(t, int32(255*n), sumBytes(x), n)
	}
}

// TestPlainMatrices: all weights finite and no bias of -0; a bias that is left out is +0.
func TestPlainMatrices(t *testing.T) {
	at := func(v float32) func(k, n int) float32 {
		return func(k, n int) float32 {
			if k == 1 && n == 2 {
				return v
			}
			return 1
		}
	}
	inf, minus := float32(math.Inf(1)), float32(math.Copysign(0, -1))
	require.True(t, PackF32(2, 3, at(minus), nil).Plain())
	require.True(t, PackF32(2, 3, at(1), []float32{0, -1, inf}).Plain())
	for _, v := range []float32{inf, -inf, float32(math.NaN())} {
		require.False(t, PackF32(2, 3, at(v), nil).Plain(), v)
	}
	require.False(t, PackF32(2, 3, at(1), []float32{0, 1, minus}).Plain())
	p := PackF32(2, 20, func(k, n int) float32 { return float32(100*k + n) }, nil)
	require.Equal(t, float32(117), p.At(1, 17))
	require.Zero(t, p.Bias(19))
}

// TestPackedBeginsAtALine: vectors of the widest tier load packed weights aligned.
func TestPackedBeginsAtALine(t *testing.T) {
	for range 20 {
		p, q := PackF32(3, 5, func(int, int) float32 { return 1 }, nil), PackI8(1, 3, 5, func(int, int) int { return 1 }, nil)
		require.Zero(t, uintptr(unsafe.Pointer(&p.panel[0]))%Align)
		require.Zero(t, uintptr(unsafe.Pointer(&q.panel[0]))%Align)
	}
}
