package op

import (
	"fmt"
	"math"

	"assay/kernels/resample"
	"assay/shared/tensor"
)

// sampleOps read data at computed positions. Defaults: mode linear and padding zeros of GridSample (bilinear and bicubic
// were its words before opset 20), align_corners 0; one cell and as many points as it has elements of RoiAlign, which moved
// its regions by half an element with opset 16. AffineGrid's size is known before the run. Refused: grids of another rank or
// batch than the data. They stay float: positions do not survive 8 bits.
var sampleOps = []*Op{
	{
		Name: "GridSample", Opsets: []int{16, 20}, Types: float32Only, Attrs: []string{"align_corners", "mode", "padding_mode"},
		Upgrade: upgradeGridSample, Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferGridSample, Lower: lowerGridSample, RowWise: bothKeepRows,
	},
	{
		Name: "AffineGrid", Opsets: []int{20}, Types: float32Only, Attrs: []string{"align_corners"},
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, Infer: inferAffineGrid, Lower: lowerAffineGrid, RowWise: never,
	},
	{
		Name: "RoiAlign", Opsets: []int{10, 16}, Types: float32Only, Upgrade: upgradeRoiAlign, RowWise: never,
		Attrs:  []string{"coordinate_transformation_mode", "mode", "output_height", "output_width", "sampling_ratio", "spatial_scale"},
		Inputs: Arity{3, 3}, Outputs: Arity{1, 1}, Infer: inferRoiAlign, Lower: lowerRoiAlign,
	},
}

// bothKeepRows: row i reads row i of all computed inputs. A constant operand has a batch of its own, which would not
// shrink with the data's.
func bothKeepRows(l *Lower) bool { return !anyConst(l.In) }

// upgradeGridSample renames the modes of opset 16.
func upgradeGridSample(u *Upgrade) error {
	switch u.Node.Str("mode", "") {
	case "bilinear":
		setText(u, "mode", "linear")
	case "bicubic":
		setText(u, "mode", "cubic")
	}
	return nil
}

// sampling is the geometry of a GridSample without its batch. data is [N][C][spatial...], grid [N][places...][axes],
// coordinates from -1 to 1 with the last spatial axis first.
func sampling(x *Infer) (g resample.Grid, err error) {
	data, grid := x.In[0].Shape, x.In[1].Shape
	rank := len(data) - 2
	if rank < 1 || rank > resample.MaxAxes || len(grid) != rank+2 || grid[0] != data[0] || grid[rank+1] != rank || tensor.Count(data[1:]) == 0 {
		return g, fmt.Errorf("data %v and grid %v do not fit", data, grid)
	}
	filter, ok := filters[x.Node.Str("mode", "linear")]
	border, known := map[string]resample.Border{"zeros": resample.Zeros, "border": resample.Edge, "reflection": resample.Reflect}[x.Node.Str("padding_mode", "zeros")]
	if !ok || !known {
		return g, fmt.Errorf("mode %q or padding_mode %q is unknown", x.Node.Str("mode", ""), x.Node.Str("padding_mode", ""))
	}
	return resample.Grid{
		Batch: data[0], C: data[1], Points: tensor.Count(grid[1 : rank+1]), In: data[2:], Filter: filter, Border: border,
		Corners: x.Node.Int("align_corners", 0) != 0,
	}, nil
}

// inferGridSample: batch and channels of the data, places of the grid, whose last axis holds one coordinate per spatial
// axis.
func inferGridSample(x *Infer) error {
	if _, err := sampling(x); err != nil {
		return err
	}
	if err := x.alike(1); err != nil {
		return err
	}
	data, grid := x.In[0].Shape, x.In[1].Shape
	x.put(0, x.In[0].DType, append([]int{data[0], data[1]}, grid[1:len(grid)-1]...)...)
	return nil
}

// lowerGridSample has no scratch: positions are computed point by point and serve all channels.
func lowerGridSample(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	grid, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	g, err := sampling(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		g.Run(view[float32](c.Out[0]), view[float32](src.bytes(c)), view[float32](grid.bytes(c)))
	}}, nil
}

// affineSize reads input size [N, C, spatial...] of AffineGrid and returns the spatial sizes.
func affineSize(x *Infer) ([]int, error) {
	v, err := x.known(1, "size")
	if err != nil {
		return nil, err
	}
	size, err := toInts(v)
	if err != nil {
		return nil, err
	}
	theta := x.In[0].Shape
	rank := len(size) - 2
	if rank < 2 || rank > 3 || len(theta) != 3 || theta[0] != size[0] || theta[1] != rank || theta[2] != rank+1 {
		return nil, fmt.Errorf("theta %v and size %v do not fit", theta, size)
	}
	return size[2:], possible(size, 8)
}

// inferAffineGrid: [N, sizes..., axes] from matrices [N][axes][axes+1] and a size [N, C, sizes...].
func inferAffineGrid(x *Infer) error {
	size, err := affineSize(x)
	if err != nil {
		return err
	}
	theta := x.In[0].Shape
	x.put(0, x.In[0].DType, append(append([]int{theta[0]}, size...), len(size))...)
	return nil
}

