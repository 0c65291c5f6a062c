// Package plan holds what the coordinator decides and the evaluators compute: problems, params, plans, views, cells, and
// their digests. It knows names and numbers; a graph, a kernel, a clock or a broker may not enter.
//
// All types are values: a change returns a new one. A digest is SHA-256 over canonical msgpack (struct order, no maps),
// separated by type name, so equal values have equal digests on every machine and a digest names one value for ever.
package plan

import "assay/shared/tensor"

// Digest names a value by its content.
type Digest [32]byte

// Problem is everything a number may depend on besides plan and samples. Block is the number of samples of one cell; it
// follows from the model's multiply-adds, never from a clock.
type Problem struct {
	Numerics string
	Model    Digest // the normalised model, as its ONNX bytes
	Inputs   Digest // dataset.Inputs
	Meter    Digest // metric.Meter
	Block    uint16
}

// Use is one input of one node, by the node's unique name.
type Use struct {
	Node  string
	Input uint32
}

// PointKind says what a point quantizes.
type PointKind uint8

// The kinds of points.
const (
	Activation PointKind = iota // a computed tensor, per tensor
	Weight                      // a constant, per tensor or along Axis
	Bias                        // a constant stored as int32 with scale (input scale x weight scale), zero point 0
)

// Point is a fake-quantize point: value Value as read by Uses is x ~ (q - Zero) * Scale with q of type DType: x/Scale, rounded half
// to even, plus Zero, clamped to Range(DType). The quotient is a float32, as ONNX's QuantizeLinear has it, and a float64 for biases.
// Weights with zero point 0 stay within the symmetric part of the range (127 of int8, less with fewer bits).
// Axis is -1 per tensor (len(Scale) == len(Zero) == 1), else the axis of the constant that Scale runs along. Value and nodes are
// named as in the normalised model; Value is "" for a bias that only a patch makes.
type Point struct {
	Value string
	Kind  PointKind
	Uses  []Use
	DType tensor.DType
	Axis  int32
	Scale []float32
	Zero  []int32
}

// Patch replaces one input of a node, Use, by a constant while group Group is INT8 (a corrected bias); when the group is
// float the original stands. Data holds little-endian elements in row-major order, as a tensor does.
type Patch struct {
	Group uint32
	Use   Use
	DType tensor.DType
	Shape []uint32
	Data  []byte
}

// Params is "everything INT8": all points, the groups of points that leave together (indices into Points, ascending; each
// point is in one group; groups in the order of their first point), and the patches. Order is part of the digest.
type Params struct {
	Points  []Point
	Groups  [][]uint32
	Patches []Patch
}

// Plan says which groups are float: bit g of the words is group g. Invariant: the last word is not 0, so that one set has
// one encoding. The zero Plan has no params and is the float model.
type Plan struct {
	Params Digest
	Float  []uint64
}

// View is an ordered list of sample indices of the data set. An index may stand there twice.
type View struct{ Samples []uint32 }

// What says which question a cell answers.
type What uint8

// The questions, by what the value of a cell holds for each of its samples in order. Their numbers are part of digests.
const (
	Records  What = iota // the meter's record: metric.Meter.PerSample
	Taps                 // the statistics that Ref lists: quant.Recorder
	Outputs              // the measured outputs: metric.JoinAnswers
	Distance             // the meter's record against the stored answers that Ref names: metric.Meter.Against
	Timing               // kept for measurements, which never decide anything; no evaluator answers it
)

// Cell is one plan on one block of one view: samples [Index*Block, (Index+1)*Block) of it, fewer in the last block. Its value is
// a pure function of its fields.
type Cell struct {
	Problem Digest
	Plan    Digest // EffectiveDigest: plans that compute the same share cells
	View    Digest
	Index   uint32
	What    What
	Ref     Digest // Taps: the list of statistics; Distance: the stored outputs; else zero
}
