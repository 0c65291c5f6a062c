package op

import (
	"fmt"
	"math"

	"assay/shared/tensor"
)

// classic is the domain of operators of models that are no networks.
const classic = "ai.onnx.ml"

// featureOps prepare features; of ai.onnx.ml these are the ones that need neither strings nor maps.
var featureOps = []*Op{
	{
		Domain: classic, Name: "ArrayFeatureExtractor", Opsets: []int{1}, Role: RoleFloat, Types: numericTypes,
		Inputs: Arity{2, 2}, Outputs: Arity{1, 1}, RowWise: never, Infer: inferExtract, Lower: lowerExtract,
	},
	{
		Domain: classic, Name: "Binarizer", Opsets: []int{1}, Role: RoleFloat, Types: numericTypes, Attrs: []string{"threshold"},
		Inputs: Arity{1, 1}, Outputs: Arity{1, 1}, Infer: same, Lower: lowerBinarizer,
	},
}

// inferExtract takes columns of the last axis; a line of features counts as one row.
func inferExtract(x *Infer) error {
	data := x.In[0].Shape
	if len(data) == 0 || x.In[1].DType != tensor.Int64 {
		return fmt.Errorf("data shape %v and columns of type %s", data, x.In[1].DType)
	}
	picked := tensor.Count(x.In[1].Shape)
	if len(data) == 1 {
		x.put(0, x.In[0].DType, 1, picked)
		return nil
	}
	x.put(0, x.In[0].DType, append(append([]int{}, data[:len(data)-1]...), picked)...)
	return nil
}

// lowerExtract copies columns of every row; repeated columns are copied again. They are constants, so one outside is
// refused and not moved inside as a computed index would be.
func lowerExtract(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	t, err := l.constant(1, "columns")
	if err != nil {
		return Kernel{}, err
	}
	columns, size := tensor.View[int64](t), l.In[0].DType.Size()
	width := l.In[0].Shape[len(l.In[0].Shape)-1]
	for _, c := range columns {
		if c < 0 || c >= int64(width) {
			return Kernel{}, fmt.Errorf("column %d of %d does not exist", c, width)
		}
	}
	return Kernel{Alias: -1, Run: func(c *Call) {
		in, out := src.bytes(c), c.Out[0]
		for at := 0; len(out) > 0; at += width {
			for _, k := range columns {
				out = out[copy(out, in[(at+int(k))*size:][:size]):]
			}
		}
	}}, nil
}

// lowerBinarizer: 1 above the threshold, else 0. Equality with the threshold gives 0. NaN gives 0, since it is above
// nothing.
func lowerBinarizer(l *Lower) (Kernel, error) {
	src, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	limit, d := float64(l.Node.Float("threshold", 0)), l.In[0].DType
	get, put := numberAt(d), putNumber(d, rounding{})
	if put == nil || math.IsNaN(limit) {
		return Kernel{}, fmt.Errorf("elements of %s and threshold %v are not supported", d, limit)
	}
	n := tensor.Count(l.In[0].Shape)
	return Kernel{Alias: -1, Run: func(c *Call) {
		in := src.bytes(c)
		for i := range n {
			put(c.Out[0], i, float64(truth(get(in, i) > limit)))
		}
	}}, nil
}
