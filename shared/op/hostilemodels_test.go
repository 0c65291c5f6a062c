package op_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"assay/shared/graph"
	"assay/shared/onnx"
	"assay/shared/onnx/onnxpb"
	"assay/shared/op"
	"assay/shared/tensor"
)

// What one damaged model may cost: the bytes that its values may take (every buffer of a node counts), all that is
// allocated on the way, and time.
const (
	hostileBytes = 16 << 20
	hostileTotal = 1 << 30
	hostileTime  = 20 * time.Second
)

// sizes are numbers that stand where a model says how large something is.
var hostileSizes = []int64{0, 1, -1, 2, 3, 7, -2, 64, 1000, 65537, 1 << 20, math.MaxInt32, math.MinInt64, math.MaxInt64, 1 << 40}

// TestDamagedModelsAreRefused damages every model of the suite a few times: bytes flipped, fields removed, sizes enlarged.
// Reading and evaluating it may fail, or give numbers; it never panics and its cost is bounded.
func TestDamagedModelsAreRefused(t *testing.T) {
	rounds := 6
	every := 1
	if testing.Short() {
		rounds, every = 1, 4
	}
	var faults []string
	cases := conformanceCases(t)
	for i, name := range slices.Sorted(keysOf(cases)) {
		if i%every != 0 {
			continue
		}
		path := cases[name]
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		if len(b) > 1<<16 { // whole networks and large constants: the operators are those of smaller ones
			continue
		}
		for round := range rounds {
			if fault := costOf(damageModel(rand.New(rand.NewPCG(uint64(round), uint64(len(b)))), b, round)); fault != "" {
				faults = append(faults, fmt.Sprintf("%s, round %d: %s", name, round, fault))
			}
		}
	}
	require.Empty(t, faults)
}

// costOf tries a damaged model and says what it did that no model may do.
func costOf(model []byte) string {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := safely(func() error { return tryModel(model) })
	runtime.ReadMemStats(&after)
	switch total, took := after.TotalAlloc-before.TotalAlloc, time.Since(start); {
	case err != nil && strings.Contains(err.Error(), "panic"):
		return err.Error()
	case errors.Is(err, context.DeadlineExceeded) && took <= hostileTime: // a long loop: what it allocated by then it gave back by then
	case total > hostileTotal:
		return fmt.Sprintf("%d bytes were allocated (%v)", total, err)
	case took > hostileTime:
		return fmt.Sprintf("it took %v (%v)", took, err)
	}
	return ""
}

// FuzzModel is the same with bytes that the fuzzer chooses, starting from models of the suite.
func FuzzModel(f *testing.F) {
	names := conformanceCases(f)
	for _, name := range slices.Sorted(keysOf(names)) {
		if b, err := os.ReadFile(names[name]); err == nil && len(b) < 1<<12 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<16 {
			_ = tryModel(b)
		}
	})
}

