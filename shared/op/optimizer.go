package op

import (
	"fmt"
	"math"
	"slices"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// preview is the domain of operators for training. Those here apply one update; Gradient, which asks for the derivative of
// a piece of the graph, is no computation of the graph's values and stays unknown.
const preview = "ai.onnx.preview.training"

// optimizerOps update parameters from gradients: inputs are the rate R, the count T, then n each of parameters, gradients
// and state tensors; outputs are the new parameters and states. They stay float. T, the number of updates so far, and R
// have to be constants.
var optimizerOps = []*Op{
	optimizer("Adagrad", 1, stepAdagrad, "decay_factor", "epsilon", "norm_coefficient"),
	optimizer("Momentum", 1, stepMomentum, "alpha", "beta", "mode", "norm_coefficient"),
	optimizer("Adam", 2, stepAdam, "alpha", "beta", "epsilon", "norm_coefficient", "norm_coefficient_post"),
}

// descent is one element's step: x, g and its states in, the new x out; states are changed in place.
type descent func(x, g float32, state []float32) float32

// optimizer makes an operator with that many states for each parameter. data is 2: rate and count are always constants
// to Lower. Input and output k of each kind belong together and have one shape.
func optimizer(name string, states int, step func(n *graph.Node, rate float32, count int64) descent, attrs ...string) *Op {
	per := 2 + states
	return &Op{
		Domain: preview, Name: name, Opsets: []int{1}, Role: RoleFloat, Types: float32Only, Attrs: attrs,
		Inputs: Arity{2 + per, -1}, Outputs: Arity{1, -1}, RowWise: never, data: 2,
		Infer: func(x *Infer) error {
			n := (len(x.In) - 2) / per
			if (len(x.In)-2)%per != 0 || len(x.Out) != n*(1+states) || tensor.Count(x.In[0].Shape) != 1 || tensor.Count(x.In[1].Shape) != 1 || x.In[1].DType != tensor.Int64 {
				return fmt.Errorf("%d inputs and %d outputs do not fit", len(x.In), len(x.Out))
			}
			for i := 2; i < len(x.In); i++ {
				if x.In[i].DType != tensor.Float32 || !slices.Equal(x.In[i].Shape, x.In[2+(i-2)%n].Shape) {
					return fmt.Errorf("input %d is %s%v, the parameter float32%v", i, x.In[i].DType, x.In[i].Shape, x.In[2+(i-2)%n].Shape)
				}
			}
			for i := range x.Out {
				x.put(i, tensor.Float32, x.In[2+i%n].Shape...)
			}
			return nil
		},
		Lower: func(l *Lower) (Kernel, error) { return lowerOptimizer(l, states, step) },
	}
}

// lowerOptimizer walks parameter by parameter, element by element. An output that aliases its input is fine as each
// element is read before it is written, yet Alias is -1 because there are n pairs.
func lowerOptimizer(l *Lower, states int, step func(n *graph.Node, rate float32, count int64) descent) (Kernel, error) {
	in := make([]operand, len(l.In))
	for i := range in {
		var err error
		if in[i], err = l.operand(i, Logical); err != nil {
			return Kernel{}, err
		}
	}
	rate, err := l.constant(0, "learning rate")
	if err != nil {
		return Kernel{}, err
	}
	count, err := l.constant(1, "update count")
	if err != nil {
		return Kernel{}, err
	}
	n := (len(l.In) - 2) / (2 + states)
	f := step(l.Node, rate.F32()[0], tensor.View[int64](count)[0])
	return Kernel{Alias: -1, Run: func(c *Call) {
		var state [2]float32
		for k := range n {
			x, g := view[float32](in[2+k].bytes(c)), view[float32](in[2+n+k].bytes(c))
			for i := range x {
				for s := range states {
					state[s] = view[float32](in[2+(2+s)*n+k].bytes(c))[i]
				}
				v := f(x[i], g[i], state[:states])
				for s := -1; s < states; s++ {
					if out := c.Out[(1+s)*n+k]; out != nil {
						if s >= 0 {
							v = state[s]
						}
						view[float32](out)[i] = v
					}
				}
			}
		}
	}}, nil
}

// stepAdagrad: h += g^2; x -= r/(1 + T*decay) * g / (sqrt(h) + epsilon), the gradient regularised first.
func stepAdagrad(n *graph.Node, rate float32, count int64) descent {
	norm, epsilon := n.Float("norm_coefficient", 0), n.Float("epsilon", 1e-6)
	r := rate / (1 + float32(float32(count)*n.Float("decay_factor", 0)))
	return func(x, g float32, state []float32) float32 {
		g += float32(norm * x)
		state[0] += float32(g * g)
		return x - float32(float32(r*g)/(sqrt32(state[0])+epsilon))
	}
}

// stepMomentum: v = alpha*v + beta*g (beta 1 at the first update); x -= r*v, or r*(g + alpha*v) in mode nesterov.
func stepMomentum(n *graph.Node, rate float32, count int64) descent {
	norm, alpha, beta := n.Float("norm_coefficient", 0), n.Float("alpha", 0), n.Float("beta", 0)
	if count == 0 {
		beta = 1
	}
	nesterov := n.Str("mode", "standard") == "nesterov"
	return func(x, g float32, state []float32) float32 {
		g += float32(norm * x)
		state[0] = float32(alpha*state[0]) + float32(beta*g)
		v := state[0]
		if nesterov {
			v = g + float32(alpha*v)
		}
		return x - float32(rate*v)
	}
}

// stepAdam: v = alpha*v + (1-alpha)*g, h = beta*h + (1-beta)*g^2, the rate corrected for their bias after the first
// update. The powers alpha^T and beta^T are made by multiplication, at most 2^20 times, so that a T that a file claims
// costs bounded time.
func stepAdam(n *graph.Node, rate float32, count int64) descent {
	norm, post, epsilon := n.Float("norm_coefficient", 0), n.Float("norm_coefficient_post", 0), n.Float("epsilon", 1e-6)
	alpha, beta := n.Float("alpha", 0.9), n.Float("beta", 0.999)
	r := rate
	if count > 0 {
		a, b := 1.0, 1.0
		for range min(count, 1<<20) {
			a, b = float64(a*float64(alpha)), float64(b*float64(beta))
		}
		r = float32(float64(float64(rate)*math.Sqrt(1-b)) / (1 - a))
	}
	return func(x, g float32, state []float32) float32 {
		g += float32(norm * x)
		state[0] = float32(alpha*state[0]) + float32((1-alpha)*g)
		square := float32(g * g)
		state[1] = float32(beta*state[1]) + float32((1-beta)*square)
		step := float32(r*state[0]) / (sqrt32(state[1]) + epsilon)
		x -= step
		return float32((1 - post) * x)
	}
}

func sqrt32(v float32) float32 { return float32(math.Sqrt(float64(v))) }
