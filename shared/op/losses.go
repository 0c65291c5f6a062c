package op

import (
	"fmt"
	"slices"

	"assay/kernels/numeric"
	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// lossOps measure classifications: models exported with their training criterion. reduction is mean by default, over the
// weights; a sample whose label is ignore_index, or no class at all, weighs nothing. Refused: labels that do not fit the
// scores, weights that do not fit the classes.
var lossOps = []*Op{
	{
		Name: "NegativeLogLikelihoodLoss", Opsets: []int{12, 13}, Types: float32Only, Attrs: []string{"ignore_index", "reduction"},
		Inputs: Arity{2, 3}, Outputs: Arity{1, 1}, Infer: inferLoss, RowWise: never,
		Lower: func(l *Lower) (Kernel, error) { return lowerLoss(l, false) },
	},
	{
		Name: "SoftmaxCrossEntropyLoss", Opsets: []int{12, 13}, Types: float32Only, Attrs: []string{"ignore_index", "reduction"},
		Inputs: Arity{2, 3}, Outputs: Arity{1, 2}, Infer: inferLoss, RowWise: never,
		Lower: func(l *Lower) (Kernel, error) { return lowerLoss(l, true) },
	},
}

// inferLoss: labels have the shape of the scores without their axis of classes; reduction none keeps that shape, the others
// give a scalar.
func inferLoss(x *Infer) error {
	scores, labels := x.In[0].Shape, x.In[1].Shape
	if len(scores) < 2 || scores[1] < 1 || !slices.Equal(labels, without(scores, []int{1}, false)) {
		return fmt.Errorf("scores of shape %v and labels of shape %v do not fit: labels have no axis of classes", scores, labels)
	}
	if !slices.Contains(indexTypes, x.In[1].DType) {
		return fmt.Errorf("input 1 (labels) is %s, int32 or int64 is required", x.In[1].DType)
	}
	if err := x.alike(2); err != nil {
		return err
	}
	if x.has(2) && !slices.Equal(x.In[2].Shape, scores[1:2]) {
		return fmt.Errorf("weights of shape %v do not fit %d classes", x.In[2].Shape, scores[1])
	}
	switch r := x.Node.Str("reduction", "mean"); r {
	case "none":
		x.put(0, x.In[0].DType, labels...)
	case "sum", "mean":
		x.put(0, x.In[0].DType)
	default:
		return fmt.Errorf("attribute reduction is %q; none, sum and mean are known", r)
	}
	x.put(1, x.In[0].DType, scores...)
	return nil
}

// lowerLoss is -weight[label] * log probability[label] of each sample; its mean is over the weights. A sample whose label
// is ignore_index, or no class at all, weighs nothing. Sums are in the order of numeric.Sum. The mean of no weight at
// all is 0/0 = NaN, ONNX's own answer. Output 1 of SoftmaxCrossEntropyLoss, the logarithms, doubles as the place they
// are computed in; without it they go to scratch. Layout is [N][C][inner].
func lowerLoss(l *Lower, softmax bool) (Kernel, error) {
	scores, err := l.operand(0, Logical)
	if err != nil {
		return Kernel{}, err
	}
	labels, err := l.operand(1, Logical)
	if err != nil {
		return Kernel{}, err
	}
	var weights operand
	if l.present(2) {
		if weights, err = l.operand(2, Logical); err != nil {
			return Kernel{}, err
		}
	}
	shape, size := l.In[0].Shape, l.In[1].DType.Size()
	classes, inner := shape[1], tensor.Count(shape[2:])
	n, reduction := shape[0]*inner, l.Node.Str("reduction", "mean")
	var ignore *int64
	if l.Node.Attr("ignore_index") != nil {
		v := l.Node.Int("ignore_index", 0)
		ignore = &v
	}
	scratch := 0
	if softmax && !l.wants(1) {
		scratch = 4 * tensor.Count(shape)
	}
	return Kernel{Alias: -1, Scratch: scratch, Run: func(c *Call) {
		logs := view[float32](scores.bytes(c))
		if softmax {
			to := c.Scratch[:scratch]
			if l.wants(1) {
				to = c.Out[1]
			}
			reduce.LogSoftmax(view[float32](to), logs, shape[0], classes, inner, len(shape) == 2)
			logs = view[float32](to)
		}
		var w []float32
		if weights.shape != nil {
			w = view[float32](weights.bytes(c))
		}
		out, index0 := view[float32](c.Out[0]), labels.bytes(c)
		var loss, weight numeric.LaneSum
		// Sample i is position i%inner of row i/inner. One that weighs nothing is a summand of 0 all the same, so that the chains
		// of numeric.Sum do not depend on which samples those are.
		for i := range n {
			k, each := index(index0, size, i), float32(0)
			var v float32
			if (ignore == nil || k != *ignore) && k >= 0 && k < int64(classes) {
				each = 1
				if w != nil {
					each = w[k]
				}
				v = float32(-logs[(i/inner*classes+int(k))*inner+i%inner] * each)
			}
			if reduction == "none" {
				out[i] = numeric.Canon(v)
			}
			loss.Add1(v)
			weight.Add1(each)
		}
		switch reduction {
		case "sum":
			out[0] = numeric.Canon(loss.Sum())
		case "mean":
			out[0] = numeric.Canon(loss.Sum() / weight.Sum())
		}
	}}, nil
}
