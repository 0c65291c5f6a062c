package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"

	"assay/shared/onnx/onnxpb"
)

// Limits of writing, variables for tests: a model with more bytes of constants than outsideAbove has those of at least
// outsideFrom bytes in a data file, each starting at a multiple of outsideAlign so that runtimes can map it.
var (
	outsideAbove = int64(maxMessage - 64<<20) // leaves 64 MiB for everything that is no constant
	outsideFrom  = 1 << 10
	outsideAlign = int64(4096)
)

// outside collects the constants of a data file in the order in which they lie there. Invariant: offsets ascend, each a
// multiple of outsideAlign, len(parts) == len(offsets), and sum has seen the file's first size bytes. Every message that
// take has changed points at location, which is set when all are taken.
type outside struct {
	location string
	size     int64
	parts    [][]byte
	offsets  []int64
	sum      hash.Hash
}

func newOutside() *outside { return &outside{sum: sha256.New()} }

// take moves a tensor's elements to the data file if they are many.
func (o *outside) take(t *onnxpb.TensorProto) {
	if len(t.RawData) < outsideFrom {
		return
	}
	at := (o.size + outsideAlign - 1) / outsideAlign * outsideAlign
	o.sum.Write(make([]byte, at-o.size)) // the gap
	o.sum.Write(t.RawData)
	o.parts, o.offsets = append(o.parts, t.RawData), append(o.offsets, at)
	o.size = at + int64(len(t.RawData))
	key := "location"
	t.ExternalData = []*onnxpb.StringStringEntryProto{
		{Key: &key, Value: &o.location}, pair("offset", strconv.FormatInt(at, 10)), pair("length", strconv.Itoa(len(t.RawData))),
	}
	t.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
	t.RawData = nil
}

// digest is the SHA-256 of the file, in hexadecimal.
func (o *outside) digest() string { return hex.EncodeToString(o.sum.Sum(nil)) }
