// Package layer makes single layers of networks ready to run, with random data, from descriptions of their geometry:
// what a benchmark of kernels measures. The data is the same in each process and run. A graph, a file and a clock may not
// enter.
package layer

import (
	"fmt"
	"slices"

	"assay/kernels/conv"
)

// Layer is the geometry of a convolution with NCHW sizes, or of a matrix product, as layer_shapes.json has it: In is
// [batch, channels, lines, columns] or [..., m, k], Weight [out, in/group, lines, columns] or [..., k, n]. Sizes say nothing of
// memory: data is channels-last. Methods other than Check want a layer that has passed it.
type Layer struct {
	Name     string `json:"name"`
	Net      string `json:"net"`
	Op       string `json:"op"`    // Conv, Gemm or MatMul
	Batch    int    `json:"batch"` // of the network; In has it already
	In       []int  `json:"in"`
	Weight   []int  `json:"weight"`
	Stride   []int  `json:"stride"` // lines, columns; as Pad, Dilation and Group of a convolution only
	Pad      []int  `json:"pad"`    // top, left, bottom, right
	Dilation []int  `json:"dilation"`
	Group    int    `json:"group"`
	// Computed says that both operands are computed: an attention product, whose right side is packed in every run.
	Computed bool `json:"weight_is_activation"`
	Count    int  `json:"count_in_net"` // layers of this geometry in Net
}

// Check reports a description that is no layer.
func (l Layer) Check() error {
	switch {
	case l.Op == "Conv" && (len(l.In) != 4 || len(l.Weight) != 4 || len(l.Stride) != 2 || len(l.Pad) != 4 || len(l.Dilation) != 2):
		return fmt.Errorf("layer %q: a convolution has 4 sizes of input and weight, 2 strides, 4 pads and 2 dilations", l.Name)
	case l.Op == "Conv":
		if err := l.geometry().Check(); err != nil {
			return fmt.Errorf("layer %q: %w", l.Name, err)
		}
	case l.Op != "Gemm" && l.Op != "MatMul":
		return fmt.Errorf("layer %q: operator %q is none of Conv, Gemm and MatMul", l.Name, l.Op)
	case len(l.In) < 2 || len(l.Weight) < 2 || l.In[len(l.In)-1] != l.Weight[len(l.Weight)-2]:
		return fmt.Errorf("layer %q: matrices %v and %v cannot be multiplied", l.Name, l.In, l.Weight)
	case slices.Min(l.In) < 1 || slices.Min(l.Weight) < 1:
		return fmt.Errorf("layer %q: sizes %v and %v: they must be positive", l.Name, l.In, l.Weight)
	}
	return nil
}

func (l Layer) geometry() conv.Geometry {
	return conv.Geometry{Batch: l.In[0], C: l.In[1], H: l.In[2], W: l.In[3], OC: l.Weight[0], KH: l.Weight[2], KW: l.Weight[3],
		StrideH: l.Stride[0], StrideW: l.Stride[1], DilationH: l.Dilation[0], DilationW: l.Dilation[1],
		PadTop: l.Pad[0], PadLeft: l.Pad[1], PadBottom: l.Pad[2], PadRight: l.Pad[3], Group: l.Group}
}

// product is the sizes of a layer that is no convolution: matrices, rows, depth and columns. A product with a constant is one tall matrix.
func (l Layer) product() (matrices, m, k, n int) {
	matrices, m = 1, 1
	last := len(l.In) - 2
	for i, d := range l.In[:last+1] {
		if l.Computed && i < last {
			matrices *= d
		} else {
			m *= d
		}
	}
	return matrices, m, l.In[last+1], l.Weight[len(l.Weight)-1]
}

// Operations counts two for each multiply-add of one run, padding included and biases not.
func (l Layer) Operations() float64 {
	if l.Op == "Conv" {
		g := l.geometry()
		return float64(2 * g.Batch * g.OutH() * g.OutW() * g.OC * (g.C / g.Group) * g.KH * g.KW)
	}
	b, m, k, n := l.product()
	return float64(2 * b * m * k * n)
}

// Classes are the values of Class. It is read only.
var Classes = []string{"dense", "pointwise", "depthwise", "first", "product", "attention"}

// Class groups layers that behave alike: one of Classes.
func (l Layer) Class() string {
	switch {
	case l.Computed:
		return "attention"
	case l.Op != "Conv":
		return "product"
	case l.Group > 1 && l.Group == l.In[1]:
		return "depthwise"
	case l.In[1] <= 4:
		return "first"
	case l.Weight[2] == 1 && l.Weight[3] == 1:
		return "pointwise"
	}
	return "dense"
}

// Pick is the name of the kernel that runs the layer in a type, f32 or u8s8, on the current tier; of a product or a dense
// convolution, which may use several, as tile.Pick says.
func (l Layer) Pick(typ string) string {
	if l.Class() == "depthwise" && l.Weight[0] == l.In[1] {
		return conv.Pick(typ)
	}
	if l.Op == "Conv" && typ == "u8s8" {
		if form := conv.Form(l.geometry()); form != "" {
			return form
		}
	}
	return pickTile(typ)
}
