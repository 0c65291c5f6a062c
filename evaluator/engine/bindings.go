package engine

import (
	"fmt"
	"slices"
	"sync"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// keepBounds is how many input shapes a program stays bound to.
const keepBounds = 8

// bindings holds the bounds of a program by the shapes of its inputs. It outlives the program by a moment: its packs are
// given back when the program is garbage. Invariant: recent holds each key of bounds once. bounds is nil after close,
// which runs as a cleanup of the Program, so no Run can be under way then. Keys are the shapes of the inputs in text,
// with digests of those inputs whose elements decide shapes.
type bindings struct {
	packs  *packs
	mu     sync.Mutex
	bounds map[string]*bound
	recent []string // keys of bounds, the last used one last
}

// find returns the bound under key, nil when there is none. It allocates nothing. key is not kept.
func (s *bindings) find(key []byte) *bound {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bounds[string(key)]
	if last := len(s.recent) - 1; b != nil && s.recent[last] != string(key) {
		i := slices.IndexFunc(s.recent, func(k string) bool { return k == string(key) })
		k := s.recent[i]
		copy(s.recent[i:], s.recent[i+1:])
		s.recent[last] = k
	}
	return b
}

// make is find, making the bound if needed. Others wait meanwhile: they would pack the same weights. The lock is held
// while bind runs. The bound that was used longest ago is given up after the new one is made, so weights that both use
// are not packed again.
func (s *bindings) make(key string, bind func() (*bound, error)) (*bound, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.bounds[key]; b != nil {
		return b, nil
	}
	b, err := bind()
	if err != nil {
		return nil, err
	}
	s.packs.settle()
	if len(s.recent) == keepBounds {
		s.packs.release(s.bounds[s.recent[0]].packs.keys)
		delete(s.bounds, s.recent[0])
		s.recent = slices.Delete(s.recent, 0, 1)
	}
	s.bounds[key] = b
	s.recent = append(s.recent, key)
	return b, nil
}

// close gives back all packs. It may be called once.
func (s *bindings) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bounds {
		s.packs.release(b.packs.keys)
	}
	s.bounds, s.recent = nil, nil
}

// admitsItems checks what a container from outside holds.
func admitsItems(t graph.Type, v *tensor.Tensor) error {
	if err := v.Check(); err != nil {
		return err
	}
	if t.Elem == nil {
		return nil
	}
	for i, item := range v.Items {
		err := admits(graph.Port{Type: *t.Elem}, item)
		if err == nil && item.DType.Container() {
			err = admitsItems(*t.Elem, item)
		}
		if err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
	}
	return nil
}

// admits checks a value against what the model says of its input. Axes that the model leaves open admit any size, 0
// included.
func admits(port graph.Port, t *tensor.Tensor) error {
	if !t.DType.Container() { // else Run has checked the items, once and not at each step of a loop
		if err := t.Check(); err != nil {
			return err
		}
	}
	if port.Type.DType != tensor.Invalid && t.DType != port.Type.DType {
		return fmt.Errorf("it holds %s, the model wants %s", t.DType, port.Type.DType)
	}
	if !port.Type.Ranked {
		return nil
	}
	if len(t.Shape) != len(port.Type.Shape) {
		return fmt.Errorf("its shape is %v, the model wants %d axes: %s", t.Shape, len(port.Type.Shape), port.Type)
	}
	for i, d := range port.Type.Shape {
		if d.N >= 0 && d.N != t.Shape[i] {
			return fmt.Errorf("its shape is %v, the model wants %s", t.Shape, port.Type)
		}
	}
	return nil
}
