package cell

import (
	"context"
	"encoding/binary"
	"maps"
	"sync"

	"assay/shared/dataset"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// feeds keeps the batches that were fed last: the plans of a task run on the same samples one after the other, and normalising
// pictures anew for each of them took as long as a small network in INT8. Invariant: used is the sum of the sizes of what is
// kept, at most budget. A batch that is kept is read only. Safe for concurrent use.
type feeds struct {
	budget int

	mu   sync.Mutex
	used int
	kept []fed // oldest first
}

// fed is a batch by name.
type fed struct {
	key   string
	in    map[string]*tensor.Tensor
	bytes int
}

// mostFed bounds what is kept together with a share of the memory: it holds a block of pictures for each of a dozen slots.
const mostFed = 256 << 20

// newFeeds keeps at most a thirty-second part of the memory.
func newFeeds(memory int64) *feeds { return &feeds{budget: int(min(memory/32, mostFed))} }

// get gives the batch of samples, from what is kept if it is there. keep says that others will ask for it. The map is the caller's, the
// tensors are not to be written. Errors are those of Feed.
func (f *feeds) get(ctx context.Context, inputs plan.Digest, in dataset.Inputs, from dataset.Get, samples []uint32, keep bool) (map[string]*tensor.Tensor, error) {
	key := append(make([]byte, 0, len(inputs)+4*len(samples)), inputs[:]...)
	for _, s := range samples {
		key = binary.LittleEndian.AppendUint32(key, s)
	}
	f.mu.Lock()
	kept := f.find(string(key))
	f.mu.Unlock()
	if kept != nil {
		return maps.Clone(kept), nil
	}
	made, err := in.Feed(ctx, from, samples)
	if err == nil && keep {
		f.keep(string(key), maps.Clone(made))
	}
	return made, err
}

// find is what is kept under key. The caller holds the lock.
func (f *feeds) find(key string) map[string]*tensor.Tensor {
	for _, k := range f.kept {
		if k.key == key {
			return k.in
		}
	}
	return nil
}

// keep enters a batch and lets go of the oldest ones. One that takes more than half of the budget changes nothing.
func (f *feeds) keep(key string, in map[string]*tensor.Tensor) {
	bytes := 0
	for _, t := range in {
		bytes += len(t.Data)
	}
	if bytes > f.budget/2 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.find(key) != nil { // another slot made it meanwhile
		return
	}
	for f.used+bytes > f.budget {
		f.used -= f.kept[0].bytes
		f.kept[0] = fed{}
		f.kept = f.kept[1:]
	}
	f.kept, f.used = append(f.kept, fed{key, in, bytes}), f.used+bytes
}
