package npy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"

	"assay/shared/tensor"
)

// Array is one member of an archive, named as NumPy names it: without ".npy".
type Array struct {
	Name   string
	Tensor *tensor.Tensor
}

// maxMembers bounds an archive, and ratio its expansion: deflate cannot expand more than 1032 times, so a member that
// claims more is a lie.
const (
	maxMembers = 1024
	ratio      = 1032
)

// DecodeArchive reads a .npz, stored or deflated: its members in the order of the archive, at most 1024. limit bounds the bytes of
// all members together, unpacked; it stands against archives that expand to more than the machine has. A member that is no .npy,
// or damaged, is an error that names it. The tensors alias nothing of b.
func DecodeArchive(b []byte, limit int64) ([]Array, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("it is no .npz file: %w", err)
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("an archive of %d members, at most %d are read", len(z.File), maxMembers)
	}
	var out []Array
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			return nil, fmt.Errorf("member %.80q is no .npy", f.Name)
		}
		raw, err := member(f, limit)
		if err != nil {
			return nil, fmt.Errorf("member %.80q: %w", name, err)
		}
		limit -= int64(len(raw))
		t, err := Decode(raw)
		if err != nil {
			return nil, fmt.Errorf("member %.80q: %w", name, err)
		}
		out = append(out, Array{name, t})
	}
	return out, nil
}

// member reads one file of an archive. It is refused when it claims more than limit bytes, or more than so few packed bytes can
// give, and when it then holds another number than it claims.
func member(f *zip.File, limit int64) ([]byte, error) {
	size := f.UncompressedSize64
	if size > uint64(max(limit, 0)) || size > f.CompressedSize64*ratio+64 {
		return nil, fmt.Errorf("it claims %d bytes from %d, and %d are left of the limit", size, f.CompressedSize64, limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// The directory's size may lie upwards within the ratio, so memory grows with what really comes.
	raw, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err == nil && uint64(len(raw)) != size {
		err = fmt.Errorf("it holds %d bytes, its directory entry says %d", len(raw), size)
	}
	return raw, err
}
