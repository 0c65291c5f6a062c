// Package op knows operators: for each, the opsets and attributes, how shapes follow, how it is evaluated (by calling
// kernels), its role in quantization and its behaviour over the batch. One file per operator family; a new operator is
// one edit here and nowhere else. A plan, a broker, a data set or a file format may not enter.
//
// Two kinds of operators live here: ONNX's own in the spelling of Newest, and the integer operators that ONNX Runtime's
// optimiser writes (QLinearConv, QGemm, QLinearAdd ...), which the engine's fusion targets and models may contain.
package op

import (
	"assay/shared/graph"
	"assay/shared/tensor"
)

// Newest is the ai.onnx opset whose spelling the IR uses. The reader upgrades every node to it.
const Newest = 21

// Layout says in which order a computed tensor of rank >= 3 lies in memory. Shapes are always given in logical order.
// Which order a tensor has is decided by the engine's compile step alone; it is part of no digest and changes no bit.
type Layout uint8

const (
	Logical      Layout = iota // row-major over the logical axes
	ChannelsLast               // row-major over axes 0, 2, 3 ..., 1: NHWC for images
)

// Memory says which layouts an operator's Lower accepts. The engine reads it to place as few reorderings as it can;
// what it may not do is hand a Lower anything else.
type Memory uint8

const (
	MemoryLogical Memory = iota // inputs and outputs Logical
	MemorySpatial               // input 0 and all outputs ChannelsLast when input 0 has rank >= 3; other inputs Logical
	MemoryAny                   // either, as long as all computed inputs of the output's rank agree; outputs the same. Lower maps axes.
)

// Role is the part an operator can play in an integer region of a plan; the placement rules of package quant build on
// it. A role says what the operator can be, not what it will be; package quant looks at the node as well. RoleFloat is
// the zero value, so a new operator is safe until somebody has read ort-semantics 6 about it.
type Role uint8

const (
	RoleFloat       Role = iota // never quantized
	RoleLayer                   // Conv, ConvTranspose, Gemm, MatMul: input 0 data, 1 weight (or data), 2 bias
	RoleElementwise             // two data inputs with an integer form in the runtimes: Add, Mul
	RoleTable                   // one data input, integer form is a 256-entry table: Sigmoid, LeakyRelu
	RoleAbsorbed                // disappears in its producer's saturation: Relu, Clip
	RolePool                    // AveragePool, GlobalAveragePool: integer in and out, own output scale
	RoleConcat                  // integers pass if the inputs share one scale
	RolePassThrough             // integers pass: MaxPool, Reshape, Flatten, Transpose, Squeeze, Unsqueeze, Slice, Split, Pad ...
	RoleShape                   // computes shapes or indices: Shape, Size, Range, ConstantOfShape ...
	RoleQuantized               // quantized already: QuantizeLinear, DequantizeLinear, QLinear*
)

// Op is one operator. The zero value of an optional field is its sensible default.
type Op struct {
	Domain string // "" is ai.onnx
	Name   string
	Opsets []int // opsets at which the definition changed, ascending, up to Newest; the reader accepts all from the first

	// Inputs and Outputs bound how many a node may name; Attrs are the attributes that Lower understands in Newest's
	// spelling. A node outside is refused, so Infer and Lower may index what is required.
	Inputs  Arity
	Outputs Arity
	Attrs   []string

	// Types are the element types of input 0 that Lower evaluates; nil means every type of a fixed size.
	Types []tensor.DType

	// Upgrade rewrites a node of opset from (>= 6) in place to Newest's spelling; nil when nothing changed. It may add
	// constants and nodes through u. An opset outside what it knows is refused before it is called.
	Upgrade func(u *Upgrade) error

	// Infer fills x.Out from x.In; values (x.Out[i].Value) are optional and only for what shape computations need.
	Infer func(x *Infer) error

	// Lower binds a node with known shapes and layouts to kernels.
	Lower func(l *Lower) (Kernel, error)

	// Control runs a node on whole values instead: one that has nested graphs, or takes or gives sequences and optionals.
	// Lower is nil then; an operator that has both (Identity) is lowered for tensors. See control.go and sequences.go.
	Control Control

	Role   Role
	Memory Memory

	// RowWise reports whether row i of each output along axis 0 depends on row i of the computed inputs only, and on nothing
	// else that has rows. It answers for the shapes it is given: a Reshape to [1, n] is fine for one row and not for two. Nil
	// means that it always holds.
	RowWise func(l *Lower) bool

	// data is the first input that Lower accepts as computed.
	data int

	// Residual is an input that lies as the output does, 0 for none: what is added to the result before its activation.
	Residual int

	// MACs counts multiply-accumulate operations for the given shapes; nil counts none. An Info without a shape stands for
	// one that is known only when the model runs: it counts none either.
	MACs func(x *Infer) int64
}

