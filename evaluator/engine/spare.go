package engine

import (
	"slices"
	"sync"

	"assay/shared/tensor"
)

// mostSpare is how many sets of tensors wait for a run that can use them: one for each of a few batches of each of a few slots.
const mostSpare = 16

// spares keeps sets of tensors by name that nobody uses, the newest last. Safe for concurrent use.
type spares struct {
	mu   sync.Mutex
	free []map[string]*tensor.Tensor
}

// take gives the newest set that a run of b can return, any if b is nil; nil where there is none.
func (s *spares) take(b *bound) map[string]*tensor.Tensor {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, set := range slices.Backward(s.free) {
		if b == nil || b.returns(set) {
			s.free = slices.Delete(s.free, i, i+1)
			return set
		}
	}
	return nil
}

// put takes a set; the oldest goes where there are too many.
func (s *spares) put(set map[string]*tensor.Tensor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == mostSpare {
		s.free = slices.Delete(s.free, 0, 1)
	}
	s.free = append(s.free, set)
}

// Reuse gives back what a run of p returned and nobody reads any more, as it was returned: the map, its tensors and their bytes. A
// later run with the same shapes returns them again, written anew, and then a warm run allocates nothing. It is no duty: what is not
// given back is collected as garbage, and so are the results of a program that was ever bound in parts, which may share memory.
// Safe for concurrent use.
func (p *Program) Reuse(out map[string]*tensor.Tensor) {
	if len(out) > 0 && !p.shares.Load() {
		p.results.put(out)
	}
}

// returns says that a set has the results of b, of their types and shapes.
func (b *bound) returns(set map[string]*tensor.Tensor) bool {
	if len(set) != len(b.results) {
		return false
	}
	for _, r := range b.results {
		t, v := set[r.name], b.valueOf(r)
		if t == nil || t.DType != v.dtype || v.dtype.Size() == 0 || !slices.Equal(t.Shape, v.shape) || len(t.Data) != v.bytes {
			return false
		}
	}
	return true
}

// valueOf is the slot of a result, or one that describes a constant.
func (b *bound) valueOf(r result) slot {
	if r.slot < 0 {
		return slot{dtype: r.value.DType, shape: r.value.Shape, bytes: len(r.value.Data)}
	}
	return b.slots[r.slot]
}
