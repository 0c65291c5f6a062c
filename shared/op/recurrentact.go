package op

import (
	"fmt"
	"strings"

	"assay/kernels/elementwise"
	"assay/shared/graph"
)

// recurrentFunctions are the activations by lower-case name, with the defaults of their parameters; takes says which of
// alpha and beta a function has, for each takes the next of the node's lists.
var recurrentFunctions = map[string]struct {
	curve curve
	takes int
}{
	"relu":            {curve{op: elementwise.Relu}, 0},
	"tanh":            {curve{op: elementwise.Tanh}, 0},
	"sigmoid":         {curve{op: elementwise.Sigmoid}, 0},
	"softsign":        {curve{op: elementwise.Softsign}, 0},
	"softplus":        {curve{op: elementwise.Softplus}, 0},
	"leakyrelu":       {curve{op: elementwise.LeakyRelu, alpha: 0.01}, 1},
	"thresholdedrelu": {curve{op: elementwise.ThresholdedRelu, alpha: 1}, 1},
	"elu":             {curve{op: elementwise.Elu, alpha: 1}, 1},
	"hardsigmoid":     {curve{op: elementwise.HardSigmoid, alpha: 0.2, beta: 0.5}, 2},
	"affine":          {curve{alpha: 1}, 2},
	"scaledtanh":      {curve{alpha: 1, beta: 1}, 2},
}

// recurrentActivations returns the activations of all directions in order, as functions in place. defaults are the names
// for one direction. activation_alpha and activation_beta hold values for those functions that take them, in order.
func recurrentActivations(n *graph.Node, defaults []string, directions int) ([]func([]float32), error) {
	names := make([]string, 0, len(defaults)*directions)
	if a := n.Attr("activations"); a != nil {
		for _, s := range a.Strs {
			names = append(names, string(s))
		}
	} else {
		for range directions {
			names = append(names, defaults...)
		}
	}
	alpha, beta := floatList(n, "activation_alpha"), floatList(n, "activation_beta")
	out := make([]func([]float32), len(names))
	for i, name := range names {
		key := strings.ToLower(name)
		f, ok := recurrentFunctions[key]
		if !ok {
			return nil, fmt.Errorf("activation %q is not supported", name)
		}
		k := f.curve
		if f.takes > 0 && len(alpha) > 0 {
			k.alpha, alpha = alpha[0], alpha[1:]
		}
		if f.takes > 1 && len(beta) > 0 {
			k.beta, beta = beta[0], beta[1:]
		}
		switch key {
		case "affine":
			k.scalar = func(v float32) float32 { return float32(k.alpha*v) + k.beta }
		case "scaledtanh":
			tanh := elementwise.Func(elementwise.Tanh, 0, 0)
			k.scalar = func(v float32) float32 { return float32(k.alpha * tanh(float32(k.beta*v))) }
		}
		out[i] = k.inPlace()
	}
	return out, nil
}

// inPlace is loop on floats that are overwritten. Functions with parameters are made here and not in the run, which may
// not allocate.
func (k curve) inPlace() func([]float32) {
	if k.scalar == nil && (k.op == elementwise.LeakyRelu || k.alpha == 0 && k.beta == 0) {
		return func(v []float32) { elementwise.Unary(k.op, v, v, k.alpha, k.beta) }
	}
	f := k.scalar
	if f == nil {
		f = elementwise.Func(k.op, k.alpha, k.beta)
	}
	return func(v []float32) {
		for i, x := range v {
			v[i] = f(x)
		}
	}
}

// floatList returns a list attribute, nil when absent.
func floatList(n *graph.Node, name string) []float32 {
	if a := n.Attr(name); a != nil && a.Kind == graph.KindFloats {
		return a.Floats
	}
	return nil
}
