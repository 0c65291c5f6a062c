package conv

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unsafe"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// FuzzTiersAgree draws a geometry, data and parameters from two numbers and compares the bytes of all tiers, with buffers
// that end at a page without access.
func FuzzTiersAgree(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, seed*7)
	}
	f.Fuzz(func(t *testing.T, a, b uint64) {
		r := rand.New(rand.NewPCG(a, b))
		g := randomGeometry(r)
		if r.IntN(3) == 0 { // depthwise kernels of their own
			g.KH = []int{3, 5}[r.IntN(2)]
			g.KW, g.StrideW, g.DilationW = g.KH, 1+r.IntN(2), 1
			if r.IntN(2) == 0 {
				g.C = 4 * (1 + r.IntN(40))
				g.OC, g.Group = g.C, g.C
			}
			g.H, g.W = g.H+9, g.W+5
		}
		in := floats(r, g.Batch*g.H*g.W*g.C, true)
		weights := floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW, true)
		p, err := PackF32(g, weights, floats(r, g.OC, true))
		if err != nil {
			t.Fatal(err)
		}
		src, w := guard.Slice[uint8](t, len(in)), make([]int8, len(weights))
		for i := range src {
			src[i] = uint8(r.Uint32())
		}
		for i := range w {
			w[i] = int8(r.Uint32())
		}
		q, err := PackI8(g, w, nil, [][]int8{nil, {int8(r.Uint32())}}[r.IntN(2)])
		if err != nil {
			t.Fatal(err)
		}
		rq := numeric.NewRequant([]float32{[]float32{0.003, 1.2}[r.IntN(2)] * r.Float32()}, int32(r.IntN(2)*r.IntN(256)))
		act, zero := clamps[r.IntN(len(clamps))], uint8(r.Uint32())
		fin := guard.Copy(t, in)
		var want []byte
		for _, tr := range tier.Supported() {
			undo := tier.Force(tr)
			n := g.Batch * g.OutH() * g.OutW() * g.OC
			fd, qd := guard.Slice[float32](t, n), guard.Slice[uint8](t, n)
			p.Run(fd, fin, g, act, garbage(t, p.Scratch(g)))
			q.Run(qd, src, g, zero, rq, garbage(t, q.Scratch(g)))
			undo()
			got := append(bytes.Clone(qd), unsafe.Slice((*byte)(unsafe.Pointer(&fd[0])), 4*n)...)
			if want == nil {
				want = got
			} else if !bytes.Equal(want, got) {
				t.Fatalf("%+v: tier %s differs from plain", g, tr)
			}
		}
	})
}
