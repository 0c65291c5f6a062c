package suite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"assay/shared/graph"
	"assay/shared/onnx/onnxpb"
	"assay/shared/tensor"
)

// message joins fields of one number, each a message.
func message(num protowire.Number, parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), p)
	}
	return b
}

// numbers is a TensorProto of float32.
func numbers(t *testing.T, v ...float32) []byte {
	b, err := proto.Marshal(&onnxpb.TensorProto{Dims: []int64{int64(len(v))}, DataType: proto.Int32(1), FloatData: v})
	require.NoError(t, err)
	return b
}

func list(d tensor.DType) graph.Type {
	return graph.Of(tensor.Sequence, graph.Type{DType: d})
}

// TestDecode: what each declaration makes of bytes, and bytes that are no such value.
func TestDecode(t *testing.T) {
	one, two := numbers(t, 1), numbers(t, 2, 3)
	a, b := tensor.Of(tensor.Float32, []int{1}, []float32{1}), tensor.Of(tensor.Float32, []int{2}, []float32{2, 3})
	name := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "n")
	kind := protowire.AppendVarint(protowire.AppendTag(nil, 2, protowire.VarintType), 1)
	head := append(name, kind...)
	optional := graph.Of(tensor.Optional, graph.Type{DType: tensor.Float32})
	for what, c := range map[string]struct {
		b        []byte
		declared graph.Type
		want     *tensor.Tensor
		err      string
	}{
		"a tensor":                      {two, graph.Type{DType: tensor.Float32}, b, ""},
		"a tensor of undeclared type":   {two, graph.Type{}, b, ""},
		"a sequence with name and kind": {append(head, message(3, one, two)...), list(tensor.Float32), tensor.SequenceOf(tensor.Float32, a, b), ""},
		"an empty sequence":             {head, list(tensor.Float32), tensor.SequenceOf(tensor.Float32), ""},
		"an optional tensor":            {message(3, one), optional, tensor.OptionalOf(a), ""},
		"an optional without":           {head, optional, tensor.OptionalOf(nil), ""},
		"an optional sequence":          {message(5, message(3, one)), graph.Of(tensor.Optional, list(tensor.Float32)), tensor.OptionalOf(tensor.SequenceOf(tensor.Float32, a)), ""},
		"two values in an optional":     {message(3, one, two), optional, nil, "holds 2 values"},
		"a broken tag":                  {[]byte{0x80}, list(tensor.Float32), nil, "is no sequence"},
		"a broken field":                {[]byte{3<<3 | 2, 9}, list(tensor.Float32), nil, "is no sequence"},
		"an item that is no message":    {protowire.AppendVarint(protowire.AppendTag(nil, 3, protowire.VarintType), 7), list(tensor.Float32), nil, "field 3 is no message"},
		"a broken item":                 {message(3, one, []byte{0x80}), list(tensor.Float32), nil, "item 1: holds no tensor"},
		"no bytes":                      {nil, graph.Type{}, nil, "no element type"},
		"items of two types": {message(3, one, mustMarshal(t, &onnxpb.TensorProto{Dims: []int64{1}, DataType: proto.Int32(7), Int64Data: []int64{4}})),
			list(tensor.Float32), nil, "item 1"},
	} {
		t.Run(what, func(t *testing.T) {
			got, err := Decode(c.b, c.declared)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func mustMarshal(t *testing.T, m proto.Message) []byte {
	b, err := proto.Marshal(m)
	require.NoError(t, err)
	return b
}

// TestRead names the file of a value that cannot be read.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.pb"), filepath.Join(dir, "bad.pb")
	require.NoError(t, os.WriteFile(good, numbers(t, 5), 0o600))
	require.NoError(t, os.WriteFile(bad, []byte{0x80}, 0o600))
	v, err := ReadTensor(good)
	require.NoError(t, err)
	require.Equal(t, []float32{5}, v.F32())
	_, err = Read(bad, list(tensor.Float32))
	require.ErrorContains(t, err, "bad.pb: is no sequence")
	_, err = ReadTensor(filepath.Join(dir, "absent.pb"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
