package engine

import (
	"bytes"

	"assay/shared/op"
	"assay/shared/tensor"
)

// RowWise reports whether several samples may be fed at once: every input has a free first axis, and row i of every
// wanted value depends on row i of the inputs only. Where that cannot be shown it is false. It is worked out once, on first
// call, which packs weights.
func (p *Program) RowWise() bool { return p.rows() }

// Batch is the number of rows that the model fixes for its inputs, 0 when it is free. It is that of the first input
// with a fixed first axis, of those that the wanted values need.
func (p *Program) Batch() int {
	for _, port := range p.inputs {
		if len(port.Type.Shape) > 0 && port.Type.Shape[0].N >= 0 {
			return port.Type.Shape[0].N
		}
	}
	return 0
}

// nominal are the sizes tried for free axes other than the first, until one suits the model.
var nominal = []int{224, 32, 64, 8, 1}

// rowWise binds the program to three rows and asks each step; that two rows give two keeps a constant of three rows from
// passing as the batch. A false answer costs speed, a wrong true one numbers; so whatever cannot be shown is false.
func (p *Program) rowWise() bool {
	if p.nested {
		return false
	}
	for _, port := range p.inputs {
		if len(port.Type.Shape) == 0 || port.Type.Shape[0].N >= 0 {
			return false
		}
	}
	for _, size := range nominal {
		three, err := op.InferShapes(p.graph, p.rowsOf(3, size))
		if err != nil {
			continue
		}
		two, err := op.InferShapes(p.graph, p.rowsOf(2, size))
		if err != nil {
			continue
		}
		for _, name := range p.want {
			a, b := three[name], two[name]
			if a.Value != nil || len(a.Shape) == 0 || len(b.Shape) == 0 || a.Shape[0] != 3 || b.Shape[0] != 2 {
				return false
			}
		}
		b, err := p.bind(p.rowsOf(3, size))
		if err != nil {
			continue
		}
		p.engine.packs.release(b.packs.keys)
		return b.rowWise && b.parts == nil
	}
	return false
}

// rowsOf gives the inputs that many rows, and size to their other free axes.
func (p *Program) rowsOf(rows, size int) map[string]op.Info {
	in := map[string]op.Info{}
	for _, port := range p.inputs {
		shape := make([]int, len(port.Type.Shape))
		for i, d := range port.Type.Shape {
			if shape[i] = d.N; d.N < 0 {
				shape[i] = size
			}
		}
		shape[0] = rows
		in[port.Name] = op.Info{DType: port.Type.DType, Shape: shape}
	}
	return in
}

// rowsAlone reports whether row i of each output of a node depends on row i of what the inputs feed, and marks the outputs
// as fed if anything does. Operands that nothing feeds are judged by their rows: one row, or equal ones, serve all. A
// computed operand that nothing feeds counts as a constant to RowWise, and a constant with equal rows as computed: what
// matters is whether rows of it belong to samples.
func (b *binder) rowsAlone(o *op.Op, l *op.Lower) bool {
	fed, rows := false, -1
	for _, a := range l.In {
		if a.Name != "" && a.Const == nil && b.fed[a.Name] {
			fed = true
			if len(a.Shape) == 0 || rows >= 0 && a.Shape[0] != rows {
				return false
			}
			rows = a.Shape[0]
		}
	}
	if !fed {
		return true
	}
	view := *l
	view.In = make([]op.Arg, len(l.In))
	for i, a := range l.In {
		if a.Name != "" && !b.fed[a.Name] && a.Const == nil {
			if len(a.Shape) == len(l.Out[0].Shape) && len(a.Shape) > 0 && a.Shape[0] != 1 {
				return false // has rows of its own that may differ
			}
			a.Const = &tensor.Tensor{DType: a.DType, Shape: a.Shape}
		} else if a.Const != nil && len(a.Shape) == len(l.Out[0].Shape) && alike(a.Const, rows) {
			a.Const = nil
		}
		view.In[i] = a
	}
	for _, a := range l.Out {
		if a.Name != "" {
			b.fed[a.Name] = true
			if len(a.Shape) == 0 || a.Shape[0] != rows {
				return false
			}
		}
	}
	return o.RowWise == nil || o.RowWise(&view)
}

// alike reports whether t has that many rows, more than one, and all are equal: a token repeated for each sample.
func alike(t *tensor.Tensor, rows int) bool {
	if len(t.Shape) == 0 || t.Shape[0] != rows || rows < 2 || len(t.Data) == 0 {
		return false
	}
	n := len(t.Data) / rows
	for r := 1; r < rows; r++ {
		if !bytes.Equal(t.Data[:n], t.Data[r*n:(r+1)*n]) {
			return false
		}
	}
	return true
}
