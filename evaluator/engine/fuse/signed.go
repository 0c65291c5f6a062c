package fuse

import "assay/shared/tensor"

// shiftSigned turns a Q and the one DQ that reads it from s8 to u8, zero point + 128. Where an s8 value has several
// readers nothing changes, and the layers among them stay float: the integer operators here take u8 activations. value
// = (q - z) * s is the same for q + 128 and z + 128, so no float behind changes (ort-semantics 4.5).
func shiftSigned(e *editor) (changed bool) {
	for _, n := range e.order() {
		q, ok := e.quantizer(n)
		if !ok || !q.single() || q.z == nil || q.dtype != tensor.Int8 {
			continue
		}
		use := e.only(q.out())
		if use == nil || use.Input != 0 {
			continue
		}
		dq, ok := e.dequantizer(use.Node)
		if !ok || !dq.single() || dq.z == nil || dq.dtype != tensor.Int8 || dq.zero() != q.zero() {
			continue
		}
		zero := tensor.New(tensor.Uint8, q.z.Shape...)
		zero.Data[0] = q.z.Data[0] ^ 0x80
		name := e.constant(n.Name+"/zero_u8", zero)
		u8 := e.fresh(q.out() + "/u8")
		e.setOutput(n, 0, u8)
		e.setInput(n, 2, name)
		e.setInput(dq.node, 0, u8)
		e.setInput(dq.node, 2, name)
		changed = true
	}
	return changed
}
