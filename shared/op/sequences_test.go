package op

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// sequenceInputs stand in front of every graph below.
const sequenceInputs = `
input x: float32[2,3]
input i: int64[]
input s: sequence(float32)
input o: optional(float32)
two: int64[] = const [2]
`

// sequenceValues are x = [[0 1 2] [3 4 5]], s of two items [7] and [8 9], an empty o; i is what a test wants.
func sequenceValues(i int64) map[string]*tensor.Tensor {
	x := tensor.Of(tensor.Float32, []int{2, 3}, []float32{0, 1, 2, 3, 4, 5})
	s := tensor.SequenceOf(tensor.Float32, tensor.Of(tensor.Float32, []int{1}, []float32{7}), tensor.Of(tensor.Float32, []int{2}, []float32{8, 9}))
	return map[string]*tensor.Tensor{"x": x, "s": s, "o": tensor.OptionalOf(nil), "i": tensor.Of(tensor.Int64, nil, []int64{i})}
}

// evalSequences evaluates a graph of those inputs and checks that what the shape rules know of values, from the inputs' shapes and with
// their elements, is what the run gives.
func evalSequences(t *testing.T, text string, i int64) (map[string]*tensor.Tensor, error) {
	t.Helper()
	m, err := graph.Parse(sequenceInputs + strings.ReplaceAll(text, ";", "\n"))
	require.NoError(t, err)
	require.NoError(t, UpgradeModel(m))
	require.NoError(t, graph.Validate(m))
	in := sequenceValues(i)
	env, err := EvalGraph(context.Background(), m.Graph, in)
	for _, elements := range []bool{false, true} {
		known := map[string]Info{}
		for name, v := range in {
			if known[name] = infoOf(v); !elements {
				known[name] = Info{DType: v.DType, Shape: v.Shape, Elem: v.Elem}
			}
		}
		info, wrong := InferShapes(m.Graph, known)
		if err == nil {
			require.NoError(t, wrong)
		}
		for name, x := range info {
			if v := env[name]; err == nil && v != nil {
				requireAgrees(t, name, x, v)
			}
		}
	}
	return env, err
}

// requireAgrees compares what is known of a value with the value.
func requireAgrees(t *testing.T, name string, x Info, v *tensor.Tensor) {
	t.Helper()
	require.Equal(t, v.DType, x.DType, name)
	require.Equal(t, len(v.Shape), len(x.Shape), name)
	for a := range v.Shape {
		require.Equal(t, v.Shape[a], x.Shape[a], name)
	}
	if x.Value != nil {
		require.Equal(t, v.Digest(), x.Value.Digest(), name)
	}
	if x.Elem != tensor.Invalid {
		require.Equal(t, v.Elem, x.Elem, name)
	}
	if x.Items != nil {
		require.Len(t, x.Items, len(v.Items), name)
		for k := range x.Items {
			requireAgrees(t, name, x.Items[k], v.Items[k])
		}
	}
}

// show writes a value: elements of tensors, items of containers.
func show(v *tensor.Tensor) string {
	switch {
	case v.DType.Container():
		var items []string
		for _, item := range v.Items {
			items = append(items, show(item))
		}
		return fmt.Sprintf("%s(%s)", v.DType, strings.Join(items, " "))
	case v.DType == tensor.Float32:
		return fmt.Sprintf("%v%v", v.Shape, v.F32())
	}
	n, _ := v.Ints()
	return fmt.Sprintf("%v%v", v.Shape, n)
}

