package op

import (
	"fmt"

	"assay/shared/graph"
)

// rankDependent are the operators whose upgrade asks for the rank of input 0.
var rankDependent = map[string]bool{"Softmax": true, "LogSoftmax": true, "Hardmax": true}

// axesToInput makes attribute axes input 1: Squeeze, Unsqueeze, ReduceSum before opset 13.
func axesToInput(u *Upgrade) error { return axesToInputBefore(13)(u) }

// axesToInputBefore is axesToInput for operators that changed at another opset. Absent axes stay absent: their meaning
// (all) did not change.
func axesToInputBefore(opset int) func(*Upgrade) error {
	return func(u *Upgrade) error {
		axes := u.Node.Ints("axes")
		if u.From >= opset || axes == nil {
			return nil
		}
		if len(u.Node.Inputs) != 1 {
			return fmt.Errorf("it has %d inputs, 1 is required at opset %d", len(u.Node.Inputs), u.From)
		}
		u.Node.Inputs = append(u.Node.Inputs, u.AddConst("axes", int64s(axes...)))
		u.Node.Unset("axes")
		return nil
	}
}

// upgradeSoftmax keeps the meaning that Softmax and LogSoftmax had before opset 13: the input is flattened to a matrix at
// axis (default 1), and rows are normalised. Where axis is the last one that is today's form; else the node is set
// between Flatten and a Reshape to the shape of the input. The Shape node keeps it right for symbolic sizes. A rank
// that is unknown takes the long way, which is always right.
func upgradeSoftmax(u *Upgrade) error {
	n := u.Node
	if u.From >= 13 {
		return nil
	}
	axis := n.Int("axis", 1)
	rank, known := u.Rank(n.Input(0))
	if axis == -1 || known && (axis == int64(rank)-1 || rank == 1 && axis == 0) {
		n.SetInt("axis", -1)
		return nil
	}
	if len(n.Inputs) != 1 || len(n.Outputs) != 1 {
		return fmt.Errorf("it has %d inputs and %d outputs, one of each is required", len(n.Inputs), len(n.Outputs))
	}
	in, out := n.Inputs[0], n.Outputs[0]
	flat, soft, shape := u.Fresh("flat"), u.Fresh("rows"), u.Fresh("shape")
	flatten := &graph.Node{Name: flat, Op: "Flatten", Inputs: []string{in}, Outputs: []string{flat}}
	flatten.SetInt("axis", axis)
	u.Before = append(u.Before, flatten, &graph.Node{Name: shape, Op: "Shape", Inputs: []string{in}, Outputs: []string{shape}})
	n.Inputs[0], n.Outputs[0] = flat, soft
	n.SetInt("axis", -1)
	u.After = append(u.After, &graph.Node{Name: u.Fresh("back"), Op: "Reshape", Inputs: []string{soft, shape}, Outputs: []string{out}})
	return nil
}

// upgradeClip makes attributes min and max inputs (opset 11). The defaults were the lowest and highest float32. An
// attribute that is absent gives no input, so no bound of -3.4e38 gets into ranges (ort-semantics 6.5).
func upgradeClip(u *Upgrade) error {
	n := u.Node
	if u.From >= 11 {
		return nil
	}
	if len(n.Inputs) != 1 {
		return fmt.Errorf("it has %d inputs, 1 is required at opset %d", len(n.Inputs), u.From)
	}
	lo, hi := n.Attr("min"), n.Attr("max")
	if lo != nil || hi != nil {
		n.Inputs = append(n.Inputs, "")
	}
	if lo != nil {
		n.Inputs[1] = u.AddConst("min", scalar(lo.Float))
	}
	if hi != nil {
		n.Inputs = append(n.Inputs, u.AddConst("max", scalar(hi.Float)))
	}
	n.Unset("min")
	n.Unset("max")
	return nil
}

// upgradeDropout leaves what Dropout does at inference: nothing. ratio and seed matter for training only; the mask output
// of opsets before 12 had the input's type and is refused where it is read. A mask that nobody reads is dropped, which
// makes training exports with unused masks readable.
func upgradeDropout(u *Upgrade) error {
	n := u.Node
	if len(n.Outputs) > 1 && !u.Read(n.Outputs[1]) {
		n.Outputs = n.Outputs[:1]
	}
	if u.From < 7 && n.Int("is_test", 0) == 0 && len(n.Outputs) > 1 {
		return fmt.Errorf("is_test = 0 with a mask is training: export the model for inference")
	}
	n.Unset("is_test")
	if u.From < 12 {
		n.Unset("ratio")
		n.Inputs = n.Inputs[:min(len(n.Inputs), 1)]
		if u.From < 10 && len(n.Outputs) > 1 && n.Outputs[1] != "" {
			return fmt.Errorf("its mask output is not supported at opset %d", u.From)
		}
	}
	n.Unset("seed")
	return nil
}

// upgradeBatchNormalization refuses what is no inference: opset 7's spatial 0, training_mode 1, more than one output
// read. Statistics named by files before opset 14 are dropped unread: exporters wrote them for inference as well.
func upgradeBatchNormalization(u *Upgrade) error {
	n := u.Node
	if u.From < 9 && n.Int("spatial", 1) != 1 {
		return fmt.Errorf("spatial = 0 is not supported")
	}
	n.Unset("spatial")
	if u.From < 7 && n.Int("is_test", 0) == 0 && len(n.Outputs) > 1 {
		return fmt.Errorf("is_test = 0 is training: export the model for inference")
	}
	n.Unset("is_test")
	if n.Int("training_mode", 0) != 0 {
		return fmt.Errorf("training_mode = 1 is not supported: export the model for inference")
	}
	for len(n.Outputs) > 1 {
		last := len(n.Outputs) - 1
		if n.Outputs[last] != "" && u.From >= 14 {
			return fmt.Errorf("its statistics outputs exist in training only")
		}
		n.Outputs = n.Outputs[:last]
	}
	n.Unset("momentum")
	n.Unset("training_mode")
	return nil
}

// setText sets a string attribute of the node.
func setText(u *Upgrade, name, value string) {
	u.Node.Set(graph.Attr{Name: name, Kind: graph.KindString, Str: []byte(value)})
}
