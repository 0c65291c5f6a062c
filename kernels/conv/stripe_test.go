package conv

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// stripeGeometries are pictures whose output becomes final in several stripes, one for each way through the code.
func stripeGeometries() []Geometry {
	return []Geometry{
		square(2, 24, 16, 160, 1, 1, 0, 1), // pixels as they lie
		square(1, 57, 16, 48, 1, 2, 0, 1),  // lines in place
		square(2, 40, 8, 40, 3, 1, 0, 1),   // the same, kernels of several lines
		square(1, 70, 40, 24, 3, 1, 1, 1),  // a padded copy of a band
		square(1, 100, 3, 8, 3, 1, 1, 1),   // inner lines, then columns at the sides
		square(3, 15, 64, 64, 3, 2, 1, 1),  // two narrow lines in a tile
		square(2, 13, 64, 24, 3, 1, 1, 2),  // gathered, in groups
		square(2, 30, 48, 48, 3, 1, 1, 48), // depthwise
		square(1, 30, 18, 18, 5, 2, 2, 18), // channels that go in several lines at once
		square(1, 30, 24, 24, 7, 1, 3, 24), // spans
	}
}

// listener hears a run. Whatever becomes final is compared and written over at once, so that a run which reads or writes
// it again is found out.
type listener[T float32 | uint8] struct {
	t         *testing.T
	dst, want []T
	mark      T
	heard     []int
}

func (l *listener[T]) hear(n int) {
	from := l.at()
	if n < from || n > len(l.dst) {
		require.Failf(l.t, "elements do not ascend", "%d after %v of %d", n, l.heard, len(l.dst))
	}
	for i := from; i < n; i++ {
		if l.dst[i] != l.want[i] {
			require.Failf(l.t, "not final", "place %d of %d told: %v, want %v", i, n, l.dst[i], l.want[i])
		}
		l.dst[i] = l.mark
	}
	l.heard = append(l.heard, n)
}

func (l *listener[T]) at() int {
	if len(l.heard) == 0 {
		return 0
	}
	return l.heard[len(l.heard)-1]
}

// end checks what was not told, and that nothing of the rest was touched again.
func (l *listener[T]) end(g Geometry) {
	l.t.Helper()
	for i, v := range l.dst {
		if i < l.at() && v != l.mark || i >= l.at() && v != l.want[i] {
			require.Failf(l.t, "written again", "%+v: place %d of %v is %v", g, i, l.heard, v)
		}
	}
}

// TestStripesAreFinal runs geometries of all kinds with a listener, on every tier.
func TestStripesAreFinal(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	gs := append(stripeGeometries(), geometries(r)...)
	eachTier(t, func(t *testing.T) {
		for i, g := range gs {
			if i < len(stripeGeometries()) && tier.Current() == tier.Plain {
				continue // seconds; the order of stripes is no tier's own
			}
			in, out := g.Batch*g.H*g.W*g.C, g.Batch*g.OutH()*g.OutW()*g.OC
			src, w := guard.Copy(t, floats(r, in, false)), floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW, false)
			p, err := PackF32(g, w, nil)
			require.NoError(t, err)
			f := listener[float32]{t: t, dst: guard.Slice[float32](t, out), want: make([]float32, out), mark: -1e30}
			p.Run(f.want, src, g, numeric.Relu(), garbage(t, p.Scratch(g)))
			p.RunStripes(f.dst, src, g, numeric.Relu(), garbage(t, p.Scratch(g)), f.hear)
			bytes, w8 := guard.Slice[uint8](t, in), make([]int8, len(w))
			for j := range bytes {
				bytes[j] = uint8(r.IntN(256))
			}
			for j := range w8 {
				w8[j] = int8(r.IntN(256))
			}
			q, err := PackI8(g, w8, nil, nil)
			require.NoError(t, err)
			rq := numeric.Requant{Mult: []float32{0.001}, Zero: 90, Lo: 1, Hi: 255} // 0 is the mark
			b := listener[uint8]{t: t, dst: guard.Slice[uint8](t, out), want: make([]uint8, out)}
			q.Run(b.want, bytes, g, 7, rq, garbage(t, q.Scratch(g)))
			q.RunStripes(b.dst, bytes, g, 7, rq, garbage(t, q.Scratch(g)), b.hear)
			f.end(g)
			b.end(g)
			if i < len(stripeGeometries()) {
				require.Greater(t, len(f.heard), 1, "%+v: all at once", g)
				require.NotEmpty(t, b.heard, "%+v", g)
			}
		}
	})
}

// TestWeightsPassOnce: where weights do not stay in the cache, a flat product is one stripe, however many rows it has.
func TestWeightsPassOnce(t *testing.T) {
	g := square(4, 16, 300, 300, 1, 1, 0, 1)
	p, err := PackF32(g, make([]float32, 300*300), nil)
	require.NoError(t, err)
	require.Greater(t, p.Bytes(), besides)
	var heard []int
	dst, src := make([]float32, 4*256*300), make([]float32, 4*256*300)
	g.Batch = 1 // quick on the plain tier too
	p.RunStripes(dst, src, g, numeric.Clamp{}, make([]byte, p.Scratch(g)), func(n int) { heard = append(heard, n) })
	require.Equal(t, []int{256 * 300}, heard)
}

// TestStripesAllocateNothing with a listener that lives as long as the caller.
func TestStripesAllocateNothing(t *testing.T) {
	heard := 0
	done := Done(func(n int) { heard = n })
	for _, g := range stripeGeometries()[2:9] {
		f, err := PackF32(g, make([]float32, g.OC*(g.C/g.Group)*g.KH*g.KW), nil)
		require.NoError(t, err)
		q, err := PackI8(g, make([]int8, g.OC*(g.C/g.Group)*g.KH*g.KW), nil, nil)
		require.NoError(t, err)
		fs, fd := make([]float32, g.Batch*g.H*g.W*g.C), make([]float32, g.Batch*g.OutH()*g.OutW()*g.OC)
		qs, qd := make([]uint8, len(fs)), make([]uint8, len(fd))
		scratch := make([]byte, max(f.Scratch(g), q.Scratch(g)))
		rq := numeric.Requant{Mult: []float32{0.1}, Hi: 255}
		require.Zero(t, testing.AllocsPerRun(2, func() {
			f.RunStripes(fd, fs, g, numeric.Relu(), scratch, done)
			q.RunStripes(qd, qs, g, 3, rq, scratch, done)
		}), "%+v", g)
	}
	require.NotZero(t, heard)
}