func keysOf[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// tryModel reads a model and evaluates it on ramps.
func tryModel(b []byte) error {
	m, err := onnx.Decode(b, "")
	if err != nil {
		return err
	}
	in := map[string]*tensor.Tensor{}
	total := 0
	for _, p := range m.Graph.Inputs {
		x, err := ramp(p)
		if err != nil {
			return err
		}
		if total += int(x.Bytes()); total > hostileBytes {
			return fmt.Errorf("inputs are too large")
		}
		in[p.Name] = x
	}
	ctx, cancel := context.WithTimeout(context.Background(), hostileTime/2)
	defer cancel()
	_, err = op.EvalBounded(ctx, m.Graph, in, hostileBytes)
	return err
}

// ramp makes a value for an input; unknown axes are 2 long. A sequence has three items, or none where nothing says of what
// type; an optional holds a value where one can be made.
func ramp(p graph.Port) (*tensor.Tensor, error) {
	if p.Type.DType.Container() {
		return rampItems(p)
	}
	size := p.Type.DType.Size()
	if size == 0 {
		return nil, fmt.Errorf("input %q has no type of a fixed size", p.Name)
	}
	shape, n := []int{}, size
	for _, d := range p.Type.Shape {
		if d.N < 0 {
			d.N = 2
		}
		if d.N > hostileBytes || n*max(d.N, 1) > hostileBytes {
			return nil, fmt.Errorf("input %q is too large", p.Name)
		}
		n *= max(d.N, 1)
		shape = append(shape, d.N)
	}
	x := tensor.New(p.Type.DType, shape...)
	switch x.DType {
	case tensor.Float32:
		for i := range x.F32() {
			x.F32()[i] = float32(i%7) - 2.5
		}
	case tensor.Int64:
		for i, v := 0, tensor.View[int64](x); i < len(v); i++ {
			v[i] = int64(i % 3)
		}
	default:
		for i := range x.Data {
			x.Data[i] = byte(i % 5)
		}
	}
	return x, nil
}

func rampItems(p graph.Port) (*tensor.Tensor, error) {
	empty := tensor.SequenceOf(tensor.Invalid)
	if p.Type.DType == tensor.Optional {
		empty = tensor.OptionalOf(nil)
	}
	if p.Type.Elem == nil {
		return empty, nil
	}
	item, err := ramp(graph.Port{Name: p.Name, Type: *p.Type.Elem})
	switch {
	case err != nil:
		return nil, err
	case p.Type.DType == tensor.Optional:
		return tensor.OptionalOf(item), nil
	case item.Bytes() > hostileBytes/3:
		return nil, fmt.Errorf("input %q is too large", p.Name)
	}
	return tensor.SequenceOf(item.DType, item, item, item), nil
}

// damageModel changes bytes in even rounds and, in odd ones, fields of the message.
func damageModel(r *rand.Rand, b []byte, round int) []byte {
	var m onnxpb.ModelProto
	if round%2 == 0 && round > 0 || proto.Unmarshal(b, &m) != nil || m.Graph == nil || len(m.Graph.Node) == 0 {
		out := slices.Clone(b)
		for range 1 + r.IntN(4) {
			out[r.IntN(len(out))] ^= 1 << r.IntN(8)
		}
		return out
	}
	for range 1 + r.IntN(3) {
		damageMessage(r, &m)
	}
	out, err := proto.MarshalOptions{AllowPartial: true}.Marshal(&m)
	if err != nil {
		return b
	}
	return out
}

func damageMessage(r *rand.Rand, m *onnxpb.ModelProto) {
	n := m.Graph.Node[r.IntN(len(m.Graph.Node))]
	size := hostileSizes[r.IntN(len(hostileSizes))]
	switch k := r.IntN(8); {
	case k == 0 && len(n.Input) > 0:
		n.Input = n.Input[:r.IntN(len(n.Input))]
	case k == 1 && len(n.Input) > 0:
		n.Input[r.IntN(len(n.Input))] = ""
	case k == 2 && len(n.Attribute) > 0:
		i := r.IntN(len(n.Attribute))
		n.Attribute = slices.Delete(n.Attribute, i, i+1)
	case k == 3 && len(n.Attribute) > 0:
		a := n.Attribute[r.IntN(len(n.Attribute))]
		a.I = &size
		if len(a.Ints) > 0 {
			a.Ints[r.IntN(len(a.Ints))] = size
		}
		if a.F != nil {
			a.F = proto.Float32(float32(size))
		}
	case k == 4 && len(m.Graph.Initializer) > 0:
		damageTensor(r, m.Graph.Initializer[r.IntN(len(m.Graph.Initializer))], size)
	case k == 5 && len(m.Graph.Input) > 0: // an input becomes a constant of hostile numbers
		i := r.IntN(len(m.Graph.Input))
		v := m.Graph.Input[i]
		if t := v.GetType().GetTensorType(); t.GetElemType() == 7 && len(t.GetShape().GetDim()) < 2 {
			c := &onnxpb.TensorProto{Name: v.Name, DataType: proto.Int32(7)}
			for range t.GetShape().GetDim() {
				c.Dims = append(c.Dims, max(t.GetShape().Dim[0].GetDimValue(), 1)&15)
			}
			for range tensorCount(c.Dims) {
				c.Int64Data = append(c.Int64Data, hostileSizes[r.IntN(len(hostileSizes))])
			}
			m.Graph.Initializer = append(m.Graph.Initializer, c)
		}
	case k >= 6 && len(m.Graph.Input) > 0:
		damageType(r, m.Graph.Input[r.IntN(len(m.Graph.Input))], size)
	}
}

func tensorCount(dims []int64) (n int64) {
	n = 1
	for _, d := range dims {
		n *= d
	}
	return n
}

func damageTensor(r *rand.Rand, t *onnxpb.TensorProto, size int64) {
	if len(t.Dims) > 0 && r.IntN(2) == 0 {
		t.Dims[r.IntN(len(t.Dims))] = size
	}
	if len(t.Int64Data) > 0 {
		t.Int64Data[r.IntN(len(t.Int64Data))] = size
	}
	if n := len(t.RawData) &^ 7; n > 0 && t.GetDataType() == 7 {
		at := r.IntN(n/8) * 8
		t.RawData = slices.Clone(t.RawData)
		for k := range 8 {
			t.RawData[at+k] = byte(size >> (8 * k))
		}
	}
}

func damageType(r *rand.Rand, v *onnxpb.ValueInfoProto, size int64) {
	t := v.GetType().GetTensorType()
	if s := v.GetType().GetSequenceType(); s != nil {
		t = s.GetElemType().GetTensorType()
	}
	if o := v.GetType().GetOptionalType(); o != nil && o.GetElemType() != nil {
		v.Type = o.ElemType // what was optional has to be there
	}
	if t == nil {
		return
	}
	switch dims := t.GetShape().GetDim(); {
	case len(dims) > 0 && r.IntN(3) > 0:
		dims[r.IntN(len(dims))].Value = &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: min(size, 4096)}
	case t.Shape != nil && len(dims) > 0:
		t.Shape.Dim = dims[:r.IntN(len(dims))]
	default:
		t.ElemType = proto.Int32(int32(r.IntN(26)))
	}
}
