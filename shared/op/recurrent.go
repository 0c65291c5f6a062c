package op

import (
	"fmt"
	"slices"

	"assay/shared/tensor"
)

// recurrentOps walk a sequence and carry a state. They are computed in float and never quantized. Defaults: forward, layout
// 0 (since opset 14), no clip, the activations below, linear_before_reset and input_forget 0. A sample whose length is
// reached keeps its state, and its further rows of Y are 0. Refused: weights that do not fit hidden_size, activations that
// are not known, an unknown direction.
var recurrentOps = []*Op{
	recurrentOp("RNN", 1, []int{1, 7, 14}, []string{"Tanh"}, 6, 2),
	recurrentOp("GRU", 3, []int{1, 3, 7, 14}, []string{"Sigmoid", "Tanh"}, 6, 2, "linear_before_reset"),
	recurrentOp("LSTM", 4, []int{1, 7, 14}, []string{"Sigmoid", "Tanh", "Tanh"}, 8, 3, "input_forget"),
}

// The inputs of recurrent operators: X [steps][batch][input], W [directions][gates*hidden][input],
// R [directions][gates*hidden][hidden], B [directions][2*gates*hidden], lengths [batch], initial H and (LSTM) C
// [directions][batch][hidden], (LSTM) P [directions][3*hidden]. With layout 1 the batch axis of X, H, C and Y comes first.
const (
	recX = iota
	recW
	recR
	recB
	recLengths
	recH
	recC
	recP
)

// Rows are rows of the batch only with layout 1 (batch first) and without lengths or initial states, which have a batch
// axis in another place or none. gates rows of W and R belong to each hidden unit.
func recurrentOp(name string, gates int, opsets []int, activations []string, inputs, outputs int, attrs ...string) *Op {
	attrs = append(attrs, "activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "layout")
	slices.Sort(attrs)
	spec := func(x *Infer) (recurrent, error) { return recurrentOf(x, gates, len(activations)) }
	return &Op{
		Name: name, Opsets: opsets, Role: RoleFloat, Types: float32Only, Attrs: attrs,
		Inputs: Arity{3, inputs}, Outputs: Arity{1, outputs},
		Infer: func(x *Infer) error {
			r, err := spec(x)
			if err != nil {
				return err
			}
			r.results(x)
			return nil
		},
		Lower: func(l *Lower) (Kernel, error) {
			r, err := spec(l.argsInfer())
			if err != nil {
				return Kernel{}, err
			}
			return lowerRecurrent(l, r, activations)
		},
		RowWise: func(l *Lower) bool {
			return l.Node.Int("layout", 0) == 1 && l.In[recX].Const == nil && !l.present(recLengths) && !l.present(recH) && !l.present(recC)
		},
		MACs: func(x *Infer) int64 {
			r, err := spec(x)
			if err != nil {
				return 0
			}
			return int64(r.steps*r.batch*r.directions) * int64(gates*r.hidden*(r.input+r.hidden))
		},
	}
}

// recurrent is the sizes and attributes that the three operators share. len(reverse) == directions.
type recurrent struct {
	gates, steps, batch, input, hidden, directions int
	batchFirst                                     bool // layout 1
	reverse                                        []bool
	clip                                           float32 // 0 for none
}

// recurrentOf checks a node's inputs against each other. perDirection is how many activations one direction has. hidden
// is read from the recurrence weights, since hidden_size is optional in practice. Steps and batch may be 0.
func recurrentOf(x *Infer, gates, perDirection int) (r recurrent, err error) {
	n, data := x.Node, x.In[recX].Shape
	if len(data) != 3 {
		return r, fmt.Errorf("data shape %v: three axes are required", data)
	}
	r = recurrent{gates: gates, steps: data[0], batch: data[1], input: data[2], clip: n.Float("clip", 0)}
	if r.batchFirst = n.Int("layout", 0) == 1; r.batchFirst {
		r.steps, r.batch = data[1], data[0]
	}
	switch d := n.Str("direction", "forward"); d {
	case "forward":
		r.reverse = []bool{false}
	case "reverse":
		r.reverse = []bool{true}
	case "bidirectional":
		r.reverse = []bool{false, true}
	default:
		return r, fmt.Errorf("direction %q is unknown", d)
	}
	r.directions = len(r.reverse)
	weight := x.In[recR].Shape
	if len(weight) != 3 || weight[2] < 1 || r.input < 1 {
		return r, fmt.Errorf("data shape %v and recurrence shape %v: three axes that are not empty are required", data, weight)
	}
	r.hidden = weight[2]
	if h := n.Int("hidden_size", int64(r.hidden)); h != int64(r.hidden) {
		return r, fmt.Errorf("hidden_size is %d, the recurrence weights have %d", h, r.hidden)
	}
	if r.clip < 0 {
		return r, fmt.Errorf("clip is %v", r.clip)
	}
	if a := n.Attr("activations"); a != nil && len(a.Strs) != perDirection*r.directions {
		return r, fmt.Errorf("%d activations are given, %d are required", len(a.Strs), perDirection*r.directions)
	}
	return r, r.fit(x)
}

// fit compares the shapes of all inputs with what they have to be. Weights must be float32; lengths are int32, as ONNX
// demands.
func (r *recurrent) fit(x *Infer) error {
	d, h, g := r.directions, r.hidden, r.gates*r.hidden
	state := []int{d, r.batch, h}
	if r.batchFirst {
		state = []int{r.batch, d, h}
	}
	want := [][]int{recX: x.In[recX].Shape, recW: {d, g, r.input}, recR: {d, g, h}, recB: {d, 2 * g}, recLengths: {r.batch}, recH: state, recC: state, recP: {d, 3 * h}}
	for i := range x.In {
		if !x.has(i) {
			continue
		}
		if !slices.Equal(x.In[i].Shape, want[i]) {
			return fmt.Errorf("input %d has shape %v, %v is required", i, x.In[i].Shape, want[i])
		}
		t := tensor.Float32
		if i == recLengths {
			t = tensor.Int32
		}
		if x.In[i].DType != t {
			return fmt.Errorf("input %d is %s, %s is required", i, x.In[i].DType, t)
		}
	}
	return nil
}

// results sets the shapes of Y, Y_h and Y_c. Y_c is put for all three operators: put ignores outputs that the node does
// not name.
func (r *recurrent) results(x *Infer) {
	y, state := []int{r.steps, r.directions, r.batch, r.hidden}, []int{r.directions, r.batch, r.hidden}
	if r.batchFirst {
		y, state = []int{r.batch, r.steps, r.directions, r.hidden}, []int{r.batch, r.directions, r.hidden}
	}
	x.put(0, tensor.Float32, y...)
	x.put(1, tensor.Float32, state...)
	x.put(2, tensor.Float32, state...)
}

// row is the place of a step of one sample in X, in rows.
func (r *recurrent) row(step, sample int) int {
	if r.batchFirst {
		return sample*r.steps + step
	}
	return step*r.batch + sample
}

// state is the place of a sample's state in the initial and final states, in rows of hidden.
func (r *recurrent) state(direction, sample int) int {
	if r.batchFirst {
		return sample*r.directions + direction
	}
	return direction*r.batch + sample
}

// result is the place of a step in Y, in rows of hidden.
func (r *recurrent) result(step, direction, sample int) int {
	if r.batchFirst {
		return r.row(step, sample)*r.directions + direction
	}
	return (step*r.directions+direction)*r.batch + sample
}
