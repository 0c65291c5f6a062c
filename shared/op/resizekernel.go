package op

import (
	"fmt"

	"assay/kernels/resample"
	"assay/shared/tensor"
)

// pass is one axis of a Resize: it makes [outer][out][inner] of [outer][in][inner]. logical is the axis in the model;
// where it lies in memory is along's business.
type pass struct {
	axis         *resample.Axis
	logical      int
	outer, inner int
	bytes        int // of what it makes
}

// along are the sizes around memory axis at of a dense shape.
func (p pass) along(shape []int, at int) pass {
	p.outer, p.inner = tensor.Count(shape[:at]), tensor.Count(shape[at+1:])
	return p
}

// lowerResize goes over the axes in logical order, each from one buffer to the next; axes that change nothing are left
// out. What lies outside the data is filled in at the end. Two scratch buffers alternate, and the last pass writes the
// output. The order of axes is part of the numbers for linear and cubic: each pass rounds.
func lowerResize(l *Lower) (Kernel, error) {
	y := l.layout()
	src, err := l.operand(0, y)
	if err != nil {
		return Kernel{}, err
	}
	r, err := resizing(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	if tensor.Count(l.Out[0].Shape) == 0 {
		return Kernel{Alias: -1, Run: func(*Call) {}}, nil
	}
	if tensor.Count(l.In[0].Shape) == 0 {
		return Kernel{}, fmt.Errorf("data shape %v is empty", l.In[0].Shape)
	}
	shape, size := physical(y, l.In[0].Shape), l.In[0].DType.Size()
	var passes []pass
	for a := range r {
		p := pass{axis: resample.NewAxis(r[a]), logical: a}
		if p.axis.Same() {
			continue
		}
		at := y.axis(a, len(r))
		shape[at] = r[a].Out
		if err := possible(shape, size); err != nil {
			return Kernel{}, err
		}
		p.bytes = tensor.Count(shape) * size
		passes = append(passes, p.along(shape, at))
	}
	fills := make([]pass, len(passes))
	for i, p := range passes {
		fills[i] = p.along(shape, y.axis(p.logical, len(r)))
	}
	k := resizer{passes: passes, fills: fills, size: size, nearest: l.Node.Str("mode", "nearest") == "nearest"}
	if k.outside, err = outsideValue(l); err != nil {
		return Kernel{}, err
	}
	return k.kernel(src), nil
}

// outsideValue is attribute extrapolation_value as an element of the output. It matters to tf_crop_and_resize only.
func outsideValue(l *Lower) ([]byte, error) {
	t, err := convert(scalar(l.Node.Float("extrapolation_value", 0)), l.Out[0].DType)
	if err != nil {
		return nil, err
	}
	return t.Data, nil
}

// resizer runs the passes of a Resize. fills[i] is passes[i]'s axis with the sizes of the finished output around it,
// for filling what lies outside.
type resizer struct {
	passes, fills []pass
	size          int
	nearest       bool
	outside       []byte
}

func (k resizer) kernel(src operand) Kernel {
	room := 0
	for i, p := range k.passes {
		if i+1 < len(k.passes) {
			room = max(room, spaced(p.bytes))
		}
	}
	return Kernel{Alias: -1, Scratch: 2 * room, Run: func(c *Call) {
		from := src.bytes(c)
		if len(k.passes) == 0 {
			copy(c.Out[0], from)
			return
		}
		for i, p := range k.passes {
			to := c.Out[0]
			if i+1 < len(k.passes) {
				to = c.Scratch[i%2*room:][:p.bytes]
			}
			if k.nearest {
				p.axis.Move(to, from, p.outer, p.inner, k.size)
			} else {
				p.axis.Run(view[float32](to), view[float32](from), p.outer, p.inner)
			}
			from = to
		}
		for _, p := range k.fills {
			p.axis.Fill(c.Out[0], k.outside, p.outer, p.inner)
		}
	}}
}