// TestSequences: what each operator gives, and where it refuses.
func TestSequences(t *testing.T) {
	for _, c := range []struct {
		name, text string
		i          int64
		want       string // of y, or of the error when it begins with an exclamation mark
	}{
		{"insert at the end", "y = SequenceInsert(s, x)", 0, "sequence([1][7] [2][8 9] [2 3][0 1 2 3 4 5])"},
		{"insert in front of an item from the end", "r = SequenceConstruct(x); a = SequenceAt(s, i); y = SequenceInsert(s, a, i)", -1, "sequence([1][7] [2][8 9] [2][8 9])"},
		{"insert behind the last", "a = SequenceAt(s, two); y = SequenceInsert(s, a, i)", 0, "!position 2 is outside of a sequence of 2 items"},
		{"insert far before the first", "y = SequenceInsert(s, x, i)", -3, "!position -3 is outside of a sequence of 2 items"},
		{"insert another type", "y = SequenceInsert(s, i)", 0, "!an item of int64 does not fit a sequence of float32"},
		{"insert a sequence", "y = SequenceInsert(s, s)", 0, "!sequence cannot be an item of a sequence"},
		{"insert into a tensor", "y = SequenceInsert(x, x)", 0, "!input 0 is float32, a sequence is required"},
		{"insert at a list", "a: int64[2] = const [0, 1]; y = SequenceInsert(s, x, a)", 0, "!the position is int64[2], one integer is required"},
		{"insert at a float", "a: float32[] = const [0]; y = SequenceInsert(s, x, a)", 0, "!the position is float32[], one integer is required"},
		{"erase the last", "y = SequenceErase(s)", 0, "sequence([1][7])"},
		{"erase the first", "y = SequenceErase(s, i)", -2, "sequence([2][8 9])"},
		{"erase nothing", "e = SequenceEmpty(); y = SequenceErase(e)", 0, "!position -1 is outside of a sequence of 0 items"},
		{"at", "y = SequenceAt(s, i)", 1, "[2][8 9]"},
		{"at the far end of int64", "y = SequenceAt(s, i)", math.MinInt64, "!is outside of a sequence of 2 items"},
		{"length", "y = SequenceLength(s)", 0, "[][2]"},
		{"length of a tensor", "y = SequenceLength(x)", 0, "!input 0 is float32, a sequence is required"},
		{"empty", "a = SequenceEmpty() {dtype=7}; y = SequenceInsert(a, i)", 4, "sequence([][4])"},
		{"empty of another type", "a = SequenceEmpty() {dtype=7}; y = SequenceInsert(a, x)", 0, "!an item of float32 does not fit a sequence of int64"},
		{"empty of strings", "y = SequenceEmpty() {dtype=8}", 0, "!attribute dtype is 8, which is no supported element type"},
		{"construct of two types", "y = SequenceConstruct(x, i)", 0, "!input 1: an item of int64 does not fit a sequence of float32"},
		{"split in ones", "y = SplitToSequence(x) {axis=1}", 0, "sequence([2 1][0 3] [2 1][1 4] [2 1][2 5])"},
		{"split without the axis", "y = SplitToSequence(x) {keepdims=0}", 0, "sequence([3][0 1 2] [3][3 4 5])"},
		{"split with a rest", "y = SplitToSequence(x, i) {axis=-1, keepdims=0}", 2, "sequence([2 2][0 1 3 4] [2 1][2 5])"},
		{"split by a list", "a: int64[3] = const [1, 0, 1]; y = SplitToSequence(x, a)", 0, "sequence([1 3][0 1 2] [0 3][] [1 3][3 4 5])"},
		{"split by a short list", "a: int64[1] = const [1]; y = SplitToSequence(x, a)", 0, "!pieces of [1] are not those of an axis of 2"},
		{"split by a list that overflows", "a: int64[2] = const [9223372036854775807, 9223372036854775807]; y = SplitToSequence(x, a)", 0, "!are not those of an axis of 2"},
		{"split in nothing", "y = SplitToSequence(x, i)", 0, "!pieces of 0 are not possible"},
		{"split beside the axes", "y = SplitToSequence(x) {axis=2}", 0, "!axis 2"},
		{"split a scalar", "y = SplitToSequence(i)", 0, "!axis 0"},
		{"split a sequence", "y = SplitToSequence(s)", 0, "!input 0 is sequence, a tensor is required"},
		{"split by halves", "a: float32[] = const [1]; y = SplitToSequence(x, a)", 0, "!split is float32[]"},
		{"join", "y = ConcatFromSequence(s) {axis=0}", 0, "[3][7 8 9]"},
		{"join on a new axis", "a = SequenceConstruct(x, x); y = ConcatFromSequence(a) {axis=-1, new_axis=1}", 0, "[2 3 2][0 0 1 1 2 2 3 3 4 4 5 5]"},
		{"join nothing", "a = SequenceEmpty(); y = ConcatFromSequence(a) {axis=0}", 0, "!an empty sequence has nothing to join and no shape"},
		{"join what does not fit", "y = ConcatFromSequence(s) {axis=0, new_axis=1}", 0, "!"},
		{"join without an axis", "y = ConcatFromSequence(s)", 0, "!attribute axis is required"},
		{"join beside the axes", "y = ConcatFromSequence(s) {axis=3, new_axis=1}", 0, "!axis 3"},
		{"an optional of a tensor", "a = Optional(x); b = OptionalHasElement(a); y = OptionalHasElement(o); g = OptionalGetElement(a); h = Neg(g)", 0, "[][0]"},
		{"an optional sequence", "a = Optional(s); y = OptionalGetElement(a)", 0, "sequence([1][7] [2][8 9])"},
		{"an optional of an optional", "y = Optional(o)", 0, "!input 0 is an optional already"},
		{"what is not there", "y = OptionalGetElement(o)", 0, "!the optional holds nothing; ask OptionalHasElement first"},
		{"nothing is none", "a = Optional(); y = Identity(a)", 0, "optional()"},
		{"arithmetic on a sequence", "y = Neg(s)", 0, "!input 0 (\"s\") has element type sequence, which is not supported"},
		{"the shape of a sequence", "y = Shape(s)", 0, "!has element type sequence, which is not supported"},
		{"a sequence as a condition", "y = If(s) {then_branch=graph { output x }, else_branch=graph { output x }}", 0, "!the condition is no single bool"},
		{"a sequence as a count", `y = Loop(s, "", x) {body=graph { input n: int64[] input c: bool[] input v: float32[2,3] output c output v }}`, 0, "!the trip count is no single integer"},
		{"a sequence that is joined", `y = Loop(two, "") {body=graph { input n: int64[] input c: bool[] output c output s }}`, 0, "!only tensors are joined, sequences are carried"},
		{"a sequence that is scanned", "y = Scan(s) {num_scan_inputs=1, body=graph { input v: float32[3] output v }}", 0, "!axis 0"},
		{"a sequence that grows", `y = Loop(two, "", s) {body=graph { input n: int64[] input c: bool[] input v: sequence(float32) w = SequenceInsert(v, x) output c output w }}`, 0,
			"sequence([1][7] [2][8 9] [2 3][0 1 2 3 4 5] [2 3][0 1 2 3 4 5])"},
		{"map", "y = SequenceMap(s) {body=graph { input v: float32[?] w = Neg(v) output w }}", 0, "sequence([1][-7] [2][-8 -9])"},
		{"map with a tensor and a captured one", "y = SequenceMap(s, two) {body=graph { input v: float32[?] input k: int64[] w = Add(k, i) output w: int64[] }}", 1, "sequence([][3] [][3])"},
		{"map of nothing", "a = SequenceEmpty(); y = SequenceMap(a) {body=graph { input v: float32[?] w = Neg(v) output w: float32[?] }}", 0, "sequence()"},
		{"map of two lengths", "a = SequenceConstruct(x); y = SequenceMap(s, a) {body=graph { input v input w output w }}", 0, "!input 1 is neither a tensor nor a sequence of 2 items"},
		{"map of a tensor", "y = SequenceMap(x) {body=graph { input v output v }}", 0, "!input 0 is float32, a sequence is required"},
		{"map of another body", "y = SequenceMap(s) {body=graph { input v input w output w }}", 0, "!do not fit"},
		{"map to sequences", "y = SequenceMap(s) {body=graph { input v w = SequenceConstruct(v) output w }}", 0, "!output 0: sequence cannot be an item of a sequence"},
		{"map to another type than declared", "y = SequenceMap(s) {body=graph { input v output v: int64[] }}", 0, "!output 0: an item of float32 does not fit a sequence of int64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			env, err := evalSequences(t, c.text, c.i)
			if want, refused := strings.CutPrefix(c.want, "!"); refused {
				require.ErrorContains(t, err, want)
				require.ErrorContains(t, err, "node \"")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, show(env["y"]))
			require.NoError(t, env["y"].Check())
			require.Equal(t, "sequence([1][7] [2][8 9])", show(env["s"]), "an operator changed its input")
		})
	}
}

