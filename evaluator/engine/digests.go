package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"math"
	"slices"
	"sync"
	"weak"

	"assay/shared/graph"
	"assay/shared/tensor"
)

// digests remembers the digests of constants as long as the constants live: plans share the weights that they keep. A
// weak pointer is equal only for the very same tensor, even when its address is used again.
type digests struct {
	mu sync.Mutex
	m  map[weak.Pointer[tensor.Tensor]][32]byte
}

// forgetAt is how many entries make digests look for dead ones.
const forgetAt = 1 << 14

func newDigests() *digests { return &digests{m: map[weak.Pointer[tensor.Tensor]][32]byte{}} }

// Two goroutines may compute one digest twice, which is cheaper than a lock over SHA-256.
func (d *digests) of(t *tensor.Tensor) [32]byte {
	k := weak.Make(t)
	d.mu.Lock()
	sum, ok := d.m[k]
	d.mu.Unlock()
	if ok {
		return sum
	}
	sum = t.Digest()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.m) >= forgetAt {
		for k := range d.m {
			if k.Value() == nil {
				delete(d.m, k)
			}
		}
	}
	d.m[k] = sum
	return sum
}

// values computes the structural hash of each value of g: equal hashes on equal samples mean equal bytes. It covers
// operator, attributes, nested graphs, constants and, for inputs of the graph, name and element type. Values in given keep
// the hash that they have there: g is then a part of a graph that was hashed before. Fusion comes before, so two plans
// share hashes exactly as far as their fused graphs agree from the inputs on: this is the shared prefix of design.md
// 4.5.
func (d *digests) values(g *graph.Graph, given map[string][32]byte) map[string][32]byte {
	sums := make(map[string][32]byte, len(g.Nodes)+len(g.Consts)+len(g.Inputs))
	maps.Copy(sums, given)
	for _, p := range g.Inputs {
		if _, ok := given[p.Name]; ok {
			continue
		}
		w := newHash("input")
		w.str(p.Name)
		w.num(uint64(p.Type.DType))
		sums[p.Name] = w.sum()
	}
	for name, t := range g.Consts {
		if _, ok := given[name]; ok {
			continue
		}
		w := newHash("const")
		d.tensor(w, t)
		sums[name] = w.sum()
	}
	for _, n := range g.Nodes {
		w := newHash("node")
		d.node(w, n, sums)
		whole := w.sum()
		for i, o := range n.Outputs {
			if _, ok := given[o]; ok || o == "" { // what is left out is no value, or it would be the input that another leaves out
				continue
			}
			w := newHash("output")
			w.Write(whole[:])
			w.num(uint64(i))
			sums[o] = w.sum()
		}
	}
	return sums
}

// node writes what a node computes. Its name and the names of its values do not matter. Captured values count like
// inputs. Whether an output is named matters, as kernels may compute it otherwise.
func (d *digests) node(w *hashing, n *graph.Node, sums map[string][32]byte) {
	w.str(n.Domain)
	w.str(n.Op)
	w.num(uint64(len(n.Outputs)))
	for _, o := range n.Outputs {
		w.num(uint64(min(len(o), 1)))
	}
	names := append(append([]string{}, n.Inputs...), graph.Captures(n)...)
	w.num(uint64(len(names)))
	for _, name := range names {
		s := sums[name]
		w.num(uint64(min(len(name), 1)))
		w.Write(s[:])
	}
	w.num(uint64(len(n.Attrs)))
	for _, a := range n.Attrs {
		d.attr(w, a)
	}
}

// Every field is written with its length, so no two attributes have one encoding.
func (d *digests) attr(w *hashing, a graph.Attr) {
	w.str(a.Name)
	w.num(uint64(a.Kind))
	w.num(uint64(math.Float32bits(a.Float)))
	w.num(uint64(a.Int))
	w.str(string(a.Str))
	w.num(uint64(len(a.Floats)))
	for _, f := range a.Floats {
		w.num(uint64(math.Float32bits(f)))
	}
	w.num(uint64(len(a.Ints)))
	for _, v := range a.Ints {
		w.num(uint64(v))
	}
	w.num(uint64(len(a.Strs)))
	for _, s := range a.Strs {
		w.str(string(s))
	}
	tensors := a.Tensors
	if a.Tensor != nil {
		tensors = append([]*tensor.Tensor{a.Tensor}, tensors...)
	}
	w.num(uint64(len(tensors)))
	for _, t := range tensors {
		d.tensor(w, t)
	}
	graphs := a.Graphs
	if a.Graph != nil {
		graphs = append([]*graph.Graph{a.Graph}, graphs...)
	}
	w.num(uint64(len(graphs)))
	for _, g := range graphs {
		d.nested(w, g)
	}
	w.str(string(a.Raw))
	w.str(a.Ref)
}

// nested writes a nested graph: its text with constants by digest, names included, and the constants in full.
func (d *digests) nested(w *hashing, g *graph.Graph) {
	table := graph.Table(&graph.Model{Graph: g})
	w.str(graph.PrintGraph(g))
	for _, word := range slices.Sorted(maps.Keys(table)) {
		w.str(word)
		d.tensor(w, table[word])
	}
}

func (d *digests) tensor(w *hashing, t *tensor.Tensor) {
	s := d.of(t)
	w.Write(s[:])
}

// hashing is SHA-256 over length-prefixed parts. Prefixes make the parts' borders part of the hash.
type hashing struct{ hash.Hash }

func newHash(kind string) *hashing {
	w := &hashing{sha256.New()}
	w.str("assay.step." + kind)
	return w
}

func (w *hashing) num(v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	w.Write(b[:])
}

func (w *hashing) str(s string) {
	w.num(uint64(len(s)))
	w.Write([]byte(s))
}

func (w *hashing) sum() [32]byte { return [32]byte(w.Sum(nil)) }
