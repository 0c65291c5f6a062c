package op

import (
	"fmt"
	"slices"

	"assay/kernels/numeric"
	"assay/kernels/signal"
	"assay/shared/tensor"
)

// spectrumOps go from signals to spectra. Real signals end in an axis of 1, complex ones in an axis of 2. DFT takes its axis
// as an input since opset 20 (default -2; before that attribute axis, default 1) and its length as input 1; onesided and
// inverse are 0 by default. Lengths, frame steps and window sizes are known before the run, at most longest. Windows are
// periodic by default. They stay float.
var spectrumOps = []*Op{
	{
		Name: "DFT", Opsets: []int{17, 20}, Types: floats, Attrs: []string{"inverse", "onesided"}, Upgrade: upgradeDFT,
		Inputs: Arity{1, 3}, Outputs: Arity{1, 1}, Infer: func(x *Infer) error { _, err := fourierOf(x); return err },
		Lower: lowerDFT, RowWise: func(l *Lower) bool {
			f, err := fourierOf(&Infer{Node: l.Node, In: l.argsInfer().In, Out: make([]Info, 1)})
			return err == nil && f.axis != 0
		},
	},
	{
		Name: "STFT", Opsets: []int{17}, Types: floats, Attrs: []string{"onesided"},
		Inputs: Arity{2, 4}, Outputs: Arity{1, 1}, Infer: func(x *Infer) error { _, err := framesOf(x); return err }, Lower: lowerSTFT,
	},
	windowOp("HannWindow", signal.Hann), windowOp("HammingWindow", signal.Hamming), windowOp("BlackmanWindow", signal.Blackman),
	{
		Name: "MelWeightMatrix", Opsets: []int{17}, Types: indexTypes, Attrs: []string{"output_datatype"}, RowWise: never,
		Inputs: Arity{5, 5}, Outputs: Arity{1, 1}, Infer: inferMel,
	},
}

// longest bounds the length of a transform: tables and buffers have that many numbers.
const longest = 1 << 24

// upgradeDFT makes attribute axis input 2 (opset 20).
func upgradeDFT(u *Upgrade) error {
	n := u.Node
	if u.From >= 20 {
		return nil
	}
	for len(n.Inputs) < 2 {
		n.Inputs = append(n.Inputs, "")
	}
	n.Inputs = append(n.Inputs[:2], u.AddConst("axis", tensor.Of(tensor.Int64, nil, []int64{n.Int("axis", 1)})))
	n.Unset("axis")
	return nil
}

// fourier is a DFT node: length numbers along axis of [outer][in][inner][parts].
type fourier struct {
	axis, outer, in, inner, parts int
	length, out, outParts         int
	inverse, onesided             bool
}

// fourierOf reads a DFT node and sets its output: half the spectrum, and one more, for a onesided transform; a onesided
// inverse takes that and gives numbers without imaginary parts. x.Out[0] is set as a side effect, and Lower passes an
// Infer of its own for that. A length beyond the data pads with zeros, a shorter one cuts. X[k] = sum over n of
// x[n]*exp(-2*pi*i*k*n/N); the inverse has +i and the factor 1/N.
func fourierOf(x *Infer) (f fourier, err error) {
	shape := x.In[0].Shape
	if len(shape) < 2 || shape[len(shape)-1] != 1 && shape[len(shape)-1] != 2 {
		return f, fmt.Errorf("data shape %v does not end in 1 or 2 parts of a number", shape)
	}
	axis, err := x.number(2, -2)
	if err != nil {
		return f, err
	}
	if f.axis, err = axisIn(cutTo(axis, -1<<31, 1<<31), len(shape)); err != nil || f.axis == len(shape)-1 {
		return f, fmt.Errorf("axis %v of shape %v is no axis of a signal", axis, shape)
	}
	f.inverse, f.onesided = x.Node.Int("inverse", 0) != 0, x.Node.Int("onesided", 0) != 0
	f.in, f.parts, f.outParts = shape[f.axis], shape[len(shape)-1], 2
	def := f.in
	if f.inverse && f.onesided {
		def, f.outParts = 2*(f.in-1), 1
	}
	length, err := x.number(1, float64(def))
	if err != nil {
		return f, err
	}
	if !(length >= 1 && length <= longest) {
		return f, fmt.Errorf("a transform of length %v is not supported, 1 to %d are", length, longest)
	}
	f.length = int(length)
	if f.out = f.length; f.onesided && !f.inverse {
		f.out = f.length/2 + 1
	}
	f.outer, f.inner = tensor.Count(shape[:f.axis]), tensor.Count(shape[f.axis+1:len(shape)-1])
	out := slices.Clone(shape)
	out[f.axis], out[len(out)-1] = f.out, f.outParts
	x.put(0, x.In[0].DType, out...)
	return f, nil
}