// Arity bounds a number of inputs or outputs. Most is -1 where there is no bound. Required ones stand first.
type Arity struct{ Least, Most int }

// Info is what is known of one value with concrete input shapes: type, shape, and the elements themselves when they are
// constant or follow from shapes alone. DType Invalid means that nothing is known. Invariant: Value, where set, has
// exactly DType and Shape. A container has neither Shape nor Value but, where that is known, the element type of a sequence
// and Items; nil Items mean that their number is open, an empty list that there are none.
type Info struct {
	DType tensor.DType
	Shape []int
	Value *tensor.Tensor
	Elem  tensor.DType
	Items []Info
}

// Whole reports whether a node of o runs on whole values, between compiled stretches of nodes. container says that one of
// its inputs is a sequence or an optional.
func (o *Op) Whole(container bool) bool { return o.Control != nil && (o.Lower == nil || container) }

// Infer is one application of a shape rule. In[i].DType is Invalid for an omitted input. Outer is what is known of the
// values that the node's nested graphs may read; others than If, Loop and Scan do not look at it.
type Infer struct {
	Node  *graph.Node
	In    []Info
	Out   []Info
	Outer map[string]Info
}

// Arg is one input or output of a node that is being lowered. Name is "" when it is omitted. Const is set when the value is
// known before the run (always in Logical layout) and the kernel must not expect a buffer for it.
type Arg struct {
	Name   string
	DType  tensor.DType
	Shape  []int // logical order
	Layout Layout
	Const  *tensor.Tensor
}

// Lower is what Op.Lower sees. Packs shares packed weights between programs: key names the content and the packing. It
// lives for one call of Op.Lower: what the Kernel needs later has to be copied out of it, and so have shapes, which
// belong to the engine.
type Lower struct {
	Node  *graph.Node
	In    []Arg
	Out   []Arg
	Packs Packs
}

// Packs returns the object under key, building it once per process; it is safe for concurrent use. size is in bytes and
// counts against the engine's memory limit.
type Packs interface {
	Get(key string, build func() (object any, size int64, err error)) (any, error)
	// Digest is that of a constant, which does not change any more; it may be remembered.
	Digest(t *tensor.Tensor) [32]byte
}

// Kernel is a lowered node. Run is called with buffers for all computed inputs and all outputs (nil for constants and
// omitted ones); it allocates nothing, keeps nothing between calls, and is safe for concurrent use with distinct
// buffers. Scratch is the number of bytes it wants in Call.Scratch. Alias >= 0 says that output 0 may share input Alias's
// buffer when that input is not needed afterwards (element-wise kernels); use -1 otherwise. Stretches, which may be nil,
// does the same piece by piece. WriteColumns, which may be
// nil, computes output 0 from input 0, the only one that is no constant, into dst, where the channels of a pixel begin apart
// elements after those of the pixel before; what lies between is left alone. Columns, which may be nil, says that output 0
// is rows, each of a row of every input: input i begins at element Columns[i] and ends where the next one
// begins, at once if it is no part of rows; the row ends at the last of Columns.
type Kernel struct {
	Scratch   int
	Alias     int
	Run       func(c *Call)
	Stretches *Stretches

	WriteColumns func(dst, src []byte, apart int, scratch []byte)
	Columns      []int

	tables [][256]uint32 // what the kernel looks up, of one that Tables has made
}

// Call carries the buffers of one run of a kernel. Buffers start at multiples of 8 bytes at least and are as long as
// their shape says; Out may alias In only as Kernel.Alias allowed. Scratch holds what the last kernel left there.
type Call struct {
	In      [][]byte
	Out     [][]byte
	Scratch []byte
}
