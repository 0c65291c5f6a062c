package op

import (
	"fmt"
	"slices"
	"strings"

	"assay/kernels/numeric"
	"assay/kernels/reduce"
	"assay/shared/tensor"
)

// einsumOps sum products over named axes: letters, an ellipsis, letters that repeat within a term (a diagonal), an equation
// with or without its right side. The sum over an element's products runs over the summed axes in the order of their first
// appearance. Refused: terms that do not fit their operand, letters that stand for two sizes, results that name what no
// operand has. It stays float: neither runtime has an integer form.
var einsumOps = []*Op{{
	Name: "Einsum", Opsets: []int{12}, Types: numericTypes, Attrs: []string{"equation"}, RowWise: never,
	Inputs: Arity{1, -1}, Outputs: Arity{1, 1}, Infer: inferEinsum, Lower: lowerEinsum,
	MACs: func(x *Infer) int64 {
		e, err := equationOf(x)
		if err != nil {
			return 0
		}
		return int64(tensor.Count(e.kept.N)) * int64(tensor.Count(e.summed.N)) * int64(max(len(x.In)-1, 1))
	},
}}

// mostWork bounds loops whose length is a product of many axes, none of which is an output's.
const mostWork = 1 << 38

// equation is a resolved Einsum: the sizes of the axes that stay (in the output's order) and of those that are summed (in
// order of first appearance), and the strides of each operand along them. strides[i][0] has len(kept.N) entries and
// strides[i][1] len(summed.N); 0 where operand i does not have the label or is stretched (size 1) along it.
type equation struct {
	kept, summed reduce.Axes
	strides      [][2][]int // per operand, along kept and summed
}

// labels takes a term apart; axes of an ellipsis get labels below 'A', counted from its last axis. rank is that of the
// operand, or what the result is to have. Labels of ellipsis axes are ' '+1 for the last, ' '+2 for the one before ...:
// they match from the end, as numpy broadcasts, and being below 'A' they sort in front of letters. 32 of them end at
// '@', the last code below 'A'.
func labels(term string, rank int) ([]rune, error) {
	before, after, dots := strings.Cut(term, "...")
	n := len(before) + len(after)
	if n > rank || !dots && n != rank {
		return nil, fmt.Errorf("term %q does not fit %d axes", term, rank)
	}
	out := []rune(before)
	for i := rank - n; i > 0; i-- {
		if i > 32 {
			return nil, fmt.Errorf("%d axes are too many", rank)
		}
		out = append(out, rune(' '+i))
	}
	out = append(out, []rune(after)...)
	for _, c := range before + after {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return nil, fmt.Errorf("term %q: %q is no label", term, c)
		}
	}
	return out, nil
}

// resultLabels are the labels of the output: those written behind the arrow, or else the axes of an ellipsis and all labels
// that stand once, in alphabetical order. Without an arrow numpy's implicit mode holds: labels that occur once,
// alphabetically, upper case first as in ASCII, behind the ellipsis.
func resultLabels(result string, explicit bool, terms [][]rune) ([]rune, error) {
	count, dots := map[rune]int{}, 0
	for _, term := range terms {
		for _, c := range term {
			if count[c]++; c < 'A' {
				dots = max(dots, int(c-' '))
			}
		}
	}
	if explicit {
		rest := len(strings.Replace(result, "...", "", 1))
		if strings.Contains(result, "...") {
			rest += dots
		}
		out, err := labels(result, rest)
		for i, c := range out {
			if err == nil && (count[c] == 0 || slices.Contains(out[:i], c)) {
				err = fmt.Errorf("label %q of the result stands in no term, or twice", c)
			}
		}
		return out, err
	}
	var out []rune
	for c, n := range count {
		if n == 1 || c < 'A' {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b rune) int {
		if a < 'A' && b < 'A' {
			return int(b - a)
		}
		return int(a - b)
	})
	return out, nil
}

// equationOf resolves every label to one size; 1 stretches as in numpy. Terms and inputs must be as many.
func equationOf(x *Infer) (e equation, err error) {
	text := strings.ReplaceAll(x.Node.Str("equation", ""), " ", "")
	left, result, explicit := strings.Cut(text, "->")
	parts := strings.Split(left, ",")
	if len(parts) != len(x.In) {
		return e, fmt.Errorf("equation %q has %d terms for %d inputs", text, len(parts), len(x.In))
	}
	terms := make([][]rune, len(parts))
	size := map[rune]int{}
	var order []rune
	for i, part := range parts {
		if !x.has(i) {
			return e, fmt.Errorf("input %d is omitted but required", i)
		}
		if terms[i], err = labels(part, len(x.In[i].Shape)); err != nil {
			return e, err
		}
		for a, c := range terms[i] {
			n := x.In[i].Shape[a]
			if have, ok := size[c]; !ok {
				size[c] = n
				order = append(order, c)
			} else if have == 1 {
				size[c] = n
			} else if n != have && n != 1 {
				return e, fmt.Errorf("equation %q: %q is %d and %d long", text, c, have, n)
			}
		}
	}
	out, err := resultLabels(result, explicit, terms)
	if err != nil {
		return e, err
	}
	e.strides = make([][2][]int, len(terms))
	for _, c := range out {
		e.add(&e.kept, 0, c, size[c], terms, x)
	}
	for _, c := range order {
		if !slices.Contains(out, c) {
			e.add(&e.summed, 1, c, size[c], terms, x)
		}
	}
	return e, nil
}

