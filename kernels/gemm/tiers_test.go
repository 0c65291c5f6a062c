package gemm

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"assay/kernels/gemm/guard"
	"assay/kernels/numeric"
	"assay/kernels/tier"
)

// product is a case of both types: sizes, and what else may vary.
type product struct {
	m, n, k, more int // more: bytes between rows beyond k
	seed          uint64
}

// run computes the product in float and in bytes, with constant and with computed weights, on the current tier, from and
// to buffers that end at a page without access.
func (p product) run(t *testing.T) []byte {
	r := rand.New(rand.NewPCG(p.seed, 1))
	lda := p.k + p.more
	fa, fb := guard.Copy(t, floats(r, max(0, (p.m-1)*lda+p.k), true)), floats(r, p.k*p.n, true)
	qa, qb := guard.Slice[uint8](t, len(fa)), make([]int8, len(fb))
	for i := range qa {
		qa[i] = uint8(r.Uint32())
	}
	for i := range qb {
		qb[i] = int8(r.Uint32())
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(qb))), len(qb))
	bias := make([]int32, p.n)
	for i := range bias {
		bias[i] = int32(r.IntN(9999))
	}
	act, aZero := clamps[r.IntN(len(clamps))], uint8(r.Uint32())
	rq := numeric.NewRequant([]float32{[]float32{0.002, 1.2}[r.IntN(2)] * r.Float32()}, int32(r.IntN(2)*r.IntN(256)))
	zeros := [][]int8{nil, {int8(r.Uint32())}}[r.IntN(2)]
	fd, qd, sd := guard.Slice[float32](t, p.m*p.n), guard.Slice[uint8](t, p.m*p.n), guard.Slice[float32](t, p.m*p.n)
	cd := guard.Slice[uint8](t, p.m*p.n)
	PackF32(fb, p.k, p.n, false, nil).Run(fd, p.n, fa, lda, p.m, act)
	q := PackI8(qb, p.k, p.n, false, bias, zeros)
	q.Run(qd, p.n, qa, lda, p.m, aZero, rq)
	q.RunFloat(sd, p.n, qa, lda, p.m, aZero, rq.Mult)
	computed := RepackI8(guard.Slice[uint8](t, SpaceI8(p.k, p.n)), raw, r.IntN(2) == 0, p.k, p.n, bias, int32(r.IntN(100)))
	computed.Run(cd, p.n, qa, lda, p.m, aZero, rq)
	return slices.Concat(qd, cd, floatBytes(fd), floatBytes(sd))
}

func floatBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// agree compares the bytes of all tiers.
func (p product) agree(t *testing.T) {
	var want []byte
	for _, level := range tier.Supported() {
		undo := tier.Force(level)
		got := p.run(t)
		undo()
		if want == nil {
			want = got
		} else if !bytes.Equal(want, got) {
			require.Failf(t, "tiers differ", "%+v: tier %s differs from plain", p, level)
		}
	}
}

// TestTiersAgreeAtEveryTail takes every number of rows, columns and every depth around the sizes of tiles: 6, 14 and 32
// rows, 16 to 64 columns, chunks of 64 bytes.
func TestTiersAgreeAtEveryTail(t *testing.T) {
	for m := 6; m <= 67; m++ {
		product{m, 19, 70, m % 3, 1}.agree(t)
	}
	for n := 1; n <= 66; n++ {
		product{9 + n%9, n, 64, 0, 2}.agree(t)
	}
	for m := 1; m <= 13; m++ { // low tiles of four panels: one group, two, and a last one that is not whole
		product{m, 64, 70, 1, 6}.agree(t)
		product{m, 128, 67, 0, 7}.agree(t)
		product{m, 117, 64, 2, 8}.agree(t)
	}
	product{13, 125, 820, 1, 9}.agree(t)
	product{150, 109, 40, 0, 10}.agree(t) // fours and threes, by chunks
	for k := 28; k <= 140; k++ {
		product{17, 33, k, k % 2, 3}.agree(t)
		product{33, 5, k, 0, 4}.agree(t)
	}
	product{150, 40, 1100, 3, 5}.agree(t)
}

// FuzzTiersAgree draws sizes and data.
func FuzzTiersAgree(f *testing.F) {
	for seed := range uint64(12) {
		f.Add(uint8(seed*17), uint8(seed*31), uint16(seed*97), uint8(seed), seed)
	}
	f.Fuzz(func(t *testing.T, m, n uint8, k uint16, more uint8, seed uint64) {
		product{1 + int(m)%90, 1 + int(n)%150, int(k) % 400, int(more) % 5, seed}.agree(t)
	})
}
