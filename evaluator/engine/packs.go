package engine

import (
	"cmp"
	"errors"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"assay/shared/op"
	"assay/shared/tensor"
)

// packs holds packed weights under keys that name content and packing, each built once however many programs ask. A
// pack that a bound program uses stays; others are dropped when memory is needed, the longest unused first. users of an
// entry counts bounds (through their holders), not nodes.
type packs struct {
	memory *memory
	mu     sync.Mutex
	m      map[string]*pack
	clock  int64
	left   int64 // bytes packed since the last collection, about what packing left behind
	built  int64 // bytes packed since the last settling
}

// litter is how much packing may leave behind before it is collected: weights are brought to an aligned copy first, and
// a heap that may double before the next collection would hold all of those copies at once.
const litter = 8 << 20

// pack is one entry. value, size and err are set before ready is closed and not changed after.
type pack struct {
	key   string
	ready chan struct{}
	value any
	size  int64
	err   error
	users int
	used  int64 // clock at the last release
}

func newPacks(m *memory) *packs { return &packs{memory: m, m: map[string]*pack{}} }

// get returns the pack under key and counts one more user of it. The first to ask builds, others wait on ready; all see
// the same error. Whoever got an error is no user any more, since the entry is forgotten.
func (p *packs) get(key string, build func() (any, int64, error)) (any, error) {
	p.mu.Lock()
	e := p.m[key]
	if e == nil {
		e = &pack{key: key, ready: make(chan struct{}), users: 1}
		p.m[key] = e
		p.mu.Unlock()
		p.build(e, build)
	} else {
		e.users++
		p.mu.Unlock()
		<-e.ready
	}
	return e.value, e.err
}

// errBuild is what others see who wait for a pack whose building came to no end.
var errBuild = errors.New("packed weights: building them was broken off")

// build fills e. A pack that cannot be built or does not fit is forgotten, so that a later try starts afresh. errBuild
// stands there until build returns, so waiters are released with an error even when it panics.
func (p *packs) build(e *pack, build func() (any, int64, error)) {
	e.err = errBuild
	defer func() {
		if e.err != nil {
			p.mu.Lock()
			delete(p.m, e.key)
			p.mu.Unlock()
		}
		close(e.ready)
	}()
	v, n, err := build()
	if err == nil {
		err = p.memory.addWeights(n)
	}
	if e.err = err; err == nil {
		e.value, e.size = v, n
		p.collect(n)
	}
}

// collect counts n packed bytes and runs the garbage collector when enough has been left behind.
func (p *packs) collect(n int64) {
	p.mu.Lock()
	p.left += n
	p.built += n
	due := p.left >= litter
	if due {
		p.left = 0
	}
	p.mu.Unlock()
	if due {
		runtime.GC()
	}
}

// settle gives what much packing has left behind back to the system, before arenas are made. It is called behind a
// binding, when the unpacked copies are garbage.
func (p *packs) settle() {
	p.mu.Lock()
	due := p.built >= litter
	p.built = 0
	p.mu.Unlock()
	if due {
		debug.FreeOSMemory()
	}
}

// release ends one use of each key. Keys whose entry is gone are passed over.
func (p *packs) release(keys map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock++
	for k := range keys {
		if e := p.m[k]; e != nil {
			e.users--
			e.used = p.clock
		}
	}
}

// evict drops unused packs until n bytes are free or none is left.
func (p *packs) evict(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := slices.Collect(maps.Values(p.m))
	idle = slices.DeleteFunc(idle, func(e *pack) bool { return e.users > 0 })
	slices.SortFunc(idle, func(a, b *pack) int { return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.key, b.key)) })
	for _, e := range idle {
		if n <= 0 {
			return
		}
		n -= e.size
		p.memory.dropWeights(e.size)
		delete(p.m, e.key)
	}
}

// holder is the packs as one bound program sees them: it is one user of each pack that it got. Its keys are given back
// as a whole when the bound goes.
type holder struct {
	packs  *packs
	digest *digests
	mu     sync.Mutex
	keys   map[string]bool
}

var _ op.Packs = (*holder)(nil)

// Get implements op.Packs. The second use of a key within one bound is given back at once, so that one release per key
// ends them all.
func (h *holder) Get(key string, build func() (any, int64, error)) (any, error) {
	v, err := h.packs.get(key, build)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	again := h.keys[key]
	h.keys[key] = true
	h.mu.Unlock()
	if again {
		h.packs.release(map[string]bool{key: true})
	}
	return v, nil
}

// Digest implements op.Packs.
func (h *holder) Digest(t *tensor.Tensor) [32]byte { return h.digest.of(t) }