// lowerDFT computes in float64 and rounds once; the plan (twiddle factors) is made at lowering. Scratch is four rows of
// float64: real and imaginary parts of one signal and of its transform.
func lowerDFT(l *Lower) (Kernel, error) {
	f, err := fourierOf(&Infer{Node: l.Node, In: l.argsInfer().In, Out: make([]Info, 1)})
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	run := transformed[float32]
	if l.In[0].DType == tensor.Float64 {
		run = transformed[float64]
	}
	plan := signal.NewFourier(f.length)
	return Kernel{Alias: -1, Scratch: 8 * 4 * f.length, Run: func(c *Call) {
		run(&f, plan, c.Out[0], src.bytes(c), view[float64](c.Scratch))
	}}, nil
}

// transformed loads each signal, cut or filled with zeros to the length, and stores its transform.
func transformed[T float32 | float64](f *fourier, plan *signal.Fourier, dst, src []byte, room []float64) {
	in, out, n := view[T](src), view[T](dst), f.length
	xr, xi, yr, yi := room[:n], room[n:2*n], room[2*n:3*n], room[3*n:4*n]
	for i := range f.outer * f.inner {
		clear(room[:2*n])
		o, k := i/f.inner, i%f.inner
		for j := range min(f.in, n) {
			at := ((o*f.in+j)*f.inner + k) * f.parts
			xr[j] = float64(in[at])
			if f.parts == 2 {
				xi[j] = float64(in[at+1])
			}
		}
		if f.inverse && f.onesided {
			mirrored(xr, xi)
		}
		plan.Run(yr, yi, xr, xi, f.inverse)
		for j := range f.out {
			at := ((o*f.out+j)*f.inner + k) * f.outParts
			out[at] = stored(T(yr[j]))
			if f.outParts == 2 {
				out[at+1] = stored(T(yi[j]))
			}
		}
	}
}

// stored makes every NaN the canonical one.
func stored[T float32 | float64](v T) T {
	if v != v {
		switch p := any(&v).(type) {
		case *float32:
			*p = numeric.NaN()
		case *float64:
			*p = canonical64
		}
	}
	return v
}

// mirrored completes the spectrum of a real signal from its first half. X[n-k] is the conjugate of X[k]; the parts at 0
// and n/2 are real.
func mirrored(re, im []float64) {
	n := len(re)
	im[0] = 0
	if n%2 == 0 {
		im[n/2] = 0
	}
	for j := n/2 + 1; j < n; j++ {
		re[j], im[j] = re[n-j], -im[n-j]
	}
}

// frames is an STFT node: count pieces of size numbers, step apart.
type frames struct {
	batch, length, parts, step, size, count, bins int
}

// framesOf reads an STFT: only whole frames count, floor((length - size) / step) + 1. The window, where given, has the
// frame's length and the signal's type. x.Out[0] is [batch][frames][bins][2].
func framesOf(x *Infer) (f frames, err error) {
	shape := x.In[0].Shape
	if len(shape) == 2 { // without an axis of parts
		shape = append(slices.Clone(shape), 1)
	}
	if len(shape) != 3 || shape[2] != 1 && shape[2] != 2 {
		return f, fmt.Errorf("signal %v is no batch of numbers of 1 or 2 parts", shape)
	}
	step, err := x.number(1, 0)
	if err != nil {
		return f, err
	}
	size := 0.0
	if x.has(2) {
		if len(x.In[2].Shape) != 1 || x.In[2].DType != x.In[0].DType {
			return f, fmt.Errorf("window is %s%v, one axis of %s is required", x.In[2].DType, x.In[2].Shape, x.In[0].DType)
		}
		size = float64(x.In[2].Shape[0])
	}
	if size, err = x.number(3, size); err != nil {
		return f, err
	}
	if !(step >= 1 && step <= longest && size >= 1 && size <= longest) || x.has(2) && float64(x.In[2].Shape[0]) != size || float64(shape[1]) < size {
		return f, fmt.Errorf("frames of %v by %v do not fit signal %v and the window", size, step, shape)
	}
	f = frames{batch: shape[0], length: shape[1], parts: shape[2], step: int(step), size: int(size)}
	f.count, f.bins = (f.length-f.size)/f.step+1, f.size
	if x.Node.Int("onesided", 1) != 0 {
		f.bins = f.size/2 + 1
	}
	x.put(0, x.In[0].DType, f.batch, f.count, f.bins, 2)
	return f, nil
}