// lowerAffineGrid multiplies the coordinates of every cell, the last axis first, by the matrix of its sample. Each
// coordinate is one plain chain over the matrix row with the translation added last, products rounded.
func lowerAffineGrid(l *Lower) (Kernel, error) {
	theta, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	size, err := affineSize(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	rank, cells, corners := len(size), tensor.Count(size), l.Node.Int("align_corners", 0) != 0
	return Kernel{Alias: -1, Run: func(c *Call) {
		m, dst := view[float32](theta.bytes(c)), view[float32](c.Out[0])
		for i := range len(dst) / rank {
			var at [3]float32
			cell := i % cells
			for a := rank - 1; a >= 0; a-- {
				at[rank-1-a] = gridCoordinate(cell%size[a], size[a], corners)
				cell /= size[a]
			}
			rows := m[i/cells*rank*(rank+1):]
			for r := range rank {
				row := rows[r*(rank+1):][:rank+1]
				v := float32(0)
				for k := range rank {
					v += float32(row[k] * at[k])
				}
				dst[i*rank+r] = v + row[rank]
			}
		}
	}}, nil
}

// gridCoordinate is where cell i of n lies between -1 and 1. With corners the first and last cell lie on -1 and 1,
// (2i)/(n-1) - 1; without them cells are intervals and their middles count, (2i+1)/n - 1. One cell with corners lies at
// -1. Float64 and one rounding.
func gridCoordinate(i, n int, corners bool) float32 {
	if corners {
		return float32(float64(2*i)/math.Max(float64(n-1), 1) - 1)
	}
	return float32(float64(2*i+1)/float64(n) - 1)
}

// upgradeRoiAlign: before opset 16 coordinates were not moved by half an element.
func upgradeRoiAlign(u *Upgrade) error {
	if u.From < 16 {
		setText(u, "coordinate_transformation_mode", "output_half_pixel")
	}
	return nil
}

// Regions are (x1, y1, x2, y2) in the data's units divided by spatial_scale. sampling_ratio 0 means as many points as a
// cell has elements, rounded up.
func regionsOf(x *Infer) (r resample.Regions, err error) {
	n, data, rois, batch := x.Node, x.In[0].Shape, x.In[1].Shape, x.In[2]
	if len(data) != 4 || tensor.Count(data) == 0 || len(rois) != 2 || rois[1] != 4 || len(batch.Shape) != 1 || batch.Shape[0] != rois[0] || batch.DType != tensor.Int64 {
		return r, fmt.Errorf("data %v, regions %v and batch indices %s%v do not fit", data, rois, batch.DType, batch.Shape)
	}
	h, err := toInt(n.Int("output_height", 1))
	if err != nil {
		return r, err
	}
	w, err := toInt(n.Int("output_width", 1))
	if err != nil {
		return r, err
	}
	ratio, err := toInt(n.Int("sampling_ratio", 0))
	if err != nil {
		return r, err
	}
	r = resample.Regions{
		Batch: data[0], C: data[1], H: data[2], W: data[3], OutH: h, OutW: w, Ratio: ratio, Scale: n.Float("spatial_scale", 1),
	}
	switch mode := n.Str("coordinate_transformation_mode", "half_pixel"); mode {
	case "half_pixel":
		r.HalfPixel = true
	case "output_half_pixel":
	default:
		return r, fmt.Errorf("coordinate_transformation_mode %q is unknown", mode)
	}
	switch mode := n.Str("mode", "avg"); mode {
	case "max":
		r.Max = true
	case "avg":
	default:
		return r, fmt.Errorf("mode %q is unknown", mode)
	}
	if h < 1 || w < 1 || ratio < 0 || ratio > 1<<10 {
		return r, fmt.Errorf("output_height %d, output_width %d and sampling_ratio %d are not possible", h, w, ratio)
	}
	return r, nil
}

// inferRoiAlign: [regions, C, output_height, output_width]; regions are [n][4], batch indices int64 [n].
func inferRoiAlign(x *Infer) error {
	r, err := regionsOf(x)
	if err != nil {
		return err
	}
	if err := x.alike(1); err != nil {
		return err
	}
	x.put(0, x.In[0].DType, x.In[1].Shape[0], r.C, r.OutH, r.OutW)
	return nil
}

// lowerRoiAlign is never row-wise: regions name their sample by index.
func lowerRoiAlign(l *Lower) (Kernel, error) {
	var in [3]operand
	for i := range in {
		var err error
		if in[i], err = l.operand(i, Logical); err != nil {
			return Kernel{}, err
		}
	}
	r, err := regionsOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		r.Run(view[float32](c.Out[0]), view[float32](in[0].bytes(c)), view[float32](in[1].bytes(c)), view[int64](in[2].bytes(c)))
	}}, nil
}
