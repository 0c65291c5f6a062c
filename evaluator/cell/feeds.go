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
// kept, at most budget, and passing that of those which are kept for a task only, at most most. A batch that is kept is read only. The memory of one that is
// not, or not any more, serves the next: taking it anew for each cost half as much as all copying. Safe for concurrent use.
type feeds struct {
	budget int
	most   int

	mu      sync.Mutex
	used    int
	passing int
	kept    []*fed   // oldest first
	spent   [][]byte // of batches that nobody uses any more, the newest last
}

// fed is a batch by name.
type fed struct {
	key   string
	in    map[string]*tensor.Tensor
	bytes int
	task  bool     // it is kept for the plans of a task
	taken [][]byte // its memory
	users int
	gone  bool // not kept any more
}

// mostFed bounds what is kept together with a share of the memory: it holds a block of pictures for each of a dozen slots.
const mostFed = 256 << 20

// mostSpent is how many pieces of memory wait for a batch of their size.
const mostSpent = 16

// passingBytes bounds what is kept for the tasks of a slot: a few blocks of pictures. What went before is of no more use, and its memory
// is written again.
const passingBytes = 64 << 20

// newFeeds keeps at most a thirty-second part of the memory.
func newFeeds(memory int64, slots int) *feeds {
	budget := int(min(memory/32, mostFed))
	return &feeds{budget: budget, most: min(budget, max(slots, 1)*passingBytes)}
}

// get gives the batch of samples, from what is kept if it is there. keep says that others will ask for it; batches of data that are kept
// as a whole are kept without it, since the steps of a search go over all samples again and again. The map is the caller's, the
// tensors are not to be written. done ends the use of the tensors, once; a caller that fails need not call it. Errors are those of
// Feed.
func (f *feeds) get(ctx context.Context, inputs plan.Digest, in dataset.Inputs, from dataset.Get, samples []uint32, keep bool) (batch map[string]*tensor.Tensor, done func(), err error) {
	key := append(make([]byte, 0, len(inputs)+4*len(samples)), inputs[:]...)
	for _, s := range samples {
		key = binary.LittleEndian.AppendUint32(key, s)
	}
	if kept := f.use(string(key)); kept != nil {
		return maps.Clone(kept.in), func() { f.leave(kept) }, nil
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
	kept := &fed{key: string(key), in: maps.Clone(made), task: keep, taken: taken, users: 1}
	if (keep || f.fit(in)) && f.keep(kept) {
		return made, func() { f.leave(kept) }, nil
	}
	return made, func() { f.spend(taken) }, nil
}

// use is what is kept under key, with one user more; nil if nothing is.
func (f *feeds) use(key string) *fed {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := f.find(key)
	if kept != nil {
		kept.users++
	}
	return kept
}

// leave ends the use of a batch that is kept, or was.
func (f *feeds) leave(k *fed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if k.users--; k.users == 0 && k.gone {
		f.spendLocked(k.taken)
	}
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
	f.spendLocked(taken)
}

func (f *feeds) spendLocked(taken [][]byte) {
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
func (f *feeds) find(key string) *fed {
	for _, k := range f.kept {
		if k.key == key {
			return k
		}
	}
	return nil
}

// keep enters a batch, lets go of the oldest ones and says whether it did: not one that takes more than half of the budget, or is there.
func (f *feeds) keep(k *fed) bool {
	for _, t := range k.in {
		k.bytes += len(t.Data)
	}
	if k.bytes > f.budget/2 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.find(k.key) != nil { // another slot made it meanwhile
		return false
	}
	for k.task && f.passing > 0 && f.passing+k.bytes > f.most {
		f.drop(slices.IndexFunc(f.kept, func(k *fed) bool { return k.task }))
	}
	for f.used+k.bytes > f.budget {
		f.drop(0)
	}
	f.kept, f.used = append(f.kept, k), f.used+k.bytes
	if k.task {
		f.passing += k.bytes
	}
	return true
}

// drop lets go of a batch; those who use it still read it. The caller holds the lock.
func (f *feeds) drop(i int) {
	k := f.kept[i]
	f.kept = slices.Delete(f.kept, i, i+1)
	f.used -= k.bytes
	if k.task {
		f.passing -= k.bytes
	}
	if k.gone = true; k.users == 0 {
		f.spendLocked(k.taken)
	}
}
