package op

import (
	"fmt"

	"assay/shared/tensor"
)

// stash checks attribute stash_type of a normalization: the type in which the first stage (mean, variance, division) is
// asked for. It is computed in float32 whatever the data, which honours the default 1. A half type asks for less, and
// gets float32 as it does from ONNX Runtime, unless a statistic is an output: that would have the asked type. Other types,
// float64 among them, ask for more than there is. For data of a half type the definition rounds twice, behind the first
// stage and at the end; here the end alone is rounded, as in ONNX Runtime, which is nearer to the exact result.
func (x *Infer) stash() error {
	code := x.Node.Int("stash_type", int64(tensor.Float32))
	switch code {
	case int64(tensor.Float32):
		return nil
	case int64(tensor.Float16), int64(tensor.BFloat16):
	default:
		return fmt.Errorf("stash_type is %d, and the first stage is computed in float32 (1)", code)
	}
	for i, name := range x.Node.Outputs {
		if i > 0 && name != "" {
			return fmt.Errorf("output %d would be of stash_type %d, and statistics are float32 (1)", i, code)
		}
	}
	return nil
}
