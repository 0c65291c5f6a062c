package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"assay/evaluator/engine"
	"assay/shared/graph"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// open is the size of free axes other than the batch: tokens of a text.
const open = 128

// inputs are random feeds of the model's inputs, the same for the same seed; ok is false if the model fixes another batch. Types
// beyond float32, int32 and int64 are zeros.
func inputs(m *graph.Model, batch int, seed uint64) (in map[string]*tensor.Tensor, ok bool) {
	r := rand.New(rand.NewPCG(seed, 1))
	in = map[string]*tensor.Tensor{}
	for _, p := range m.Graph.Inputs {
		if m.Graph.Consts[p.Name] != nil {
			continue
		}
		shape := make([]int, len(p.Type.Shape))
		for i, d := range p.Type.Shape {
			switch {
			case d.N >= 0:
				shape[i] = d.N
			case i == 0:
				shape[i] = batch
			default:
				shape[i] = open
			}
		}
		if len(shape) > 0 && shape[0] != batch {
			return nil, false
		}
		in[p.Name] = random(r, p, shape)
	}
	return in, true
}

// random fills one input: Gaussian numbers, ones for masks, small words for other integers.
func random(r *rand.Rand, p graph.Port, shape []int) *tensor.Tensor {
	x := tensor.New(p.Type.DType, shape...)
	word := func() int64 {
		switch {
		case strings.Contains(p.Name, "mask"):
			return 1
		case strings.Contains(p.Name, "type"):
			return r.Int64N(2)
		}
		return r.Int64N(256)
	}
	switch p.Type.DType {
	case tensor.Float32:
		for i, v := 0, x.F32(); i < len(v); i++ {
			v[i] = float32(r.NormFloat64())
		}
	case tensor.Int64:
		for i, v := 0, tensor.View[int64](x); i < len(v); i++ {
			v[i] = word()
		}
	case tensor.Int32:
		for i, v := 0, tensor.View[int32](x); i < len(v); i++ {
			v[i] = int32(word())
		}
	}
	return x
}

// samples is how many random samples the ranges are taken of. Random samples give no accuracy and need not: the time of a layer does
// not depend on its scales, only on which layers are INT8, and that follows from the graph.
const samples = 2

// quantized is the plan of m with everything INT8 that can be, as it is exported, and how many groups it has.
func quantized(ctx context.Context, m *graph.Model) (*graph.Model, int, error) {
	params, err := ranges(ctx, m)
	if err != nil {
		return nil, 0, err
	}
	q, err := quant.Apply(m, params, plan.Plan{Params: params.Digest()})
	return q, len(params.Groups), err
}

// ranges are the points of m, with ranges of random samples.
func ranges(ctx context.Context, m *graph.Model) (*plan.Params, error) {
	first, ok := inputs(m, 1, 1)
	if !ok {
		return nil, fmt.Errorf("the model fixes a batch above 1")
	}
	cfg := quant.Config{InputShapes: map[string][]int{}}
	for name, x := range first {
		cfg.InputShapes[name] = x.Shape
	}
	taps, err := quant.Taps(m, cfg)
	if err != nil {
		return nil, err
	}
	var want []string
	seen := map[string]bool{}
	for _, t := range taps {
		if !seen[t.Value] {
			seen[t.Value] = true
			want = append(want, t.Value)
		}
	}
	program, err := engine.New(engine.Options{}).Compile(m, want)
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for s := range samples {
		in, _ := inputs(m, 1, uint64(s+2))
		values, err := program.Run(ctx, in, [32]byte{})
		if err != nil {
			return nil, err
		}
		rec, err := quant.Record(taps, values)
		if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	st, err := quant.NewStats(taps, records, nil)
	if err != nil {
		return nil, err
	}
	params, _, err := quant.Build(m, cfg, st)
	return params, err
}