// TestConstantPositionsHaveShapes: what a model splits and takes apart at constant positions is known before a run, elements of what
// is constant too, so that what follows can be laid out.
func TestConstantPositionsHaveShapes(t *testing.T) {
	m, err := graph.Parse(sequenceInputs + `
one: int64[] = const [-1]
sizes: int64[2] = const [2, 1]
w: float32[2] = const [5, 6]
parts = SplitToSequence(x, sizes) {axis=1}
first = SequenceAt(parts, one)
more = SequenceInsert(parts, x, one)
fewer = SequenceErase(more, one)
count = SequenceLength(fewer)
joined = ConcatFromSequence(more) {axis=1}
list = SequenceConstruct(w, w)
k = SequenceAt(list, one)
some = Optional(k)
there = OptionalHasElement(some)
got = OptionalGetElement(some)
open = SequenceAt(parts, i)
`)
	require.NoError(t, err)
	info, err := InferShapes(m.Graph, map[string]Info{"i": {DType: tensor.Int64}})
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, info["first"].Shape)
	require.Equal(t, []int{2, 6}, info["joined"].Shape)
	require.Equal(t, []int64{2}, tensor.View[int64](info["count"].Value))
	require.Equal(t, []float32{5, 6}, info["got"].Value.F32())
	require.Equal(t, []byte{1}, info["there"].Value.Data)
	require.NotContains(t, info, "open")
}