// add appends an axis; an operand moves along it by the strides of all its axes of that label. A label that stands
// twice in a term (ii) moves along both of its axes at once: the sum of their strides walks the diagonal.
func (e *equation) add(to *reduce.Axes, part int, c rune, n int, terms [][]rune, x *Infer) {
	to.N = append(to.N, n)
	for i, term := range terms {
		strides, step := rowMajor(x.In[i].Shape), 0
		for a, l := range term {
			if l == c && x.In[i].Shape[a] != 1 {
				step += strides[a]
			}
		}
		e.strides[i][part] = append(e.strides[i][part], step)
	}
}

// inferEinsum: the output has the labels behind the arrow, or those that resultLabels finds, each with the size its operands
// have. The product of all axes is bounded, not only the output: "i,j->" of two long vectors has one output and i*j
// products.
func inferEinsum(x *Infer) error {
	for i := range x.In {
		if err := x.alike(i); err != nil {
			return err
		}
	}
	e, err := equationOf(x)
	if err != nil {
		return err
	}
	all := append(slices.Clone(e.kept.N), e.summed.N...)
	if err := possible(all, 1); err != nil {
		return err
	}
	if n := tensor.Count(all); n > mostWork {
		return fmt.Errorf("%d products are more than the %d that are supported", n, mostWork)
	}
	x.put(0, x.In[0].DType, e.kept.N...)
	return nil
}

// offset is the place in an operand of a flat position of axes n. part is 0 for kept axes and 1 for summed ones; flat
// counts row-major over n.
func (e *equation) offset(operand, part, flat int, n []int) (at int) {
	s := e.strides[operand][part]
	for a := len(n) - 1; a >= 0; a-- {
		at += flat % n[a] * s[a]
		flat /= n[a]
	}
	return at
}

// lowerEinsum is one chain for each output element: products of all operands from the left, rounded each, are added in
// row-major order of the summed axes; with two operands of float32 product and sum are one fused operation, as in MatMul.
func lowerEinsum(l *Lower) (Kernel, error) {
	e, err := equationOf(l.argsInfer())
	if err != nil {
		return Kernel{}, err
	}
	ops := make([]operand, len(l.In))
	for i := range ops {
		if ops[i], err = l.operand(i, Logical); err != nil {
			return Kernel{}, err
		}
	}
	if l.In[0].DType == tensor.Float32 && len(ops) == 2 {
		if p, ok := productOfEinsum(&e); ok {
			return p.kernel(ops[0], ops[1]), nil
		}
		return e.fused(ops), nil
	}
	run := map[tensor.DType]func(*equation, *Call, []operand){
		tensor.Float32: sums(numeric.Canon), tensor.Float64: sums[float64](nil), tensor.Int8: sums[int8](nil), tensor.Uint8: sums[uint8](nil),
		tensor.Int16: sums[int16](nil), tensor.Uint16: sums[uint16](nil), tensor.Int32: sums[int32](nil), tensor.Uint32: sums[uint32](nil),
		tensor.Int64: sums[int64](nil), tensor.Uint64: sums[uint64](nil),
	}[l.In[0].DType]
	return Kernel{Alias: -1, Run: func(c *Call) { run(&e, c, ops) }}, nil
}

// fused is the form of any two float32 operands, an element at a time.
func (e *equation) fused(ops []operand) Kernel {
	return Kernel{Alias: -1, Run: func(c *Call) {
		sumOf(e, c, ops, func(sum, product, factor float32) float32 { return numeric.FMA32(product, factor, sum) }, numeric.Canon)
	}}
}

// sums is the form of all types but the pair of float32 operands.
func sums[T element](store func(T) T) func(*equation, *Call, []operand) {
	return func(e *equation, c *Call, ops []operand) {
		sumOf(e, c, ops, func(sum, product, factor T) T { return sum + T(product*factor) }, store)
	}
}

// sumOf adds up, for each output element, what add makes of the sum so far, the product of all operands but the last, and
// the last.
func sumOf[T element](e *equation, c *Call, ops []operand, add func(sum, product, factor T) T, store func(T) T) {
	out, last, terms := view[T](c.Out[0]), len(ops)-1, tensor.Count(e.summed.N)
	for o := range out {
		sum := T(0)
		for k := range terms {
			product := T(1)
			for i := range last {
				product = T(product * view[T](ops[i].bytes(c))[e.offset(i, 0, o, e.kept.N)+e.offset(i, 1, k, e.summed.N)])
			}
			sum = add(sum, product, view[T](ops[last].bytes(c))[e.offset(last, 0, o, e.kept.N)+e.offset(last, 1, k, e.summed.N)])
		}
		if store != nil {
			sum = store(sum)
		}
		out[o] = sum
	}
}
