package cell

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"sync"

	"assay/shared/dataset"
	"assay/shared/plan"
	"assay/shared/tensor"
)

// feeds keeps the batches that were fed last: the plans of a task run on the same samples one after the other, and normalising
// pictures anew for each of them took as long as a small network in INT8. Invariant: used is the sum of the sizes of what is
// kept, at most budget. A batch that is kept is read only. The memory of one that is not serves the next: taking it anew for each
// cost half as much as all copying. Safe for concurrent use.
type feeds struct {
	budget int

	mu    sync.Mutex
	used  int
	kept  []fed    // oldest first
	spent [][]byte // of batches that nobody uses any more, the newest last
}

// fed is a batch by name.
type fed struct {
	key   string
	in    map[string]*tensor.Tensor
	bytes int
}

// mostFed bounds what is kept together with a share of the memory: it holds a block of pictures for each of a dozen slots.
const mostFed = 256 << 20

// mostSpent is how many pieces of memory wait for a batch of their size.
const mostSpent = 16

// newFeeds keeps at most a thirty-second part of the memory.
func newFeeds(memory int64) *feeds { return &feeds{budget: int(min(memory/32, mostFed))} }

// get gives the batch of samples, from what is kept if it is there. keep says that others will ask for it; batches of data that are kept
// as a whole are kept without it, since the steps of a search go over all samples again and again. The map is the caller's, the
// tensors are not to be written. done ends the use of the tensors, once; a caller that fails need not call it. Errors are those of
// Feed.
func (f *feeds) get(ctx context.Context, inputs plan.Digest, in dataset.Inputs, from dataset.Get, samples []uint32, keep bool) (batch map[string]*tensor.Tensor, done func(), err error) {
	key := append(make([]byte, 0, len(inputs)+4*len(samples)), inputs[:]...)
	for _, s := range samples {
		key = binary.LittleEndian.AppendUint32(key, s)
	}
	f.mu.Lock()
	kept := f.find(string(key))
	f.mu.Unlock()
	if kept != nil {
		return maps.Clone(kept), func() {}, nil
	}
	var taken [][]byte
	made, err := in.FeedInto(ctx, from, samples, func(n int) []byte {
		b := f.room(n)
		taken = append(taken, b)
		return b
	})
	if err != nil {
		return nil, nil, err
	}
	if len(taken) == 0 {
		return made, func() {}, nil // parts of pieces: they are found as soon as a batch that is kept
	}
	if (keep || f.fit(in)) && f.keep(string(key), maps.Clone(made)) {
		return made, func() {}, nil
	}
	return made, func() { f.spend(taken) }, nil
}

// fit says that all samples take at most half of the budget, so that the batches of a ranking find room beside them. Samples are taken
// to be of the first one's shape.
func (f *feeds) fit(in dataset.Inputs) bool {
	sample := 0
	for _, s := range in.Streams {
		sample += tensor.Count(s.FedShape(1)) * s.Want.Size()
	}
	return sample <= f.budget/2/max(1, int(in.Count))
}

// room is memory of n bytes, whatever they are.
func (f *feeds) room(n int) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, b := range slices.Backward(f.spent) {
		if len(b) == n {
			f.spent = slices.Delete(f.spent, i, i+1)
			return b
		}
	}
	return make([]byte, n)
}

// spend takes memory from room that nobody reads any more.
func (f *feeds) spend(taken [][]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range taken {
		if len(b) <= f.budget/mostSpent {
			f.spent = append(f.spent, b)
		}
	}
	if n := len(f.spent) - mostSpent; n > 0 {
		f.spent = slices.Delete(f.spent, 0, n)
	}
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

// keep enters a batch, lets go of the oldest ones and says whether it did: not one that takes more than half of the budget, or is there.
func (f *feeds) keep(key string, in map[string]*tensor.Tensor) bool {
	bytes := 0
	for _, t := range in {
		bytes += len(t.Data)
	}
	if bytes > f.budget/2 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.find(key) != nil { // another slot made it meanwhile
		return false
	}
	for f.used+bytes > f.budget {
		f.used -= f.kept[0].bytes
		f.kept[0] = fed{}
		f.kept = f.kept[1:]
	}
	f.kept, f.used = append(f.kept, fed{key, in, bytes}), f.used+bytes
	return true
}
