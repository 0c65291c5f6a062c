package op

import (
	"fmt"

	"assay/kernels/gemm"
	"assay/kernels/numeric"
)

// direction is one direction of a lowered node. A pre-activation is the sum of two chains: one over the input, which starts
// at the bias, and one over the state. wide is gates*hidden, but 2*hidden for a GRU whose candidate has a product of
// its own.
type direction struct {
	index   int
	reverse bool
	over    *gemm.F32 // X by W for all steps at once: [gates*hidden] columns
	back    *gemm.F32 // H by R: wide columns
	wide    int
	cell    cell
}

// cell advances one sample by one step. pre is its row of X*W + B, hid its row of H*R, h and c its state, extra and
// product rows of [hidden]. Where product is set, first leaves in extra what is multiplied by it, and second goes on with
// the result; else second is nil.
type cell struct {
	first   func(pre, hid, h, c, extra []float32)
	product *gemm.F32
	second  func(pre, hid, h, product []float32)
}

// recurrentState is the memory of one direction's run, rows by sample (pre: by row of X).
type recurrentState struct{ pre, hid, h, c, extra, product []float32 }

// size is the number of floats of a recurrentState. It is bounded before Lower makes anything: steps come from the
// data's shape.
func (r *recurrent) size() (int, error) {
	for _, shape := range [][]int{{r.steps + 1, r.batch, r.gates, 64, r.hidden}, {r.batch, r.hidden, 64}} {
		if err := possible(shape, 4); err != nil {
			return 0, fmt.Errorf("%d steps of %d samples are too many", r.steps, r.batch)
		}
	}
	return (r.steps+1)*r.batch*r.gates*r.hidden + 4*r.batch*r.hidden, nil
}

// memory cuts scratch into the parts of a run. Full slice expressions keep an append from reaching into the next part.
func (r *recurrent) memory(scratch []float32) (s recurrentState) {
	wide, states := r.gates*r.hidden, r.batch*r.hidden
	for _, part := range []struct {
		to *[]float32
		n  int
	}{{&s.pre, r.steps * r.batch * wide}, {&s.hid, r.batch * wide}, {&s.h, states}, {&s.c, states}, {&s.extra, states}, {&s.product, states}} {
		*part.to, scratch = scratch[:part.n:part.n], scratch[part.n:]
	}
	return s
}

// lowerRecurrent runs one direction after the other in the same scratch; outputs of both interleave in Y by direction.
// The products over the input are one tall GEMM over all steps, those over the state one per step for the whole batch:
// each sample's bits depend on its own row only.
func lowerRecurrent(l *Lower, r recurrent, defaults []string) (Kernel, error) {
	size, err := r.size()
	if err != nil {
		return Kernel{}, err
	}
	acts, err := recurrentActivations(l.Node, defaults, r.directions)
	if err != nil {
		return Kernel{}, err
	}
	var in [recC + 1]operand
	for _, i := range []int{recX, recLengths, recH, recC} {
		if l.present(i) {
			if in[i], err = l.operand(i, Logical); err != nil {
				return Kernel{}, err
			}
		}
	}
	ways := make([]direction, r.directions)
	for d := range ways {
		if ways[d], err = l.direction(r, d, acts[d*len(defaults):(d+1)*len(defaults)]); err != nil {
			return Kernel{}, err
		}
	}
	lengths, hasH, hasC := l.present(recLengths), l.present(recH), l.present(recC)
	return Kernel{Alias: -1, Scratch: 4 * size, Run: func(c *Call) {
		s := r.memory(view[float32](c.Scratch))
		var n []int32
		var h, cell []float32
		if lengths {
			n = view[int32](in[recLengths].bytes(c))
		}
		if hasH {
			h = view[float32](in[recH].bytes(c))
		}
		if hasC {
			cell = view[float32](in[recC].bytes(c))
		}
		for i := range ways {
			ways[i].begin(&r, s.h, h)
			ways[i].begin(&r, s.c, cell)
			ways[i].run(&r, &s, view[float32](in[recX].bytes(c)), n, c)
		}
	}}, nil
}

// begin loads the initial states, zeros where there are none.
func (w *direction) begin(r *recurrent, dst, src []float32) {
	if src == nil {
		clear(dst)
		return
	}
	for b := range r.batch {
		copy(dst[b*r.hidden:(b+1)*r.hidden], src[r.state(w.index, b)*r.hidden:])
	}
}

// run walks one direction. A sample whose length is reached keeps its state, and its further rows of Y are zero. Steps
// past a sample's end are computed in the product and not used, since the rows of the batch are one matrix.
func (w *direction) run(r *recurrent, s *recurrentState, x []float32, lengths []int32, c *Call) {
	n, wide := r.hidden, r.gates*r.hidden
	w.over.Run(s.pre, wide, x, r.input, r.steps*r.batch, numeric.Clamp{})
	for k := range r.steps {
		w.back.Run(s.hid, w.wide, s.h, n, r.batch, numeric.Clamp{})
		for b := range r.batch {
			if t, ok := w.at(r, k, b, lengths); ok {
				pre := s.pre[r.row(t, b)*wide:][:wide]
				w.cell.first(pre, s.hid[b*w.wide:(b+1)*w.wide], s.h[b*n:(b+1)*n], s.c[b*n:(b+1)*n], s.extra[b*n:(b+1)*n])
			}
		}
		if w.cell.product != nil {
			w.cell.product.Run(s.product, n, s.extra, n, r.batch, numeric.Clamp{})
			for b := range r.batch {
				if t, ok := w.at(r, k, b, lengths); ok {
					pre := s.pre[r.row(t, b)*wide:][:wide]
					w.cell.second(pre, s.hid[b*w.wide:(b+1)*w.wide], s.h[b*n:(b+1)*n], s.product[b*n:(b+1)*n])
				}
			}
		}
		if c.Out[0] != nil {
			w.emit(r, s, view[float32](c.Out[0]), k, lengths)
		}
	}
	w.finish(r, s, c)
}

// at is the step of X that sample b takes as its k-th; ok is false when its sequence is over. A reversed direction
// starts at the sample's own last step, not at the longest one's.
func (w *direction) at(r *recurrent, k, b int, lengths []int32) (t int, ok bool) {
	length := r.steps
	if lengths != nil {
		length = min(max(int(lengths[b]), 0), r.steps)
	}
	if k >= length {
		return k, false
	}
	if w.reverse {
		return length - 1 - k, true
	}
	return k, true
}

// emit writes the k-th step of all samples to Y.
func (w *direction) emit(r *recurrent, s *recurrentState, y []float32, k int, lengths []int32) {
	for b := range r.batch {
		t, ok := w.at(r, k, b, lengths)
		out := y[r.result(t, w.index, b)*r.hidden:][:r.hidden]
		if ok {
			copy(out, s.h[b*r.hidden:])
		} else {
			clear(out)
		}
	}
}

// finish stores the last states in Y_h and Y_c. Outputs that the node omits are nil.
func (w *direction) finish(r *recurrent, s *recurrentState, c *Call) {
	for i := 1; i < len(c.Out); i++ {
		if c.Out[i] == nil {
			continue
		}
		from, out := s.h, view[float32](c.Out[i])
		if i == 2 {
			from = s.c
		}
		for b := range r.batch {
			copy(out[r.state(w.index, b)*r.hidden:][:r.hidden], from[b*r.hidden:])
		}
	}
}
