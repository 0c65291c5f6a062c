package layer

import (
	"math/rand/v2"

	"assay/kernels/conv"
	"assay/kernels/gemm"
	"assay/kernels/gemm/tile"
	"assay/kernels/numeric"
)

func pickTile(typ string) string { return tile.Pick(typ) }

// zero is the zero point of all bytes here.
const zero = 128

func floats(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

func bytes(r *rand.Rand, n int) []uint8 {
	v := make([]uint8, n)
	for i := range v {
		v[i] = uint8(r.Uint32())
	}
	return v
}

// weights are signed bytes but for -128.
func weights(r *rand.Rand, n int) []int8 {
	v := make([]int8, n)
	for i := range v {
		v[i] = int8(r.IntN(255) - 127)
	}
	return v
}

// requant has a multiplier for each of n columns.
func requant(n int) numeric.Requant {
	mult := make([]float32, n)
	for i := range mult {
		mult[i] = 1e-4
	}
	return numeric.NewRequant(mult, zero)
}

// Float returns the layer in float32: each call runs it once and returns its result, which the next call overwrites. Only one
// call may be under way. The layer has passed Check; weights that do not fit In are an error of package conv.
func (l Layer) Float() (func() []float32, error) {
	r := rand.New(rand.NewPCG(1, 1))
	if l.Op != "Conv" {
		return l.floatProduct(r), nil
	}
	g := l.geometry()
	p, err := conv.PackF32(g, floats(r, g.OC*(g.C/g.Group)*g.KH*g.KW), floats(r, g.OC))
	if err != nil {
		return nil, err
	}
	src, dst := floats(r, g.Batch*g.H*g.W*g.C), make([]float32, g.Batch*g.OutH()*g.OutW()*g.OC)
	scratch := make([]byte, p.Scratch(g))
	return func() []float32 {
		p.Run(dst, src, g, numeric.Clamp{}, scratch)
		return dst
	}, nil
}

func (l Layer) floatProduct(r *rand.Rand) func() []float32 {
	matrices, m, k, n := l.product()
	a, b, dst := floats(r, matrices*m*k), floats(r, matrices*k*n), make([]float32, matrices*m*n)
	if !l.Computed {
		p := gemm.PackF32(b, k, n, false, floats(r, n))
		return func() []float32 {
			p.Run(dst, n, a, k, m, numeric.Clamp{})
			return dst
		}
	}
	space := make([]byte, gemm.SpaceF32(k, n))
	return func() []float32 {
		for i := range matrices {
			p := gemm.RepackF32(space, b[i*k*n:(i+1)*k*n], k, n, nil)
			p.Run(dst[i*m*n:], n, a[i*m*k:], k, m, numeric.Clamp{})
		}
		return dst
	}
}

// Integer is Float with unsigned activations and signed weights (both unsigned where both are computed), and one
// multiplier for each output channel (one for all columns where both are computed). All zero points are 128, but that of a
// computed right side, 129. The result is unsigned bytes.
func (l Layer) Integer() (func() []uint8, error) {
	r := rand.New(rand.NewPCG(1, 1))
	if l.Op != "Conv" {
		return l.integerProduct(r), nil
	}
	g := l.geometry()
	p, err := conv.PackI8(g, weights(r, g.OC*(g.C/g.Group)*g.KH*g.KW), nil, nil)
	if err != nil {
		return nil, err
	}
	src, q := bytes(r, g.Batch*g.H*g.W*g.C), requant(g.OC)
	dst, scratch := make([]uint8, g.Batch*g.OutH()*g.OutW()*g.OC), make([]byte, p.Scratch(g))
	return func() []uint8 {
		p.Run(dst, src, g, zero, q, scratch)
		return dst
	}, nil
}

func (l Layer) integerProduct(r *rand.Rand) func() []uint8 {
	matrices, m, k, n := l.product()
	a, dst, q := bytes(r, matrices*m*k), make([]uint8, matrices*m*n), requant(n)
	if !l.Computed {
		p := gemm.PackI8(weights(r, k*n), k, n, false, nil, nil)
		return func() []uint8 {
			p.Run(dst, n, a, k, m, zero, q)
			return dst
		}
	}
	b, space := bytes(r, matrices*k*n), make([]byte, gemm.SpaceI8(k, n))
	q.Mult = q.Mult[:1]
	return func() []uint8 {
		for i := range matrices {
			p := gemm.RepackI8(space, b[i*k*n:(i+1)*k*n], false, k, n, nil, zero+1)
			p.Run(dst[i*m*n:], n, a[i*m*k:], k, m, zero, q)
		}
		return dst
	}
}

// Ready returns the layer in a type, f32, or u8s8 for every other word, without its result: what a benchmark calls. Do not
// call it where there is an error.
func (l Layer) Ready(typ string) (func(), error) {
	if typ == "f32" {
		f, err := l.Float()
		return func() { f() }, err
	}
	f, err := l.Integer()
	return func() { f() }, err
}
