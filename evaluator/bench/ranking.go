package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"time"

	"assay/evaluator/clock"
	"assay/evaluator/engine"
	"assay/shared/onnx"
	"assay/shared/pass"
	"assay/shared/plan"
	"assay/shared/quant"
	"assay/shared/tensor"
)

// blocks and blockSize are the samples of a ranking round.
const blocks, blockSize = 2, 4

// ranking measures what stored activations save: the plan with everything INT8, then every plan with one group reverted, the last
// first, as an evaluator does with the plans of a task, with a store and without. Binding a plan to kernels is paid by both and left out, and so
// is memory that is written for the first time, which can take longer than all else on a virtual machine: other blocks came before. Printed
// are two quotients of with to without: kernels started, which is exact, and seconds of thread time, which copying to and from the
// store is part of.
func ranking(ctx context.Context, path string, out io.Writer) error {
	m, err := onnx.Read(path)
	if err != nil {
		return err
	}
	if err := pass.Normalize(m); err != nil {
		return err
	}
	params, err := ranges(ctx, m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var samples []map[string]*tensor.Tensor
	for b := range blocks {
		in, ok := inputs(m, blockSize, uint64(b+1))
		if !ok {
			return fmt.Errorf("%s: the model fixes its batch", path)
		}
		samples = append(samples, in)
	}
	sides := [2]side{{engine: engine.New(engine.Options{}), known: false}, {engine: engine.New(engine.Options{}), known: true}}
	for g := len(params.Groups); g >= 0; g-- {
		p := plan.Plan{Params: params.Digest()}
		if g < len(params.Groups) {
			if p, err = p.Revert(g, len(params.Groups)); err != nil {
				return err
			}
		}
		q, err := quant.Apply(m, params, p)
		if err != nil {
			return err
		}
		for i := range sides {
			i := (i + g + 1) % len(sides) // each side goes first in turn
			program, err := sides[i].engine.Compile(q, nil)
			if err != nil {
				return err
			}
			if g == len(params.Groups) {
				if err := sides[i].before(ctx, program, samples); err != nil {
					return err
				}
			}
			if err := sides[i].round(ctx, program, samples, g); err != nil {
				return err
			}
		}
	}
	whole, shared := sides[0], sides[1]
	fmt.Fprintf(out, "%s: %d plans, %d blocks of %d: %.3f of the kernels, %.3f of the time of a round without a store (%.2f s); store %d MB\n",
		path, len(params.Groups)+1, blocks, blockSize, float64(shared.steps)/float64(whole.steps), shared.took.Seconds()/whole.took.Seconds(),
		whole.took.Seconds(), shared.engine.Usage().Store>>20)
	return nil
}

// side is an engine with what its runs cost.
type side struct {
	engine *engine.Engine
	known  bool // samples have names, so that activations are stored
	first  int  // of the names
	took   time.Duration
	steps  int64
}

// before runs a plan on blocks of other names, so that what they leave in the store is there to be replaced.
func (s *side) before(ctx context.Context, p *engine.Program, samples []map[string]*tensor.Tensor) error {
	other := side{engine: s.engine, known: s.known, first: len(samples)}
	return other.round(ctx, p, samples, 0)
}

// round runs one plan on all blocks. A first run on samples of no name binds it.
func (s *side) round(ctx context.Context, p *engine.Program, samples []map[string]*tensor.Tensor, plan int) error {
	out, err := p.Run(ctx, samples[0], [32]byte{})
	if err != nil {
		return fmt.Errorf("plan %d: %w", plan, err)
	}
	p.Reuse(out)
	for b, in := range samples {
		var key [32]byte
		if s.known {
			binary.LittleEndian.PutUint64(key[:], uint64(s.first+b+1))
		}
		before, start := s.engine.Usage().Steps, clock.Thread()
		out, err := p.RunFirst(ctx, in, key)
		if err != nil {
			return fmt.Errorf("plan %d: %w", plan, err)
		}
		p.Reuse(out)
		s.took += clock.Thread() - start
		s.steps += s.engine.Usage().Steps - before
	}
	return nil
}
