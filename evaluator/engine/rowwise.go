package engine

import "assay/shared/op"

// RowWise reports whether several samples may be fed at once: every input has a free first axis, and row i of every
// wanted value depends on row i of the inputs only. It is worked out once, on first call.
func (p *Program) RowWise() bool { return p.rows() }

// Batch is the number of rows that the model fixes for its inputs, 0 when it is free.
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
// passing as the batch.
func (p *Program) rowWise() bool {
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
		return b.rowWise
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
