package op

// The cases of operators that came with the ONNX suite, under the same contract.
func init() {
	cases = append(cases, []struct{ inputs, node string }{
		{"x: float16[2,3,4,5]; y: float16[2,3,4,5]", "Add(x, y)"},
		{"x: bfloat16[2,3,4,5]", "Sigmoid(x)"},
		{"x: float16[2,5,3]; w: float16[3,4]", "MatMul(x, w)"},
		{"x: float32[2,3,4,5]", "Asinh(x)"},
		{"x: float32[2,3,4,5]", "Shrink(x) {lambd=0.7, bias=0.2}"},
		{"x: float32[2,3,4,5]", "Swish(x) {alpha=1.5}"},
		{"x: float32[2,3,4,5]", "Hardmax(x) {axis=1}"},
		{"x: float32[2,3,4,5]", "IsInf(x)"},
		{"x: float32[2,3,4,5]", "IsNaN(x)"},
		{"x: int32[2,3,4,5]; y: int32[3,1,1]", "Mod(x, y)"},
		{"x: float32[2,3,4,5]; y: float32[3,1,1]", "Mod(x, y) {fmod=1}"},
		{"x: int32[2,3,4,5]; y: int32[2,3,4,5]", "BitwiseXor(x, y)"},
		{"x: int64[2,3,4,5]", "BitwiseNot(x)"},
		{"x: uint8[2,3,4,5]; y: uint8[5]", `BitShift(x, y) {direction="LEFT"}`},
		{"x: float32[2,3,4,5]", "BitCast(x) {to=6}"},
		{"x: float32[2,3,4,5]; k: int64[] = const [-1]", "Trilu(x, k)"},
		{"x: int64[3,4]", "EyeLike(x) {k=1, dtype=1}"},
		{"x: float32[2,3,4,5]; a: int64[] = const [2]", "CumSum(x, a) {exclusive=1, reverse=1}"},
		{"x: int32[2,3,4]; a: int64[] = const [1]", "CumProd(x, a)"},
		{"x: float32[2,3,4]; t: int64[2,4]; w: float32[3]", `NegativeLogLikelihoodLoss(x, t, w) {reduction="none"}`},
		{"x: float32[2,3,4]; t: int64[2,4]", "SoftmaxCrossEntropyLoss(x, t) {ignore_index=1}"},
	}...)
}
