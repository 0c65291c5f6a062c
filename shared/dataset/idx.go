package dataset

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"assay/shared/tensor"
)

// idxName is what idx files are called: "t10k-images-idx3-ubyte.gz", "labels.idx1-ubyte", "x.idx".
var idxName = regexp.MustCompile(`(?i)(idx\d(-[a-z]+)?|\.idx)(\.gz)?$`)

func isIdx(name string) bool { return idxName.MatchString(name) }

// idxTypes are the element types of an idx file by their code.
var idxTypes = map[byte]tensor.DType{
	0x08: tensor.Uint8, 0x09: tensor.Int8, 0x0b: tensor.Int16, 0x0c: tensor.Int32, 0x0d: tensor.Float32, 0x0e: tensor.Float64,
}

// decodeIdx reads an idx array: two zero bytes, type, rank, big-endian 32-bit sizes, big-endian elements. The sizes must
// account for every byte. One-byte elements alias b.
func decodeIdx(b []byte) (*tensor.Tensor, error) {
	if len(b) < 4 || b[0] != 0 || b[1] != 0 || idxTypes[b[2]] == tensor.Invalid {
		return nil, errors.New("it is no idx file: the first bytes are not 0 0 type rank")
	}
	t := &tensor.Tensor{DType: idxTypes[b[2]]}
	rank := int(b[3])
	if rank < 1 || rank > maxRank || len(b) < 4+4*rank {
		return nil, fmt.Errorf("truncated or corrupt: rank %d in %d bytes", rank, len(b))
	}
	size := t.DType.Size()
	n, data := uint64(size), b[4+4*rank:]
	for i := range rank {
		d := binary.BigEndian.Uint32(b[4+4*i:])
		t.Shape = append(t.Shape, int(d))
		if n *= uint64(d); n > uint64(len(data)) {
			break
		}
	}
	if n != uint64(len(data)) {
		return nil, fmt.Errorf("truncated or corrupt: shape %v of %s does not account for the %d bytes that follow", t.Shape, t.DType, len(data))
	}
	t.Data = data
	if size > 1 {
		t.Data = make([]byte, len(data))
		for i := range data {
			t.Data[i] = data[i-i%size+size-1-i%size]
		}
	}
	return t, t.Check()
}

// ratio is the most that deflate can expand.
const ratio = 1032

// gunzip expands a .gz; other bytes are given back as they are. The result is at most maxFile bytes.
func gunzip(name string, b []byte) ([]byte, error) {
	if !strings.HasSuffix(strings.ToLower(name), ".gz") {
		return b, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("it is no .gz file: %w", err)
	}
	limit := min(int64(maxFile), int64(len(b))*ratio)
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(out)) > limit {
		err = fmt.Errorf("it expands to more than %d bytes", limit)
	}
	return out, err
}
