package engine

import (
	"context"

	"assay/shared/op"
	"assay/shared/tensor"
)

// RunFirst is Run for a program that others will differ from on the same samples: if nothing that it computes was computed before,
// all of it that is worth keeping goes to the store at once, and not at the second time only. A run that no other follows would touch
// fresh memory for nothing, more than it computes. Without a key it is Run.
func (p *Program) RunFirst(ctx context.Context, in map[string]*tensor.Tensor, key [32]byte) (map[string]*tensor.Tensor, error) {
	return p.checked(ctx, in, terms{key: key, first: true})
}

// RunLap is Run for one of n batches that one plan after the other goes through, the whole of them before the next plan begins, each
// plan being the one before but for some layers: what is likely to be the same next time, and fits a share of the store, is kept at once.
func (p *Program) RunLap(ctx context.Context, in map[string]*tensor.Tensor, key [32]byte, n int) (map[string]*tensor.Tensor, error) {
	return p.checked(ctx, in, terms{key: key, laps: max(n, 1)})
}

// terms are what a run is told besides its inputs. budget is nil where none is needed yet.
type terms struct {
	key    [32]byte
	first  bool
	laps   int // the batches of a lap that this is one of, 0 for none
	budget *op.Budget
}
