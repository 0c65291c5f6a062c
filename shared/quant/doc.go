// Package quant decides what becomes INT8 in a normalised float model and writes it: where points go (Taps, Build),
// with which scales, in which groups they leave, and the QDQ graph that a plan stands for (Apply). The graph that Apply
// returns is what is evaluated and what is exported; there is no second meaning of a plan.
//
// A broker, a clock, a metric or a kernel may not enter. Every result is a function of its arguments: same model,
// configuration and statistics, same params, to the byte, on any machine. Statistics arrive per sample and are folded
// here in sample order.
//
// The placement follows what ONNX Runtime (1.21 and later) and OpenVINO make of a file, as measured on small models;
// the comments at each rule say what either runtime does when the rule is broken:
//
//   - an integer layer has u8 activations per tensor, s8 weights with zero point 0, an int32 bias at scale sx*sw;
//   - a Conv, and a Gemm or MatMul that a Relu or Clip follows, is integer only with a QuantizeLinear behind it, so the
//     layer owns a point on its output; other Gemm and MatMul have a float output form;
//   - MaxPool, Transpose, Reshape, Squeeze, Unsqueeze and Slice pass integers without a pair behind them; Flatten,
//     Split, Resize, DepthToSpace, Gather and Concat need one;
//   - a float layer behind a DequantizeLinear is quantized again by ONNX Runtime unless protected (protect.go).
//
// Terms: a layer is a Conv, Gemm or MatMul with a constant weight, with its bias and the Relu or Clip it absorbs. A
// site is a point before it has a scale. The root of an operand is the value behind the transparent operators above it.
package quant
