// Package engine runs models: it compiles a graph once (fuse, dead code, constant folding), binds it to kernels per input
// shape, and executes it over samples, restarting from stored activations where an earlier run of any plan computed the
// same value on the same samples. A file format, a plan, a message or a decision may not enter.
//
// Contract: outputs are a function of graph and inputs alone. Batch, memory layout, the arena, packed weights and the
// activation store change no bit. Everything is safe for concurrent use; one Run uses one goroutine.
package engine

import (
	"time"

	"assay/shared/graph"
)

// Options bound what an Engine holds. Zero fields take the defaults.
type Options struct {
	Memory int64 // bytes for arenas, packed weights and stored activations together; 0 or less: half of the machine's memory
	// Store is the most bytes of stored activations, which give way when arenas or weights need the room. 0, less, or more than
	// Memory stands for Memory/4, and without a Memory for at most 256 MiB a slot (see amply).
	Store int64
	Slots int // runs at a time that the store is to serve; 0: 1. It bounds no runs

	// Observe, if set, hears of every executed step and how long it took: n is the node, or one made for what runs as one step, named
	// after its last node and with the operators joined by "+". Conversions of layout count as a Transpose. It is called by the
	// goroutine of Run, so by several at a time where runs are, may not change n, and decides nothing.
	Observe func(n *graph.Node, took time.Duration)
}

// Engine holds what programs share: memory, packed weights, stored activations. There is one per process. Who may hold
// memory: arenas (in use or free), packs and store, all counted in memory. Locks are taken in the order bindings, packs
// or store, memory; memory gives its own up before it calls an evict.
type Engine struct {
	memory *memory
	packs  *packs
	store  *store
	digest *digests

	observe func(n *graph.Node, took time.Duration)
	near    int  // see nearBytes
	apart   bool // no kernels are grouped, no layouts viewed: what tests compare with
}

// amply is the most that the store takes for each slot of memory that the user has not granted by number: room for the plans of a round
// that meet on the same block within one task, twice. Beyond easily, granted or not, it takes only what entries of a lower rank cannot give, since
// memory that is touched for the first time costs several times what copying does, on a virtual machine above all. Measured on
// searches with one slot, CPU time: MobileNet with weights per tensor over 200 samples executes 1 % fewer kernels with 256 MiB than with 64, and touching these takes
// 5 % of the job's time, and a fifth of it with the quarter of 8 GiB; Magika with POT's placement 3 % of the kernels, all of them small, and 3 %.
const (
	amply  = 256 << 20
	easily = 64 << 20
)

// New makes an engine. It starts no goroutine and needs no Close: what it holds is garbage when nobody has it, its programs
// included. It allocates nothing of Memory yet.
func New(o Options) *Engine {
	limit := DefaultMemory(o.Memory)
	budget := o.Store
	if budget <= 0 || budget > limit {
		budget = limit / 4
		if o.Memory <= 0 {
			budget = min(budget, int64(max(o.Slots, 1))*amply)
		}
	}
	m := &memory{limit: limit, storeBudget: budget}
	st := newStore(m)
	if o.Store <= 0 {
		st.easy = min(budget, int64(max(o.Slots, 1))*easily)
	}
	e := &Engine{memory: m, packs: newPacks(m), store: st, digest: newDigests(), observe: o.Observe, near: nearBytes}
	m.evictPacks, m.evictStore = e.packs.evict, e.store.evict
	return e
}

// Usage is what an engine holds now, in bytes, and how its store has served: Hits counts stored activations that a run took, Steps
// executed kernels. Hits and Steps only grow. Arena and Weights count what is kept for later runs too, Store memory that was
// written once and is free now.
type Usage struct {
	Arena, Weights, Store int64
	Hits, Steps           int64
}

// Usage returns a snapshot: the bytes are of one moment, Hits and Steps of about then. Steps of a run count at its end.
func (e *Engine) Usage() Usage {
	u := e.memory.usage()
	u.Hits, u.Steps = e.store.hits.Load(), e.store.steps.Load()
	return u
}
