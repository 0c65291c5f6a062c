package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"assay/shared/tensor"
)

// nearBytes is the arena up to which a batch in float runs as one. What one layer writes the next one reads, and beyond a cache
// near by that takes longer than more rows save; see RATIONALE.md.
const nearBytes = 12 << 20

// few is how many of n rows are run at a time: n where they need no more than is near, or may not be divided. Only what is all
// floats is: bytes are small, and plans that share stored activations of bytes have to be divided alike.
func (p *Program) few(b *bound, n int) int {
	near := p.engine.near
	if n < 2 || b.arena <= near || !b.floats || len(p.known) > 0 || !p.RowWise() {
		return n
	}
	parts := (n + max(1, n*near/b.arena) - 1) / max(1, n*near/b.arena)
	return (n + parts - 1) / parts
}

// batchOf is the number of rows of the first input, 0 for none.
func (p *Program) batchOf(in map[string]*tensor.Tensor) int {
	if len(p.inputs) == 0 || len(in[p.inputs[0].Name].Shape) == 0 {
		return 0
	}
	return in[p.inputs[0].Name].Shape[0]
}

// onlyFloats says that the bound computes with floats, and with numbers of a fixed size beside them, but with no bytes.
func (b *bound) onlyFloats() bool {
	floats := false
	for _, s := range b.slots {
		if s.dtype.Container() || s.dtype.Size() < 4 || s.dtype == tensor.String {
			return false
		}
		floats = floats || s.dtype == tensor.Float32
	}
	return floats
}

// inRows is within, some rows of the batch at a time. RowWise holds, so that each wanted value has the batch as its first axis
// and rows do not depend on each other. With a key, rows have one of their own. b is bound for the whole batch.
func (p *Program) inRows(ctx context.Context, in map[string]*tensor.Tensor, t terms, b *bound, n, rows int) (map[string]*tensor.Tensor, error) {
	out, piece := p.results.take(b), p.pieces.take(nil)
	if out == nil {
		out = make(map[string]*tensor.Tensor, len(p.want))
	}
	if piece == nil {
		piece = make(map[string]*tensor.Tensor, len(p.inputs))
	}
	defer p.leave(piece)
	for from := 0; from < n; from += rows {
		k := min(rows, n-from)
		p.piece(piece, in, n, from, k)
		some := t
		if t.key != [32]byte{} {
			some.key, some.laps = rowsKey(t.key, from, k), t.laps*((n+rows-1)/rows)
		}
		values, err := p.within(ctx, piece, some)
		if err != nil {
			return nil, err
		}
		for name, v := range values {
			size := len(v.Data) / k
			if out[name] == nil {
				out[name] = tensor.New(v.DType, withRows(v.Shape, n)...)
			}
			copy(out[name].Data[from*size:], v.Data)
		}
		p.Reuse(values)
	}
	return out, nil
}

// piece makes dst the k rows from row from on of a batch of n.
func (p *Program) piece(dst, in map[string]*tensor.Tensor, n, from, k int) {
	for _, port := range p.inputs {
		v, t := in[port.Name], dst[port.Name]
		if t == nil {
			t = &tensor.Tensor{}
			dst[port.Name] = t
		}
		size := len(v.Data) / n
		t.DType, t.Shape, t.Data = v.DType, append(t.Shape[:0], v.Shape...), v.Data[from*size:][:k*size]
		t.Shape[0] = k
	}
}

// leave keeps a piece for the next batch, without the caller's bytes.
func (p *Program) leave(piece map[string]*tensor.Tensor) {
	for _, t := range piece {
		t.Data = nil
	}
	p.pieces.put(piece)
}

// withRows is shape with n rows.
func withRows(shape []int, n int) []int {
	s := slices.Clone(shape)
	s[0] = n
	return s
}

// rowsKey is the key of n rows from row from on of the samples of a key.
func rowsKey(key [32]byte, from, n int) [32]byte {
	var b [48]byte
	copy(b[:], key[:])
	binary.LittleEndian.PutUint64(b[32:], uint64(from))
	binary.LittleEndian.PutUint64(b[40:], uint64(n))
	return sha256.Sum256(b[:])
}