// lowerSTFT multiplies each frame by the window in float64 before its transform.
func lowerSTFT(l *Lower) (Kernel, error) {
	f, err := framesOf(&Infer{Node: l.Node, In: l.argsInfer().In, Out: make([]Info, 1)})
	if err != nil {
		return Kernel{}, err
	}
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	var window operand
	if l.present(2) {
		if window, err = l.operand(2, Logical); err != nil {
			return Kernel{}, err
		}
	}
	run := framed[float32]
	if l.In[0].DType == tensor.Float64 {
		run = framed[float64]
	}
	plan := signal.NewFourier(f.size)
	return Kernel{Alias: -1, Scratch: 8 * 4 * f.size, Run: func(c *Call) {
		var w []byte
		if window.shape != nil {
			w = window.bytes(c)
		}
		run(&f, plan, c.Out[0], src.bytes(c), w, view[float64](c.Scratch))
	}}, nil
}

// framed is the loop over batch and frames; room holds four rows of size numbers.
func framed[T float32 | float64](f *frames, plan *signal.Fourier, dst, src, window []byte, room []float64) {
	in, out, w, n := view[T](src), view[T](dst), view[T](window), f.size
	xr, xi, yr, yi := room[:n], room[n:2*n], room[2*n:3*n], room[3*n:4*n]
	for i := range f.batch * f.count {
		clear(room[:2*n])
		first := i/f.count*f.length + i%f.count*f.step
		for j := range n {
			weight := 1.0
			if w != nil {
				weight = float64(w[j])
			}
			xr[j] = float64(float64(in[(first+j)*f.parts]) * weight)
			if f.parts == 2 {
				xi[j] = float64(float64(in[(first+j)*f.parts+1]) * weight)
			}
		}
		plan.Run(yr, yi, xr, xi, false)
		for j := range f.bins {
			out[(i*f.bins+j)*2], out[(i*f.bins+j)*2+1] = stored(T(yr[j])), stored(T(yi[j]))
		}
	}
}

// outputType reads attribute output_datatype.
func outputType(x *Infer) (tensor.DType, error) {
	d, err := castTo(x.Node.Int("output_datatype", int64(tensor.Float32)))
	if err == nil {
		_, err = converter(tensor.Float32, d)
	}
	return d, err
}

// windowOp is an operator that makes a window of a given size. It is made at lowering: its size is known, and the run
// copies it.
func windowOp(name string, w signal.Window) *Op {
	return &Op{
		Name: name, Opsets: []int{17}, Role: RoleShape, Types: indexTypes, Attrs: []string{"output_datatype", "periodic"}, RowWise: never,
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1},
		Infer: func(x *Infer) error {
			d, err := outputType(x)
			if err != nil {
				return err
			}
			n, err := x.known(0, "size")
			if err != nil {
				return err
			}
			if len(n) != 1 || n[0] < 0 || n[0] > longest {
				return fmt.Errorf("size is %v, one number from 0 to %d is required", n, longest)
			}
			x.put(0, d, int(n[0]))
			return nil
		},
		Lower: func(l *Lower) (Kernel, error) {
			t, n := tensor.New(tensor.Float32, l.Out[0].Shape...), l.Out[0].Shape[0]
			for i := range n {
				t.F32()[i] = float32(w.At(i, n, l.Node.Int("periodic", 1) != 0))
			}
			t, err := convert(t, l.Out[0].DType)
			if err != nil {
				return Kernel{}, err
			}
			return Kernel{Alias: -1, Run: func(c *Call) { copy(c.Out[0], t.Data) }}, nil
		},
	}
}

// inferMel evaluates MelWeightMatrix: its size follows from its five numbers, as Range's does. The matrix is
// [length/2+1][mels], triangular filters whose corners are evenly spaced on the mel scale.
func inferMel(x *Infer) error {
	d, err := outputType(x)
	if err != nil {
		return err
	}
	var v [5]float64
	for i := range v {
		if v[i], err = x.number(i, 0); err != nil {
			return err
		}
	}
	mels, length, rate, lower, upper := v[0], v[1], v[2], v[3], v[4]
	if !(mels >= 1 && length >= 1 && float64(mels*length) <= longest && rate >= 1 && lower >= 0 && upper >= lower && upper <= 1e12) {
		return fmt.Errorf("%v filters over %v of %v hertz from %v to %v hertz are not possible", mels, length, rate, lower, upper)
	}
	t := tensor.New(tensor.Float32, int(length)/2+1, int(mels))
	signal.Mel(t.F32(), t.Shape[0], t.Shape[1], int(length), rate, lower, upper)
	if t, err = convert(t, d); err != nil {
		return err
	}
	x.give(0, t)
	return nil
}