// TestSequencesCostMemory: a length that only an axis claims, a sequence that grows without end and pieces of nothing end in an error.
func TestSequencesCostMemory(t *testing.T) {
	const grow = "go: bool[] = const [1]\nn: int64[] = const [4000000]\ny = Loop(n, go, s) {body=graph { input n: int64[] input c: bool[] input v: sequence(float32) w = SequenceInsert(v, x) output c output w }}\n"
	for name, c := range map[string]struct {
		text string
		x    []int
		want string
	}{
		"growing":            {grow, []int{1 << 12}, "does not fit into memory"},
		"growing by little":  {grow, []int{0}, "does not fit into memory"},
		"an empty neighbour": {"y = SplitToSequence(x)\n", []int{1 << 40, 0}, "makes more than 4194304 items"},
		"pieces of nothing":  {"y = SplitToSequence(x)\n", []int{1 << 21, 0}, "does not fit into memory"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := graph.Parse("input x: float32\ninput s: sequence(float32)\n" + c.text + "output y\n")
			require.NoError(t, err)
			in := map[string]*tensor.Tensor{"x": tensor.New(tensor.Float32, c.x...), "s": tensor.SequenceOf(tensor.Float32)}
			_, err = EvalBounded(context.Background(), m.Graph, in, 1<<24)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestMovingItemsCountsAsIterations: a list that is changed in its middle cannot cost the square of a length that a model claims; what
// grows at its end moves little.
func TestMovingItemsCountsAsIterations(t *testing.T) {
	b := NewBudget(1 << 40)
	require.NoError(t, b.move(movesPerTrip*maxTrips))
	require.ErrorContains(t, b.move(movesPerTrip), "its sequences are moved too often")
	s, item := tensor.SequenceOf(tensor.Float32), tensor.New(tensor.Float32)
	n := &graph.Node{Op: "SequenceInsert", Inputs: []string{"s", "x"}, Outputs: []string{"y"}}
	b = NewBudget(1 << 40)
	for range 1 << 14 {
		out, err := runSequenceInsert(context.Background(), n, []*tensor.Tensor{s, item}, nil, b)
		require.NoError(t, err)
		s = out[0]
	}
	require.Greater(t, b.Trips, int64(maxTrips-1<<10))
}
